/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per real type by check_scan.c with REAL, NAME(x) and KERNEL(k, x) defined. */

/* Every so often NaN, or an infinity of either sign, or nothing else at all. */
static void NAME(check_extremes)(const fmc_kernels *k, const fmc_kernels *ref, size_t n, uint32_t special)
{
    REAL *x = ops_alloc(n * sizeof *x), want[2], got[2];
    size_t n_want, n_got, n_nan = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t kind = special == 0 ? 9 : special == 1 ? 0 : ops_random() % 10;

        x[i] = kind == 0 ? (REAL)NAN : kind == 1 ? (REAL)INFINITY : kind == 2 ? (REAL)-INFINITY : (REAL)ops_real();
        n_nan += x[i] != x[i];
    }
    n_want = KERNEL(ref, extremes)(x, n, want);
    n_got = KERNEL(k, extremes)(x, n, got);
    assert_int_equal(n_want, n_nan);
    assert_int_equal(n_got, n_want);
    assert_memory_equal(want, got, sizeof want);
    for (size_t i = 0; i < n; i++)
        assert_false(x[i] < want[0] || x[i] > want[1]);
    ops_free(x, n * sizeof *x);
}

static void NAME(check_all)(const fmc_kernels *k, const fmc_kernels *ref)
{
    for (size_t i = 0; i < N_OPS_SIZES; i++)
        for (uint32_t special = 0; special < 3; special++)
            NAME(check_extremes)(k, ref, ops_sizes[i], special);
}
