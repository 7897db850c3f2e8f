/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"

static fmc_ctx *ctx;
static const uint64_t dim[3] = { 11, 21, 30 };
enum { N = 11 * 21 * 30 };

static int setup(void **state)
{
    (void)state;
    return fmc_ctx_create(NULL, &ctx) != FMC_OK;
}

static int teardown(void **state)
{
    (void)state;
    fmc_ctx_destroy(ctx);
    return 0;
}

/* The whole array as one stream; chunks c0 x c1 x c2, written by a writer if `streamed`. */
static store stream_of(const fmc_array *a, uint64_t c0, uint64_t c1, uint64_t c2, int streamed)
{
    fmc_params p = lossless();
    store s = { 0 };
    const fmc_io io = store_io(&s);

    p.chunk[0] = c0;
    p.chunk[1] = c1;
    p.chunk[2] = c2;
    if (streamed) {
        fmc_writer *w;
        fmc_array part = *a;

        assert_int_equal(fmc_writer_open(ctx, &io, a, &p, &w), FMC_OK);
        part.dim[0] = 5;
        assert_int_equal(fmc_writer_append(w, &part), FMC_OK);
        assert_int_equal(fmc_writer_flush(w), FMC_OK);
        part.data = (unsigned char *)a->data + 5 * a->stride[0];
        part.dim[0] = a->dim[0] - 5;
        assert_int_equal(fmc_writer_append(w, &part), FMC_OK);
        assert_int_equal(fmc_writer_close(w), FMC_OK);
    } else {
        void *bytes;
        size_t size;

        assert_int_equal(fmc_compress_alloc(ctx, a, &p, &bytes, &size), FMC_OK);
        assert_int_equal(store_write(&s, bytes, size), 0);
        fmc_free(ctx, bytes);
    }
    return s;
}

static float at(const float *x, uint64_t i, uint64_t j, uint64_t k)
{
    return x[(i * dim[1] + j) * dim[2] + k];
}

static void check_box(fmc_reader *r, const float *x, const uint64_t *start, const uint64_t *count)
{
    float *y = malloc((size_t)count_of(3, count) * sizeof *y + 1);
    fmc_array out;

    fmc_array_init(&out, FMC_F32, 3, count, y);
    assert_int_equal(fmc_reader_read(r, start, count, 0, 2, &out), FMC_OK);
    for (uint64_t i = 0; i < count[0]; i++)
        for (uint64_t j = 0; j < count[1]; j++)
            for (uint64_t k = 0; k < count[2]; k++)
                assert_true(y[(i * count[1] + j) * count[2] + k] == at(x, start[0] + i, start[1] + j, start[2] + k));
    free(y);
}

static void boxes_are_exact(void **state)
{
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    uint64_t seed = 7;

    (void)state;
    for (int i = 0; i < 4; i++) {
        store s = stream_of(&a, i & 1 ? 4 : 3, 8, i & 1 ? 0 : 7, i >= 2);
        const fmc_io io = store_io(&s);
        fmc_reader *r;

        assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
        for (int k = 0; k < 60; k++) {
            uint64_t start[3], count[3];

            for (int d = 0; d < 3; d++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                start[d] = (seed >> 33) % (dim[d] + 1);
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                count[d] = (seed >> 33) % (dim[d] - start[d] + 1);
            }
            check_box(r, x, start, count);
        }
        fmc_reader_close(r);
        free(s.data);
    }
    free(x);
}

static void only_touched_chunks_are_read(void **state)
{
    const uint64_t start[3] = { 4, 9, 9 }, count[3] = { 1, 1, 1 };
    fmc_info info = { .struct_size = sizeof info };
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    store s = stream_of(&a, 4, 8, 8, 0);
    const fmc_io io = store_io(&s);
    fmc_reader *r;

    (void)state;
    assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
    assert_true(s.n_read < 500); /* header, tail */
    assert_int_equal(fmc_reader_info(r, &info), FMC_OK);
    assert_int_equal(info.n_chunks, 3 * 3 * 4);
    assert_int_equal(fmc_reader_chunk_info(r, 12 + 4 + 1, &chunk), FMC_OK);
    assert_int_equal(chunk.start[0], 4);
    assert_int_equal(chunk.start[1], 8);
    assert_int_equal(chunk.start[2], 8);
    assert_int_equal(fmc_reader_chunk_info(r, 36, &chunk), FMC_ERR_ARG);
    s.n_read = 0;
    check_box(r, x, start, count);
    assert_int_equal(s.n_read, chunk.size);
    fmc_reader_close(r);
    free(s.data);
    free(x);
}

static uint64_t ceil_shift(uint64_t v, uint32_t s)
{
    return (v + ((uint64_t)1 << s) - 1) >> s;
}

/* Samples of chunks that start off the coarse grid are exact. Chunks: 3 x 5 x 7, or slabs 3 + 2 + 3 + 3 (layout 2). */
static void check_off_grid(const float *x, const float *y, const uint64_t *low, const uint64_t *coarse, uint32_t scale,
                           int layout)
{
    for (uint64_t i = 0; layout > 0 && i < coarse[0] * coarse[1] * coarse[2]; i++) {
        const uint64_t t = (low[0] + i / coarse[2] / coarse[1]) << scale;
        const uint64_t v = (low[1] + i / coarse[2] % coarse[1]) << scale;
        const uint64_t w = (low[2] + i % coarse[2]) << scale;
        const uint64_t slab = layout == 1 ? t - t % 3 : t < 3 ? 0 : t < 5 ? 3 : t < 8 ? 5 : 8;
        const uint64_t starts = slab | (v - v % 5) | (w - w % 7);

        if (starts & (((uint64_t)1 << scale) - 1))
            assert_true(y[i] == at(x, t, v, w));
    }
}

