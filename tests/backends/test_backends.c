/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loadable backends (docs/backends.md): which are refused, and that all that are not give the same bits.
 *   test_backends        all tests, with every backend that can be used here
 *   test_backends NAME   the tests of backend NAME against the own kernels; 77 if it cannot be used (1 with FMC_TEST_REQUIRED)
 */
#include "model_data.h"

#include <dlfcn.h>
#include <math.h>
#include <stdatomic.h>
#include <fmc/backend.h>
#include "api/context.h"
#include "ops/backend.h"

enum { MAX_BACKENDS = 16 };

typedef struct backend_list {
    char name[MAX_BACKENDS][32];
    uint32_t n;
} backend_list;

static const char *only; /* from the command line */

static int is_of_tests(const char *name)
{
    static const char *const names[] = { "dummy", "lying", "failing", "shut", "old", "mute" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name))
            return 1;
    return 0;
}

static fmc_ctx *make_context(const char *name)
{
    const fmc_ctx_options o = { .struct_size = sizeof o, .backend = name };
    fmc_ctx *ctx;

    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_OK);
    return ctx;
}

static fmc_backend_info describe(fmc_ctx *ctx, uint32_t i)
{
    fmc_backend_info info = { .struct_size = sizeof info };

    assert_int_equal(fmc_backend_describe(ctx, i, &info), FMC_OK);
    return info;
}

/* The usable ones of which `only` allows; always "ref" and "cpu" first. */
static backend_list usable(void)
{
    backend_list list = { .n = 0 };
    fmc_ctx *ctx = make_context("cpu");
    uint32_t n;

    assert_int_equal(fmc_backend_count(ctx, &n), FMC_OK);
    for (uint32_t i = 0; i < n; i++) {
        const fmc_backend_info info = describe(ctx, i);
        const int is_wanted = i < 2 || (only ? !strcmp(only, info.name) : strcmp(info.name, "failing") != 0);

        if (is_wanted && (info.is_usable || i < 2) && list.n < MAX_BACKENDS)
            memcpy(list.name[list.n++], info.name, sizeof info.name);
    }
    fmc_ctx_destroy(ctx);
    return list;
}

/* -------------------------------------------------------------------------------------------------- the same bits -- */

static const char *const models[] = { "faithful", "klt", "shipped" };
enum { N_MODELS = sizeof models / sizeof *models };

static fmc_model *load(const char *name)
{
    fmc_model *m;
    fmc_ctx *ctx;

    if (strcmp(name, "shipped"))
        return load_model(name);
    ctx = make_context("cpu");
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_WEIGHTS, &m), FMC_OK);
    /* memory is malloc's, so that the context need not live */
    m->alloc = fmc_system_allocator;
    fmc_ctx_destroy(ctx);
    return m;
}

typedef struct field {
    fmc_vae_shape shape;
    size_t count;
    float *x, *y, *z;
    int32_t *qz, *qy, *mu, *value;
    uint8_t *index;
} field;

static field make_field(const fmc_model *m, const uint32_t dim[3])
{
    field f = { .count = (size_t)dim[0] * dim[1] * dim[2] };
    uint32_t seed = 7;

    assert_int_equal(fmc_vae_shape_make(m, dim, &f.shape), FMC_OK);
    f.x = malloc(f.count * sizeof *f.x);
    f.y = malloc(f.shape.n_latents * sizeof *f.y);
    f.z = malloc(f.shape.n_hyper * sizeof *f.z);
    f.qz = malloc(f.shape.n_hyper * sizeof *f.qz);
    f.qy = malloc(f.shape.n_latents * sizeof *f.qy);
    f.mu = malloc(f.shape.n_latents * sizeof *f.mu);
    f.value = malloc(f.count * sizeof *f.value);
    f.index = malloc(f.shape.n_latents);
    for (size_t i = 0; i < f.count; i++) {
        seed = seed * 1664525u + 1013904223u;
        f.x[i] = (float)((int32_t)(i % dim[2]) - (int32_t)(i / dim[2] % dim[1])) * 0.03F + (float)(seed >> 24) * 0.004F - 0.5F;
    }
    return f;
}

