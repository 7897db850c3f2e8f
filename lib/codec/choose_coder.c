/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the classical coders: their sizes are estimated, what promises most is coded (docs/format.md 5). */
#include <math.h>
#include <string.h>

#include "codec/coder.h"
#include "codec/encoding.h"
#include "codec/payload.h"
#include "core/status.h"

/* Samples below which coding twice costs nothing that anybody notices. */
#define SMALL_COUNT ((size_t)1 << 16)

enum { DETAIL_SIZE = 64, FEW_PLANS = 3 };

/* A slab of a grid learns less than the whole: correction of the estimate. */
static const double grid_bias = 0.93;

/*
 * Prediction that after a look promises so many times the bytes of another coder is not measured: it has lost. Only where the look
 * agrees with the probe, though: where they differ, both may be off by a fifth; and where few bits are needed, neither can be trusted.
 */
static const double far_off = 1.0, agreement = 0.02;

/* Rivals of the menu's first plan are looked for below so many bits a value by costs, cost at most so much more, and must save 1 %. */
static const double rival_bits = 1.5, rival_cost = 1.08, rival_gain = 0.99;
/* Above so many bits, one with more wavelets. */
static const double small_bits = 1 << 17;

/* Of estimates, as far as they fall short together. */
static const double common_bias = 1.08;

/* Effort 9 codes what is that close at steps of its own, or among the first at a common one. */
static const double deserving_bytes = 1.05, deserving_cost = 1.1;

/* Probes of prediction are not to be trusted there: the errors of decoded neighbours are nearly everything. */
static int needs_few_bits(const fmc_encoding *e)
{
    return 16 * e->interp_bytes < (double)fmc_block_count(e->block);
}

/*
 * What prediction must save to be chosen: a mean-square goal takes it several rounds, while the transform is quantised already.
 * Effort 1 pays for them only from 3 % on, and looks no closer.
 */
static double least_saving(const fmc_encoding *e)
{
    return e->effort->effort < 5 && e->goal->kind == FMC_BOUND_NRMSE && e->transform.q && !e->is_measured ? 0.95 : 1;
}

/* May a closer look at prediction change anything? */
static int is_undecided(const fmc_encoding *e)
{
    const double ratio = e->interp_bytes / fmin(e->transform_bytes, e->grid_bytes);

    if (fmc_block_count(e->block) <= SMALL_COUNT || e->effort->effort >= 9)
        return !(ratio > 1.4);
    return ratio < (least_saving(e) < 1 ? least_saving(e) : 1.12) && (ratio > 0.87 || needs_few_bits(e));
}

/* Bytes of the transform, still to be measured, that prediction is certain to undercut. */
static double most_worth(const fmc_encoding *e)
{
    if (e->effort->coder != FMC_CODER_AUTO || e->effort->effort >= 9 || needs_few_bits(e))
        return HUGE_VAL;
    return 1.15 * e->interp_bytes;
}

/* The first estimate of the transform leaves no doubt: what prediction promises is far above. */
static int is_transform_enough(const fmc_encoding *e)
{
    const double bytes = e->transform_bytes;

    return e->effort->effort < 9 && e->goal->kind == FMC_BOUND_NRMSE &&
           fmin(e->interp_bytes, e->grid_bytes) > (16 * bytes < (double)fmc_block_count(e->block) ? 2 : 1.4) * bytes;
}

/*
 * Prediction looked at more closely: at first beside the transform's arrays, which stay where that is enough, then with these out of
 * the way, since measuring takes as much memory. What was searched for is kept.
 */
static fmc_status decide(fmc_encoding *e)
{
    fmc_lossy *l = &e->lossy;
    fmc_status st;

    if (l->count > SMALL_COUNT && e->effort->effort < 9) {
        const int is_whole = fmc_predict_is_whole(l);
        const double probed = e->interp_bytes;

        FMC_TRY(fmc_predict_look(e->ex, l, &e->interp_bytes));
        fmc_dealloc(e->ex->alloc, l->x);
        l->x = NULL;
        if (!is_whole || (!needs_few_bits(e) && e->interp_bytes > far_off * fmin(e->transform_bytes, e->grid_bytes) &&
                          fabs(e->interp_bytes - probed) < agreement * probed))
            goto done;
    }
    e->is_measured = 1;
    l->settled = e->transform.quant;
    fmc_quantised_fini(e->ex, &e->transform);
    FMC_TRY(fmc_predict_estimate(e->ex, l, &e->interp_bytes));
done:
    return st;
}

