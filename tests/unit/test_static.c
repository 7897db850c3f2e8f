/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "coef/coef.h"
#include "coef/static_model.h"
#include "ops/kernels.h"

enum { N_BANDS = 4 };

static uint32_t seed;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* A low band and three finer ones with a parent, a time parent and siblings; volumes, slices and rows. */
static size_t make_bands(fmc_band band[N_BANDS], size_t volumes, size_t slices, size_t rows, size_t columns)
{
    size_t start = 0;

    memset(band, 0, N_BANDS * sizeof *band);
    for (int i = 0; i < N_BANDS; i++) {
        fmc_band *b = &band[i];
        const size_t half = i == 0;

        b->dim[0] = 1;
        b->dim[1] = volumes;
        b->dim[2] = slices;
        b->dim[3] = (rows + half) >> half;
        b->dim[4] = (columns + half) >> half;
        b->start = start;
        b->count = volumes * slices * b->dim[3] * b->dim[4];
        b->level = (uint8_t)half;
        b->is_low = (uint8_t)half;
        b->high = (uint8_t)(i == 0 ? 0 : i == 3 ? 24 : 8 << (i - 1));
        b->parent = b->time_parent = -1;
        start += b->count;
    }
    band[1].parent = 0;
    band[1].parent_half = 24;
    band[2].time_parent = 1;
    band[2].n_siblings = 1;
    band[2].sibling[0] = 1;
    band[3].n_siblings = 2;
    band[3].sibling[0] = 1;
    band[3].sibling[1] = 2;
    return start;
}

/* Waves that a linear mean predicts, patches of noise, rows of zeros, a few huge values. */
static void fill(int32_t *q, size_t n, size_t columns, int32_t size)
{
    for (size_t i = 0; i < n; i++) {
        const size_t x = i % columns, y = i / columns;
        const int32_t wave = (int32_t)((x * 3 + y * 2) % 40) - 20;

        q[i] = (y / 8) % 3 == 0 ? 0 : wave * size / 40 + (int32_t)(next_random() % (uint32_t)(size / 4 + 1));
        if (next_random() % 701 == 0)
            q[i] = (int32_t)(next_random() % (FMC_COEF_MAX / 4)) - FMC_COEF_MAX / 8;
    }
}

static fmc_exec exec_at(uint32_t level, uint32_t n_threads)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .kernels = fmc_kernels_select(level), .n_threads = n_threads };

    return ex;
}

static void encode(const fmc_exec *ex, const fmc_band *band, int32_t *q, fmc_out *out)
{
    *out = fmc_out_make(&fmc_system_allocator);
    assert_int_equal(fmc_coef_encode(ex, band, N_BANDS, q, FMC_COEF_STATIC, NULL, out), FMC_OK);
}

static void check_shape(size_t volumes, size_t slices, size_t rows, size_t columns, int32_t size)
{
    fmc_band band[N_BANDS];
    const size_t n = make_bands(band, volumes, slices, rows, columns);
    int32_t *q = malloc(n * sizeof *q), *was = malloc(n * sizeof *q), *got = malloc(n * sizeof *q);
    fmc_out first;

    fill(q, n, columns, size);
    memcpy(was, q, n * sizeof *q);
    for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512; level++) {
        const fmc_exec ex = exec_at(level, level + 1);
        fmc_out out;
        fmc_in in;

        encode(&ex, band, q, &out);
        assert_memory_equal(q, was, n * sizeof *q);
        if (level == FMC_SIMD_REF)
            first = out;
        assert_int_equal(out.size, first.size);
        assert_memory_equal(out.data, first.data, out.size);
        in = fmc_in_make(out.data, out.size);
        memset(got, 0x55, n * sizeof *got);
        assert_int_equal(fmc_coef_decode(&ex, band, N_BANDS, got, FMC_COEF_STATIC, NULL, &in), FMC_OK);
        assert_memory_equal(got, was, n * sizeof *q);
        if (level != FMC_SIMD_REF)
            fmc_out_fini(&out);
    }
    fmc_out_fini(&first);
    free(q);
    free(was);
    free(got);
}

static void every_shape_comes_back_on_every_level(void **state)
{
    static const size_t shape[][4] = { { 1, 1, 1, 1 },   { 1, 1, 1, 2 },   { 1, 1, 1, 37 },  { 1, 1, 50, 1 },
                                       { 1, 1, 40, 64 }, { 2, 3, 9, 31 },  { 3, 1, 12, 33 }, { 1, 7, 16, 15 },
                                       { 1, 1, 7, 700 }, { 1, 5, 30, 48 } };
    (void)state;
    seed = 3;
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int32_t size = 1; size < 3000000; size *= 11)
            check_shape(shape[i][0], shape[i][1], shape[i][2], shape[i][3], size);
}

static void blocks_come_back(void **state)
{
    (void)state;
    seed = 4;
    check_shape(1, 20, 190, 333, 9); /* 4 blocks */
}

/* A stream of its own kind (0) that has everything in it. */
static size_t make_stream(fmc_band band[N_BANDS], int32_t **q, fmc_out *out)
{
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    const size_t n = make_bands(band, 1, 4, 32, 60);

    seed = 8;
    *q = malloc(n * sizeof **q);
    fill(*q, n, 60, 50);
    encode(&ex, band, *q, out);
    assert_int_equal(out->data[0], 0);
    return n;
}

