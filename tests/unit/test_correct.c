/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "bound/check.h"
#include "bound/correct.h"

static void *decoded_like(uint32_t dtype, size_t n, const void *x, double error, uint64_t *seed)
{
    void *y = malloc(n * 8 + 1);

    for (size_t i = 0; i < n; i++) {
        const double e = (uniform(seed) + uniform(seed) - 1) * error;

        if (dtype == FMC_F32)
            ((float *)y)[i] = (float)((double)((const float *)x)[i] + e);
        else
            ((double *)y)[i] = ((const double *)x)[i] + e;
    }
    return y;
}

static void corrected_samples_meet_the_bound(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 100; round++) {
        const fmc_exec ex = test_exec(1 + (uint32_t)below(&seed, 3));
        const uint32_t dtype = below(&seed, 2) ? FMC_F32 : FMC_F64;
        const size_t n = 1 + below(&seed, round < 90 ? 2000 : 200000);
        const double limit = pow(10, -1 - 3 * uniform(&seed));
        const double step = fmc_correct_step(limit, dtype, 7);
        void *x = make_samples(dtype, n, 0, &seed);
        void *y = decoded_like(dtype, n, x, limit * (1 + 4 * uniform(&seed)), &seed);
        int32_t *r = malloc(n * sizeof *r);
        uint8_t *mask = calloc(n, 1);
        size_t used, want, bad;

        mask[n / 2] = 1;
        assert_true(step > 1.9 * limit && step < 2 * limit);
        assert_true(fmc_correct_step_is_valid(step));
        assert_int_equal(fmc_check_samples(&ex, dtype, n, x, y, mask, FMC_BOUND_ABS, limit, NULL, 0, &want), FMC_OK);
        assert_int_equal(fmc_correct_find(&ex, dtype, n, x, y, mask, limit, step, r, &used), FMC_OK);
        assert_int_equal(used, want); /* only failures are touched */
        assert_int_equal(r[n / 2], 0);
        assert_int_equal(fmc_correct_apply(&ex, dtype, n, r, step, y), FMC_OK);
        assert_int_equal(fmc_check_samples(&ex, dtype, n, x, y, mask, FMC_BOUND_ABS, limit, NULL, 0, &bad), FMC_OK);
        assert_int_equal(bad, 0);
        free(x);
        free(y);
        free(r);
        free(mask);
    }
}

static void steps_are_refused_where_they_cannot_work(void **state)
{
    (void)state;
    assert_true(fmc_correct_step(1e-8, FMC_F32, 1.0) == 0);
    assert_true(fmc_correct_step(1e-8, FMC_F64, 1.0) > 0);
    assert_true(fmc_correct_step(0x1p-1030, FMC_F64, 0) == 0);
    assert_true(fmc_correct_step((double)INFINITY, FMC_F64, 0) == 0);
    assert_true(fmc_correct_step((double)NAN, FMC_F64, 0) == 0);
    assert_false(fmc_correct_step_is_valid(0));
    assert_false(fmc_correct_step_is_valid(-1));
    assert_false(fmc_correct_step_is_valid((double)NAN));
    assert_false(fmc_correct_step_is_valid((double)INFINITY));
    assert_false(fmc_correct_step_is_valid(1 + DBL_EPSILON));
    assert_true(fmc_correct_step_is_valid(1 + 0x1p-31));
}

static void hostile_samples_are_left_to_exact_storage(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 2;

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++) {
        const size_t n = 3000, size = dtype == FMC_F32 ? 4 : 8;
        void *x = make_samples(dtype, n, 128, &seed), *y = make_samples(dtype, n, 128, &seed), *was;
        int32_t *r = malloc(n * sizeof *r);
        size_t *bad = malloc(n * sizeof *bad), used, n_bad;
        fmc_out out = fmc_out_make(ex.alloc);
        fmc_in in;

        assert_int_equal(fmc_correct_find(&ex, dtype, n, x, y, NULL, 1e-3, 0x1p-9, r, &used), FMC_OK);
        assert_int_equal(fmc_correct_apply(&ex, dtype, n, r, 0x1p-9, y), FMC_OK);
        assert_int_equal(fmc_check_samples(&ex, dtype, n, x, y, NULL, FMC_BOUND_ABS, 1e-3, bad, n, &n_bad), FMC_OK);
        assert_true(n_bad > 0 && n_bad < n);
        was = copy_prefix(y, n * size);
        assert_int_equal(fmc_exact_samples_encode(&ex, dtype, n, bad, n_bad, x, y, &out), FMC_OK);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_exact_samples_decode(&ex, dtype, n, &in, y), FMC_OK);
        assert_int_equal(fmc_in_left(&in), 0);
        for (size_t i = 0, k = 0; i < n; i++) {
            const int is_exact = k < n_bad && bad[k] == i;

            k += (size_t)is_exact;
            assert_memory_equal((char *)y + i * size, (is_exact ? (char *)x : (char *)was) + i * size, size);
        }
        assert_int_equal(fmc_check_samples(&ex, dtype, n, x, y, NULL, FMC_BOUND_ABS, 1e-3, NULL, 0, &n_bad), FMC_OK);
        assert_int_equal(n_bad, 0);
        fmc_out_fini(&out);
        free(x);
        free(y);
        free(was);
        free(r);
        free(bad);
    }
}

