/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

/* Each allocation fails once: the call says so, nothing leaks; and the bytes are the same when it does not fail. */
static void a_failed_allocation_fails_the_call(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 5, 12, 14);
    float *data = make_field(&b, 0, 1, 0.02);

    (void)state;
    data[100] = NAN;
    for (uint32_t kind = FMC_BOUND_ABS; kind <= FMC_BOUND_NRMSE; kind++) {
        const fmc_goal goal = { kind == FMC_BOUND_REL ? FMC_BOUND_LOSSLESS : kind, 1e-3 };
        const fmc_effort e = { .effort = kind == FMC_BOUND_ABS ? 9 : 5 };
        counter whole = { 0 };
        fmc_allocator alloc = counting(&whole);
        fmc_exec ex = { .alloc = &alloc, .n_threads = 1 };
        fmc_out right = fmc_out_make(&alloc);

        assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &right), FMC_OK);
        for (size_t i = 1; i <= whole.requests; i += 1 + i / 40) {
            counter c = { .fail_at = i };
            fmc_allocator failing = counting(&c);
            fmc_exec ex2 = { .alloc = &failing, .n_threads = 1 };
            fmc_out out = fmc_out_make(&failing);
            const fmc_status st = fmc_chunk_encode(&ex2, &b, data, &goal, &e, &out);

            assert_int_equal(st, FMC_ERR_NO_MEMORY);
            fmc_out_fini(&out);
            assert_int_equal(c.now, 0);
        }
        fmc_out_fini(&right);
    }
    free(data);
}

static void decoding_reports_failed_allocations(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 5, 12, 14);
    float *data = make_field(&b, 0, 1, 0.02), *back = malloc(5 * 12 * 14 * 4);

    (void)state;
    data[100] = NAN;
    for (uint32_t coder = FMC_CODER_TRANSFORM; coder <= FMC_CODER_EXACT; coder++) {
        const fmc_goal goal = { FMC_BOUND_ABS, 1e-3 };
        const fmc_effort e = { .effort = 5, .coder = coder };
        const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_status st = FMC_ERR_NO_MEMORY;

        assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out), FMC_OK);
        for (size_t i = 1; st != FMC_OK; i++) {
            counter c = { .fail_at = i };
            fmc_allocator failing = counting(&c);
            const fmc_exec ex2 = { .alloc = &failing, .n_threads = 1 };

            st = fmc_chunk_decode(&ex2, &b, fmc_in_make(out.data, out.size), back);
            assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
            assert_int_equal(c.now, 0);
        }
        fmc_out_fini(&out);
    }
    free(back);
    free(data);
}

static void bytes_do_not_depend_on_threads(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 20, 90, 91);
    float *data = make_field(&b, 0, 1, 0.02);

    (void)state;
    for (uint32_t kind = FMC_BOUND_ABS; kind <= FMC_BOUND_NRMSE; kind += FMC_BOUND_NRMSE - FMC_BOUND_ABS) {
        const fmc_goal goal = { kind, 1e-3 };
        const fmc_effort e = { .effort = 5 };
        fmc_out out[2];

        for (uint32_t i = 0; i < 2; i++) {
            const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 + 2 * i };

            out[i] = fmc_out_make(&fmc_system_allocator);
            assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out[i]), FMC_OK);
        }
        assert_int_equal(out[0].size, out[1].size);
        assert_memory_equal(out[0].data, out[1].data, out[0].size);
        fmc_out_fini(&out[0]);
        fmc_out_fini(&out[1]);
    }
    free(data);
}

/* The choice by estimate costs little against trying everything. */
static void the_choice_is_close_to_the_best(void **state)
{
    (void)state;
    for (int noisy = 0; noisy < 2; noisy++) {
        const fmc_block b = make_block(FMC_F32, 3, 24, 40, 50);
        float *data = make_field(&b, 0, 1, noisy ? 0.05 : 0);

        for (uint32_t kind = FMC_BOUND_ABS; kind <= FMC_BOUND_NRMSE; kind += FMC_BOUND_NRMSE - FMC_BOUND_ABS) {
            const size_t chosen = round_trip(&b, data, kind, 1e-3, 5, FMC_CODER_AUTO);
            const size_t transform = round_trip(&b, data, kind, 1e-3, 5, FMC_CODER_TRANSFORM);
            const size_t interp = round_trip(&b, data, kind, 1e-3, 5, FMC_CODER_INTERP);
            const size_t best = transform < interp ? transform : interp;

            assert_true((double)chosen <= 1.03 * (double)best + 32);
        }
        free(data);
    }
}

/* A few waves and nothing else: a few coefficients, at every goal and effort. */
static void smooth_fields_take_next_to_nothing(void **state)
{
    static const size_t dim[][3] = { { 16, 64, 64 }, { 16, 128, 128 }, { 8, 128, 100 } };

    (void)state;
    for (size_t k = 0; k < sizeof dim / sizeof *dim; k++) {
        const fmc_block b = make_block(FMC_F32, 3, dim[k][0], dim[k][1], dim[k][2]);
        float *x = malloc(fmc_block_count(&b) * sizeof *x);

        for (size_t i = 0; i < fmc_block_count(&b); i++) {
            const double u = 6.2831853 * (double)(i % b.dim[2]) / (double)b.dim[2];
            const double v = 6.2831853 * (double)(i / b.dim[2] % b.dim[1]) / (double)b.dim[1];
            const double t = (double)(i / b.dim[2] / b.dim[1]);

            x[i] = (float)(sin(u + 0.05 * t) * cos(v) + 0.3 * sin(2 * v + 0.1 * t));
        }
        for (uint32_t effort = 1; effort <= 9; effort += 4)
            for (double limit = 0.003; limit < 0.1; limit *= 3)
                assert_true(round_trip(&b, x, FMC_BOUND_NRMSE, limit, effort, FMC_CODER_AUTO) < 1200);
        free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_allocation_fails_the_call),
        cmocka_unit_test(decoding_reports_failed_allocations),
        cmocka_unit_test(bytes_do_not_depend_on_threads),
        cmocka_unit_test(the_choice_is_close_to_the_best),
        cmocka_unit_test(smooth_fields_take_next_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
