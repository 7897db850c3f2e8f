/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "coef/coef.h"

enum { SIDE = 512, COUNT = SIDE * SIDE };

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

static fmc_band plane(size_t height)
{
    fmc_band b = { .dim = { 1, 1, 1, height, SIDE }, .count = height * SIDE, .parent = -1, .time_parent = -1 };

    return b;
}

static uint32_t chosen(const fmc_band *band, const int32_t *q, uint32_t effort)
{
    uint32_t tier = 99;

    assert_int_equal(fmc_coef_choose_tier(&ex, band, 1, q, effort, &tier, NULL), FMC_OK);
    return tier;
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void few_values_get_the_slower_tier(void **state)
{
    const fmc_band band = plane(SIDE);
    int32_t *q = calloc(COUNT, sizeof *q);

    (void)state;
    for (size_t i = 0; i < COUNT; i += 61)
        q[i] = i % 2 ? 1 : -1;
    assert_int_equal(chosen(&band, q, 1), FMC_COEF_AVERAGE);
    assert_int_equal(chosen(&band, q, 5), FMC_COEF_MIX);
    assert_int_equal(chosen(&band, q, 9), FMC_COEF_BEST);
    free(q);
}

static void noise_gets_the_faster_tier(void **state)
{
    const fmc_band band = plane(SIDE);
    int32_t *q = malloc(COUNT * sizeof *q), *copy = malloc(COUNT * sizeof *q);
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        q[i] = (int32_t)(next(&seed) % 11) - 5;
    memcpy(copy, q, COUNT * sizeof *q);
    assert_int_equal(chosen(&band, q, 1), FMC_COEF_STATIC);
    assert_int_equal(chosen(&band, q, 5), FMC_COEF_AVERAGE);
    assert_int_equal(chosen(&band, q, 9), FMC_COEF_BEST);
    assert_memory_equal(q, copy, COUNT * sizeof *q);
    free(q);
    free(copy);
}

/* One value in seven, always at the same place: fixed distributions see it. Rows of noise among empty ones: others learn where. */
static void sparse_ones_are_tried(void **state)
{
    const fmc_band band = plane(SIDE);
    int32_t *q = calloc(COUNT, sizeof *q);
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        q[i] = i % 7 ? 0 : next(&seed) % 2 ? 1 : -1;
    assert_int_equal(chosen(&band, q, 1), FMC_COEF_STATIC);
    for (size_t i = 0; i < COUNT; i++)
        q[i] = i / SIDE % 16 ? 0 : (int32_t)(next(&seed) % 3) - 1;
    assert_int_equal(chosen(&band, q, 1), FMC_COEF_AVERAGE);
    assert_int_equal(chosen(&band, q, 5), FMC_COEF_MIX);
    free(q);
}

/* Rows of noise between rows of almost nothing: mixing learns which context tells, a fixed average does not. */
static void a_trial_may_overrule(void **state)
{
    const fmc_band band = plane(SIDE);
    int32_t *q = malloc(COUNT * sizeof *q);
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        q[i] = i / SIDE % 2 ? (int32_t)(next(&seed) % 401) - 200 : i % 3 ? 0 : 1;
    assert_int_equal(chosen(&band, q, 5), FMC_COEF_MIX);
    free(q);
}

static void small_ones_are_not_tried(void **state)
{
    const fmc_band band = plane(1);
    int32_t q[SIDE];

    (void)state;
    for (size_t i = 0; i < SIDE; i++)
        q[i] = (int32_t)(i % 5) - 2;
    assert_int_equal(chosen(&band, q, 1), FMC_COEF_STATIC);
    assert_int_equal(chosen(&band, q, 5), FMC_COEF_AVERAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(few_values_get_the_slower_tier),
                                        cmocka_unit_test(sparse_ones_are_tried),
                                        cmocka_unit_test(noise_gets_the_faster_tier),
                                        cmocka_unit_test(a_trial_may_overrule),
                                        cmocka_unit_test(small_ones_are_not_tried) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
