/* SPDX-License-Identifier: Apache-2.0 */
/* Transform, quantise, code (design: docs/format.md 5.1, 6, 8). */
#include <math.h>
#include <string.h>

#include "bound/check.h"
#include "codec/coder.h"
#include "coef/coef.h"
#include "core/status.h"
#include "transform/select.h"

enum { MAX_SEARCH = 12, MAX_REFINE = 5, SAMPLING = 8 };

/* Step for a pointwise bound: most samples hold it by themselves, the few others are corrected. */
static const double step_per_bound = 2.2;

/* Everything that one candidate transform needs. */
typedef struct attempt {
    const fmc_coder_input *in;
    fmc_tx_plan   plan;
    fmc_band     *band;
    size_t        n_bands;
    void         *c;       /* coefficients, band-major */
    int32_t      *q;
    void         *recon;   /* borrowed */
    fmc_quantiser z;
} attempt;

uint32_t fmc_coder_tier(uint32_t effort)
{
    return effort >= 9 ? FMC_COEF_BEST : effort >= 5 ? FMC_COEF_MIX : FMC_COEF_FAST;
}

static void attempt_fini(const fmc_exec *ex, attempt *t)
{
    fmc_dealloc(ex->alloc, t->band);
    fmc_dealloc(ex->alloc, t->c);
    fmc_dealloc(ex->alloc, t->q);
    t->band = NULL;
    t->c = NULL;
    t->q = NULL;
}

static fmc_status attempt_init(const fmc_exec *ex, attempt *t)
{
    const fmc_signal *s = &t->in->signal;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &t->band));
    FMC_TRY(fmc_signal_alloc(ex, s, &t->c));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->count, &t->q));
    t->n_bands = fmc_tx_bands(&t->plan, t->band);
    memcpy(t->recon, t->in->x, s->count * fmc_signal_sample(s));
    FMC_TRY(fmc_signal_forward(ex, s, &t->plan, t->recon));
    fmc_signal_pack(s, &t->plan, t->band, t->n_bands, t->recon, t->c);
done:
    return st;
}

/* Step whose squared error is `wanted`, by secants in the logarithms. */
static fmc_status find_step(const fmc_exec *ex, attempt *t, double wanted)
{
    const fmc_signal *s = &t->in->signal;
    double step = 3.0 * sqrt(wanted / (double)s->count), slope = 1.3, last_step = 0, last_error = 0;
    fmc_status st = FMC_OK;

    for (int i = 0; i < MAX_SEARCH; i++) {
        double error, ratio;

        t->z.step = step;
        FMC_TRY(fmc_signal_quantise(ex, s, t->band, t->n_bands, t->c, &t->z, SAMPLING, NULL, &error));
        if (!(error > 0))
            break; /* all zero even at this step: nothing to lose */
        if (last_step > 0 && last_step != step && last_error != error)
            slope = log(error / last_error) / log(step / last_step);
        slope = slope < 0.4 ? 0.4 : slope > 2.2 ? 2.2 : slope;
        ratio = wanted / error;
        if (fabs(ratio - 1) < 0.002)
            break;
        last_step = step;
        last_error = error;
        ratio = exp(log(ratio) / slope);
        step *= ratio > 16 ? 16 : ratio < 1.0 / 16 ? 1.0 / 16 : ratio;
    }
done:
    return st;
}

/* Quantise at z.step and rebuild the signal as the decoder will. */
static fmc_status rebuild(const fmc_exec *ex, attempt *t)
{
    const fmc_signal *s = &t->in->signal;
    void *c = NULL;
    double error;
    fmc_status st;

    t->z.step = fmc_quantise_round_step(t->z.step);
    FMC_TRY(fmc_signal_alloc(ex, s, &c));
    FMC_TRY(fmc_signal_quantise(ex, s, t->band, t->n_bands, t->c, &t->z, 1, t->q, &error));
    FMC_TRY(fmc_signal_centres(ex, s, t->band, t->n_bands, t->c, t->q, &t->z));
    FMC_TRY(fmc_signal_dequantise(ex, s, t->band, t->n_bands, t->q, &t->z, c));
    fmc_signal_unpack(s, &t->plan, t->band, t->n_bands, c, t->recon);
    FMC_TRY(fmc_signal_inverse(ex, s, &t->plan, t->recon));
done:
    fmc_dealloc(ex->alloc, c);
    return st;
}