static void free_field(field *f)
{
    free(f->x);
    free(f->y);
    free(f->z);
    free(f->qz);
    free(f->qy);
    free(f->mu);
    free(f->value);
    free(f->index);
}

static void encode(const char *backend, const fmc_model *m, uint32_t level, field *f, fmc_out *out)
{
    fmc_ctx *ctx = make_context(backend);
    const fmc_exec ex = fmc_ctx_enter(ctx, 2);

    assert_int_equal(fmc_vae_analyse(&ex, m, &f->shape, f->x, f->y, f->z), FMC_OK);
    assert_int_equal(fmc_vae_quantise(&ex, m, level, &f->shape, f->y, f->z, f->qz, f->qy, f->mu, f->index), FMC_OK);
    assert_int_equal(fmc_vae_write(&ex, m, level, &f->shape, f->qz, f->qy, f->index, out), FMC_OK);
    assert_int_equal(fmc_ctx_leave(ctx, FMC_OK), FMC_OK);
    fmc_ctx_destroy(ctx);
}

static void decode(const char *backend, uint32_t n_threads, const fmc_model *m, uint32_t level, field *f, const fmc_out *stream)
{
    fmc_ctx *ctx = make_context(backend);
    const fmc_exec ex = fmc_ctx_enter(ctx, n_threads);

    for (int run = 0; run < 2; run++) { /* the second time with prepared convolutions */
        fmc_in in = fmc_in_make(stream->data, stream->size);

        memset(f->value, 0x5a, f->count * sizeof *f->value);
        assert_int_equal(fmc_vae_read(&ex, m, level, &f->shape, &in, f->value), FMC_OK);
    }
    assert_int_equal(fmc_ctx_leave(ctx, FMC_OK), FMC_OK);
    fmc_ctx_destroy(ctx);
}

static void streams_of_every_backend_decode_alike_on_every_other(void **state)
{
    static const uint32_t dim[3] = { 6, 20, 34 };
    const backend_list list = usable();

    (void)state;
    for (int k = 0; k < N_MODELS; k++) {
        fmc_model *m = load(models[k]);
        field f = make_field(m, dim);
        int32_t *want = malloc(f.count * sizeof *want);

        for (uint32_t a = 0; a < list.n; a++) {
            fmc_out stream = fmc_out_make(&fmc_system_allocator);

            encode(list.name[a], m, 1, &f, &stream);
            decode("cpu", 1, m, 1, &f, &stream);
            memcpy(want, f.value, f.count * sizeof *want);
            for (uint32_t b = 0; b < list.n; b++) {
                decode(list.name[b], 1 + b % 3, m, 1, &f, &stream);
                assert_memory_equal(want, f.value, f.count * sizeof *want);
            }
            print_message("%s: %zu bytes encoded with %s decode alike on %u backends\n", models[k], stream.size, list.name[a],
                          (unsigned)list.n);
            fmc_out_fini(&stream);
        }
        free(want);
        free_field(&f);
        fmc_model_free(m);
    }
}

/* ------------------------------------------------------------------------------------------------- whole streams -- */

enum { STREAM_T = 8, STREAM_Y = 40, STREAM_X = 56, STREAM_N = STREAM_T * STREAM_Y * STREAM_X };

static fmc_array stream_array(float *data)
{
    static const uint64_t dim[] = { STREAM_T, STREAM_Y, STREAM_X };
    fmc_array a;

    fmc_array_init(&a, FMC_F32, 3, dim, data);
    return a;
}

/* Through the public interface, with the shipped model and transforms above it. */
static void *compress_on(const char *backend, uint32_t n_threads, size_t *size)
{
    fmc_ctx *ctx = make_context(backend);
    fmc_model *model;
    fmc_params p;
    float *x = malloc(STREAM_N * sizeof *x);
    const fmc_array a = stream_array(x);
    void *bytes, *copy;

    for (size_t i = 0; i < STREAM_N; i++)
        x[i] = sinf((float)(i % STREAM_X) * 0.2F) * cosf((float)(i / STREAM_X % STREAM_Y) * 0.15F + (float)(i / STREAM_X / STREAM_Y) * 0.1F) +
               (float)(i * 2654435761u % 1000) * 1e-5F;
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_WEIGHTS, &model), FMC_OK);
    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.bound_kind = FMC_BOUND_NRMSE;
    p.bound = 1e-2;
    p.coder = FMC_CODER_VAE | FMC_CODER_TRANSFORM;
    p.n_threads = n_threads;
    p.model = model;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, size), FMC_OK);
    copy = malloc(*size);
    memcpy(copy, bytes, *size);
    fmc_free(ctx, bytes);
    fmc_model_close(model);
    fmc_ctx_destroy(ctx);
    free(x);
    return copy;
}

