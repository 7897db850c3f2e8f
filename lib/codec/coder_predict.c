/* SPDX-License-Identifier: Apache-2.0 */
/* Closed-loop prediction and quantisation (docs/format.md 5.1, 7). */
#include <math.h>
#include <string.h>

#include "bound/check.h"
#include "codec/coder.h"
#include "codec/estimate.h"
#include "codec/samples.h"
#include "coef/coef.h"
#include "coef/prior.h"
#include "core/status.h"

enum { MAX_ROUNDS = 8 };

/* Samples up to which plans are compared by coding, and from which a size is never measured on all of them. */
#define SMALL_COUNT ((size_t)1 << 16)
#define WHOLE_COUNT ((size_t)1 << 21)

/* Bits a sample below which a probe says little. */
#define LOW_RATE 2.5

/* f32 work: what rounding of |y| <= 1.5 may add to an error. */
static const double f32_slack = 1.8e-7;
static const double f64_slack = 4e-16;

static fmc_status plan_alloc(const fmc_exec *ex, fmc_interp_plan **plan)
{
    return fmc_alloc(ex->alloc, 1, fmc_interp_plan_size(), (void **)plan);
}

/*
 * A mean-square goal's first step, parts of the one whose uniform error is just the limit: that one misses it half of the time, by
 * up to 0.16 %, and each round codes everything.
 */
static const double first_aim = 0.9975;

/* The largest error that a coder should allow itself, before any search. */
static double first_bound(const fmc_lossy *l)
{
    const double slack = l->signal.dtype == FMC_F64 ? f64_slack : f32_slack, limit = l->target.limit;

    if (l->target.kind == FMC_BOUND_NRMSE)
        return first_aim * 1.7320508 * limit;
    return limit > 2 * slack ? limit - slack : limit / 2;
}

/* Where to begin. */
static double first_step(const fmc_lossy *l)
{
    return fmc_quantise_round_step(l->predict_step > 0 ? l->predict_step : 2 * first_bound(l));
}

/* A plan with final weights. The fewest samples and the highest effort deserve a tournament of coded blocks. */
static fmc_status settle_plan(const fmc_exec *ex, fmc_lossy *l)
{
    const uint32_t effort = l->effort->effort;
    double bytes, bound;
    fmc_status st = FMC_OK;

    if (!l->predict_plan)
        FMC_TRY(fmc_predict_probe(ex, l, &bytes));
    bound = first_step(l) / 2;
    if (effort < 9 && l->count > SMALL_COUNT)
        return fmc_signal_predict_fit(ex, &l->signal, l->x, l->masked, bound, effort, l->predict_plan);
    if (!fmc_interp_is_fitted(l->predict_plan))
        FMC_TRY(fmc_signal_predict_choose(ex, &l->signal, l->x, l->masked, bound, effort, l->predict_plan));
done:
    return st;
}

fmc_status fmc_predict_choose(const fmc_exec *ex, fmc_lossy *l)
{
    fmc_status st;

    fmc_dealloc(ex->alloc, l->predict_plan);
    l->predict_plan = NULL;
    l->predict_step = 0;
    FMC_TRY(fmc_lossy_make_signal(ex, l));
    FMC_TRY(settle_plan(ex, l));
done:
    return st;
}

/* Code with a step; *ratio: the error in units of the limit, *bits: estimated size. */
static fmc_status try_step(const fmc_exec *ex, fmc_lossy *l, double step, fmc_quantised *z, double *ratio, double *bits)
{
    fmc_status st;

    FMC_TRY(fmc_lossy_make_blank(ex, l));
    fmc_samples_drop(ex, z);
    fmc_dealloc(ex->alloc, z->recon);
    z->recon = l->x;
    l->x = NULL;
    FMC_TRY(fmc_signal_predict_encode(ex, &l->signal, l->predict_plan, z->recon, step, z->q, z->recon));
    FMC_TRY(fmc_samples_make(ex, l, z, ratio));
    FMC_TRY(fmc_estimate_bits(ex, z->band, z->n_bands, z->q, 0, bits));
done:
    return st;
}

/*
 * Closed loop: the error of a step is only known after coding with it. Many zeros make it smaller than uniform, and on
 * simple data it jumps from step to step, the size too: of the steps that keep the limit the cheapest is taken.
 */