/*
 * Meet a root mean square error from below, within about half a percent. The search works on coefficients and on
 * samples of them; what counts is the error of the decoded signal, so the step is corrected by that.
 */
static fmc_status reach_rmse(const fmc_exec *ex, attempt *t)
{
    const fmc_signal *s = &t->in->signal;
    const double limit = t->in->target.limit;
    fmc_status st;

    FMC_TRY(find_step(ex, t, 0.996 * limit * limit * (double)s->count));
    for (int i = 0;; i++) {
        fmc_errors e;
        double rmse;

        FMC_TRY(rebuild(ex, t));
        FMC_TRY(fmc_errors_measure(ex, s->dtype, s->count, t->in->x, t->recon, t->in->mask, &e));
        rmse = fmc_errors_rmse(&e);
        if (rmse <= limit && (rmse >= (i < 2 ? 0.993 : 0.98) * limit || i >= MAX_REFINE))
            break;
        if (i > 2 * MAX_REFINE || !(rmse > 0))
            break; /* beyond the precision of the working type: the caller finds out */
        t->z.step *= i < MAX_REFINE ? pow(limit * 0.998 / rmse, i < 3 ? 1.15 : 1.6) : 0.8;
    }
done:
    return st;
}

static uint32_t step_bits(double step)
{
    uint64_t bits;

    memcpy(&bits, &step, sizeof bits);
    return (uint32_t)(bits >> 32);
}

static void write_body(const fmc_exec *ex, attempt *t, fmc_out *out)
{
    (void)ex;
    fmc_out_u8(out, (uint8_t)fmc_coder_tier(t->in->effort));
    fmc_tx_plan_write(&t->plan, out);
    fmc_out_u32(out, step_bits(t->z.step));
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        fmc_out_bytes(out, t->z.centre[k], FMC_QUANT_SIZES);
}

static fmc_status try_plan(const fmc_exec *ex, attempt *t, fmc_out *out)
{
    fmc_status st;

    FMC_TRY(attempt_init(ex, t));
    t->z.lambda = 0.12f;
    if (t->in->target.kind == FMC_BOUND_ABS) {
        t->z.step = step_per_bound * t->in->target.limit;
        FMC_TRY(rebuild(ex, t));
    } else {
        FMC_TRY(reach_rmse(ex, t));
    }
    write_body(ex, t, out);
    FMC_TRY(fmc_coef_encode(ex, t->band, t->n_bands, t->q, fmc_coder_tier(t->in->effort), NULL, out));
done:
    return st;
}

static fmc_status choose_plans(const fmc_exec *ex, const fmc_coder_input *in, fmc_tx_menu *menu)
{
    const fmc_signal *s = &in->signal;
    /* The error of a uniform quantiser with the step that a pointwise bound gets. */
    const double rmse = in->target.kind == FMC_BOUND_ABS ? step_per_bound * in->target.limit / 3 : in->target.limit;

    return s->dtype == FMC_F64 ? fmc_tx_choose_f64(ex, s->rank, s->dim, in->x, rmse, s->axis, in->effort, menu)
                               : fmc_tx_choose_f32(ex, s->rank, s->dim, in->x, rmse, s->axis, in->effort, menu);
}

/* How many plans of the menu are worth coding whole. */
static size_t count_worthwhile(const fmc_tx_menu *menu, uint32_t effort)
{
    size_t n = 1;

    if (effort < 9)
        return 1;
    while (n < menu->n && menu->bits[n] < 1.1 * menu->bits[0])
        n++;
    return n;
}