static void the_first_bands_can_be_had_alone(void **state)
{
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    fmc_band band[N_BANDS];
    int32_t *q, *got;
    fmc_out out;
    const size_t n = make_stream(band, &q, &out);

    (void)state;
    got = malloc(n * sizeof *got);
    for (size_t k = 1; k <= N_BANDS; k++) {
        fmc_in in = fmc_in_make(out.data, out.size);

        memset(got, 0x55, n * sizeof *got);
        assert_int_equal(fmc_coef_decode_first(&ex, band, N_BANDS, k, got, FMC_COEF_STATIC, NULL, &in), FMC_OK);
        assert_memory_equal(got, q, (band[k - 1].start + band[k - 1].count) * sizeof *q);
    }
    fmc_out_fini(&out);
    free(q);
    free(got);
}

static void cut_streams_are_refused(void **state)
{
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    fmc_band band[N_BANDS];
    int32_t *q;
    fmc_out out;

    (void)state;
    make_stream(band, &q, &out);
    for (size_t size = 0; size < out.size; size += 1 + size / 50) {
        uint8_t *cut = malloc(size + !size); /* its own block: tools see the first byte beyond */
        fmc_in in = fmc_in_make(cut, size);
        fmc_status st;

        memcpy(cut, out.data, size);
        st = fmc_coef_decode(&ex, band, N_BANDS, q, FMC_COEF_STATIC, NULL, &in);
        assert_true(st == FMC_ERR_TRUNCATED || st == FMC_ERR_CORRUPT);
        free(cut);
    }
    fmc_out_fini(&out);
    free(q);
}

static void changed_streams_do_no_harm(void **state)
{
    fmc_band band[N_BANDS];
    int32_t *q;
    fmc_out out;
    const size_t n = make_stream(band, &q, &out);

    (void)state;
    for (int i = 0; i < 1500; i++) {
        const fmc_exec ex = exec_at(i % 2 ? FMC_SIMD_BEST : FMC_SIMD_REF, 1);
        const size_t at = i < 900 ? (size_t)i % 600 : next_random() % out.size;
        const uint8_t was = out.data[at];
        fmc_in in = fmc_in_make(out.data, out.size);
        fmc_status st;

        out.data[at] ^= (uint8_t)(1 + next_random() % 255);
        st = fmc_coef_decode(&ex, band, N_BANDS, q, FMC_COEF_STATIC, NULL, &in);
        assert_true(st == FMC_OK || st == FMC_ERR_TRUNCATED || st == FMC_ERR_CORRUPT);
        for (size_t k = 0; st == FMC_OK && k < n; k++)
            assert_true(q[k] <= FMC_COEF_MAX && q[k] >= -FMC_COEF_MAX);
        out.data[at] = was;
    }
    fmc_out_fini(&out);
    free(q);
}

static void any_bytes_do_no_harm(void **state)
{
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    fmc_band band[N_BANDS];
    const size_t n = make_bands(band, 1, 2, 9, 21);
    int32_t *q = malloc(n * sizeof *q);

    (void)state;
    seed = 21;
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[400];
        const size_t size = next_random() % sizeof bytes;
        fmc_in in = fmc_in_make(bytes, size);
        fmc_status st;

        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)next_random();
        bytes[0] = 0;
        bytes[1] &= 63; /* a head that may be there */
        st = fmc_coef_decode(&ex, band, N_BANDS, q, FMC_COEF_STATIC, NULL, &in);
        assert_true(st == FMC_OK || st == FMC_ERR_TRUNCATED || st == FMC_ERR_CORRUPT);
    }
    free(q);
}

static void every_shape_gives_a_whole_table(void **state)
{
    (void)state;
    seed = 1;
    for (size_t t = 0; t < FMC_STATIC_TABLES; t++)
        for (int i = 0; i < 200; i++) {
            fmc_static_shape shape = fmc_static_default[t];
            fmc_rans_table table;

            for (int k = 0; i > 0 && k < FMC_STATIC_DECISIONS; k++)
                shape.d[k] = (int8_t)(i < 3 ? (i == 1 ? 96 : -96) : (int)(next_random() % 193) - 96);
            fmc_static_table(&shape, t, &table);
            assert_int_equal(table.cum[0], 0);
            assert_int_equal(table.cum[31], 1 << FMC_RANS_LOG2);
            for (int k = 0; k < FMC_RANS_SYMBOLS; k++)
                assert_true(table.cum[k] < table.cum[k + 1]);
        }
}

/* A table's description costs little and brings its frequencies near those that were counted. */
static void fitted_tables_fit(void **state)
{
    fmc_static_costs costs;
    fmc_static_shape shape = fmc_static_default[9];
    fmc_rans_table table;
    uint32_t count[32] = { 0 };

    (void)state;
    fmc_static_costs_init(&costs);
    count[15] = 50000;
    count[16] = 20000;
    count[14] = 10000;
    count[17] = 8000;
    count[13] = 6000;
    count[18] = count[12] = 3000;
    fmc_static_fit_shape(&costs, count, 9, &shape);
    fmc_static_table(&shape, 9, &table);
    for (int i = 12; i <= 18; i++) {
        const int share = (int)(count[i] * 32768.0 / 100000), found = table.cum[i + 1] - table.cum[i];

        assert_true(found > share * 9 / 10 && found < share * 11 / 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_comes_back_on_every_level), cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(the_first_bands_can_be_had_alone),      cmocka_unit_test(cut_streams_are_refused),
        cmocka_unit_test(changed_streams_do_no_harm),            cmocka_unit_test(any_bytes_do_no_harm),
        cmocka_unit_test(every_shape_gives_a_whole_table),       cmocka_unit_test(fitted_tables_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
