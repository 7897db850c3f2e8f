/* SPDX-License-Identifier: Apache-2.0 */
/* Transform and quantise (docs/format.md 5.1, 6, 8). The encoder's half; transform_decode.c has the other. */
#include <math.h>
#include <string.h>

#include "codec/coder.h"
#include "codec/samples.h"
#include "coef/coef.h"
#include "core/status.h"
#include "transform/cost.h"
#include "transform/gain.h"
#include "transform/klt.h"

enum { MAX_SEARCH = 14, MAX_ROUNDS = 18, SAMPLING = 8, MAX_CORRECTIONS = 2, MAX_BALANCES = 4, JUMPY = 2, LARGE_COUNT = 1 << 18 };

/*
 * Steps for a pointwise bound, in limits: most samples hold it by themselves, the others are corrected. The first where a sample
 * takes many bits. Below so many bits, few coefficients are not 0 and their errors add up to little: the step grows with a power of
 * what they fall short of that.
 */
static const double step_per_bound = 2.2, rare_bits = 0.6, rare_power = 0.35, most_steps = 14;
/* Below those bits, the share of the bytes that corrections should take, where it is too small and too large, its growth with the step. */
static const double corrections_aim = 0.22, corrections_few = 0.1, corrections_many = 0.38, corrections_power = 3;
/*
 * Where a mean-square search aims at first and later, parts of the limit, and how far below is good enough: a second try
 * costs about as much as coding, a per cent of the error a third of a per cent of the bytes.
 */
typedef struct patience {
    double first_aim, first_floor, aim, floor;
    double close; /* how far the squared error of all coefficients may be from what a search found on a part of them */
    int rounds;   /* rebuilds after which a step that keeps the limit is taken as it is: the error jumps about */
    int looks_around; /* further steps are tried then */
} patience;
static const patience hasty = { 0.988, 0.97, 0.994, 0.97, 0.018, 3, 0 }, normal = { 0.9945, 0.987, 0.997, 0.987, 0.008, 5, 1 },
                      thorough = { 0.9992, 0.9975, 0.9992, 0.9975, 0.0012, 9, 1 };
/* Steps above this many limits mean that a few coefficients hold everything, and a part of the rows may have none of them. */
static const double sparse_step = 24;
/*
 * Steps of a trellis for about the error of a plain quantiser: half its step, and what a trellis gains. Larger under a pointwise
 * bound, where the gain is better spent on fewer bits and more corrections.
 */
static const double trellis_step = 0.58, trellis_bound_step = 0.64;
/* Steps that differ by no more than such a part have the same centres. */
static const double same_centres = 0.04;
/* What the coefficients lose foretells the error within this: what is above is not rebuilt. */
static const double hopeless = 1.015;
/* Masked samples, which nobody misses, take this share of the error that others take. */
static const double masked_share = 0.5;

/* One transform being quantised. */
typedef struct attempt {
    fmc_lossy        *l;
    patience          how;
    const fmc_tx_plan *plan;
    fmc_quantised    *z;
    void             *c;       /* coefficients, in the transform's array */
    fmc_quantiser     quant;
    float            *gain;    /* of the bands: from errors of coefficients to errors of samples */
    double            error2;  /* of the samples at quant.step, as the coefficients' errors promise; 0: not known */
    double            slope;   /* of log error2 by log step, last seen */
    fmc_trellis_rates *rates;  /* of a trellis; NULL: a plain quantiser */
    double            centred; /* the step that quant.centre was found at; 0: none */
} attempt;

/* Steps that keep and break a mean-square limit, as far as known, with their errors (1 is the limit). */
typedef struct bracket {
    double keeps, breaks; /* the largest, 0: none; the smallest, infinite: none */
    double low, high;
    double per_error2;     /* squared, by what the coefficients lose, where they were rebuilt last */
    fmc_quantiser kept;    /* what kept it at the first of them */
} bracket;

uint32_t fmc_coder_tier(uint32_t effort)
{
    return effort >= 9 ? FMC_COEF_BEST : effort >= 5 ? FMC_COEF_MIX : FMC_COEF_FAST;
}

