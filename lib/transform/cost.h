/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_COST_H
#define FMC_TRANSFORM_COST_H

#include "transform/transform.h"

/** What coefficients cost at a step, bases of K axes not included. */
typedef struct fmc_tx_cost {
    double bits;   /* about what lib/coef makes of them */
    double error;  /* squared error in units of step^2 */
} fmc_tx_cost;

/**
 * Cost of transformed data from the magnitudes' means in blocks of 4 x 2 along the two fastest axes: a few operations
 * a value. Zone FREE, but the same for any number of threads and any kernels.
 * @param plan    valid; of K axes only the kind matters.
 * @param layout  the transform's array.
 * @param step    of the quantiser, > 0.
 * @param every   1: all is looked at; else one of so many pairs of rows outside of the lowest band.
 * @return FMC_OK, FMC_ERR_CANCELLED, FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_tx_cost_f32(const fmc_exec *ex, const fmc_tx_plan *plan, const float *layout, double step,
                           uint32_t every, fmc_tx_cost *cost);
fmc_status fmc_tx_cost_f64(const fmc_exec *ex, const fmc_tx_plan *plan, const double *layout, double step,
                           uint32_t every, fmc_tx_cost *cost);

/** Step of a quantiser with dead zone that leaves a root mean square error of rmse > 0 in count values; 1..128 rmse. */
fmc_status fmc_tx_find_step_f32(const fmc_exec *ex, size_t count, const float *x, double rmse, double *step);
fmc_status fmc_tx_find_step_f64(const fmc_exec *ex, size_t count, const double *x, double rmse, double *step);

#endif
