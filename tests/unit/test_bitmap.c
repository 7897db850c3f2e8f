/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/bitmap.h"

static size_t product(uint32_t rank, const size_t *dim)
{
    size_t n = 1;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    return n;
}

/* Encode the classes 1..k one after another, decode them, compare. Returns the bytes used. */
static size_t round_trip(uint32_t rank, const size_t *dim, const uint8_t *cls, uint8_t k)
{
    const fmc_exec ex = test_exec(1);
    const size_t n = product(rank, dim);
    uint8_t *back = calloc(n, 1);
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_in in;
    size_t size;

    assert_non_null(back);
    for (uint8_t c = 1; c <= k; c++)
        assert_int_equal(fmc_bitmap_encode(&ex, rank, dim, cls, c, &out), FMC_OK);
    in = fmc_in_make(out.data, out.size);
    for (uint8_t c = 1; c <= k; c++)
        assert_int_equal(fmc_bitmap_decode(&ex, rank, dim, back, c, &in), FMC_OK);
    assert_int_equal(fmc_in_left(&in), 0);
    assert_memory_equal(cls, back, n);
    size = out.size;
    fmc_out_fini(&out);
    free(back);
    return size;
}

static void random_classes_of_any_shape_come_back(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 500; round++) {
        const uint32_t rank = 1 + (uint32_t)below(&seed, 5);
        const size_t most = rank == 1 ? 400 : rank == 2 ? 40 : rank == 3 ? 12 : 6;
        const uint8_t k = (uint8_t)(1 + below(&seed, 3));
        const size_t rare = 1 + below(&seed, 50);
        const int repeats = below(&seed, 2) != 0;
        size_t dim[5], n, plane;
        uint8_t *cls;

        for (uint32_t i = 0; i < rank; i++)
            dim[i] = 1 + below(&seed, most);
        n = product(rank, dim);
        plane = rank > 2 ? dim[rank - 1] * dim[rank - 2] : n;
        cls = malloc(n);
        for (size_t i = 0; i < n; i++) {
            cls[i] = (uint8_t)(below(&seed, rare) == 0 ? 1 + below(&seed, k) : 0);
            if (repeats && i >= plane && below(&seed, 40))
                cls[i] = cls[i - plane];
        }
        round_trip(rank, dim, cls, k);
        free(cls);
    }
}

static void uniform_classes_cost_a_byte(void **state)
{
    const size_t dim[3] = { 50, 60, 70 };
    uint8_t *cls = calloc(210000, 1);

    (void)state;
    assert_int_equal(round_trip(3, dim, cls, 1), 1);
    memset(cls, 1, 210000);
    assert_int_equal(round_trip(3, dim, cls, 1), 1);
    free(cls);
}

/* A disc in every plane costs hardly more than one disc. */
static void repeated_planes_are_nearly_free(void **state)
{
    const size_t one[2] = { 100, 120 }, many[3] = { 200, 100, 120 }, deep[4] = { 40, 5, 100, 120 };
    uint8_t *cls = malloc(2400000);
    size_t alone, times, depths;

    (void)state;
    for (size_t i = 0; i < 2400000; i++) {
        const double y = (double)(i / 120 % 100) - 50, x = (double)(i % 120) - 60;

        cls[i] = x * x + y * y < 1600;
    }
    alone = round_trip(2, one, cls, 1);
    times = round_trip(3, many, cls, 1);
    assert_true(alone < 250 && times < alone + 12);
    for (size_t i = 0; i < 2400000; i++) { /* discs that shrink with depth, the same at all times */
        const double y = (double)(i / 120 % 100) - 50, x = (double)(i % 120) - 60;
        const double r = 40 - 5 * (double)(i / 12000 % 5);

        cls[i] = x * x + y * y < r * r;
    }
    depths = round_trip(4, deep, cls, 1);
    assert_true(depths < 6 * alone);
    free(cls);
}

static void damaged_bitmaps_never_crash(void **state)
{
    const fmc_exec ex = test_exec(1);
    const size_t dim[3] = { 3, 9, 11 };
    uint8_t cls[297], back[297];
    fmc_out out = fmc_out_make(ex.alloc);
    uint64_t seed = 2;
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < 297; i++)
        cls[i] = below(&seed, 3) == 0;
    assert_int_equal(fmc_bitmap_encode(&ex, 3, dim, cls, 1, &out), FMC_OK);
    for (size_t n = 0; n < out.size; n++) {
        uint8_t *cut = copy_prefix(out.data, n);
        fmc_in in = fmc_in_make(cut, n);

        memset(back, 0, sizeof back);
        assert_int_equal(fmc_bitmap_decode(&ex, 3, dim, back, 1, &in), FMC_ERR_TRUNCATED);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        uint8_t *bad = copy_prefix(out.data, out.size);
        fmc_in in = fmc_in_make(bad, out.size);

        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(back, 0, sizeof back);
        accepted += fmc_bitmap_decode(&ex, 3, dim, back, 1, &in) == FMC_OK;
        for (size_t i = 0; i < 297; i++)
            assert_true(back[i] <= 1);
        free(bad);
    }
    assert_true(accepted > 0);
    fmc_out_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_classes_of_any_shape_come_back),
        cmocka_unit_test(uniform_classes_cost_a_byte),
        cmocka_unit_test(repeated_planes_are_nearly_free),
        cmocka_unit_test(damaged_bitmaps_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
