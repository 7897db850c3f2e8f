/* SPDX-License-Identifier: Apache-2.0 */
/* A model's prediction below the lossy coders, through the public API. */
#include "api_util.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/embedded.h"

static const char *model_path(const char *name)
{
    static char path[1024];

    snprintf(path, sizeof path, "%s/%s.fmcw", FMC_TEST_DATA, name);
    return path;
}

static fmc_ctx *make_ctx(const fmc_allocator *alloc)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    fmc_ctx *ctx;

    if (alloc)
        o.allocator = *alloc;
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_OK);
    return ctx;
}

static fmc_model *open_model(fmc_ctx *ctx, const char *name)
{
    fmc_model *m;

    assert_int_equal(fmc_model_open_file(ctx, model_path(name), &m), FMC_OK);
    return m;
}

static fmc_params params_for(const fmc_model *m, uint32_t kind, double bound)
{
    fmc_params p;

    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.bound_kind = kind;
    p.bound = bound;
    p.coder = FMC_CODER_VAE;
    p.n_threads = 1;
    p.model = m;
    return p;
}

/* Waves with a little noise; some missing where asked. */
static float *make_waves(uint32_t rank, const uint64_t *dim, int missing, fmc_array *a)
{
    const size_t n = (size_t)count_of(rank, dim), width = (size_t)dim[rank - 1];
    float *x = make_f32(rank, dim, a);

    for (size_t i = 0; i < n; i++) {
        x[i] = 40 + 9 * sinf((float)(i % width) * 0.21f) * cosf((float)(i / width) * 0.17f) + 0.01f * x[i];
        if (missing && i % 11 == 3)
            x[i] = NAN;
    }
    return x;
}

/* The bound over samples that are numbers; those that are not come back. */
static int keeps(const fmc_params *p, const float *x, const float *y, size_t n)
{
    double low = INFINITY, high = -INFINITY, square = 0, worst = 0, worst_relative = 0;
    size_t valid = 0;

    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)y[i] - (double)x[i]);

        if (isnan(x[i]) != isnan(y[i]))
            return 0;
        if (isnan(x[i]))
            continue;
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
        square += e * e;
        worst = fmax(worst, e);
        worst_relative = fmax(worst_relative, e / fabs((double)x[i]));
        valid++;
    }
    switch (p->bound_kind) {
    case FMC_BOUND_ABS: return worst <= p->bound;
    case FMC_BOUND_REL: return worst <= p->bound * (high - low);
    case FMC_BOUND_PW_REL: return worst_relative <= p->bound;
    case FMC_BOUND_NRMSE: return sqrt(square / (double)valid) <= p->bound * (high - low);
    default: return 20 * log10((high - low) / sqrt(square / (double)valid)) >= p->bound;
    }
}

/* Compress with the model, decompress in a context of its own on three threads. @return bytes. */
static size_t goes_through(const fmc_model *m, const fmc_params *p, uint32_t rank, const uint64_t *dim, int missing)
{
    fmc_ctx *ctx = make_ctx(NULL), *other = make_ctx(NULL);
    fmc_chunk_info info = { .struct_size = sizeof info };
    fmc_array a, back;
    float *x = make_waves(rank, dim, missing, &a);
    void *bytes;
    size_t size;

    assert_int_equal(fmc_compress_alloc(ctx, &a, p, &bytes, &size), FMC_OK);
    assert_int_equal(fmc_ctx_add_model(other, m), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(other, bytes, size, 3, &back), FMC_OK);
    assert_true(keeps(p, x, back.data, (size_t)count_of(rank, dim)));
    assert_int_equal(fmc_inspect_chunk(other, bytes, size, 0, &info), FMC_OK);
    assert_true(info.coder == FMC_CODER_EXACT || (info.model != 0 && !strncmp(info.detail, "vae L", 5)));
    fmc_free(other, back.data);
    fmc_free(ctx, bytes);
    free(x);
    fmc_ctx_destroy(ctx);
    fmc_ctx_destroy(other);
    return size;
}

static void every_bound_holds(void **state)
{
    static const struct {
        uint32_t kind;
        double bound;
    } goal[] = { { FMC_BOUND_ABS, 0.2 },    { FMC_BOUND_REL, 1e-2 }, { FMC_BOUND_PW_REL, 1e-2 },
                 { FMC_BOUND_NRMSE, 1e-2 }, { FMC_BOUND_NRMSE, 1e-4 }, { FMC_BOUND_PSNR, 45 } };
    const uint64_t dim[] = { 5, 34, 41 };
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "klt");

    (void)state;
    for (size_t g = 0; g < sizeof goal / sizeof *goal; g++)
        for (int missing = 0; missing < 2; missing++) {
            fmc_params p = params_for(m, goal[g].kind, goal[g].bound);

            goes_through(m, &p, 3, dim, missing);
            p.coder |= missing ? FMC_CODER_INTERP : FMC_CODER_TRANSFORM;
            goes_through(m, &p, 3, dim, missing);
            p.coder = FMC_CODER_VAE | FMC_CODER_PCA;
            goes_through(m, &p, 3, dim, missing);
        }
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
}

