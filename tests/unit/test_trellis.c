/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "coef/coef.h"
#include "coef/trellis.h"

enum { ROWS = 96, COLS = 131, COUNT = ROWS * COLS };

static const size_t pitch[FMC_MAX_RANK] = { 2 * COUNT, 2 * COUNT, 2 * COUNT, COLS, 1 };
static uint32_t seed;

/* In [0, 1). */
static double next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / (1 << 24);
}

static fmc_exec exec_with(uint32_t n_threads)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = n_threads };

    return ex;
}

/* A low band above another one. */
static void make_bands(fmc_band band[2])
{
    memset(band, 0, 2 * sizeof *band);
    for (int i = 0; i < 2; i++) {
        const size_t dim[FMC_MAX_RANK] = { 1, 1, 1, ROWS, COLS };

        memcpy(band[i].dim, dim, sizeof dim);
        band[i].count = COUNT;
        band[i].start = (size_t)i * COUNT;
        band[i].origin[3] = (size_t)i * ROWS;
        band[i].parent = band[i].time_parent = -1;
    }
    band[0].is_low = band[0].level = 1;
    band[1].high = 1 << 3;
}

/* Sums of uniform numbers, larger in some places, now and then far larger (the low band must hold differences of them). */
static void make_coefficients(double spread, double *c)
{
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const double local = i / COLS % 16 < 4 ? 3 : 1, far = next_random() < 0.002 ? 3e5 : 1;

        c[i] = (next_random() + next_random() - next_random() - next_random()) * spread * local * far;
    }
}

static double quantise(const double *c, double step, int32_t *q)
{
    const fmc_exec one = exec_with(1), two = exec_with(2);
    const fmc_quantiser z = { .step = step };
    int32_t *const again = malloc(2 * COUNT * sizeof *again);
    fmc_trellis_rates *rates;
    fmc_band band[2];
    double error = 0, other = 0;

    make_bands(band);
    for (int k = 0; k < 2; k++) { /* with supposed rates, then with measured ones, and the same for any number of threads */
        assert_int_equal(fmc_trellis_rates_create(&fmc_system_allocator, &rates), FMC_OK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(fmc_trellis_f64(k ? &two : &one, band, 2, c, pitch, &z, rates, k ? again : q, k ? &other : &error),
                             FMC_OK);
        fmc_trellis_rates_destroy(&fmc_system_allocator, rates);
    }
    assert_memory_equal(q, again, 2 * COUNT * sizeof *q);
    assert_true(error == other);
    free(again);
    return error;
}

/* Every value is one of the quantiser that the state of its row says. */
static void test_multiples_come_back(void **state)
{
    static const double spreads[] = { 0.05, 0.4, 2, 30, 4000 };
    double *const c = malloc(2 * COUNT * sizeof *c);
    int32_t *const q = malloc(2 * COUNT * sizeof *q);

    (void)state;
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        make_coefficients(spreads[i], c);
        quantise(c, 1, q);
        for (size_t row = 0; row < 2 * ROWS; row++)
            for (size_t x = 0, s = 0; x < COLS; x++) {
                const int32_t m = q[row * COLS + x], k = fmc_trellis_integer(m, fmc_trellis_quantiser((unsigned)s));

                assert_int_equal(fmc_trellis_multiple(k, fmc_trellis_quantiser((unsigned)s)), m);
                s = row < ROWS ? 0 : fmc_trellis_next((unsigned)s, (uint32_t)abs(k));
            }
    }
    free(c);
    free(q);
}

/* A known row, worked by hand: states 0 1 2 4 0 0 1 3. */
static void test_states(void **state)
{
    const int32_t integer[8] = { 1, 2, -1, 3, 2, -1, 1, -4 }, multiple[8] = { 2, 3, -2, 6, 4, -2, 1, -7 };
    unsigned s = 0;

    (void)state;
    for (int x = 0; x < 8; x++) {
        assert_int_equal(fmc_trellis_multiple(integer[x], fmc_trellis_quantiser(s)), multiple[x]);
        assert_int_equal(fmc_trellis_integer(multiple[x], fmc_trellis_quantiser(s)), integer[x]);
        s = fmc_trellis_next(s, (uint32_t)abs(integer[x]));
    }
}