static uint32_t wavelet_axes(const fmc_tx_plan *plan)
{
    uint32_t n = 0;

    for (uint32_t a = 0; a < plan->rank; a++)
        n += plan->kind[a] == FMC_TX_DYADIC;
    return n;
}

/*
 * The menu's order is by costs on samples of the array, at one step. Where few values are not 0 these differ from those of all of it by
 * more than plans do: the plan after the first that costs least there, each at its own step.
 */
static fmc_status find_rival(fmc_encoding *e, size_t *rival, double *bytes)
{
    const fmc_tx_menu *menu = &e->lossy.menu;
    fmc_status st = FMC_OK;

    *rival = 0;
    *bytes = HUGE_VAL;
    if (e->effort->effort >= 9 || menu->bits[0] > rival_bits * (double)e->lossy.count)
        return FMC_OK;
    for (size_t i = 1; i < menu->n; i++) {
        fmc_quantised z;

        if (menu->bits[i] > rival_cost * menu->bits[0] ||
            (menu->bits[0] > small_bits && wavelet_axes(&menu->plan[i]) <= wavelet_axes(&menu->plan[0])))
            continue;
        st = fmc_transform_quantise(e->ex, &e->lossy, i, 0, &z);
        if (z.bytes < *bytes) {
            *rival = i;
            *bytes = z.bytes;
        }
        fmc_quantised_fini(e->ex, &z);
        FMC_TRY(st);
    }
done:
    return st;
}

static void swap_plans(fmc_tx_menu *menu, size_t i)
{
    const fmc_tx_plan plan = menu->plan[0];

    menu->plan[0] = menu->plan[i];
    menu->plan[i] = plan;
}

/* The best plan, which becomes the menu's first, quantised. Costs do not know contexts: before a rival wins, both are quantised. */
static fmc_status quantise_best(fmc_encoding *e)
{
    fmc_lossy *l = &e->lossy;
    fmc_quantised *z = &e->transform;
    const double worth = most_worth(e);
    double bytes, first_bytes = HUGE_VAL, share;
    fmc_quantiser first = { 0 };
    size_t rival;
    fmc_status st;

    FMC_TRY(find_rival(e, &rival, &bytes));
    FMC_TRY(fmc_transform_quantise(e->ex, l, 0, worth, z));
    if (!(bytes < rival_gain * z->bytes))
        return FMC_OK;
    if (z->q) {
        FMC_TRY(fmc_lossy_estimate(e->ex, l, z, &share));
        first_bytes = z->closer_bytes;
        first = z->quant;
    }
    fmc_quantised_fini(e->ex, z);
    swap_plans(&l->menu, rival);
    FMC_TRY(fmc_transform_quantise(e->ex, l, 0, worth, z));
    if (!(first_bytes < HUGE_VAL))
        return FMC_OK;
    if (z->q)
        FMC_TRY(fmc_lossy_estimate(e->ex, l, z, &share));
    if (z->q && z->closer_bytes < first_bytes)
        return FMC_OK;
    fmc_quantised_fini(e->ex, z);
    swap_plans(&l->menu, rival);
    l->settled = first;
    FMC_TRY(fmc_transform_quantise(e->ex, l, 0, worth, z));
done:
    return st;
}

/* What the lossy coders would need; may leave the transform's first plan quantised. */
static fmc_status estimate_lossy(fmc_encoding *e)
{
    const int is_auto = e->effort->coder == FMC_CODER_AUTO;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, &e->lossy));
    e->lossy.base = e->base;
    e->is_measured = 0;
    if (e->effort->coder == FMC_CODER_INTERP)
        e->interp_bytes = 0;
    if (is_auto)
        FMC_TRY(fmc_predict_probe(e->ex, &e->lossy, &e->interp_bytes));
    if (!fmc_encoding_may_use(e, FMC_CODER_TRANSFORM) ||
        (e->effort->effort < 9 && e->grid_bytes < 0.6 * e->interp_bytes))
        goto done;
    FMC_TRY(fmc_lossy_make_signal(e->ex, &e->lossy));
    FMC_TRY(fmc_transform_choose(e->ex, &e->lossy));
    FMC_TRY(quantise_best(e));
    e->transform_bytes = e->transform.bytes;
    if (!e->transform.q || is_transform_enough(e))
        goto done;
    FMC_TRY(fmc_lossy_estimate(e->ex, &e->lossy, &e->transform, NULL));
    e->transform_bytes = e->transform.closer_bytes;
    if (is_auto && is_undecided(e))
        FMC_TRY(decide(e));
