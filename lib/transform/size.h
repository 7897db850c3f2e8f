/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_SIZE_H
#define FMC_TRANSFORM_SIZE_H

#include "transform/transform.h"

/** Estimate of what coefficients cost, bases of K axes not included. */
typedef struct fmc_tx_size {
    double bits;   /* grows with the number of samples */
    double learn;  /* what the coder's model takes to learn; does not */
    double error;  /* squared error in units of step^2 */
    double step;   /* of the quantiser */
} fmc_tx_size;

/**
 * Size of transformed data once they are quantised to an RMSE and coded by lib/coef. The step is found from a
 * logarithmic histogram; then the magnitudes' entropy given the neighbours in their band and the parent band, as the
 * coder sees them. Zone FREE, but the same for any number of threads.
 * @param layout  the transform's array.
 * @param rmse    the error to find a step for, > 0.
 * @param step    if > 0, this is the step, whatever the error.
 */
fmc_status fmc_tx_size_f32(const fmc_exec *ex, const fmc_tx_plan *plan, const float *layout, double rmse, double step,
                           fmc_tx_size *size);
fmc_status fmc_tx_size_f64(const fmc_exec *ex, const fmc_tx_plan *plan, const double *layout, double rmse, double step,
                           fmc_tx_size *size);

#endif
