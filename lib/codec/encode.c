/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk through the coders that promise most by estimate; the smallest payload wins (docs/format.md 5). */
#include <math.h>
#include <string.h>

#include "codec/codec.h"
#include "codec/coder.h"
#include "codec/grid_payload.h"
#include "codec/learned.h"
#include "codec/payload.h"
#include "core/pool.h"
#include "core/status.h"
#include "exact/exact.h"

/* Samples below which coding twice costs nothing that anybody notices, and from which a lossless size is estimated. */
#define SMALL_COUNT ((size_t)1 << 16)
#define ESTIMATE_COUNT ((size_t)1 << 15)

/* A slab of a grid learns less than the whole: correction of the estimate. */
static const double grid_bias = 0.93;

/* One chunk on its way. Estimated bytes are infinite for coders that are out of the question. */
typedef struct encoding {
    const fmc_exec   *ex;
    const fmc_block  *block;
    const void       *data;
    const fmc_goal   *goal;
    const fmc_effort *effort;
    const fmc_base   *base;      /* what the lossy coders need not code; NULL: none */
    fmc_lossy         lossy;
    fmc_grid_work     grid;
    fmc_quantised     transform; /* of the menu's first plan, if it is there */
    double            transform_bytes, interp_bytes, grid_bytes;
    fmc_candidate     best;
} encoding;

static void keep_smaller(encoding *e, fmc_candidate *c)
{
    fmc_candidate *best = &e->best;

    if (c->coder != FMC_CODER_AUTO && (best->coder == FMC_CODER_AUTO || c->payload.size < best->payload.size)) {
        fmc_candidate_fini(e->ex, best);
        *best = *c;
        *c = (fmc_candidate){ 0 };
    } else {
        fmc_candidate_fini(e->ex, c);
    }
}

static int may_use(const encoding *e, uint32_t coder)
{
    return e->effort->coder == FMC_CODER_AUTO || e->effort->coder == coder;
}

/* A coder that cannot reach the goal is no failure of the call. */
static fmc_status unless_unsupported(fmc_status st)
{
    return st == FMC_ERR_UNSUPPORTED ? FMC_OK : st;
}