fmc_status fmc_transform_choose(const fmc_exec *ex, fmc_lossy *l)
{
    const fmc_signal *s = &l->signal;
    /* The error of a uniform quantiser with the step that a pointwise bound gets. */
    const double limit = l->target.limit, rmse = l->target.kind == FMC_BOUND_ABS ? step_per_bound * limit / 3 : limit;
    const uint32_t effort = l->effort->effort;

    return s->dtype == FMC_F64 ? fmc_tx_choose_f64(ex, s->rank, s->dim, l->x, rmse, s->axis, effort, &l->menu)
                               : fmc_tx_choose_f32(ex, s->rank, s->dim, l->x, rmse, s->axis, effort, &l->menu);
}

/* An empty result, and coefficients from the signal, whose array is used up. */
static fmc_status attempt_init(const fmc_exec *ex, attempt *t)
{
    const fmc_signal *s = &t->l->signal;
    fmc_quantised *z = t->z;
    fmc_status st;

    memset(z, 0, sizeof *z);
    z->coder = FMC_CODER_TRANSFORM;
    z->tier = fmc_coder_tier(t->l->effort->effort);
    z->head = fmc_out_make(ex->alloc);

    FMC_TRY(fmc_lossy_make_signal(ex, t->l)); /* before smaller blocks, which would split the room that an earlier one left */
    t->c = t->l->x;
    t->l->x = NULL;
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &z->band));
    z->n_bands = fmc_tx_bands(t->plan, z->band);
    FMC_TRY(fmc_signal_forward(ex, s, t->plan, t->c));
    FMC_TRY(FMC_ALLOC(ex->alloc, z->n_bands, &t->gain));
    for (size_t i = 0; i < z->n_bands; i++)
        t->gain[i] = (float)fmc_tx_band_gain(t->plan, &z->band[i]);
    t->quant.gain = t->gain;
done:
    return st;
}

/*
 * Step at which the coefficients' squared error is `wanted`, by secants in the logarithms from quant.step on, kept
 * inside the steps found too small and too large.
 */
static fmc_status find_step(const fmc_exec *ex, attempt *t, double wanted, uint32_t sampling)
{
    double step = t->quant.step, slope = t->slope, last_step = 0, last = 0, small = 0, large = HUGE_VAL;
    fmc_status st = FMC_OK;

    for (int i = 0; i < MAX_SEARCH; i++) {
        double error, ratio;

        if (i == 2 && sampling > 1) { /* what a coarser sample says is only nearly so, but for the slope */
            small = last_step = 0;
            large = HUGE_VAL;
        }
        t->quant.step = step;
        FMC_TRY(fmc_signal_quantise(ex, &t->l->signal, t->plan, t->z->band, t->z->n_bands, t->c, &t->quant,
                                    i < 2 && sampling > 1 ? 4 * sampling : sampling, NULL, &error));
        t->error2 = error;
        if (!(error > 0) || (error == last && error < wanted))
            break; /* all zero: nothing more to lose */
        ratio = wanted / error;
        if (fabs(ratio - 1) < 0.002)
            break;
        if (ratio > 1)
            small = fmax(small, step);
        else
            large = fmin(large, step);
        if (last_step > 0 && last_step != step && last != error)
            slope = log(error / last) / log(step / last_step);
        slope = slope < 0.3 ? 0.3 : slope > 2.2 ? 2.2 : slope;
        t->slope = slope;
        last_step = step;
        last = error;
        ratio = exp(log(ratio) / slope);
        if (i >= 2 && fabs(ratio - 1) < 0.008) { /* so short a secant is right to a thousandth */
            t->quant.step = step * ratio;
            t->error2 = wanted;
            break;
        }
        step *= ratio > 16 ? 16 : ratio < 1.0 / 16 ? 1.0 / 16 : ratio;
        if (step <= small || step >= large)
            step = sqrt(small * large);
    }
done:
    return st;
}

/*
 * Quantise at quant.step. wanted > 0: where the error is not quite that, because the search saw a part of the rows, the
 * step is corrected first.
 */
static fmc_status quantise(const fmc_exec *ex, attempt *t, double wanted)
{
    fmc_status st;

    for (int i = 0;; i++) {
        double ratio;

        t->quant.step = fmc_quantise_round_step(t->quant.step);
        if (t->rates)
            FMC_TRY(fmc_signal_trellis(ex, &t->l->signal, t->plan, t->z->band, t->z->n_bands, t->c, &t->quant, t->rates,
                                       t->z->q, &t->error2));
        else
            FMC_TRY(fmc_signal_quantise(ex, &t->l->signal, t->plan, t->z->band, t->z->n_bands, t->c, &t->quant, 1,
                                        t->z->q, &t->error2));
        ratio = t->error2 > 0 ? wanted / t->error2 : 0;
        if (i == MAX_CORRECTIONS || !(ratio > 0.8 && ratio < 1.25) || fabs(ratio - 1) < t->how.close)
            break;
        t->quant.step *= exp(log(ratio) / t->slope);
    }
done:
    return st;
}

