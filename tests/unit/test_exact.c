/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exact/exact.h"

static fmc_exec make_exec(uint32_t n_threads)
{
    fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = n_threads };

    return ex;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Encode, decode, compare bits; returns the size. */
static size_t round_trip(uint32_t dtype, uint32_t rank, const size_t *dim, const void *data, uint32_t effort)
{
    const fmc_exec ex = make_exec(1);
    size_t n = dtype == FMC_F32 ? 4 : 8, size;
    fmc_out out = fmc_out_make(ex.alloc);
    uint8_t *back;
    fmc_in in;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    assert_int_equal(fmc_exact_encode(&ex, dtype, rank, dim, data, effort, &out), FMC_OK);
    assert_true(out.size <= n + 16);
    back = malloc(n);
    memset(back, 0x5a, n);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_exact_decode(&ex, dtype, rank, dim, &in, back), FMC_OK);
    assert_int_equal(fmc_in_left(&in), 0);
    assert_memory_equal(data, back, n);
    size = out.size;
    free(back);
    fmc_out_fini(&out);
    return size;
}

static void fill(uint32_t what, uint32_t dtype, size_t n, void *data)
{
    static const uint64_t odd[8] = { 0, 0x8000000000000000u, 0x7ff0000000000000u, 0xfff8000000000123u,
                                     1, 0x7fefffffffffffffu, 0x000fffffffffffffu, 0xffefffffffffffffu };
    static const uint32_t odd32[8] = { 0, 0x80000000u, 0x7f800000u, 0xffc00123u,
                                       1, 0x7f7fffffu, 0x007fffffu, 0xff7fffffu };
    uint32_t seed = what * 77 + dtype;
    double walk = 3;

    for (size_t i = 0; i < n; i++) {
        const uint32_t r = next_random(&seed);
        const double step = ((double)(r & 0xffff) - 32768) * (1.0 / 65536);
        double v = 0;
        uint64_t bits = (uint64_t)r << 40 ^ (uint64_t)next_random(&seed) << 16 ^ next_random(&seed);
        uint32_t bits32 = (uint32_t)(bits >> 16);

        walk += 0.1 * step;
        switch (what) {
        case 0:
            v = walk;
            break; /* smooth */
        case 1:
            break; /* random bits, below */
        case 2:
            bits = odd[r & 7];
            bits32 = odd32[r & 7];
            break; /* hostile patterns */
        case 3:
            v = (double)(int)(walk * 20) / 10;
            break; /* decimal grid */
        case 4:
            v = (double)(r % 3);
            break; /* few values */
        case 5:
            v = r % 5 ? walk : -9999;
            break; /* fill value */
        case 6:
            v = walk * 1e300;
            break; /* large */
        case 7:
            v = walk * 1e-310;
            break; /* denormal */
        case 8:
            v = (double)(float)walk;
            break; /* f64 that is f32 */
        case 9:
            v = (double)(1000000 + r % 9000000) / 1e19;
            break; /* seven digits */
        case 10:
            v = i / 7 % 2 ? 1 : walk;
            break; /* plateaus */
        default:
            v = r & 1 ? 1e38 * step : -1e-38 * step;
            break; /* wild range */
        }
        if (dtype == FMC_F64) {
            if (what == 1 || what == 2)
                memcpy(&v, &bits, 8);
            ((double *)data)[i] = v;
        } else {
            float f = (float)v;

            if (what == 1 || what == 2)
                memcpy(&f, &bits32, 4);
            ((float *)data)[i] = f;
        }
    }
}

static void every_bit_pattern_comes_back(void **state)
{
    static const struct {
        uint32_t rank;
        size_t dim[5];
    } shape[] = { { 1, { 1 } },
                  { 1, { 2 } },
                  { 1, { 1500 } },
                  { 2, { 1, 37 } },
                  { 2, { 40, 1 } },
                  { 2, { 37, 41 } },
                  { 3, { 3, 4, 5 } },
                  { 3, { 9, 13, 17 } },
                  { 3, { 400, 5, 1 } },
                  { 4, { 2, 3, 8, 9 } },
                  { 4, { 3, 1, 20, 21 } },
                  { 5, { 2, 2, 3, 7, 9 } },
                  { 5, { 1, 1, 1, 1, 1 } } };
    double *data = malloc(4096 * sizeof *data);

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++) {
        for (size_t s = 0; s < sizeof shape / sizeof *shape; s++) {
            size_t n = 1;

            for (uint32_t i = 0; i < shape[s].rank; i++)
                n *= shape[s].dim[i];
            for (uint32_t what = 0; what < 12; what++) {
                fill(what, dtype, n, data);
                (void)round_trip(dtype, shape[s].rank, shape[s].dim, data, s % 2 ? 5 : 1);
            }
        }
    }
    free(data);
}

