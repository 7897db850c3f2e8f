/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_OLS_H
#define FMC_GRID_OLS_H

#include <stdint.h>

/** Most taps of a predictor, and the padded row length. */
enum { FMC_OLS_MAX = 40 };

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

/**
 * Add m observations with gain: targets y[s], taps d[s][] (padded with zeros to a multiple of 4), both already divided
 * by the expected error. Afterwards the gain has grown by `growth`.
 */
void fmc_ols_update(fmc_ols *o, const double (*d)[FMC_OLS_MAX], const double *y, uint32_t m, double growth);

/** Solve for new weights; keeps the old ones (and starts afresh) where the matrix is not positive. */
void fmc_ols_solve(fmc_ols *o);

#endif