/* Chunks that start off the coarse grid are sampled exactly; the others give a preview of the right extents. */
static void previews_have_the_documented_extents(void **state)
{
    const uint64_t start[3] = { 2, 3, 5 }, count[3] = { 8, 17, 22 };
    fmc_array a, out;
    float *x = make_f32(3, dim, &a), *y = malloc(N * sizeof *y);

    (void)state;
    for (int i = 0; i < 3; i++) {
        store s = stream_of(&a, i ? 3 : 8, i ? 5 : 8, i ? 7 : 16, i == 2);
        const fmc_io io = store_io(&s);
        fmc_reader *r;

        assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
        for (uint32_t scale = 0; scale <= 3; scale++) {
            uint64_t coarse[3], low[3];

            for (int d = 0; d < 3; d++) {
                low[d] = ceil_shift(start[d], scale);
                coarse[d] = ceil_shift(start[d] + count[d], scale) - low[d];
            }
            fmc_array_init(&out, FMC_F32, 3, coarse, y);
            assert_int_equal(fmc_reader_read(r, start, count, scale, 2, &out), FMC_OK);
            check_off_grid(x, y, low, coarse, scale, i);
            coarse[0]++;
            fmc_array_init(&out, FMC_F32, 3, coarse, y);
            assert_int_equal(fmc_reader_read(r, start, count, scale, 2, &out), FMC_ERR_ARG);
        }
        assert_int_equal(fmc_reader_read(r, start, count, 4, 2, &out), FMC_ERR_ARG);
        fmc_reader_close(r);
        free(s.data);
    }
    free(x);
    free(y);
}

static void boxes_outside_are_refused(void **state)
{
    const uint64_t start[3] = { 0, 0, 0 }, count[3] = { 1, 1, 31 }, far[3] = { UINT64_MAX, 0, 0 };
    fmc_array a, out;
    float *x = make_f32(3, dim, &a);
    store s = stream_of(&a, 4, 8, 8, 0);
    const fmc_io io = store_io(&s);
    fmc_reader *r;

    (void)state;
    assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
    fmc_array_init(&out, FMC_F32, 3, count, x);
    assert_int_equal(fmc_reader_read(r, start, count, 0, 1, &out), FMC_ERR_ARG);
    assert_non_null(strstr(fmc_ctx_message(ctx), "axis 2"));
    assert_int_equal(fmc_reader_read(r, far, count, 0, 1, &out), FMC_ERR_ARG);
    assert_int_equal(fmc_reader_read(r, NULL, count, 0, 1, &out), FMC_ERR_ARG);
    assert_int_equal(fmc_reader_read(r, start, NULL, 0, 1, &out), FMC_ERR_ARG);
    assert_int_equal(fmc_reader_read(r, start, count, 0, 1, NULL), FMC_ERR_ARG);
    fmc_reader_close(r);
    free(s.data);
    free(x);
}

static void failing_reads_are_told(void **state)
{
    const uint64_t start[3] = { 0, 0, 0 };
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    store s = stream_of(&a, 4, 8, 8, 0);
    const fmc_io io = store_io(&s);
    fmc_reader *r;

    (void)state;
    s.fail_read = 1;
    assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_ERR_IO);
    assert_null(r);
    s.fail_read = 0;
    assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
    s.fail_read = 1;
    assert_int_equal(fmc_reader_read(r, start, dim, 0, 1, &a), FMC_ERR_IO);
    fmc_reader_close(r);
    free(s.data);
    free(x);
}

/* A stream cut off at every byte opens once its header is there and gives its complete steps. */
static void cut_off_streams_give_what_is_there(void **state)
{
    const uint64_t zero[3] = { 0 };
    fmc_array a, out;
    float *x = make_f32(3, dim, &a), *y = malloc(N * sizeof *y);

    (void)state;
    for (int streamed = 0; streamed < 2; streamed++) {
        store s = stream_of(&a, 3, 0, 16, streamed);
        const size_t size = s.size;
        uint64_t last = 0;
        int has_opened = 0;

        for (size_t n = 0; n < size; n += n < 100 || n + 100 > size ? 1 : 37) {
            store cut = { .data = malloc(n ? n : 1), .size = n };
            const fmc_io io = store_io(&cut);
            fmc_info info = { .struct_size = sizeof info };
            fmc_status st;
            fmc_reader *r;

            memcpy(cut.data, s.data, n);
            st = fmc_reader_open(ctx, &io, &r);
            assert_int_equal(st, has_opened || st == FMC_OK ? FMC_OK : FMC_ERR_TRUNCATED);
            if (st == FMC_OK) {
                has_opened = 1;
                assert_int_equal(fmc_reader_info(r, &info), FMC_OK);
                assert_int_equal(info.is_complete, 0);
                assert_true(info.dim[0] >= last && info.dim[0] <= dim[0]);
                last = info.dim[0];
                fmc_array_init(&out, FMC_F32, 3, info.dim, y);
                assert_int_equal(fmc_reader_read(r, zero, info.dim, 0, 1, &out), FMC_OK);
                assert_memory_equal(y, x, (size_t)(last * 21 * 30) * sizeof *x);
                fmc_reader_close(r);
            }
            free(cut.data);
        }
        assert_int_equal(last, dim[0]);
        free(s.data);
    }
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_exact),           cmocka_unit_test(only_touched_chunks_are_read),
        cmocka_unit_test(previews_have_the_documented_extents), cmocka_unit_test(boxes_outside_are_refused),
        cmocka_unit_test(failing_reads_are_told),    cmocka_unit_test(cut_off_streams_give_what_is_there),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
