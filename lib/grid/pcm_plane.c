/* SPDX-License-Identifier: Apache-2.0 */
/* One plane through the pcm coder, row by row: rings of decoded numbers and errors with margins, format.md 9.4. */
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

static uint32_t lay(ptrdiff_t *off, uint32_t n, ptrdiff_t pw, ptrdiff_t plane, const int8_t (*at)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        off[n++] = plane + at[i][0] * pw + at[i][1];
    return n;
}

/* Places of taps: rows, columns. */
static const int8_t above[][2] = { { -1, -1 }, { -1, 1 }, { -2, 0 }, { -1, 2 } };
static const int8_t above_more[][2] = { { -1, -2 }, { -2, 1 }, { -2, -1 } };
static const int8_t above_most[][2] = { { -1, 3 }, { -1, -3 }, { -2, 2 }, { -2, -2 } };
static const int8_t around[][2] = { { -1, -1 }, { -1, 0 }, { -1, 1 }, { 0, -1 }, { 0, 0 }, { 0, 1 }, { 1, -1 }, { 1, 0 }, { 1, 1 } };
static const int8_t around_more[][2] = { { 0, 2 }, { 0, -2 }, { -2, 0 } };
static const int8_t cross[][2] = { { 0, 0 }, { 0, -1 }, { 0, 1 }, { -1, 0 }, { 1, 0 } };

#define LAY(plane, at) (n = lay(off, n, pw, plane, at, sizeof(at) / sizeof *(at)))

/* Tap offsets for plane q. */
static void lay_taps(const fmc_pcm_coder *c, fmc_pcm_taps *taps, size_t q, size_t a, size_t t)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const size_t here = plane_at(c, q), nt = c->view->n[1];
    ptrdiff_t *off = taps->off;
    uint32_t n = 0;

    taps->n_near = c->is_line ? LINE_NEAR : c->strong ? 6 : t ? 2 : 3;
    if (c->is_line && a)
        off[n++] = diff(plane_at(c, q - nt), here);
    if (!c->is_line) {
        LAY(0, above);
        if (!t || c->strong)
            LAY(0, above_more);
        if (!t && c->strong)
            LAY(0, above_most);
    }
    if (t) {
        LAY(diff(plane_at(c, q - 1), here), around);
        if (c->strong)
            LAY(diff(plane_at(c, q - 1), here), around_more);
    }
    if (t > 1)
        LAY(diff(plane_at(c, q - 2), here), cross);
    if (a && !c->is_line) {
        const ptrdiff_t u = diff(plane_at(c, q - nt), here);

        LAY(u, cross);
        off[n++] = t + 1 < nt ? diff(plane_at(c, q - nt + 1), here) : u - pw - 1;
        if (t)
            off[n++] = diff(plane_at(c, q - nt - 1), here);
    }
    taps->n_far = n;
    for (uint32_t i = 1; i <= taps->n_near; i++)
        off[n++] = -(ptrdiff_t)i;
    if (taps->ols.n != n) {
        fmc_ols_init(&taps->ols, n);
        fmc_ols_init(&taps->quick, n);
    }
}

FMC_ALWAYS_INLINE void set_errors(fmc_pcm_coder *c, const fmc_pcm_sample *s, size_t x, double v, const uint32_t n)
{
    float *now = c->pe_now + (x + LEFT) * PRED_STRIDE;

    for (uint32_t k = 0; k < n; k++) {
        const float e = (float)fabs(v - s->pred[k]);

        now[k] = e < 1e37f ? e : 1e37f;
    }
}

static void skip_sample(fmc_pcm_coder *c, size_t at, size_t x)
{
    float *now = c->pe_now + (x + LEFT) * PRED_STRIDE;

    c->v[at] = 0.5 * (c->v[at - 1] + c->v[at - c->pw]);
    c->e[at] = 0.5f * (c->e[at - 1] + c->e[at - c->pw]);
    if (c->rank)
        c->rank[at] = (int32_t)symbol_of(c, c->v[at]);
    memcpy(now, now - PRED_STRIDE, PRED_STRIDE * sizeof *now);
}

FMC_ALWAYS_INLINE void code_sample(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t i, size_t src,
                                   bool has_time, ptrdiff_t up, const uint32_t n_pred)
{
    fmc_pcm_sample s;
    int64_t sym = 0;
    double v;
    float e;

    predict(c, t, &s, at, x, i, has_time, n_pred);
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
    set_errors(c, &s, x, v, n_pred);
    c->block->weight[i] = s.err + s.ulp;
}

/* n samples of a row. */
FMC_ALWAYS_INLINE void code_run(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t n, size_t src, bool has_time,
                                ptrdiff_t up, const uint32_t n_pred)
{
    const size_t sx = c->view->stride[3];

    for (size_t i = 0; i < n; i++) {
        if (c->mask && c->mask[src + i * sx]) {
            skip_sample(c, at + i, x + i);
            c->block->weight[i] = 0;
        } else {
            code_sample(c, t, at + i, x + i, i, src + i * sx, has_time, up, n_pred);
        }
    }
}

static void code_row(fmc_pcm_coder *c, fmc_pcm_taps *t, bool has_time, size_t at, size_t src, ptrdiff_t up,
                     size_t *since)
{
    const size_t nx = c->view->n[3], sx = c->view->stride[3];

    for (size_t x = 0, n; x < nx; x += n, at += n, src += n * sx) {
        n = t->ols.n_seen < WARM_UP && !c->fast ? BLOCK_EARLY : BLOCK;
        n = nx - x < n ? nx - x : n;
        fmc_pcm_prepare(c, t, at, x, n, has_time, up);
        if (c->strong)
            code_run(c, t, at, x, n, src, has_time, up, N_STRONG);
        else
            code_run(c, t, at, x, n, src, has_time, up, N_PRED);
        if (c->fast)
            continue;
        fmc_pcm_learn(c, t, at, n);
        *since += n;
        if (*since >= (c->strong ? SOLVE_STRONG : SOLVE_LATE) || t->ols.n_seen < WARM_UP) {
            fmc_ols_solve(&t->ols);
            if (c->strong)
                fmc_ols_solve(&t->quick);
            *since = 0;
        }
    }
}

/* After a row: margins of the predictors' errors; it becomes the row before. */
static void turn_errors(fmc_pcm_coder *c)
{
    const size_t last = (LEFT + c->view->n[3] - 1) * PRED_STRIDE, bytes = PRED_STRIDE * sizeof *c->pe_now;
    float *now = c->pe_now;

    for (size_t i = 0; i < LEFT; i++)
        memcpy(now + i * PRED_STRIDE, now + LEFT * PRED_STRIDE, bytes);
    for (size_t i = 1; i <= RIGHT; i++)
        memcpy(now + last + i * PRED_STRIDE, now + last, bytes);
    memcpy(c->pe_up, now, LEFT * bytes);
    c->pe_now = c->pe_up;
    c->pe_up = now;
}

/* Bits written so far. */
static double bits_written(const fmc_enc *e)
{
    return 8.0 * (double)e->out->size - log2((double)e->range);
}

fmc_status fmc_pcm_plane(const fmc_exec *ex, fmc_pcm_coder *c, size_t a, size_t t)
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
