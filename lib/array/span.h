/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_SPAN_H
#define FMC_ARRAY_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>
#include "core/exec.h"

/** Extremes of the valid samples: finite and not equal to the fill value. */
typedef struct fmc_span {
    size_t n_valid;
    double min; /* 0 if there are none */
    double max;
} fmc_span;

/** Nothing seen yet. */
fmc_span fmc_span_none(void);

/** Both together. */
fmc_span fmc_span_join(fmc_span a, fmc_span b);

/** max - min, infinite if that overflows, 0 if there is nothing. */
double fmc_span_width(const fmc_span *r);

/**
 * Of n aligned samples. @param has_fill 1: samples numerically equal to fill_value are not valid.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_span_measure(const fmc_exec *ex, uint32_t dtype, size_t n, const void *data, uint32_t has_fill,
                             double fill_value, fmc_span *out);

#endif
