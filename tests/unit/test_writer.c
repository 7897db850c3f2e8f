/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include <math.h>

static fmc_ctx *ctx;
static const uint64_t dim[3] = { 23, 9, 10 };
enum { STEP = 90 };

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

static fmc_array steps_of(const fmc_array *a, uint64_t first, uint64_t n)
{
    fmc_array part = *a;

    part.dim[0] = n;
    part.data = (unsigned char *)a->data + (ptrdiff_t)first * (ptrdiff_t)a->stride[0];
    return part;
}

/* Append everything in pieces of `piece` steps; flush after every `flush` pieces (0: never). */
static void write_all(store *s, const fmc_array *a, const fmc_params *p, uint64_t piece, uint64_t flush)
{
    const fmc_io io = store_io(s);
    fmc_writer *w;
    uint64_t k = 0;

    assert_int_equal(fmc_writer_open(ctx, &io, a, p, &w), FMC_OK);
    for (uint64_t t = 0; t < a->dim[0]; t += piece) {
        const fmc_array part = steps_of(a, t, piece < a->dim[0] - t ? piece : a->dim[0] - t);

        assert_int_equal(fmc_writer_append(w, &part), FMC_OK);
        if (flush && ++k % flush == 0)
            assert_int_equal(fmc_writer_flush(w), FMC_OK);
    }
    assert_int_equal(fmc_writer_close(w), FMC_OK);
}

static void check_whole(const store *s, const float *x)
{
    fmc_array out;

    assert_int_equal(fmc_decompress_alloc(ctx, s->data, s->size, 1, &out), FMC_OK);
    assert_memory_equal(out.dim, dim, sizeof dim);
    assert_memory_equal(out.data, x, 23 * STEP * sizeof *x);
    fmc_free(ctx, out.data);
}

static void any_pieces_give_the_same_stream(void **state)
{
    const uint64_t pieces[] = { 1, 2, 5, 7, 23 };
    fmc_params p = lossless();
    store first = { 0 };
    fmc_array a;
    float *x = make_f32(3, dim, &a);

    (void)state;
    p.chunk[0] = 5;
    p.chunk[1] = 4;
    for (size_t i = 0; i < 5; i++) {
        store s = { 0 };

        write_all(&s, &a, &p, pieces[i], 0);
        check_whole(&s, x);
        if (i == 0) {
            first = s;
            continue;
        }
        assert_int_equal(s.size, first.size);
        assert_memory_equal(s.data, first.data, s.size);
        free(s.data);
    }
    free(first.data);
    free(x);
}

static void flushes_make_shorter_chunks(void **state)
{
    fmc_params p = lossless();
    fmc_info info = { .struct_size = sizeof info };
    store s = { 0 };
    fmc_array a;
    float *x = make_f32(3, dim, &a);

    (void)state;
    p.chunk[0] = 5;
    write_all(&s, &a, &p, 3, 1);
    check_whole(&s, x);
    assert_int_equal(fmc_inspect(ctx, s.data, s.size, &info), FMC_OK);
    assert_int_equal(info.n_chunks, 8);
    assert_int_equal(info.chunk[0], 5);
    free(s.data);
    free(x);
}

/* The bound is relative to each chunk's own range. */
static void relative_bounds_hold_per_chunk(void **state)
{
    fmc_params p = lossless();
    store s = { 0 };
    fmc_array a, out;
    float *x = make_f32(3, dim, &a);

    (void)state;
    for (size_t i = 0; i < 23 * STEP; i++)
        x[i] *= (float)(1 + i / STEP / 4);
    p.chunk[0] = 4;
    p.bound_kind = FMC_BOUND_REL;
    p.bound = 1e-2;
    write_all(&s, &a, &p, 3, 0);
    assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_OK);
    for (size_t t = 0; t < 23; t += 4) {
        const size_t end = (t + 4 < 23 ? t + 4 : 23) * STEP;
        double low = HUGE_VAL, high = -HUGE_VAL;

        for (size_t i = t * STEP; i < end; i++) {
            low = fmin(low, (double)x[i]);
            high = fmax(high, (double)x[i]);
        }
        for (size_t i = t * STEP; i < end; i++)
            assert_true(fabs((double)x[i] - (double)((float *)out.data)[i]) <= 1e-2 * (high - low));
    }
    fmc_free(ctx, out.data);
    free(s.data);
    free(x);
}

