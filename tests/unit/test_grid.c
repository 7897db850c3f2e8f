/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "grid/grid.h"

enum { NT = 6, NY = 40, NX = 50, N = NT * NY * NX };

static const size_t dims[3] = { NT, NY, NX };

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Integers of a bumpy field. */
static int32_t bump(size_t i, uint32_t *seed)
{
    const int32_t x = (int32_t)(i % NX) - 25, y = (int32_t)(i / NX % NY) - 20;

    return 300 - (x * x + y * y) / 4 + (int32_t)(next_random(seed) % 5) + (int32_t)(i / (NX * NY));
}

/* Find, convert, code, decode, convert back; true if a grid was found. */
static bool grid_round_trip(uint32_t dtype, const void *data, const uint8_t *mask, uint32_t *n_slices)
{
    const size_t size = dtype == FMC_F32 ? 4 : 8;
    fmc_out out = fmc_out_make(ex.alloc);
    int32_t *k = malloc(N * sizeof *k), *back = malloc(N * sizeof *back);
    uint8_t *values = malloc(N * size);
    fmc_grid g, h;
    fmc_in in;
    bool found;

    assert_int_equal(fmc_grid_detect(&ex, dtype, 3, dims, data, mask, 0, &g), FMC_OK);
    found = g.kind != FMC_GRID_NONE;
    if (found) {
        if (n_slices)
            *n_slices = g.n_slices;
        assert_int_equal(fmc_grid_to_ints(&ex, &g, 3, dims, data, mask, 0, N, k), FMC_OK);
        fmc_grid_write(&g, &out);
        assert_int_equal(fmc_grid_encode(&ex, &g, 3, dims, k, mask, 5, &out), FMC_OK);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_grid_parse(&ex, dtype, 3, dims, &in, &h), FMC_OK);
        assert_int_equal(fmc_grid_decode(&ex, &h, 3, dims, &in, mask, back), FMC_OK);
        assert_int_equal(fmc_in_left(&in), 0);
        assert_memory_equal(k, back, N * sizeof *k);
        memcpy(values, data, N * size);
        for (size_t i = 0; i < N; i++)
            if (!mask || !mask[i])
                memset(values + i * size, 0x33, size);
        assert_int_equal(fmc_grid_from_ints(&ex, &h, 3, dims, back, mask, values), FMC_OK);
        assert_memory_equal(values, data, N * size);
        fmc_grid_fini(&h);
    }
    fmc_grid_fini(&g);
    fmc_out_fini(&out);
    free(k);
    free(back);
    free(values);
    return found;
}

static void packed_floats_are_found(void **state)
{
    static const float scale[] = { 0.1f, 0.01f, 1.0f, 0.00014464f, 3.28f, 0.25f };
    float *data = malloc(N * sizeof *data);

    (void)state;
    for (size_t s = 0; s < sizeof scale / sizeof *scale; s++) {
        for (uint32_t how = 0; how < 4; how++) {
            uint32_t seed = 5;

            if (scale[s] < 0.001f && how != 3 && how != 0)
                continue; /* under eight units in the last place: not worth a grid */
            for (size_t i = 0; i < N; i++) {
                const int32_t k = bump(i, &seed);
                const float product = (float)k * scale[s];

                data[i] = how == 0   ? product
                          : how == 1 ? product + 273.15f
                          : how == 2 ? (float)((double)k * (double)scale[s] + 273.15)
                                     : (float)((double)k / 100.0);
            }
            assert_true(grid_round_trip(FMC_F32, data, NULL, NULL));
        }
    }
    free(data);
}

static void packed_doubles_are_found(void **state)
{
    double *data = malloc(N * sizeof *data);
    uint32_t seed = 5;

    (void)state;
    for (size_t i = 0; i < N; i++)
        data[i] = (double)bump(i, &seed) / 10;
    assert_true(grid_round_trip(FMC_F64, data, NULL, NULL));
    for (size_t i = 0; i < N; i++)
        data[i] = (double)bump(i, &seed) * 0.0125 + 1000;
    assert_true(grid_round_trip(FMC_F64, data, NULL, NULL));
    free(data);
}