static void constant_and_random_data_have_their_modes(void **state)
{
    const size_t dim[1] = { 3000 };
    float *data = malloc(3000 * sizeof *data);

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        data[i] = -0.0f;
    assert_true(round_trip(FMC_F32, 1, dim, data, 5) <= 8);
    fill(1, FMC_F32, 3000, data);
    assert_true(round_trip(FMC_F32, 1, dim, data, 5) <= 12000 + 16);
    free(data);
}

/* Noise of both signs: nothing predicts it, and its distribution says how large it is. */
static void noise_is_coded_flat(void **state)
{
    const size_t dim[2] = { 200, 300 };
    const fmc_exec ex = make_exec(1);
    float *data = malloc(60000 * sizeof *data);
    uint32_t seed = 3;
    double bytes;
    size_t size;

    (void)state;
    for (size_t i = 0; i < 60000; i++)
        data[i] = ((float)next_random(&seed) - 8388608.0f) * 1.1e-7f * (float)(1 + next_random(&seed) % 7);
    size = round_trip(FMC_F32, 2, dim, data, 5);
    assert_true(size < 60000 * 28 / 8);
    assert_int_equal(fmc_exact_estimate(&ex, FMC_F32, 2, dim, data, &bytes), FMC_OK);
    assert_true(bytes > 0.9 * (double)size && bytes < 1.1 * (double)size);
    free(data);
}

static void narrow_doubles_cost_no_more_than_floats(void **state)
{
    const size_t dim[2] = { 60, 70 };
    double *wide = malloc(4200 * sizeof *wide);
    float *narrow = malloc(4200 * sizeof *narrow);

    (void)state;
    fill(8, FMC_F64, 4200, wide);
    for (size_t i = 0; i < 4200; i++)
        narrow[i] = (float)wide[i];
    assert_int_equal(round_trip(FMC_F64, 2, dim, wide, 5), round_trip(FMC_F32, 2, dim, narrow, 5));
    free(wide);
    free(narrow);
}

static void threads_do_not_change_the_bytes(void **state)
{
    const size_t dim[2] = { 2200, 1000 };
    const size_t n = dim[0] * dim[1];
    const fmc_exec one = make_exec(1), two = make_exec(2);
    fmc_out a = fmc_out_make(one.alloc), b = fmc_out_make(one.alloc);
    float *data = malloc(n * sizeof *data), *back = malloc(n * sizeof *back);
    fmc_in in;

    (void)state;
    for (size_t i = 0; i < n; i++)
        data[i] = (float)((i / 1000) % 50) * (float)(i % 1000);
    assert_int_equal(fmc_exact_encode(&one, FMC_F32, 2, dim, data, 1, &a), FMC_OK);
    assert_int_equal(fmc_exact_encode(&two, FMC_F32, 2, dim, data, 1, &b), FMC_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    in = fmc_in_make(b.data, b.size);
    assert_int_equal(fmc_exact_decode(&two, FMC_F32, 2, dim, &in, back), FMC_OK);
    assert_memory_equal(data, back, n * sizeof *data);
    fmc_out_fini(&a);
    fmc_out_fini(&b);
    free(data);
    free(back);
}

/* Every cut and many damaged copies: a status or data, nothing else (run under sanitizers). */
static void damaged_streams_are_refused_or_decoded(void **state)
{
    const size_t dim[3] = { 3, 9, 11 };
    const size_t n = 3 * 9 * 11;
    const fmc_exec ex = make_exec(1);
    double data[297], back[297];

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++) {
        for (uint32_t what = 0; what < 12; what++) {
            fmc_out out = fmc_out_make(ex.alloc);
            uint32_t seed = what + 1;

            fill(what, dtype, n, data);
            assert_int_equal(fmc_exact_encode(&ex, dtype, 3, dim, data, 1, &out), FMC_OK);
            for (size_t cut = 0; cut < out.size; cut += out.size < 300 ? 1 : 1 + out.size / 64) {
                uint8_t *copy = malloc(cut ? cut : 1);
                fmc_in in = fmc_in_make(copy, cut);

                memcpy(copy, out.data, cut);
                assert_int_not_equal(fmc_exact_decode(&ex, dtype, 3, dim, &in, back), FMC_OK);
                free(copy);
            }
            for (uint32_t i = 0; i < 40; i++) {
                uint8_t *copy = malloc(out.size);
                fmc_in in = fmc_in_make(copy, out.size);

                memcpy(copy, out.data, out.size);
                copy[i < 20 ? i % out.size : next_random(&seed) % out.size] ^= (uint8_t)(1 + next_random(&seed) % 255);
                (void)fmc_exact_decode(&ex, dtype, 3, dim, &in, back);
                free(copy);
            }
            fmc_out_fini(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_pattern_comes_back),
        cmocka_unit_test(constant_and_random_data_have_their_modes),
        cmocka_unit_test(noise_is_coded_flat),
        cmocka_unit_test(narrow_doubles_cost_no_more_than_floats),
        cmocka_unit_test(threads_do_not_change_the_bytes),
        cmocka_unit_test(damaged_streams_are_refused_or_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
