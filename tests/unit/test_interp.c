/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "coef/coef.h"
#include "interp/plan.h"

enum { MOST = 6000, PREDICTORS = 4 };

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static size_t fill(uint32_t *seed, uint32_t rank, size_t *dim, float *x)
{
    size_t n = 1;
    float v = 0;

    for (uint32_t a = 0; a < rank; a++) {
        static const size_t extents[] = { 1, 1, 2, 3, 5, 7, 8, 11, 13, 17, 31, 64, 97 };

        do
            dim[a] = extents[next(seed) % 13];
        while (n * dim[a] > MOST);
        n *= dim[a];
    }
    for (size_t i = 0; i < n; i++) {
        v = 0.95f * v + (float)(next(seed) % 2001) / 1000.0f - 1.0f;
        x[i] = 250 + v;
    }
    return n;
}

static fmc_exec exec_of(uint32_t n_threads)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = n_threads };
    return ex;
}

struct fixture {
    size_t           dim[FMC_MAX_RANK];
    float            x[MOST], recon[MOST], again[MOST];
    double           x64[MOST], recon64[MOST], again64[MOST];
    int32_t          q[MOST], q_again[MOST];
    uint8_t          seen[MOST];
    fmc_band         band[FMC_MAX_BANDS];
    fmc_interp_plan *plan, *parsed;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->plan = calloc(1, fmc_interp_plan_size());
    f->parsed = calloc(1, fmc_interp_plan_size());
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->plan);
    free(f->parsed);
    free(f);
    return 0;
}

static void copy_plan(const struct fixture *f, uint32_t rank)
{
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    fmc_in in;

    fmc_interp_plan_write(f->plan, &out);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_interp_plan_parse(&in, rank, f->dim, f->parsed), FMC_OK);
    assert_int_equal(fmc_in_left(&in), 0);
    for (size_t cut = 0; cut < out.size; cut++) {
        fmc_interp_plan *plan = malloc(fmc_interp_plan_size());

        in = fmc_in_make(out.data, cut);
        assert_int_equal(fmc_interp_plan_parse(&in, rank, f->dim, plan), FMC_ERR_TRUNCATED);
        free(plan);
    }
    fmc_out_fini(&out);
}

static void check_f32(struct fixture *f, uint32_t rank, size_t n, double bound)
{
    const fmc_exec one = exec_of(1), three = exec_of(3);
    const double step = 2 * bound;

    assert_int_equal(fmc_interp_encode_f32(&one, f->plan, f->x, step, f->q, f->recon), FMC_OK);
    assert_int_equal(fmc_interp_encode_f32(&three, f->plan, f->x, step, f->q_again, f->again), FMC_OK);
    assert_memory_equal(f->q, f->q_again, n * sizeof *f->q);
    assert_memory_equal(f->recon, f->again, n * sizeof *f->recon);
    copy_plan(f, rank);
    memset(f->again, 0, sizeof f->again);
    assert_int_equal(fmc_interp_decode_f32(&three, f->parsed, f->q, step, f->again), FMC_OK);
    assert_memory_equal(f->recon, f->again, n * sizeof *f->recon);
    for (size_t i = 0; i < n; i++) /* plus the rounding to float of values below 512 */
        assert_true((double)f->x[i] - f->recon[i] <= bound + 3.1e-5 && (double)f->recon[i] - f->x[i] <= bound + 3.1e-5);
}

static void check_f64(struct fixture *f, size_t n, double bound)
{
    const fmc_exec one = exec_of(1), three = exec_of(3);

    for (size_t i = 0; i < n; i++)
        f->x64[i] = f->x[i];
    assert_int_equal(fmc_interp_encode_f64(&three, f->plan, f->x64, 2 * bound, f->q, f->recon64), FMC_OK);
    assert_int_equal(fmc_interp_decode_f64(&one, f->parsed, f->q, 2 * bound, f->again64), FMC_OK);
    assert_memory_equal(f->recon64, f->again64, n * sizeof *f->recon64);
    for (size_t i = 0; i < n; i++)
        assert_true(f->x64[i] - f->recon64[i] <= bound + 1e-12 && f->recon64[i] - f->x64[i] <= bound + 1e-12);
}

static void decoding_repeats_the_encoder_within_the_bound(void **state)
{
    struct fixture *f = *state;
    const fmc_exec ex = exec_of(2);
    uint32_t seed = 7;

    for (unsigned round = 0; round < 120; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK;
        const size_t n = fill(&seed, rank, f->dim, f->x);
        const uint32_t unlike = next(&seed) % 3 ? 0 : next(&seed) & ((1u << rank) - 1);
        const double bound = 0.01 * (1 + next(&seed) % 40);

        assert_int_equal(fmc_interp_choose_f32(&ex, rank, f->dim, f->x, NULL, bound, unlike, round % 3 ? 5 : 9, f->plan),
                         FMC_OK);
        check_f32(f, rank, n, bound);
        check_f64(f, n, bound);
    }
}