static fmc_status quantise_to_rmse(const fmc_exec *ex, fmc_lossy *l, double *step, fmc_quantised *z)
{
    double keeps = 0, breaks = HUGE_VAL, best = 0, least = HUGE_VAL, ratio, bits;
    fmc_status st;

    for (int i = 0;; i++) {
        *step = fmc_quantise_round_step(*step);
        FMC_TRY(try_step(ex, l, *step, z, &ratio, &bits));
        if (ratio <= 1) {
            keeps = fmax(keeps, *step);
            best = bits < least ? *step : best;
            least = fmin(bits, least);
        } else {
            breaks = fmin(breaks, *step);
        }
        if (best > 0 && (i >= MAX_ROUNDS || (ratio <= 1 && (ratio > (i < 3 ? 0.985 : 0.97) || !(ratio > 0)))))
            break;
        if (i >= 2 * MAX_ROUNDS)
            return FMC_ERR_UNSUPPORTED;
        *step *= i < 5 ? fmin(4, fmax(0.25, pow(0.996 / ratio, 1.1))) : ratio > 1 ? 0.8 : 1.1;
        if ((*step >= breaks || *step < keeps) && keeps > 0 && breaks < HUGE_VAL)
            *step = sqrt(keeps * breaks);
    }
    if (best != *step)
        FMC_TRY(try_step(ex, l, best, z, &ratio, &bits));
    *step = best;
done:
    return st;
}

fmc_status fmc_predict_quantise(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z)
{
    double step;
    fmc_status st;

    memset(z, 0, sizeof *z);
    z->coder = FMC_CODER_INTERP;
    z->tier = fmc_coder_tier(l->effort->effort);
    z->head = fmc_out_make(ex->alloc);
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &z->band));
    FMC_TRY(fmc_lossy_make_signal(ex, l));
    FMC_TRY(settle_plan(ex, l));
    step = first_step(l);
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &z->q));
    z->n_bands = fmc_interp_bands(l->predict_plan, z->band);
    if (l->target.kind == FMC_BOUND_NRMSE) {
        FMC_TRY(quantise_to_rmse(ex, l, &step, z));
    } else {
        FMC_TRY(fmc_lossy_make_blank(ex, l));
        z->recon = l->x;
        l->x = NULL;
        FMC_TRY(fmc_signal_predict_encode(ex, &l->signal, l->predict_plan, z->recon, step, z->q, z->recon));
    }
    fmc_out_u8(&z->head, (uint8_t)z->tier);
    FMC_TRY(fmc_step_write(step, &z->head));
    fmc_interp_plan_write(l->predict_plan, &z->head);
    st = z->head.st;
done:
    return st;
}

/*
 * Bits of the whole signal, which is used up; the plan is kept for the coder. A mean-square target is approached until
 * what is left can be allowed for: half a bit a sample and octave at most, in proportion where most samples are zero.
 */
static fmc_status measure_whole(const fmc_exec *ex, fmc_lossy *l, double *bits)
{
    const int is_mean_square = l->target.kind == FMC_BOUND_NRMSE;
    fmc_quantised z = { 0 };
    double ratio, here, step;
    int is_near;
    fmc_status st;

    *bits = HUGE_VAL;
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &z.band));
    FMC_TRY(fmc_lossy_make_signal(ex, l));
    FMC_TRY(settle_plan(ex, l));
    step = first_step(l);
    z.n_bands = fmc_interp_bands(l->predict_plan, z.band);
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &z.q));
    for (int i = 0;; i++) {
        FMC_TRY(try_step(ex, l, step, &z, &ratio, &here));
        ratio = is_mean_square ? fmin(64, fmax(0.125, ratio)) : 1;
        /* Far from the goal the size says nothing: on smooth data all may be zero, and errors add up. */
        is_near = ratio < (i == 0 ? 2 : 1.25);
        here += ratio > 0.67 ? fmin((double)l->count, here / 2) * log2(ratio) : 0;
        if (here < *bits && is_near) {
            *bits = here;
            l->predict_step = is_mean_square ? step * (0.996 / ratio) : 0;
        }
        if (i == 6 || (ratio > 0.8 && ratio < 1.25))
            break;
        step = fmc_quantise_round_step(step * pow(0.996 / ratio, 1.1));
    }
done:
    fmc_quantised_fini(ex, &z);
    return st;
}

static fmc_probe_goal probe_goal(const fmc_lossy *l)
{
    return (fmc_probe_goal){ l->target.limit, l->target.kind == FMC_BOUND_NRMSE };
}

