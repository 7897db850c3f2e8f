/* SPDX-License-Identifier: Apache-2.0 */
/* The checks for one real type; REAL, NAME(x) and KERNEL(k, x) defined. Each runs op on ref and on a variant. */

static REAL *NAME(reals)(size_t n)
{
    REAL *x = ops_alloc(n * sizeof *x);

    for (size_t i = 0; i < n; i++)
        x[i] = (REAL)ops_real();
    return x;
}

static REAL *NAME(copy)(const REAL *x, size_t n)
{
    REAL *y = ops_alloc(n * sizeof *y);

    memcpy(y, x, n * sizeof *y);
    return y;
}

static void NAME(same)(REAL *want, REAL *got, size_t n)
{
    assert_memory_equal(want, got, n * sizeof *want);
    ops_free(want, n * sizeof *want);
    ops_free(got, n * sizeof *got);
}

static void NAME(check_lines)(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    REAL *src = NAME(reals)(n + 1), *want = NAME(reals)(n), *got = NAME(copy)(want, n);
    REAL *even = NAME(reals)((n + 1) / 2), *odd = NAME(reals)(n / 2);
    REAL *even_got = NAME(copy)(even, (n + 1) / 2), *odd_got = NAME(copy)(odd, n / 2);

    KERNEL(ref, lift_line)(want, src, (REAL)-1.5861, n);
    KERNEL(k, lift_line)(got, src, (REAL)-1.5861, n);
    assert_memory_equal(want, got, n * sizeof *want);
    KERNEL(ref, scale)(want, src, (REAL)0.8699, n);
    KERNEL(k, scale)(got, src, (REAL)0.8699, n);
    assert_memory_equal(want, got, n * sizeof *want);
    KERNEL(ref, split)(even, odd, src, n);
    KERNEL(k, split)(even_got, odd_got, src, n);
    assert_memory_equal(even, even_got, (n + 1) / 2 * sizeof *even);
    assert_memory_equal(odd, odd_got, n / 2 * sizeof *odd);
    KERNEL(k, merge)(got, even, odd, n);
    assert_memory_equal(src, got, n * sizeof *got);
    KERNEL(ref, merge)(want, even, odd, n);
    NAME(same)(want, got, n);
    NAME(same)(even, even_got, (n + 1) / 2);
    NAME(same)(odd, odd_got, n / 2);
    ops_free(src, (n + 1) * sizeof *src);
}

/* One filter, there and back, of 2 to end - 1 rows; [0] is plain C. */
static void NAME(check_filter)(void (*const there[2])(REAL *, size_t, size_t, const REAL *),
                               void (*const back[2])(REAL *, size_t, size_t, const REAL *), const REAL *w, size_t end, size_t lanes)
{
    for (size_t n = 2; n < end; n++) {
        REAL *want = NAME(reals)(n * lanes), *got = NAME(copy)(want, n * lanes);

        there[0](want, n, lanes, w);
        there[1](got, n, lanes, w);
        assert_memory_equal(want, got, n * lanes * sizeof *want);
        back[0](want, n, lanes, w);
        back[1](got, n, lanes, w);
        NAME(same)(want, got, n * lanes);
    }
}

static void NAME(check_rows)(const fmc_kernels *k, const fmc_kernels *ref, size_t lanes)
{
    static const REAL w[6] = { (REAL)-1.586, (REAL)-0.053, (REAL)0.8829, (REAL)0.4435, (REAL)1.1496, (REAL)0.8699 };
    static const REAL w_long[11] = { (REAL)-1.069, (REAL)0.1045, (REAL)0.5763, (REAL)0.2571, (REAL)-0.3551, (REAL)0.5243, (REAL)0.3187,
                                     (REAL)-0.3467, (REAL)0.5963, (REAL)1.1553, (REAL)0.8656 };
    void (*const filter[4][2])(REAL *, size_t, size_t, const REAL *) = {
        { KERNEL(ref, lift_forward), KERNEL(k, lift_forward) },
        { KERNEL(ref, lift_inverse), KERNEL(k, lift_inverse) },
        { KERNEL(ref, lift_long_forward), KERNEL(k, lift_long_forward) },
        { KERNEL(ref, lift_long_inverse), KERNEL(k, lift_long_inverse) },
    };

    NAME(check_filter)(filter[0], filter[1], w, 14, lanes);
    NAME(check_filter)(filter[2], filter[3], w_long, 40, lanes);
}

static void NAME(check_matrix)(const fmc_kernels *k, const fmc_kernels *ref, size_t lanes)
{
    for (size_t n = 1; n < 12; n++) {
        const size_t n_out = 1 + ops_random() % 12;
        REAL *m = NAME(reals)(n * n_out), *x = NAME(reals)(n * lanes);
        REAL *want = NAME(reals)(n_out * lanes), *got = NAME(copy)(want, n_out * lanes);

        KERNEL(ref, mat_rows)(want, m, x, n_out, n, lanes);
        KERNEL(k, mat_rows)(got, m, x, n_out, n, lanes);
        NAME(same)(want, got, n_out * lanes);
        ops_free(m, n * n_out * sizeof *m);
        ops_free(x, n * lanes * sizeof *x);
    }
}

