/* SPDX-License-Identifier: Apache-2.0 */
/* A model inside the stream: params.embed, docs/format.md 3.1. */
#include "api_util.h"

#include <math.h>
#include "container/check.h"
#include "container/stream.h"
#include "nn/difference.h"
#include "nn/embedded.h"
#include "nn/model.h"
#include "tuned.h"

enum { STEPS = 40 };
#define PRIOR_PATH FMC_TEST_DATA "/../../../weights/prior.fmcw"

/* A context, the tuned model, and waves that it codes in fewer bytes than the library's own. */
typedef struct scene {
    fmc_ctx   *ctx;
    fmc_model *tuned;
    fmc_array  a;
    fmc_params p;
    uint8_t   *file;
    size_t     file_size;
} scene;

static int set_up(void **state)
{
    const uint64_t dim[] = { STEPS, 128, 128 };
    scene *s = calloc(1, sizeof *s);
    float *x;

    if (!s || fmc_ctx_create(NULL, &s->ctx) != FMC_OK)
        return 1;
    x = make_f32(3, dim, &s->a);
    for (size_t i = 0; i < STEPS * 128 * 128; i++)
        x[i] = sinf((float)(i % 128) * 0.31f) * cosf((float)(i / 128 % 128) * 0.17f + (float)(i / 16384) * 0.2f);
    s->file = tuned_read(PRIOR_PATH, &s->file_size);
    if (!s->file || fmc_model_open_buffer(s->ctx, s->file, s->file_size, &s->tuned) != FMC_OK)
        return 1;
    fmc_params_init(&s->p, sizeof s->p);
    s->p.bound_kind = FMC_BOUND_NRMSE;
    s->p.effort = 9;
    s->p.coder = FMC_CODER_TRANSFORM;
    s->p.model = s->tuned;
    s->p.embed = 1;
    memcpy(s->p.chunk, (const uint64_t[]){ 8, 32, 32, 0, 0 }, sizeof s->p.chunk);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    scene *s = *state;

    fmc_ctx_destroy(s->ctx);
    fmc_model_close(s->tuned);
    free(s->a.data);
    free(s->file);
    free(s);
    return 0;
}

/* The whole, a box and a preview, by a context that knows no model but the library's own. */
static void check_reads(const scene *s, const void *bytes, size_t size, fmc_status want)
{
    const uint64_t start[] = { 3, 20, 7 }, count[] = { 4, 30, 70 }, coarse[] = { 2, 15, 35 };
    store mem = { .data = (uint8_t *)(uintptr_t)bytes, .size = size };
    const fmc_io io = store_io(&mem);
    fmc_reader *r;
    fmc_array part, whole = s->a;
    fmc_ctx *ctx;

    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    for (uint32_t n_threads = 1; n_threads <= 3; n_threads += 2) {
        float *y = calloc(STEPS * 128 * 128, sizeof *y);
        double worst = 0;

        whole.data = y;
        assert_int_equal(fmc_decompress(ctx, bytes, size, n_threads, &whole), want);
        for (size_t i = 0; want == FMC_OK && i < STEPS * 128 * 128; i++)
            worst = fmax(worst, fabs((double)y[i] - (double)((float *)s->a.data)[i]));
        assert_true(worst < 0.1);
        free(y);
    }
    assert_int_equal(fmc_reader_open(ctx, &io, &r), FMC_OK);
    for (uint32_t scale = 0; scale < 2; scale++) {
        float *y = make_f32(3, scale ? coarse : count, &part);

        assert_int_equal(fmc_reader_read(r, start, count, scale, 1, &part), want);
        free(y);
    }
    fmc_reader_close(r);
    fmc_ctx_destroy(ctx);
}

static void a_model_that_pays_is_stored(void **state)
{
    scene *s = *state;
    fmc_info info = { .struct_size = sizeof info };
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };
    fmc_params plain = s->p;
    void *bytes, *other;
    size_t size, plain_size;

    if (!fmc_embedded_prior().data)
        skip();
    plain.embed = 0;
    plain.model = NULL;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &plain, &other, &plain_size), FMC_OK);
    fmc_free(s->ctx, other);
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &s->p, &bytes, &size), FMC_OK);
    assert_int_equal(fmc_inspect(s->ctx, bytes, size, &info), FMC_OK);
    assert_int_equal(fmc_inspect_chunk(s->ctx, bytes, size, 0, &chunk), FMC_OK);
    assert_true(size < plain_size);
    assert_true(info.model == s->tuned->weights.hash && chunk.model == info.model);
    assert_true(info.model_base == fmc_embedded_prior().hash);
    assert_true(info.model_size > 0 && info.model_size < 200);
    check_reads(s, bytes, size, FMC_OK);
    s->p.n_threads = 1;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &s->p, &other, &plain_size), FMC_OK);
    assert_int_equal(plain_size, size);
    assert_memory_equal(other, bytes, size);
    fmc_free(s->ctx, other);
    fmc_free(s->ctx, bytes);
}

