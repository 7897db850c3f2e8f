/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_FILL_H
#define FMC_ARRAY_FILL_H

#include <stddef.h>
#include <stdint.h>
#include "core/exec.h"

/**
 * Replace masked samples by smooth continuations of the others, so that a transform spends little on them. Encoder
 * only (zone FREE), yet the result does not depend on threads.
 *
 * Each plane of the last two axes that are longer than 1 and not unlike is filled by a pull-push pyramid (means of
 * 2 x 2 known samples upwards, bilinear interpolation downwards) with some sweeps of the Laplace equation per level.
 * A plane without a known sample becomes a copy of the nearest one that has some; without any, all is 0.
 *
 * @param state   n states (array/mask.h): non-zero is masked. NULL: nothing to do.
 * @param unlike  bit a: axis a (0 slowest) joins unrelated things.
 * @param x       n samples, C order; masked ones may hold anything.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_fill_f32(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint32_t unlike, const uint8_t *state,
                        float *x);
fmc_status fmc_fill_f64(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint32_t unlike, const uint8_t *state,
                        double *x);

/**
 * Keep what masked samples were filled with, and put it back into the same array made anew.
 * @param sample  bytes of one.
 * @param kept    as many samples as are masked, in order.
 */
void fmc_fill_keep(size_t n, size_t sample, const uint8_t *state, const void *x, void *kept);
void fmc_fill_again(size_t n, size_t sample, const uint8_t *state, const void *kept, void *x);

#endif