done:
    if (st == FMC_ERR_UNSUPPORTED)
        fmc_quantised_fini(e->ex, &e->transform);
    return fmc_unless_unsupported(st);
}

static fmc_status estimate_grid(fmc_encoding *e)
{
    fmc_status st;

    FMC_TRY(fmc_grid_prepare(e->ex, e->block, e->data, e->goal, &e->grid));
    if (e->grid.thinning)
        e->grid_bytes = grid_bias * e->grid.bytes;
done:
    return st;
}

static int was_coded(const fmc_tx_plan *plan, const fmc_tx_menu *menu, uint32_t coded)
{
    for (size_t i = 0; i < menu->n; i++)
        if ((coded >> i & 1) && !memcmp(plan->kind, menu->plan[i].kind, sizeof plan->kind) &&
            !memcmp(plan->levels, menu->plan[i].levels, sizeof plan->levels))
            return 1;
    return 0;
}

/* What the default effort would have chosen: no estimate, however thorough, is right every time. */
static fmc_status code_default_choice(fmc_encoding *e, uint32_t coded)
{
    const fmc_effort normal = { .effort = 5 }, *own = e->lossy.effort;
    fmc_tx_menu menu = e->lossy.menu;
    fmc_status st;

    FMC_TRY(fmc_lossy_make_signal(e->ex, &e->lossy));
    e->lossy.effort = &normal;
    st = fmc_transform_choose(e->ex, &e->lossy);
    e->lossy.effort = own;
    if (st == FMC_OK && e->lossy.menu.n > 0 && !was_coded(&e->lossy.menu.plan[0], &menu, coded))
        st = fmc_encoding_transform(e, 0);
    if (st == FMC_OK)
        st = fmc_encoding_trellis(e);
    fmc_tx_menu_fini(e->ex->alloc, &e->lossy.menu);
    e->lossy.menu = menu;
done:
    return st;
}

/* Further plans of the menu that deserve it, by costs at their own steps or at a common one: a mask, the first is there already. */
static fmc_status find_deserving(fmc_encoding *e, uint32_t *mask)
{
    const fmc_tx_menu *menu = &e->lossy.menu;
    double bytes[FMC_TX_MENU_MAX], least = HUGE_VAL;
    fmc_status st = FMC_OK;

    *mask = 1;
    for (size_t i = 0; i < menu->n; i++) {
        fmc_quantised z;

        st = fmc_transform_quantise(e->ex, &e->lossy, i, 0, &z);
        bytes[i] = z.bytes;
        fmc_quantised_fini(e->ex, &z);
        FMC_TRY(st);
        least = fmin(least, bytes[i]);
    }
    for (size_t i = 1; i < menu->n; i++)
        if (bytes[i] < deserving_bytes * least || (i < FEW_PLANS && menu->bits[i] < deserving_cost * menu->bits[0]))
            *mask |= 1u << i;
done:
    return st;
}

/* Further plans of the menu, at the highest effort. */
static fmc_status code_menu(fmc_encoding *e)
{
    uint32_t mask;
    fmc_status st;

    if (e->effort->effort < 9)
        return FMC_OK;
    FMC_TRY(find_deserving(e, &mask));
    for (size_t i = 1; i < e->lossy.menu.n; i++)
        if (mask >> i & 1)
            FMC_TRY(fmc_encoding_transform(e, i));
    FMC_TRY(fmc_encoding_trellis(e));
    FMC_TRY(code_default_choice(e, mask));
done:
    return st;
}

/* The same of prediction: the plan, of which all but the weights is told by its description. */
static fmc_status code_default_plan(fmc_encoding *e)
{
    const fmc_effort normal = { .effort = 5 }, *own = e->lossy.effort;
    char coded[DETAIL_SIZE] = "", plan[DETAIL_SIZE] = "";
    fmc_status st;

    if (e->effort->effort < 9 || !e->lossy.predict_plan)
        return FMC_OK;
    fmc_interp_describe(e->lossy.predict_plan, coded, sizeof coded);
    e->lossy.effort = &normal;
    st = fmc_predict_choose(e->ex, &e->lossy);
    e->lossy.effort = own;
    if (st != FMC_OK)
        return fmc_unless_unsupported(st);
    fmc_interp_describe(e->lossy.predict_plan, plan, sizeof plan);
    return strcmp(coded, plan) ? fmc_encoding_interp(e) : FMC_OK;
}

/* How much more than the best estimate a coder may promise to be tried as well. */
static double margin_of(const fmc_encoding *e)
{
    const uint32_t effort = e->effort->effort;

    if (effort <= 1)
        return 1;
    return effort >= 9 ? 1.25 : fmc_block_count(e->block) <= SMALL_COUNT ? 1.1 : 1;
}

