/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/mask.h"
#include "bound/check.h"

/*
 * The definition: samples, bound and their products as integers. All values are multiples of 2^-60 (2^-120 for
 * products) of modest size, so 128 bits hold everything exactly.
 */
__extension__ typedef __int128 wide;

static wide fixed(double v)
{
    return (wide)(v * 0x1p+60); /* exact: v has no bits below 2^-60 */
}

static int within_abs(double x, double y, double limit)
{
    const wide d = fixed(x) - fixed(y);

    return (d < 0 ? -d : d) <= fixed(limit);
}

/* |x - y| <= limit * |x| with both sides as multiples of 2^-104: x, y of 2^-52, limit of 2^-52. */
static int within_rel(double x, double y, double limit)
{
    const wide a = (wide)(fabs(x) * 0x1p+52), d = (wide)(x * 0x1p+52) - (wide)(y * 0x1p+52);

    return ((d < 0 ? -d : d) << 52) <= a * (wide)(limit * 0x1p+52);
}

static double step_ulps(double v, int ulps)
{
    uint64_t u;

    memcpy(&u, &v, sizeof u);
    return double_of(u + (uint64_t)(int64_t)ulps);
}

static void abs_test_never_accepts_a_violation(void **state)
{
    uint64_t seed = 3;
    size_t naive_wrong = 0, wrong = 0, n = 300000;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        /* x has finer bits than limit and y, so that x - y cannot be rounded without loss. */
        const double limit = (double)(int64_t)((0.25 + 0.25 * uniform(&seed)) * 0x1p+54) * 0x1p-54;
        const double x = (double)(int64_t)((uniform(&seed) - 0.5) * 0x1p+52) * 0x1p-60;
        const double y = step_ulps(below(&seed, 2) ? x - limit : x + limit, (int)below(&seed, 5) - 2);

        naive_wrong += (fabs(x - y) <= limit) && !within_abs(x, y, limit);
        wrong += fmc_check_pair(x, y, FMC_BOUND_ABS, limit) != within_abs(x, y, limit);
    }
    assert_int_equal(wrong, 0);
    assert_true(naive_wrong > n / 100); /* the data do tempt */
}

static void relative_test_equals_integer_arithmetic(void **state)
{
    uint64_t seed = 4;
    size_t naive_wrong = 0, wrong = 0, n = 300000;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const double limit = (double)(1 + below(&seed, (size_t)1 << 40)) * 0x1p-52;
        double x = (double)(int64_t)((uniform(&seed) + 0.001) * 0x1p+49) * 0x1p-49 * 8, y;

        x = (double)(int64_t)(x * 0x1p+50) * 0x1p-50;
        y = step_ulps(below(&seed, 2) ? x - x * limit : x + x * limit, (int)below(&seed, 5) - 2);
        y = (double)(int64_t)(y * 0x1p+52) * 0x1p-52;
        if (below(&seed, 2)) {
            x = -x;
            y = -y;
        }
        naive_wrong += (fabs(x - y) <= limit * fabs(x)) && !within_rel(x, y, limit);
        wrong += fmc_check_pair(x, y, FMC_BOUND_PW_REL, limit) != within_rel(x, y, limit);
    }
    assert_int_equal(wrong, 0);
    assert_true(naive_wrong > 0);
}