/* Quantise at quant.step, or nearby for an error (0: here), and rebuild the signal as the decoder will. */
static fmc_status rebuild(const fmc_exec *ex, attempt *t, double wanted)
{
    const fmc_signal *s = &t->l->signal;
    fmc_quantised *z = t->z;
    fmc_status st;

    if (z->samples)
        fmc_samples_drop(ex, z);
    FMC_TRY(quantise(ex, t, wanted));
    if (fabs(t->quant.step - t->centred) > same_centres * t->quant.step) {
        FMC_TRY(fmc_signal_centres(ex, s, t->plan, z->band, z->n_bands, t->c, z->q, &t->quant));
        t->centred = t->quant.step;
    }
    if (!z->recon)
        FMC_TRY(fmc_signal_alloc(ex, s, &z->recon));
    FMC_TRY(fmc_signal_dequantise(ex, s, t->plan, z->band, z->n_bands, z->q, &t->quant, z->recon));
    FMC_TRY(fmc_signal_inverse(ex, s, t->plan, z->recon));
done:
    return st;
}

static int is_all_zero(const int32_t *q, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (q[i])
            return 0;
    return 1;
}

/* The next step to try. `ratio`: of the last rebuild's error and the limit. @return the error that it should have, or 0. */
static double next_step(attempt *t, const bracket *b, double ratio, int round)
{
    double step = t->quant.step, wanted = 0;

    if (round < 2 && t->error2 > 0) {
        /* Coefficients and samples lose in proportion. */
        wanted = t->error2 * (t->how.aim / ratio) * (t->how.aim / ratio);
        t->how.close *= 0.5;
        step *= fmin(8, fmax(0.125, exp(log(wanted / t->error2) / t->slope))); /* few coefficients: the slope is a guess */
    } else if (b->keeps > 0 && b->breaks < HUGE_VAL) {
        const double part = b->low > 0 ? log(t->how.aim / b->low) / log(b->high / b->low) : 0.5;

        step = b->keeps * pow(b->breaks / b->keeps, part < 0.2 ? 0.2 : part > 0.8 ? 0.8 : part);
    } else {
        step *= ratio < 1 ? 1.25 : round < 6 ? fmax(0.5, t->how.aim / ratio) * 0.98 : 0.25;
    }
    if (step <= b->keeps || step >= b->breaks) {
        wanted = 0;
        step = b->keeps > 0 && b->breaks < HUGE_VAL ? sqrt(b->keeps * b->breaks)
             : b->keeps > 0                         ? b->keeps * 1.1
                                                    : b->breaks * 0.97;
    }
    t->quant.step = step;
    return wanted;
}

static void note(bracket *b, const fmc_quantiser *quant, double error2, double ratio)
{
    const double step = quant->step;

    b->per_error2 = error2 > 0 ? ratio * ratio / error2 : 0;
    if (ratio <= 1 && step > b->keeps) {
        b->keeps = step;
        b->low = ratio;
        b->kept = *quant;
    } else if (ratio > 1 && step < b->breaks) {
        b->breaks = step;
        b->high = ratio;
    }
}

/* What the coefficients will take at quant.step; bases of K axes included. */
static fmc_status estimate(const fmc_exec *ex, attempt *t)
{
    const fmc_tx_plan *plan = t->plan;
    const double step = t->quant.step;
    const uint32_t every = t->l->count < LARGE_COUNT || t->l->effort->effort >= 9 ? 1 : 4;
    fmc_tx_cost cost = { 0 };
    fmc_out basis = fmc_out_make(ex->alloc);
    fmc_status st;

    FMC_TRY(t->l->signal.dtype == FMC_F64 ? fmc_tx_cost_f64(ex, plan, t->c, step, every, &cost)
                                          : fmc_tx_cost_f32(ex, plan, t->c, step, every, &cost));
    for (uint32_t a = 0; a < plan->rank; a++)
        if (plan->kind[a] == FMC_TX_KLT)
            fmc_tx_klt_write(plan->klt[a], &basis);
    t->z->bytes = cost.bits / 8 + (double)basis.size;
    st = basis.st;
done:
    fmc_out_fini(&basis);
    return st;
}