static void a_model_that_does_not_pay_is_left_out(void **state)
{
    scene *s = *state;
    fmc_info info = { .struct_size = sizeof info };
    fmc_params asked = s->p, plain = s->p;
    fmc_array few = s->a;
    void *with, *without;
    size_t size, plain_size;

    plain.embed = 0;
    plain.model = NULL;
    few.dim[0] = 8;
    for (uint32_t kind = FMC_BOUND_NRMSE; kind <= FMC_BOUND_SIZE; kind += 2) {
        asked.bound_kind = plain.bound_kind = kind;
        asked.bound = plain.bound = kind == FMC_BOUND_SIZE ? 1500 : 1e-3;
        assert_int_equal(fmc_compress_alloc(s->ctx, &few, &asked, &with, &size), FMC_OK);
        assert_int_equal(fmc_compress_alloc(s->ctx, &few, &plain, &without, &plain_size), FMC_OK);
        assert_int_equal(fmc_inspect(s->ctx, with, size, &info), FMC_OK);
        assert_true(info.model == 0 && info.model_size == 0);
        assert_int_equal(size, plain_size);
        assert_memory_equal(with, without, size);
        fmc_free(s->ctx, with);
        fmc_free(s->ctx, without);
    }
}

/* Chunks of all steps, from the writer. */
static store write_stream(scene *s, uint64_t n_steps)
{
    store mem = { 0 };
    const fmc_io io = store_io(&mem);
    fmc_array steps = s->a;
    fmc_writer *w;

    steps.dim[0] = n_steps;
    assert_int_equal(fmc_writer_open(s->ctx, &io, &s->a, &s->p, &w), FMC_OK);
    assert_int_equal(fmc_writer_append(w, &steps), FMC_OK);
    assert_int_equal(fmc_writer_close(w), FMC_OK);
    return mem;
}

static void a_writer_stores_it_first(void **state)
{
    scene *s = *state;
    store mem = write_stream(s, STEPS);
    fmc_info info = { .struct_size = sizeof info };
    store cut = { .data = mem.data, .size = mem.size * 3 / 4 };
    const fmc_io io = store_io(&cut);
    const uint64_t start[3] = { 0 };
    fmc_reader *r;
    fmc_array part;
    float *x;

    assert_int_equal(fmc_inspect(s->ctx, mem.data, mem.size, &info), FMC_OK);
    assert_true(info.model == s->tuned->weights.hash);
    check_reads(s, mem.data, mem.size, FMC_OK);
    assert_int_equal(fmc_reader_open(s->ctx, &io, &r), FMC_OK); /* cut off, it is there too */
    assert_int_equal(fmc_reader_info(r, &info), FMC_OK);
    assert_true(!info.is_complete && info.dim[0] >= 8 && info.model);
    x = make_f32(3, info.dim, &part);
    assert_int_equal(fmc_reader_read(r, start, info.dim, 0, 1, &part), FMC_OK);
    fmc_reader_close(r);
    free(x);
    free(mem.data);
}

/* The stream with another model in its header; the rest is as it was. */
static store with_model(const store *from, const fmc_header_model *m)
{
    const fmc_source source = fmc_source_memory(from->data, from->size);
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    fmc_stream stream;
    uint64_t first;
    store to = { 0 };

    assert_int_equal(fmc_stream_open(&fmc_system_allocator, &source, &stream), FMC_OK);
    first = stream.index.offset[0];
    stream.header.model = *m;
    stream.header.dim[0] = 0;
    fmc_header_write(&stream.header, &out);
    assert_int_equal(out.st, FMC_OK);
    assert_int_equal(store_write(&to, out.data, out.size), 0);
    assert_int_equal(store_write(&to, from->data + first, from->size - (size_t)first), 0);
    fmc_out_fini(&out);
    fmc_stream_fini(&fmc_system_allocator, &stream);
    return to;
}

static fmc_header_model model_in(const store *mem)
{
    const fmc_source source = fmc_source_memory(mem->data, mem->size);
    fmc_header_model m;
    fmc_stream stream;

    assert_int_equal(fmc_stream_open(&fmc_system_allocator, &source, &stream), FMC_OK);
    m = stream.header.model; /* borrows from mem */
    fmc_stream_fini(&fmc_system_allocator, &stream);
    return m;
}

