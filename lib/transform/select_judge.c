/* SPDX-License-Identifier: Apache-2.0 */
/* What a choice costs on a sample: its plan, its bases, the transform's bits and error. */
#include <string.h>

#include "core/status.h"
#include "transform/cost.h"
#include "transform/klt.h"
#include "transform/select_search.h"

/* What a squared error of one step^2 costs: the slope of a fine quantiser's rate, 6 / ln 2. */
static const double bits_per_error = 8.66;

/* Halvings of a part of an axis: as many as the whole gets, if it is long enough for that. */
static uint8_t crop_levels(size_t n, size_t part)
{
    uint8_t levels = 0;

    for (; part > 1 && levels < fmc_tx_default_levels(n); part /= 2)
        levels++;
    return levels;
}

/* The plan of a choice for a box; K and F axes that the box has only a part of get a DCT, which is the next best. */
fmc_tx_plan fmc_tx_plan_of(const fmc_tx_search *s, const fmc_tx_choice *c, const size_t *box, const size_t *dim,
                           fmc_tx_klt *klt)
{
    fmc_tx_plan p = { .rank = s->rank };

    for (uint32_t a = 0; a < s->rank; a++) {
        const int is_whole = box[a] == dim[a];

        p.dim[a] = box[a];
        p.kind[a] = c->kind[a];
        if (p.kind[a] == FMC_TX_DFT && !is_whole)
            p.kind[a] = FMC_TX_DCT;
        if (p.kind[a] == FMC_TX_KLT && !(is_whole && klt && klt[a].n == box[a]))
            p.kind[a] = FMC_TX_DCT;
        if (p.kind[a] == FMC_TX_DCT && !fmc_tx_is_possible(FMC_TX_DCT, box[a]))
            p.kind[a] = FMC_TX_DYADIC;
        if (p.kind[a] == FMC_TX_KLT)
            p.klt[a] = &klt[a];
        p.is_long[a] = (c->long_axes >> a & 1) && (p.kind[a] == FMC_TX_DYADIC || p.kind[a] == FMC_TX_PACKET);
        if (p.kind[a] == FMC_TX_DYADIC || p.kind[a] == FMC_TX_PACKET)
            p.levels[a] = is_whole ? fmc_tx_default_levels(box[a]) : crop_levels(dim[a], box[a]);
        if (p.kind[a] == FMC_TX_PACKET)
            p.levels[a] = (uint8_t)(p.levels[a] + c->extra_level);
    }
    return p;
}

/* Boxes of a plan's extents one after another: an axis more. */
static fmc_tx_plan stack_boxes(const fmc_tx_plan *p, size_t n_boxes)
{
    fmc_tx_plan all = { .rank = p->rank + 1, .dim = { n_boxes } };

    if (n_boxes == 1)
        return *p;
    for (uint32_t a = 0; a < p->rank; a++) {
        all.dim[a + 1] = p->dim[a];
        all.kind[a + 1] = p->kind[a];
        all.levels[a + 1] = p->levels[a];
        all.is_long[a + 1] = p->is_long[a];
        all.klt[a + 1] = p->klt[a];
    }
    return all;
}

/* The axes of a plan that have a W, and those that have another transform. */
uint32_t fmc_tx_axes_with(const fmc_tx_plan *p, int is_w)
{
    uint32_t mask = 0;

    for (uint32_t a = 0; a < p->rank; a++)
        if (p->kind[a] != FMC_TX_NONE && (p->kind[a] == FMC_TX_DYADIC) == is_w)
            mask |= 1u << a;
    return mask;
}

#define REAL float
#define NAME(x) x##_f32
#include "transform/select_judge_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/select_judge_real.h"
#undef REAL
#undef NAME
