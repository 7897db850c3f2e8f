/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

static void keeps_every_kind_of_goal(void **state)
{
    static const struct {
        uint32_t kind;
        double   limit;
    } goal[] = { { FMC_BOUND_ABS, 1e-2 }, { FMC_BOUND_ABS, 1e-5 }, { FMC_BOUND_NRMSE, 1e-3 }, { FMC_BOUND_PW_REL, 1e-3 } };

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++)
        for (size_t g = 0; g < sizeof goal / sizeof *goal; g++)
            for (uint32_t effort = 1; effort <= 9; effort += 4) {
                const fmc_block b = make_block(dtype, 3, 9, 20, 31);
                void *data = make_field(&b, 0.1, 1, 0.01);

                round_trip(&b, data, goal[g].kind, goal[g].limit, effort, FMC_CODER_AUTO);
                free(data);
            }
}

static void masks_come_back(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 6, 24, 24);
    float *data = make_field(&b, 5, 1, 0.01);

    (void)state;
    for (size_t i = 0; i < 6 * 24 * 24; i++)
        if (i % 24 < 9)
            data[i] = NAN;
    data[600] = INFINITY;
    data[700] = 3e38f;
    round_trip(&b, data, FMC_BOUND_ABS, 1e-3, 5, FMC_CODER_AUTO);
    round_trip(&b, data, FMC_BOUND_NRMSE, 1e-2, 5, FMC_CODER_TRANSFORM);
    round_trip(&b, data, FMC_BOUND_NRMSE, 1e-2, 5, FMC_CODER_INTERP);
    free(data);
}

static void large_offsets_of_f64(void **state)
{
    const fmc_block b = make_block(FMC_F64, 2, 40, 50, 1);
    void *data = make_field(&b, 1e9, 1e-3, 0.01);

    (void)state;
    round_trip(&b, data, FMC_BOUND_ABS, 1e-5, 5, FMC_CODER_AUTO);
    round_trip(&b, data, FMC_BOUND_NRMSE, 1e-5, 5, FMC_CODER_AUTO);
    round_trip(&b, data, FMC_BOUND_ABS, 1e-13, 5, FMC_CODER_AUTO);
    free(data);
}

static void odd_shapes(void **state)
{
    static const size_t dim[][3] = { { 1, 1, 1 }, { 1, 1, 2 }, { 3, 3, 3 }, { 1, 97, 1 }, { 200, 3, 2 }, { 2, 3, 200 },
                                     { 17, 400, 3 } };

    (void)state;
    for (size_t i = 0; i < sizeof dim / sizeof *dim; i++) {
        const fmc_block b = make_block(FMC_F32, 3, dim[i][0], dim[i][1], dim[i][2]);
        void *data = make_field(&b, 0, 1, 0.05);

        for (uint32_t coder = FMC_CODER_AUTO; coder <= FMC_CODER_EXACT; coder++) {
            round_trip(&b, data, FMC_BOUND_ABS, 1e-3, 5, coder);
            round_trip(&b, data, FMC_BOUND_NRMSE, 1e-2, 5, coder);
        }
        free(data);
    }
}

/* Beside the input: 12 bytes a sample, something per thread and the payload. */
static void memory_is_bounded(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 96, 96, 96);
    const size_t n = fmc_block_count(&b), slack = (size_t)3 << 20;
    void *data = make_field(&b, 0, 1, 0.01), *back = malloc(n * 4);

    (void)state;
    for (int k = 0; k < 2; k++) {
        const fmc_goal goal = { k ? FMC_BOUND_ABS : FMC_BOUND_NRMSE, 1e-3 };
        const fmc_effort e = { .effort = 5 };
        counter c = { 0 };
        const fmc_allocator alloc = counting(&c);
        const fmc_exec ex = { .alloc = &alloc, .n_threads = 1 };
        fmc_out out = fmc_out_make(&alloc);

        assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out), FMC_OK);
        assert_true(c.peak <= 12 * n + slack);
        c.peak = c.now;
        assert_int_equal(fmc_chunk_decode(&ex, &b, fmc_in_make(out.data, out.size), back), FMC_OK);
        assert_true(c.peak - c.now <= 8 * n + slack);
        fmc_out_fini(&out);
    }
    free(back);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_kind_of_goal), cmocka_unit_test(masks_come_back),
        cmocka_unit_test(large_offsets_of_f64),     cmocka_unit_test(odd_shapes),
        cmocka_unit_test(memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