static fmc_status finish_lossy(encoding *e, fmc_quantised *z)
{
    fmc_candidate c;
    const fmc_status st = fmc_lossy_finish(e->ex, &e->lossy, z, &c);

    if (st == FMC_OK)
        keep_smaller(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return unless_unsupported(st);
}

static fmc_status code_transform(encoding *e, size_t choice)
{
    fmc_quantised z;
    fmc_status st = fmc_transform_quantise(e->ex, &e->lossy, choice, HUGE_VAL, &z);

    if (st == FMC_OK)
        return finish_lossy(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return unless_unsupported(st);
}

static fmc_status code_interp(encoding *e)
{
    fmc_quantised z;
    fmc_status st = fmc_predict_quantise(e->ex, &e->lossy, &z);

    if (st == FMC_OK)
        return finish_lossy(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return unless_unsupported(st);
}

static fmc_status code_pca(encoding *e)
{
    fmc_quantised z;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, &e->lossy));
    e->lossy.base = e->base;
    st = fmc_pca_quantise(e->ex, &e->lossy, &z);
    if (st == FMC_OK)
        st = finish_lossy(e, &z);
    else
        fmc_quantised_fini(e->ex, &z);
done:
    fmc_lossy_fini(e->ex, &e->lossy);
    return unless_unsupported(st);
}

static fmc_status code_grid(encoding *e)
{
    fmc_candidate c;
    const fmc_status st = fmc_grid_finish(e->ex, &e->grid, e->effort->effort, &c);

    if (st == FMC_OK)
        keep_smaller(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return unless_unsupported(st);
}

static fmc_status code_exact(encoding *e)
{
    const fmc_block *b = e->block;
    fmc_candidate c = { .payload = fmc_out_make(e->ex->alloc) };
    fmc_status st;

    fmc_out_u8(&c.payload, FMC_CODER_EXACT);
    fmc_out_u32(&c.payload, fmc_block_hash(b, e->data));
    FMC_TRY(fmc_exact_encode(e->ex, b->dtype, b->rank, b->dim, e->data, e->effort->effort, &c.payload));
    FMC_TRY(c.payload.st);
    c.coder = FMC_CODER_EXACT;
done:
    if (st == FMC_OK)
        keep_smaller(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return st;
}

/* Bytes of lossless coding in proportion to a slab from the middle. */
static fmc_status estimate_exact(const encoding *e, double *bytes)
{
    const fmc_block *b = e->block;
    const size_t sample = b->dtype == FMC_F64 ? 8 : 4, all = fmc_block_count(b);
    fmc_out out = fmc_out_make(e->ex->alloc);
    size_t dim[FMC_MAX_RANK], count = all, first = 0;
    fmc_status st;

    memcpy(dim, b->dim, sizeof dim);
    for (uint32_t a = 0; a < b->rank && count > ESTIMATE_COUNT; a++) {
        const size_t inner = count / dim[a], wanted = ESTIMATE_COUNT / inner, steps = wanted < 1 ? 1 : wanted;

        first += (dim[a] - steps) / 2 * inner;
        dim[a] = steps;
        count = steps * inner;
    }
    FMC_TRY(fmc_exact_encode(e->ex, b->dtype, b->rank, dim, (const uint8_t *)e->data + first * sample, 1, &out));
    FMC_TRY(out.st);
    *bytes = (double)out.size * (double)all / (double)count;
done:
    fmc_out_fini(&out);
    return st;
}

/* Probes of prediction are not to be trusted there: the errors of decoded neighbours are nearly everything. */
static int needs_few_bits(const encoding *e)
{
    return 16 * e->interp_bytes < (double)fmc_block_count(e->block);
}

/* May a closer look at prediction change anything? */
static int is_undecided(const encoding *e)
{
    const double ratio = e->interp_bytes / fmin(e->transform_bytes, e->grid_bytes);

    if (fmc_block_count(e->block) <= SMALL_COUNT || e->effort->effort >= 9)
        return !(ratio > 1.4);
    return ratio < 1.12 && (ratio > 0.87 || needs_few_bits(e));
}

/* Bytes of the transform, still to be measured, that prediction is certain to undercut. */
static double most_worth(const encoding *e)
{
    if (e->effort->coder != FMC_CODER_AUTO || e->effort->effort >= 9 || needs_few_bits(e))
        return HUGE_VAL;
    return 1.4 * e->interp_bytes;
}

/* The first estimate of the transform leaves no doubt: what prediction promises is far above. */
static int is_transform_enough(const encoding *e)
{
    const double bytes = e->transform_bytes;

    return e->effort->effort < 9 && e->goal->kind == FMC_BOUND_NRMSE &&
           fmin(e->interp_bytes, e->grid_bytes) > (16 * bytes < (double)fmc_block_count(e->block) ? 2 : 1.4) * bytes;
}

/* Prediction looked at more closely, with the transform's arrays out of the way: they take as much memory as these. */
static fmc_status decide(encoding *e)
{
    fmc_quantised_fini(e->ex, &e->transform);
    return fmc_predict_estimate(e->ex, &e->lossy, &e->interp_bytes);
}

/* What the lossy coders would need; may leave the transform's first plan quantised. */
static fmc_status estimate_lossy(encoding *e)
{
    const int is_auto = e->effort->coder == FMC_CODER_AUTO, is_log = e->goal->kind == FMC_BOUND_PW_REL;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, &e->lossy));
    e->lossy.base = e->base;
    if (e->effort->coder == FMC_CODER_INTERP)
        e->interp_bytes = 0;
    if (is_auto)
        FMC_TRY(fmc_predict_probe(e->ex, &e->lossy, &e->interp_bytes));
    /* Under a relative bound the transform's failures would all go exact. */
    if (!may_use(e, FMC_CODER_TRANSFORM) || (is_auto && is_log) ||
        (e->effort->effort < 9 && e->grid_bytes < 0.6 * e->interp_bytes))
        goto done;
    FMC_TRY(fmc_lossy_make_signal(e->ex, &e->lossy));
    FMC_TRY(fmc_transform_choose(e->ex, &e->lossy));
    FMC_TRY(fmc_transform_quantise(e->ex, &e->lossy, 0, most_worth(e), &e->transform));
    e->transform_bytes = e->transform.bytes;
    if (!e->transform.q || is_transform_enough(e))
        goto done;
    FMC_TRY(fmc_lossy_estimate(e->ex, &e->lossy, &e->transform, &e->transform_bytes));
    if (is_auto && is_undecided(e))
        FMC_TRY(decide(e));
done:
    if (st == FMC_ERR_UNSUPPORTED)
        fmc_quantised_fini(e->ex, &e->transform);
    return unless_unsupported(st);
}

static fmc_status estimate_grid(encoding *e)
{
    fmc_status st;

    FMC_TRY(fmc_grid_prepare(e->ex, e->block, e->data, e->goal, &e->grid));
    if (e->grid.thinning)
        e->grid_bytes = grid_bias * e->grid.bytes;
done:
    return st;
}

static int deserves_coding(const fmc_tx_menu *menu, size_t i)
{
    return menu->bits[i] < 1.1 * menu->bits[0];
}

static int was_coded(const fmc_tx_plan *plan, const fmc_tx_menu *menu)
{
    for (size_t i = 0; i < menu->n; i++)
        if (deserves_coding(menu, i) && !memcmp(plan->kind, menu->plan[i].kind, sizeof plan->kind) &&
            !memcmp(plan->levels, menu->plan[i].levels, sizeof plan->levels))
            return 1;
    return 0;
}

/* What the default effort would have chosen: no estimate, however thorough, is right every time. */
static fmc_status code_default_choice(encoding *e)
{
    const fmc_effort normal = { .effort = 5 }, *own = e->lossy.effort;
    fmc_tx_menu menu = e->lossy.menu;
    fmc_status st;

    FMC_TRY(fmc_lossy_make_signal(e->ex, &e->lossy));
    e->lossy.effort = &normal;
    st = fmc_transform_choose(e->ex, &e->lossy);
    e->lossy.effort = own;
    if (st == FMC_OK && e->lossy.menu.n > 0 && !was_coded(&e->lossy.menu.plan[0], &menu))
        st = code_transform(e, 0);
    fmc_tx_menu_fini(e->ex->alloc, &e->lossy.menu);
    e->lossy.menu = menu;
done:
    return st;
}

/* Further plans of the menu, at the highest effort. */
static fmc_status code_menu(encoding *e)
{
    const fmc_tx_menu *menu = &e->lossy.menu;
    fmc_status st = FMC_OK;

    if (e->effort->effort < 9)
        return FMC_OK;
    for (size_t i = 1; i < menu->n; i++)
        if (deserves_coding(menu, i))
            FMC_TRY(code_transform(e, i));
    FMC_TRY(code_default_choice(e));
done:
    return st;
}

/* How much more than the best estimate a coder may promise to be tried as well. */
static double margin_of(const encoding *e)
{
    const uint32_t effort = e->effort->effort;

    if (effort <= 1)
        return 1;
    return effort >= 9 ? 1.25 : fmc_block_count(e->block) <= SMALL_COUNT ? 1.1 : 1.01;
}

/* Prediction failed, or took more than the transform would have by its estimate. */
static int broke_promise(const encoding *e)
{
    return e->best.coder == FMC_CODER_AUTO || (double)e->best.payload.size > 1.02 * e->transform_bytes;
}

/* Code what promises most, and whatever comes close to it. */
static fmc_status code_promising(encoding *e)
{
    const double most = margin_of(e) * fmin(fmin(e->transform_bytes, e->interp_bytes), e->grid_bytes);
    const int has_interp = e->interp_bytes < HUGE_VAL, has_grid = e->grid_bytes < HUGE_VAL;
    fmc_status st = FMC_OK;

    if (e->transform_bytes <= most && e->transform_bytes < HUGE_VAL) {
        FMC_TRY(e->transform.q ? finish_lossy(e, &e->transform) : code_transform(e, 0));
        FMC_TRY(code_menu(e));
    }
    fmc_quantised_fini(e->ex, &e->transform);
    if (has_interp && (e->interp_bytes <= most || (e->best.coder == FMC_CODER_AUTO && !has_grid)))
        FMC_TRY(code_interp(e));
    if (!(e->transform_bytes <= most) && e->lossy.menu.n > 0 && e->transform_bytes < HUGE_VAL && broke_promise(e))
        FMC_TRY(code_transform(e, 0));
    fmc_lossy_fini(e->ex, &e->lossy);
    if (has_grid && (e->grid_bytes <= most || e->best.coder == FMC_CODER_AUTO))
        FMC_TRY(code_grid(e));
done:
    return st;
}

/* The lossy coders over what a base leaves. */
static fmc_status code_above(encoding *e, const fmc_base *base)
{
    encoding r = { .ex = e->ex, .block = e->block, .data = e->data, .goal = e->goal, .effort = e->effort, .base = base,
                   .transform_bytes = HUGE_VAL, .interp_bytes = HUGE_VAL, .grid_bytes = HUGE_VAL };
    fmc_status st;

    if (e->effort->coder == FMC_CODER_PCA) {
        FMC_TRY(code_pca(&r));
    } else {
        FMC_TRY(estimate_lossy(&r));
        FMC_TRY(code_promising(&r));
    }
    keep_smaller(e, &r.best);
done:
    fmc_candidate_fini(e->ex, &r.best);
    fmc_quantised_fini(e->ex, &r.transform);
    fmc_lossy_fini(e->ex, &r.lossy);
    return st;
}

/* A prediction by the model at the levels whose error is near the goal: from the first that comes below `near` goals on. */
static fmc_status code_levels(encoding *e, const fmc_lossy *l, const fmc_learned *w)
{
    const uint32_t levels = w->model->n.levels, most = e->effort->effort >= 9 ? 3 : 1;
    const double goal = l->target.limit * (l->target.kind == FMC_BOUND_NRMSE ? 1 : 0.5);
    const double near = e->effort->effort >= 9 ? 2.5 : 1.3;
    uint32_t n = 0;
    fmc_status st = FMC_OK;

    for (uint32_t level = 0; level < levels && n < most; level++) {
        fmc_base base;
        double rmse;

        st = fmc_learned_predict(e->ex, w, l, level, &base, &rmse);
        if (st == FMC_OK && (rmse <= near * goal || level + 1 == levels)) {
            st = code_above(e, &base);
            n++;
        }
        fmc_base_fini(e->ex, &base);
        FMC_TRY(st);
    }
done:
    return st;
}

/* Where the classical payload takes this many bits a sample, a general model has nothing to add (docs/model.md). */
static const double cheap_bits = 0.25;

static int deserves_model(const encoding *e)
{
    const fmc_effort *effort = e->effort;

    if (!effort->model || e->goal->kind == FMC_BOUND_LOSSLESS)
        return 0;
    if (effort->learned == FMC_LEARNED_ALWAYS)
        return 1;
    if (effort->coder != FMC_CODER_AUTO || effort->effort < 5 || e->best.coder == FMC_CODER_AUTO)
        return 0;
    if (effort->learned == FMC_LEARNED_TRY)
        return 1;
    return effort->effort >= 9 && 8 * (double)e->best.payload.size < cheap_bits * (double)fmc_block_count(e->block);
}

/* Prediction by a model, and what it leaves. */
static fmc_status code_learned(encoding *e)
{
    fmc_lossy *l = &e->lossy;
    fmc_learned w = { 0 };
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, l));
    FMC_TRY(fmc_lossy_make_signal(e->ex, l));
    FMC_TRY(fmc_learned_init(e->ex, l, e->effort->model, &w));
    st = code_levels(e, l, &w);
