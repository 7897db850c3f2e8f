/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm.h"

#include "core/status.h"
#include "grid/pcm_sample.h"

static void set_margin(fmc_pcm_coder *c, size_t to, size_t from)
{
    c->v[to] = c->v[from];
    c->e[to] = c->e[from];
    if (c->rank)
        c->rank[to] = c->rank[from];
}

static void fill_row_ends(fmc_pcm_coder *c, size_t row_at)
{
    for (size_t i = 1; i <= RIGHT; i++)
        set_margin(c, row_at + c->view->n[3] - 1 + i, row_at + c->view->n[3] - 1);
    for (size_t i = 1; i <= LEFT; i++)
        set_margin(c, row_at - i, row_at);
}

static void fill_left(fmc_pcm_coder *c, size_t row_at)
{
    for (size_t i = 1; i <= LEFT; i++)
        set_margin(c, row_at - i, row_at - c->pw);
}

static void copy_row(fmc_pcm_coder *c, size_t to, size_t from)
{
    memcpy(c->v + to - LEFT, c->v + from - LEFT, c->pw * sizeof *c->v);
    memcpy(c->e + to - LEFT, c->e + from - LEFT, c->pw * sizeof *c->e);
    if (c->rank)
        memcpy(c->rank + to - LEFT, c->rank + from - LEFT, c->pw * sizeof *c->rank);
}

static void clear_row(fmc_pcm_coder *c, size_t to)
{
    memset(c->v + to - LEFT, 0, c->pw * sizeof *c->v);
    memset(c->e + to - LEFT, 0, c->pw * sizeof *c->e);
    if (c->rank)
        memset(c->rank + to - LEFT, 0, c->pw * sizeof *c->rank);
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

static uint32_t lay_cross(ptrdiff_t *off, uint32_t n, ptrdiff_t u, ptrdiff_t pw)
{
    off[n++] = u;
    off[n++] = u - 1;
    off[n++] = u + 1;
    off[n++] = u - pw;
    off[n++] = u + pw;
    return n;
}

/* Tap offsets for plane q. */
static void lay_taps(const fmc_pcm_coder *c, fmc_pcm_taps *taps, size_t q, size_t a, size_t t)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const size_t here = plane_at(c, q), nt = c->view->n[1];
    ptrdiff_t *off = taps->off;
    uint32_t n = 0;

    taps->n_near = c->is_line ? MAX_NEAR : t ? 2 : 3;
    if (c->is_line && a)
        off[n++] = diff(plane_at(c, q - nt), here);
    if (!c->is_line) {
        off[n++] = -pw - 1;
        off[n++] = -pw + 1;
        off[n++] = -2 * pw;
        off[n++] = -pw + 2;
        if (!t) {
            off[n++] = -pw - 2;
            off[n++] = -2 * pw + 1;
            off[n++] = -2 * pw - 1;
        }
    }
    if (t) {
        const ptrdiff_t u = diff(plane_at(c, q - 1), here);

        for (ptrdiff_t y = -1; y <= 1; y++)
            for (ptrdiff_t x = -1; x <= 1; x++)
                off[n++] = u + y * pw + x;
    }
    if (t > 1)
        n = lay_cross(off, n, diff(plane_at(c, q - 2), here), pw);
    if (a && !c->is_line) {
        const ptrdiff_t u = diff(plane_at(c, q - nt), here);

        n = lay_cross(off, n, u, pw);
        off[n++] = t + 1 < nt ? diff(plane_at(c, q - nt + 1), here) : u - pw - 1;
        if (t)
            off[n++] = diff(plane_at(c, q - nt - 1), here);
    }
    taps->n_far = n;
    for (uint32_t i = 1; i <= taps->n_near; i++)
        off[n++] = -(ptrdiff_t)i;
    if (taps->ols.n != n)
        fmc_ols_init(&taps->ols, n);
}

static void set_errors(fmc_pcm_coder *c, const fmc_pcm_sample *s, size_t x, double v)
{
    float *now = c->pe_now + (x + LEFT) * N_PRED;

    for (uint32_t k = 0; k < N_PRED; k++) {
        const float e = (float)fabs(v - s->pred[k]);

        now[k] = e < 1e37f ? e : 1e37f;
    }
}

static void skip_sample(fmc_pcm_coder *c, size_t at, size_t x)
{
    float *now = c->pe_now + (x + LEFT) * N_PRED;

    c->v[at] = 0.5 * (c->v[at - 1] + c->v[at - c->pw]);
    c->e[at] = 0.5f * (c->e[at - 1] + c->e[at - c->pw]);
    if (c->rank)
        c->rank[at] = (int32_t)symbol_of(c, c->v[at]);
    memcpy(now, now - N_PRED, N_PRED * sizeof *now);
}

static void code_sample(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t i, size_t src, bool has_time,
                        ptrdiff_t up)
{
    fmc_pcm_sample s;
    int64_t sym = 0;
    double v;
    float e;

    predict(c, t, &s, at, x, i, has_time);
    set_contexts(c, &s, at, i, up);
    if (c->encoding)
        sym = load_symbol(c, src);
    sym = fmc_pcm_symbol(c, &s, sym, at, up);
    if (!c->encoding)
        store_symbol(c, src, sym);
    v = number_of(c, sym);
    if (!(v - v == 0.0))
        v = s.p;
    c->v[at] = v;
    if (c->rank)
        c->rank[at] = (int32_t)sym;
    e = (float)(v - s.p);
    if (!(fabsf(e) < 1e37f))
        e = 1e37f;
    c->e[at] = e;
    c->run += (fabsf(e) - c->run) * 0.03125f;
    set_errors(c, &s, x, v);
    c->block->weight[i] = s.err + s.ulp;
}

