/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/logmap.h"
#include "array/mask.h"
#include "bound/check.h"

static void maps_are_close_to_the_true_ones(void **state)
{
    uint64_t seed = 1;
    double worst_log = 0, worst_exp = 0;

    (void)state;
    for (int i = 0; i < 300000; i++) {
        const double x = ldexp(1 + uniform(&seed), (int)below(&seed, 2096) - 1074), v = uniform(&seed) * 2140 - 1090;
        const double l = fmc_log2(x), e = fmc_exp2(v), want = exp2(v);

        worst_log = fmax(worst_log, fabs(l - log2(x)) / fmax(1, fabs(l)));
        if (want > 0x1p-1020 && want < DBL_MAX)
            worst_exp = fmax(worst_exp, fabs(e - want) / want);
    }
    assert_true(worst_log < 3e-16 && worst_exp < 5e-16);
    for (int k = -1074; k < 1024; k++) {
        assert_true(fmc_log2(ldexp(1, k)) == k);
        assert_true(fmc_exp2(k) == ldexp(1, k));
    }
    assert_true(fmc_exp2((double)NAN) == 0 && fmc_exp2(-(double)INFINITY) == 0 && fmc_exp2(-5000) == 0);
    assert_true(fmc_exp2((double)INFINITY) == DBL_MAX && fmc_exp2(1024) == DBL_MAX);
    assert_true(fmc_exp2(0x1p-60) == 1 && fmc_exp2(-1074) == 0x1p-1074 && fmc_exp2(-1099.9) == 0);
}

/* The bits that docs/format.md promises on every machine. */
static void exp2_gives_the_recorded_bits(void **state)
{
    uint64_t seed = 2, hash = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        const double e = fmc_exp2(uniform(&seed) * 2140 - 1090);
        uint64_t bits;

        memcpy(&bits, &e, sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    assert_int_equal(hash, 0x9c7dcb974e723308u);
}

/* Worst case in the log domain: every value displaced by the whole limit, both ways. */
static void displaced_logs_meet_the_relative_bound(void **state)
{
    static const double bounds[] = { 3.0, 0.9, 0.5, 0.1, 1e-2, 1e-3, 1e-5, 1e-6 };
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 3;

    (void)state;
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++) {
            const fmc_log_bound lb = fmc_log_bound_make(bounds[b], dtype);
            const fmc_norm unit = { 0, 0 };
            double wide[1000];
            float narrow[1000];
            double y[1000], back_wide[1000];
            float back_narrow[1000];
            const void *x = dtype == FMC_F32 ? (const void *)narrow : (const void *)wide;
            void *back = dtype == FMC_F32 ? (void *)back_narrow : (void *)back_wide;
            size_t n_bad;

            assert_true(lb.limit > 0 && lb.limit <= log2(1 + bounds[b]) + (bounds[b] < 0.75 ? bounds[b] * bounds[b] : 0));
            for (int i = 0; i < 1000; i++) {
                wide[i] = ldexp(1 + uniform(&seed), (int)below(&seed, 240) - 120);
                narrow[i] = (float)wide[i];
            }
            for (int side = -1; side <= 1; side++) {
                assert_int_equal(fmc_log_forward(&ex, &unit, lb.centre, 1000, dtype, x, NULL, FMC_F64, y), FMC_OK);
                for (int i = 0; i < 1000; i++)
                    y[i] += side * lb.limit;
                assert_int_equal(fmc_log_inverse(&ex, &unit, 1000, FMC_F64, y, NULL, dtype, back), FMC_OK);
                assert_int_equal(fmc_check_samples(&ex, dtype, 1000, x, back, NULL, FMC_BOUND_PW_REL, bounds[b], NULL,
                                                   0, &n_bad),
                                 FMC_OK);
                assert_int_equal(n_bad, 0);
            }
        }
    }
    assert_true(fmc_log_bound_make(1e-8, FMC_F32).limit == 0); /* below the type's own rounding */
    assert_true(fmc_log_bound_make(0, FMC_F64).limit == 0);
}

