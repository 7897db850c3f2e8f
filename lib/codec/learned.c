/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder's side of learned bases (docs/format.md 5.7). Zone FREE: what comes out is coded and subtracted exactly. */
#include "codec/learned.h"

#include <math.h>
#include "core/status.h"

static double signal_at(const fmc_lossy *l, size_t i)
{
    return l->signal.dtype == FMC_F64 ? ((const double *)l->x)[i] : (double)((const float *)l->x)[i];
}

/* Mean and standard deviation. Summed in one order, so that bytes do not depend on threads. */
static void moments(const fmc_lossy *l, double *mean, double *deviation)
{
    double sum = 0, square = 0;

    for (size_t i = 0; i < l->count; i++)
        sum += signal_at(l, i);
    *mean = sum / (double)l->count;
    for (size_t i = 0; i < l->count; i++) {
        const double d = signal_at(l, i) - *mean;

        square += d * d;
    }
    *deviation = sqrt(square / (double)l->count);
}

/* The model's integers are in 2^-frac deviations: w->exponent, multiplier and offset bring them to the signal's units. */
static fmc_status choose_scale(fmc_learned *w, double mean, double deviation)
{
    int exponent;
    double share, offset;

    if (!isnormal(deviation) || !isfinite(mean))
        return FMC_ERR_UNSUPPORTED;
    share = floor(ldexp(frexp(deviation, &exponent), 16) + 0.5);
    if (share > 65535)
        share = 65535;
    w->multiplier = (int32_t)share;
    w->exponent = exponent - 1 + fmc_vae_exponent(w->model);
    offset = floor(ldexp(mean, -w->exponent) + 0.5);
    if (!(fabs(offset) <= FMC_BASE_MAX_OFFSET))
        return FMC_ERR_UNSUPPORTED;
    w->offset = (int32_t)offset;
    return FMC_OK;
}

fmc_status fmc_learned_init(const fmc_exec *ex, const fmc_lossy *l, const fmc_model *m, fmc_learned *w)
{
    float *field = NULL;
    double mean, deviation;
    uint32_t dim[3];
    fmc_status st;

    *w = (fmc_learned){ .model = m };
    if (!fmc_base_extents(&l->signal, dim))
        return FMC_ERR_UNSUPPORTED;
    FMC_TRY(fmc_vae_shape_make(m, dim, &w->shape));
    moments(l, &mean, &deviation);
    FMC_TRY(choose_scale(w, mean, deviation));
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &field));
    FMC_TRY(FMC_ALLOC(ex->alloc, w->shape.n_latents, &w->y));
    FMC_TRY(FMC_ALLOC(ex->alloc, w->shape.n_hyper, &w->z));
    for (size_t i = 0; i < l->count; i++)
        field[i] = (float)((signal_at(l, i) - mean) / deviation);
    st = fmc_vae_analyse(ex, m, &w->shape, field, w->y, w->z);
done:
    fmc_dealloc(ex->alloc, field);
    return st == FMC_ERR_LIMIT ? FMC_ERR_UNSUPPORTED : st;
}

void fmc_learned_fini(const fmc_exec *ex, fmc_learned *w)
{
    fmc_dealloc(ex->alloc, w->y);
    fmc_dealloc(ex->alloc, w->z);
    w->y = w->z = NULL;
}

/* Latents of one level: into the section, and decoded. */
static fmc_status make_base(const fmc_exec *ex, const fmc_learned *w, uint32_t level, fmc_base *base)
{
    const fmc_vae_shape *s = &w->shape;
    int32_t *qz = NULL, *qy = NULL, *mu = NULL;
    uint8_t *index = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_hyper, &qz));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &qy));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &mu));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->n_latents, &index));
    FMC_TRY(fmc_vae_quantise(ex, w->model, level, s, w->y, w->z, qz, qy, mu, index));
    FMC_TRY(fmc_vae_write(ex, w->model, level, s, qz, qy, index, &base->made_of));
    st = fmc_vae_synthesise(ex, w->model, level, s, qy, mu, base->value);
done:
    fmc_dealloc(ex->alloc, qz);
    fmc_dealloc(ex->alloc, qy);
    fmc_dealloc(ex->alloc, mu);
    fmc_dealloc(ex->alloc, index);
    return st;
}

fmc_status fmc_learned_predict(const fmc_exec *ex, const fmc_learned *w, const fmc_lossy *l, uint32_t level, fmc_base *base,
                               double *rmse)
{
    const fmc_base_head head = { .multiplier = w->multiplier, .offset = w->offset };
    const double unit = ldexp(1, w->exponent);
    double square = 0;
    fmc_status st;

    *base = (fmc_base){ .kind = FMC_BASE_VAE, .exponent = w->exponent, .made_of = fmc_out_make(ex->alloc) };
    fmc_out_u64(&base->made_of, w->model->weights.hash);
    fmc_out_u8(&base->made_of, (uint8_t)level);
    fmc_out_u16(&base->made_of, (uint16_t)w->multiplier);
    fmc_out_svarint(&base->made_of, w->offset);
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &base->value));
    FMC_TRY(make_base(ex, w, level, base));
    fmc_base_scale(&head, l->count, base->value);
    for (size_t i = 0; i < l->count; i++) {
        const double e = unit * base->value[i] - signal_at(l, i);

        square += e * e;
    }
    *rmse = sqrt(square / (double)l->count);
done:
    return st;
}
