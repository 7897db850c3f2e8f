/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/ols.h"

#include <math.h>
#include <string.h>

static const double TOO_LARGE = 1048576.0; /* 2^20 */
static const double GROW = 1.0003;

void fmc_ols_init(fmc_ols *o, uint32_t n)
{
    memset(o, 0, sizeof *o);
    o->n = n;
    o->gain = 1.0;
}

void fmc_ols_update(fmc_ols *o, const double *d, double y, double weight)
{
    const double g = o->gain * weight;

    /* blocks of 4 x 4 on and below the diagonal */
    for (uint32_t i = 0; i < o->n; i += 4) {
        const double d0 = d[i] * g, d1 = d[i + 1] * g, d2 = d[i + 2] * g, d3 = d[i + 3] * g;
        double *r0 = o->a + i * FMC_OLS_MAX, *r1 = r0 + FMC_OLS_MAX, *r2 = r1 + FMC_OLS_MAX, *r3 = r2 + FMC_OLS_MAX;

        for (uint32_t j = 0; j <= i; j += 4) {
            for (uint32_t k = j; k < j + 4; k++) {
                r0[k] += d0 * d[k];
                r1[k] += d1 * d[k];
                r2[k] += d2 * d[k];
                r3[k] += d3 * d[k];
            }
        }
        o->b[i] += d0 * y;
        o->b[i + 1] += d1 * y;
        o->b[i + 2] += d2 * y;
        o->b[i + 3] += d3 * y;
    }
    o->n_seen += o->n_seen < UINT32_MAX;
}

void fmc_ols_fade(fmc_ols *o)
{
    o->gain *= GROW;
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
