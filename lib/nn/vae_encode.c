/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder's side of architecture `vae` (docs/weights-format.md 4): floats decide what is coded, never how it decodes. */
#include "nn/vae.h"

#include <math.h>
#include <string.h>
#include "core/status.h"

/* Whole patches by repeating the last sample along each axis. */
static void pad_field(const float *x, const uint32_t from[FMC_NET_AXES], const uint32_t to[FMC_NET_AXES], float *out)
{
    for (uint32_t t = 0; t < to[0]; t++)
        for (uint32_t y = 0; y < to[1]; y++, out += to[2]) {
            const uint32_t at = t < from[0] ? t : from[0] - 1, ay = y < from[1] ? y : from[1] - 1;
            const float *row = x + ((size_t)at * from[1] + ay) * from[2];

            memcpy(out, row, from[2] * sizeof *out);
            for (uint32_t k = from[2]; k < to[2]; k++)
                out[k] = row[from[2] - 1];
        }
}

/* round(gain * v - mean / 2^frac), such that 2^frac q + mean stays within `most`; 0 for what is no number. */
static int32_t quantise(float v, float gain, int32_t mean, uint32_t frac)
{
    const double one = (double)(1 << frac), most = (1 << 23) - 1;
    double q = floor((double)gain * (double)v - mean / one + 0.5);

    if (!(q == q))
        q = 0;
    q = fmin(fmax(q, ceil((-most - mean) / one)), floor((most - mean) / one));
    return (int32_t)q;
}

fmc_status fmc_vae_analyse(const fmc_exec *ex, const fmc_model *m, const fmc_vae_shape *s, const float *field, float *y, float *z)
{
    uint32_t padded[FMC_NET_AXES];
    float *whole = NULL;
    int is_whole = 1;
    fmc_status st;

    for (int d = 0; d < FMC_NET_AXES; d++) {
        padded[d] = s->latent[d] * m->n.patch[d];
        is_whole &= padded[d] == s->dim[d];
    }
    if (!is_whole) {
        FMC_TRY(FMC_ALLOC(ex->alloc, s->n_padded, &whole));
        pad_field(field, s->dim, padded, whole);
    }
    FMC_TRY(fmc_net_run_f32(ex, &m->analysis, padded, is_whole ? field : whole, y));
    FMC_TRY(fmc_net_run_f32(ex, &m->hyper_analysis, s->latent, y, z));
done:
    fmc_dealloc(ex->alloc, whole);
    return st;
}

fmc_status fmc_vae_quantise(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const float *y,
                            const float *z, int32_t *qz, int32_t *qy, int32_t *mu, uint8_t *index)
{
    const size_t z_sites = s->n_hyper / m->n.hyper, y_sites = s->n_latents / m->n.latent;
    const float *gain_y = m->gain_latent + (size_t)level * m->n.latent, *gain_z = m->gain_hyper + (size_t)level * m->n.hyper;
    const int32_t *mean = m->hyper_mean + (size_t)level * m->n.hyper;
    fmc_status st;

    for (size_t i = 0; i < s->n_hyper; i++)
        qz[i] = quantise(z[i], gain_z[i / z_sites], mean[i / z_sites], m->n.latent_frac);
    FMC_TRY(fmc_vae_hyper(ex, m, level, s, qz, mu, index));
    for (size_t i = 0; i < s->n_latents; i++)
        qy[i] = quantise(y[i], gain_y[i / y_sites], mu[i], m->n.latent_frac);
done:
    return st;
}
