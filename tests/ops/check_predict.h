/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per real type by check_predict.c with REAL, NAME(x) and KERNEL(k, x) defined. */

static REAL *NAME(reals)(size_t n)
{
    REAL *x = ops_alloc(n * sizeof *x);

    for (size_t i = 0; i < n; i++)
        x[i] = (REAL)ops_real();
    return x;
}

static void NAME(check_sums)(const fmc_kernels *k, const fmc_kernels *ref, size_t n, uint32_t n_taps)
{
    const size_t size = n + 2 * MOST_TAPS; /* so that the last tap ends with the block: reads beyond it are found */
    REAL *x = NAME(reals)(size), *weight = NAME(reals)(n_taps);
    REAL *p = NAME(reals)(n), *p_got = NAME(reals)(n);
    const REAL *a[MOST_TAPS], *b[MOST_TAPS];
    ptrdiff_t offset[MOST_TAPS];

    for (uint32_t j = 0; j < n_taps; j++) {
        a[j] = x + ops_random() % (2 * MOST_TAPS + 1);
        b[j] = x + ops_random() % (2 * MOST_TAPS + 1);
        offset[j] = (ptrdiff_t)(ops_random() % (2 * MOST_TAPS + 1)) - MOST_TAPS;
    }
    KERNEL(ref, predict_pairs)(p, n, a, b, weight, n_taps);
    KERNEL(k, predict_pairs)(p_got, n, a, b, weight, n_taps);
    assert_memory_equal(p, p_got, n * sizeof *p);
    KERNEL(ref, predict_taps)(p, n, x + MOST_TAPS, offset, weight, n_taps);
    KERNEL(k, predict_taps)(p_got, n, x + MOST_TAPS, offset, weight, n_taps);
    assert_memory_equal(p, p_got, n * sizeof *p);
    ops_free(p, n * sizeof *p);
    ops_free(p_got, n * sizeof *p);
    ops_free(weight, n_taps * sizeof *weight);
    ops_free(x, size * sizeof *x);
}

static void NAME(check_integers)(const fmc_kernels *k, const fmc_kernels *ref, size_t n, double step)
{
    const double inverse = 1 / step;
    REAL *p = NAME(reals)(n), *x = NAME(reals)(n), *x_got = ops_alloc(n * sizeof *x), *from = ops_alloc(n * sizeof *x);
    int32_t *q = ops_alloc(n * sizeof *q), *q_got = ops_alloc(n * sizeof *q);

    for (size_t i = 3; i < n; i += 7)
        x[i] = p[i] + (REAL)(step * ((double)(ops_random() % 9) - 4.5)); /* halves */
    for (size_t i = 5; i < n; i += 11)
        x[i] = (REAL)NAN; /* masked */
    memcpy(x_got, x, n * sizeof *x);
    memcpy(from, x, n * sizeof *x);
    KERNEL(ref, predict_encode)(p, step, n, x, q);
    KERNEL(k, predict_encode)(p, step, n, x_got, q_got);
    assert_memory_equal(q, q_got, n * sizeof *q);
    assert_memory_equal(x, x_got, n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        const double t = ((double)from[i] - (double)p[i]) * inverse;

        assert_true(x[i] - x[i] == 0);
        assert_true(fabs(t) <= 268435456.0 ? fabs(t - q[i]) <= 0.5 : q[i] == 0);
        if (i % 5 == 0)
            q[i] = (int32_t)(ops_random() * 2u);
    }
    KERNEL(ref, predict_decode)(p, step, n, q, x);
    KERNEL(k, predict_decode)(p, step, n, q, x_got);
    assert_memory_equal(x, x_got, n * sizeof *x);
    ops_free(q, n * sizeof *q);
    ops_free(q_got, n * sizeof *q);
    ops_free(p, n * sizeof *p);
    ops_free(x, n * sizeof *x);
    ops_free(x_got, n * sizeof *x);
    ops_free(from, n * sizeof *x);
}

static void NAME(check_all)(const fmc_kernels *k, const fmc_kernels *ref)
{
    static const double steps[] = { 1e-30, 0.001953125, 0.25, 1e30, 1e300 };

    for (size_t i = 0; i < N_OPS_SIZES; i++) {
        for (uint32_t n_taps = 0; n_taps <= MOST_TAPS; n_taps++)
            NAME(check_sums)(k, ref, ops_sizes[i], n_taps);
        for (size_t j = 0; j < sizeof steps / sizeof *steps; j++)
            NAME(check_integers)(k, ref, ops_sizes[i], steps[j]);
    }
}
