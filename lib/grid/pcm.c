/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm.h"

#include "core/status.h"
#include "grid/pcm_number.h"

static void fill_right(fmc_pcm_coder *c, size_t row_at)
{
    const size_t nx = c->view->n[3];

    for (size_t i = 1; i <= RIGHT; i++) {
        c->v[row_at + nx - 1 + i] = c->v[row_at + nx - 1];
        c->e[row_at + nx - 1 + i] = c->e[row_at + nx - 1];
    }
    for (size_t i = 1; i <= LEFT; i++) {
        c->v[row_at - i] = c->v[row_at];
        c->e[row_at - i] = c->e[row_at];
    }
}

static void fill_left(fmc_pcm_coder *c, size_t row_at)
{
    for (size_t i = 1; i <= LEFT; i++) {
        c->v[row_at - i] = c->v[row_at - c->pw];
        c->e[row_at - i] = c->e[row_at - c->pw];
    }
}

static void copy_row(fmc_pcm_coder *c, size_t to, size_t from)
{
    memcpy(c->v + to - LEFT, c->v + from - LEFT, c->pw * sizeof *c->v);
    memcpy(c->e + to - LEFT, c->e + from - LEFT, c->pw * sizeof *c->e);
}

static void clear_row(fmc_pcm_coder *c, size_t to)
{
    memset(c->v + to - LEFT, 0, c->pw * sizeof *c->v);
    memset(c->e + to - LEFT, 0, c->pw * sizeof *c->e);
}

static size_t plane_at(const fmc_pcm_coder *c, size_t q)
{
    return q % c->n_planes * c->plane + TOP * c->pw + LEFT;
}

static ptrdiff_t diff(size_t a, size_t b)
{
    return (ptrdiff_t)a - (ptrdiff_t)b;
}

static uint32_t stage_of(size_t a, size_t t)
{
    return (uint32_t)(t > 2 ? 2 : t) + (a ? 3u : 0u);
}

/* Tap offsets for plane q; returns their number. */
static uint32_t lay_taps(const fmc_pcm_coder *c, ptrdiff_t *off, size_t q, size_t a, size_t t)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const size_t here = plane_at(c, q);
    uint32_t n = 0;

    if (c->view->n[2] == 1 && c->view->n[1] == 1) {
        for (ptrdiff_t i = 2; i <= LEFT; i++)
            off[n++] = -i;
        if (a)
            off[n++] = diff(plane_at(c, q - c->view->n[1]), here);
        return n;
    }
    off[n++] = -pw;
    off[n++] = -pw - 1;
    off[n++] = -pw + 1;
    off[n++] = -2;
    off[n++] = -2 * pw;
    off[n++] = -pw + 2;
    if (t) {
        const ptrdiff_t u = diff(plane_at(c, q - 1), here);

        off[n++] = u;
        for (ptrdiff_t y = -1; y <= 1; y++)
            for (ptrdiff_t x = -1; x <= 1; x++)
                if (x || y)
                    off[n++] = u + y * pw + x;
    } else {
        off[n++] = -pw - 2;
        off[n++] = -2 * pw + 1;
        off[n++] = -2 * pw - 1;
        off[n++] = -3;
    }
    if (t > 1) {
        const ptrdiff_t u = diff(plane_at(c, q - 2), here);

        off[n++] = u;
        off[n++] = u - 1;
        off[n++] = u + 1;
        off[n++] = u - pw;
        off[n++] = u + pw;
    }
    if (a) {
        const size_t nt = c->view->n[1];
        const ptrdiff_t u = diff(plane_at(c, q - nt), here);

        off[n++] = u;
        off[n++] = u - 1;
        off[n++] = u + 1;
        off[n++] = u - pw;
        off[n++] = u + pw;
        if (t + 1 < nt)
            off[n++] = diff(plane_at(c, q - nt + 1), here);
        else
            off[n++] = u - pw - 1;
        if (t)
            off[n++] = diff(plane_at(c, q - nt - 1), here);
    }
    return n;
}

