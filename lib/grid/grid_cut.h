/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_CUT_H
#define FMC_GRID_CUT_H

/* Samples of an array in the order of a grid's slices. */

#include <stdbool.h>
#include "grid/grid.h"
#include "grid/lattice.h"

/** Samples as [outer][slice][inner]. */
typedef struct fmc_grid_cut {
    size_t outer, n, inner;
} fmc_grid_cut;

static inline fmc_grid_cut fmc_grid_cut_at(uint32_t rank, const size_t *dim, const fmc_grid *g)
{
    fmc_grid_cut c = { 1, 1, 1 };

    if (g->n_slices == 1) {
        for (uint32_t i = 0; i < rank; i++)
            c.inner *= dim[i];
        return c;
    }
    for (uint32_t i = 0; i < rank; i++) {
        if (i < g->axis)
            c.outer *= dim[i];
        else if (i > g->axis)
            c.inner *= dim[i];
    }
    c.n = dim[g->axis];
    return c;
}

static inline double fmc_grid_value_at(const void *data, bool single, size_t i)
{
    return single ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static inline int64_t fmc_grid_order(bool single, double v)
{
    return single ? fmc_order_f32((float)v) : fmc_order_f64(v);
}

static inline double fmc_grid_unorder(bool single, int64_t x)
{
    return single ? (double)fmc_unorder_f32(x) : fmc_unorder_f64(x);
}

/** Samples of a piece of parallel work. */
#define FMC_GRID_PIECE ((size_t)1 << 16)

/** Samples that follow each other in one slice, of those up to `end`. */
typedef struct fmc_grid_stretch {
    size_t slice, end;
} fmc_grid_stretch;

static inline fmc_grid_stretch fmc_grid_stretch_at(const fmc_grid_cut *c, size_t i, size_t end)
{
    const size_t row = i / c->inner, next = (row + 1) * c->inner;

    return (fmc_grid_stretch){ row % c->n, next < end ? next : end };
}

#endif
