/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mat_rows of lib/ops/kernels.h in vectors of GCC and Clang, element by element the operations of the plain loop: four
 * rows of output by 64 bytes at a time stay in registers. Included with REAL, NAME(x) and VEC_SIZE (bytes) defined,
 * the latter also before loops_real.h.
 */

typedef REAL NAME(vec) __attribute__((vector_size(VEC_SIZE)));

static inline NAME(vec) NAME(vec_load)(const REAL *p)
{
    NAME(vec) v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* Two vectors of four rows. */
static inline void NAME(mat_tile)(REAL *restrict out, const REAL *restrict m, const REAL *restrict x, size_t n_in,
                                  size_t lanes)
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    const REAL *m0 = m, *m1 = m + n_in, *m2 = m + 2 * n_in, *m3 = m + 3 * n_in;
    NAME(vec) u = NAME(vec_load)(x), v = NAME(vec_load)(x + W);
    NAME(vec) a0 = m0[0] * u, a1 = m1[0] * u, a2 = m2[0] * u, a3 = m3[0] * u;
    NAME(vec) b0 = m0[0] * v, b1 = m1[0] * v, b2 = m2[0] * v, b3 = m3[0] * v;

    for (size_t i = 1; i < n_in; i++) {
        u = NAME(vec_load)(x + i * lanes);
        v = NAME(vec_load)(x + i * lanes + W);
        a0 += m0[i] * u;
        b0 += m0[i] * v;
        a1 += m1[i] * u;
        b1 += m1[i] * v;
        a2 += m2[i] * u;
        b2 += m2[i] * v;
        a3 += m3[i] * u;
        b3 += m3[i] * v;
    }
    memcpy(out, &a0, sizeof a0);
    memcpy(out + W, &b0, sizeof b0);
    memcpy(out + lanes, &a1, sizeof a1);
    memcpy(out + lanes + W, &b1, sizeof b1);
    memcpy(out + 2 * lanes, &a2, sizeof a2);
    memcpy(out + 2 * lanes + W, &b2, sizeof b2);
    memcpy(out + 3 * lanes, &a3, sizeof a3);
    memcpy(out + 3 * lanes + W, &b3, sizeof b3);
}

static REAL NAME(mat_one)(const REAL *m, const REAL *x, size_t n_in, size_t lanes)
{
    REAL sum = m[0] * x[0];

    for (size_t i = 1; i < n_in; i++)
        sum += m[i] * x[i * lanes];
    return sum;
}

static void NAME(mat_rows)(REAL *out, const REAL *m, const REAL *x, size_t n_out, size_t n_in, size_t lanes)
{
    enum { STEP = 2 * VEC_SIZE / sizeof(REAL) };
    const size_t n_fast = n_out / 4 * 4, lanes_fast = lanes / STEP * STEP;

    for (size_t k = 0; k < n_fast; k += 4)
        for (size_t j = 0; j < lanes_fast; j += STEP)
            NAME(mat_tile)(out + k * lanes + j, m + k * n_in, x + j, n_in, lanes);
    for (size_t k = 0; k < n_out; k++)
        for (size_t j = k < n_fast ? lanes_fast : 0; j < lanes; j++)
            out[k * lanes + j] = NAME(mat_one)(m + k * n_in, x + j, n_in, lanes);
}
