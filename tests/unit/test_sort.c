/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/sort.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 5000 };

static double v[MOST], before[MOST], spare[MOST];
static uint64_t seed = 7;

static uint64_t next_random(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* kind 0: integers of both signs, so that sums are exact; 1: all sizes; 2: equal; 3: f32 */
static void fill(size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        const double x = (double)(next_random() % 2001) - 1000;

        v[i] = kind == 0 ? x : kind == 1 ? ldexp(x, (int)(next_random() % 200) - 100) : kind == 2 ? -3.5 : (float)(x / 7);
    }
    memcpy(before, v, n * sizeof *v);
}

static void numbers_come_in_order(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 23, 24, 25, 100, 255, 256, 257, 4096, MOST };

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 4; kind++) {
            const size_t n = sizes[s];

            fill(n, kind);
            fmc_sort_f64(v, n, spare);
            for (size_t i = 1; i < n; i++)
                assert_true(v[i - 1] <= v[i]);
            if (kind == 0)
                assert_true(sum_of(v, n) == sum_of(before, n));
        }
}

static void minus_zero_comes_before_zero(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        v[i] = i % 3 ? 0.0 : -0.0;
    fmc_sort_f64(v, 100, spare);
    for (size_t i = 0; i < 100; i++)
        assert_true((signbit(v[i]) != 0) == (i < 34));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers_come_in_order),
                                        cmocka_unit_test(minus_zero_comes_before_zero) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