static void code_row(fmc_pcm_coder *c, fmc_pcm_taps *t, uint32_t stage, size_t at, size_t src, ptrdiff_t up,
                     uint32_t *since)
{
    const size_t nx = c->view->n[3], sx = c->view->stride[3], pw = c->pw;
    float *now = c->pe;
    fmc_pcm_sample s;

    for (size_t x = 0; x < nx; x++, at++, src += sx) {
        int64_t sym = 0;
        double v;

        fmc_pcm_predict(c, t, &s, at, x, stage);
        if (c->mask && c->mask[src]) {
            c->v[at] = 0.5 * (c->v[at - 1] + c->v[at - pw]);
            c->e[at] = 0.5f * (c->e[at - 1] + c->e[at - pw]);
            for (uint32_t k = 0; k < N_PRED; k++)
                now[k * pw + x + LEFT] = now[k * pw + x + LEFT - 1];
            continue;
        }
        fmc_pcm_contexts(c, &s, at, up);
        if (c->encoding)
            sym = load_symbol(c, src);
        sym = fmc_pcm_symbol(c, &s, sym, at, up);
        if (!c->encoding)
            store_symbol(c, src, sym);
        v = number_of(c, sym);
        if (!(v - v == 0.0))
            v = s.p;
        c->v[at] = v;
        c->e[at] = (float)(v - s.p);
        if (!(fabsf(c->e[at]) < 1e37f))
            c->e[at] = 1e37f;
        c->run += (fabsf(c->e[at]) - c->run) * 0.03125f;
        for (uint32_t k = 0; k < N_PRED; k++) {
            float e = (float)fabs(v - s.pred[k]);

            now[k * pw + x + LEFT] = e < 1e37f ? e : 1e37f;
        }
        {
            const double w = (double)s.err + (double)s.ulp;

            if ((x & 1) == 0 || t->ols.n_seen < WARM_UP) {
                fmc_ols_update(&t->ols, s.d, v - s.base, 1.0 / (w * w));
                fmc_ols_fade(&t->ols);
            }
            if (++*since >= SOLVE_LATE || (t->ols.n_seen < WARM_UP && *since >= SOLVE_EARLY)) {
                fmc_ols_solve(&t->ols);
                *since = 0;
            }
        }
    }
}

static fmc_status code_planes(const fmc_exec *ex, fmc_pcm_coder *c)
{
    const fmc_pcm_view *w = c->view;
    const size_t pw = c->pw;

    for (size_t a = 0; a < w->n[0]; a++) {
        for (size_t t = 0; t < w->n[1]; t++) {
            const size_t q = a * w->n[1] + t, here = plane_at(c, q);
            const uint32_t stage = stage_of(a, t);
            fmc_pcm_taps *tp = c->taps + stage;
            const uint32_t n = lay_taps(c, tp->off, q, a, t);
            ptrdiff_t up = 0;
            uint32_t since = 0;

            if (tp->ols.n != n)
                fmc_ols_init(&tp->ols, n);
            if (t)
                up = diff(plane_at(c, q - 1), here);
            else if (a)
                up = diff(plane_at(c, q - w->n[1]), here);
            for (size_t r = 1; r <= TOP; r++) {
                if (up)
                    copy_row(c, here - r * pw, here + (size_t)up);
                else
                    clear_row(c, here - r * pw);
            }
            for (size_t y = 0; y < w->n[2]; y++) {
                const size_t at = here + y * pw;

                if (fmc_is_cancelled(ex))
                    return FMC_ERR_CANCELLED;
                if (c->encoding && c->enc.out->st != FMC_OK)
                    return c->enc.out->st;
                if (c->lat->step) {
                    const size_t i = c->lat->step_dim == 0 ? a : c->lat->step_dim == 1 ? t : y;

                    c->step = c->lat->step[i];
                    c->origin = c->lat->origin[i];
                }
                fill_left(c, at);
                code_row(c, tp, stage, at, a * w->stride[0] + t * w->stride[1] + y * w->stride[2], up, &since);
                fill_right(c, at);
                for (uint32_t k = 0; k < N_PRED; k++) {
                    float *now = c->pe + k * pw;

                    for (size_t i = 0; i < LEFT; i++)
                        now[i] = now[LEFT];
                    for (size_t i = 1; i <= RIGHT; i++)
                        now[LEFT + w->n[3] - 1 + i] = now[LEFT + w->n[3] - 1];
                }
                memcpy(c->pe + N_PRED * pw, c->pe, N_PRED * pw * sizeof *c->pe);
            }
            copy_row(c, here + w->n[2] * pw, here + (w->n[2] - 1) * pw);
        }
    }
    return FMC_OK;
}

