/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/fill.h"

static void known_samples_stay_and_masked_ones_lie_between(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        const fmc_exec ex = test_exec(1 + (uint32_t)below(&seed, 3));
        const uint32_t rank = 1 + (uint32_t)below(&seed, 5), unlike = (uint32_t)below(&seed, 4) ? 0 : (uint32_t)below(&seed, 32);
        const size_t most = rank == 1 ? 300 : rank == 2 ? 40 : 12, rate = 1 + below(&seed, 10);
        size_t dim[5], n = 1;
        float *x, *was;
        double *x64;
        uint8_t *mask;
        float lo = FLT_MAX, hi = -FLT_MAX;

        for (uint32_t i = 0; i < rank; i++)
            n *= dim[i] = 1 + below(&seed, rank > 3 ? 6 : most);
        x = make_samples(FMC_F32, n, 0, &seed);
        was = malloc(n * 4);
        x64 = malloc(n * 8);
        mask = malloc(n);
        for (size_t i = 0; i < n; i++) {
            mask[i] = (uint8_t)(below(&seed, rate) == 0);
            if (mask[i]) {
                x[i] = NAN;
                continue;
            }
            lo = x[i] < lo ? x[i] : lo;
            hi = x[i] > hi ? x[i] : hi;
        }
        for (size_t i = 0; i < n; i++)
            x64[i] = (double)(was[i] = x[i]);
        assert_int_equal(fmc_fill_f32(&ex, rank, dim, unlike, mask, x), FMC_OK);
        assert_int_equal(fmc_fill_f64(&ex, rank, dim, unlike, mask, x64), FMC_OK);
        for (size_t i = 0; i < n; i++) {
            if (!mask[i]) {
                assert_true(x[i] == was[i] && x64[i] == (double)was[i]);
            } else if (lo > hi) {
                assert_true(x[i] == 0 && x64[i] == 0);
            } else {
                assert_true(x[i] >= lo - 1e-4f && x[i] <= hi + 1e-4f);
                assert_true(fabs((double)x[i] - x64[i]) < 1e-4);
            }
        }
        free(x);
        free(was);
        free(x64);
        free(mask);
    }
}

/* A hole in a plane surface is filled nearly flat: little energy in second differences across its border. */
static void holes_are_filled_smoothly(void **state)
{
    enum { N = 96 };
    const fmc_exec ex = test_exec(1);
    const size_t dim[2] = { N, N };
    double *x = malloc(N * N * sizeof *x), worst = 0;
    uint8_t *mask = calloc(N * N, 1);

    (void)state;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            x[i * N + j] = 0.01 * i + 0.02 * j;
            mask[i * N + j] = (i - 40) * (i - 40) + (j - 50) * (j - 50) < 20 * 20;
        }
    }
    assert_int_equal(fmc_fill_f64(&ex, 2, dim, 0, mask, x), FMC_OK);
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            worst = fmax(worst, fabs(x[i * N + j - 1] + x[i * N + j + 1] + x[(i - 1) * N + j] + x[(i + 1) * N + j] -
                                     4 * x[i * N + j]));
    assert_true(worst < 0.06); /* the mean instead would make steps of 0.4 */
    free(x);
    free(mask);
}

static void empty_planes_repeat_their_neighbour(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[3] = { 5, 2, 2 };
    float x[20] = { 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9 };
    const float want[20] = { 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9 };
    uint8_t mask[20];

    (void)state;
    for (int i = 0; i < 20; i++)
        mask[i] = x[i] == 0;
    assert_int_equal(fmc_fill_f32(&ex, 3, dim, 0, mask, x), FMC_OK);
    assert_memory_equal(x, want, sizeof x);
    assert_int_equal(fmc_fill_f32(&ex, 3, dim, 0, NULL, x), FMC_OK);
}

/* Runs of all lengths, at both ends too. */
static void fillings_are_put_back(void **state)
{
    (void)state;
    for (size_t n = 1; n < 60; n++) {
        double x[60], was[60], kept[60];
        uint8_t mask[60];
        size_t n_masked = 0;

        for (size_t i = 0; i < n; i++) {
            mask[i] = (uint8_t)((i * i + n) % 11 < n % 12 ? 1 + i % 2 : 0);
            n_masked += mask[i] != 0;
            was[i] = x[i] = (double)i;
        }
        fmc_fill_keep(n, sizeof *x, mask, x, kept);
        for (size_t i = 0; i < n; i++)
            x[i] = mask[i] ? -1 : x[i];
        for (size_t i = n_masked; i < 60; i++)
            kept[i] = -2;
        fmc_fill_again(n, sizeof *x, mask, kept, x);
        assert_memory_equal(x, was, n * sizeof *x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_samples_stay_and_masked_ones_lie_between),
        cmocka_unit_test(holes_are_filled_smoothly),
        cmocka_unit_test(empty_planes_repeat_their_neighbour),
        cmocka_unit_test(fillings_are_put_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