static fmc_status decode_with(fmc_ctx *ctx, const store *from, const fmc_header_model *m)
{
    store mem = with_model(from, m);
    fmc_array a = { 0 };
    const fmc_status st = fmc_decompress_alloc(ctx, mem.data, mem.size, 1, &a);

    fmc_free(ctx, a.data);
    free(mem.data);
    return st;
}

static void bad_models_are_refused(void **state)
{
    scene *s = *state;
    store mem = write_stream(s, 8);
    fmc_header_model good = model_in(&mem), m = good;
    uint8_t *bytes = malloc(good.difference.size + 1);
    fmc_ctx *ctx;

    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_OK);
    m.size++;
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    m.size = FMC_HEADER_MODEL_MAX + 1;
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    m.size = FMC_HEADER_MODEL_MIN - 1;
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    m = good;
    m.hash ^= 1; /* that of no file */
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    m = good;
    m.base = 0;
    assert_int_equal(decode_with(ctx, &mem, &m), good.base ? FMC_ERR_CORRUPT : FMC_OK);
    for (size_t n = 0; n < good.difference.size; n += 1 + n / 60) {
        m = good;
        m.difference.size = n;
        assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    }
    m.difference = fmc_in_make(bytes, good.difference.size + 1);
    memcpy(bytes, good.difference.data, good.difference.size);
    bytes[good.difference.size] = 0;
    assert_int_equal(decode_with(ctx, &mem, &m), FMC_ERR_CORRUPT);
    m.difference.size--;
    for (size_t i = 0; i < m.difference.size; i += 1 + i / 60) {
        fmc_status st;

        bytes[i] ^= 0x5a;
        st = decode_with(ctx, &mem, &m); /* zstd ignores some bits; the model is the same then */
        assert_true(st == FMC_ERR_CORRUPT || st == FMC_OK);
        bytes[i] ^= 0x5a;
    }
    fmc_ctx_destroy(ctx);
    free(bytes);
    free(mem.data);
}

static void the_base_must_be_known(void **state)
{
    scene *s = *state;
    store mem = write_stream(s, 8), moved;
    fmc_header_model m = model_in(&mem);
    char text[17];
    fmc_ctx *ctx;
    fmc_array a;

    m.base = 0x0123456789abcdef;
    moved = with_model(&mem, &m);
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(ctx, moved.data, moved.size, 1, &a), FMC_ERR_MODEL_MISSING);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)m.base);
    assert_non_null(strstr(fmc_ctx_message(ctx), text));
    assert_int_equal(fmc_ctx_add_model(ctx, s->tuned), FMC_OK); /* the model itself does as well */
    assert_int_equal(fmc_decompress_alloc(ctx, moved.data, moved.size, 1, &a), FMC_OK);
    fmc_free(ctx, a.data);
    fmc_ctx_destroy(ctx);
    free(moved.data);
    free(mem.data);
}

/* Another file altogether, larger or smaller than the base, or without one. */
static void any_difference_comes_back(void **state)
{
    static const char *const name[] = { "tiny_prior", "klt", "faithful" };
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    const scene *s = *state;

    for (size_t i = 0; i < 6; i++) {
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        const fmc_model *base = i % 2 ? s->tuned : NULL;
        char path[1000];
        fmc_model *m, *back;

        snprintf(path, sizeof path, "%s/%s.fmcw", FMC_TEST_DATA, name[i / 2]);
        assert_int_equal(fmc_model_open_file(s->ctx, path, &m), FMC_OK);
        assert_int_equal(fmc_difference_write(&ex, m, base, &out), FMC_OK);
        assert_int_equal(fmc_difference_read(&ex, fmc_in_make(out.data, out.size), m->weights.hash, m->size, base, &back), FMC_OK);
        assert_int_equal(back->size, m->size);
        assert_memory_equal(back->bytes, m->bytes, m->size);
        fmc_model_free(back);
        assert_int_equal(fmc_difference_write(&ex, s->tuned, m, &out), FMC_OK);
        fmc_out_fini(&out);
        fmc_model_close(m);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    scene *s = *state;
    fmc_params p = s->p;
    void *bytes;
    size_t size;

    p.model = NULL;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &p, &bytes, &size), FMC_ERR_ARG);
    p.model = s->tuned;
    p.no_model = 1;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &p, &bytes, &size), FMC_ERR_ARG);
    p.no_model = 0;
    p.embed = 2;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &p, &bytes, &size), FMC_ERR_ARG);
    p.embed = 1;
    p.reserved = 1;
    assert_int_equal(fmc_compress_alloc(s->ctx, &s->a, &p, &bytes, &size), FMC_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_model_that_pays_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_that_does_not_pay_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_stores_it_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_models_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_base_must_be_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_difference_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
