/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

#include "codec/coder.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

/* Error of the quantised signal, relative to the limit. */
static double reached(const fmc_block *b, const void *data, double limit, uint32_t effort, int *all_zero)
{
    const fmc_goal goal = { FMC_BOUND_NRMSE, limit };
    const fmc_effort e = { .effort = effort };
    fmc_quantised z;
    fmc_lossy l;
    double ratio;

    assert_int_equal(fmc_lossy_init(&ex, b, data, &goal, &e, &l), FMC_OK);
    assert_int_equal(fmc_lossy_make_signal(&ex, &l), FMC_OK);
    assert_int_equal(fmc_transform_choose(&ex, &l), FMC_OK);
    assert_int_equal(fmc_transform_quantise(&ex, &l, 0, HUGE_VAL, &z), FMC_OK);
    assert_null(l.x);
    assert_true(z.is_measured);
    ratio = rmse_over_limit(l.count, data, z.samples, limit);
    *all_zero = 1;
    for (size_t i = 0; i < l.count; i++)
        *all_zero = *all_zero && z.q[i] == 0;
    fmc_quantised_fini(&ex, &z);
    fmc_lossy_fini(&ex, &l);
    return ratio;
}

static void meets_a_mean_square_error_from_below(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 20, 60, 60);
    float *data = make_field(&b, 3, 1, 0.03);
    int all_zero;

    (void)state;
    for (double limit = 0.1; limit > 1e-4; limit /= 3) {
        const double ratio = reached(&b, data, limit, 5, &all_zero);

        assert_true(ratio <= 1 && ratio > 0.98);
    }
    for (size_t i = 0; i < 20 * 60 * 60; i++) /* two thirds are missing: only the others count */
        if (i % 3 || i % 60 < 20)
            data[i] = NAN;
    for (double limit = 0.1; limit > 1e-3; limit /= 5) {
        const double ratio = reached(&b, data, limit, 1, &all_zero);

        assert_true(ratio <= 1 && ratio > 0.965); /* effort 1 is content with less */
    }
    free(data);
}

static void stops_where_nothing_is_left(void **state)
{
    const fmc_block b = make_block(FMC_F32, 2, 64, 64, 1);
    float *data = make_field(&b, 0, 1, 0.01);
    int all_zero;

    (void)state;
    assert_true(reached(&b, data, 100, 5, &all_zero) <= 1);
    assert_int_equal(all_zero, 1);
    free(data);
}

/* A few spikes: the error jumps as one after the other is lost. */
static void survives_jumps(void **state)
{
    const fmc_block b = make_block(FMC_F32, 2, 64, 64, 1);
    float *data = calloc(64 * 64, 4);
    int all_zero;

    (void)state;
    for (size_t i = 0; i < 64 * 64; i += 97)
        data[i] = 1 + (float)(i % 5) * 0.1f;
    for (double limit = 1e-2; limit > 1e-6; limit /= 7)
        assert_true(reached(&b, data, limit, 5, &all_zero) <= 1);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meets_a_mean_square_error_from_below),
        cmocka_unit_test(stops_where_nothing_is_left),
        cmocka_unit_test(survives_jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