/* ---- set-up ---- */

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

    c->per_bucket = range > 0 ? N_BUCKET / range : 0;
    for (size_t i = 0; i <= N_BUCKET; i++) {
        while (r < n && (t[r] - t[0]) * c->per_bucket < (double)i)
            r++;
        c->bucket[i] = (uint32_t)(i < N_BUCKET ? (r ? r - 1 : 0) : n);
    }
}

static fmc_status run(const fmc_exec *ex, fmc_pcm_coder *c)
{
    static const uint32_t size[N_CTX] = { CTX0, CTX1, CTX2, CTX3 };
    enum { SIGN = 4096, LOW = 8192, EQ = 4096, MIX = 6 * N_NODE * N_IN };
    const fmc_allocator *al = ex->alloc;
    const size_t *n = c->view->n;
    fmc_prob *probs = NULL;
    size_t n_probs = SIGN + LOW + EQ;
    fmc_status st;

    c->lat = &c->par->lattice;
    c->scale = power_of_two(c->par->scale_log2);
    c->unscale = power_of_two(-c->par->scale_log2);
    c->step = 1.0;
    c->pw = n[3] + LEFT + RIGHT;
    c->ph = n[2] + TOP + BOTTOM;
    c->plane = c->pw * c->ph;
    c->n_planes = n[0] > 1 ? (n[1] + 2 > 3 ? n[1] + 2 : 3) : n[1] > 3 ? 3 : n[1];
    for (uint32_t i = 0; i < N_CTX; i++)
        n_probs += (size_t)size[i] * N_NODE;
    FMC_TRY(FMC_ALLOC_ZERO(al, c->plane * c->n_planes, &c->v));
    FMC_TRY(FMC_ALLOC_ZERO(al, c->plane * c->n_planes, &c->e));
    FMC_TRY(FMC_ALLOC_ZERO(al, 2 * N_PRED * c->pw, &c->pe));
    FMC_TRY(FMC_ALLOC_ZERO(al, 6, &c->taps));
    FMC_TRY(FMC_ALLOC(al, n_probs, &probs));
    FMC_TRY(FMC_ALLOC(al, MIX, &c->mix));
    if (c->lat->kind == FMC_LATTICE_TABLE) {
        FMC_TRY(FMC_ALLOC(al, N_BUCKET + 1, &c->bucket));
        fill_buckets(c);
    }
    init_probs(probs, n_probs);
    {
        fmc_prob *p = probs;

        for (uint32_t i = 0; i < N_CTX; i++) {
            c->ctx[i] = p;
            p += (size_t)size[i] * N_NODE;
        }
        c->sign_ctx = p;
        c->low_ctx = p + SIGN;
        c->eq_ctx = p + SIGN + LOW;
    }
    for (size_t i = 0; i < MIX; i++)
        c->mix[i] = 2048 + 512;
    st = code_planes(ex, c);
done:
    fmc_dealloc(al, c->bucket);
    fmc_dealloc(al, c->mix);
    fmc_dealloc(al, probs);
    fmc_dealloc(al, c->taps);
    fmc_dealloc(al, c->pe);
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