/* Lines in the order of a box: runs of neighbours with gaps, forwards and backwards. */
static void NAME(check_lanes)(const fmc_kernels *k, const fmc_kernels *ref, size_t lanes)
{
    enum { N = 19, DATA = 6000 };
    const size_t pitch = lanes + ops_random() % 3;

    for (uint32_t gap = 0; gap < 4; gap++) {
        size_t off[128] = { 0 }, stride = gap == 3 ? 1 : 150;
        REAL *data = NAME(reals)(DATA), *t = NAME(reals)(N * pitch), *t_got = NAME(copy)(t, N * pitch);
        REAL *back = NAME(copy)(data, DATA), *back_got = NAME(copy)(data, DATA);

        for (size_t j = 0; j < lanes; j++)
            off[j] = gap == 3 ? j * 40 : j + (gap == 0 ? 0 : j / (3 * gap) % 7);
        KERNEL(ref, load_lanes)(t, pitch, data, off, lanes, stride, N);
        KERNEL(k, load_lanes)(t_got, pitch, data, off, lanes, stride, N);
        assert_memory_equal(t, t_got, N * pitch * sizeof *t);
        KERNEL(ref, load_lanes)(t, pitch, data + 18 * stride, off, lanes, (size_t)0 - stride, N);
        KERNEL(k, load_lanes)(t_got, pitch, data + 18 * stride, off, lanes, (size_t)0 - stride, N);
        assert_memory_equal(t, t_got, N * pitch * sizeof *t);
        KERNEL(ref, store_lanes)(t, pitch, back, off, lanes, stride, N);
        KERNEL(k, store_lanes)(t, pitch, back_got, off, lanes, stride, N);
        assert_memory_equal(back, back_got, DATA * sizeof *back);
        KERNEL(ref, store_lanes)(t, pitch, back + 18 * stride, off, lanes, (size_t)0 - stride, N);
        KERNEL(k, store_lanes)(t, pitch, back_got + 18 * stride, off, lanes, (size_t)0 - stride, N);
        NAME(same)(back, back_got, DATA);
        NAME(same)(t, t_got, N * pitch);
        ops_free(data, DATA * sizeof *data);
    }
}

static void NAME(check_passes)(const fmc_kernels *k, const fmc_kernels *ref)
{
    static const uint32_t radices[] = { 2, 3, 4, 5, 7, 11, 13, 31, 127 };

    for (size_t r = 0; r < sizeof radices / sizeof *radices; r++)
        for (uint32_t m = 1; m < 4; m++)
            for (uint32_t s = 1; s < 4; s++) {
                const fmc_fft_pass pass = { .radix = radices[r], .m = m, .s = s };
                const size_t n = (size_t)radices[r] * m * s, size = n * FMC_LANES;
                REAL *w = NAME(reals)(2 * n), *in = NAME(reals)(2 * size), *in_got = NAME(copy)(in, 2 * size);
                REAL *out = NAME(reals)(2 * size), *out_got = NAME(reals)(2 * size);

                KERNEL(ref, fft_pass)(&pass, w, in, in + size, out, out + size);
                KERNEL(k, fft_pass)(&pass, w, in_got, in_got + size, out_got, out_got + size);
                NAME(same)(out, out_got, 2 * size);
                ops_free(w, 2 * n * sizeof *w);
                ops_free(in, 2 * size * sizeof *in);
                ops_free(in_got, 2 * size * sizeof *in);
            }
}

static void NAME(check_spectra)(const fmc_kernels *k, const fmc_kernels *ref)
{
    for (size_t n = 1; n < 20; n++) {
        const size_t size = n * FMC_LANES;
        REAL *x = NAME(reals)(2 * size), *turn = NAME(reals)(n + 2);
        REAL *want = NAME(reals)(2 * size), *got = NAME(reals)(2 * size);
        const REAL a = (REAL)0.31, b = (REAL)0.22;

        KERNEL(ref, dft_tail)(n, a, b, x, x + size, want, want + size);
        KERNEL(k, dft_tail)(n, a, b, x, x + size, got, got + size);
        assert_memory_equal(want, got, 2 * size * sizeof *want);
        KERNEL(ref, dft_head)(n, a, b, x, x + size, want, want + size);
        KERNEL(k, dft_head)(n, a, b, x, x + size, got, got + size);
        assert_memory_equal(want, got, 2 * size * sizeof *want);
        KERNEL(ref, dct_tail)(n, a, turn, x, x + size, want, want + size);
        KERNEL(k, dct_tail)(n, a, turn, x, x + size, got, got + size);
        assert_memory_equal(want, got, 2 * size * sizeof *want);
        KERNEL(ref, dct_head)(n, a, turn, x, x + size, want, want + size);
        KERNEL(k, dct_head)(n, a, turn, x, x + size, got, got + size);
        NAME(same)(want, got, 2 * size);
        ops_free(x, 2 * size * sizeof *x);
        ops_free(turn, (n + 2) * sizeof *turn);
    }
}

