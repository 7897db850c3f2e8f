/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include "container/layout.h"

static fmc_header chosen(uint32_t rank, const uint64_t *dim, const uint64_t *wish, uint32_t is_streamed)
{
    static const uint64_t none[FMC_MAX_RANK];
    fmc_header h = { .dtype = FMC_F32, .rank = rank, .effort = 5, .is_streamed = is_streamed };

    for (uint32_t a = is_streamed; a < rank; a++)
        h.dim[a] = dim[a];
    fmc_layout_choose(&h, wish ? wish : none);
    assert_int_equal(fmc_header_check(&h), FMC_OK);
    return h;
}

static void small_arrays_stay_whole(void **state)
{
    const uint64_t dims[][FMC_MAX_RANK] = { { 1 }, { 1 << 24 }, { 256, 256, 256 }, { 3, 5, 7, 11, 13 }, { 0, 5 } };

    (void)state;
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        const uint32_t rank = i == 0 || i == 1 ? 1 : i == 2 ? 3 : i == 3 ? 5 : 2;
        const fmc_header h = chosen(rank, dims[i], NULL, 0);

        assert_int_equal(fmc_layout_count(&h), dims[i][0] ? 1 : 0);
        assert_memory_equal(h.chunk, h.dim, sizeof h.dim);
    }
}

static void large_arrays_are_cut_evenly(void **state)
{
    const struct {
        uint32_t rank;
        uint64_t dim[FMC_MAX_RANK];
    } cases[] = {
        { 1, { (1 << 24) + 1 } },     { 1, { 1000000007 } },       { 2, { 20000, 20000 } },
        { 2, { 10000019, 4 } },       { 2, { 3, 100000007 } },     { 3, { 1024, 1024, 1024 } },
        { 3, { 65, 1000, 1000 } },    { 3, { 64, 1024, 1024 } },   { 3, { 1, 5000, 5000 } },
        { 4, { 10, 98, 1200, 1200 } }, { 5, { 2, 3, 400, 500, 600 } }, { 5, { 1000, 7, 7, 700, 3 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t rank = cases[i].rank;
        const fmc_header h = chosen(rank, cases[i].dim, NULL, 0);
        uint64_t size = 1;

        for (uint32_t a = 0; a < rank; a++) {
            size *= h.chunk[a];
            if (h.chunk[a] < h.dim[a])
                assert_int_equal(h.chunk[a] % 8, 0);
        }
        assert_true(size <= (1 << 23) + (1 << 23) / 8);
        assert_true(size >= 1 << 20);
        assert_true(fmc_layout_count(&h) >= 3);
    }
}

static void wishes_are_kept(void **state)
{
    const uint64_t dim[3] = { 1000, 1000, 1000 }, wish[FMC_MAX_RANK] = { 1, 0, 5000 };
    const fmc_header h = chosen(3, dim, wish, 0);

    (void)state;
    assert_int_equal(h.chunk[0], 1);
    assert_int_equal(h.chunk[1], 1000);
    assert_int_equal(h.chunk[2], 1000);
}

static void streams_have_a_bounded_slab(void **state)
{
    const uint64_t small[3] = { 0, 100, 100 }, large[3] = { 0, 5000, 5000 };
    fmc_header h = chosen(3, small, NULL, 1);

    (void)state;
    assert_int_equal(h.chunk[0], 64);
    assert_int_equal(h.dim[0], 0);
    h = chosen(3, large, NULL, 1);
    assert_int_equal(h.chunk[0], 8);
    assert_true(h.chunk[0] * h.chunk[1] * h.chunk[2] <= 1 << 24);
}

static void chunks_tile_the_array(void **state)
{
    const uint64_t dim[3] = { 5, 13, 9 }, wish[FMC_MAX_RANK] = { 5, 4, 8 };
    const fmc_header h = chosen(3, dim, wish, 0);
    uint8_t seen[13][9] = { { 0 } };

    (void)state;
    assert_int_equal(fmc_layout_count(&h), 8);
    for (uint64_t i = 0; i < 8; i++) {
        fmc_box box = { { 0 }, { 0 } };

        fmc_layout_place(&h, i, &box);
        for (uint64_t y = 0; y < box.dim[1]; y++)
            for (uint64_t x = 0; x < box.dim[2]; x++)
                seen[box.start[1] + y][box.start[2] + x]++;
    }
    for (size_t i = 0; i < 13 * 9; i++)
        assert_int_equal(seen[i / 9][i % 9], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_arrays_stay_whole),   cmocka_unit_test(large_arrays_are_cut_evenly),
        cmocka_unit_test(wishes_are_kept),           cmocka_unit_test(streams_have_a_bounded_slab),
        cmocka_unit_test(chunks_tile_the_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
