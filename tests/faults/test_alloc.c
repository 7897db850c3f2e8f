/* SPDX-License-Identifier: Apache-2.0 */
/* Fail all allocations from the n-th on, or it alone, for every n (or every seventh): FMC_ERR_NO_MEMORY or none the worse, nothing leaks or crashes. */
#include "../unit/api_util.h"
#include "../unit/tuned.h"

static const uint64_t dim[3] = { 9, 10, 11 };
enum { N = 990 };

/* One piece of work on a context, which may keep the models that are built in until it is destroyed. */
typedef fmc_status (*work_fn)(fmc_ctx *ctx, void *user);

static counter *counting; /* for work that needs a second context */

/* A single failure may be overcome: whoever asked for more than it needs asks again. @return 0: nothing was left to fail. */
static int fail_once(work_fn work, void *user, uint64_t n, int is_for_good)
{
    counter c = { .fail_on = is_for_good };
    fmc_ctx *ctx = counted_ctx(&c);
    fmc_status st;

    assert_non_null(ctx);
    counting = &c;
    c.fail_at = c.n_requests + n;
    st = work(ctx, user);
    fmc_ctx_destroy(ctx);
    assert_int_equal(c.n_live, 0);
    if (c.n_requests < c.fail_at) {
        assert_int_equal(st, FMC_OK);
        return 0;
    }
    if (is_for_good || st != FMC_OK)
        assert_int_equal(st, FMC_ERR_NO_MEMORY);
    return 1;
}

static void fail_everywhere(work_fn work, void *user)
{
    for (int is_for_good = 0; is_for_good < 2; is_for_good++) {
        uint64_t n = 1;

        while (fail_once(work, user, n, is_for_good))
            n += is_for_good ? 7 : 1; /* it alone is the harder case */
        assert_true(n > 1);
    }
}

static fmc_params params_of(uint32_t kind, double bound)
{
    fmc_params p;

    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.bound_kind = kind;
    p.bound = bound;
    p.n_threads = 1;
    p.chunk[0] = 5;
    return p;
}

static fmc_status compress_it(fmc_ctx *ctx, void *user)
{
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    void *bytes;
    size_t size;
    const fmc_status st = fmc_compress_alloc(ctx, &a, user, &bytes, &size);

    assert_true((st == FMC_OK) == (bytes != NULL));
    fmc_free(ctx, bytes);
    free(x);
    return st;
}

static void compress_survives(void **state)
{
    fmc_params cases[] = { params_of(FMC_BOUND_LOSSLESS, 0), params_of(FMC_BOUND_REL, 1e-3),
                           params_of(FMC_BOUND_NRMSE, 1e-2), params_of(FMC_BOUND_PW_REL, 1e-2) };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fail_everywhere(compress_it, &cases[i]);
}

static void patches_survive(void **state)
{
    fmc_params cases[] = { params_of(FMC_BOUND_REL, 1e-3), params_of(FMC_BOUND_NRMSE, 1e-2) };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cases[i].coder = FMC_CODER_PCA;
        fail_everywhere(compress_it, &cases[i]);
    }
}

/* A stream that needs a model, and the model. */
typedef struct learned {
    const fmc_model *model;
    void            *bytes;
    size_t           size;
} learned;

static fmc_status decode_learned(fmc_ctx *unused, void *user)
{
    const learned *l = user;
    fmc_ctx *ctx = counted_ctx(counting);
    fmc_array a;
    fmc_status st = FMC_ERR_NO_MEMORY;

    (void)unused;
    if (ctx) {
        st = fmc_ctx_add_model(ctx, l->model);
        if (st == FMC_OK)
            st = fmc_decompress_alloc(ctx, l->bytes, l->size, 1, &a);
        if (st == FMC_OK)
            fmc_free(ctx, a.data);
    }
    fmc_ctx_destroy(ctx);
    return st;
}

static void a_learned_stream_survives(void **state)
{
    fmc_params p = params_of(FMC_BOUND_REL, 1e-2);
    learned l = { 0 };
    fmc_model *model;
    fmc_ctx *ctx;
    fmc_array a;
    float *x = make_f32(3, dim, &a);

    (void)state;
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_DATA "/klt.fmcw", &model), FMC_OK);
    p.model = l.model = model;
    p.coder = FMC_CODER_VAE;
    fail_everywhere(compress_it, &p);
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &l.bytes, &l.size), FMC_OK);
    fail_everywhere(decode_learned, &l);
    fmc_free(ctx, l.bytes);
    fmc_ctx_destroy(ctx);
    fmc_model_close(model);
    free(x);
}

