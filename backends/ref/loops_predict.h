/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of lib/ops/kernels_predict.h for one real type, in plain C: the definition of right. Included once per type
 * and instruction set with REAL and NAME(x) defined, and VEC_SIZE where loops_predict.h of backends/cpu follows.
 */

#ifndef VEC_SIZE
static void NAME(predict_pairs)(REAL *restrict p, size_t n, const REAL *const *a, const REAL *const *b,
                                const REAL *weight, uint32_t n_pairs)
{
    for (size_t i = 0; i < n; i++)
        p[i] = 0;
    for (uint32_t j = 0; j < n_pairs; j++) {
        const REAL *restrict u = a[j], *restrict v = b[j];
        const REAL w = weight[j];

        for (size_t i = 0; i < n; i++)
            p[i] = p[i] + w * (u[i] + v[i]);
    }
}

static void NAME(predict_taps)(REAL *restrict p, size_t n, const REAL *r, const ptrdiff_t *offset, const REAL *weight,
                               uint32_t n_taps)
{
    for (size_t i = 0; i < n; i++)
        p[i] = 0;
    for (uint32_t j = 0; j < n_taps; j++) {
        const REAL *restrict u = r + offset[j];
        const REAL w = weight[j];

        for (size_t i = 0; i < n; i++)
            p[i] = p[i] + w * u[i];
    }
}
#endif

static inline REAL NAME(predict_sample)(REAL p, int32_t q, double step)
{
    const REAL r = (REAL)((double)p + (double)q * step);

    return r - r == 0 ? r : 0;
}

static void NAME(predict_decode)(const REAL *restrict p, double step, size_t n, const int32_t *restrict q,
                                 REAL *restrict x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = NAME(predict_sample)(p[i], q[i], step);
}

static void NAME(predict_encode)(const REAL *restrict p, double step, size_t n, REAL *restrict x, int32_t *restrict q)
{
    const double inverse = 1 / step;

    for (size_t i = 0; i < n; i++) {
        const double t = ((double)x[i] - (double)p[i]) * inverse;
        const double fit = fabs(t) <= 268435456.0 ? t : 0;
        const int32_t v = (int32_t)(fit + copysign(0.5, fit));

        q[i] = v;
        x[i] = NAME(predict_sample)(p[i], v, step);
    }
}
