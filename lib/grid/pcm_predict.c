/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of samples: what is known before them, and learning from them. docs/format.md 9.4. */
#include "grid/pcm_state.h"

/* part = base + sum of the far taps. */
static void sum_far(const fmc_pcm_block *k, const fmc_pcm_taps *t, const fmc_ols *o, const double *v, size_t n, double *part)
{
    const size_t n4 = (n + 3) & ~(size_t)3; /* past the row: whatever lies there, unused */

    for (size_t i = 0; i < n4; i += 4) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        const double b0 = k->base[i], b1 = k->base[i + 1], b2 = k->base[i + 2], b3 = k->base[i + 3];

        for (uint32_t j = 0; j < t->n_far; j++) {
            const double *f = v + t->off[j] + i, w = o->w[j];

            s0 += w * (f[0] - b0);
            s1 += w * (f[1] - b1);
            s2 += w * (f[2] - b2);
            s3 += w * (f[3] - b3);
        }
        part[i] = b0 + s0;
        part[i + 1] = b1 + s1;
        part[i + 2] = b2 + s2;
        part[i + 3] = b3 + s3;
    }
}

static void fixed_parts(fmc_pcm_coder *c, const double *v, size_t n, const double *u)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    fmc_pcm_block *k = c->block;

    for (size_t i = 0; i < n && u; i++) {
        const double N = v[(ptrdiff_t)i - pw], NW = v[(ptrdiff_t)i - pw - 1];
        const double U = u[i], UW = u[(ptrdiff_t)i - 1], UN = u[(ptrdiff_t)i - pw], UNW = u[(ptrdiff_t)i - pw - 1];

        k->part[1][i] = (N - NW) + ((U - UW) - (UN - UNW));
        k->part[2][i] = U + 0.5 * ((N - UN) - UW);
        k->part[3][i] = U;
    }
    for (size_t i = 0; i < n && !u; i++) {
        const double N = v[(ptrdiff_t)i - pw], NW = v[(ptrdiff_t)i - pw - 1], NE = v[(ptrdiff_t)i - pw + 1];

        k->part[1][i] = N - NW;
        k->part[2][i] = 0.5 * N + 0.25 * (NE - NW);
        k->part[3][i] = 0;
    }
    for (size_t i = 0; i < n && c->fast; i++)
        k->part[0][i] = u ? v[(ptrdiff_t)i - pw] - v[(ptrdiff_t)i - pw - 1] : v[(ptrdiff_t)i - pw];
}

static void sum_errors(fmc_pcm_coder *c, const float *e, size_t x, size_t n, ptrdiff_t up)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const uint32_t n_pred = c->strong ? N_STRONG : N_PRED;
    fmc_pcm_block *k = c->block;
    const float *r = c->pe_up + (x + LEFT) * PRED_STRIDE;

    for (size_t i = 0; i < n; i++) {
        const float *f = e + i;

        k->err[i] = 2 * fabsf(f[-pw]) + fabsf(f[1 - pw]) + (fabsf(f[-1 - pw]) + fabsf(f[-2 * pw]));
    }
    for (size_t i = 0; i < n && up; i++) {
        const float *f = e + up + (ptrdiff_t)i;
        const float U = fabsf(f[0]), E = fabsf(f[1]), S = fabsf(f[pw]);

        k->err[i] += 2 * U + E + (S + 0.5f * (fabsf(f[-1]) + fabsf(f[-pw])));
        k->last[i] = 0.5f * U + 0.25f * (E + S);
    }
    for (size_t i = 0; i < n; i++, r += PRED_STRIDE)
        for (uint32_t j = 0; j < n_pred; j++)
            k->pe[i][j] = r[j] + 0.5f * (r[(ptrdiff_t)j - PRED_STRIDE] + r[j + PRED_STRIDE]) + 1e-37f;
}

void fmc_pcm_prepare(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t n, bool has_time,
                     ptrdiff_t up)
{
    const double *v = c->v + at;
    fmc_pcm_block *k = c->block;

    for (size_t i = 0; i < BLOCK; i++)
        k->base[i] = c->is_line ? v[-1] : i < n + 3 ? v[(ptrdiff_t)i - (ptrdiff_t)c->pw] : 0;
    if (!c->fast)
        sum_far(k, t, &t->ols, v, n, k->part[0]);
    if (c->strong)
        sum_far(k, t, &t->quick, v, n, k->part[QUICK]);
    if (!c->is_line)
        fixed_parts(c, v, n, has_time ? v + up : NULL);
    sum_errors(c, c->e + at, x, n, up);
}

void fmc_pcm_learn(fmc_pcm_coder *c, fmc_pcm_taps *t, size_t at, size_t n)
{
    const double *v = c->v + at;
    fmc_pcm_block *k = c->block;
    const size_t step = t->ols.n_seen < WARM_UP || c->strong ? 1 : 4;
    uint32_t m = 0;

    for (size_t i = 0; i < n; i += step) {
        const double base = k->base[i], w = 1.0 / (double)k->weight[i];
        double *d = k->d[m];
        uint32_t j;

        if (!(k->weight[i] > 0))
            continue;
        for (j = 0; j < t->ols.n; j++)
            d[j] = (v[t->off[j] + (ptrdiff_t)i] - base) * w;
        for (; j & 3; j++)
            d[j] = 0;
        k->y[m++] = (v[i] - base) * w;
    }
    fmc_ols_update(&t->ols, (const double (*)[FMC_OLS_MAX])k->d, k->y, m, 1.0 + (c->strong ? 0.0005 : 0.0006) * m);
    if (c->strong)
        fmc_ols_update(&t->quick, (const double (*)[FMC_OLS_MAX])k->d, k->y, m, 1.0 + 0.005 * m);
}
