/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_MEAN_H
#define FMC_COEF_MEAN_H

#include "grid/ols.h"

/** Taps of the conditional mean (docs/format.md 8.5), a multiple of 4, and how many values it learns from at once. */
enum { FMC_MEAN_TAPS = 12, FMC_MEAN_BATCH = 8 };

/**
 * Conditional mean of a value: least squares on its decoded neighbours with forgetting, one a band. IEEE f64 in a
 * fixed order, so every machine gets the same mean.
 */
typedef struct fmc_mean {
    fmc_ols  ols;
    double   x[FMC_MEAN_BATCH][FMC_OLS_MAX]; /* features of this value and of those not learned yet */
    double   y[FMC_MEAN_BATCH];
    uint32_t n;      /* of them */
    uint32_t n_seen; /* values since the reset, saturating */
    double   mean;   /* of this value, before it is shrunk */
    double   gain_num, gain_den; /* fading sums of mean * value and mean^2: how far to trust it */
} fmc_mean;

void fmc_mean_reset(fmc_mean *m);
/** Where the features of the next value go: FMC_MEAN_TAPS of them. */
double *fmc_mean_features(fmc_mean *m);
/** Prediction from the features, shrunk by its recent success. */
double fmc_mean_predict(fmc_mean *m);
/** Learn the value that came. @param scale expected magnitude, >= 0. */
void fmc_mean_update(fmc_mean *m, double value, double scale);

#endif