static void near_misses_are_short(void **state)
{
    const fmc_exec ex = test_exec(1);
    double x[1000], y[1000];
    size_t index[500];
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_in in;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        x[i] = 1000 + sin((double)i);
        y[i] = x[i] + (double)((int)(i % 7) - 3) * 0x1p-43; /* a unit in the last place of 1000 */
    }
    for (size_t k = 0; k < 500; k++)
        index[k] = 2 * k + 1;
    assert_int_equal(fmc_exact_samples_encode(&ex, FMC_F64, 1000, index, 500, x, y, &out), FMC_OK);
    assert_true(out.size < 300);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_exact_samples_decode(&ex, FMC_F64, 1000, &in, y), FMC_OK);
    for (size_t k = 0; k < 500; k++)
        assert_true(x[index[k]] == y[index[k]]);
    fmc_out_fini(&out);
}

static fmc_status decode_list(const uint8_t *data, size_t size)
{
    const fmc_exec ex = test_exec(1);
    uint8_t *copy = copy_prefix(data, size);
    fmc_in in = fmc_in_make(copy, size);
    float y[10] = { 0 };
    const fmc_status st = fmc_exact_samples_decode(&ex, FMC_F32, 10, &in, y);

    free(copy);
    return st;
}

static void hostile_lists_are_refused(void **state)
{
    /* count, list size, packed size 0, gaps, lengths, bytes */
    const uint8_t good[] = { 2, 5, 0, 3, 5, 0, 1, 42 };
    const uint8_t past_end[] = { 2, 5, 0, 3, 6, 0, 1, 42 };
    const uint8_t too_many[] = { 11, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    const uint8_t too_long[] = { 1, 7, 0, 3, 5, 1, 2, 3, 4, 5 };
    const uint8_t left_over[] = { 2, 6, 0, 3, 5, 0, 1, 42, 7 };
    const uint8_t missing[] = { 2, 4, 0, 3, 5, 0, 1 };
    const uint8_t huge_list[] = { 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0 };
    const uint8_t none[] = { 0 };

    (void)state;
    assert_int_equal(decode_list(good, sizeof good), FMC_OK);
    assert_int_equal(decode_list(none, sizeof none), FMC_OK);
    assert_int_equal(decode_list(past_end, sizeof past_end), FMC_ERR_CORRUPT);
    assert_int_equal(decode_list(too_many, sizeof too_many), FMC_ERR_CORRUPT);
    assert_int_equal(decode_list(too_long, sizeof too_long), FMC_ERR_CORRUPT);
    assert_int_equal(decode_list(left_over, sizeof left_over), FMC_ERR_CORRUPT);
    assert_int_equal(decode_list(missing, sizeof missing), FMC_ERR_CORRUPT);
    assert_int_equal(decode_list(huge_list, sizeof huge_list), FMC_ERR_CORRUPT);
    for (size_t n = 0; n < sizeof good; n++)
        assert_int_equal(decode_list(good, n), FMC_ERR_TRUNCATED);
    for (size_t bit = 0; bit < 8 * sizeof good; bit++) {
        uint8_t bad[sizeof good];

        memcpy(bad, good, sizeof good);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        (void)decode_list(bad, sizeof bad);
    }
}

static void the_band_is_the_array(void **state)
{
    const size_t dim[3] = { 4, 5, 6 };
    fmc_band b;

    (void)state;
    fmc_correct_band(3, dim, &b);
    assert_int_equal(b.count, 120);
    assert_true(b.dim[0] == 1 && b.dim[1] == 1 && b.dim[2] == 4 && b.dim[4] == 6);
    assert_true(b.parent == -1 && b.time_parent == -1 && b.n_siblings == 0 && !b.is_low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corrected_samples_meet_the_bound),
        cmocka_unit_test(steps_are_refused_where_they_cannot_work),
        cmocka_unit_test(hostile_samples_are_left_to_exact_storage),
        cmocka_unit_test(near_misses_are_short),
        cmocka_unit_test(hostile_lists_are_refused),
        cmocka_unit_test(the_band_is_the_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