/* Every third to seventh sample masked, and a block: they take no integers, the others hold the bound. */
static void masked_samples_are_not_coded(void **state)
{
    struct fixture *f = *state;
    const fmc_exec one = exec_of(1), three = exec_of(3);
    uint32_t seed = 21;

    for (unsigned round = 0; round < 60; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK, every = 3 + next(&seed) % 5, effort = round % 3 ? 5 : 9;
        const size_t n = fill(&seed, rank, f->dim, f->x);
        uint8_t *masked = calloc(n, 1);
        size_t n_masked = 0, n_coded = 0;

        for (size_t i = 0; i < n; i++)
            n_masked += masked[i] = next(&seed) % every == 0 || (i > n / 3 && i < n / 2);
        assert_int_equal(fmc_interp_choose_f32(&one, rank, f->dim, f->x, masked, 0.1, 0, effort, f->plan), FMC_OK);
        for (size_t i = 0; i < n; i++)
            f->x[i] = masked[i] ? NAN : f->x[i];
        assert_int_equal(fmc_interp_encode_f32(&one, f->plan, f->x, 0.2, f->q, f->recon), FMC_OK);
        assert_int_equal(fmc_interp_decode_f32(&three, f->plan, f->q, 0.2, f->again), FMC_OK);
        assert_memory_equal(f->recon, f->again, n * sizeof *f->recon);
        for (size_t i = 0; i < n; i++) {
            n_coded += f->q[i] != 0;
            assert_true(isfinite(f->recon[i]));
            assert_true(masked[i] || fabs((double)f->x[i] - (double)f->recon[i]) <= 0.1 + 3.1e-5);
        }
        assert_true(n_coded <= n - n_masked);
        free(masked);
    }
}

static void every_predictor_works_unfitted(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 99;

    for (unsigned round = 0; round < 100; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK;
        const size_t n = fill(&seed, rank, f->dim, f->x);

        fmc_interp_plan_init(f->plan, rank, f->dim, round % 4 == 3 ? 1 : 0);
        f->plan->predictor = round / 5 % PREDICTORS;
        f->plan->base = 250;
        if (!fmc_interp_is_possible(f->plan, f->plan->predictor))
            continue;
        check_f32(f, rank, n, 0.25);
    }
}

static void check_relations(const struct fixture *f, size_t n_bands)
{
    for (size_t b = 0; b < n_bands; b++) {
        const fmc_band *band = &f->band[b];

        assert_true(band->parent < (int)b && band->parent >= -1);
        for (unsigned a = 0; a < FMC_MAX_RANK && band->parent >= 0; a++) {
            const size_t up = f->band[band->parent].dim[a];
            const size_t want = band->parent_half >> a & 1 ? band->dim[a] / 2 : band->dim[a];

            assert_true(up == want || up == want + 1);
        }
        for (unsigned s = 0; s < band->n_siblings; s++) {
            assert_true(band->sibling[s] >= 0 && band->sibling[s] < (int)b);
            for (unsigned a = 0; a < FMC_MAX_RANK; a++) {
                const size_t other = f->band[band->sibling[s]].dim[a];

                assert_true(other <= band->dim[a] + 1 && band->dim[a] <= other + 1);
            }
        }
    }
}

static void bands_cover_every_sample_once(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 5;

    for (unsigned round = 0; round < 300; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK;
        const size_t n = fill(&seed, rank, f->dim, f->x);
        size_t n_bands;

        fmc_interp_plan_init(f->plan, rank, f->dim, next(&seed) & ((1u << rank) - 1) & next(&seed));
        f->plan->levels = next(&seed) % (FMC_INTERP_MAX_LEVELS + 1);
        n_bands = fmc_interp_bands(f->plan, f->band);
        assert_in_range(n_bands, 1, FMC_MAX_BANDS);
        memset(f->seen, 0, sizeof f->seen);
        for (size_t b = 0; b < n_bands; b++) {
            assert_int_equal(f->band[b].count, fmc_interp_count(f->band[b].dim));
            assert_true(f->band[b].count > 0);
            for (size_t i = 0; i < f->band[b].count; i++)
                f->seen[f->band[b].start + i]++;
        }
        for (size_t i = 0; i < n; i++)
            assert_int_equal(f->seen[i], 1);
        check_relations(f, n_bands);
    }
}

