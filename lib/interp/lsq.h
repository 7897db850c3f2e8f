/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_LSQ_H
#define FMC_INTERP_LSQ_H

#include <stdint.h>
#include "interp/plan.h"

/** Normal equations of t = sum w[j] u[j], filled sample by sample. Encoder only. */
typedef struct fmc_lsq {
    uint32_t n; /* unknowns */
    double   count;
    double   weight; /* sum */
    double   tt;
    double   ut[FMC_INTERP_MAX_CAUSAL];
    double   uu[FMC_INTERP_MAX_CAUSAL][FMC_INTERP_MAX_CAUSAL]; /* lower triangle */
} fmc_lsq;

void fmc_lsq_init(fmc_lsq *q, uint32_t n);
/**
 * `count` <= 4 samples u[i], t[i] with their weights: 1 / (expected squared error), so that rough places do not rule
 * over smooth ones. The samples beyond have weight 0 and finite u, t; u[i][j] is finite for all j.
 */
void fmc_lsq_add(fmc_lsq *q, const double (*u)[FMC_INTERP_MAX_CAUSAL], const double *t, const double *weight,
                 uint32_t count);
/** Add noise: covariance `common` of any two u, `own` more of each with itself, `with_t` with t, `in_t` of t. */
void fmc_lsq_noise(fmc_lsq *q, double own, double common, double with_t, double in_t);
/** Weights of the first n unknowns, the others 0. @param work FMC_INTERP_MAX_CAUSAL^2. @return 0 if singular. */
int fmc_lsq_solve(const fmc_lsq *q, uint32_t n, double *work, double *w);
/** Mean squared error of weights. */
double fmc_lsq_error(const fmc_lsq *q, const double *w);
/** log2 of a positive number to 1e-4: the same on every machine. */
double fmc_interp_log2(double v);

#endif