static fmc_status decompress_on(const char *backend, uint32_t n_threads, const void *bytes, size_t size, float *out)
{
    fmc_ctx *ctx = make_context(backend);
    const fmc_array a = stream_array(out);
    fmc_model *model;
    fmc_status st;

    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_WEIGHTS, &model), FMC_OK);
    assert_int_equal(fmc_ctx_add_model(ctx, model), FMC_OK);
    memset(out, 0x5a, STREAM_N * sizeof *out);
    st = fmc_decompress(ctx, bytes, size, n_threads, &a);
    if (st != FMC_OK) {
        print_message("%s\n", fmc_ctx_message(ctx));
        assert_non_null(strstr(fmc_ctx_message(ctx), backend));
    }
    fmc_ctx_destroy(ctx);
    fmc_model_close(model);
    return st;
}

static void files_of_every_backend_decompress_alike_on_every_other(void **state)
{
    const backend_list list = usable();
    float *want = malloc(STREAM_N * sizeof *want), *got = malloc(STREAM_N * sizeof *got);

    (void)state;
    for (uint32_t a = 0; a < list.n; a++) {
        fmc_chunk_info info = { .struct_size = sizeof info };
        size_t size;
        void *bytes = compress_on(list.name[a], 1 + a % 2, &size);
        fmc_ctx *ctx = make_context("cpu");

        assert_int_equal(fmc_inspect_chunk(ctx, bytes, size, 0, &info), FMC_OK);
        assert_true(info.model != 0); /* the network is in it */
        fmc_ctx_destroy(ctx);
        assert_int_equal(decompress_on("cpu", 1, bytes, size, want), FMC_OK);
        for (uint32_t b = 0; b < list.n; b++) {
            assert_int_equal(decompress_on(list.name[b], 1 + b % 2, bytes, size, got), FMC_OK);
            assert_memory_equal(want, got, STREAM_N * sizeof *got);
        }
        print_message("%zu bytes compressed with %s decompress alike on %u backends\n", size, list.name[a], (unsigned)list.n);
        free(bytes);
    }
    free(want);
    free(got);
}

/* A whole call says why, and streams without networks need no backend. */
static void calls_tell_why_a_backend_is_refused(void **state)
{
    size_t size;
    void *bytes = compress_on("cpu", 1, &size);
    float *out = malloc(STREAM_N * sizeof *out);
    fmc_ctx *ctx = make_context("lying");
    fmc_array a = stream_array(out);
    fmc_params p;
    void *plain;
    size_t plain_size;

    (void)state;
    assert_int_equal(decompress_on("lying", 2, bytes, size, out), FMC_ERR_BACKEND_UNAVAILABLE);
    assert_int_equal(decompress_on("failing", 2, bytes, size, out), FMC_ERR_BACKEND_FAILED);
    memset(out, 0, STREAM_N * sizeof *out);
    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.coder = FMC_CODER_TRANSFORM;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &plain, &plain_size), FMC_OK);
    assert_int_equal(fmc_decompress(ctx, plain, plain_size, 1, &a), FMC_OK);
    fmc_free(ctx, plain);
    fmc_ctx_destroy(ctx);
    free(bytes);
    free(out);
}

