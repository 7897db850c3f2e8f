/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"
#include "transform/select.h"

static const uint32_t automatic[FMC_MAX_RANK];

static fmc_tx_menu choose(uint32_t rank, const size_t *dim, const float *x, double rmse, const uint32_t *kinds,
                          uint32_t effort, uint32_t n_threads)
{
    const fmc_exec ex = plain_exec(n_threads);
    fmc_tx_menu menu;

    assert_int_equal(fmc_tx_choose_f32(&ex, rank, dim, x, rmse, kinds, effort, &menu), FMC_OK);
    assert_true(menu.n >= 1);
    for (size_t i = 0; i < menu.n; i++) {
        assert_true(fmc_tx_is_valid(&menu.plan[i]));
        assert_true(i == 0 || menu.bits[i - 1] <= menu.bits[i]);
    }
    return menu;
}

/* Travelling waves on a torus over independent noise along the first axis, or not. */
static void fill_torus(float *x, size_t n_t, size_t n, int is_moving, uint64_t *seed)
{
    double a[6], phase[6];

    for (size_t k = 0; k < 6; k++)
        phase[k] = 3 * next_real(seed);
    for (size_t t = 0; t < n_t; t++) {
        for (size_t k = 0; k < 6; k++) {
            a[k] = is_moving && t ? a[k] : 1 + next_real(seed);
            phase[k] += is_moving ? 0.1 : 3 * next_real(seed);
        }
        for (size_t i = 0; i < n * n; i++) {
            double v = 0;

            for (size_t k = 0; k < 6; k++)
                v += a[k] * sin(6.283185307179586 * (double)((k + 3) * (i % n) + (7 - k) * (i / n)) / (double)n +
                                phase[k]);
            x[t * n * n + i] = (float)(v + 1e-4 * next_real(seed));
        }
    }
}

static void periodic_axes_get_a_dft_and_noise_none(void **state)
{
    static const size_t dim[] = { 24, 48, 48 };
    float *x = malloc(24 * 48 * 48 * sizeof *x);
    uint64_t seed = 1;

    (void)state;
    for (uint32_t effort = 1; effort <= 9; effort += 4) {
        fmc_tx_menu menu;

        fill_torus(x, 24, 48, 1, &seed);
        menu = choose(3, dim, x, 0.01, automatic, effort, 1);
        assert_int_equal(menu.plan[0].kind[1], FMC_TX_DFT);
        assert_int_equal(menu.plan[0].kind[2], FMC_TX_DFT);
        assert_int_not_equal(menu.plan[0].kind[0], FMC_TX_NONE);
        fmc_tx_menu_fini(&fmc_system_allocator, &menu);
    }
    free(x);
}

static void unlike_axes_are_left_alone(void **state)
{
    static const size_t dim[] = { 24, 48, 48 };
    static const uint32_t kinds[FMC_MAX_RANK] = { FMC_AXIS_UNLIKE, 0, FMC_AXIS_UNLIKE };
    float *x = malloc(24 * 48 * 48 * sizeof *x);
    uint64_t seed = 2;

    (void)state;
    fill_torus(x, 24, 48, 1, &seed);
    for (uint32_t effort = 1; effort <= 9; effort += 4) {
        fmc_tx_menu menu = choose(3, dim, x, 0.01, kinds, effort, 1);

        for (size_t i = 0; i < menu.n; i++) {
            assert_int_equal(menu.plan[i].kind[0], FMC_TX_NONE);
            assert_int_equal(menu.plan[i].kind[2], FMC_TX_NONE);
        }
        fmc_tx_menu_fini(&fmc_system_allocator, &menu);
    }
    free(x);
}

static void any_shape_gets_a_plan_whatever_the_threads(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 60; i++) {
        const fmc_tx_plan p = random_plan(&seed, 30000);
        const size_t n = plan_count(&p);
        const uint32_t effort = i % 3 == 0 ? 1 : i % 3 == 1 ? 5 : 9;
        float *x = malloc(n * sizeof *x);
        fmc_tx_menu one, three;

        for (size_t k = 0; k < n; k++)
            x[k] = (float)(sin(0.01 * (double)k) + (i % 4 ? 0.1 : 0.0) * next_real(&seed));
        one = choose(p.rank, p.dim, x, 1e-3, automatic, effort, 1);
        three = choose(p.rank, p.dim, x, 1e-3, automatic, effort, 3);
        assert_int_equal(one.n, three.n);
        for (size_t k = 0; k < one.n; k++)
            assert_memory_equal(one.plan[k].kind, three.plan[k].kind, sizeof one.plan[k].kind);
        assert_memory_equal(one.bits, three.bits, sizeof one.bits);
        fmc_tx_menu_fini(&fmc_system_allocator, &one);
        fmc_tx_menu_fini(&fmc_system_allocator, &three);
        free(x);
    }
}

static void constants_and_doubles_are_no_problem(void **state)
{
    static const size_t dim[] = { 20, 30, 10 };
    const fmc_exec ex = plain_exec(1);
    double *x = calloc(6000, sizeof *x);
    fmc_tx_menu menu;

    (void)state;
    assert_int_equal(fmc_tx_choose_f64(&ex, 3, dim, x, 1e-12, automatic, 9, &menu), FMC_OK);
    fmc_tx_menu_fini(&fmc_system_allocator, &menu);
    for (size_t i = 0; i < 6000; i++)
        x[i] = 1e250 * sin((double)i);
    assert_int_equal(fmc_tx_choose_f64(&ex, 3, dim, x, 1e240, automatic, 9, &menu), FMC_OK);
    fmc_tx_menu_fini(&fmc_system_allocator, &menu);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periodic_axes_get_a_dft_and_noise_none),
        cmocka_unit_test(unlike_axes_are_left_alone),
        cmocka_unit_test(any_shape_gets_a_plan_whatever_the_threads),
        cmocka_unit_test(constants_and_doubles_are_no_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