static void whole_path_keeps_signs_zeros_and_missing(void **state)
{
    const fmc_exec ex = test_exec(2);
    const size_t dim[2] = { 150, 200 }, n = 30000;
    uint64_t seed = 4;
    float *x = make_samples(FMC_F32, n, 20, &seed), *y = malloc(n * 4), *back = malloc(n * 4);
    const fmc_log_bound lb = fmc_log_bound_make(1e-3, FMC_F32);
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_masked masked;
    uint8_t *sign;
    size_t n_bad;
    fmc_span span;
    fmc_norm norm;
    fmc_mask m;
    fmc_in in;

    (void)state;
    for (size_t i = 0; i < n; i += 7)
        x[i] = i % 2 ? 0.0f : -0.0f;
    assert_int_equal(fmc_mask_find(&ex, FMC_F32, n, x, 0, 0, FMC_MASK_ZEROS, &m), FMC_OK);
    assert_int_equal(fmc_log_span(&ex, FMC_F32, n, x, m.state, lb.centre, &span), FMC_OK);
    assert_int_equal(span.n_valid, m.coded.n_valid);
    norm = fmc_norm_choose(&span);
    assert_int_equal(fmc_mask_encode(&ex, FMC_F32, 2, dim, x, m.state, &out), FMC_OK);
    assert_int_equal(fmc_signs_encode(&ex, FMC_F32, 2, dim, x, m.state, &out), FMC_OK);
    assert_int_equal(fmc_log_forward(&ex, &norm, lb.centre, n, FMC_F32, x, m.state, FMC_F32, y), FMC_OK);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_mask_decode(&ex, FMC_F32, 2, dim, &in, &masked), FMC_OK);
    assert_int_equal(fmc_signs_decode(&ex, 2, dim, masked.cls, &in, &sign), FMC_OK);
    assert_int_equal(fmc_in_left(&in), 0);
    assert_int_equal(fmc_log_inverse(&ex, &norm, n, FMC_F32, y, sign, FMC_F32, back), FMC_OK);
    fmc_masked_apply(&masked, FMC_F32, n, back);
    assert_int_equal(fmc_check_samples(&ex, FMC_F32, n, x, back, NULL, FMC_BOUND_PW_REL, 1e-3, NULL, 0, &n_bad), FMC_OK);
    assert_true(n_bad < n / 100); /* denormals of f32 cannot keep 1e-3 */
    for (size_t i = 0; i < n; i++)
        if (m.state[i])
            assert_memory_equal(x + i, back + i, 4);
        else
            assert_true(signbit(x[i]) == signbit(back[i]));
    for (size_t cut = 0; cut < 40; cut++) {
        uint8_t *none;

        in = fmc_in_make(out.data + out.size - 50, cut);
        if (fmc_signs_decode(&ex, 2, dim, masked.cls, &in, &none) == FMC_OK)
            fmc_dealloc(ex.alloc, none);
        else
            assert_null(none);
    }
    fmc_dealloc(ex.alloc, sign);
    fmc_masked_fini(&ex, &masked);
    fmc_mask_fini(&ex, &m);
    fmc_out_fini(&out);
    free(x);
    free(y);
    free(back);
}

static void one_sign_costs_a_byte(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[1] = { 4 };
    const double x[4] = { -1, -2, 5, -3 };
    const uint8_t mask[4] = { 0, 0, 1, 0 };
    fmc_out out = fmc_out_make(ex.alloc);
    uint8_t *sign;
    fmc_in in;

    (void)state;
    assert_int_equal(fmc_signs_encode(&ex, FMC_F64, 1, dim, x, mask, &out), FMC_OK);
    assert_int_equal(out.size, 1);
    in = fmc_in_make(out.data, 1);
    assert_int_equal(fmc_signs_decode(&ex, 1, dim, mask, &in, &sign), FMC_OK);
    assert_true(sign[0] == 2 && sign[1] == 2 && sign[2] == 1 && sign[3] == 2);
    fmc_dealloc(ex.alloc, sign);
    fmc_out_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_close_to_the_true_ones),
        cmocka_unit_test(exp2_gives_the_recorded_bits),
        cmocka_unit_test(displaced_logs_meet_the_relative_bound),
        cmocka_unit_test(whole_path_keeps_signs_zeros_and_missing),
        cmocka_unit_test(one_sign_costs_a_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
