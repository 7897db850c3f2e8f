/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "coef/coef.h"
#include "coef/quantise.h"
#include "ops/kernels.h"

/* One plain band and the two bands of a halved row axis: enough for every neighbour that contexts look at. */
static size_t make_bands(fmc_band band[2], const size_t dim[FMC_MAX_RANK])
{
    memset(band, 0, 2 * sizeof *band);
    for (int i = 0; i < 2; i++) {
        memcpy(band[i].dim, dim, sizeof band[i].dim);
        band[i].count = dim[0] * dim[1] * dim[2] * dim[3] * dim[4];
        band[i].parent = band[i].time_parent = -1;
    }
    band[0].is_low = 1;
    band[0].level = 1;
    band[1].start = band[0].count;
    band[1].high = 1 << 4;
    band[1].n_siblings = 1;
    return 2;
}

static uint32_t seed;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Mostly small values in patches, some huge ones. */
static int32_t random_value(uint32_t spread)
{
    const uint32_t r = next_random();
    int32_t v = 0;

    if (r % 97 == 0)
        v = (int32_t)(next_random() % (FMC_COEF_MAX / 4));
    else if (spread)
        v = (int32_t)(next_random() % (2 * spread + 1)) - (int32_t)spread;
    return r & 1 ? v : -v;
}

static fmc_exec exec_with(uint32_t n_threads)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = n_threads };

    return ex;
}

static void round_trip(const fmc_band *band, size_t n_bands, int32_t *q, size_t n, uint32_t tier)
{
    const fmc_exec one = exec_with(1), two = exec_with(2);
    int32_t *const was = malloc(n * sizeof *was), *const got = calloc(n, sizeof *got);
    fmc_out out = fmc_out_make(&fmc_system_allocator), again = fmc_out_make(&fmc_system_allocator);
    fmc_in in;

    memcpy(was, q, n * sizeof *q);
    assert_int_equal(fmc_coef_encode(&one, band, n_bands, q, tier, NULL, &out), FMC_OK);
    assert_memory_equal(was, q, n * sizeof *q);
    assert_int_equal(fmc_coef_encode(&two, band, n_bands, q, tier, NULL, &again), FMC_OK);
    assert_int_equal(out.size, again.size);
    assert_memory_equal(out.data, again.data, out.size);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_coef_decode(&two, band, n_bands, got, tier, NULL, &in), FMC_OK);
    assert_memory_equal(was, got, n * sizeof *q);
    fmc_out_fini(&out);
    fmc_out_fini(&again);
    free(was);
    free(got);
}

static void every_tier_gives_back_the_values(void **state)
{
    static const size_t dims[][FMC_MAX_RANK] = { { 1, 1, 1, 1, 1 }, { 1, 1, 1, 1, 17 }, { 1, 1, 1, 9, 33 },
                                                 { 1, 1, 5, 7, 16 }, { 2, 3, 4, 5, 6 }, { 1, 1, 1, 64, 3 } };
    (void)state;
    seed = 11;
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        for (uint32_t tier = FMC_COEF_FAST; tier <= FMC_COEF_STATIC; tier++)
            for (uint32_t spread = 0; spread < 2000; spread = spread * 5 + 1) {
                fmc_band band[2];
                const size_t n_bands = make_bands(band, dims[i]), n = 2 * band[0].count;
                int32_t *q = malloc(n * sizeof *q);

                for (size_t k = 0; k < n; k++)
                    q[k] = random_value(spread);
                round_trip(band, n_bands, q, n, tier);
                free(q);
            }
}

static void blocks_do_not_change_bytes_with_threads(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 1, 1, 20, 256, 256 };
    fmc_band band[2];
    const size_t n_bands = make_bands(band, dim), n = 2 * band[0].count;
    int32_t *q = malloc(n * sizeof *q);

    (void)state;
    seed = 5;
    for (size_t k = 0; k < n; k++)
        q[k] = next_random() % 50 ? 0 : random_value(3);
    round_trip(band, n_bands, q, n, FMC_COEF_FAST);
    round_trip(band, n_bands, q, n, FMC_COEF_AVERAGE);
    free(q);
}