static fmc_status try_menu(const fmc_exec *ex, const fmc_coder_input *in, const fmc_tx_menu *menu, fmc_out *out,
                           void *recon)
{
    const size_t n = count_worthwhile(menu, in->effort), bytes = in->signal.count * fmc_signal_sample(&in->signal);
    fmc_out best = fmc_out_make(ex->alloc);
    void *best_recon = NULL;
    fmc_status st = FMC_OK;

    if (n > 1)
        FMC_TRY(fmc_signal_alloc(ex, &in->signal, &best_recon));
    for (size_t i = 0; i < n; i++) {
        attempt t = { .in = in, .recon = recon, .plan = menu->plan[i] };
        fmc_out body = fmc_out_make(ex->alloc);

        st = try_plan(ex, &t, &body);
        attempt_fini(ex, &t);
        if (st == FMC_OK && (i == 0 || body.size < best.size)) {
            const fmc_out swap = best;

            best = body;
            body = swap;
            if (n > 1)
                memcpy(best_recon, recon, bytes);
        }
        fmc_out_fini(&body);
        FMC_TRY(st);
    }
    if (n > 1)
        memcpy(recon, best_recon, bytes);
    fmc_out_bytes(out, best.data, best.size);
done:
    fmc_out_fini(&best);
    fmc_dealloc(ex->alloc, best_recon);
    return st;
}

fmc_status fmc_transform_encode(const fmc_exec *ex, const fmc_coder_input *in, fmc_out *out, void *recon)
{
    fmc_tx_menu menu = { 0 };
    fmc_status st;

    FMC_TRY(choose_plans(ex, in, &menu));
    FMC_TRY(try_menu(ex, in, &menu, out, recon));
done:
    fmc_tx_menu_fini(ex->alloc, &menu);
    return st;
}

/* The head of a body: everything before the coefficients. */
typedef struct body_head {
    uint32_t      tier;
    fmc_tx_plan   plan;
    fmc_tx_klt   *klt; /* owned */
    fmc_quantiser z;
} body_head;

static fmc_status parse_head(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, body_head *h)
{
    uint64_t bits;
    fmc_status st;

    memset(h, 0, sizeof *h);
    h->tier = fmc_in_u8(in);
    h->plan.rank = s->rank;
    memcpy(h->plan.dim, s->dim, sizeof h->plan.dim);
    FMC_TRY(fmc_tx_plan_parse(in, ex->alloc, &h->plan, &h->klt));
    bits = (uint64_t)fmc_in_u32(in) << 32;
    memcpy(&h->z.step, &bits, sizeof bits);
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < FMC_QUANT_SIZES; m++)
            h->z.centre[k][m] = (int8_t)fmc_in_u8(in);
    FMC_TRY(fmc_in_status(in));
    if (h->tier > FMC_COEF_BEST)
        st = FMC_ERR_UNSUPPORTED;
    else if (!isnormal(h->z.step) || h->z.step < 0)
        st = FMC_ERR_CORRUPT;
done:
    return st;
}

fmc_status fmc_transform_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon)
{
    body_head h;
    fmc_band *band = NULL;
    int32_t *q = NULL;
    void *c = NULL;
    size_t n_bands;
    fmc_status st;

    FMC_TRY(parse_head(ex, s, in, &h));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, s->count, &q));
    n_bands = fmc_tx_bands(&h.plan, band);
    FMC_TRY(fmc_coef_decode(ex, band, n_bands, q, h.tier, NULL, in));
    FMC_TRY(fmc_signal_alloc(ex, s, &c));
    FMC_TRY(fmc_signal_dequantise(ex, s, band, n_bands, q, &h.z, c));
    fmc_signal_unpack(s, &h.plan, band, n_bands, c, recon);
    FMC_TRY(fmc_signal_inverse(ex, s, &h.plan, recon));
done:
    fmc_dealloc(ex->alloc, h.klt);
    fmc_dealloc(ex->alloc, band);
    fmc_dealloc(ex->alloc, q);
    fmc_dealloc(ex->alloc, c);
    return st;
}

fmc_status fmc_transform_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size)
{
    static const char letters[] = "0WPDFK";
    body_head h;
    fmc_status st = parse_head(ex, s, in, &h);

    for (uint32_t a = 0; st == FMC_OK && a < s->rank && a + 1 < size; a++) {
        text[a] = letters[h.plan.kind[a]];
        text[a + 1] = 0;
    }
    fmc_dealloc(ex->alloc, h.klt);
    return st;
}
