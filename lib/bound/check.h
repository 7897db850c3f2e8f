/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_BOUND_CHECK_H
#define FMC_BOUND_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include "array/mask.h"
#include "core/exec.h"

/**
 * True if y is as close to x as asked, decided in exact arithmetic: no rounding of the difference or of limit * |x|
 * can let a violation pass. Never true for a NaN, an infinity or a difference that overflows, unless the bits are
 * equal. f32 samples are passed as the f64 of the same value.
 * @param kind   FMC_BOUND_ABS: |x - y| <= limit. FMC_BOUND_PW_REL: |x - y| <= limit * |x|, zeros exact with their
 *               sign, signs kept. FMC_BOUND_LOSSLESS: equal bits.
 * @param limit  > 0 and normal (else only equal bits pass).
 */
int fmc_check_pair(double x, double y, uint32_t kind, double limit);

/**
 * Check n decoded samples y against the originals x.
 * @param dtype  enum fmc_dtype; x and y are n samples of it, aligned.
 * @param mask   n states (array/mask.h), only FMC_SAMPLE_CODED ones are checked; NULL: all.
 * @param kind, limit  as fmc_check_pair.
 * @param bad    gets the indices of the first `cap` failing samples in rising order; may be NULL if cap is 0.
 * @param n_bad  gets the number of all failing samples, also of those that did not fit.
 * @return FMC_OK, FMC_ERR_CANCELLED. Results do not depend on threads.
 */
fmc_status fmc_check_samples(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                             const uint8_t *mask, uint32_t kind, double limit, size_t *bad, size_t cap, size_t *n_bad);

/** Errors of decoded samples, in units that cannot overflow. */
typedef struct fmc_errors {
    size_t n;         /* samples counted */
    int    is_finite; /* 0: a difference is not finite, and sum_sq means nothing */
    double unit;      /* power of two; 1 unless errors are extremely small or large */
    double sum_sq;    /* of ((x - y) / unit)^2 */
} fmc_errors;

/**
 * Error statistics over the samples that are not FMC_SAMPLE_MISSING. The sum is a fixed tree, so the result does not
 * depend on threads or vector widths.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_errors_measure(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                              const uint8_t *mask, fmc_errors *out);

/** Root of the mean squared error; 0 if nothing was counted, infinite if a difference was not finite. */
double fmc_errors_rmse(const fmc_errors *e);

#endif
