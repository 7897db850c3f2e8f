/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/signal.h"

#include <math.h>

#include "core/status.h"

fmc_status fmc_signal_alloc(const fmc_exec *ex, const fmc_signal *s, void **out)
{
    return fmc_alloc(ex->alloc, s->count, fmc_signal_sample(s), out);
}

fmc_status fmc_signal_forward(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data)
{
    return s->dtype == FMC_F64 ? fmc_tx_forward_f64(ex, plan, data) : fmc_tx_forward_f32(ex, plan, data);
}

fmc_status fmc_signal_inverse(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data)
{
    return s->dtype == FMC_F64 ? fmc_tx_inverse_f64(ex, plan, data) : fmc_tx_inverse_f32(ex, plan, data);
}

/* Distances of neighbours in the transform's array, right-aligned. */
static void pitch_of(const fmc_tx_plan *plan, size_t *pitch)
{
    size_t step = 1;

    for (uint32_t a = FMC_MAX_RANK; a-- > 0;) {
        pitch[a] = step;
        if (a + plan->rank >= FMC_MAX_RANK)
            step *= plan->dim[a + plan->rank - FMC_MAX_RANK];
    }
}

fmc_status fmc_signal_quantise(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                               size_t n_bands, const void *c, const fmc_quantiser *z, uint32_t sampling, int32_t *q,
                               double *error2)
{
    size_t pitch[FMC_MAX_RANK];

    pitch_of(plan, pitch);
    return s->dtype == FMC_F64 ? fmc_quantise_f64(ex, band, n_bands, c, pitch, z, sampling, q, error2)
                               : fmc_quantise_f32(ex, band, n_bands, c, pitch, z, sampling, q, error2);
}

fmc_status fmc_signal_trellis(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                              size_t n_bands, const void *c, const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q,
                              double *error2)
{
    size_t pitch[FMC_MAX_RANK];

    pitch_of(plan, pitch);
    return s->dtype == FMC_F64 ? fmc_trellis_f64(ex, band, n_bands, c, pitch, z, rates, q, error2)
                               : fmc_trellis_f32(ex, band, n_bands, c, pitch, z, rates, q, error2);
}

fmc_status fmc_signal_centres(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                              size_t n_bands, const void *c, const int32_t *q, fmc_quantiser *z)
{
    size_t pitch[FMC_MAX_RANK];

    pitch_of(plan, pitch);
    return s->dtype == FMC_F64 ? fmc_quantise_centres_f64(ex, band, n_bands, c, pitch, q, z)
                               : fmc_quantise_centres_f32(ex, band, n_bands, c, pitch, q, z);
}

fmc_status fmc_signal_dequantise(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                                 size_t n_bands, const int32_t *q, const fmc_quantiser *z, void *c)
{
    size_t pitch[FMC_MAX_RANK];

    pitch_of(plan, pitch);
    return s->dtype == FMC_F64 ? fmc_dequantise_f64(ex, band, n_bands, q, z, pitch, c)
                               : fmc_dequantise_f32(ex, band, n_bands, q, z, pitch, c);
}

static uint32_t unlike_axes(const fmc_signal *s)
{
    uint32_t unlike = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        unlike |= (uint32_t)(s->axis[a] == FMC_AXIS_UNLIKE) << a;
    return unlike;
}

fmc_status fmc_signal_predict_probe(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                    const fmc_probe_goal *goal, uint32_t effort, double *step, fmc_interp_plan *plan)
{
    const uint32_t unlike = unlike_axes(s);

    return s->dtype == FMC_F64 ? fmc_interp_probe_f64(ex, s->rank, s->dim, x, masked, goal, unlike, effort, step, plan)
                               : fmc_interp_probe_f32(ex, s->rank, s->dim, x, masked, goal, unlike, effort, step, plan);
}

fmc_status fmc_signal_predict_look(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                   const fmc_probe_goal *goal, uint32_t effort, double *step, fmc_interp_plan *plan)
{
    return s->dtype == FMC_F64 ? fmc_interp_look_f64(ex, x, masked, goal, effort, step, plan)
                               : fmc_interp_look_f32(ex, x, masked, goal, effort, step, plan);
}

fmc_status fmc_signal_predict_fit(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                  double bound, uint32_t effort, fmc_interp_plan *plan)
{
    return s->dtype == FMC_F64 ? fmc_interp_fit_f64(ex, x, masked, bound, effort, plan)
                               : fmc_interp_fit_f32(ex, x, masked, bound, effort, plan);
}

fmc_status fmc_signal_predict_choose(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                     double bound, uint32_t effort, fmc_interp_plan *plan)
{
    const uint32_t unlike = unlike_axes(s);

    return s->dtype == FMC_F64 ? fmc_interp_choose_f64(ex, s->rank, s->dim, x, masked, bound, unlike, effort, plan)
                               : fmc_interp_choose_f32(ex, s->rank, s->dim, x, masked, bound, unlike, effort, plan);
}

void fmc_signal_blank(const fmc_signal *s, const uint8_t *masked, void *x)
{
    float *x32 = x;
    double *x64 = x;

    for (size_t i = 0; masked && i < s->count; i++) {
        if (!masked[i])
            continue;
        if (s->dtype == FMC_F64)
            x64[i] = NAN;
        else
            x32[i] = NAN;
    }
}

fmc_status fmc_signal_predict_encode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const void *x, double step, int32_t *q, void *recon)
{
    return s->dtype == FMC_F64 ? fmc_interp_encode_f64(ex, plan, x, step, q, recon)
                               : fmc_interp_encode_f32(ex, plan, x, step, q, recon);
}

fmc_status fmc_signal_predict_decode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const int32_t *q, double step, void *recon)
{
    return s->dtype == FMC_F64 ? fmc_interp_decode_f64(ex, plan, q, step, recon)
                               : fmc_interp_decode_f32(ex, plan, q, step, recon);
}