static void any_bytes_decode_without_harm(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 1, 2, 3, 8, 19 };
    const fmc_exec ex = exec_with(1);
    fmc_band band[2];
    const size_t n_bands = make_bands(band, dim), n = 2 * band[0].count;
    int32_t *q = malloc(n * sizeof *q);

    (void)state;
    seed = 77;
    for (int i = 0; i < 400; i++) {
        uint8_t bytes[300];
        const size_t size = next_random() % sizeof bytes;
        fmc_in in = fmc_in_make(bytes, size);
        fmc_status st;

        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)next_random();
        memset(q, 0, n * sizeof *q);
        st = fmc_coef_decode(&ex, band, n_bands, q, (uint32_t)i % 5, NULL, &in);
        assert_true(st == FMC_OK || st == FMC_ERR_TRUNCATED || st == FMC_ERR_CORRUPT);
        for (size_t k = 0; st == FMC_OK && k < n; k++)
            assert_true(q[k] <= FMC_COEF_MAX && q[k] >= -FMC_COEF_MAX);
    }
    free(q);
}

/* A step whose inverse overflows makes NaN and infinity on the way. */
static void extreme_steps_quantise_within_range(void **state)
{
    static const double steps[] = { 1e-300, 4.9e-324, 1e-45, 1e-30, 1e30, 1e300 };
    const size_t dim[FMC_MAX_RANK] = { 1, 1, 1, 5, 23 };
    const fmc_exec ex = exec_with(1);
    fmc_band band[2];
    const size_t n_bands = make_bands(band, dim), n = 2 * band[0].count;
    double *c = malloc(n * sizeof *c);
    float *f = malloc(n * sizeof *f);
    int32_t *q = malloc(n * sizeof *q);

    (void)state;
    seed = 21;
    for (size_t k = 0; k < n; k++) {
        c[k] = k % 3 ? (double)random_value(5) * 1e-3 : 0;
        f[k] = (float)c[k];
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        fmc_quantiser z = { .step = steps[i], .lambda = 0.12f };
        double error;

        assert_int_equal(fmc_quantise_f64(&ex, band, n_bands, c, NULL, &z, 1, q, &error), FMC_OK);
        assert_int_equal(fmc_quantise_centres_f64(&ex, band, n_bands, c, NULL, q, &z), FMC_OK);
        assert_int_equal(fmc_quantise_f32(&ex, band, n_bands, f, NULL, &z, 1, q, &error), FMC_OK);
        assert_int_equal(fmc_quantise_centres_f32(&ex, band, n_bands, f, NULL, q, &z), FMC_OK);
        for (size_t k = 0; k < n; k++)
            assert_true(q[k] <= FMC_COEF_MAX && q[k] >= -FMC_COEF_MAX);
    }
    free(c);
    free(f);
    free(q);
}

