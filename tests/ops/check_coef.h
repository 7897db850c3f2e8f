/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per real type by check_coef.c with REAL, NAME(x) and KERNEL(k, x) defined. */

/* Sums of the rows so far go on in the next: both tables start from the same. */
static void NAME(check_quantise)(const fmc_kernels *k, const fmc_kernels *ref, size_t n, double unit, float lambda)
{
    const fmc_quant_step step = { unit, lambda };
    REAL *c = ops_alloc(3 * n * sizeof *c);
    int32_t *q = ops_alloc(n * sizeof *q), *q_got = ops_alloc(n * sizeof *q);
    fmc_quant_sums s = { .square = { 1, 2 } }, s_got = s;
    int64_t n_counted = 0, n_nonzero = 0;

    for (size_t i = 0; i < 3 * n; i++)
        c[i] = (REAL)(ops_random() % 4 ? ops_real() * unit : ops_real() * 8 * unit);
    for (int turn = 0; turn < 3; turn++) { /* with rows on both sides, and at either edge */
        const REAL *own = c + (turn == 1 ? 0 : turn == 2 ? 2 * n : n), *north = turn == 1 ? own : own - n,
                   *south = turn == 2 ? own : own + n;

        KERNEL(ref, quantise_row)(q, own, north, south, n, &step, &s);
        KERNEL(k, quantise_row)(q_got, own, north, south, n, &step, &s_got);
        assert_memory_equal(q, q_got, n * sizeof *q);
        assert_memory_equal(&s, &s_got, sizeof s);
        for (size_t i = 0; i < n; i++) {
            const double u = fabs((double)own[i]) / unit;

            n_nonzero += q[i] != 0;
            assert_true(abs(q[i]) <= 1 << 28 && (u > 1e8 || fabs(u - abs(q[i])) < 1.001));
        }
    }
    for (int m = 0; m < 3; m++)
        for (int j = 0; j < FMC_SUM_LANES; j++)
            n_counted += s.count[m][j];
    assert_int_equal(n_counted, n_nonzero);
    ops_free(c, 3 * n * sizeof *c);
    ops_free(q, n * sizeof *q);
    ops_free(q_got, n * sizeof *q);
}

static int32_t *NAME(sizes)(size_t n, uint32_t kind)
{
    int32_t *q = ops_alloc(n * sizeof *q);

    for (size_t i = 0; i < n; i++) {
        const int32_t v = ops_random() % 16 ? (int32_t)(ops_random() % 9) - 4 : (int32_t)(ops_random() % (1 << 28));

        q[i] = kind == 0 || (kind == 1 && ops_random() % 8) ? 0 : ops_random() & 1 ? v : -v;
    }
    return q;
}

/* The value of format.md 8.6, straightforwardly. */
static REAL NAME(decoded)(const int32_t *q, const int32_t *north, const int32_t *south, size_t n, size_t x, REAL step,
                          const REAL *centre)
{
    const int32_t near[4] = { q[x ? x - 1 : 0], q[x + 1 < n ? x + 1 : x], north[x], south[x] };
    const int32_t a = abs(q[x]);
    int sum = 0;
    REAL m;

    for (int i = 0; i < 4; i++)
        sum += abs(near[i]) < 7 ? abs(near[i]) : 7;
    m = ((REAL)a + centre[4 * ((sum > 1) + (sum > 5)) + (a < 3 ? a : 3)]) * step;
    return q[x] < 0 ? -m : m;
}

static void NAME(check_rows)(const fmc_kernels *k, const fmc_kernels *ref, size_t n, uint32_t kind)
{
    int32_t *q = NAME(sizes)(3 * n, kind), *own = q + n;
    REAL *c = ops_alloc(n * sizeof *c), *x = ops_alloc(n * sizeof *x), *x_got = ops_alloc(n * sizeof *x);
    REAL centre[12];
    fmc_centre_sums s = { { { 0 } }, { { 0 } } }, s_got = s;

    for (int i = 0; i < 12; i++)
        centre[i] = i % 4 ? (REAL)((int)(ops_random() % 255) - 127) * (REAL)0.00390625 : 0;
    for (size_t i = 0; i < n; i++)
        c[i] = (REAL)((double)own[i] * 0.37 + ops_real());
    KERNEL(ref, dequantise_row)(x, own, q, q + 2 * n, n, 0.37, centre);
    KERNEL(k, dequantise_row)(x_got, own, q, q + 2 * n, n, 0.37, centre);
    assert_memory_equal(x, x_got, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        assert_true(x[i] == NAME(decoded)(own, q, q + 2 * n, n, i, (REAL)0.37, centre));
    KERNEL(ref, centre_row)(own, q, own, c, n, 0.37, &s);
    KERNEL(k, centre_row)(own, q, own, c, n, 0.37, &s_got);
    assert_memory_equal(&s, &s_got, sizeof s);
    ops_free(q, 3 * n * sizeof *q);
    ops_free(c, n * sizeof *c);
    ops_free(x, n * sizeof *x);
    ops_free(x_got, n * sizeof *x);
}

static void NAME(check_all)(const fmc_kernels *k, const fmc_kernels *ref)
{
    static const size_t more[] = { 255, 256, 257, 511, 513, 1000 };

    for (size_t i = 0; i < N_OPS_SIZES + sizeof more / sizeof *more; i++) {
        const size_t n = i < N_OPS_SIZES ? ops_sizes[i] : more[i - N_OPS_SIZES];

        if (n == 0)
            continue;
        NAME(check_quantise)(k, ref, n, 0.37, 0.12f);
        NAME(check_quantise)(k, ref, n, 1e-3, 0);
        for (uint32_t kind = 0; kind < 3; kind++)
            NAME(check_rows)(k, ref, n, kind);
    }
}
