/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_FIND_H
#define FMC_GRID_FIND_H

#include "grid/grid_cut.h"

/** The search for a grid. */
typedef struct fmc_grid_finder {
    const fmc_exec *ex;
    fmc_grid *g;
    bool single;
    uint32_t rank;
    const size_t *dim;
    const void *data;
    const uint8_t *mask;
    bool no_minus_zero; /* known */
    double least_step;  /* finer grids are not wanted */
    bool is_too_fine;   /* known */
    double *u;    /* [FMC_FIT_SAMPLES] */
    double *work; /* [FMC_FIT_WORK] */
} fmc_grid_finder;

/**
 * Range of k over all samples, into f->g.
 * @param ok  false if any sample is too far off, or misses its value while `exact`; then nothing else is known.
 */
fmc_status fmc_grid_scan(fmc_grid_finder *f, bool exact, size_t *n_missed, bool *ok);

/** Fill f->g->fix; *found is false if two samples of one k differ, or a correction does not fit. */
fmc_status fmc_grid_find_fixes(fmc_grid_finder *f, bool *found);

#endif
