/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_SAMPLE_H
#define FMC_GRID_PCM_SAMPLE_H

/* Prediction and contexts of one sample, docs/format.md 9.4 and 9.6. Inlined into the loop over a row. */

#include "grid/pcm_number.h"

/* A least-squares prediction: what was summed of its far taps, and the near ones. */
static inline double near_sum(const fmc_ols *o, const fmc_pcm_taps *t, double p, const double *v, double base)
{
    const double *w = o->w + t->n_far;

    for (uint32_t j = t->n_near; j-- > 0;)
        p += w[j] * (v[-1 - (ptrdiff_t)j] - base);
    return p;
}

static inline void near_parts(const fmc_pcm_coder *c, const fmc_pcm_taps *t, fmc_pcm_sample *s, const double *v,
                              size_t i, bool has_time)
{
    const fmc_pcm_block *k = c->block;
    const double W = v[-1];

    if (c->is_line) {
        const double d = W - v[-2];

        s->pred[1] = W + d;
        s->pred[2] = W + 0.5 * d;
        s->pred[3] = W;
        if (c->fast)
            s->pred[0] = W + (d + d) - (v[-2] - v[-3]);
    } else {
        s->pred[1] = k->part[1][i] + W;
        s->pred[2] = k->part[2][i] + 0.5 * W;
        s->pred[3] = has_time ? k->part[3][i] : W;
        if (c->fast)
            s->pred[0] = has_time ? k->part[0][i] + W : k->part[0][i];
    }
    if (!c->fast)
        s->pred[0] = near_sum(&t->ols, t, k->part[0][i], v, k->base[i]);
    if (c->strong)
        s->pred[QUICK] = near_sum(&t->quick, t, k->part[QUICK][i], v, k->base[i]);
}

/* What the least-squares predictions count for more. */
static inline void raise_weights(const fmc_pcm_coder *c, float *w)
{
    if (c->strong) {
        w[0] *= 8;
        w[QUICK] *= 8;
    } else if (!c->fast) {
        w[0] *= 4;
    }
}

/* n predictions of the sample at ring index `at`, column x, i-th of the block: blended by their last errors. */
FMC_ALWAYS_INLINE void predict(const fmc_pcm_coder *c, const fmc_pcm_taps *t, fmc_pcm_sample *s, size_t at, size_t x,
                               size_t i, bool has_time, const uint32_t n)
{
    const float *now = c->pe_now + (x + LEFT) * PRED_STRIDE, *up = c->block->pe[i];
    float e[N_STRONG], w[N_STRONG], all;
    double sum;

    near_parts(c, t, s, c->v + at, i, has_time);
    for (uint32_t k = 0; k < n; k++) {
        e[k] = (now[(ptrdiff_t)k - PRED_STRIDE] + 0.5f * now[(ptrdiff_t)k - 2 * PRED_STRIDE]) + up[k];
        if (!(s->pred[k] - s->pred[k] == 0.0))
            s->pred[k] = 0.0;
    }
    for (uint32_t k = 0; k < n; k++) {
        float r = e[0] / e[k];

        r = r < 1e9f ? r : 1e9f;
        r *= r;
        w[k] = r * r;
    }
    raise_weights(c, w);
    sum = ((double)w[0] * s->pred[0] + (double)w[1] * s->pred[1]) +
          ((double)w[2] * s->pred[2] + (double)w[3] * s->pred[3]);
    all = (w[0] + w[1]) + (w[2] + w[3]);
    if (n == N_STRONG) {
        sum += (double)w[QUICK] * s->pred[QUICK];
        all += w[QUICK];
    }
    s->p = sum / (double)all;
    if (!(s->p - s->p == 0.0))
        s->p = s->pred[3];
}

static inline int32_t relative(float e, int32_t lg)
{
    return clampi((log16(fabsf(e)) - lg + 40) >> 4, 0, 5);
}

static inline void set_contexts(fmc_pcm_coder *c, fmc_pcm_sample *s, size_t at, size_t i, ptrdiff_t up)
{
    const float *e = c->e + at;
    const double *v = c->v + at;
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const float W = fabsf(e[-1]);
    float err = (c->block->err[i] + (2 * W + fabsf(e[-2]))) * (up ? 1.0f / 13 : 0.125f);
    int32_t dw, dn, du, lw;

    s->xp = symbol_of(c, s->p);
    s->ulp = spacing(c, s->xp);
    err = (0.875f * err + 0.125f * c->run) + 0.03f * s->ulp;
    s->err = err < 1e38f ? err : 1e38f;
    s->lg = log16(s->err);
    s->rel = clampi(s->lg - log16(s->ulp) + 96, 0, 1199); /* 96: one spacing */
    s->b = clampi((s->rel - 96) >> 4, 0, 62);
    s->set = clampi(s->b, 0, 3);
    lw = relative(W, s->lg);
    if (c->fast) {
        s->slot[0] = c->ctx[0] + (size_t)((s->rel >> 2) * 3 + (lw >> 1)) * N_NODE;
        return;
    }
    dw = signed_level((float)(v[-1] - s->p), s->lg);
    dn = signed_level((float)(v[-pw] - s->p), s->lg);
    du = signed_level((float)((up ? v[up] : v[1 - pw]) - s->p), s->lg);
    s->around = (uint32_t)(((dw * 7 + dn) * 7 + du) * 4 + s->set);
    s->slot[0] = c->ctx[0] + (size_t)(s->rel >> 1) * N_NODE;
    s->slot[1] = c->ctx[1] +
                 (size_t)(((lw * 6 + relative(e[-pw], s->lg)) * 6 + relative(up ? c->block->last[i] : W, s->lg)) * 4 +
                          (s->rel >> 2 & 3)) *
                     N_NODE;
    s->slot[2] = c->ctx[3] + (size_t)s->around * N_NODE;
    if (c->strong) {
        const uint32_t level = (uint32_t)(((uint64_t)s->xp - (uint64_t)c->lat->lo) >> c->level_shift);
        const uint32_t run = (uint32_t)clampi((log16(c->run) - s->lg + 96) >> 3, 0, 15);

        s->slot[4] = c->ctx[4] + (size_t)(run * 150 + (uint32_t)(s->rel >> 3)) * N_NODE;
        s->slot[3] = c->ctx[2] + (size_t)(level * 32 + (uint32_t)clampi(s->rel >> 4, 0, 31)) * N_NODE;
    }
}

#endif
