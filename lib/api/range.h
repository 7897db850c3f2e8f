/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_RANGE_H
#define FMC_API_RANGE_H

#include "array/span.h"
#include "core/exec.h"

/**
 * Extremes of the valid samples of a checked view. Same result for any thread count.
 * @param has_fill, fill_value  samples equal to it do not count.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_range_find(const fmc_exec *ex, const fmc_array *view, uint32_t has_fill, double fill_value,
                          fmc_span *out);

/** max - min rounded down, at most DBL_MAX; 0 if there is no valid sample. */
double fmc_range_width(const fmc_span *span);

#endif
