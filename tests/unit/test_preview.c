/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

static size_t coarse(size_t n, uint32_t s)
{
    return n > 1 ? ((n - 1) >> s) + 1 : 1;
}

/* Preview and every 2^s-th decoded sample: largest difference. */
static double compare(const fmc_block *b, const void *data, double limit, uint32_t coder, uint32_t s)
{
    const fmc_goal goal = { FMC_BOUND_NRMSE, limit };
    const fmc_effort e = { .effort = 5, .coder = coder };
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    const size_t n = fmc_block_count(b), d[3] = { coarse(b->dim[0], s), coarse(b->dim[1], s), coarse(b->dim[2], s) };
    float *whole = malloc(n * 4), *small = malloc((d[0] * d[1] * d[2] + 1) * 4);
    double most = 0;

    assert_int_equal(fmc_chunk_encode(&ex, b, data, &goal, &e, &out), FMC_OK);
    assert_int_equal(fmc_chunk_decode(&ex, b, fmc_in_make(out.data, out.size), whole), FMC_OK);
    small[d[0] * d[1] * d[2]] = 77;
    assert_int_equal(fmc_chunk_preview(&ex, b, fmc_in_make(out.data, out.size), s, small), FMC_OK);
    assert_true(small[d[0] * d[1] * d[2]] == 77);
    for (size_t i = 0; i < d[0] * d[1] * d[2]; i++) {
        const size_t z = i / d[2] / d[1] << s, y = (i / d[2] % d[1]) << s, x = (i % d[2]) << s;
        const double v = (double)whole[(z * b->dim[1] + y) * b->dim[2] + x];

        if (isnan(v))
            assert_true(isnan(small[i]));
        else
            most = fmax(most, fabs(v - (double)small[i]));
    }
    fmc_out_fini(&out);
    free(whole);
    free(small);
    return most;
}

static void smooth_fields_look_the_same(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 33, 64, 70);
    void *data = make_field(&b, 10, 1, 0);

    (void)state;
    for (uint32_t s = 1; s <= 2; s++) {
        assert_true(compare(&b, data, 1e-3, FMC_CODER_TRANSFORM, s) < (s == 1 ? 0.05 : 0.5));
        assert_true(compare(&b, data, 1e-3, FMC_CODER_INTERP, s) == 0);
    }
    free(data);
}

/* Nearly constant but for a corner: away from it the preview is the constant. */
static void a_constant_stays_the_constant(void **state)
{
    const fmc_block b = make_block(FMC_F32, 2, 255, 256, 1);
    float *data = malloc(255 * 256 * 4);

    (void)state;
    for (size_t i = 0; i < 255 * 256; i++)
        data[i] = 100 + (i % 256 > 200 && i / 256 > 200 ? (float)(i % 7) * 0.01f : 0);
    for (uint32_t s = 1; s <= 3; s++)
        assert_true(compare(&b, data, 1e-4, FMC_CODER_TRANSFORM, s) < 0.07);
    free(data);
}

static void missing_samples_stay_missing(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 4, 48, 48);
    float *data = make_field(&b, 0, 1, 0);

    (void)state;
    for (size_t i = 0; i < 4 * 48 * 48; i++)
        if (i % 48 > 30)
            data[i] = NAN;
    for (uint32_t s = 1; s <= 3; s++)
        (void)compare(&b, data, 1e-3, FMC_CODER_TRANSFORM, s);
    free(data);
}

/* A surface that wavelets suit: at effort 9 its integers are a trellis's, and its preview is as close as at effort 5. */
static void a_trellis_has_previews(void **state)
{
    enum { N = 160 };
    const fmc_block b = make_block(FMC_F32, 2, N, N, 1);
    const fmc_goal goal = { FMC_BOUND_NRMSE, 0.004 };
    float *const data = calloc(N * N, sizeof *data), *const small = malloc(N * N / 4 * sizeof *small);
    double error[2] = { 0, 0 };
    fmc_chunk_facts facts;
    uint32_t seed = 3;

    (void)state;
    for (size_t i = 0; i < N * N; i++) {
        const double x = (double)(i % N), y = (double)(i / N);

        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)(seed >> 16) / 65536 * 0.02f + (x / 40 > 2 ? 1.0f : 0.0f);
        for (int k = 1; k < 12; k++) /* cones */
            data[i] += (float)fmax(0, 5 - 0.4 * hypot(x - 37 * k % N, y - 61 * k % N));
    }
    for (int k = 0; k < 2; k++) {
        const fmc_effort e = { .effort = k ? 9 : 5, .coder = FMC_CODER_TRANSFORM };
        fmc_out out = fmc_out_make(&fmc_system_allocator);

        assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out), FMC_OK);
        assert_int_equal(fmc_chunk_describe(&ex, &b, fmc_in_make(out.data, out.size), &facts), FMC_OK);
        assert_non_null(strpbrk(facts.detail, "WV"));
        assert_true((strstr(facts.detail, "trellis") != NULL) == k);
        assert_int_equal(fmc_chunk_preview(&ex, &b, fmc_in_make(out.data, out.size), 1, small), FMC_OK);
        for (size_t i = 0; i < N * N / 4; i++) {
            const double d = (double)small[i] - (double)data[2 * (i / (N / 2)) * N + 2 * (i % (N / 2))];

            error[k] += d * d;
        }
        fmc_out_fini(&out);
    }
    assert_true(error[0] > 0 && error[1] < 1.02 * error[0] && error[1] > 0.98 * error[0]);
    free(data);
    free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_fields_look_the_same),
        cmocka_unit_test(a_constant_stays_the_constant),
        cmocka_unit_test(missing_samples_stay_missing),
        cmocka_unit_test(a_trellis_has_previews),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
