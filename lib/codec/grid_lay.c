/* SPDX-License-Identifier: Apache-2.0 */
/* Samples put on a grid as coarse as the goal allows, whatever they lie on: uniform quantisation. */
#include <float.h>
#include <math.h>

#include "array/mask.h"
#include "codec/grid_payload.h"
#include "codec/payload.h"
#include "core/status.h"
#include "grid/grid.h"
#include "grid/grid_fit.h"

/* Fewer samples tell nothing. Integers thinned by 1 would say that samples are exact: the grid is finer than what is coded. */
enum { LEAST_COUNT = 64, LAID_THINNING = 3 };

/* Integers beyond this are no use. */
static const double most_integer = 0x1p28;

/* Errors below so many steps of the values' own grid leave no coarser one. */
static const double least_error = 0.45;

/* Samples up to which coding takes no longer than an estimate. */
#define SMALL_COUNT ((size_t)1 << 15)

/* Samples from which the error of a step is guessed, and how often the guess is improved. */
#define GUESS_COUNT ((size_t)1 << 15)
enum { GUESSES = 4 };

static double sample_at(const fmc_grid_work *w, size_t i)
{
    return w->block->dtype == FMC_F64 ? ((const double *)w->data)[i] : (double)((const float *)w->data)[i];
}

/* What evaluating the grid's expression may add to an error. */
static double slack_of(const fmc_grid_work *w)
{
    const double size = fmax(fabs(w->mask.coded.min), fabs(w->mask.coded.max));

    return size * (w->block->dtype == FMC_F64 ? 4 * DBL_EPSILON : 0.5 * FLT_EPSILON + 4 * DBL_EPSILON);
}

/* Scale of a grid whose thinned steps are at most `step`: an f32 where that is fine enough. */
static double scale_for(double step)
{
    const double s = step / LAID_THINNING;
    const float f = (float)s;

    if (!(s > FLT_MIN) || !(s < FLT_MAX))
        return s;
    return (double)f <= s ? (double)f : (double)nextafterf(f, 0);
}

/* Root mean square of what a step takes, from samples all over the array. */
static double error_of(const fmc_grid_work *w, double step)
{
    const size_t stride = w->count / GUESS_COUNT | 1;
    double sum = 0, n = 0;

    for (size_t i = 0; i < w->count; i += stride) {
        double d;

        if (w->mask.state && w->mask.state[i])
            continue;
        d = (sample_at(w, i) - *w->grid.offset) / step;
        d = (d - floor(d + 0.5)) * step;
        sum += d * d;
        n++;
    }
    return n > 0 ? sqrt(sum / n) : 0;
}

/* The step whose error is just the limit. */
static double step_for_rmse(const fmc_grid_work *w)
{
    double step = sqrt(12) * w->goal->limit;

    for (int i = 0; i < GUESSES; i++) {
        const double e = error_of(w, step);

        if (!(e > 0))
            break;
        step *= fmin(2, fmax(0.5, 0.9985 * w->goal->limit / e));
    }
    return step;
}

/* Integers of the extremes, where the step allows any. */
static int find_integers(fmc_grid_work *w)
{
    fmc_grid *g = &w->grid;
    const fmc_span *s = &w->mask.coded;

    if (!isnormal(*g->scale) || !(fmax(fabs(s->min - *g->offset), fabs(s->max - *g->offset)) < most_integer * *g->scale))
        return 0;
    return fmc_fit_integer(g->kind, *g->scale, *g->offset, s->min, &g->k_min) &&
           fmc_fit_integer(g->kind, *g->scale, *g->offset, s->max, &g->k_max);
}

/* About what the integers take. */
static fmc_status guess_bytes(const fmc_exec *ex, fmc_grid_work *w)
{
    const fmc_grid_trial trial = { FMC_GRID_MAX_PARTS, true };
    double step = LAID_THINNING * *w->grid.scale;
    fmc_grid coarse = w->grid;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, w->count, &w->k));
    coarse.scale = &step;
    FMC_TRY(fmc_grid_to_ints(ex, &coarse, w->shape.rank, w->shape.dim, w->data, w->mask.state, 0, w->count, w->k));
    FMC_TRY(fmc_grid_estimate(ex, NULL, w->shape.rank, w->shape.dim, w->k, w->mask.state, &trial, &w->bytes));
done:
    fmc_dealloc(ex->alloc, w->k);
    w->k = NULL;
    return st;
}

/* For an absolute bound: as many steps of the values' own grid as it allows; an even number is halved between two of them. */
static int set_by_own(const fmc_grid *own, fmc_grid_work *w)
{
    const double step = fmc_grid_step(own, 0), n = floor(2 * (w->goal->limit - slack_of(w)) / step) + 1;

    *w->grid.scale = n * step / LAID_THINNING;
    *w->grid.offset = *own->offset + (fmod(n, 2) > 0 ? 0 : step / 2);
    return n > FMC_GRID_MAX_THINNING || (n >= 2 && fmod(n, 2) == 0);
}

/* Scale and offset. @return 0 if there is nothing that thinning the values' own grid does not do as well. */
static int set_grid(const fmc_grid *own, fmc_grid_work *w)
{
    const fmc_span *s = &w->mask.coded;
    const fmc_goal *goal = w->goal;

    *w->grid.offset = s->min > 0 || s->max < 0 ? s->min : 0;
    if (goal->kind == FMC_BOUND_NRMSE) {
        *w->grid.scale = scale_for(step_for_rmse(w));
        return !own || goal->limit > least_error * fmc_grid_step(own, 0);
    }
    if (own && own->n_slices == 1)
        return set_by_own(own, w);
    *w->grid.scale = scale_for(2 * (goal->limit - slack_of(w)));
    return !own || 2 * goal->limit > fmc_grid_step(own, 0);
}

fmc_status fmc_grid_lay(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal, fmc_mask *mask,
                        const fmc_grid *own, fmc_grid_work *w)
{
    fmc_grid *g = &w->grid;
    fmc_status st = FMC_OK;

    *w = (fmc_grid_work){ .block = block, .goal = goal, .data = data, .count = fmc_block_count(block) };
    fmc_signal_of_block(block, block->dtype, &w->shape);
    if (w->count < LEAST_COUNT || (goal->kind != FMC_BOUND_ABS && goal->kind != FMC_BOUND_NRMSE))
        return FMC_OK;
    if (mask->coded.n_valid == 0 && !mask->state)
        FMC_TRY(fmc_mask_find(ex, block->dtype, w->count, data, block->has_fill, block->fill_value, FMC_MASK_OUTLIERS, mask));
    w->mask = *mask;
    *mask = (fmc_mask){ 0 };
    if (w->mask.coded.n_valid == 0)
        goto done;
    *g = (fmc_grid){ .alloc = ex->alloc, .dtype = block->dtype, .kind = FMC_GRID_MUL, .n_slices = 1 };
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &g->scale));
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &g->offset));
    if (!set_grid(own, w) || !find_integers(w))
        goto done;
    w->thinning = LAID_THINNING;
    w->is_laid = 1;
    if (w->count > SMALL_COUNT)
        FMC_TRY(guess_bytes(ex, w));
done:
    return st;
}

int fmc_grid_lay_finer(fmc_grid_work *w, double part)
{
    *w->grid.scale = scale_for(part * LAID_THINNING * *w->grid.scale);
    return find_integers(w);
}
