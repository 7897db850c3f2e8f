/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_NORM_H
#define FMC_ARRAY_NORM_H

#include <stddef.h>
#include <stdint.h>
#include "array/span.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Shift and scale between samples x and the working values y of a coder: x = (y + shift) * 2^exponent in f64, then a
 * cast to the array's type. One addition and a product by a power of two: there is nothing to contract.
 * docs/format.md 5.1.
 */
typedef struct fmc_norm {
    int32_t exponent; /* -1022..1023 */
    int64_t shift;    /* |shift| <= 2^53 */
} fmc_norm;

/** |y| <= 1.5 for all of the span; y = 0 exactly where the span is a single value. Its ends are within +-2^1000. */
fmc_norm fmc_norm_choose(const fmc_span *span);

/** 2^exponent: an error of y times this is an error of x. */
double fmc_norm_scale(const fmc_norm *norm);

/** True if errors of `limit` on data that span `width` need f64 as the working type. */
int fmc_norm_needs_f64(double width, double limit);

void fmc_norm_write(const fmc_norm *norm, fmc_out *out);
/** Untrusted bytes. @return FMC_OK, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT. */
fmc_status fmc_norm_parse(fmc_in *in, fmc_norm *norm);

/**
 * x to y, n aligned samples each. Encoder only.
 * @param dtype  of x. @param work  of y. @param state  masked samples (array/mask.h) give y = 0; NULL: none.
 */
fmc_status fmc_norm_forward(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t dtype, const void *x,
                            const uint8_t *state, uint32_t work, void *y);

/** y to x. Zone EXACT. x and y do not overlap unless they are the same array of the same type. */
fmc_status fmc_norm_inverse(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t work, const void *y,
                            uint32_t dtype, void *x);

#endif