static void NAME(check_sums)(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    REAL *x = NAME(reals)(n), *y = NAME(reals)(n);
    uint64_t p[FMC_COST_SUMS] = { 1, 2, 3, 4 }, p_got[FMC_COST_SUMS] = { 1, 2, 3, 4 };

    assert_true(KERNEL(ref, square_sum)(x, n) == KERNEL(k, square_sum)(x, n));
    assert_true(KERNEL(ref, error_sum)(x, y, n) == KERNEL(k, error_sum)(x, y, n));
    assert_true(KERNEL(ref, error_max)(x, y, n) == KERNEL(k, error_max)(x, y, n));
    if (n > 7)
        x[7] = (REAL)NAN;
    KERNEL(ref, pair_cost)(p, x, y, (REAL)1.7, n);
    KERNEL(k, pair_cost)(p_got, x, y, (REAL)1.7, n);
    KERNEL(ref, pair_cost)(p, x, x, (REAL)1.7, n);
    KERNEL(k, pair_cost)(p_got, x, x, (REAL)1.7, n);
    assert_memory_equal(p, p_got, sizeof p);
    ops_free(x, n * sizeof *x);
    ops_free(y, n * sizeof *y);
}

/* Rows so long, and values so nearly not 0, that the errors of a piece pass 2^31. */
static void NAME(check_long_cost)(const fmc_kernels *k, const fmc_kernels *ref)
{
    enum { LONG = (1 << 17) + 5 };
    REAL *x = malloc(LONG * sizeof *x);
    uint64_t p[FMC_COST_SUMS] = { 0 }, p_got[FMC_COST_SUMS] = { 0 };

    for (size_t i = 0; i < LONG; i++)
        x[i] = (REAL)(i % 2 ? -0.6 : 0.61);
    KERNEL(ref, pair_cost)(p, x, x, 1, LONG);
    KERNEL(k, pair_cost)(p_got, x, x, 1, LONG);
    assert_true(p[FMC_COST_ERROR] >> 32 > 0);
    assert_memory_equal(p, p_got, sizeof p);
    free(x);
}

static void NAME(check_quantize)(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    const REAL offset[4] = { 0, (REAL)-0.05, (REAL)-0.02, (REAL)-0.01 };
    REAL *x = NAME(reals)(n), *y = NAME(reals)(n), *y_got = NAME(copy)(y, n);
    int32_t *q = ops_alloc(n * sizeof *q), *q_got = ops_alloc(n * sizeof *q);

    for (size_t i = 5; i < n; i += 11)
        x[i] = i % 3 ? (REAL)NAN : (REAL)-INFINITY;
    KERNEL(ref, quantize)(q, x, (REAL)3.7, (REAL)0.4, 1 << 28, n);
    KERNEL(k, quantize)(q_got, x, (REAL)3.7, (REAL)0.4, 1 << 28, n);
    assert_memory_equal(q, q_got, n * sizeof *q);
    for (size_t i = 0; i < n; i++) {
        assert_true(q[i] >= -(1 << 28) && q[i] <= 1 << 28);
        assert_true(!isnan(x[i]) || q[i] == 0);
        assert_true(!(x[i] > 0) || q[i] >= 0);
        q[i] = ops_random() % 2 ? q[i] : (int32_t)(ops_random() % 9) - 4;
    }
    KERNEL(ref, dequantize)(y, q, (REAL)0.27, offset, n);
    KERNEL(k, dequantize)(y_got, q, (REAL)0.27, offset, n);
    for (size_t i = 0; i < n; i++)
        assert_true(q[i] != 0 || y[i] == 0);
    NAME(same)(y, y_got, n);
    ops_free(q, n * sizeof *q);
    ops_free(q_got, n * sizeof *q);
    ops_free(x, n * sizeof *x);
}

static void NAME(check_all)(const fmc_kernels *k, const fmc_kernels *ref)
{
    NAME(check_long_cost)(k, ref);
    for (size_t i = 0; i < N_OPS_SIZES; i++) {
        NAME(check_lines)(k, ref, ops_sizes[i]);
        NAME(check_sums)(k, ref, ops_sizes[i]);
        NAME(check_quantize)(k, ref, ops_sizes[i]);
        NAME(check_rows)(k, ref, ops_sizes[i]);
        NAME(check_matrix)(k, ref, ops_sizes[i]);
        NAME(check_lanes)(k, ref, ops_sizes[i]);
    }
    NAME(check_passes)(k, ref);
    NAME(check_spectra)(k, ref);
}
