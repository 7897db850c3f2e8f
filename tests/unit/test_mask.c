/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/mask.h"

static size_t size_of(uint32_t dtype)
{
    return dtype == FMC_F32 ? 4 : 8;
}

/* Through encode and decode: every masked sample comes back bit for bit, others are not touched. Returns the bytes. */
static size_t round_trip(uint32_t dtype, uint32_t rank, const size_t *dim, const void *data, const uint8_t *mask)
{
    const fmc_exec ex = test_exec(1);
    const size_t size = size_of(dtype);
    size_t n = 1, used;
    uint8_t *back;
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_masked m;
    fmc_in in;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    back = malloc(n * size + 1);
    memset(back, 0x5a, n * size);
    assert_int_equal(fmc_mask_encode(&ex, dtype, rank, dim, data, mask, &out), FMC_OK);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_mask_decode(&ex, dtype, rank, dim, &in, &m), FMC_OK);
    assert_int_equal(fmc_in_left(&in), 0);
    fmc_masked_apply(&m, dtype, n, back);
    for (size_t i = 0; i < n; i++) {
        const uint8_t untouched[8] = { 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a };
        const int is_masked = mask && mask[i];

        assert_int_equal(m.cls && m.cls[i], is_masked);
        assert_memory_equal(back + i * size, is_masked ? (const uint8_t *)data + i * size : untouched, size);
    }
    fmc_masked_fini(&ex, &m);
    used = out.size;
    fmc_out_fini(&out);
    free(back);
    return used;
}

static void missing_samples_are_found_and_returned(void **state)
{
    const fmc_exec ex = test_exec(2);
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        const uint32_t dtype = below(&seed, 2) ? FMC_F32 : FMC_F64;
        const size_t dim[3] = { 1 + below(&seed, 6), 1 + below(&seed, 20), 1 + below(&seed, 30) };
        const size_t n = dim[0] * dim[1] * dim[2];
        const uint32_t has_fill = (uint32_t)below(&seed, 2);
        const double fill = below(&seed, 2) ? 1e20 : 0.0;
        const unsigned also = (unsigned)below(&seed, 4);
        void *data = make_samples(dtype, n, (unsigned)below(&seed, 3) * 60, &seed);
        const double fill_value = dtype == FMC_F32 ? (double)(float)fill : fill;
        size_t missing = 0, exact = 0;
        fmc_mask m;

        assert_int_equal(fmc_mask_find(&ex, dtype, n, data, has_fill, fill_value, also, &m), FMC_OK);
        for (size_t i = 0; i < n; i++) {
            const double x = dtype == FMC_F32 ? (double)((float *)data)[i] : ((double *)data)[i];
            const int is_missing = !(fabs(x) <= DBL_MAX) || (has_fill && x == fill_value);
            const uint8_t s = m.state ? m.state[i] : 0;

            assert_int_equal(s == FMC_SAMPLE_MISSING, is_missing);
            missing += (size_t)is_missing;
            exact += s == FMC_SAMPLE_EXACT;
            if (!is_missing)
                assert_true(x >= m.valid.min && x <= m.valid.max);
            if (s == FMC_SAMPLE_CODED)
                assert_true(x >= m.coded.min && x <= m.coded.max && fabs(x) <= 0x1p+1000);
            if (!is_missing && x == 0 && (also & FMC_MASK_ZEROS))
                assert_int_equal(s, FMC_SAMPLE_EXACT);
        }
        assert_int_equal(m.n_missing, missing);
        assert_int_equal(m.n_exact, exact);
        assert_int_equal(m.valid.n_valid, n - missing);
        assert_int_equal(m.coded.n_valid, n - missing - exact);
        round_trip(dtype, 3, dim, data, m.state);
        fmc_mask_fini(&ex, &m);
        free(data);
    }
}

