/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm.h"

#include "core/status.h"
#include "grid/pcm_number.h"

/* 2^e, -1022 <= e <= 1023. */
static double power_of_two(int32_t e)
{
    return fmc_unorder_f64((int64_t)(e + 1023) << 52);
}

static void init_probs(fmc_prob *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = FMC_PROB_INIT;
}

/* bucket[i]: a rank at or before the first one whose number reaches the i-th piece of the range. */
static void fill_buckets(fmc_pcm_coder *c)
{
    const double *t = c->lat->table;
    const size_t n = (size_t)c->lat->hi + 1;
    const double range = t[n - 1] - t[0];
    size_t r = 0;

    c->per_bucket = range > 0 ? (double)c->n_bucket / range : 0;
    for (size_t i = 0; i <= c->n_bucket; i++) {
        while (r < n && (t[r] - t[0]) * c->per_bucket < (double)i)
            r++;
        c->bucket[i] = (uint32_t)(i < c->n_bucket ? (r ? r - 1 : 0) : n);
    }
}

/* Counters at their start, laid out one table after the other. */
static fmc_status make_counters(const fmc_allocator *al, fmc_pcm_coder *c, fmc_prob **probs)
{
    const size_t size[] = { (c->fast ? 900 : CTX0) * N_NODE, c->fast ? 0 : CTX1 * N_NODE, c->strong ? CTX2 * N_NODE : 0,
                            c->fast ? 0 : CTX3 * N_NODE, c->strong ? CTX4 * N_NODE : 0, N_SIGN, N_MANT, N_LOW, N_EQ };
    fmc_prob **const table[] = { &c->ctx[0], &c->ctx[1], &c->ctx[2], &c->ctx[3], &c->ctx[4],
                                 &c->sign_ctx, &c->mant_ctx, &c->low_ctx, &c->eq_ctx };
    size_t n = 0;
    fmc_status st;

    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        n += size[i];
    FMC_TRY(FMC_ALLOC(al, n, probs));
    init_probs(*probs, n);
    n = 0;
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        *table[i] = *probs + n;
        n += size[i];
    }
    FMC_TRY(FMC_ALLOC(al, (size_t)N_ROW * N_IN, &c->mix));
    for (size_t i = 0; i < (size_t)N_ROW * N_IN; i++)
        c->mix[i] = 2560;
done:
    return st;
}

/* What depends on parameters alone. */
static void set_constants(fmc_pcm_coder *c)
{
    const size_t *n = c->view->n;
    const fmc_lattice *l = &c->par->lattice;
    uint64_t span = (uint64_t)l->hi - (uint64_t)l->lo;

    c->lat = l;
    c->fast = c->par->flags & FMC_PCM_FAST;
    c->strong = c->par->flags & FMC_PCM_STRONG;
    c->scale = power_of_two(c->par->scale_log2);
    c->unscale = power_of_two(-c->par->scale_log2);
    c->step = 1.0;
    while (span >> c->level_shift > 31)
        c->level_shift++;
    c->is_line = n[2] == 1 && n[1] == 1;
    c->pw = n[3] + LEFT + RIGHT;
    c->ph = n[2] + TOP + BOTTOM;
    c->plane = c->pw * c->ph;
    c->n_planes = n[0] > 1 ? (n[1] + 2 > 3 ? n[1] + 2 : 3) : n[1] > 3 ? 3 : n[1];
    for (int e = -FMC_DEC_LOWEST; e <= 22; e++) {
        const double f = fmc_decimal_scaled(1.0, e) * c->scale;

        c->dec_spacing[e + FMC_DEC_LOWEST] = f < 1e-37 ? 1e-37f : f > 1e37 ? 1e37f : (float)f;
    }
}

static fmc_status code_planes(const fmc_exec *ex, fmc_pcm_coder *c)
{
    fmc_status st = FMC_OK;

    for (size_t a = 0; a < c->view->n[0] && st == FMC_OK; a++)
        for (size_t t = 0; t < c->view->n[1] && st == FMC_OK; t++)
            st = fmc_pcm_plane(ex, c, a, t);
    return st;
}