static void code_row(fmc_pcm_coder *c, fmc_pcm_taps *t, bool has_time, size_t at, size_t src, ptrdiff_t up,
                     size_t *since)
{
    const size_t nx = c->view->n[3], sx = c->view->stride[3];

    for (size_t x = 0, n; x < nx; x += n, at += n, src += n * sx) {
        n = t->ols.n_seen < WARM_UP && !c->fast ? BLOCK_EARLY : BLOCK;
        n = nx - x < n ? nx - x : n;
        fmc_pcm_prepare(c, t, at, x, n, has_time, up);
        for (size_t i = 0; i < n; i++) {
            if (c->mask && c->mask[src + i * sx]) {
                skip_sample(c, at + i, x + i);
                c->block->weight[i] = 0;
            } else {
                code_sample(c, t, at + i, x + i, i, src + i * sx, has_time, up);
            }
        }
        if (c->fast)
            continue;
        fmc_pcm_learn(c, t, at, n);
        *since += n;
        if (*since >= (c->strong ? SOLVE_STRONG : SOLVE_LATE) || t->ols.n_seen < WARM_UP) {
            fmc_ols_solve(&t->ols);
            *since = 0;
        }
    }
}

/* After a row: margins of the predictors' errors; it becomes the row before. */
static void turn_errors(fmc_pcm_coder *c)
{
    const size_t last = (LEFT + c->view->n[3] - 1) * N_PRED, bytes = N_PRED * sizeof *c->pe_now;
    float *now = c->pe_now;

    for (size_t i = 0; i < LEFT; i++)
        memcpy(now + i * N_PRED, now + LEFT * N_PRED, bytes);
    for (size_t i = 1; i <= RIGHT; i++)
        memcpy(now + last + i * N_PRED, now + last, bytes);
    memcpy(c->pe_up, now, LEFT * bytes);
    c->pe_now = c->pe_up;
    c->pe_up = now;
}

/* Bits written so far. */
static double bits_written(const fmc_enc *e)
{
    return 8.0 * (double)e->out->size - log2((double)e->range);
}

static fmc_status code_plane(const fmc_exec *ex, fmc_pcm_coder *c, size_t a, size_t t)
{
    const fmc_pcm_view *w = c->view;
    const size_t pw = c->pw, q = a * w->n[1] + t, here = plane_at(c, q);
    fmc_pcm_taps *tp = c->taps + stage_of(a, t);
    ptrdiff_t up = 0;
    size_t since = 0;

    lay_taps(c, tp, q, a, t);
    if (t || a)
        up = diff(plane_at(c, t ? q - 1 : q - w->n[1]), here);
    for (size_t r = 1; r <= TOP; r++) {
        if (up)
            copy_row(c, here - r * pw, here + (size_t)up);
        else
            clear_row(c, here - r * pw);
    }
    for (size_t y = 0; y < w->n[2]; y++) {
        const size_t at = here + y * pw, src = a * w->stride[0] + t * w->stride[1] + y * w->stride[2];
        double before = 0;

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
        if (c->meter)
            before = bits_written(&c->enc);
        code_row(c, tp, t > 0, at, src, up, &since);
        if (c->meter && (t || a || !c->meter->skip_plane) && (y || !c->meter->skip_row)) {
            c->meter->bits += bits_written(&c->enc) - before;
            for (size_t x = 0; x < w->n[3]; x++)
                c->meter->n_samples += !c->mask || !c->mask[src + x * w->stride[3]];
        }
        fill_row_ends(c, at);
        turn_errors(c);
    }
    copy_row(c, here + w->n[2] * pw, here + (w->n[2] - 1) * pw);
    return FMC_OK;
}

static fmc_status code_planes(const fmc_exec *ex, fmc_pcm_coder *c)
{
    fmc_status st = FMC_OK;

    for (size_t a = 0; a < c->view->n[0] && st == FMC_OK; a++)
        for (size_t t = 0; t < c->view->n[1] && st == FMC_OK; t++)
            st = code_plane(ex, c, a, t);
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
        if (i == m->n_parts / 2) {
            m->bits = 0;
            m->n_samples = 0;
        }
        st = code_planes(ex, c);
    }
    return st;
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
                            c->fast ? 0 : CTX3 * N_NODE, N_SIGN, N_MANT, N_LOW, N_EQ };
    fmc_prob **const table[] = { &c->ctx[0], &c->ctx[1], &c->ctx[2], &c->ctx[3],
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
        const double f = fmc_dec_scaled(1.0, e) * c->scale;

        c->dec_spacing[e + FMC_DEC_LOWEST] = f < 1e-37 ? 1e-37f : f > 1e37 ? 1e37f : (float)f;
    }
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
    FMC_TRY(FMC_ALLOC_ZERO(al, 2 * N_PRED * c->pw, &pe));
    c->pe_now = pe;
    c->pe_up = pe + N_PRED * c->pw;
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