static void slices_have_their_own_constants(void **state)
{
    float *data = malloc(N * sizeof *data);
    uint32_t seed = 5, n_slices = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        const size_t t = i / (NX * NY);

        data[i] = (float)((double)bump(i, &seed) * 0.2 + 0.0137 * (double)t);
    }
    assert_true(grid_round_trip(FMC_F32, data, NULL, &n_slices));
    assert_int_equal(n_slices, NT);
    free(data);
}

static void masked_samples_do_not_matter(void **state)
{
    float *data = malloc(N * sizeof *data);
    uint8_t *mask = malloc(N);
    uint32_t seed = 5;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        mask[i] = next_random(&seed) % 3 == 0;
        data[i] = mask[i] ? 1e20f / (float)(1 + i) : (float)bump(i, &seed) * 0.01f;
    }
    assert_true(grid_round_trip(FMC_F32, data, mask, NULL));
    memset(mask, 1, N);
    assert_false(grid_round_trip(FMC_F32, data, mask, NULL));
    free(data);
    free(mask);
}

static void noise_is_on_no_grid(void **state)
{
    float *data = malloc(N * sizeof *data);
    uint32_t seed = 5;

    (void)state;
    for (size_t i = 0; i < N; i++)
        data[i] = (float)next_random(&seed) * 1.2345e-5f;
    assert_false(grid_round_trip(FMC_F32, data, NULL, NULL));
    data[7] = -0.0f;
    assert_false(grid_round_trip(FMC_F32, data, NULL, NULL));
    free(data);
}

static void integers_of_any_range_come_back(void **state)
{
    int32_t *k = malloc(N * sizeof *k), *back = malloc(N * sizeof *back);

    (void)state;
    for (uint32_t what = 0; what < 5; what++) {
        fmc_out out = fmc_out_make(ex.alloc);
        uint32_t seed = what;
        fmc_in in;

        for (size_t i = 0; i < N; i++)
            k[i] = what == 0   ? 7
                   : what == 1 ? (int32_t)(next_random(&seed) << 9)
                   : what == 2 ? (i & 1 ? INT32_MAX : INT32_MIN)
                   : what == 3 ? 100 * (int32_t)(next_random(&seed) % 20)
                               : bump(i, &seed);
        assert_int_equal(fmc_grid_encode(&ex, NULL, 3, dims, k, NULL, 5, &out), FMC_OK);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_grid_decode(&ex, NULL, 3, dims, &in, NULL, back), FMC_OK);
        assert_memory_equal(k, back, N * sizeof *k);
        fmc_out_fini(&out);
    }
    free(k);
    free(back);
}

static void cut_records_are_refused(void **state)
{
    float *data = malloc(N * sizeof *data);
    int32_t *k = malloc(N * sizeof *k);
    fmc_out out = fmc_out_make(ex.alloc);
    uint32_t seed = 5;
    fmc_grid g;

    (void)state;
    for (size_t i = 0; i < N; i++)
        data[i] = (float)((double)bump(i, &seed) * 0.2 + 0.0137 * (double)(i / (NX * NY)));
    assert_int_equal(fmc_grid_detect(&ex, FMC_F32, 3, dims, data, NULL, 0, &g), FMC_OK);
    assert_int_equal(fmc_grid_to_ints(&ex, &g, 3, dims, data, NULL, 0, N, k), FMC_OK);
    fmc_grid_write(&g, &out);
    assert_int_equal(fmc_grid_encode(&ex, &g, 3, dims, k, NULL, 1, &out), FMC_OK);
    fmc_grid_fini(&g);
    for (size_t cut = 0; cut < out.size; cut += cut < 200 ? 1 : 97) {
        uint8_t *copy = malloc(cut ? cut : 1);
        fmc_in in = fmc_in_make(copy, cut);
        fmc_status st;

        memcpy(copy, out.data, cut);
        st = fmc_grid_parse(&ex, FMC_F32, 3, dims, &in, &g);
        if (st == FMC_OK)
            st = fmc_grid_decode(&ex, &g, 3, dims, &in, NULL, k);
        assert_int_equal(st, FMC_ERR_TRUNCATED);
        fmc_grid_fini(&g);
        free(copy);
    }
    fmc_out_fini(&out);
    free(data);
    free(k);
}

