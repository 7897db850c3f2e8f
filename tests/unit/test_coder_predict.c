/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

#include "codec/coder.h"
#include "codec/samples.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

static void meets_both_targets(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 20, 40, 41);
    void *data = make_field(&b, 3, 1, 0.03);

    (void)state;
    for (int k = 0; k < 2; k++)
        for (double limit = 0.05; limit > 1e-4; limit /= 6) {
            const fmc_goal goal = { k ? FMC_BOUND_ABS : FMC_BOUND_NRMSE, limit };
            const fmc_effort e = { .effort = 5 };
            fmc_quantised z;
            fmc_lossy l;
            double bytes, ratio;

            assert_int_equal(fmc_lossy_init(&ex, &b, data, &goal, &e, &l), FMC_OK);
            assert_int_equal(fmc_predict_estimate(&ex, &l, &bytes), FMC_OK);
            assert_true(bytes > 10 && bytes < 4.0 * 20 * 40 * 41);
            assert_int_equal(fmc_predict_quantise(&ex, &l, &z), FMC_OK);
            if (!z.samples)
                assert_int_equal(fmc_samples_make(&ex, &l, &z, NULL), FMC_OK);
            ratio = rmse_over_limit(l.count, data, z.samples, limit);
            assert_true(ratio <= 1 && ratio > (k ? 0.1 : 0.95));
            fmc_quantised_fini(&ex, &z);
            fmc_lossy_fini(&ex, &l);
        }
    free(data);
}

/* The estimate is of the right size, from all samples and from blocks. */
static void estimates_are_close(void **state)
{
    (void)state;
    for (size_t steps = 16; steps <= 256; steps *= 16) {
        const fmc_block b = make_block(FMC_F32, 3, steps, 96, 96);
        void *data = make_field(&b, 3, 1, 0.03);
        const fmc_goal goal = { FMC_BOUND_ABS, 1e-2 };
        const fmc_effort e = { .effort = 1 };
        fmc_candidate c;
        fmc_quantised z;
        fmc_lossy l;
        double bytes;

        assert_int_equal(fmc_lossy_init(&ex, &b, data, &goal, &e, &l), FMC_OK);
        assert_int_equal(fmc_predict_estimate(&ex, &l, &bytes), FMC_OK);
        assert_int_equal(fmc_predict_quantise(&ex, &l, &z), FMC_OK);
        assert_int_equal(fmc_lossy_finish(&ex, &l, &z, &c), FMC_OK);
        assert_true(bytes > 0.85 * (double)c.payload.size && bytes < 1.25 * (double)c.payload.size);
        fmc_candidate_fini(&ex, &c);
        fmc_lossy_fini(&ex, &l);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(meets_both_targets), cmocka_unit_test(estimates_are_close) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
