/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_VIEW_H
#define FMC_ARRAY_VIEW_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>
#include "core/exec.h"

/** Bytes per sample of an enum fmc_dtype; 0 if unknown. */
size_t fmc_dtype_size(uint32_t dtype);

/** What a view is used for. */
enum fmc_view_use {
    FMC_VIEW_INPUT = 0, /* any stride */
    FMC_VIEW_OUTPUT = 1, /* stride 0 only along axes of extent 1 */
    FMC_VIEW_SHAPE = 2  /* data, strides and dim[0] are ignored */
};

/**
 * Check a caller's descriptor: struct_size, dtype, rank, reserved, extents whose product in bytes fits PTRDIFF_MAX,
 * strides that keep every sample's address representable, and data non-NULL unless the array is empty. No memory
 * behind `data` is touched.
 * @return FMC_OK or FMC_ERR_ARG.
 */
fmc_status fmc_view_check(const fmc_array *a, enum fmc_view_use use);

/** Samples of a checked view; 0 if an extent is 0. */
size_t fmc_view_count(const fmc_array *a);

/** True if a checked view's samples lie in C order without gaps and are aligned for their type: usable in place. */
int fmc_view_is_plain(const fmc_array *a);

/**
 * Copy the box [start, start + count) of a checked view into dst, C-contiguous, no alignment needed.
 * @param start, count  a->rank entries; the box lies inside the array. A count of 0 copies nothing.
 * @return FMC_OK, FMC_ERR_CANCELLED.
 */
fmc_status fmc_view_read(const fmc_exec *ex, const fmc_array *a, const size_t *start, const size_t *count, void *dst);

/** The inverse: write a C-contiguous buffer into the box of a checked output view. */
fmc_status fmc_view_write(const fmc_exec *ex, const fmc_array *a, const size_t *start, const size_t *count,
                          const void *src);

#endif