static void pairs_at_the_edges_are_judged_rightly(void **state)
{
    const double inf = (double)INFINITY, nan = (double)NAN;

    (void)state;
    assert_true(fmc_check_pair(nan, nan, FMC_BOUND_ABS, 1.0));
    assert_false(fmc_check_pair(nan, 1.0, FMC_BOUND_ABS, 1.0));
    assert_false(fmc_check_pair(1.0, nan, FMC_BOUND_ABS, 1.0));
    assert_true(fmc_check_pair(inf, inf, FMC_BOUND_ABS, 1.0));
    assert_false(fmc_check_pair(inf, -inf, FMC_BOUND_ABS, DBL_MAX));
    assert_false(fmc_check_pair(DBL_MAX, -DBL_MAX, FMC_BOUND_ABS, DBL_MAX));
    assert_false(fmc_check_pair(0.0, -0.0, FMC_BOUND_LOSSLESS, 0));
    assert_true(fmc_check_pair(0.0, -0.0, FMC_BOUND_ABS, 1e-300));
    assert_false(fmc_check_pair(0.0, -0.0, FMC_BOUND_ABS, 0.0)); /* a limit that is none: bits only */
    assert_false(fmc_check_pair(0.0, -0.0, FMC_BOUND_ABS, 0x1p-1074));
    assert_false(fmc_check_pair(0.0, -0.0, FMC_BOUND_ABS, nan));
    /* relative: zeros exact with sign, signs kept */
    assert_false(fmc_check_pair(0.0, -0.0, FMC_BOUND_PW_REL, 0.5));
    assert_false(fmc_check_pair(0.0, 0x1p-1074, FMC_BOUND_PW_REL, 0.5));
    assert_false(fmc_check_pair(0x1p-1074, -0x1p-1074, FMC_BOUND_PW_REL, 5.0));
    assert_true(fmc_check_pair(1.0, 0.5, FMC_BOUND_PW_REL, 0.5));
    assert_false(fmc_check_pair(1.0, step_ulps(0.5, -1), FMC_BOUND_PW_REL, 0.5));
    assert_true(fmc_check_pair(0x1p-1070, 0x1.8p-1070, FMC_BOUND_PW_REL, 0.5)); /* denormals, exactly */
    assert_false(fmc_check_pair(0x1p-1070, 0x1.ap-1070, FMC_BOUND_PW_REL, 0.5));
    assert_true(fmc_check_pair(1e-320, 0.0, FMC_BOUND_PW_REL, 1.0));
}

/* All samples one by one, as fmc_check_samples should see them. */
static size_t count_failures(uint32_t dtype, size_t n, const void *x, const void *y, const uint8_t *mask, uint32_t kind,
                             double limit, size_t *list)
{
    const size_t size = dtype == FMC_F32 ? 4 : 8;
    size_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        const char *a = (const char *)x + i * size, *b = (const char *)y + i * size;
        double xv, yv;

        if ((mask && mask[i]) || memcmp(a, b, size) == 0)
            continue;
        xv = dtype == FMC_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
        yv = dtype == FMC_F32 ? (double)((const float *)y)[i] : ((const double *)y)[i];
        if (kind == FMC_BOUND_LOSSLESS || xv != xv || !fmc_check_pair(xv, yv, kind, limit))
            list[bad++] = i;
    }
    return bad;
}

static void *perturbed(uint32_t dtype, size_t n, const void *x, double error, unsigned wild, uint64_t *seed)
{
    const size_t size = dtype == FMC_F32 ? 4 : 8;
    void *y = malloc(n * size + 1);

    assert_non_null(y);
    memcpy(y, x, n * size);
    for (size_t i = 0; i < n; i++) {
        const double e = (uniform(seed) * 2 - 1) * error;

        if ((next_random(seed) & 1023) < wild) {
            if (dtype == FMC_F32)
                ((float *)y)[i] = hostile_f32(seed);
            else
                ((double *)y)[i] = hostile_f64(seed);
        } else if (dtype == FMC_F32) {
            ((float *)y)[i] += (float)e;
        } else {
            ((double *)y)[i] += e;
        }
    }
    return y;
}

