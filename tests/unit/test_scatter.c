/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "interp/fit.h"
#include "interp/scatter.h"

enum { NT = 24, NY = 60, NX = 70, N = NT * NY * NX };

static const size_t dims[3] = { NT, NY, NX };
static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

struct fixture {
    float            x[N], recon[N];
    int32_t          q[N];
    fmc_interp_plan *plan;
};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A wave that wanders, and noise. */
static void fill(struct fixture *f, float noise)
{
    uint32_t seed = 5;

    for (size_t i = 0; i < N; i++) {
        const double x = (double)(i % NX), y = (double)(i / NX % NY), t = (double)(i / (NX * NY));

        f->x[i] = (float)sin(0.11 * x + 0.07 * y - 0.2 * t) + noise * ((float)next(&seed) / 8388608.0f - 1);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->plan = calloc(1, fmc_interp_plan_size());
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->plan);
    free(f);
    return 0;
}

/* Root mean square error of coding with the probe's plan, once its weights are final. */
static double coded_rms(struct fixture *f, double step)
{
    double sum = 0;

    assert_int_equal(fmc_interp_fit_f32(&ex, f->x, NULL, step / 2, 5, f->plan), FMC_OK);
    assert_true(fmc_interp_is_fitted(f->plan));
    assert_int_equal(fmc_interp_encode_f32(&ex, f->plan, f->x, step, f->q, f->recon), FMC_OK);
    for (size_t i = 0; i < N; i++)
        sum += ((double)f->x[i] - (double)f->recon[i]) * ((double)f->x[i] - (double)f->recon[i]);
    return sqrt(sum / N);
}

/* Entropy of q in contexts, as plans are compared by. */
static double coded_bits(struct fixture *f)
{
    double bits;

    assert_int_equal(fmc_interp_cost(&ex, f->plan, f->plan, f->q, &bits), FMC_OK);
    return bits;
}

static void probes_come_close_to_what_is_coded(void **state)
{
    static const uint32_t efforts[] = { 1, 5 };
    struct fixture *f = *state;

    for (int noisy = 0; noisy < 2; noisy++)
        for (size_t k = 0; k < 2; k++)
            for (int is_rms = 0; is_rms < 2; is_rms++) {
                const fmc_probe_goal goal = { is_rms ? 0.002 : 0.004, is_rms };
                double step = is_rms ? 3.46 * goal.limit : 2 * goal.limit, bits;

                fill(f, noisy ? 0.05f : 0.004f);
                assert_int_equal(fmc_interp_probe_f32(&ex, 3, dims, f->x, NULL, &goal, 0, efforts[k], &step, f->plan),
                                 FMC_OK);
                bits = fmc_interp_plan_bits(f->plan);
                assert_true(is_rms || step == 2 * goal.limit);
                assert_true(!is_rms || fabs(coded_rms(f, step) / goal.limit - 1) < 0.12);
                coded_rms(f, step);
                assert_true(bits > 0.8 * coded_bits(f) && bits < 1.25 * coded_bits(f));
            }
}

static void a_closer_look_agrees(void **state)
{
    struct fixture *f = *state;
    const fmc_probe_goal goal = { 0.002, 1 };
    double step = 3.46 * goal.limit, first, again;

    fill(f, 0.02f);
    assert_int_equal(fmc_interp_probe_f32(&ex, 3, dims, f->x, NULL, &goal, 0, 5, &step, f->plan), FMC_OK);
    first = fmc_interp_plan_bits(f->plan);
    again = step;
    assert_int_equal(fmc_interp_look_f32(&ex, f->x, NULL, &goal, 5, &again, f->plan), FMC_OK);
    assert_true(fabs(fmc_interp_plan_bits(f->plan) / first - 1) < 0.1);
    assert_true(fabs(again / step - 1) < 0.1);
}

/* Half of the array is masked and full of noise. */
static void masked_samples_are_no_targets(void **state)
{
    static uint8_t masked[N];
    struct fixture *f = *state;
    const fmc_probe_goal goal = { 0.004, 0 };
    double step = 2 * goal.limit, bits, all;

    fill(f, 0.3f);
    assert_int_equal(fmc_interp_probe_f32(&ex, 3, dims, f->x, NULL, &goal, 0, 5, &step, f->plan), FMC_OK);
    all = fmc_interp_plan_bits(f->plan);
    for (size_t i = 0; i < N; i++)
        masked[i] = i % NX >= NX / 2;
    assert_int_equal(fmc_interp_probe_f32(&ex, 3, dims, f->x, masked, &goal, 0, 5, &step, f->plan), FMC_OK);
    bits = fmc_interp_plan_bits(f->plan);
    assert_true(bits < 0.6 * all);
    assert_int_equal(fmc_interp_fit_f32(&ex, f->x, masked, step / 2, 5, f->plan), FMC_OK);
    for (size_t i = 0; i < N; i++)
        f->x[i] = masked[i] ? NAN : f->x[i];
    assert_int_equal(fmc_interp_encode_f32(&ex, f->plan, f->x, step, f->q, f->recon), FMC_OK);
    assert_true(bits > 0.8 * coded_bits(f) && bits < 1.25 * coded_bits(f));
}

static void probes_see_what_is_constant(void **state)
{
    struct fixture *f = *state;
    const fmc_probe_goal goal = { 0.01, 0 };
    double step = 0.02;

    for (size_t i = 0; i < N; i++)
        f->x[i] = i < N / 2 ? 1 : 3;
    assert_int_equal(fmc_interp_probe_f32(&ex, 3, dims, f->x, NULL, &goal, 0, 5, &step, f->plan), FMC_OK);
    assert_true(fmc_interp_plan_bits(f->plan) < 0.1 * N);
}

/* Nothing is asserted but that it ends with a sensible answer: tiny and flat arrays of every rank. */
static void probes_of_tiny_arrays_end(void **state)
{
    struct fixture *f = *state;
    const fmc_probe_goal goal = { 1e-3, 1 };

    fill(f, 0.1f);
    for (uint32_t rank = 1; rank <= FMC_MAX_RANK; rank++)
        for (size_t n = 1; n < 40; n += n < 4 ? 1 : 17) {
            const size_t dim[FMC_MAX_RANK] = { n < 6 ? n : 2, 1, n < 6 ? n : 3, n, n < 6 ? 2 : n };
            double step = 3e-3;

            assert_int_equal(fmc_interp_probe_f32(&ex, rank, dim, f->x, NULL, &goal, 0, 5, &step, f->plan), FMC_OK);
            assert_true(fmc_interp_plan_bits(f->plan) >= 0 && step > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(probes_come_close_to_what_is_coded, setup, teardown),
        cmocka_unit_test_setup_teardown(masked_samples_are_no_targets, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closer_look_agrees, setup, teardown),
        cmocka_unit_test_setup_teardown(probes_see_what_is_constant, setup, teardown),
        cmocka_unit_test_setup_teardown(probes_of_tiny_arrays_end, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
