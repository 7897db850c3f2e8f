/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/transform.h"

#include <string.h>

/* Walks over the rows of a band in the transform's array. */
typedef struct row_walk {
    const fmc_band *band;
    size_t          step[FMC_MAX_RANK]; /* strides of the right-aligned axes */
    size_t          at[FMC_MAX_RANK];
    size_t          offset;             /* of the row's first sample */
} row_walk;

static row_walk row_walk_start(const fmc_tx_plan *plan, const fmc_band *band)
{
    row_walk w = { .band = band };
    size_t step = 1;

    for (size_t a = FMC_MAX_RANK; a-- > 0;) {
        w.step[a] = step;
        w.offset += band->origin[a] * step;
        if (a + plan->rank >= FMC_MAX_RANK)
            step *= plan->dim[a + plan->rank - FMC_MAX_RANK];
    }
    return w;
}

static void row_walk_next(row_walk *w)
{
    for (size_t a = FMC_MAX_RANK - 1; a-- > 0;) {
        w->offset += w->step[a];
        if (++w->at[a] < w->band->dim[a])
            return;
        w->offset -= w->at[a] * w->step[a];
        w->at[a] = 0;
    }
}

#define REAL float
#define NAME(x) x##_f32
#include "transform/mallat_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/mallat_real.h"
#undef REAL
#undef NAME
