/* SPDX-License-Identifier: Apache-2.0 */
/* From samples to a signal (docs/format.md 5). The way back is samples.c. */
#include "codec/lossy.h"

#include <math.h>
#include <string.h>

#include "array/fill.h"
#include "codec/payload.h"
#include "core/status.h"

void fmc_signal_of_block(const fmc_block *block, uint32_t work, fmc_signal *s)
{
    memset(s, 0, sizeof *s);
    s->dtype = work;
    s->count = 1;
    for (uint32_t a = 0; a < block->rank; a++) {
        s->count *= block->dim[a];
        if (block->dim[a] > 1)
            s->dim[s->rank++] = block->dim[a];
    }
    if (s->rank == 0)
        s->dim[s->rank++] = 1;
}

static void copy_axis_kinds(const fmc_block *block, const fmc_effort *effort, fmc_signal *s)
{
    uint32_t k = 0;

    for (uint32_t a = 0; a < block->rank; a++)
        if (block->dim[a] > 1)
            s->axis[k++] = effort->axis[a];
}

static uint32_t unlike_axes(const fmc_signal *s)
{
    uint32_t bits = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        bits |= (uint32_t)(s->axis[a] == FMC_AXIS_UNLIKE) << a;
    return bits;
}

/* Signals lie within +-2: a larger limit permits nothing more, but steps of many times it may overflow. */
static const double most_limit = 64;

/* Normalisation and target for absolute and mean-square goals. */
static fmc_status plain_target(fmc_lossy *l, uint32_t *work)
{
    const double width = fmc_span_width(&l->mask.coded);

    if (!(width > 0) || !isfinite(width))
        return FMC_ERR_UNSUPPORTED;
    l->norm = fmc_norm_choose(&l->mask.coded);
    l->target.kind = l->goal.kind;
    l->target.limit = fmin(l->goal.limit / fmc_norm_scale(&l->norm), most_limit);
    *work = fmc_norm_needs_f64(width, l->goal.limit) ? FMC_F64 : FMC_F32;
    return isnormal(l->target.limit) ? FMC_OK : FMC_ERR_UNSUPPORTED;
}

/* The same for a bound relative to each sample: the signal is a logarithm. */
static fmc_status log_target(const fmc_exec *ex, fmc_lossy *l, uint32_t *work)
{
    const fmc_log_bound bound = fmc_log_bound_make(l->goal.limit, l->block->dtype);
    fmc_span span;
    fmc_status st;

    if (!(bound.limit > 0))
        return FMC_ERR_UNSUPPORTED;
    FMC_TRY(fmc_log_span(ex, l->block->dtype, l->count, l->data, l->mask.state, bound.centre, &span));
    if (!(fmc_span_width(&span) > 0))
        return FMC_ERR_UNSUPPORTED;
    l->is_log = 1;
    l->centre = bound.centre;
    l->norm = fmc_norm_choose(&span);
    l->target.kind = FMC_BOUND_ABS;
    l->target.limit = fmin(bound.limit / fmc_norm_scale(&l->norm), most_limit);
    *work = fmc_norm_needs_f64(fmc_span_width(&span), bound.limit) ? FMC_F64 : FMC_F32;
done:
    return st;
}

static fmc_status order_mask(const fmc_exec *ex, fmc_lossy *l)
{
    fmc_status st = FMC_OK;

    l->masked = l->mask.state;
    if (!l->mask.state || fmc_axis_order_code(&l->order) == 0)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &l->moved));
    FMC_TRY(fmc_axis_order_move(ex, &l->order, &l->plain, 1, l->mask.state, l->moved, 0));
    l->masked = l->moved;
done:
    return st;
}