static void wrong_steps_are_refused_and_change_nothing(void **state)
{
    fmc_params p = lossless();
    store s = { 0 };
    const fmc_io io = store_io(&s);
    fmc_array a, bad;
    float *x = make_f32(3, dim, &a);
    fmc_writer *w;

    (void)state;
    assert_int_equal(fmc_writer_open(ctx, &io, &a, &p, &w), FMC_OK);
    bad = a;
    bad.dim[2] = 9;
    assert_int_equal(fmc_writer_append(w, &bad), FMC_ERR_ARG);
    bad = a;
    bad.dim[0] = 0;
    assert_int_equal(fmc_writer_append(w, &bad), FMC_ERR_ARG);
    bad = a;
    bad.dtype = FMC_F64;
    assert_int_equal(fmc_writer_append(w, &bad), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_append(w, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_append(w, &a), FMC_OK);
    assert_int_equal(fmc_writer_close(w), FMC_OK);
    check_whole(&s, x);
    p.bound_kind = FMC_BOUND_SIZE;
    p.bound = 1000;
    assert_int_equal(fmc_writer_open(ctx, &io, &a, &p, &w), FMC_ERR_ARG);
    assert_null(w);
    free(s.data);
    free(x);
}

/* Whatever write fails: the call says IO, later calls too, and what was written before is readable. */
static void every_failing_write_is_told(void **state)
{
    fmc_params p = lossless();
    fmc_array a;
    float *x = make_f32(3, dim, &a);

    (void)state;
    p.chunk[0] = 6;
    for (uint32_t k = 1;; k++) {
        store s = { .fail_write = k };
        const fmc_io io = store_io(&s);
        fmc_writer *w;
        fmc_status st = fmc_writer_open(ctx, &io, &a, &p, &w);

        if (st == FMC_OK) {
            for (uint64_t t = 0; t < 23 && st == FMC_OK; t++) {
                const fmc_array part = steps_of(&a, t, 1);

                st = fmc_writer_append(w, &part);
            }
            if (st != FMC_OK) {
                assert_int_equal(fmc_writer_append(w, &a), FMC_ERR_IO);
                assert_int_equal(fmc_writer_flush(w), FMC_ERR_IO);
                assert_int_equal(fmc_writer_close(w), FMC_ERR_IO);
            } else {
                st = fmc_writer_close(w);
            }
        }
        free(s.data);
        if (st == FMC_OK)
            break;
        assert_int_equal(st, FMC_ERR_IO);
        assert_true(strlen(fmc_ctx_message(ctx)) > 0);
    }
    free(x);
}

static void empty_streams_are_whole(void **state)
{
    fmc_params p = lossless();
    store s = { 0 };
    const fmc_io io = store_io(&s);
    fmc_array a, out;
    fmc_writer *w;

    (void)state;
    fmc_array_init(&a, FMC_F64, 3, dim, NULL);
    assert_int_equal(fmc_writer_open(ctx, &io, &a, &p, &w), FMC_OK);
    assert_int_equal(fmc_writer_flush(w), FMC_OK);
    assert_int_equal(fmc_writer_close(w), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_OK);
    assert_int_equal(out.dim[0], 0);
    assert_int_equal(out.dim[2], 10);
    fmc_free(ctx, out.data);
    s.size = 0;
    a.dim[1] = 0; /* steps without samples still count */
    assert_int_equal(fmc_writer_open(ctx, &io, &a, &p, &w), FMC_OK);
    a.dim[0] = 100;
    assert_int_equal(fmc_writer_append(w, &a), FMC_OK);
    assert_int_equal(fmc_writer_close(w), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(ctx, s.data, s.size, 1, &out), FMC_OK);
    assert_int_equal(out.dim[0], 100);
    fmc_free(ctx, out.data);
    free(s.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces_give_the_same_stream), cmocka_unit_test(flushes_make_shorter_chunks),
        cmocka_unit_test(relative_bounds_hold_per_chunk),  cmocka_unit_test(wrong_steps_are_refused_and_change_nothing),
        cmocka_unit_test(every_failing_write_is_told),     cmocka_unit_test(empty_streams_are_whole),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