/* Coefficients far above the step, and bytes that say so, stay in range. */
static void test_largest(void **state)
{
    const fmc_exec ex = exec_with(1);
    const fmc_quantiser z = { .step = 1 };
    fmc_band band = { .count = 4, .dim = { 1, 1, 1, 1, 4 }, .high = 1 << 4, .parent = -1, .time_parent = -1 };
    const double c[4] = { 1e12, -1e12, 1e300, -3e8 };
    uint8_t noise[256];
    fmc_trellis_rates *rates;
    fmc_in in;
    int32_t q[4];
    double error;

    (void)state;
    for (int low = 0; low < 2; low++) {
        band.is_low = (uint8_t)low;
        assert_int_equal(fmc_trellis_rates_create(&fmc_system_allocator, &rates), FMC_OK);
        assert_int_equal(fmc_trellis_f64(&ex, &band, 1, c, pitch, &z, rates, q, &error), FMC_OK);
        fmc_trellis_rates_destroy(&fmc_system_allocator, rates);
        for (int i = 0; i < 4; i++)
            assert_in_range(labs(q[i]), FMC_COEF_MAX - 8, FMC_COEF_MAX);
    }
    for (int i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)(i % 2 && next_random() < 0.9 ? 255 : (int)(next_random() * 256));
        in = fmc_in_make(noise, sizeof noise);
        band.is_low = 0;
        if (fmc_coef_decode(&ex, &band, 1, q, FMC_COEF_BEST | FMC_COEF_TRELLIS, NULL, &in) == FMC_OK)
            for (int k = 0; k < 4; k++)
                assert_in_range(labs(q[k]), 0, FMC_COEF_MAX);
    }
}

/* The point of it: at a rate where all values are large, the error of a plain quantiser of twice the step is a fifth larger. */
static void test_error(void **state)
{
    double *const c = malloc(2 * COUNT * sizeof *c), error = 0, steps = 0;
    int32_t *const q = malloc(2 * COUNT * sizeof *q);

    (void)state;
    make_coefficients(300, c);
    quantise(c, 1, q);
    for (size_t x = COUNT; x < 2 * COUNT; x++) {
        if (c[x] > 1e5 || c[x] < -1e5)
            continue;
        error += (c[x] - q[x]) * (c[x] - q[x]);
        steps++;
    }
    assert_true(error / steps < 0.85 * (4.0 / 12));
    assert_true(error / steps > 0.75 * (4.0 / 12));
    free(c);
    free(q);
}

static void round_trip(const int32_t *q, uint32_t tier)
{
    const fmc_exec one = exec_with(1), two = exec_with(2);
    int32_t *const copy = malloc(2 * COUNT * sizeof *copy), *const got = calloc(2 * COUNT, sizeof *got);
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    fmc_band band[2];
    fmc_in in;

    make_bands(band);
    memcpy(copy, q, 2 * COUNT * sizeof *q);
    assert_int_equal(fmc_coef_encode(&one, band, 2, copy, tier, NULL, &out), FMC_OK);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_coef_decode(&two, band, 2, got, tier, NULL, &in), FMC_OK);
    assert_memory_equal(q, got, 2 * COUNT * sizeof *q);
    for (size_t k = 0; k < out.size; k += 1 + out.size / 40) { /* damaged: any answer, no harm */
        in = fmc_in_make(out.data, k);
        (void)fmc_coef_decode(&one, band, 2, got, tier, NULL, &in);
    }
    fmc_out_fini(&out);
    free(copy);
    free(got);
}

static void test_coding(void **state)
{
    static const double spreads[] = { 0.05, 0.4, 2, 30 };
    double *const c = malloc(2 * COUNT * sizeof *c);
    int32_t *const q = malloc(2 * COUNT * sizeof *q);

    (void)state;
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        make_coefficients(spreads[i], c);
        quantise(c, 1, q);
        round_trip(q, FMC_COEF_MIX | FMC_COEF_TRELLIS);
        round_trip(q, FMC_COEF_BEST | FMC_COEF_TRELLIS);
    }
    free(c);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multiples_come_back), cmocka_unit_test(test_states), cmocka_unit_test(test_largest),
        cmocka_unit_test(test_error),               cmocka_unit_test(test_coding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
