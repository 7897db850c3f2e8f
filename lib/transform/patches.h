/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_PATCHES_H
#define FMC_TRANSFORM_PATCHES_H

#include <stddef.h>
#include <stdint.h>
#include "core/exec.h"

/** Samples of a patch: 8 x 8 of the last two axes, or 64 of the only one. */
enum { FMC_PATCH = 64 };

/** An array as patches: [outer][rows][cols][FMC_PATCH], edges padded (docs/format.md 5.9). */
typedef struct fmc_patches {
    size_t outer;       /* product of all axes but the last two */
    size_t h, w;        /* samples of the last two; h = 1 for one axis */
    size_t rows, cols;  /* patches along them */
    size_t ph, pw;      /* samples of a patch: 8 x 8 or 1 x 64 */
} fmc_patches;

fmc_patches fmc_patches_of(uint32_t rank, const size_t *dim);

/** Samples of all patches, padding included; 0 if that overflows. */
size_t fmc_patches_count(const fmc_patches *p);

/** Samples of 4 or 8 bytes into patches; padding repeats the last row and column. */
fmc_status fmc_patches_gather(const fmc_exec *ex, const fmc_patches *p, size_t sample, const void *from, void *to);

/** The inverse; padding is dropped. */
fmc_status fmc_patches_scatter(const fmc_exec *ex, const fmc_patches *p, size_t sample, const void *from, void *to);

#endif
