/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"

static fmc_ctx *ctx;
static const uint64_t dim[3] = { 5, 6, 7 };
enum { N = 210 };

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

/* Kinds of small streams: one chunk lossless, one chunk lossy, several chunks, appended. */
enum { N_KINDS = 4 };

static store stream_of_kind(int kind)
{
    fmc_params p = lossless();
    store s = { 0 };
    const fmc_io io = store_io(&s);
    fmc_array a;
    float *x = make_f32(3, dim, &a);

    if (kind > 0) {
        p.bound_kind = FMC_BOUND_REL;
        p.bound = 1e-2;
    }
    if (kind > 1)
        p.chunk[0] = 2;
    if (kind == 3) {
        fmc_writer *w;

        assert_int_equal(fmc_writer_open(ctx, &io, &a, &p, &w), FMC_OK);
        assert_int_equal(fmc_writer_append(w, &a), FMC_OK);
        assert_int_equal(fmc_writer_close(w), FMC_OK);
    } else {
        void *bytes;
        size_t size;

        assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
        assert_int_equal(store_write(&s, bytes, size), 0);
        fmc_free(ctx, bytes);
    }
    free(x);
    return s;
}

static void every_truncation_is_told(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        store s = stream_of_kind(kind);

        for (size_t n = 0; n < s.size; n++) {
            uint8_t *cut = malloc(n ? n : 1); /* its own block: a sanitizer sees the first byte beyond */
            fmc_array out;

            memcpy(cut, s.data, n);
            assert_int_equal(fmc_decompress_alloc(ctx, cut, n, 1, &out), FMC_ERR_TRUNCATED);
            assert_null(out.data);
            free(cut);
        }
        free(s.data);
    }
}

/* A flipped bit never crashes and never gives other samples under FMC_OK. */
static void every_bit_flip_is_found(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        store s = stream_of_kind(kind);
        float want[N];
        fmc_array out;

        assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_OK);
        memcpy(want, out.data, sizeof want);
        fmc_free(ctx, out.data);
        for (size_t bit = 0; bit < s.size * 8; bit++) {
            fmc_info info = { .struct_size = sizeof info };
            fmc_chunk_info chunk = { .struct_size = sizeof chunk };

            s.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (fmc_decompress_alloc(ctx, s.data, s.size, 1, &out) == FMC_OK) {
                assert_memory_equal(out.dim, dim, sizeof dim);
                assert_memory_equal(out.data, want, sizeof want);
            } else {
                assert_true(strlen(fmc_ctx_message(ctx)) > 0);
            }
            fmc_free(ctx, out.data);
            if (fmc_inspect(ctx, s.data, s.size, &info) == FMC_OK)
                for (uint64_t i = 0; i < info.n_chunks; i++)
                    (void)fmc_inspect_chunk(ctx, s.data, s.size, i, &chunk);
            s.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(s.data);
    }
}

/* The same through the reader: what it gives of a damaged stream is right. */
static void readers_give_no_wrong_samples(void **state)
{
    const uint64_t zero[3] = { 0 };

    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        store s = stream_of_kind(kind);
        const fmc_io io = store_io(&s);
        float want[N], got[N];
        fmc_array out;

        assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_OK);
        memcpy(want, out.data, sizeof want);
        fmc_free(ctx, out.data);
        for (size_t bit = 0; bit < s.size * 8; bit += 3) {
            fmc_info info = { .struct_size = sizeof info };
            fmc_reader *r;

            s.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (fmc_reader_open(ctx, &io, &r) == FMC_OK) {
                assert_int_equal(fmc_reader_info(r, &info), FMC_OK);
                assert_true(info.dim[0] <= dim[0]);
                fmc_array_init(&out, FMC_F32, 3, info.dim, got);
                if (fmc_reader_read(r, zero, info.dim, 0, 1, &out) == FMC_OK)
                    assert_memory_equal(got, want, (size_t)info.dim[0] * 42 * sizeof *got);
                fmc_reader_close(r);
            }
            s.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(s.data);
    }
}

static void trailing_bytes_are_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        store s = stream_of_kind(kind);
        fmc_array out;

        assert_int_equal(store_write(&s, "x", 1), 0);
        assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_ERR_CORRUPT);
        free(s.data);
    }
}

static void noise_is_no_stream(void **state)
{
    uint8_t noise[64];
    fmc_array out;
    fmc_info info = { .struct_size = sizeof info };

    (void)state;
    memset(noise, 0, sizeof noise);
    assert_int_equal(fmc_decompress_alloc(ctx, noise, sizeof noise, 1, &out), FMC_ERR_NOT_FMC);
    assert_int_equal(fmc_inspect(ctx, noise, sizeof noise, &info), FMC_ERR_NOT_FMC);
    memcpy(noise, "FMC1", 4);
    noise[4] = FMC_FORMAT_VERSION + 1;
    assert_int_equal(fmc_decompress_alloc(ctx, noise, sizeof noise, 1, &out), FMC_ERR_UNSUPPORTED);
    assert_int_equal(fmc_decompress_alloc(ctx, noise, 0, 1, &out), FMC_ERR_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_told),     cmocka_unit_test(every_bit_flip_is_found),
        cmocka_unit_test(readers_give_no_wrong_samples), cmocka_unit_test(trailing_bytes_are_refused),
        cmocka_unit_test(noise_is_no_stream),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
