/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

#include "codec/grid_payload.h"

static float *packed_field(const fmc_block *b)
{
    float *data = make_field(b, 20, 5, 0.02);

    for (size_t i = 0; i < fmc_block_count(b); i++)
        data[i] = (float)(rint(data[i] * 10) * 0.1);
    return data;
}

static void below_half_a_step_it_is_lossless(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 6, 40, 40);
    float *data = packed_field(&b);
    const size_t tight = round_trip(&b, data, FMC_BOUND_ABS, 0.04, 5, FMC_CODER_GRID);
    const size_t tighter = round_trip(&b, data, FMC_BOUND_ABS, 1e-4, 5, FMC_CODER_GRID);

    (void)state;
    assert_int_equal(tight, tighter);
    assert_true(round_trip(&b, data, FMC_BOUND_ABS, 1e-4, 5, FMC_CODER_AUTO) <= tight);
    free(data);
}

static void wider_bounds_thin_the_grid(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 6, 40, 40);
    float *data = packed_field(&b);
    const size_t exact = round_trip(&b, data, FMC_BOUND_ABS, 0.04, 5, FMC_CODER_GRID);

    (void)state;
    data[17] = NAN;
    for (size_t i = 0; i < 40; i++)
        data[3 * 40 + i] = NAN;
    assert_true(round_trip(&b, data, FMC_BOUND_ABS, 0.1001, 5, FMC_CODER_GRID) < exact);
    assert_true(round_trip(&b, data, FMC_BOUND_NRMSE, 0.09, 5, FMC_CODER_GRID) < exact);
    round_trip(&b, data, FMC_BOUND_PW_REL, 1e-2, 5, FMC_CODER_GRID);
    free(data);
}

static void estimates_are_close(void **state)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    const fmc_block b = make_block(FMC_F32, 3, 10, 160, 160);
    const fmc_goal goal = { FMC_BOUND_ABS, 0.01 };
    float *data = packed_field(&b);
    fmc_candidate c;
    fmc_grid_work w;

    (void)state;
    assert_int_equal(fmc_grid_prepare(&ex, &b, data, &goal, &w), FMC_OK);
    assert_int_equal(w.thinning, 1);
    assert_int_equal(fmc_grid_finish(&ex, &w, 5, &c), FMC_OK);
    assert_true(w.bytes > 0.9 * (double)c.payload.size && w.bytes < 1.35 * (double)c.payload.size);
    fmc_candidate_fini(&ex, &c);
    fmc_grid_work_fini(&ex, &w);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_half_a_step_it_is_lossless),
        cmocka_unit_test(wider_bounds_thin_the_grid),
        cmocka_unit_test(estimates_are_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