fmc_status fmc_lossy_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                          const fmc_effort *effort, fmc_lossy *l)
{
    const int relative = goal->kind == FMC_BOUND_PW_REL;
    uint32_t work = 0;
    fmc_status st;

    memset(l, 0, sizeof *l);
    l->block = block;
    l->data = data;
    l->goal = *goal;
    l->effort = effort;
    l->count = fmc_block_count(block);
    FMC_TRY(fmc_mask_find(ex, block->dtype, l->count, data, block->has_fill, block->fill_value,
                          relative ? FMC_MASK_ZEROS : FMC_MASK_OUTLIERS, &l->mask));
    if (l->mask.coded.n_valid == 0)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    l->max_abs = fmax(fabs(l->mask.coded.min), fabs(l->mask.coded.max));
    FMC_TRY(relative ? log_target(ex, l, &work) : plain_target(l, &work));
    fmc_signal_of_block(block, work, &l->plain);
    copy_axis_kinds(block, effort, &l->plain);
    l->order = fmc_axis_order_choose(&l->plain);
    l->signal = fmc_axis_order_apply(&l->order, &l->plain);
    FMC_TRY(order_mask(ex, l));
done:
    return st;
}

void fmc_lossy_fini(const fmc_exec *ex, fmc_lossy *l)
{
    fmc_mask_fini(ex, &l->mask);
    fmc_dealloc(ex->alloc, l->moved);
    fmc_tx_menu_fini(ex->alloc, &l->menu);
    fmc_dealloc(ex->alloc, l->predict_plan);
    fmc_dealloc(ex->alloc, l->filling);
    fmc_dealloc(ex->alloc, l->x);
    l->masked = l->moved = NULL;
    l->predict_plan = NULL;
    l->filling = l->x = NULL;
}

/* Fill masked samples, which takes long the first time. */
static fmc_status fill(const fmc_exec *ex, fmc_lossy *l)
{
    const fmc_signal *s = &l->plain;
    const uint8_t *state = l->mask.state;
    const size_t sample = fmc_signal_sample(s);
    fmc_status st;

    if (!state)
        return FMC_OK;
    if (l->filling) {
        fmc_fill_again(l->count, sample, state, l->filling, l->x);
        return FMC_OK;
    }
    FMC_TRY(s->dtype == FMC_F64 ? fmc_fill_f64(ex, s->rank, s->dim, unlike_axes(s), state, l->x)
                                : fmc_fill_f32(ex, s->rank, s->dim, unlike_axes(s), state, l->x));
    FMC_TRY(fmc_alloc(ex->alloc, l->mask.n_missing + l->mask.n_exact, sample, &l->filling));
    fmc_fill_keep(l->count, sample, state, l->x, l->filling);
done:
    return st;
}

static fmc_status make_signal(const fmc_exec *ex, fmc_lossy *l, int is_filled)
{
    const fmc_signal *s = &l->plain;
    const uint8_t *state = l->mask.state;
    fmc_status st;

    if (l->x)
        return FMC_OK;
    FMC_TRY(fmc_signal_alloc(ex, s, &l->x));
    if (l->is_log)
        FMC_TRY(fmc_log_forward(ex, &l->norm, l->centre, l->count, l->block->dtype, l->data, state, s->dtype, l->x));
    else
        FMC_TRY(fmc_norm_forward(ex, &l->norm, l->count, l->block->dtype, l->data, state, s->dtype, l->x));
    if (is_filled)
        FMC_TRY(fill(ex, l));
    FMC_TRY(fmc_axis_order_move_in(ex, &l->order, s, fmc_signal_sample(s), l->x, 0));
    if (l->base)
        FMC_TRY(fmc_base_subtract(ex, &l->signal, l->base, l->x));
done:
    if (st != FMC_OK) {
        fmc_dealloc(ex->alloc, l->x);
        l->x = NULL;
    }
    return st;
}

fmc_status fmc_lossy_make_signal(const fmc_exec *ex, fmc_lossy *l)
{
    return make_signal(ex, l, 1);
}

fmc_status fmc_lossy_make_blank(const fmc_exec *ex, fmc_lossy *l)
{
    const fmc_status st = make_signal(ex, l, 0);

    if (st == FMC_OK)
        fmc_signal_blank(&l->signal, l->masked, l->x);
    return st;
}