/* Bytes of a stream made without failures. */
static store good_stream(uint32_t coder)
{
    fmc_params p = params_of(FMC_BOUND_REL, 1e-3);
    store s = { 0 };
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    fmc_ctx *ctx;
    void *bytes;
    size_t size;

    p.coder = coder;
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    assert_int_equal(store_write(&s, bytes, size), 0);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
    free(x);
    return s;
}

static fmc_status decompress_it(fmc_ctx *ctx, void *user)
{
    const store *s = user;
    fmc_array out;
    const fmc_status st = fmc_decompress_alloc(ctx, s->data, s->size, 1, &out);

    fmc_free(ctx, out.data);
    return st;
}

static void decompress_survives(void **state)
{
    static const uint32_t coder[] = { FMC_CODER_AUTO, FMC_CODER_PCA };

    (void)state;
    for (size_t i = 0; i < sizeof coder / sizeof *coder; i++) {
        store s = good_stream(coder[i]);

        fail_everywhere(decompress_it, &s);
        free(s.data);
    }
}

static fmc_status read_it(fmc_ctx *ctx, void *user)
{
    const uint64_t start[3] = { 1, 2, 3 }, count[3] = { 7, 5, 6 }, coarse[3] = { 4, 3, 3 };
    const fmc_io io = store_io(user);
    float x[210];
    fmc_array out;
    fmc_reader *r;
    fmc_status st = fmc_reader_open(ctx, &io, &r);

    if (st != FMC_OK)
        return st;
    fmc_array_init(&out, FMC_F32, 3, count, x);
    st = fmc_reader_read(r, start, count, 0, 1, &out);
    if (st == FMC_OK) {
        fmc_array_init(&out, FMC_F32, 3, coarse, x);
        out.dim[0] = 3; /* 2, 4, 6 of 1..7 */
        out.dim[1] = 3;
        out.dim[2] = 3;
        st = fmc_reader_read(r, start, count, 1, 1, &out);
    }
    fmc_reader_close(r);
    return st;
}

static void reader_survives(void **state)
{
    store s = good_stream(FMC_CODER_AUTO);

    (void)state;
    fail_everywhere(read_it, &s);
    s.size -= 13; /* cut off: the index is found by reading records */
    fail_everywhere(read_it, &s);
    free(s.data);
}

static fmc_status write_it(fmc_ctx *ctx, void *user)
{
    const fmc_params plain = params_of(FMC_BOUND_REL, 1e-3), *p = user ? user : &plain;
    store s = { 0 };
    const fmc_io io = store_io(&s);
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    fmc_writer *w;
    fmc_status st = fmc_writer_open(ctx, &io, &a, p, &w), end;

    if (st == FMC_OK) {
        st = fmc_writer_append(w, &a);
        if (st == FMC_OK)
            st = fmc_writer_flush(w);
        end = fmc_writer_close(w);
        st = st == FMC_OK ? end : st;
    }
    free(s.data);
    free(x);
    return st;
}

static void writer_survives(void **state)
{
    (void)state;
    fail_everywhere(write_it, NULL);
}

/* Writing it always, trying it, reading it. */
static void a_stream_with_its_model_survives(void **state)
{
    fmc_params p = params_of(FMC_BOUND_REL, 1e-2);
    store s = { .data = malloc(1 << 16) };
    FILE *f = fopen(FMC_TEST_DATA "/../../golden/streams/prior_embed.fmc", "rb");
    size_t size;
    uint8_t *bytes = tuned_read(FMC_TEST_DATA "/../../../weights/prior.fmcw", &size);
    fmc_model *model;
    fmc_ctx *ctx;

    (void)state;
    assert_true(f && bytes && s.data);
    s.size = fread(s.data, 1, 1 << 16, f);
    fclose(f);
    fail_everywhere(decompress_it, &s);
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_model_open_buffer(ctx, bytes, size, &model), FMC_OK);
    p.model = model;
    p.embed = 1;
    p.coder = FMC_CODER_TRANSFORM;
    fail_everywhere(write_it, &p);
    p.chunk[0] = 0;
    fail_everywhere(compress_it, &p);
    fmc_ctx_destroy(ctx);
    fmc_model_close(model);
    free(s.data);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compress_survives), cmocka_unit_test(patches_survive), cmocka_unit_test(a_learned_stream_survives),
        cmocka_unit_test(decompress_survives),
        cmocka_unit_test(reader_survives),
        cmocka_unit_test(writer_survives),
        cmocka_unit_test(a_stream_with_its_model_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
