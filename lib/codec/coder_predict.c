/* SPDX-License-Identifier: Apache-2.0 */
/* Closed-loop prediction, then the coefficient coder on the quantised residuals (docs/format.md 5.1, 7). */
#include <math.h>
#include <string.h>

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

fmc_status fmc_predict_encode(const fmc_exec *ex, const fmc_coder_input *in, fmc_out *out, void *recon)
{
    const fmc_signal *s = &in->signal;
    const double slack = s->dtype == FMC_F64 ? f64_slack : f32_slack;
    double bound = in->target.limit, step;
    fmc_interp_plan *plan = NULL;
    fmc_band *band = NULL;
    int32_t *q = NULL;
    size_t n_bands;
    fmc_status st;

    bound = bound > 2 * slack ? bound - slack : bound / 2;
    step = fmc_quantise_round_step(2 * bound);
    FMC_TRY(plan_alloc(ex, &plan));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->count, &q));
    FMC_TRY(fmc_signal_predict_choose(ex, s, in->x, bound, in->effort, plan));
    FMC_TRY(fmc_signal_predict_encode(ex, s, plan, in->x, step, q, recon));
    n_bands = fmc_interp_bands(plan, band);
    fmc_out_u8(out, (uint8_t)fmc_coder_tier(in->effort));
    write_step(out, step);
    fmc_interp_plan_write(plan, out);
    FMC_TRY(fmc_coef_encode(ex, band, n_bands, q, fmc_coder_tier(in->effort), NULL, out));
done:
    fmc_dealloc(ex->alloc, plan);
    fmc_dealloc(ex->alloc, band);
    fmc_dealloc(ex->alloc, q);
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
