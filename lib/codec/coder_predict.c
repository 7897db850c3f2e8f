/* SPDX-License-Identifier: Apache-2.0 */
/* Closed-loop prediction, then the coefficient coder on the quantised residuals (docs/format.md 5.1, 7). */
#include <math.h>
#include <string.h>

#include "bound/check.h"
#include "codec/coder.h"
#include "coef/coef.h"
#include "core/status.h"

/* f32 work: what rounding of |y| <= 1.5 may add to an error. */
static const double f32_slack = 1.8e-7;
static const double f64_slack = 4e-16;

static fmc_status plan_alloc(const fmc_exec *ex, fmc_interp_plan **plan)
{
    return fmc_alloc(ex->alloc, 1, fmc_interp_plan_size(), (void **)plan);
}

static void write_step(fmc_out *out, double step)
{
    uint64_t bits;

    memcpy(&bits, &step, sizeof bits);
    fmc_out_u32(out, (uint32_t)(bits >> 32));
}

static double read_step(fmc_in *in)
{
    const uint64_t bits = (uint64_t)fmc_in_u32(in) << 32;
    double step;

    memcpy(&step, &bits, sizeof step);
    return step;
}

/* What the encoder works with. */
typedef struct predict_work {
    const fmc_coder_input *in;
    fmc_interp_plan *plan;
    fmc_band        *band;
    int32_t         *q;
    double           step;
} predict_work;

static fmc_status measure_rmse(const fmc_exec *ex, const fmc_coder_input *in, const void *recon, double *rmse)
{
    fmc_errors e;
    const fmc_status st = fmc_errors_measure(ex, in->signal.dtype, in->signal.count, in->x, recon, in->mask, &e);

    *rmse = st == FMC_OK ? fmc_errors_rmse(&e) : 0;
    return st;
}

/* Closed loop: the error of a step is only known after coding with it. Many zeros make it smaller than uniform. */
static fmc_status quantise_to_rmse(const fmc_exec *ex, predict_work *w, void *recon)
{
    const double limit = w->in->target.limit;
    fmc_status st;

    for (int i = 0;; i++) {
        double rmse;

        w->step = fmc_quantise_round_step(w->step);
        FMC_TRY(fmc_signal_predict_encode(ex, &w->in->signal, w->plan, w->in->x, w->step, w->q, recon));
        FMC_TRY(measure_rmse(ex, w->in, recon, &rmse));
        if (rmse <= limit && (rmse >= (i < 3 ? 0.993 : 0.97) * limit || i >= 6))
            break;
        if (i > 10 || !(rmse > 0))
            break;
        w->step *= i < 6 ? fmin(4, pow(limit * 0.998 / rmse, i < 2 ? 1.1 : 1.0)) : 0.9;
    }
done:
    return st;
}

static fmc_status quantise(const fmc_exec *ex, predict_work *w, void *recon)
{
    const fmc_signal *s = &w->in->signal;
    const double slack = s->dtype == FMC_F64 ? f64_slack : f32_slack, limit = w->in->target.limit;
    double bound = limit > 2 * slack ? limit - slack : limit / 2;
    fmc_status st;

    if (w->in->target.kind == FMC_BOUND_NRMSE)
        bound = 1.7320508 * limit;
    w->step = fmc_quantise_round_step(2 * bound);
    FMC_TRY(fmc_signal_predict_choose(ex, s, w->in->x, bound, w->in->effort, w->plan));
    if (w->in->target.kind == FMC_BOUND_NRMSE)
        FMC_TRY(quantise_to_rmse(ex, w, recon));
    else
        FMC_TRY(fmc_signal_predict_encode(ex, s, w->plan, w->in->x, w->step, w->q, recon));
done:
    return st;
}

fmc_status fmc_predict_encode(const fmc_exec *ex, const fmc_coder_input *in, fmc_out *out, void *recon)
{
    predict_work w = { .in = in };
    const uint32_t tier = fmc_coder_tier(in->effort);
    fmc_status st;

    FMC_TRY(plan_alloc(ex, &w.plan));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &w.band));
    FMC_TRY(FMC_ALLOC(ex->alloc, in->signal.count, &w.q));
    FMC_TRY(quantise(ex, &w, recon));
    fmc_out_u8(out, (uint8_t)tier);
    write_step(out, w.step);
    fmc_interp_plan_write(w.plan, out);
    FMC_TRY(fmc_coef_encode(ex, w.band, fmc_interp_bands(w.plan, w.band), w.q, tier, NULL, out));
done:
    fmc_dealloc(ex->alloc, w.plan);
    fmc_dealloc(ex->alloc, w.band);
    fmc_dealloc(ex->alloc, w.q);
    return st;
}

static fmc_status parse_head(const fmc_signal *s, fmc_in *in, uint32_t *tier, double *step, fmc_interp_plan *plan)
{
    fmc_status st;

    *tier = fmc_in_u8(in);
    *step = read_step(in);
    FMC_TRY(fmc_interp_plan_parse(in, s->rank, s->dim, plan));
    FMC_TRY(fmc_in_status(in));
    if (*tier > FMC_COEF_BEST)
        st = FMC_ERR_UNSUPPORTED;
    else if (!isnormal(*step) || *step < 0)
        st = FMC_ERR_CORRUPT;
done:
    return st;
}

fmc_status fmc_predict_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon)
{
    fmc_interp_plan *plan = NULL;
    fmc_band *band = NULL;
    int32_t *q = NULL;
    uint32_t tier;
    double step;
    fmc_status st;

    FMC_TRY(plan_alloc(ex, &plan));
    FMC_TRY(parse_head(s, in, &tier, &step, plan));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, s->count, &q));
    FMC_TRY(fmc_coef_decode(ex, band, fmc_interp_bands(plan, band), q, tier, NULL, in));
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
    double step;
    fmc_status st;

    FMC_TRY(plan_alloc(ex, &plan));
    FMC_TRY(parse_head(s, in, &tier, &step, plan));
    fmc_interp_describe(plan, text, size);
done:
    fmc_dealloc(ex->alloc, plan);
    return st;
}