/* Where coefficients lie makes no difference. */
static void coefficients_in_place_quantise_as_if_packed(void **state)
{
    enum { Z = 4, Y = 10, X = 24, N = Z * Y * X };
    const size_t pitch[FMC_MAX_RANK] = { N, N, Y * X, X, 1 };
    const fmc_exec ex = exec_with(2);
    fmc_band band[2] = { { .start = 0 }, { .start = N / 4 } };
    fmc_quantiser z[2] = { { .step = 3, .lambda = 0.12f }, { .step = 3, .lambda = 0.12f } };
    float layout[N], packed[N / 2], back[N] = { 0 }, back_packed[N / 2];
    int32_t q[2][N / 2];
    double error[2];
    size_t n = 0;

    (void)state;
    seed = 23;
    for (size_t i = 0; i < N; i++)
        layout[i] = (float)random_value(20);
    for (size_t b = 0; b < 2; b++) { /* two of four quarters: the first and the last */
        const size_t dim[FMC_MAX_RANK] = { 1, 1, Z, Y / 2, X / 2 };

        memcpy(band[b].dim, dim, sizeof dim);
        band[b].count = N / 4;
        band[b].origin[3] = b * Y / 2;
        band[b].origin[4] = b * X / 2;
        for (size_t i = 0; i < N / 4; i++)
            packed[n++] = layout[i / (Y / 2 * X / 2) * Y * X + (i / (X / 2) % (Y / 2) + b * Y / 2) * X + i % (X / 2) + b * X / 2];
    }
    assert_int_equal(fmc_quantise_f32(&ex, band, 2, packed, NULL, &z[0], 1, q[0], &error[0]), FMC_OK);
    assert_int_equal(fmc_quantise_f32(&ex, band, 2, layout, pitch, &z[1], 1, q[1], &error[1]), FMC_OK);
    assert_memory_equal(q[0], q[1], sizeof q[0]);
    assert_true(error[0] == error[1]);
    assert_int_equal(fmc_quantise_centres_f32(&ex, band, 2, packed, NULL, q[0], &z[0]), FMC_OK);
    assert_int_equal(fmc_quantise_centres_f32(&ex, band, 2, layout, pitch, q[1], &z[1]), FMC_OK);
    assert_memory_equal(z[0].centre, z[1].centre, sizeof z[0].centre);
    assert_int_equal(fmc_dequantise_f32(&ex, band, 2, q[0], &z[0], NULL, back_packed), FMC_OK);
    assert_int_equal(fmc_dequantise_f32(&ex, band, 2, q[1], &z[1], pitch, back), FMC_OK);
    assert_memory_equal(back, back_packed, X / 2 * sizeof *back);
    assert_memory_equal(back + N - X / 2, back_packed + N / 2 - X / 2, X / 2 * sizeof *back);
}

static void every_simd_level_gives_the_same_bytes(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 1, 2, 3, 9, 77 };
    fmc_exec ex = exec_with(1);
    fmc_band band[2];
    const size_t n_bands = make_bands(band, dim), n = 2 * band[0].count;
    int32_t *q = malloc(n * sizeof *q), *got = malloc(n * sizeof *got);

    (void)state;
    seed = 13;
    for (size_t k = 0; k < n; k++)
        q[k] = next_random() % 3 ? 0 : random_value(k % 2000 < 200 ? 300 : 3);
    for (uint32_t tier = FMC_COEF_FAST; tier <= FMC_COEF_BEST; tier++) {
        fmc_out ref = fmc_out_make(&fmc_system_allocator);

        ex.kernels = &fmc_kernels_ref;
        assert_int_equal(fmc_coef_encode(&ex, band, n_bands, q, tier, NULL, &ref), FMC_OK);
        for (uint32_t level = FMC_SIMD_AVX2; level <= FMC_SIMD_AVX512; level++) {
            fmc_out out = fmc_out_make(&fmc_system_allocator);
            fmc_in in = fmc_in_make(ref.data, ref.size);

            ex.kernels = fmc_kernels_select(level);
            assert_int_equal(fmc_coef_encode(&ex, band, n_bands, q, tier, NULL, &out), FMC_OK);
            assert_int_equal(out.size, ref.size);
            assert_memory_equal(out.data, ref.data, ref.size);
            assert_int_equal(fmc_coef_decode(&ex, band, n_bands, got, tier, NULL, &in), FMC_OK);
            assert_memory_equal(q, got, n * sizeof *q);
            fmc_out_fini(&out);
        }
        fmc_out_fini(&ref);
    }
    free(q);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tier_gives_back_the_values),
        cmocka_unit_test(blocks_do_not_change_bytes_with_threads),
        cmocka_unit_test(any_bytes_decode_without_harm),
        cmocka_unit_test(extreme_steps_quantise_within_range),
        cmocka_unit_test(coefficients_in_place_quantise_as_if_packed),
        cmocka_unit_test(every_simd_level_gives_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
