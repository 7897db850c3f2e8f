/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_LOGMAP_H
#define FMC_ARRAY_LOGMAP_H

#include <stddef.h>
#include <stdint.h>
#include "array/norm.h"

/**
 * Relative bounds: |x| is coded as v = log2|x|, where a relative bound is an absolute one; signs are a bitmap of their
 * own, zeros are masked samples (FMC_MASK_ZEROS). The logarithm may be any close one; the way back is zone EXACT.
 * docs/format.md 5.4.
 */

/** log2 of a positive finite x (denormals too), to about 1e-15. */
double fmc_log2(double x);

/** 2^v, f64 + - * only, the same bits everywhere: 0 below -1100 (and for NaN), the largest f64 above 1024. */
double fmc_exp2(double v);

/** What |x' - x| <= r * |x| means for v = log2|x|: code v + centre within +-limit. */
typedef struct fmc_log_bound {
    double centre;
    double limit; /* 0 if r is too small for the array's type: store such data exactly */
} fmc_log_bound;

fmc_log_bound fmc_log_bound_make(double r, uint32_t dtype);

/** Span of log2|x| + centre over the coded samples: non-zero, finite, state 0. */
fmc_status fmc_log_span(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const uint8_t *state,
                        double centre, fmc_span *out);

/** y = (log2|x| + centre) normalised; masked samples give 0. Encoder only. Parameters as fmc_norm_forward. */
fmc_status fmc_log_forward(const fmc_exec *ex, const fmc_norm *norm, double centre, size_t n, uint32_t dtype,
                           const void *x, const uint8_t *state, uint32_t work, void *y);

/**
 * x = +-2^((y + shift) * 2^exponent), cast to dtype. Zone EXACT.
 * @param sign  classes from fmc_signs_decode: 2 is negative; NULL: all positive.
 */
fmc_status fmc_log_inverse(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t work, const void *y,
                           const uint8_t *sign, uint32_t dtype, void *x);

/**
 * Write the signs of the samples that are not masked; one byte if all are the same.
 * @param state  as for fmc_mask_encode.
 */
fmc_status fmc_signs_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *x,
                            const uint8_t *state, fmc_out *out);

/**
 * Read them. Untrusted bytes.
 * @param masked  classes of fmc_mask_decode (non-zero: no sign stored); NULL: none masked.
 * @param out     owned, fmc_dealloc; n classes: 2 negative. NULL on failure.
 */
fmc_status fmc_signs_decode(const fmc_exec *ex, uint32_t rank, const size_t *dim, const uint8_t *masked, fmc_in *in,
                            uint8_t **out);

#endif