/* Tiny records of every effort, with and without masks and tables: every cut is refused, every changed byte gives a
 * status or integers (run under sanitizers). */
static void tiny_records_survive_damage(void **state)
{
    static const size_t shape[4][4] = { { 1, 1, 1, 23 }, { 1, 1, 7, 5 }, { 1, 3, 4, 5 }, { 2, 3, 3, 4 } };
    static const uint32_t efforts[] = { 1, 5, 9 };
    int32_t k[128], back[128];
    uint8_t mask[128];

    (void)state;
    for (uint32_t what = 0; what < 24; what++) {
        const size_t *dim = shape[what % 4];
        const size_t n = dim[0] * dim[1] * dim[2] * dim[3];
        const uint8_t *m = what & 8 ? mask : NULL;
        fmc_out out = fmc_out_make(ex.alloc);
        uint32_t seed = what;

        for (size_t i = 0; i < n; i++) {
            mask[i] = next_random(&seed) % 4 == 0;
            k[i] = m && mask[i] ? 0 : (what & 4 ? 37 : 1) * (int32_t)(i / 3 + next_random(&seed) % 9);
        }
        assert_int_equal(fmc_grid_encode(&ex, NULL, 4, dim, k, m, efforts[what / 8], &out), FMC_OK);
        for (size_t cut = 0; cut <= out.size; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1);
            fmc_in in = fmc_in_make(copy, cut);

            memcpy(copy, out.data, cut);
            assert_int_equal(fmc_grid_decode(&ex, NULL, 4, dim, &in, m, back),
                             cut < out.size ? FMC_ERR_TRUNCATED : FMC_OK);
            free(copy);
        }
        assert_memory_equal(k, back, n * sizeof *k);
        for (size_t i = 0; i < 2 * out.size; i++) {
            uint8_t *copy = malloc(out.size);
            fmc_in in = fmc_in_make(copy, out.size);

            memcpy(copy, out.data, out.size);
            copy[i % out.size] ^= (uint8_t)(1 + next_random(&seed) % 255);
            (void)fmc_grid_decode(&ex, NULL, 4, dim, &in, m, back);
            free(copy);
        }
        fmc_out_fini(&out);
    }
}

static void estimates_are_near(void **state)
{
    enum { T = 12, Y = 150, X = 160 };
    static const size_t big[3] = { T, Y, X };
    const fmc_grid_trial trial = { 8, false };
    int32_t *k = malloc(sizeof *k * T * Y * X);
    fmc_out out = fmc_out_make(ex.alloc);
    uint32_t seed = 1;
    double bytes;

    (void)state;
    for (size_t i = 0; i < (size_t)T * Y * X; i++) {
        const int32_t x = (int32_t)(i % X), y = (int32_t)(i / X % Y);

        k[i] = (x * x - y * x) / 50 + (int32_t)(next_random(&seed) % 33);
    }
    assert_int_equal(fmc_grid_encode(&ex, NULL, 3, big, k, NULL, 5, &out), FMC_OK);
    assert_int_equal(fmc_grid_estimate(&ex, NULL, 3, big, k, NULL, &trial, &bytes), FMC_OK);
    assert_true(bytes > 0.9 * (double)out.size && bytes < 1.1 * (double)out.size);
    fmc_out_fini(&out);
    free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_floats_are_found),
        cmocka_unit_test(packed_doubles_are_found),
        cmocka_unit_test(slices_have_their_own_constants),
        cmocka_unit_test(masked_samples_do_not_matter),
        cmocka_unit_test(noise_is_on_no_grid),
        cmocka_unit_test(integers_of_any_range_come_back),
        cmocka_unit_test(cut_records_are_refused),
        cmocka_unit_test(tiny_records_survive_damage),
        cmocka_unit_test(estimates_are_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
