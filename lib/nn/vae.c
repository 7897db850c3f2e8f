/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/vae.h"

#include <string.h>
#include "core/status.h"

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
    return a / b + (a % b > 0);
}

/* channels * t * y * x, or 0 if it is too large */
static size_t volume(uint32_t channels, const uint32_t n[FMC_NET_AXES])
{
    const uint64_t most = SIZE_MAX / 64 < ((uint64_t)1 << 40) ? SIZE_MAX / 64 : (uint64_t)1 << 40;
    uint64_t v = channels;

    for (int d = 0; d < FMC_NET_AXES; d++) {
        if (n[d] < 1 || v > most / n[d])
            return 0;
        v *= n[d];
    }
    return (size_t)v;
}

fmc_status fmc_vae_shape_make(const fmc_model *m, const uint32_t dim[FMC_NET_AXES], fmc_vae_shape *s)
{
    const uint32_t *patch = m->n.patch;

    for (int d = 0; d < FMC_NET_AXES; d++) {
        s->dim[d] = dim[d];
        s->latent[d] = ceil_div(dim[d], patch[d]);
        s->hyper[d] = ceil_div(s->latent[d], m->n.hyper_patch[d]);
    }
    s->n_latents = volume(m->n.latent, s->latent);
    s->n_hyper = volume(m->n.hyper, s->hyper);
    s->n_padded = volume(patch[0] * patch[1] * patch[2], s->latent);
    return s->n_latents && s->n_hyper && s->n_padded ? FMC_OK : FMC_ERR_LIMIT;
}

/* q * 2^frac + mean within the input of a program, or FMC_ERR_CORRUPT. */
static fmc_status dequantise(const fmc_model *m, const int32_t *q, const int32_t *mean, size_t n, int32_t *y)
{
    const int64_t one = (int64_t)1 << m->n.latent_frac;

    for (size_t i = 0; i < n; i++) {
        const int64_t v = q[i] * one + mean[i];

        if (v < INT32_MIN || v > INT32_MAX)
            return FMC_ERR_CORRUPT;
        y[i] = (int32_t)v;
    }
    return FMC_OK;
}

/* One value per channel for all its sites. */
static void spread_mean(const int32_t *mean, uint32_t channels, size_t sites, int32_t *out)
{
    for (uint32_t c = 0; c < channels; c++)
        for (size_t s = 0; s < sites; s++)
            *out++ = mean[c];
}

static void spread_scale(const uint8_t *scale, uint32_t channels, size_t sites, uint8_t *out)
{
    for (uint32_t c = 0; c < channels; c++, out += sites)
        memset(out, scale[c], sites);
}

/* The part of rows and columns that exist: [channels][t][y][x] of a larger grid. */
static void crop(const int32_t *in, uint32_t channels, const uint32_t from[FMC_NET_AXES], const uint32_t to[FMC_NET_AXES],
                 int32_t *out)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t t = 0; t < to[0]; t++)
            for (uint32_t y = 0; y < to[1]; y++, out += to[2])
                memcpy(out, in + (((size_t)c * from[0] + t) * from[1] + y) * from[2], to[2] * sizeof *out);
}

fmc_status fmc_vae_hyper(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const int32_t *qz,
                         int32_t *mu, uint8_t *index)
{
    const size_t cell = (size_t)m->n.hyper_patch[0] * m->n.hyper_patch[1] * m->n.hyper_patch[2];
    const size_t sites = s->n_hyper / m->n.hyper, n_out = sites * cell * m->n.latent;
    uint32_t from[FMC_NET_AXES];
    int32_t *z = NULL, *out[FMC_NET_OUTPUTS] = { NULL }, *scale = NULL;
    fmc_status st;

    for (int d = 0; d < FMC_NET_AXES; d++)
        from[d] = s->hyper[d] * m->n.hyper_patch[d];
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_hyper, &z));
    FMC_TRY(FMC_ALLOC(ex->alloc, n_out, &out[0]));
    FMC_TRY(FMC_ALLOC(ex->alloc, n_out, &out[1]));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &scale));
    spread_mean(m->hyper_mean + (size_t)level * m->n.hyper, m->n.hyper, sites, z);
    FMC_TRY(dequantise(m, qz, z, s->n_hyper, z));
    FMC_TRY(fmc_net_run(ex, &m->hyper, level, s->hyper, z, out));
    crop(out[0], m->n.latent, from, s->latent, mu);
    crop(out[1], m->n.latent, from, s->latent, scale);
    for (size_t i = 0; i < s->n_latents; i++)
        index[i] = (uint8_t)scale[i];
done:
    fmc_dealloc(ex->alloc, z);
    fmc_dealloc(ex->alloc, out[0]);
    fmc_dealloc(ex->alloc, out[1]);
    fmc_dealloc(ex->alloc, scale);
    return st;
}

fmc_status fmc_vae_synthesise(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s,
                              const int32_t *qy, const int32_t *mu, int32_t *value)
{
    int32_t *y = NULL, *padded = NULL, *out[FMC_NET_OUTPUTS] = { value };
    uint32_t from[FMC_NET_AXES];
    int is_whole = 1;
    fmc_status st;

    for (int d = 0; d < FMC_NET_AXES; d++) {
        from[d] = s->latent[d] * m->n.patch[d];
        is_whole &= from[d] == s->dim[d];
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &y));
    FMC_TRY(dequantise(m, qy, mu, s->n_latents, y));
    if (!is_whole) {
        FMC_TRY(FMC_ALLOC(ex->alloc, s->n_padded, &padded));
        out[0] = padded;
    }
    FMC_TRY(fmc_net_run(ex, &m->synthesis, level, s->latent, y, out));
    if (!is_whole)
        crop(padded, 1, from, s->dim, value);
done:
    fmc_dealloc(ex->alloc, y);
    fmc_dealloc(ex->alloc, padded);
    return st;
}

fmc_status fmc_vae_write(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const int32_t *qz,
                         const int32_t *qy, const uint8_t *index, fmc_out *out)
{
    uint8_t *scale = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_hyper, &scale));
    spread_scale(m->hyper_scale + (size_t)level * m->n.hyper, m->n.hyper, s->n_hyper / m->n.hyper, scale);
    fmc_latent_encode(ex->alloc, &m->tables, qz, scale, s->n_hyper, out);
    fmc_latent_encode(ex->alloc, &m->tables, qy, index, s->n_latents, out);
    st = out->st;
done:
    fmc_dealloc(ex->alloc, scale);
    return st;
}

fmc_status fmc_vae_read(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, fmc_in *in,
                        int32_t *value)
{
    const size_t most = s->n_hyper > s->n_latents ? s->n_hyper : s->n_latents;
    int32_t *q = NULL, *mu = NULL;
    uint8_t *index = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, most, &q));
    FMC_TRY(FMC_ALLOC(ex->alloc, most, &index));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &mu));
    spread_scale(m->hyper_scale + (size_t)level * m->n.hyper, m->n.hyper, s->n_hyper / m->n.hyper, index);
    FMC_TRY(fmc_latent_decode(&m->tables, index, s->n_hyper, in, q));
    FMC_TRY(fmc_vae_hyper(ex, m, level, s, q, mu, index));
    FMC_TRY(fmc_latent_decode(&m->tables, index, s->n_latents, in, q));
    FMC_TRY(fmc_vae_synthesise(ex, m, level, s, q, mu, value));
done:
    fmc_dealloc(ex->alloc, q);
    fmc_dealloc(ex->alloc, mu);
    fmc_dealloc(ex->alloc, index);
    return st;
}
