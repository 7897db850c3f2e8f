/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/transform.h"

#include <string.h>
#include "core/status.h"
#include "transform/klt.h"
#include "transform/lifting.h"
#include "transform/spectral.h"

uint8_t fmc_tx_default_levels(size_t n)
{
    uint8_t levels = 0;

    for (size_t size = n / 8; size > 0 && levels < 6; size /= 2)
        levels++;
    return levels;
}

int fmc_tx_is_possible(uint32_t kind, size_t n)
{
    switch (kind) {
    case FMC_TX_NONE:
    case FMC_TX_DYADIC:
    case FMC_TX_PACKET:
        return n >= 1;
    case FMC_TX_DCT:
    case FMC_TX_DFT:
        return fmc_spectral_is_possible(n);
    case FMC_TX_KLT:
        return n >= 1 && n <= FMC_TX_MAX_KLT;
    default:
        return 0;
    }
}

int fmc_tx_is_valid(const fmc_tx_plan *plan)
{
    if (plan->rank < 1 || plan->rank > FMC_MAX_RANK)
        return 0;
    for (uint32_t a = 0; a < plan->rank; a++) {
        const uint8_t kind = plan->kind[a];
        const int has_levels = kind == FMC_TX_DYADIC || kind == FMC_TX_PACKET;

        if (plan->dim[a] < 1 || !fmc_tx_is_possible(kind, plan->dim[a]))
            return 0;
        if (plan->levels[a] > (has_levels ? FMC_TX_MAX_LEVELS : 0))
            return 0;
        if (plan->is_long[a] > has_levels)
            return 0;
        if (kind == FMC_TX_KLT && (!plan->klt[a] || plan->klt[a]->n != plan->dim[a]))
            return 0;
    }
    return fmc_tx_count_bands(plan) <= FMC_MAX_BANDS;
}

/* What `level` halvings leave of n samples: the low halves. */
static size_t size_at(size_t n, uint8_t level)
{
    for (; level > 0; level--)
        n = (n + 1) / 2;
    return n;
}

static uint8_t most_w_levels(const fmc_tx_plan *plan)
{
    uint8_t most = 0;

    for (uint32_t a = 0; a < plan->rank; a++)
        if (plan->kind[a] == FMC_TX_DYADIC && plan->levels[a] > most)
            most = plan->levels[a];
    return most;
}

/* The box that is halved at a level: low parts along the W axes, all of the others. */
static void w_box(const fmc_tx_plan *plan, uint8_t level, size_t *box)
{
    for (uint32_t a = 0; a < plan->rank; a++) {
        const uint8_t done = plan->levels[a] < level ? plan->levels[a] : level;

        box[a] = plan->kind[a] == FMC_TX_DYADIC ? size_at(plan->dim[a], done) : plan->dim[a];
    }
}

#define REAL float
#define NAME(x) x##_f32
#include "transform/separable_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/separable_real.h"
#undef REAL
#undef NAME
