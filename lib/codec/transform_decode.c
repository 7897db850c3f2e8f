/* SPDX-License-Identifier: Apache-2.0 */
/* A transform coder's body back to samples, whole or coarse (docs/format.md 5.1, 6, 8). Untrusted bytes. */
#include <math.h>
#include <string.h>

#include "codec/coder.h"
#include "coef/coef.h"
#include "coef/prior.h"
#include "core/status.h"

/* The head of a body: everything before the coefficients. */
typedef struct body_head {
    uint32_t      tier;
    uint64_t      model; /* hash of its prior */
    fmc_tx_plan   plan;
    fmc_tx_klt   *klt; /* owned */
    fmc_quantiser quant;
} body_head;

static fmc_status parse_head(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, body_head *h)
{
    fmc_status st;

    memset(h, 0, sizeof *h);
    FMC_TRY(fmc_tier_read(in, &h->tier, &h->model));
    h->plan.rank = s->rank;
    memcpy(h->plan.dim, s->dim, sizeof h->plan.dim);
    FMC_TRY(fmc_tx_plan_parse(in, ex->alloc, &h->plan, &h->klt));
    FMC_TRY(fmc_step_read(in, &h->quant.step));
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < FMC_QUANT_SIZES; m++)
            h->quant.centre[k][m] = (int8_t)fmc_in_u8(in);
    st = fmc_in_status(in);
done:
    return st;
}

fmc_status fmc_transform_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon)
{
    body_head h;
    fmc_band *band = NULL;
    int32_t *q = NULL;
    size_t n_bands;
    const fmc_prior *prior;
    fmc_status st;

    FMC_TRY(parse_head(ex, s, in, &h));
    FMC_TRY(fmc_tier_prior(ex, h.tier, h.model, &prior));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->count, &q));
    FMC_TRY(fmc_parallel_zero(ex, q, s->count * sizeof *q));
    n_bands = fmc_tx_bands(&h.plan, band);
    FMC_TRY(fmc_coef_decode(ex, band, n_bands, q, h.tier, prior, in));
    FMC_TRY(fmc_signal_dequantise(ex, s, &h.plan, band, n_bands, q, &h.quant, recon));
    fmc_dealloc(ex->alloc, q);
    q = NULL;
    FMC_TRY(fmc_signal_inverse(ex, s, &h.plan, recon));
done:
    fmc_dealloc(ex->alloc, h.klt);
    fmc_dealloc(ex->alloc, band);
    fmc_dealloc(ex->alloc, q);
    return st;
}

/* Extent after `times` halvings that keep the low half. */
static size_t halved(size_t n, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        n = (n + 1) / 2;
    return n;
}

/*
 * The plan without its finest `times` levels: what is low along every W and P axis that many times. Axes that are not
 * transformed stay whole. @return 0 if an axis is too short or of another kind.
 */
static int coarse_plan(const fmc_tx_plan *plan, uint32_t times, fmc_tx_plan *coarse)
{
    *coarse = *plan;
    for (uint32_t a = 0; a < plan->rank; a++) {
        const int is_wavelet = plan->kind[a] == FMC_TX_DYADIC || plan->kind[a] == FMC_TX_PACKET;

        if (is_wavelet && plan->levels[a] >= times) {
            coarse->dim[a] = halved(plan->dim[a], times);
            coarse->levels[a] = (uint8_t)(plan->levels[a] - times);
        } else if (plan->kind[a] != FMC_TX_NONE) {
            return 0;
        }
    }
    return 1;
}

