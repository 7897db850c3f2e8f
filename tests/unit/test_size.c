/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"
#include "transform/size.h"

static fmc_tx_size size_of(const fmc_tx_plan *p, const float *c, double rmse, double step, uint32_t n_threads)
{
    const fmc_exec ex = plain_exec(n_threads);
    fmc_tx_size size;

    assert_int_equal(fmc_tx_size_f32(&ex, p, c, rmse, step, &size), FMC_OK);
    assert_true(isfinite(size.bits) && isfinite(size.learn) && isfinite(size.error));
    assert_true(size.bits >= 0 && size.learn >= 0 && size.error >= 0 && size.step > 0);
    return size;
}

static void noise_costs_its_entropy(void **state)
{
    const fmc_tx_plan p = { .rank = 2, .dim = { 256, 256 }, .kind = { FMC_TX_DCT, FMC_TX_DCT } };
    const size_t n = 256 * 256;
    float *x = malloc(n * sizeof *x);
    uint64_t seed = 5;
    fmc_tx_size size;

    (void)state;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)next_real(&seed); /* uniform over 2 */
    size = size_of(&p, x, 1.0 / 64, 0, 1);
    assert_true(fabs(size.step * 64 / sqrt(12) - 1) < 0.1);
    assert_true(fabs(size.bits / (double)n / log2(2 / size.step) - 1) < 0.15);
    assert_true(fabs(size.error / ((double)n / 12) - 1) < 0.1);
    free(x);
}

static void what_is_lost_in_the_error_costs_nothing(void **state)
{
    const fmc_tx_plan p = { .rank = 3, .dim = { 20, 40, 33 }, .kind = { 2, 1, 1 }, .levels = { 2, 3, 3 } };
    const size_t n = 20 * 40 * 33;
    float *x = calloc(n, sizeof *x);
    uint64_t seed = 6;

    (void)state;
    assert_true(size_of(&p, x, 1.0, 0, 1).bits < 1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)next_real(&seed);
    assert_true(size_of(&p, x, 10.0, 0, 1).bits < 1);
    assert_true(size_of(&p, x, 10.0, 0.01, 1).bits > 5 * (double)n);
    free(x);
}

static void any_plan_whatever_the_threads(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int i = 0; i < 200; i++) {
        const fmc_tx_plan p = random_plan(&seed, 40000);
        const size_t n = plan_count(&p);
        float *x = malloc(n * sizeof *x);
        fmc_tx_size one, three;

        for (size_t k = 0; k < n; k++)
            x[k] = i % 10 == 0 ? NAN : (float)ldexp(next_real(&seed), i % 60 - 30);
        one = size_of(&p, x, 1e-3, 0, 1);
        three = size_of(&p, x, 1e-3, 0, 3);
        assert_memory_equal(&one, &three, sizeof one);
        free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_costs_its_entropy),
        cmocka_unit_test(what_is_lost_in_the_error_costs_nothing),
        cmocka_unit_test(any_plan_whatever_the_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
