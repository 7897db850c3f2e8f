/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"
#include "ops/kernels.h"
#include "transform/cost.h"

static fmc_tx_cost cost_of(const fmc_tx_plan *p, const float *c, double step, uint32_t n_threads, uint32_t level)
{
    fmc_exec ex = plain_exec(n_threads);
    fmc_tx_cost cost;

    ex.kernels = fmc_kernels_select(level);
    assert_int_equal(fmc_tx_cost_f32(&ex, p, c, step, 1, &cost), FMC_OK);
    assert_true(isfinite(cost.bits) && isfinite(cost.error) && cost.bits >= 0 && cost.error >= 0);
    return cost;
}

static double step_of(const float *x, size_t n, double rmse)
{
    const fmc_exec ex = plain_exec(1);
    double step;

    assert_int_equal(fmc_tx_find_step_f32(&ex, n, x, rmse, &step), FMC_OK);
    assert_true(step >= 0.999 * rmse && step <= 129 * rmse);
    return step;
}

static void noise_costs_about_its_entropy(void **state)
{
    const fmc_tx_plan p = { .rank = 2, .dim = { 256, 256 }, .kind = { FMC_TX_DCT, FMC_TX_DCT } };
    const size_t n = 256 * 256;
    float *x = malloc(n * sizeof *x);
    uint64_t seed = 5;
    fmc_tx_cost cost;
    double step;

    (void)state;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)next_real(&seed); /* uniform over 2 */
    step = step_of(x, n, 1.0 / 64);
    assert_true(fabs(step * 64 / sqrt(12) - 1) < 0.1);
    cost = cost_of(&p, x, step, 1, 0);
    assert_true(fabs(cost.bits / (double)n / log2(2 / step) - 1) < 0.25);
    assert_true(fabs(cost.error / ((double)n / 12) - 1) < 0.1);
    free(x);
}

static void what_is_below_the_dead_zone_costs_its_error(void **state)
{
    const fmc_tx_plan p = { .rank = 3, .dim = { 20, 40, 33 }, .kind = { 2, 1, 1 }, .levels = { 2, 3, 3 } };
    const size_t n = 20 * 40 * 33;
    float *x = calloc(n, sizeof *x);
    uint64_t seed = 6;
    double sum = 0;

    (void)state;
    assert_true(cost_of(&p, x, 1.0, 1, 0).bits < 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)next_real(&seed);
        sum += (double)x[i] * (double)x[i];
    }
    assert_true(cost_of(&p, x, 10.0, 1, 0).bits < 1);
    assert_true(fabs(cost_of(&p, x, 10.0, 1, 0).error / (sum / 100) - 1) < 0.01);
    assert_true(cost_of(&p, x, 0.01, 1, 0).bits > 4 * (double)n);
    free(x);
}

static void a_plane_costs_little_without_any_transform(void **state)
{
    const fmc_tx_plan none = { .rank = 3, .dim = { 7, 50, 45 } };
    float x[7 * 50 * 45];

    (void)state;
    for (size_t i = 0; i < 7 * 50 * 45; i++)
        x[i] = (float)(3 * (i % 45) + 2 * (i / 45 % 50));
    assert_true(cost_of(&none, x, 0.1, 1, 0).bits < 0.7 * 7 * 50 * 45);
}

static void a_few_large_values_want_a_large_step(void **state)
{
    float x[20000] = { 0 };

    (void)state;
    assert_true(step_of(x, 20000, 1.0) > 100);
    for (size_t i = 0; i < 20000; i += 100)
        x[i] = 1e4F;
    assert_true(fabs(step_of(x, 20000, 1.0) / sqrt(1200) - 1) < 0.2);
    x[3] = NAN;
    (void)step_of(x, 20000, 1.0);
}

static void any_plan_whatever_the_threads_and_kernels(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int i = 0; i < 200; i++) {
        const fmc_tx_plan p = random_plan(&seed, 200000);
        const size_t n = plan_count(&p);
        float *x = malloc(n * sizeof *x);
        fmc_tx_cost one, three;

        for (size_t k = 0; k < n; k++)
            x[k] = i % 10 == 0 ? NAN : (float)ldexp(next_real(&seed), i % 60 - 30);
        one = cost_of(&p, x, 1e-3, 1, 0);
        three = cost_of(&p, x, 1e-3, 3, FMC_SIMD_BEST);
        assert_memory_equal(&one, &three, sizeof one);
        free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_costs_about_its_entropy),
        cmocka_unit_test(what_is_below_the_dead_zone_costs_its_error),
        cmocka_unit_test(a_plane_costs_little_without_any_transform),
        cmocka_unit_test(a_few_large_values_want_a_large_step),
        cmocka_unit_test(any_plan_whatever_the_threads_and_kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
