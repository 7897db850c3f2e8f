/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/ols.h"

#include <math.h>
#include <string.h>

static const double TOO_LARGE = 1048576.0; /* 2^20 */

void fmc_ols_init(fmc_ols *o, uint32_t n)
{
    memset(o, 0, sizeof *o);
    o->n = n;
    o->gain = 1.0;
}

static void update_tile(fmc_ols *o, const double (*d)[FMC_OLS_MAX], uint32_t m, uint32_t i, uint32_t j)
{
    double t[4][4] = { { 0 } };

    for (uint32_t s = 0; s < m; s++) {
        const double *a = d[s] + i, *b = d[s] + j;

        for (uint32_t r = 0; r < 4; r++)
            for (uint32_t k = 0; k < 4; k++)
                t[r][k] += a[r] * b[k];
    }
    for (uint32_t r = 0; r < 4; r++)
        for (uint32_t k = 0; k < 4; k++)
            o->a[(i + r) * FMC_OLS_MAX + j + k] += o->gain * t[r][k];
}

void fmc_ols_update(fmc_ols *o, const double (*d)[FMC_OLS_MAX], const double *y, uint32_t m, double growth)
{
    for (uint32_t i = 0; i < o->n; i += 4) {
        double t[4] = { 0 };

        for (uint32_t j = 0; j <= i; j += 4)
            update_tile(o, d, m, i, j);
        for (uint32_t s = 0; s < m; s++)
            for (uint32_t r = 0; r < 4; r++)
                t[r] += d[s][i + r] * y[s];
        for (uint32_t r = 0; r < 4; r++)
            o->b[i + r] += o->gain * t[r];
    }
    o->n_seen += o->n_seen < UINT32_MAX - m ? m : 0;
    o->gain *= growth;
    if (o->gain < TOO_LARGE)
        return;
    for (uint32_t i = 0; i < o->n; i++) {
        for (uint32_t j = 0; j <= i; j++)
            o->a[i * FMC_OLS_MAX + j] *= 1.0 / TOO_LARGE;
        o->b[i] *= 1.0 / TOO_LARGE;
    }
    o->gain *= 1.0 / TOO_LARGE;
}

/* Cholesky of a + ridge into l; false if not positive definite. */
static int factor(fmc_ols *o, double ridge)
{
    const uint32_t n = o->n;

    for (uint32_t i = 0; i < n; i++) {
        double *li = o->l + i * FMC_OLS_MAX;

        for (uint32_t j = 0; j <= i; j++) {
            const double *lj = o->l + j * FMC_OLS_MAX;
            double s = o->a[i * FMC_OLS_MAX + j];

            if (i == j)
                s += s * 1e-9 + ridge;
            for (uint32_t k = 0; k < j; k++)
                s -= li[k] * lj[k];
            if (i == j) {
                if (!(s > ridge * 0.5) || !(s < 1e300))
                    return 0;
                li[i] = 1.0 / sqrt(s);
            } else {
                li[j] = s * lj[j];
            }
        }
    }
    return 1;
}

void fmc_ols_solve(fmc_ols *o)
{
    const uint32_t n = o->n;
    double t[FMC_OLS_MAX], trace = 0;

    for (uint32_t i = 0; i < n; i++)
        trace += o->a[i * FMC_OLS_MAX + i];
    if (!(trace > 1e-290) || !(trace < 1e290) || !factor(o, trace * (1e-10 / n))) {
        if (!(trace < 1e290))
            fmc_ols_init(o, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        double s = o->b[i];

        for (uint32_t k = 0; k < i; k++)
            s -= o->l[i * FMC_OLS_MAX + k] * t[k];
        t[i] = s * o->l[i * FMC_OLS_MAX + i];
    }
    for (uint32_t i = n; i-- > 0;) {
        double s = t[i];

        for (uint32_t k = i + 1; k < n; k++)
            s -= o->l[k * FMC_OLS_MAX + i] * o->w[k];
        o->w[i] = s * o->l[i * FMC_OLS_MAX + i];
    }
}
