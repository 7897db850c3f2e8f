/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_GRID_FIT_H
#define FMC_GRID_GRID_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most values of a set, and the room that finding its step takes: two copies of up to 16 * 1024 + 1 differences, or of the set. */
enum { FMC_FIT_SAMPLES = 65536, FMC_FIT_WORK = FMC_FIT_SAMPLES };

/** Constants of one set of values. */
typedef struct fmc_fit {
    double scale; /* as the expression of `kind` wants it */
    double offset;
} fmc_fit;

/**
 * The step of sorted distinct values u[0..n), n >= 2, up to rounding noise of a unit in the last place; 0 if they are
 * on no grid coarse enough to matter.
 * @param work  room for FMC_FIT_WORK doubles, n <= FMC_FIT_SAMPLES.
 */
double fmc_fit_step(const double *u, size_t n, bool single, double *work);

/** Value of k under an expression, rounded to the type. */
double fmc_fit_value(uint32_t kind, bool single, double scale, double offset, int32_t k);

/** Integer nearest to a value; 0 and false if out of the int32 range. */
bool fmc_fit_integer(uint32_t kind, double scale, double offset, double v, int32_t *k);

/** How many of u[0..n) the expression misses, at most `limit` counted. */
size_t fmc_fit_misses(uint32_t kind, bool single, const fmc_fit *f, const double *u, size_t n, size_t limit);

/**
 * Constants of expression `kind` for values with the step s: decimal numbers first, then (MUL) the middle of all pairs
 * that round to the values. @return misses left over u (0: exact).
 */
size_t fmc_fit_constants(uint32_t kind, bool single, double s, const double *u, size_t n, fmc_fit *f);

#endif
