/* SPDX-License-Identifier: Apache-2.0 */
/*
 * predict_pairs and predict_taps of lib/ops/kernels_predict.h in vectors of GCC and Clang, element by element the
 * operations of the plain loop, sums kept in registers. The last vector overlaps the one before and gives the same.
 * Included after loops_mat.h with REAL, NAME(x) and VEC_SIZE (bytes) defined.
 */

typedef REAL NAME(quad) __attribute__((vector_size(16)));

static inline NAME(quad) NAME(quad_load)(const REAL *p)
{
    NAME(quad) v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void NAME(pairs_twice)(REAL *p, size_t i, const REAL *const *a, const REAL *const *b, const REAL *weight,
                                     uint32_t n_pairs)
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    NAME(vec) s = { 0 }, t = { 0 };

    for (uint32_t j = 0; j < n_pairs; j++) {
        const REAL *u = a[j] + i, *v = b[j] + i;

        s += weight[j] * (NAME(vec_load)(u) + NAME(vec_load)(v));
        t += weight[j] * (NAME(vec_load)(u + W) + NAME(vec_load)(v + W));
    }
    memcpy(p + i, &s, sizeof s);
    memcpy(p + i + W, &t, sizeof t);
}

static inline void NAME(pairs_once)(REAL *p, size_t i, const REAL *const *a, const REAL *const *b, const REAL *weight,
                                    uint32_t n_pairs)
{
    NAME(vec) s = { 0 };

    for (uint32_t j = 0; j < n_pairs; j++)
        s += weight[j] * (NAME(vec_load)(a[j] + i) + NAME(vec_load)(b[j] + i));
    memcpy(p + i, &s, sizeof s);
}

static inline void NAME(pairs_quad)(REAL *p, size_t i, const REAL *const *a, const REAL *const *b, const REAL *weight,
                                    uint32_t n_pairs)
{
    NAME(quad) s = { 0 };

    for (uint32_t j = 0; j < n_pairs; j++)
        s += weight[j] * (NAME(quad_load)(a[j] + i) + NAME(quad_load)(b[j] + i));
    memcpy(p + i, &s, sizeof s);
}

static void NAME(predict_pairs)(REAL *p, size_t n, const REAL *const *a, const REAL *const *b, const REAL *weight,
                                uint32_t n_pairs)
{
    enum { W = VEC_SIZE / sizeof(REAL), Q = 16 / sizeof(REAL) };
    size_t i = 0;

    for (; i + 2 * W <= n; i += 2 * W)
        NAME(pairs_twice)(p, i, a, b, weight, n_pairs);
    for (; i + W <= n; i += W)
        NAME(pairs_once)(p, i, a, b, weight, n_pairs);
    if (i < n && n >= W && n - i > Q) {
        NAME(pairs_once)(p, n - W, a, b, weight, n_pairs);
        return;
    }
    for (; i + Q <= n; i += Q)
        NAME(pairs_quad)(p, i, a, b, weight, n_pairs);
    if (i < n && n >= Q) {
        NAME(pairs_quad)(p, n - Q, a, b, weight, n_pairs);
        return;
    }
    for (; i < n; i++) {
        p[i] = 0;
        for (uint32_t j = 0; j < n_pairs; j++)
            p[i] = p[i] + weight[j] * (a[j][i] + b[j][i]);
    }
}

static inline void NAME(taps_twice)(REAL *p, const REAL *r, const ptrdiff_t *offset, const REAL *weight,
                                    uint32_t n_taps)
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    NAME(vec) s = { 0 }, t = { 0 };

    for (uint32_t j = 0; j < n_taps; j++) {
        s += weight[j] * NAME(vec_load)(r + offset[j]);
        t += weight[j] * NAME(vec_load)(r + offset[j] + W);
    }
    memcpy(p, &s, sizeof s);
    memcpy(p + W, &t, sizeof t);
}

static inline void NAME(taps_quad)(REAL *p, const REAL *r, const ptrdiff_t *offset, const REAL *weight, uint32_t n_taps)
{
    NAME(quad) s = { 0 };

    for (uint32_t j = 0; j < n_taps; j++)
        s += weight[j] * NAME(quad_load)(r + offset[j]);
    memcpy(p, &s, sizeof s);
}

static void NAME(predict_taps)(REAL *p, size_t n, const REAL *r, const ptrdiff_t *offset, const REAL *weight,
                               uint32_t n_taps)
{
    enum { W = VEC_SIZE / sizeof(REAL), Q = 16 / sizeof(REAL) };
    size_t i = 0;

    for (; i + 2 * W <= n; i += 2 * W)
        NAME(taps_twice)(p + i, r + i, offset, weight, n_taps);
    for (; i + Q <= n; i += Q)
        NAME(taps_quad)(p + i, r + i, offset, weight, n_taps);
    if (i < n && n >= Q) {
        NAME(taps_quad)(p + n - Q, r + n - Q, offset, weight, n_taps);
        return;
    }
    for (; i < n; i++) {
        p[i] = 0;
        for (uint32_t j = 0; j < n_taps; j++)
            p[i] = p[i] + weight[j] * r[offset[j] + (ptrdiff_t)i];
    }
}