/* Under a pointwise bound: a larger step where few coefficients are not 0. Leaves the estimate for it. */
static fmc_status stretch(const fmc_exec *ex, attempt *t)
{
    const double bits = 8 * t->z->bytes / (double)t->l->count;

    if (t->l->goal.kind != FMC_BOUND_ABS || bits >= rare_bits)
        return FMC_OK;
    t->quant.step *= fmin(pow(rare_bits / fmax(bits, 1e-6), rare_power), most_steps / step_per_bound);
    return estimate(ex, t);
}

/*
 * Quantise for a pointwise bound. Where few coefficients are not 0, again with another step if corrections take too large or too
 * small a share of the bytes; back to the larger one if a smaller one promises more bytes.
 */
static fmc_status balance(const fmc_exec *ex, attempt *t)
{
    const int matters = t->l->goal.kind == FMC_BOUND_ABS && 8 * t->z->bytes < rare_bits * (double)t->l->count;
    double share, best = 0, best_bytes = HUGE_VAL;
    fmc_status st;

    for (int i = 0;; i++) {
        FMC_TRY(rebuild(ex, t, 0));
        t->z->closer_bytes = 0;
        if (!matters)
            break;
        FMC_TRY(fmc_lossy_estimate(ex, t->l, t->z, &share));
        if (t->quant.step == best || (share <= corrections_many && is_all_zero(t->z->q, t->l->count)))
            break;
        if (t->quant.step < best && t->z->closer_bytes > best_bytes) {
            t->quant.step = best;
            continue;
        }
        if (i >= MAX_BALANCES || (share >= corrections_few && share <= corrections_many))
            break;
        best = t->quant.step;
        best_bytes = t->z->closer_bytes;
        t->quant.step = fmin(best * fmin(2, fmax(0.4, pow(corrections_aim / fmax(share, 0.01), 1 / corrections_power))),
                             most_steps * t->l->target.limit);
    }
done:
    return st;
}

/* Where the search begins: a step of about the right error. Leaves the error wanted of the coefficients, 0: none. */
static fmc_status begin(const fmc_exec *ex, attempt *t, double *wanted)
{
    const fmc_lossy *l = t->l;
    const double limit = l->target.limit * t->how.first_aim, valid = (double)l->mask.coded.n_valid;
    fmc_status st = FMC_OK;

    *wanted = 0;
    if (l->target.kind == FMC_BOUND_ABS) {
        t->quant.step = step_per_bound * l->target.limit;
    } else {
        t->quant.step = 3 * l->target.limit;
        *wanted = limit * limit * (valid + ((double)l->count - valid) * masked_share);
        FMC_TRY(find_step(ex, t, *wanted, SAMPLING));
        if (t->quant.step > sparse_step * l->target.limit) {
            t->quant.step = l->count < LARGE_COUNT ? 3 * l->target.limit : t->quant.step; /* where errors jump, from below */
            FMC_TRY(find_step(ex, t, *wanted, 1));
        }
    }
done:
    return st;
}

/*
 * Where the error jumps from step to step, as it does on values of few different sizes, bytes do so too: of nearby steps that keep the
 * limit, and of the one that was found, the cheapest.
 */
static fmc_status look_around(const fmc_exec *ex, attempt *t, bracket *b)
{
    static const double parts[] = { 0.98, 1.02, 1.05, 1.065, 1.09, 1.11, 1.13, 1.16 };
    const double step = b->keeps;
    double least, ratio;
    fmc_status st;

    t->quant.step = step;
    FMC_TRY(estimate(ex, t));
    least = t->z->bytes;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        t->quant.step = parts[i] * step;
        FMC_TRY(quantise(ex, t, 0));
        if (t->error2 * b->per_error2 > hopeless * hopeless)
            continue;
        FMC_TRY(rebuild(ex, t, 0));
        FMC_TRY(fmc_samples_make(ex, t->l, t->z, &ratio));
        FMC_TRY(estimate(ex, t));
        if (ratio <= 1 && t->z->bytes < least) {
            least = t->z->bytes;
            b->keeps = t->quant.step;
            b->kept = t->quant;
        }
    }
    t->z->bytes = least;
done:
    return st;
}

/*
 * Meet a root mean square error from below. The search works on samples of the coefficients; what counts is the error
 * of the decoded samples, so the search's aim is corrected by that. Where the error jumps (few coefficients are left)
 * the largest step that keeps the limit is taken.
 */