done:
    fmc_learned_fini(e->ex, &w);
    fmc_lossy_fini(e->ex, l);
    return unless_unsupported(st);
}

/* Lossless coding competes where the payload is not much smaller than the data, and where it is larger anyway. */
static fmc_status maybe_code_exact(encoding *e)
{
    const double raw = (double)fmc_block_count(e->block) * (e->block->dtype == FMC_F64 ? 8 : 4);
    const double size = e->best.coder == FMC_CODER_AUTO ? HUGE_VAL : (double)e->best.payload.size;
    double bytes = 0;
    fmc_status st = FMC_OK;

    if (size <= raw && (size < raw / 4 || !may_use(e, FMC_CODER_EXACT)))
        return FMC_OK;
    if (size <= raw)
        FMC_TRY(estimate_exact(e, &bytes));
    if (bytes < 1.05 * size)
        FMC_TRY(code_exact(e));
done:
    return st;
}

/* Everything but models and exact samples. */
static fmc_status code_classical(encoding *e)
{
    const int is_lossless = e->goal->kind == FMC_BOUND_LOSSLESS;
    fmc_status st = FMC_OK;

    /* The lossless coder looks for grids by itself, block by block. */
    if (may_use(e, FMC_CODER_GRID) && (!is_lossless || e->effort->coder == FMC_CODER_GRID || e->effort->effort >= 9))
        FMC_TRY(estimate_grid(e));
    if (!is_lossless && (may_use(e, FMC_CODER_TRANSFORM) || may_use(e, FMC_CODER_INTERP)))
        FMC_TRY(estimate_lossy(e));
    if (e->effort->coder == FMC_CODER_PCA && !is_lossless)
        FMC_TRY(code_pca(e));
    st = code_promising(e);
done:
    return st;
}