static void every_shape_goes_through(void **state)
{
    static const uint64_t dim[][FMC_MAX_RANK] = { { 1 },        { 7 },           { 300 },         { 1, 1, 1 },      { 3, 3, 3 },
                                                  { 31, 37 },   { 1, 64, 64 },   { 17, 1, 19 },   { 2, 3, 20, 17 }, { 2, 2, 3, 16, 13 },
                                                  { 33, 16, 16 } };
    static const uint32_t rank[] = { 1, 1, 1, 3, 3, 2, 3, 3, 4, 5, 3 };
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "faithful");

    (void)state;
    for (size_t i = 0; i < sizeof rank / sizeof *rank; i++) {
        const fmc_params p = params_for(m, FMC_BOUND_REL, 1e-2);

        goes_through(m, &p, rank[i], dim[i], 0);
    }
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
}

static size_t compressed_size(fmc_ctx *ctx, const fmc_params *p, const uint64_t *dim)
{
    fmc_array a;
    float *x = make_waves(3, dim, 0, &a);
    void *bytes;
    size_t size;

    assert_int_equal(fmc_compress_alloc(ctx, &a, p, &bytes, &size), FMC_OK);
    fmc_free(ctx, bytes);
    free(x);
    return size;
}

static double rms_error(const float *x, const float *y, size_t n)
{
    double square = 0;

    for (size_t i = 0; i < n; i++)
        square += ((double)y[i] - (double)x[i]) * ((double)y[i] - (double)x[i]);
    return sqrt(square / (double)n);
}

/* Compress to at most p->bound bytes, decompress elsewhere. @return the error; infinite: nothing fits. */
static double error_within(const fmc_model *m, const fmc_params *p, const fmc_array *a, const float *x, size_t n)
{
    fmc_ctx *ctx = make_ctx(NULL), *other = make_ctx(NULL);
    fmc_chunk_info info = { .struct_size = sizeof info };
    double error = INFINITY;
    fmc_array back;
    void *bytes;
    size_t size;
    const fmc_status st = fmc_compress_alloc(ctx, a, p, &bytes, &size);

    assert_true(st == FMC_OK || st == FMC_ERR_UNREACHABLE_SIZE);
    if (st == FMC_OK) {
        assert_true((double)size <= p->bound);
        assert_int_equal(fmc_ctx_add_model(other, m), FMC_OK);
        assert_int_equal(fmc_inspect_chunk(other, bytes, size, 0, &info), FMC_OK);
        assert_true(info.coder == FMC_CODER_EXACT || info.model != 0);
        assert_int_equal(fmc_decompress_alloc(other, bytes, size, 3, &back), FMC_OK);
        error = rms_error(x, back.data, n);
        fmc_free(other, back.data);
    }
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
    fmc_ctx_destroy(other);
    return error;
}

/* With a model below every coder: more bytes, less error; very many bytes, none. */
static void a_size_is_kept(void **state)
{
    static const uint32_t coders[] = { 0, FMC_CODER_TRANSFORM, FMC_CODER_INTERP, FMC_CODER_PCA };
    static const double sizes[] = { 60, 600, 1500, 4000, 12000, 1e6 };
    const uint64_t dim[] = { 3, 34, 41 };
    const size_t n = (size_t)count_of(3, dim);
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "klt");
    fmc_array a;
    float *x = make_waves(3, dim, 0, &a);

    (void)state;
    for (size_t k = 0; k < sizeof coders / sizeof *coders; k++) {
        fmc_params p = params_for(m, FMC_BOUND_SIZE, 0);
        double error = INFINITY;

        p.coder = FMC_CODER_VAE | coders[k];
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            double next;

            p.bound = sizes[i];
            next = error_within(m, &p, &a, x, n);
            assert_true(next <= error);
            error = next;
        }
        assert_true(error == 0);
    }
    free(x);
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
}

/* A model that is tried, by its own merits or at the highest effort, makes no stream larger. */
static void a_bad_model_costs_nothing(void **state)
{
    const uint64_t dim[] = { 6, 40, 40 };
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "klt");

    (void)state;
    for (uint32_t effort = 5; effort <= 9; effort += 4) {
        fmc_params p = params_for(NULL, FMC_BOUND_NRMSE, 1e-2);
        size_t without;

        p.coder = FMC_CODER_AUTO;
        p.effort = effort;
        p.no_model = 1;
        without = compressed_size(ctx, &p, dim);
        p.no_model = 0;
        assert_true(compressed_size(ctx, &p, dim) <= without);
        p.model = m;
        assert_true(compressed_size(ctx, &p, dim) <= without);
    }
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
}

