/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/blob.h"

static void blobs_come_back(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 1;

    (void)state;
    for (size_t size = 0; size < 4000; size += 1 + size / 3) {
        for (unsigned range = 1; range <= 256; range *= 16) {
            uint8_t *data = malloc(size + 1), *back = malloc(size + 1);
            fmc_out out = fmc_out_make(ex.alloc);
            fmc_in in;

            for (size_t i = 0; i < size; i++)
                data[i] = (uint8_t)below(&seed, range);
            assert_int_equal(fmc_blob_write(&ex, data, size, &out), FMC_OK);
            assert_true(out.size <= size + 2);
            in = fmc_in_make(out.data, out.size);
            assert_int_equal(fmc_blob_read(&ex, &in, back, size), FMC_OK);
            assert_int_equal(fmc_in_left(&in), 0);
            assert_memory_equal(data, back, size);
            fmc_out_fini(&out);
            free(data);
            free(back);
        }
    }
}

static void damaged_blobs_are_refused(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint8_t data[300] = { 0 }, back[300];
    fmc_out out = fmc_out_make(ex.alloc);

    (void)state;
    assert_int_equal(fmc_blob_write(&ex, data, sizeof data, &out), FMC_OK);
    assert_true(out.size < 40);
    for (size_t n = 0; n < out.size; n++) {
        uint8_t *cut = copy_prefix(out.data, n);
        fmc_in in = fmc_in_make(cut, n);

        assert_int_equal(fmc_blob_read(&ex, &in, back, sizeof back), FMC_ERR_TRUNCATED);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        uint8_t *bad = copy_prefix(out.data, out.size);
        fmc_in in = fmc_in_make(bad, out.size);

        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        (void)fmc_blob_read(&ex, &in, back, sizeof back); /* any status, no crash */
        free(bad);
    }
    for (int wrong = -1; wrong <= 1; wrong += 2) {
        fmc_in in = fmc_in_make(out.data, out.size);
        uint8_t other[301];

        assert_int_equal(fmc_blob_read(&ex, &in, other, (size_t)(300 + wrong)), FMC_ERR_CORRUPT);
    }
    fmc_out_fini(&out);
}

static void failing_memory_is_reported_and_nothing_leaks(void **state)
{
    uint8_t data[300] = { 0 }, back[300];
    short_memory m = { 0 };
    const fmc_allocator a = { &m, short_alloc, short_free };
    const fmc_exec ex = { .alloc = &a, .n_threads = 1 };
    fmc_status st = FMC_ERR_NO_MEMORY;

    (void)state;
    for (size_t n = 0; st != FMC_OK; n++) {
        fmc_out out = fmc_out_make(&a);

        m.left = n;
        st = fmc_blob_write(&ex, data, sizeof data, &out);
        assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
        if (st == FMC_OK) {
            fmc_in in = fmc_in_make(out.data, out.size);

            m.left = 0;
            assert_int_equal(fmc_blob_read(&ex, &in, back, sizeof back), FMC_ERR_NO_MEMORY);
        }
        fmc_out_fini(&out);
        assert_int_equal(m.open, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_come_back),
        cmocka_unit_test(damaged_blobs_are_refused),
        cmocka_unit_test(failing_memory_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