/* Keep the bands that lie in the coarse array. @return how many; *n_decode: how many must be decoded to have them. */
static size_t keep_coarse(const fmc_tx_plan *coarse, fmc_band *band, size_t n_bands, size_t *n_decode)
{
    const uint32_t shift = FMC_MAX_RANK - coarse->rank;
    size_t kept = 0;

    *n_decode = 0;
    for (size_t i = 0; i < n_bands; i++) {
        int is_inside = band[i].count > 0;

        for (uint32_t a = 0; a < coarse->rank; a++)
            is_inside = is_inside && band[i].origin[a + shift] + band[i].dim[a + shift] <= coarse->dim[a];
        if (is_inside) {
            band[kept++] = band[i];
            *n_decode = i + 1;
        }
    }
    return kept;
}

/* 1 / the gain of a constant: sqrt(2) for each halving of more than one sample. */
static double coarse_scale(const fmc_tx_plan *plan, const fmc_tx_plan *coarse)
{
    uint32_t halvings = 0;
    double scale = 1;

    for (uint32_t a = 0; a < plan->rank; a++)
        for (uint32_t k = coarse->levels[a]; k < plan->levels[a]; k++)
            halvings += halved(plan->dim[a], k - coarse->levels[a]) > 1;
    for (uint32_t i = 0; i < halvings / 2; i++)
        scale *= 0.5;
    return halvings & 1 ? scale * 0.7071067811865476 : scale;
}

static void scale_samples(const fmc_signal *s, double scale, void *data)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->dtype == FMC_F64)
            ((double *)data)[i] *= scale;
        else
            ((float *)data)[i] *= (float)scale;
}

fmc_status fmc_transform_preview(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, uint32_t scale_log2,
                                 fmc_signal *c, void **coarse)
{
    fmc_in from = *in;
    fmc_tx_plan plan;
    body_head h;
    fmc_band *band = NULL, *all = NULL;
    int32_t *q = NULL;
    size_t n_bands, n_kept, n_decode;
    const fmc_prior *prior;
    fmc_status st;

    *coarse = NULL;
    FMC_TRY(parse_head(ex, s, &from, &h));
    FMC_TRY(fmc_tier_prior(ex, h.tier, h.model, &prior));
    if (!coarse_plan(&h.plan, scale_log2, &plan))
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    *c = (fmc_signal){ .dtype = s->dtype, .rank = s->rank, .count = 1 };
    for (uint32_t a = 0; a < s->rank; a++)
        c->count *= c->dim[a] = plan.dim[a];
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &all));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC(ex->alloc, s->count, &q));
    FMC_TRY(fmc_parallel_zero(ex, q, s->count * sizeof *q));
    n_bands = fmc_tx_bands(&h.plan, all);
    memcpy(band, all, n_bands * sizeof *band);
    n_kept = keep_coarse(&plan, band, n_bands, &n_decode);
    FMC_TRY(fmc_coef_decode_first(ex, all, n_bands, n_decode, q, h.tier, prior, &from));
    FMC_TRY(fmc_signal_alloc(ex, c, coarse));
    FMC_TRY(fmc_signal_dequantise(ex, c, &plan, band, n_kept, q, &h.quant, *coarse));
    FMC_TRY(fmc_signal_inverse(ex, c, &plan, *coarse));
    scale_samples(c, coarse_scale(&h.plan, &plan), *coarse);
done:
    if (st != FMC_OK) {
        fmc_dealloc(ex->alloc, *coarse);
        *coarse = NULL;
    }
    fmc_dealloc(ex->alloc, h.klt);
    fmc_dealloc(ex->alloc, all);
    fmc_dealloc(ex->alloc, band);
    fmc_dealloc(ex->alloc, q);
    return st;
}

fmc_status fmc_transform_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size)
{
    static const char letters[2][7] = { "0WPDFK", "0VQDFK" };
    body_head h;
    fmc_status st = parse_head(ex, s, in, &h);

    for (uint32_t a = 0; st == FMC_OK && a < s->rank && a + 1 < size; a++) {
        text[a] = letters[h.plan.is_long[a]][h.plan.kind[a]];
        text[a + 1] = 0;
    }
    fmc_dealloc(ex->alloc, h.klt);
    return st;
}
