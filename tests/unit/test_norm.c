/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/norm.h"

static fmc_span span_of(const double *x, size_t n)
{
    fmc_span s = { n, x[0], x[0] };

    for (size_t i = 1; i < n; i++) {
        s.min = x[i] < s.min ? x[i] : s.min;
        s.max = x[i] > s.max ? x[i] : s.max;
    }
    return s;
}

static void any_scale_comes_back_within_rounding(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const double scale = ldexp(1 + uniform(&seed), (int)below(&seed, 2000) - 1040);
        const double offset = below(&seed, 2) ? 0 : scale * ldexp(uniform(&seed), (int)below(&seed, 40));
        double x[50], y[50], back[50];
        fmc_span s;
        fmc_norm norm;

        for (int i = 0; i < 50; i++)
            x[i] = fmin(0x1p+1000, offset) + fmin(scale, 0x1p+999) * (uniform(&seed) - 0.5);
        s = span_of(x, 50);
        norm = fmc_norm_choose(&s);
        assert_int_equal(fmc_norm_forward(&ex, &norm, 50, FMC_F64, x, NULL, FMC_F64, y), FMC_OK);
        assert_int_equal(fmc_norm_inverse(&ex, &norm, 50, FMC_F64, y, FMC_F64, back), FMC_OK);
        for (int i = 0; i < 50; i++) {
            assert_true(fabs(y[i]) <= 1.5);
            assert_true(fabs(back[i] - x[i]) <= fabs(x[i]) * 0x1p-52 + fmc_norm_scale(&norm) * 0x1p-52 + 0x1p-1074);
        }
    }
}

static void single_values_are_exact(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 2;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        const double x = hostile_f64(&seed);
        const fmc_span s = { 1, x, x };
        double y, back;
        fmc_norm norm;

        if (!(fabs(x) <= 0x1p+1000))
            continue;
        norm = fmc_norm_choose(&s);
        assert_int_equal(fmc_norm_forward(&ex, &norm, 1, FMC_F64, &x, NULL, FMC_F64, &y), FMC_OK);
        assert_true(y == 0 || fabs(x) < 0x1p-969);
        assert_int_equal(fmc_norm_inverse(&ex, &norm, 1, FMC_F64, &y, FMC_F64, &back), FMC_OK);
        assert_true(back == x || fabs(x) < 0x1p-969);
    }
}

static void types_mix_and_masked_samples_give_zero(void **state)
{
    const fmc_exec ex = test_exec(3);
    const size_t n = 150000;
    uint64_t seed = 3;
    float *x = make_samples(FMC_F32, n, 0, &seed), *y32 = malloc(n * 4), *back = malloc(n * 4);
    double *y64 = malloc(n * 8);
    uint8_t *mask = calloc(n, 1);
    const fmc_span s = { n, -3, 7 };
    const fmc_norm norm = fmc_norm_choose(&s);

    (void)state;
    x[5] = NAN;
    x[6] = FLT_MAX;
    mask[5] = mask[6] = 1;
    assert_int_equal(fmc_norm_forward(&ex, &norm, n, FMC_F32, x, mask, FMC_F32, y32), FMC_OK);
    assert_int_equal(fmc_norm_forward(&ex, &norm, n, FMC_F32, x, mask, FMC_F64, y64), FMC_OK);
    assert_true(y32[5] == 0 && y32[6] == 0 && y64[5] == 0 && y64[6] == 0);
    assert_int_equal(fmc_norm_inverse(&ex, &norm, n, FMC_F64, y64, FMC_F32, back), FMC_OK);
    for (size_t i = 7; i < n; i++)
        assert_true(x[i] == back[i]);
    assert_int_equal(fmc_norm_inverse(&ex, &norm, n, FMC_F32, y32, FMC_F32, back), FMC_OK);
    for (size_t i = 7; i < n; i++)
        assert_true(fabsf(x[i] - back[i]) <= 1e-6f);
    free(x);
    free(y32);
    free(y64);
    free(back);
    free(mask);
}

static void records_come_back_and_bad_ones_are_refused(void **state)
{
    const fmc_norm norms[] = { { 0, 0 }, { -1022, -((int64_t)1 << 53) }, { 1023, (int64_t)1 << 53 }, { 5, -77 } };
    const fmc_norm bad[] = { { -1023, 0 }, { 1024, 0 }, { 0, ((int64_t)1 << 53) + 1 }, { 0, INT64_MIN } };
    fmc_norm got;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_in in;

        fmc_norm_write(&norms[i], &out);
        for (size_t n = 0; n < out.size; n++) {
            in = fmc_in_make(out.data, n);
            assert_int_equal(fmc_norm_parse(&in, &got), FMC_ERR_TRUNCATED);
        }
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_norm_parse(&in, &got), FMC_OK);
        assert_true(got.exponent == norms[i].exponent && got.shift == norms[i].shift);
        fmc_out_fini(&out);
        out = fmc_out_make(&fmc_system_allocator);
        fmc_norm_write(&bad[i], &out);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_norm_parse(&in, &got), FMC_ERR_CORRUPT);
        fmc_out_fini(&out);
    }
    assert_false(fmc_norm_needs_f64(1.0, 1e-5));
    assert_true(fmc_norm_needs_f64(1.0, 1e-6));
    assert_true(fmc_norm_needs_f64(1.0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_scale_comes_back_within_rounding),
        cmocka_unit_test(single_values_are_exact),
        cmocka_unit_test(types_mix_and_masked_samples_give_zero),
        cmocka_unit_test(records_come_back_and_bad_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