/* The vectors that the training code wrote. */
static void vectors_come_out_of_every_backend(void **state)
{
    const backend_list list = usable();

    (void)state;
    for (int k = 0; k < N_MODELS - 1; k++)
        for (uint32_t b = 0; b < list.n; b++) {
            fmc_ctx *ctx = make_context(list.name[b]);
            const fmc_exec ex = fmc_ctx_enter(ctx, 2);
            fmc_model *m = load_model(models[k]);
            const file_bytes file = load_file(models[k], ".fmcv");
            fmc_in in = fmc_in_make(file.data, file.size);
            uint32_t n;

            (void)fmc_in_u32(&in);
            n = fmc_in_u32(&in);
            (void)fmc_in_u64(&in);
            while (n--) {
                vector_case c = read_case(m, &in);
                int32_t *got = malloc(c.shape.n_padded * sizeof *got);

                assert_int_equal(fmc_vae_synthesise(&ex, m, c.level, &c.shape, c.qy, c.mu, got), FMC_OK);
                assert_memory_equal(got, c.field, c.shape.n_padded * sizeof *got);
                free(got);
                free_case(&c);
            }
            fmc_model_free(m);
            free(file.data);
            assert_int_equal(fmc_ctx_leave(ctx, FMC_OK), FMC_OK);
            fmc_ctx_destroy(ctx);
        }
}

/* ------------------------------------------------------------------------------------------- choice and refusal -- */

/* What running a network on this backend comes to, and the message. */
static fmc_status run_on(fmc_ctx *ctx)
{
    static const uint32_t dim[3] = { 4, 16, 16 };
    const fmc_exec ex = fmc_ctx_enter(ctx, 1);
    fmc_model *m = load_model("klt");
    field f = make_field(m, dim);
    const fmc_status st = fmc_ctx_leave(ctx, fmc_vae_analyse(&ex, m, &f.shape, f.x, f.y, f.z));

    free_field(&f);
    fmc_model_free(m);
    return st;
}