static fmc_status code_parts(const fmc_exec *ex, fmc_pcm_coder *c)
{
    const uint8_t *src = c->src, *mask = c->mask;
    fmc_pcm_meter *m = c->meter;
    fmc_status st = FMC_OK;

    for (size_t i = 0; i < m->n_parts && st == FMC_OK; i++) {
        c->src = src + m->at[i] * m->elem_size;
        c->mask = mask ? mask + m->at[i] : NULL;
        if (i == m->n_warm) {
            m->bits = 0;
            m->n_samples = 0;
        }
        st = code_planes(ex, c);
    }
    return st;
}

static fmc_status run(const fmc_exec *ex, fmc_pcm_coder *c)
{
    const fmc_allocator *al = ex->alloc;
    fmc_prob *probs = NULL;
    float *pe = NULL;
    fmc_status st;

    set_constants(c);
    FMC_TRY(FMC_ALLOC_ZERO(al, c->plane * c->n_planes + RIGHT, &c->v));
    FMC_TRY(FMC_ALLOC_ZERO(al, c->plane * c->n_planes, &c->e));
    FMC_TRY(FMC_ALLOC_ZERO(al, 2 * PRED_STRIDE * c->pw, &pe));
    c->pe_now = pe;
    c->pe_up = pe + PRED_STRIDE * c->pw;
    FMC_TRY(FMC_ALLOC_ZERO(al, 6, &c->taps));
    FMC_TRY(FMC_ALLOC_ZERO(al, 1, &c->block));
    FMC_TRY(make_counters(al, c, &probs));
    if (c->lat->kind == FMC_LATTICE_TABLE) {
        FMC_TRY(FMC_ALLOC_ZERO(al, c->plane * c->n_planes, &c->rank));
        c->n_bucket = LEAST_BUCKETS;
        while (c->n_bucket < MOST_BUCKETS && (int64_t)c->n_bucket < 4 * (c->lat->hi + 1))
            c->n_bucket *= 2;
        FMC_TRY(FMC_ALLOC(al, c->n_bucket + 1, &c->bucket));
        fill_buckets(c);
    }
    st = c->meter ? code_parts(ex, c) : code_planes(ex, c);
done:
    fmc_dealloc(al, c->bucket);
    fmc_dealloc(al, c->rank);
    fmc_dealloc(al, c->mix);
    fmc_dealloc(al, probs);
    fmc_dealloc(al, c->block);
    fmc_dealloc(al, c->taps);
    fmc_dealloc(al, pe);
    fmc_dealloc(al, c->e);
    fmc_dealloc(al, c->v);
    return st;
}

fmc_status fmc_pcm_encode(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params, const void *src,
                          const uint8_t *mask, fmc_out *out)
{
    fmc_pcm_coder c = { .view = view, .par = params, .src = src, .mask = mask, .encoding = true };
    fmc_status st;

    fmc_enc_init(&c.enc, out);
    st = run(ex, &c);
    if (st != FMC_OK)
        return st;
    fmc_enc_finish(&c.enc);
    return out->st;
}

fmc_status fmc_pcm_decode(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params,
                          const uint8_t *data, size_t size, const uint8_t *mask, void *dst)
{
    fmc_pcm_coder c = { .view = view, .par = params, .dst = dst, .mask = mask, .encoding = false };
    fmc_status st;

    fmc_dec_init(&c.dec, data, size);
    st = run(ex, &c);
    return st != FMC_OK ? st : fmc_dec_finish(&c.dec);
}

fmc_status fmc_pcm_measure(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params, const void *src,
                           const uint8_t *mask, fmc_pcm_meter *m)
{
    fmc_out out = fmc_out_make(ex->alloc);
    fmc_pcm_coder c = {
        .view = view, .par = params, .src = src, .mask = mask, .encoding = true, .meter = m
    };
    fmc_status st;

    m->bits = 0;
    m->n_samples = 0;
    fmc_enc_init(&c.enc, &out);
    st = run(ex, &c);
    if (st == FMC_OK)
        st = out.st;
    fmc_out_fini(&out);
    return st;
}
