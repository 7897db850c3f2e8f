/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_OLS_H
#define FMC_GRID_OLS_H

#include <stdint.h>

/** Most taps of a predictor, and the padded row length. */
enum { FMC_OLS_MAX = 28 };

/**
 * Weighted least squares with exponential forgetting, docs/format.md 9.4. Plain IEEE f64 in a fixed order, so that
 * encoder and decoder agree everywhere.
 */
typedef struct fmc_ols {
    uint32_t n;                          /* taps, <= FMC_OLS_MAX */
    uint32_t n_seen;                     /* updates since the start, saturating */
    double gain;                         /* weight of the next sample: grows instead of the past fading */
    double w[FMC_OLS_MAX];               /* current weights */
    double b[FMC_OLS_MAX];               /* right-hand side */
    double a[FMC_OLS_MAX * FMC_OLS_MAX]; /* lower triangle, row-major */
    double l[FMC_OLS_MAX * FMC_OLS_MAX]; /* its Cholesky factor, scratch */
} fmc_ols;

void fmc_ols_init(fmc_ols *o, uint32_t n);

/** sum w[i] * d[i], four partial sums by i mod 4, then (s0 + s1) + (s2 + s3); d is padded with zeros to a multiple
 * of 4. */
static inline double fmc_ols_predict(const fmc_ols *o, const double *d)
{
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;

    for (uint32_t i = 0; i < o->n; i += 4) {
        s0 += o->w[i] * d[i];
        s1 += o->w[i + 1] * d[i + 1];
        s2 += o->w[i + 2] * d[i + 2];
        s3 += o->w[i + 3] * d[i + 3];
    }
    return (s0 + s1) + (s2 + s3);
}

/** Add one observation: target y, taps d (padded with zeros to a multiple of 4), weight. */
void fmc_ols_update(fmc_ols *o, const double *d, double y, double weight);

/** Forget: later samples count 1.0003 times as much as those before. */
void fmc_ols_fade(fmc_ols *o);

/** Solve for new weights; keeps the old ones (and starts afresh) where the matrix is not positive. */
void fmc_ols_solve(fmc_ols *o);

#endif
