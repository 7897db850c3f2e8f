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
    assert_true(round_trip(&b, data, FMC_BOUND_ABS, 0.1501, 1, FMC_CODER_GRID) <
                0.95 * (double)round_trip(&b, data, FMC_BOUND_ABS, 0.1499, 1, FMC_CODER_GRID)); /* four steps, three */
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

/* Zeros with showers here and there: prediction codes nothing where nothing is, other coders the edges of everything. */
static void *showers(const fmc_block *b, double offset)
{
    const size_t n = fmc_block_count(b);
    void *data = make_field(b, 0, 1, 0.01);

    for (size_t i = 0; i < n; i++) {
        const double v = fmax(0, sample_at(b, data, i) - 0.6) + offset;

        if (b->dtype == FMC_F64)
            ((double *)data)[i] = v;
        else
            ((float *)data)[i] = (float)v;
    }
    return data;
}

static void values_on_no_grid_are_put_on_one(void **state)
{
    static const struct {
        uint32_t dtype;
        double offset, limit;
    } cases[] = { { FMC_F32, 0, 1e-3 }, { FMC_F32, 0, 3e-7 }, { FMC_F32, 5000, 1e-3 }, { FMC_F32, 5000, 2.5e-4 },
                  { FMC_F64, 0, 1e-9 }, { FMC_F64, -1e9, 1e-4 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const fmc_block b = make_block(cases[i].dtype, 3, 6, 40, 40);
        float *data = showers(&b, cases[i].offset);

        for (uint32_t effort = 1; effort <= 9; effort += 4) {
            round_trip(&b, data, FMC_BOUND_ABS, cases[i].limit, effort, FMC_CODER_GRID);
            round_trip(&b, data, FMC_BOUND_NRMSE, cases[i].limit, effort, FMC_CODER_GRID);
        }
        free(data);
    }
}

static void laid_grids_leave_out_what_is_masked_or_far_off(void **state)
{
    fmc_block b = make_block(FMC_F32, 3, 6, 40, 40);
    float *data = showers(&b, 0);

    (void)state;
    b.has_fill = 1;
    b.fill_value = -999;
    data[17] = NAN;
    data[18] = INFINITY;
    data[555] = 1e20f;
    for (size_t i = 0; i < 1000; i++)
        data[3000 + i] = -999;
    round_trip(&b, data, FMC_BOUND_ABS, 1e-3, 5, FMC_CODER_GRID);
    assert_true(round_trip(&b, data, FMC_BOUND_NRMSE, 1e-3, 5, FMC_CODER_GRID) < sizeof(float) * 6 * 40 * 40 / 5);
    free(data);
}

static void nothing_to_lay_leaks_nothing(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 4, 10, 10);
    float *data = showers(&b, 0);

    (void)state;
    for (size_t i = 0; i < 400; i++)
        data[i] = NAN;
    for (uint32_t effort = 1; effort <= 9; effort += 4) {
        round_trip(&b, data, FMC_BOUND_ABS, 1e-3, effort, FMC_CODER_AUTO);
        round_trip(&b, data, FMC_BOUND_NRMSE, 1e-3, effort, FMC_CODER_GRID);
    }
    free(data);
}

static void laid_grids_are_chosen_where_they_are_smaller(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 6, 120, 130);
    float *data = showers(&b, 0);

    (void)state;
    for (uint32_t effort = 1; effort <= 9; effort += effort < 5 ? 4 : 2) {
        const size_t best = round_trip(&b, data, FMC_BOUND_ABS, 1e-3, effort, FMC_CODER_AUTO);

        assert_true(best <= round_trip(&b, data, FMC_BOUND_ABS, 1e-3, effort < 7 ? 1 : effort, FMC_CODER_GRID));
        assert_true(best < round_trip(&b, data, FMC_BOUND_ABS, 1e-3, effort, FMC_CODER_INTERP));
        assert_true(best < round_trip(&b, data, FMC_BOUND_ABS, 1e-3, effort, FMC_CODER_TRANSFORM));
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_half_a_step_it_is_lossless),
        cmocka_unit_test(wider_bounds_thin_the_grid),
        cmocka_unit_test(estimates_are_close),
        cmocka_unit_test(values_on_no_grid_are_put_on_one),
        cmocka_unit_test(laid_grids_leave_out_what_is_masked_or_far_off),
        cmocka_unit_test(nothing_to_lay_leaks_nothing),
        cmocka_unit_test(laid_grids_are_chosen_where_they_are_smaller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
