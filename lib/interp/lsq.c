/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/lsq.h"

#include <math.h>
#include <string.h>

enum { SIDE = FMC_INTERP_MAX_CAUSAL };

void fmc_lsq_init(fmc_lsq *q, uint32_t n)
{
    memset(q, 0, sizeof *q);
    q->n = n;
}

void fmc_lsq_add(fmc_lsq *q, const double (*u)[FMC_INTERP_MAX_CAUSAL], const double *t, const double *weight,
                 uint32_t count)
{
    const double *u0 = u[0], *u1 = u[1], *u2 = u[2], *u3 = u[3];

    for (uint32_t j = 0; j < q->n; j++) {
        const double v0 = u0[j] * weight[0], v1 = u1[j] * weight[1], v2 = u2[j] * weight[2], v3 = u3[j] * weight[3];
        double *restrict row = q->uu[j];

        for (uint32_t k = 0; k < (j & ~3u) + 4; k++) /* whole vectors; what is above the diagonal is never read */
            row[k] += ((v0 * u0[k] + v1 * u1[k]) + v2 * u2[k]) + v3 * u3[k];
        q->ut[j] += ((v0 * t[0] + v1 * t[1]) + v2 * t[2]) + v3 * t[3];
    }
    for (uint32_t i = 0; i < 4; i++) {
        q->tt += t[i] * t[i] * weight[i];
        q->weight += weight[i];
    }
    q->count += count;
}

void fmc_lsq_noise(fmc_lsq *q, double own, double common, double with_t, double in_t)
{
    for (uint32_t j = 0; j < q->n; j++) {
        for (uint32_t k = 0; k <= j; k++)
            q->uu[j][k] += q->weight * (common + (j == k ? own : 0));
        q->ut[j] += q->weight * with_t;
    }
    q->tt += q->weight * in_t;
}

int fmc_lsq_solve(const fmc_lsq *q, uint32_t n, double *work, double *w)
{
    memset(w, 0, q->n * sizeof *w);
    for (uint32_t j = 0; j < n; j++) { /* Cholesky, rows of the factor in work */
        for (uint32_t k = 0; k <= j; k++) {
            double v = q->uu[j][k] * (j == k ? 1 + 1e-9 : 1);

            for (uint32_t i = 0; i < k; i++)
                v -= work[j * SIDE + i] * work[k * SIDE + i];
            if (j > k)
                work[j * SIDE + k] = v / work[k * SIDE + k];
            else if (v > q->uu[j][j] * 1e-12 && v > 0)
                work[j * SIDE + j] = sqrt(v);
            else
                return 0;
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        double v = q->ut[j];

        for (uint32_t i = 0; i < j; i++)
            v -= work[j * SIDE + i] * w[i];
        w[j] = v / work[j * SIDE + j];
    }
    for (uint32_t j = n; j-- > 0;) {
        double v = w[j];

        for (uint32_t i = j + 1; i < n; i++)
            v -= work[i * SIDE + j] * w[i];
        w[j] = v / work[j * SIDE + j];
    }
    return 1;
}

double fmc_lsq_error(const fmc_lsq *q, const double *w)
{
    double e = q->tt;

    for (uint32_t j = 0; j < q->n; j++) {
        double v = -2 * q->ut[j] + q->uu[j][j] * w[j];

        for (uint32_t k = 0; k < j; k++)
            v += 2 * q->uu[j][k] * w[k];
        e += v * w[j];
    }
    return q->weight > 0 && e > 0 ? e / q->weight : 0;
}

double fmc_interp_log2(double v)
{
    int e = 0;
    double y, y2;

    if (!(v > 0))
        return -1e3;
    v = frexp(v, &e); /* exact; v in [1/2, 1) */
    y = (v - 0.70710678118654752) / (v + 0.70710678118654752); /* atanh series around 2^-1/2 */
    y2 = y * y;
    return e - 0.5 + 2.8853900817779268 * y * (1 + y2 * (1.0 / 3 + y2 * (1.0 / 5 + y2 / 7)));
}