fmc_status fmc_predict_probe(const fmc_exec *ex, fmc_lossy *l, double *bytes)
{
    const fmc_probe_goal goal = probe_goal(l);
    double step = 2 * first_bound(l);
    fmc_status st;

    FMC_TRY(fmc_lossy_make_signal(ex, l));
    if (!l->predict_plan)
        FMC_TRY(plan_alloc(ex, &l->predict_plan));
    FMC_TRY(fmc_signal_predict_probe(ex, &l->signal, l->x, l->masked, &goal, l->effort->effort, &step, l->predict_plan));
    l->predict_step = goal.is_rms ? step : 0;
    *bytes = fmc_interp_plan_bits(l->predict_plan) / 8;
done:
    return st;
}

fmc_status fmc_predict_look(const fmc_exec *ex, fmc_lossy *l, double *bytes)
{
    const fmc_probe_goal goal = probe_goal(l);
    double step = first_step(l);
    fmc_status st;

    FMC_TRY(fmc_lossy_make_signal(ex, l));
    FMC_TRY(fmc_signal_predict_look(ex, &l->signal, l->x, l->masked, &goal, l->effort->effort, &step, l->predict_plan));
    l->predict_step = goal.is_rms ? step : 0;
    *bytes = fmc_interp_plan_bits(l->predict_plan) / 8;
done:
    return st;
}

int fmc_predict_is_whole(const fmc_lossy *l)
{
    const int is_quick = l->effort->effort < 5 && fmc_interp_plan_bits(l->predict_plan) > LOW_RATE * (double)l->count;

    return l->count <= (is_quick ? SMALL_COUNT : WHOLE_COUNT);
}

fmc_status fmc_predict_estimate(const fmc_exec *ex, fmc_lossy *l, double *bytes)
{
    fmc_out plan = fmc_out_make(ex->alloc);
    double bits;
    fmc_status st = FMC_OK;

    if (!l->predict_plan)
        FMC_TRY(fmc_predict_probe(ex, l, bytes));
    *bytes = fmc_interp_plan_bits(l->predict_plan) / 8;
    if (!fmc_predict_is_whole(l)) {
        FMC_TRY(fmc_predict_look(ex, l, bytes));
    } else {
        FMC_TRY(measure_whole(ex, l, &bits));
        fmc_interp_plan_write(l->predict_plan, &plan);
        FMC_TRY(plan.st);
        *bytes = bits / 8 + (double)plan.size;
    }
done:
    fmc_out_fini(&plan);
    return st;
}

static fmc_status parse_head(const fmc_signal *s, fmc_in *in, uint32_t *tier, uint64_t *model, double *step,
                             fmc_interp_plan *plan)
{
    fmc_status st;

    FMC_TRY(fmc_tier_read(in, tier, model));
    if (*tier & FMC_COEF_TRELLIS)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    FMC_TRY(fmc_step_read(in, step));
    FMC_TRY(fmc_interp_plan_parse(in, s->rank, s->dim, plan));
    st = fmc_in_status(in);
done:
    return st;
}

fmc_status fmc_predict_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon)
{
    fmc_interp_plan *plan = NULL;
    fmc_band *band = NULL;
    int32_t *q = NULL;
    uint32_t tier;
    uint64_t model;
    double step;
    const fmc_prior *prior;
    fmc_status st;

    FMC_TRY(plan_alloc(ex, &plan));
    FMC_TRY(parse_head(s, in, &tier, &model, &step, plan));
    FMC_TRY(fmc_tier_prior(ex, tier, model, &prior));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->count, &q));
    FMC_TRY(fmc_parallel_zero(ex, q, s->count * sizeof *q));
    FMC_TRY(fmc_coef_decode(ex, band, fmc_interp_bands(plan, band), q, tier, prior, in));
    FMC_TRY(fmc_signal_predict_decode(ex, s, plan, q, step, recon));
done:
    fmc_dealloc(ex->alloc, plan);
    fmc_dealloc(ex->alloc, band);
    fmc_dealloc(ex->alloc, q);
    return st;
}

fmc_status fmc_predict_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size)
{
    fmc_interp_plan *plan = NULL;
    uint32_t tier;
    uint64_t model;
    double step;
    fmc_status st;

    FMC_TRY(plan_alloc(ex, &plan));
    FMC_TRY(parse_head(s, in, &tier, &model, &step, plan));
    fmc_interp_describe(plan, text, size);
done:
    fmc_dealloc(ex->alloc, plan);
    return st;
}