static void whole_arrays_are_checked_like_single_pairs(void **state)
{
    static const uint32_t kinds[] = { FMC_BOUND_ABS, FMC_BOUND_PW_REL, FMC_BOUND_LOSSLESS };
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 60; round++) {
        const fmc_exec ex = test_exec(1 + (uint32_t)below(&seed, 3));
        const uint32_t dtype = below(&seed, 2) ? FMC_F32 : FMC_F64, kind = kinds[below(&seed, 3)];
        const size_t n = 1 + below(&seed, round < 50 ? 3000 : 200000);
        const double error = pow(10, -(double)below(&seed, 6)), limit = error * (0.9 + 0.15 * uniform(&seed));
        void *x = make_samples(dtype, n, below(&seed, 2) ? 0 : 20, &seed);
        void *y = perturbed(dtype, n, x, error, below(&seed, 2) ? 0 : 3, &seed);
        uint8_t *mask = below(&seed, 2) ? malloc(n) : NULL;
        size_t *want = malloc(n * sizeof *want), *got = malloc((n + 1) * sizeof *got), n_want, n_got, cap;

        for (size_t i = 0; mask && i < n; i++)
            mask[i] = (uint8_t)(below(&seed, 5) == 0);
        n_want = count_failures(dtype, n, x, y, mask, kind, limit, want);
        cap = below(&seed, n_want + 2);
        got[cap] = 12345;
        assert_int_equal(fmc_check_samples(&ex, dtype, n, x, y, mask, kind, limit, got, cap, &n_got), FMC_OK);
        assert_int_equal(n_got, n_want);
        assert_memory_equal(want, got, (cap < n_want ? cap : n_want) * sizeof *want);
        assert_int_equal(got[cap], 12345);
        free(x);
        free(y);
        free(mask);
        free(want);
        free(got);
    }
}

static void errors_are_measured_over_valid_samples(void **state)
{
    const fmc_exec ex = test_exec(1), ex3 = test_exec(3);
    const double x[5] = { 1, 2, (double)NAN, 4, 5 }, y[5] = { 1, 2.5, 0, 4, 4 };
    const uint8_t mask[5] = { 0, 0, FMC_SAMPLE_MISSING, FMC_SAMPLE_EXACT, 0 };
    fmc_errors e, e3;
    uint64_t seed = 6;
    double *big = make_samples(FMC_F64, 300000, 0, &seed), *near = perturbed(FMC_F64, 300000, big, 1e-3, 0, &seed);

    (void)state;
    assert_int_equal(fmc_errors_measure(&ex, FMC_F64, 5, x, y, mask, &e), FMC_OK);
    assert_int_equal(e.n, 4);
    assert_true(e.is_finite && e.sum_sq == 1.25 && e.unit == 1);
    assert_true(fmc_errors_rmse(&e) == sqrt(1.25 / 4));
    assert_int_equal(fmc_errors_measure(&ex, FMC_F64, 5, x, y, NULL, &e), FMC_OK);
    assert_true(!e.is_finite && isinf(fmc_errors_rmse(&e)));
    assert_int_equal(fmc_errors_measure(&ex, FMC_F64, 0, x, y, NULL, &e), FMC_OK);
    assert_true(e.n == 0 && fmc_errors_rmse(&e) == 0);
    assert_int_equal(fmc_errors_measure(&ex, FMC_F64, 300000, big, near, NULL, &e), FMC_OK);
    assert_int_equal(fmc_errors_measure(&ex3, FMC_F64, 300000, big, near, NULL, &e3), FMC_OK);
    assert_true(e.n == e3.n && e.unit == e3.unit && e.sum_sq == e3.sum_sq); /* same bits for any number of threads */
    assert_true(e.is_finite && fabs(fmc_errors_rmse(&e) / (1e-3 / sqrt(3)) - 1) < 0.01);
    free(big);
    free(near);
}

static void errors_of_extreme_size_do_not_overflow(void **state)
{
    const fmc_exec ex = test_exec(1);
    const double scale[4] = { 1e300, 1e-300, 0x1p-1070, 1e150 };
    fmc_errors e;

    (void)state;
    for (int k = 0; k < 4; k++) {
        const double x[4] = { scale[k], 2 * scale[k], 3 * scale[k], 0 }, y[4] = { 0, 0, 3 * scale[k], 0 };

        assert_int_equal(fmc_errors_measure(&ex, FMC_F64, 4, x, y, NULL, &e), FMC_OK);
        assert_true(fabs(fmc_errors_rmse(&e) / scale[k] / sqrt(1.25) - 1) < (k == 2 ? 0.1 : 1e-12));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abs_test_never_accepts_a_violation),
        cmocka_unit_test(relative_test_equals_integer_arithmetic),
        cmocka_unit_test(pairs_at_the_edges_are_judged_rightly),
        cmocka_unit_test(whole_arrays_are_checked_like_single_pairs),
        cmocka_unit_test(errors_are_measured_over_valid_samples),
        cmocka_unit_test(errors_of_extreme_size_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