static void plain_data_have_no_mask_and_cost_one_byte(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[1] = { 1000 };
    uint64_t seed = 2;
    void *data = make_samples(FMC_F32, 1000, 0, &seed);
    fmc_mask m;

    (void)state;
    assert_int_equal(fmc_mask_find(&ex, FMC_F32, 1000, data, 1, 1e20, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_null(m.state);
    assert_int_equal(round_trip(FMC_F32, 1, dim, data, m.state), 1);
    free(data);
}

static void a_static_land_mask_costs_few_bytes(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[3] = { 50, 60, 80 }, n = 50 * 60 * 80;
    float *data = malloc(n * sizeof *data);
    fmc_mask m;

    (void)state;
    for (size_t i = 0; i < n; i++)
        data[i] = i / 80 % 60 + i % 80 < 40 ? 1e20f : (float)sin((double)i);
    data[100000] = NAN;
    assert_int_equal(fmc_mask_find(&ex, FMC_F32, n, data, 0, 0, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_int_equal(m.n_missing, 1);
    assert_int_equal(m.n_exact, 50 * 820); /* 1e20 not declared: found by its distance */
    assert_true(m.coded.max <= 1 && m.valid.max > 9e19);
    assert_true(round_trip(FMC_F32, 3, dim, data, m.state) < 120);
    fmc_mask_fini(&ex, &m);
    free(data);
}

static void outliers_are_told_from_wide_ranges(void **state)
{
    const fmc_exec ex = test_exec(1);
    double data[5000];
    fmc_mask m;

    (void)state;
    for (int i = 0; i < 5000; i++) /* sixty decades without a gap: nothing is an outlier */
        data[i] = pow(10, (double)(i % 600) / 10 - 30);
    assert_int_equal(fmc_mask_find(&ex, FMC_F64, 5000, data, 0, 0, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_null(m.state);
    for (int i = 0; i < 5000; i++)
        data[i] = 1 + sin(i);
    data[17] = 1e300;
    data[18] = -3e25;
    data[4000] = 1e305;
    assert_int_equal(fmc_mask_find(&ex, FMC_F64, 5000, data, 0, 0, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_int_equal(m.n_exact, 3);
    assert_true(m.coded.max <= 2 && m.coded.min >= 0);
    fmc_mask_fini(&ex, &m);
    assert_int_equal(fmc_mask_find(&ex, FMC_F64, 5000, data, 0, 0, 0, &m), FMC_OK);
    assert_int_equal(m.n_exact, 1); /* over 2^1000 always */
    fmc_mask_fini(&ex, &m);
    for (int i = 0; i < 5000; i++) /* a quiet field with a plume of many values: both are data */
        data[i] = i < 500 ? 1 + i * 1e-3 : 1e-20 * (1 + i);
    assert_int_equal(fmc_mask_find(&ex, FMC_F64, 5000, data, 0, 0, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_null(m.state);
    for (int i = 0; i < 5000; i++) /* an undeclared fill value far from the data */
        data[i] = i % 100 < 30 ? -9999 : sin(i * 0.01);
    assert_int_equal(fmc_mask_find(&ex, FMC_F64, 5000, data, 0, 0, FMC_MASK_OUTLIERS, &m), FMC_OK);
    assert_int_equal(m.n_exact, 1500);
    assert_true(m.coded.min >= -1);
    fmc_mask_fini(&ex, &m);
}

static void all_missing_and_empty_work(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[2] = { 10, 10 };
    float data[100];
    fmc_mask m;

    (void)state;
    for (int i = 0; i < 100; i++)
        data[i] = float_of(0xffc12345u);
    assert_int_equal(fmc_mask_find(&ex, FMC_F32, 100, data, 0, 0, 3, &m), FMC_OK);
    assert_int_equal(m.n_missing, 100);
    assert_int_equal(m.coded.n_valid, 0);
    assert_int_equal(round_trip(FMC_F32, 2, dim, data, m.state), 6);
    fmc_mask_fini(&ex, &m);
    assert_int_equal(fmc_mask_find(&ex, FMC_F32, 0, NULL, 0, 0, 3, &m), FMC_OK);
    assert_null(m.state);
}

/* A small mask with two layers and others. */
static void make_stream(const fmc_exec *ex, const size_t *dim, fmc_out *out)
{
    double data[60];
    uint8_t mask[60];

    for (int i = 0; i < 60; i++) {
        data[i] = i < 20 ? double_of(0x7ff8000000000000u) : i < 30 ? 1e20 : i * 0.37;
        mask[i] = i < 30 || i == 40 || i == 50;
    }
    assert_int_equal(fmc_mask_encode(ex, FMC_F64, 2, dim, data, mask, out), FMC_OK);
}

static void damaged_masks_never_crash(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[2] = { 6, 10 };
    fmc_out out = fmc_out_make(ex.alloc);
    double back[60] = { 0 };
    fmc_masked m;

    (void)state;
    make_stream(&ex, dim, &out);
    for (size_t n = 0; n < out.size; n++) {
        uint8_t *cut = copy_prefix(out.data, n);
        fmc_in in = fmc_in_make(cut, n);

        assert_int_equal(fmc_mask_decode(&ex, FMC_F64, 2, dim, &in, &m), FMC_ERR_TRUNCATED);
        fmc_masked_fini(&ex, &m);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        uint8_t *bad = copy_prefix(out.data, out.size);
        fmc_in in = fmc_in_make(bad, out.size);

        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (fmc_mask_decode(&ex, FMC_F64, 2, dim, &in, &m) == FMC_OK)
            fmc_masked_apply(&m, FMC_F64, 60, back);
        fmc_masked_fini(&ex, &m);
        free(bad);
    }
    fmc_out_fini(&out);
}

static void failing_memory_is_reported_and_nothing_leaks(void **state)
{
    const fmc_exec good = test_exec(1);
    const size_t dim[2] = { 6, 10 };
    short_memory mem = { 0 };
    const fmc_allocator a = { &mem, short_alloc, short_free };
    const fmc_exec ex = { .alloc = &a, .n_threads = 1 };
    fmc_out out = fmc_out_make(good.alloc);
    fmc_status st = FMC_ERR_NO_MEMORY;
    fmc_masked m;

    (void)state;
    make_stream(&good, dim, &out);
    for (size_t n = 0; st != FMC_OK; n++) {
        fmc_in in = fmc_in_make(out.data, out.size);

        mem.left = n;
        st = fmc_mask_decode(&ex, FMC_F64, 2, dim, &in, &m);
        assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
        fmc_masked_fini(&ex, &m);
        assert_int_equal(mem.open, 0);
    }
    fmc_out_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_samples_are_found_and_returned),
        cmocka_unit_test(plain_data_have_no_mask_and_cost_one_byte),
        cmocka_unit_test(a_static_land_mask_costs_few_bytes),
        cmocka_unit_test(outliers_are_told_from_wide_ranges),
        cmocka_unit_test(all_missing_and_empty_work),
        cmocka_unit_test(damaged_masks_never_crash),
        cmocka_unit_test(failing_memory_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
