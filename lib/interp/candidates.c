/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/candidates.h"

#include <string.h>

enum { RANK = FMC_MAX_RANK };

static fmc_interp_plan *add(uint32_t rank, const size_t *dim, uint32_t unlike, uint32_t predictor, fmc_candidates *list)
{
    fmc_interp_plan *plan = &list->plan[list->n < FMC_INTERP_CANDIDATES ? list->n : FMC_INTERP_CANDIDATES - 1];

    fmc_interp_plan_init(plan, rank, dim, unlike);
    plan->predictor = predictor;
    if (fmc_interp_is_possible(plan, predictor) && list->n < FMC_INTERP_CANDIDATES)
        list->n++;
    return plan;
}

/* The i-th permutation of n axes. */
static void permute(uint8_t *order, uint32_t n, uint32_t i)
{
    for (uint32_t k = 0; k + 1 < n; k++) {
        const uint32_t j = k + i % (n - k);
        const uint8_t chosen = order[j];

        i /= n - k;
        memmove(order + k + 1, order + k, j - k);
        order[k] = chosen;
    }
}

static void add_orders(uint32_t rank, const size_t *dim, uint32_t unlike, uint32_t most, fmc_candidates *list)
{
    const uint32_t first = list->n;
    fmc_interp_plan *plan = add(rank, dim, unlike, FMC_PREDICT_PYRAMID, list);
    uint32_t n = 1;

    for (uint32_t k = 2; k <= plan->n_order; k++)
        n *= k;
    if (n >= 2 && most >= 2) { /* the reverse first: it differs most */
        plan = add(rank, dim, unlike, FMC_PREDICT_PYRAMID, list);
        for (uint32_t k = 0; k < plan->n_order; k++)
            plan->order[k] = list->plan[first].order[plan->n_order - 1 - k];
    }
    for (uint32_t i = 1; i < n && i + 1 < most; i++) {
        plan = add(rank, dim, unlike, FMC_PREDICT_PYRAMID, list);
        permute(plan->order, plan->n_order, i);
    }
}

void fmc_candidates_make(uint32_t rank, const size_t *dim, uint32_t unlike, uint32_t effort, fmc_candidates *list)
{
    list->n = 0;
    add_orders(rank, dim, unlike, effort <= 1 ? 1 : effort < 9 ? 2 : 6, list);
    add(rank, dim, unlike, FMC_PREDICT_CAUSAL, list);
    if (effort > 1) {
        add(rank, dim, unlike, FMC_PREDICT_LORENZO1, list);
        add(rank, dim, unlike, FMC_PREDICT_LORENZO2, list);
    }
    for (uint32_t a = 0; a < rank; a++)
        if (rank > 1 && dim[a] > 1 && !(unlike >> a & 1) && (a == 0 || rank == 2 || dim[a] <= 4 || effort >= 9)) {
            add(rank, dim, unlike | 1u << a, FMC_PREDICT_PYRAMID, list);
            add(rank, dim, unlike | 1u << a, FMC_PREDICT_CAUSAL, list);
        }
}

void fmc_candidates_keep(uint32_t keep, double far, fmc_candidates *list)
{
    for (uint32_t i = 0; i < keep && i < list->n; i++) {
        uint32_t best = i;

        for (uint32_t j = i + 1; j < list->n; j++)
            if (list->plan[j].bits < list->plan[best].bits)
                best = j;
        list->trial = list->plan[best];
        memmove(&list->plan[i + 1], &list->plan[i], (best - i) * sizeof list->trial); /* equals stay in order */
        list->plan[i] = list->trial;
    }
    if (list->n > keep)
        list->n = keep;
    while (list->n > 1 && !(list->plan[list->n - 1].bits < far * list->plan[0].bits))
        list->n--;
}

const fmc_stage *fmc_stages_of(uint32_t effort)
{
    static const fmc_stage quick[] = { { 1 << 15, 3000, 1 }, { 0, 0, 0 } };
    static const fmc_stage normal[] = { { 1 << 15, 6000, 2 }, { 1 << 17, 20000, 1 }, { 0, 0, 0 } };
    static const fmc_stage thorough[] = { { 1 << 17, 20000, 3 }, { 1 << 19, 80000, 1 }, { 0, 0, 0 } };

    return effort <= 1 ? quick : effort < 9 ? normal : thorough;
}

size_t fmc_final_targets(uint32_t effort)
{
    return effort <= 1 ? 16000 : effort < 9 ? 48000 : 160000;
}

/* Halve the longest axis until at most `most` samples are left. */
static void shrink(size_t *dim, size_t most)
{
    while (fmc_interp_count(dim) > most) {
        unsigned longest = 0;

        for (unsigned a = 1; a < RANK; a++)
            if (dim[a] > dim[longest])
                longest = a;
        dim[longest] = (dim[longest] + 1) / 2;
    }
}

void fmc_trial_plan(const size_t *whole, size_t samples, fmc_trial_layout *layout)
{
    memcpy(layout->dim, whole, sizeof layout->dim);
    layout->n = 1;
    if (fmc_interp_count(whole) <= samples)
        return;
    if (whole[0] == 1)
        layout->n = 4;
    shrink(layout->dim, samples / layout->n);
}

void fmc_trial_stack(const fmc_trial_layout *layout, fmc_interp_plan *plan)
{
    memcpy(plan->dim, layout->dim, sizeof plan->dim);
    plan->levels = fmc_interp_default_levels(plan);
    if (layout->n > 1) {
        const uint32_t axis = plan->rank < RANK ? RANK - 1 - plan->rank : 0;

        plan->dim[axis] = layout->n;
        plan->unlike |= 1u << axis;
    }
}

size_t fmc_block_origin(size_t room, unsigned axis, uint32_t b, uint32_t n)
{
    /* Latin-square spread: each axis visits all n places in another order */
    const uint32_t place = n == 4 ? (b * (axis & 1 ? 1 : 3) + (axis >> 1)) % n : b;

    return n == 1 ? room / 2 : room * place / (n - 1);
}