static fmc_status encode(encoding *e)
{
    fmc_status st = FMC_OK;

    if (e->effort->learned != FMC_LEARNED_ALWAYS || e->goal->kind == FMC_BOUND_LOSSLESS)
        FMC_TRY(code_classical(e));
    if (deserves_model(e))
        FMC_TRY(code_learned(e));
    FMC_TRY(maybe_code_exact(e));
done:
    return st;
}

fmc_status fmc_chunk_encode(const fmc_exec *outer, const fmc_block *block, const void *data, const fmc_goal *goal,
                            const fmc_effort *effort, fmc_out *out)
{
    fmc_exec pooled = *outer, *ex = &pooled;
    encoding *e = NULL;
    fmc_pool pool;
    fmc_status st;

    fmc_pool_init(&pool, outer->alloc);
    pooled.alloc = &pool.base;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &e));
    *e = (encoding){ .ex = ex, .block = block, .data = data, .goal = goal, .effort = effort,
                     .transform_bytes = HUGE_VAL, .interp_bytes = HUGE_VAL, .grid_bytes = HUGE_VAL };
    FMC_TRY(encode(e));
    fmc_out_bytes(out, e->best.payload.data, e->best.payload.size);
    st = out->st;
done:
    if (e) {
        fmc_candidate_fini(ex, &e->best);
        fmc_quantised_fini(ex, &e->transform);
        fmc_grid_work_fini(ex, &e->grid);
        fmc_lossy_fini(ex, &e->lossy);
        fmc_dealloc(ex->alloc, e);
    }
    fmc_pool_fini(&pool);
    return st;
}
