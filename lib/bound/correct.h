/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_BOUND_CORRECT_H
#define FMC_BOUND_CORRECT_H

#include <stddef.h>
#include <stdint.h>
#include "coef/band.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** Largest |r| of a residual correction: r * step stays exact in f64. */
#define FMC_CORRECT_MAX ((int32_t)1 << 20)

/**
 * Step of a residual correction for |x - x'| <= limit: a bit below 2 * limit, less what the cast to dtype may add for
 * samples up to max_abs, rounded down to 32 significant bits.
 * @return 0 if limit is too small against the rounding of the type: then correct by exact samples alone.
 */
double fmc_correct_step(double limit, uint32_t dtype, double max_abs);

/** True if `step` may stand in a stream: normal, finite, at most 32 significant bits. */
int fmc_correct_step_is_valid(double step);

/**
 * Integers r with x' + r * step within limit of x: 0 where x' is already, else round((x - x') / step), clamped.
 * @param dtype  of x, y. @param y  decoded samples x'. @param state  masked samples get 0; NULL: none.
 * @param n_used  number of non-zero r.
 */
fmc_status fmc_correct_find(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                            const uint8_t *state, double limit, double step, int32_t *r, size_t *n_used);

/** y = y + r * step in f64, cast to dtype. Zone EXACT. Any r is legal. */
fmc_status fmc_correct_apply(const fmc_exec *ex, uint32_t dtype, size_t n, const int32_t *r, double step, void *y);

/** The one band as which r is coded: the array itself, values zero-mean. */
void fmc_correct_band(uint32_t rank, const size_t *dim, fmc_band *band);

/**
 * Write samples whose bits are stored, as differences from what the decoder has there (docs/format.md 5.3).
 * @param index  `count` rising indices below n. @param x originals. @param y decoded, not yet exact.
 */
fmc_status fmc_exact_samples_encode(const fmc_exec *ex, uint32_t dtype, size_t n, const size_t *index, size_t count,
                            const void *x, const void *y, fmc_out *out);

/**
 * Read them and put them into y. Untrusted bytes.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT (y may be changed).
 */
fmc_status fmc_exact_samples_decode(const fmc_exec *ex, uint32_t dtype, size_t n, fmc_in *in, void *y);

#endif