static fmc_status reach_rmse(const fmc_exec *ex, attempt *t, double wanted)
{
    bracket b = { .breaks = HUGE_VAL };
    double ratio;
    int is_near;
    fmc_status st;

    for (int i = 0;; i++) {
        FMC_TRY(rebuild(ex, t, wanted));
        FMC_TRY(fmc_samples_make(ex, t->l, t->z, &ratio));
        note(&b, &t->quant, t->error2, ratio);
        is_near = ratio <= 1 && (ratio >= (i ? t->how.floor : t->how.first_floor) || is_all_zero(t->z->q, t->l->count));
        if (is_near && (i < JUMPY || !t->how.looks_around))
            return FMC_OK;
        if (is_near || b.breaks < b.keeps * 1.002 || (i >= t->how.rounds && b.keeps > 0))
            break;
        if (i >= MAX_ROUNDS)
            return FMC_ERR_UNSUPPORTED;
        wanted = next_step(t, &b, ratio, i);
    }
    if (t->how.looks_around && !t->rates && t->l->count <= LARGE_COUNT * 4)
        FMC_TRY(look_around(ex, t, &b));
    if (ratio > 1 || t->quant.step != b.keeps) {
        t->quant = b.kept;
        t->centred = b.keeps;
        FMC_TRY(rebuild(ex, t, 0));
        FMC_TRY(fmc_samples_make(ex, t->l, t->z, &ratio));
    }
done:
    return st;
}

/* What was found before, once more. */
static fmc_status repeat(const fmc_exec *ex, attempt *t)
{
    fmc_quantiser *settled = &t->l->settled;
    double ratio;
    fmc_status st;

    t->quant = *settled;
    t->quant.gain = t->gain;
    t->centred = settled->step;
    settled->step = 0;
    FMC_TRY(rebuild(ex, t, 0));
    if (t->l->target.kind == FMC_BOUND_NRMSE)
        FMC_TRY(fmc_samples_make(ex, t->l, t->z, &ratio));
done:
    return st;
}

fmc_status fmc_transform_quantise(const fmc_exec *ex, fmc_lossy *l, size_t choice, double worth,
                                  fmc_quantised *z)
{
    attempt t = { .l = l, .plan = &l->menu.plan[choice], .z = z, .slope = 1.3 };
    double wanted;
    fmc_status st;

    FMC_TRY(attempt_init(ex, &t));
    t.how = l->effort->effort >= 9 ? thorough : l->effort->effort >= 5 ? normal : hasty;
    t.quant.lambda = 0.12f;
    if (choice == 0 && l->settled.step > 0) {
        FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &z->q));
        FMC_TRY(repeat(ex, &t));
    } else {
        FMC_TRY(begin(ex, &t, &wanted));
        FMC_TRY(estimate(ex, &t));
        FMC_TRY(stretch(ex, &t));
        if (z->bytes > worth)
            goto done;
        FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &z->q));
        FMC_TRY(l->target.kind == FMC_BOUND_ABS ? balance(ex, &t) : reach_rmse(ex, &t, wanted));
    }
    FMC_TRY(fmc_transform_head_write(z->tier, t.plan, &t.quant, &z->head));
    z->quant = t.quant;
    z->quant.gain = NULL;
done:
    fmc_dealloc(ex->alloc, t.c);
    fmc_dealloc(ex->alloc, t.gain);
    return st;
}

fmc_status fmc_transform_trellis(const fmc_exec *ex, fmc_lossy *l, size_t choice, double step, fmc_quantised *z)
{
    attempt t = { .l = l, .plan = &l->menu.plan[choice], .z = z, .how = thorough, .slope = 1.3 };
    fmc_status st;

    FMC_TRY(attempt_init(ex, &t));
    z->is_trellis = 1;
    FMC_TRY(fmc_trellis_rates_create(ex->alloc, &t.rates));
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &z->q));
    t.quant.step = (l->target.kind == FMC_BOUND_ABS ? trellis_bound_step : trellis_step) * step;
    FMC_TRY(l->target.kind == FMC_BOUND_ABS ? rebuild(ex, &t, 0) : reach_rmse(ex, &t, 0));
    FMC_TRY(fmc_transform_head_write(z->tier, t.plan, &t.quant, &z->head));
done:
    fmc_trellis_rates_destroy(ex->alloc, t.rates);
    fmc_dealloc(ex->alloc, t.c);
    fmc_dealloc(ex->alloc, t.gain);
    return st;
}
