/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_FILL_PLAN_H
#define FMC_ARRAY_FILL_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>

/** How an array falls into planes that are filled one by one. Steps are in samples. */
typedef struct fmc_fill_plan {
    size_t   h, w;           /* of a plane */
    size_t   h_step, w_step;
    uint32_t n_lead;         /* the other axes longer than 1, slowest first */
    size_t   lead_dim[FMC_MAX_RANK];
    size_t   lead_step[FMC_MAX_RANK];
    size_t   n_planes;
} fmc_fill_plan;

fmc_fill_plan fmc_fill_plan_make(uint32_t rank, const size_t *dim, uint32_t unlike);

/** First sample of plane p. */
size_t fmc_fill_plan_start(const fmc_fill_plan *plan, size_t p);

#endif