static void assert_refused(const char *name, const char *why)
{
    fmc_ctx *ctx = make_context(name);
    uint32_t n;

    for (int i = 0; i < 2; i++) { /* it stays refused */
        assert_int_equal(run_on(ctx), FMC_ERR_BACKEND_UNAVAILABLE);
        print_message("%s\n", fmc_ctx_message(ctx));
        assert_non_null(strstr(fmc_ctx_message(ctx), name));
        assert_non_null(strstr(fmc_ctx_message(ctx), why));
    }
    assert_int_equal(fmc_backend_count(ctx, &n), FMC_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_false(describe(ctx, i).is_chosen);
    fmc_ctx_destroy(ctx);
}

static void what_computes_wrongly_is_refused(void **state)
{
    (void)state;
    assert_refused("lying", "self-test: wrong sums");
}

static void what_is_no_module_is_refused(void **state)
{
    (void)state;
    assert_refused("old", "version 0 of the interface");
    assert_refused("mute", "fmc_backend_get");
    assert_refused("shut", "closed today");
    assert_refused("absent", "there is no backend");
}

static void a_failure_in_the_middle_is_told(void **state)
{
    fmc_ctx *ctx = make_context("failing");

    (void)state;
    assert_int_equal(run_on(ctx), FMC_ERR_BACKEND_FAILED);
    assert_true(fmc_ctx_message(ctx)[0]);
    fmc_ctx_destroy(ctx);
}

/* A module that the library has never heard of, found by its folder and called. */
static void a_new_module_needs_no_change_of_the_library(void **state)
{
    fmc_ctx *ctx = make_context("dummy");
    uint32_t n, seen = 0;

    (void)state;
    assert_int_equal(run_on(ctx), FMC_OK);
    assert_int_equal(fmc_backend_count(ctx, &n), FMC_OK);
    for (uint32_t i = 0; i < n; i++) {
        const fmc_backend_info info = describe(ctx, i);

        assert_int_equal(info.is_chosen, !strcmp(info.name, "dummy"));
        if (info.is_chosen) {
            void *library = dlopen(info.path, RTLD_NOW | RTLD_NOLOAD);
            atomic_int *calls;

            assert_non_null(library);
            calls = (atomic_int *)dlsym(library, "fmc_test_calls");
            assert_non_null(calls);
            assert_true(atomic_load(calls) > 20); /* more than the self-test's */
            assert_string_equal(info.version, "dummy of the tests");
            dlclose(library);
            seen = 1;
        }
    }
    assert_true(seen);
    fmc_ctx_destroy(ctx);
}

static void own_kernels_are_chosen_where_there_are_any(void **state)
{
    fmc_ctx *ctx = make_context("auto");
    uint32_t n;

    (void)state;
    assert_int_equal(fmc_backend_count(ctx, &n), FMC_OK);
    assert_true(n >= 2);
    if (fmc_kernels_has_fast()) {
        const uint32_t own = strcmp(ctx->kernels->name, "ref") != 0; /* FMC_SIMD may ask for ref */

        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(describe(ctx, i).is_chosen, i == own);
    }
    assert_int_equal(run_on(ctx), FMC_OK);
    fmc_ctx_destroy(ctx);
    ctx = make_context("ref");
    assert_string_equal(ctx->kernels->name, "ref");
    assert_true(describe(ctx, 0).is_chosen);
    fmc_ctx_destroy(ctx);
}

static void the_environment_is_read_when_a_context_is_created(void **state)
{
    fmc_ctx *ctx;

    (void)state;
    assert_int_equal(setenv("FMC_BACKEND", "lying", 1), 0);
    ctx = make_context(NULL);
    assert_int_equal(setenv("FMC_BACKEND", "../x", 1), 0);
    assert_int_equal(run_on(ctx), FMC_ERR_BACKEND_UNAVAILABLE);
    assert_non_null(strstr(fmc_ctx_message(ctx), "lying"));
    fmc_ctx_destroy(ctx);
    ctx = make_context(NULL);
    assert_int_equal(run_on(ctx), FMC_ERR_BACKEND_UNAVAILABLE);
    assert_non_null(strstr(fmc_ctx_message(ctx), "cannot be called"));
    fmc_ctx_destroy(ctx);
    ctx = make_context("cpu"); /* the caller's word counts more */
    assert_int_equal(run_on(ctx), FMC_OK);
    fmc_ctx_destroy(ctx);
    assert_int_equal(unsetenv("FMC_BACKEND"), 0);
}

static void bad_arguments_are_refused(void **state)
{
    static const char *const names[] = { "../x", "a/b", "UPPER", "a b", "0123456789012345678901234567890123456789" };
    fmc_backend_info info = { .struct_size = sizeof info };
    fmc_ctx *ctx = make_context("cpu");
    uint32_t n;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const fmc_ctx_options o = { .struct_size = sizeof o, .backend = names[i] };
        fmc_ctx *none;

        assert_int_equal(fmc_ctx_create(&o, &none), FMC_ERR_ARG);
        assert_null(none);
    }
    assert_int_equal(fmc_backend_count(NULL, &n), FMC_ERR_ARG);
    assert_int_equal(fmc_backend_count(ctx, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_backend_count(ctx, &n), FMC_OK);
    assert_int_equal(fmc_backend_describe(ctx, n, &info), FMC_ERR_ARG);
    assert_int_equal(fmc_backend_describe(ctx, 0, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_backend_describe(NULL, 0, &info), FMC_ERR_ARG);
    info.struct_size = 8;
    assert_int_equal(fmc_backend_describe(ctx, 0, &info), FMC_ERR_ARG);
    fmc_ctx_destroy(ctx);
}

/* ------------------------------------------------------------------------------------------------------ resources -- */

static void every_failed_allocation_is_told(void **state)
{
    static const uint32_t dim[3] = { 4, 16, 16 };
    fmc_model *m = load_model("klt");
    field f = make_field(m, dim);
    fmc_status st = FMC_ERR_NO_MEMORY;

    (void)state;
    for (int64_t n = 0; st != FMC_OK; n += n < 20 ? 1 : 7) {
        failing a = { { NULL, failing_alloc, failing_free }, n, 0 };
        fmc_ctx_options o = { .struct_size = sizeof o, .backend = "dummy" };
        fmc_ctx *ctx;

        a.alloc.user = &a;
        o.allocator = a.alloc;
        st = fmc_ctx_create(&o, &ctx);
        if (st == FMC_OK) {
            const fmc_exec ex = fmc_ctx_enter(ctx, 1);

            st = fmc_ctx_leave(ctx, fmc_vae_analyse(&ex, m, &f.shape, f.x, f.y, f.z));
        }
        assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
        fmc_ctx_destroy(ctx);
        assert_int_equal(a.live, 0);
    }
    free_field(&f);
    fmc_model_free(m);
}

/* Thousands of models through one context: prepared convolutions are forgotten, but not those in use. */
static void prepared_convolutions_have_a_limit(void **state)
{
    fmc_ctx *ctx = make_context("dummy");
    const float one = 1;
    fmc_remote_entry *kept = NULL;
    const fmc_remote *remote;

    (void)state;
    assert_int_equal(fmc_backends_get(&ctx->backends, &remote), FMC_OK);
    for (uint32_t i = 0; i < 5000; i++) {
        const float weight = (float)i;
        fmc_backend_conv c = { .struct_size = sizeof c, .in_channels = 1, .out_channels = 1, .groups = 1,
                               .kernel = { 1, 1, 1 }, .stride = { 1, 1, 1 }, .weight = &weight, .bias = &one };
        fmc_remote_key key = { .weight = &weight, .weight_size = 4, .bias = &one, .bias_size = 4 };
        fmc_remote_entry *e;

        key.conv = c;
        assert_null(fmc_backends_find(&ctx->backends, &key));
        assert_int_equal(fmc_backends_add(&ctx->backends, &key, &c, &e), FMC_OK);
        assert_true(ctx->backends.n_entries <= 1024);
        if (i == 0)
            kept = e;
        else
            fmc_backends_put(&ctx->backends, e);
    }
    {
        const float weight = 0;
        fmc_remote_key key = { .weight = &weight, .weight_size = 4, .bias = &one, .bias_size = 4 };

        key.conv = (fmc_backend_conv){ .struct_size = sizeof key.conv, .in_channels = 1, .out_channels = 1, .groups = 1,
                                       .kernel = { 1, 1, 1 }, .stride = { 1, 1, 1 } };
        assert_ptr_equal(fmc_backends_find(&ctx->backends, &key), kept);
    }
    fmc_ctx_destroy(ctx);
}

/* The reason if backend `only` cannot be used, NULL if it can. */
static const char *reason(void)
{
    static char text[256];
    fmc_ctx *ctx = NULL;
    uint32_t n = 0;

    snprintf(text, sizeof text, "it is not built: its library was not found");
    if (fmc_ctx_create(NULL, &ctx) == FMC_OK && fmc_backend_count(ctx, &n) == FMC_OK)
        for (uint32_t i = 0; i < n; i++) {
            fmc_backend_info info = { .struct_size = sizeof info };

            if (fmc_backend_describe(ctx, i, &info) == FMC_OK && !strcmp(info.name, only))
                snprintf(text, sizeof text, "%s", info.why);
        }
    fmc_ctx_destroy(ctx);
    return text[0] ? text : NULL;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest same[] = {
        cmocka_unit_test(streams_of_every_backend_decode_alike_on_every_other),
        cmocka_unit_test(vectors_come_out_of_every_backend),
        cmocka_unit_test(files_of_every_backend_decompress_alike_on_every_other),
    };
    const struct CMUnitTest all[] = {
        cmocka_unit_test(streams_of_every_backend_decode_alike_on_every_other),
        cmocka_unit_test(vectors_come_out_of_every_backend),
        cmocka_unit_test(files_of_every_backend_decompress_alike_on_every_other),
        cmocka_unit_test(calls_tell_why_a_backend_is_refused),
        cmocka_unit_test(what_computes_wrongly_is_refused),
        cmocka_unit_test(what_is_no_module_is_refused),
        cmocka_unit_test(a_failure_in_the_middle_is_told),
        cmocka_unit_test(a_new_module_needs_no_change_of_the_library),
        cmocka_unit_test(own_kernels_are_chosen_where_there_are_any),
        cmocka_unit_test(the_environment_is_read_when_a_context_is_created),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(prepared_convolutions_have_a_limit),
    };
    const char *why;

    if (argc < 2)
        return cmocka_run_group_tests(all, NULL, NULL);
    only = argv[1];
    why = reason();
    if (!is_of_tests(only) && why) {
        printf("SKIP %s: %s\n", only, why);
        return getenv("FMC_TEST_REQUIRED") ? 1 : 77;
    }
    return cmocka_run_group_tests(same, NULL, NULL);
}
