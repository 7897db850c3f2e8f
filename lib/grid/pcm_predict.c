/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of samples: what is known before them, and learning from them. docs/format.md 9.4. */
#include "grid/pcm_state.h"

/* part[0] = base + sum of the far taps. */
static void sum_far(fmc_pcm_block *k, const fmc_pcm_taps *t, const double *v, size_t n)
{
    const size_t n4 = (n + 3) & ~(size_t)3; /* past the row: whatever lies there, unused */

    for (size_t i = 0; i < n4; i += 4) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        const double b0 = k->base[i], b1 = k->base[i + 1], b2 = k->base[i + 2], b3 = k->base[i + 3];

        for (uint32_t j = 0; j < t->n_far; j++) {
            const double *f = v + t->off[j] + i, w = t->ols.w[j];

            s0 += w * (f[0] - b0);
            s1 += w * (f[1] - b1);
            s2 += w * (f[2] - b2);
            s3 += w * (f[3] - b3);
        }
        k->part[0][i] = b0 + s0;
        k->part[0][i + 1] = b1 + s1;
        k->part[0][i + 2] = b2 + s2;
        k->part[0][i + 3] = b3 + s3;
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
    fmc_pcm_block *k = c->block;
    const float *r = c->pe_up + (x + LEFT) * N_PRED;

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
    for (size_t i = 0; i < n; i++, r += N_PRED)
        for (uint32_t j = 0; j < N_PRED; j++)
            k->pe[i][j] = r[j] + 0.5f * (r[(ptrdiff_t)j - N_PRED] + r[j + N_PRED]) + 1e-37f;
}

void fmc_pcm_prepare(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t n, bool has_time,
                     ptrdiff_t up)
{
    const double *v = c->v + at;
    fmc_pcm_block *k = c->block;

    for (size_t i = 0; i < BLOCK; i++)
        k->base[i] = c->is_line ? v[-1] : i < n + 3 ? v[(ptrdiff_t)i - (ptrdiff_t)c->pw] : 0;
    if (!c->fast)
        sum_far(k, t, v, n);
    if (!c->is_line)
        fixed_parts(c, v, n, has_time ? v + up : NULL);
    sum_errors(c, c->e + at, x, n, up);
}

void fmc_pcm_learn(fmc_pcm_coder *c, fmc_pcm_taps *t, size_t at, size_t n)
{
    const double *v = c->v + at;
    fmc_pcm_block *k = c->block;
    const size_t step = t->ols.n_seen < WARM_UP ? 1 : c->strong ? 2 : 4;
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
    fmc_ols_update(&t->ols, (const double (*)[FMC_OLS_MAX])k->d, k->y, m, 1.0 + (c->strong ? 0.0003 : 0.0006) * m);
}