/* Bytes that estimates do not see: no share of a tiny stream. */
static double slack_of(const fmc_encoding *e)
{
    const uint32_t effort = e->effort->effort;

    return effort <= 1 ? 0 : effort >= 9 ? 512 : 64;
}

/*
 * What promised `own` bytes failed, or took more than another coder would have by its estimate. Where values are many and noisy both
 * promise too little, about alike; what breaks a pointwise bound, or was hardly looked at, does not tell of the other.
 */
static int broke_promise(const fmc_encoding *e, double own, double other)
{
    const double size = (double)e->best.payload.size;
    const int is_alike = e->goal->kind == FMC_BOUND_NRMSE && (e->is_measured || e->best.coder == FMC_CODER_TRANSFORM);
    const double bias = is_alike ? fmin(common_bias, fmax(1, size / own)) : 1;

    return e->best.coder == FMC_CODER_AUTO || size > 1.02 * other * bias;
}

/* The same of a pointwise bound, where prediction takes one round. */
static int broke_bound(const fmc_encoding *e, double other)
{
    return e->goal->kind != FMC_BOUND_NRMSE && e->best.coder != FMC_CODER_AUTO && broke_promise(e, e->transform_bytes, other);
}

/* Code what promises most, and whatever comes close to it. */
static fmc_status code_promising(fmc_encoding *e)
{
    const double interp = e->interp_bytes / least_saving(e);
    const double most = margin_of(e) * fmin(fmin(e->transform_bytes, interp), e->grid_bytes) + slack_of(e);
    const int has_interp = e->interp_bytes < HUGE_VAL, has_grid = e->grid_bytes < HUGE_VAL;
    fmc_mask mask = { 0 };
    fmc_status st = FMC_OK;

    if (e->transform_bytes <= most && e->transform_bytes < HUGE_VAL) {
        e->choice = 0;
        FMC_TRY(e->transform.q ? fmc_encoding_finish(e, &e->transform) : fmc_encoding_transform(e, 0));
        FMC_TRY(code_menu(e));
    }
    fmc_quantised_fini(e->ex, &e->transform);
    if (has_interp && (interp <= most || broke_bound(e, interp) || (e->best.coder == FMC_CODER_AUTO && !has_grid))) {
        FMC_TRY(fmc_encoding_interp(e));
        FMC_TRY(code_default_plan(e));
    }
    if (!(e->transform_bytes <= most) && e->lossy.menu.n > 0 && e->transform_bytes < HUGE_VAL &&
        broke_promise(e, interp, e->transform_bytes))
        FMC_TRY(fmc_encoding_transform(e, 0));
    mask = e->lossy.mask;
    e->lossy.mask = (fmc_mask){ 0 };
    fmc_lossy_fini(e->ex, &e->lossy);
    if (has_grid && (e->grid_bytes <= most || broke_promise(e, fmin(e->transform_bytes, interp), e->grid_bytes)))
        FMC_TRY(fmc_encoding_grid(e));
    FMC_TRY(fmc_encoding_lay(e, &mask));
done:
    fmc_mask_fini(e->ex, &mask);
    return st;
}

/* Everything but models and exact samples. */
fmc_status fmc_encoding_classical(fmc_encoding *e)
{
    const int is_lossless = e->goal->kind == FMC_BOUND_LOSSLESS;
    fmc_status st = FMC_OK;

    /* The lossless coder looks for grids by itself, block by block. */
    if (fmc_encoding_may_use(e, FMC_CODER_GRID) &&
        (!is_lossless || e->effort->coder == FMC_CODER_GRID || e->effort->effort >= 9))
        FMC_TRY(estimate_grid(e));
    if (!is_lossless && (fmc_encoding_may_use(e, FMC_CODER_TRANSFORM) || fmc_encoding_may_use(e, FMC_CODER_INTERP)))
        FMC_TRY(estimate_lossy(e));
    if (e->effort->coder == FMC_CODER_PCA && !is_lossless)
        FMC_TRY(fmc_encoding_pca(e));
    st = code_promising(e);
done:
    return st;
}

fmc_status fmc_encoding_lossy(fmc_encoding *e)
{
    fmc_status st;

    if (e->effort->coder == FMC_CODER_PCA)
        return fmc_encoding_pca(e);
    FMC_TRY(estimate_lossy(e));
    FMC_TRY(code_promising(e));
done:
    return st;
}