/* What an earlier call opened in a context changes no bytes of a later one. */
static void bytes_do_not_depend_on_the_past(void **state)
{
    static const uint32_t efforts[] = { 9, 5, 1, 9 };
    const uint64_t dim[] = { 4, 32, 32 };
    fmc_ctx *used = make_ctx(NULL);
    fmc_array a;
    float *x = make_waves(3, dim, 0, &a);

    (void)state;
    for (size_t i = 0; i < sizeof efforts / sizeof *efforts; i++) {
        fmc_params p = params_for(NULL, FMC_BOUND_NRMSE, 1e-2);
        fmc_ctx *fresh = make_ctx(NULL);
        void *bytes[2];
        size_t size[2];

        p.coder = FMC_CODER_AUTO;
        p.effort = efforts[i];
        assert_int_equal(fmc_compress_alloc(used, &a, &p, &bytes[0], &size[0]), FMC_OK);
        assert_int_equal(fmc_compress_alloc(fresh, &a, &p, &bytes[1], &size[1]), FMC_OK);
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(bytes[0], bytes[1], size[0]);
        fmc_free(used, bytes[0]);
        fmc_free(fresh, bytes[1]);
        fmc_ctx_destroy(fresh);
    }
    free(x);
    fmc_ctx_destroy(used);
}

static void a_missing_model_is_named(void **state)
{
    const uint64_t dim[] = { 4, 33, 35 };
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "klt"), *unlike = open_model(ctx, "faithful");
    const fmc_params p = params_for(m, FMC_BOUND_REL, 1e-2);
    fmc_model_info info = { .struct_size = sizeof info };
    fmc_array a, back;
    float *x = make_waves(3, dim, 0, &a);
    char hash[32];
    void *bytes;
    size_t size;

    (void)state;
    assert_int_equal(fmc_model_describe(m, &info), FMC_OK);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)info.hash);
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &back), FMC_ERR_MODEL_MISSING);
    assert_non_null(strstr(fmc_ctx_message(ctx), hash));
    assert_int_equal(fmc_ctx_add_model(ctx, unlike), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &back), FMC_ERR_MODEL_MISSING); /* status.h: no mismatch */
    assert_non_null(strstr(fmc_ctx_message(ctx), hash));
    assert_int_equal(fmc_ctx_add_model(ctx, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_ctx_add_model(ctx, m), FMC_OK);
    assert_int_equal(fmc_ctx_add_model(ctx, m), FMC_OK); /* again: nothing happens */
    assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &back), FMC_OK);
    fmc_free(ctx, back.data);
    for (size_t cut = 0; cut < size; cut += 1 + size / 60) /* nothing shorter decodes as a whole */
        if (fmc_decompress_alloc(ctx, bytes, cut, 1, &back) == FMC_OK) {
            assert_int_equal(back.dim[0], 0);
            fmc_free(ctx, back.data);
        }
    fmc_free(ctx, bytes);
    free(x);
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
    fmc_model_close(unlike);
}

/* Every bit of a stream flipped: a status, or samples; never a crash. */
static void flipped_bits_do_no_harm(void **state)
{
    const uint64_t dim[] = { 2, 17, 18 };
    fmc_ctx *ctx = make_ctx(NULL);
    fmc_model *m = open_model(ctx, "klt");
    const fmc_params p = params_for(m, FMC_BOUND_REL, 3e-2);
    fmc_array a, back;
    float *x = make_waves(3, dim, 0, &a);
    uint8_t *copy;
    void *bytes;
    size_t size;

    (void)state;
    assert_int_equal(fmc_ctx_add_model(ctx, m), FMC_OK);
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    copy = malloc(size);
    assert_non_null(copy);
    for (size_t bit = 0; bit < 8 * size; bit += 3) {
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(fmc_decompress_alloc(ctx, copy, size, 1, &back), FMC_OK);
    }
    free(copy);
    fmc_free(ctx, bytes);
    free(x);
    fmc_ctx_destroy(ctx);
    fmc_model_close(m);
}

/* The weights that ship: there unless the build left them out. */
static void the_library_has_a_model(void **state)
{
    const uint64_t dim[] = { 4, 32, 32 };
    fmc_ctx *ctx = make_ctx(NULL);
    const fmc_model *own = fmc_ctx_own_model(ctx);
    fmc_params p = params_for(NULL, FMC_BOUND_NRMSE, 3e-2);
    fmc_array a;
    float *x = make_waves(3, dim, 0, &a);
    void *bytes;
    size_t size;

    (void)state;
    assert_true(!own == !fmc_embedded_weights().data);
    if (own) {
        assert_ptr_equal(fmc_ctx_own_model(ctx), own);
        goes_through(own, &p, 3, dim, 0);
    } else {
        assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_ERR_MODEL_MISSING);
    }
    free(x);
    fmc_ctx_destroy(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_bound_holds),
                                        cmocka_unit_test(every_shape_goes_through),
                                        cmocka_unit_test(a_size_is_kept),
                                        cmocka_unit_test(a_bad_model_costs_nothing),
                                        cmocka_unit_test(bytes_do_not_depend_on_the_past),
                                        cmocka_unit_test(a_missing_model_is_named),
                                        cmocka_unit_test(flipped_bits_do_no_harm),
                                        cmocka_unit_test(the_library_has_a_model) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