/* Random bytes as plans, random integers as data: any status, no undefined behaviour, finite samples. */
static void hostile_plans_and_integers_are_harmless(void **state)
{
    struct fixture *f = *state;
    const fmc_exec ex = exec_of(1);
    uint32_t seed = 1234;

    for (unsigned round = 0; round < 3000; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK;
        const size_t n = fill(&seed, rank, f->dim, f->x);
        uint8_t bytes[400];
        fmc_in in;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(next(&seed) & (next(&seed) % 2 ? 255 : 5));
        bytes[0] &= 7;
        bytes[1] &= next(&seed) % 2 ? 0 : 31;
        bytes[10] &= 7;
        for (uint32_t k = 0; k < rank; k++)
            bytes[11 + k] = (uint8_t)((bytes[11 + k] & 0xf0) | (round % 4 ? FMC_MAX_RANK - rank + k : bytes[11 + k] & 15));
        in = fmc_in_make(bytes, next(&seed) % 10 ? sizeof bytes : next(&seed) % sizeof bytes);
        if (fmc_interp_plan_parse(&in, rank, f->dim, f->plan) != FMC_OK)
            continue;
        for (size_t i = 0; i < n; i++)
            f->q[i] = (int32_t)(next(&seed) << 16 ^ next(&seed));
        assert_true(fmc_interp_bands(f->plan, f->band) <= FMC_MAX_BANDS);
        assert_int_equal(fmc_interp_decode_f32(&ex, f->plan, f->q, round % 2 ? 1e30 : 1e300, f->recon), FMC_OK);
        assert_int_equal(fmc_interp_decode_f64(&ex, f->plan, f->q, 1e300, f->recon64), FMC_OK);
        for (size_t i = 0; i < n; i++)
            assert_true(f->recon[i] - f->recon[i] == 0 && f->recon64[i] - f->recon64[i] == 0);
    }
}

static void extreme_samples_leave_finite_integers(void **state)
{
    struct fixture *f = *state;
    const fmc_exec ex = exec_of(1);
    uint32_t seed = 3;

    for (unsigned round = 0; round < 40; round++) {
        const uint32_t rank = 1 + round % FMC_MAX_RANK;
        const size_t n = fill(&seed, rank, f->dim, f->x);

        for (size_t i = 0; i < n; i++)
            f->x[i] = (float)((next(&seed) % 2 ? 3.4e38 : -3.4e38) * (next(&seed) % 3 ? 1 : 1e-40));
        assert_int_equal(fmc_interp_choose_f32(&ex, rank, f->dim, f->x, NULL, 1e-3, 0, 5, f->plan), FMC_OK);
        copy_plan(f, rank);
        assert_int_equal(fmc_interp_encode_f32(&ex, f->plan, f->x, 2e-3, f->q, f->recon), FMC_OK);
        assert_int_equal(fmc_interp_decode_f32(&ex, f->parsed, f->q, 2e-3, f->again), FMC_OK);
        assert_memory_equal(f->recon, f->again, n * sizeof *f->recon);
    }
}

static size_t allocations_left;

static void *few(void *user, size_t size)
{
    (void)user;
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(size);
}

static void give_back(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static void every_failing_allocation_is_reported(void **state)
{
    struct fixture *f = *state;
    const fmc_allocator scarce = { .alloc = few, .free = give_back };
    const fmc_exec ex = { .alloc = &scarce, .n_threads = 1 };
    const size_t dim[3] = { 12, 13, 14 };
    fmc_status st = FMC_ERR_NO_MEMORY;

    for (size_t i = 0; i < 12 * 13 * 14; i++)
        f->x[i] = (float)(i % 14);
    for (size_t left = 0; st != FMC_OK; left++) {
        allocations_left = left;
        st = fmc_interp_choose_f32(&ex, 3, dim, f->x, NULL, 0.1, 0, 1, f->plan);
        if (st == FMC_OK)
            st = fmc_interp_encode_f32(&ex, f->plan, f->x, 0.2, f->q, f->recon);
        assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
        assert_true(left < 10000);
    }
}

static void the_estimated_size_is_near_the_coded_one(void **state)
{
    struct fixture *f = *state;
    const fmc_exec ex = exec_of(1);
    const size_t dim[2] = { 70, 80 };
    uint32_t seed = 5;

    for (uint32_t effort = 1; effort <= 9; effort += 4) {
        fmc_out out = fmc_out_make(ex.alloc);
        double coded;

        for (size_t i = 0; i < 5600; i++) {
            const float a = (float)(i / 80) / 70, b = (float)(i % 80) / 80;

            f->x[i] = 10 * a * b - 5 * b * b * b + 0.02f * (float)(next(&seed) % 100) / 100;
        }
        assert_int_equal(fmc_interp_choose_f32(&ex, 2, dim, f->x, NULL, 0.002, 0, effort, f->plan), FMC_OK);
        assert_int_equal(fmc_interp_encode_f32(&ex, f->plan, f->x, 0.004, f->q, f->recon), FMC_OK);
        fmc_interp_plan_write(f->plan, &out);
        assert_int_equal(fmc_coef_encode(&ex, f->band, fmc_interp_bands(f->plan, f->band), f->q, FMC_COEF_MIX, NULL, &out),
                         FMC_OK);
        coded = 8.0 * (double)out.size;
        assert_true(fmc_interp_plan_bits(f->plan) > 0.7 * coded && fmc_interp_plan_bits(f->plan) < 1.4 * coded);
        fmc_out_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_repeats_the_encoder_within_the_bound),
        cmocka_unit_test(masked_samples_are_not_coded),
        cmocka_unit_test(every_predictor_works_unfitted),
        cmocka_unit_test(bands_cover_every_sample_once),
        cmocka_unit_test(hostile_plans_and_integers_are_harmless),
        cmocka_unit_test(extreme_samples_leave_finite_integers),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(the_estimated_size_is_near_the_coded_one),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
