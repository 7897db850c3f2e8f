/* SPDX-License-Identifier: Apache-2.0 */
/* Tier PRIOR and files of architecture `prior`. */
#include "api_util.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coef/prior.h"
#include "nn/embedded.h"
#include "nn/model.h"

static uint32_t seed;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Weights and starts of all sizes that a file may have. */
static void make_prior(fmc_prior *p)
{
    assert_int_equal(fmc_prior_alloc(&fmc_system_allocator, 32, 16, p), FMC_OK);
    seed = 9;
    for (size_t i = 0; i < FMC_PRIOR_COUNTERS; i++)
        p->start[i] = (next_random() % 65536) << 16 | next_random() % 128;
    for (size_t i = 0; i < FMC_PRIOR_SETS; i++) {
        p->mix[i].n = next_random() % 65536;
        for (int j = 0; j < FMC_COEF_MAX_INPUTS; j++)
            p->mix[i].w[j] = (int32_t)(next_random() % 16384) - 4096;
    }
    for (int k = 0; k < FMC_PRIOR_LAYERS; k++) {
        fmc_prior_layer *l = &p->layer[k];

        for (size_t i = 0; i < (size_t)l->n_in * l->n_out; i++)
            l->weight[i] = (int16_t)((int)(next_random() % 255) - 127);
        for (size_t o = 0; o < l->n_out; o++)
            l->shift[o] = (int32_t)(7 + next_random() % 4);
        for (size_t i = 0; i < (size_t)l->n_out * (k ? 1 : FMC_PRIOR_PLACES); i++)
            l->bias[i] = (int32_t)(next_random() % 8192) - 4096;
    }
}

/* Low band, three details, and a time-packet band with every kind of relative. */
static size_t make_bands(fmc_band band[5], const size_t dim[FMC_MAX_RANK])
{
    size_t start = 0;

    memset(band, 0, 5 * sizeof *band);
    for (int i = 0; i < 5; i++) {
        memcpy(band[i].dim, dim, sizeof band[i].dim);
        if (i >= 3) {
            band[i].dim[3] *= 2;
            band[i].dim[4] *= 2;
        }
        band[i].count = 1;
        for (int a = 0; a < FMC_MAX_RANK; a++)
            band[i].count *= band[i].dim[a];
        band[i].start = start;
        start += band[i].count;
        band[i].parent = band[i].time_parent = -1;
        band[i].level = i < 3;
        band[i].high = (uint8_t)(i == 0 ? 0 : i % 2 ? 1 << 4 : 1 << 3);
    }
    band[0].is_low = 1;
    band[2].n_siblings = 1;
    band[2].sibling[0] = 1;
    band[3].parent = 1;
    band[3].parent_half = 3 << 3;
    band[4].parent = 2;
    band[4].parent_half = 3 << 3;
    band[4].time_parent = 3;
    band[4].n_siblings = 1;
    band[4].sibling[0] = 3;
    return start;
}

static void fill(int32_t *q, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const uint32_t r = next_random();

        q[k] = r % 3 == 0 || k % 500 > 300 ? 0 : (int32_t)(r / 4 % 13) - 6;
        if (r % 61 == 0)
            q[k] *= 1 + (int32_t)(next_random() % (FMC_COEF_MAX / 8));
    }
}

static void every_thread_count_and_simd_level_gives_the_same_bytes(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 2, 1, 3, 19, 37 };
    fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1, .kernels = &fmc_kernels_ref };
    fmc_band band[5];
    const size_t n = make_bands(band, dim);
    int32_t *q = malloc(n * sizeof *q), *got = calloc(n, sizeof *got);
    fmc_out ref = fmc_out_make(&fmc_system_allocator);
    fmc_prior p;

    (void)state;
    make_prior(&p);
    fill(q, n);
    assert_int_equal(fmc_coef_encode(&ex, band, 5, q, FMC_COEF_PRIOR, &p, &ref), FMC_OK);
    for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512; level++)
        for (uint32_t threads = 1; threads <= 2; threads++) {
            fmc_out out = fmc_out_make(&fmc_system_allocator);
            fmc_in in = fmc_in_make(ref.data, ref.size);

            ex.kernels = fmc_kernels_select(level);
            ex.n_threads = threads;
            assert_int_equal(fmc_coef_encode(&ex, band, 5, q, FMC_COEF_PRIOR, &p, &out), FMC_OK);
            assert_int_equal(out.size, ref.size);
            assert_memory_equal(out.data, ref.data, ref.size);
            assert_int_equal(fmc_coef_decode(&ex, band, 5, got, FMC_COEF_PRIOR, &p, &in), FMC_OK);
            assert_memory_equal(q, got, n * sizeof *q);
            fmc_out_fini(&out);
        }
    fmc_out_fini(&ref);
    fmc_prior_free(&fmc_system_allocator, &p);
    free(q);
    free(got);
}

/* Features of every value as the coder shows them. */
typedef struct trace {
    int16_t *feature;
    size_t   n, room;
} trace;

static void keep(void *user, const int16_t *feature, unsigned place, int32_t symbol)
{
    trace *t = user;

    (void)place;
    (void)symbol;
    if (t->n < t->room)
        memcpy(t->feature + t->n * FMC_PRIOR_FEATURES, feature, FMC_PRIOR_FEATURES * sizeof *feature);
    t->n++;
}

static void record(const fmc_band *band, int32_t *q, fmc_prior *p, trace *t)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    const fmc_prior_watch watch = { .user = t, .value = keep };
    fmc_out out = fmc_out_make(&fmc_system_allocator);

    t->n = 0;
    p->watch = &watch;
    assert_int_equal(fmc_coef_encode(&ex, band, 5, q, FMC_COEF_PRIOR, p, &out), FMC_OK);
    p->watch = NULL;
    fmc_out_fini(&out);
}

/* No value is 0, so that every one is shown, and value k of the trace is value k of the bands. */
static void features_do_not_look_ahead(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 1, 1, 3, 5, 18 };
    fmc_band band[5];
    const size_t n = make_bands(band, dim);
    int32_t *q = malloc(n * sizeof *q);
    trace a = { .room = n }, b = { .room = n };
    fmc_prior p;

    (void)state;
    a.feature = malloc(n * FMC_PRIOR_FEATURES * sizeof *a.feature);
    b.feature = malloc(n * FMC_PRIOR_FEATURES * sizeof *b.feature);
    make_prior(&p);
    band[0].is_low = 0; /* differences would mix values */
    for (size_t k = 0; k < n; k++)
        q[k] = 1 + (int32_t)(next_random() % 9);
    record(band, q, &p, &a);
    for (size_t cut = 0; cut < n; cut += 41) {
        for (size_t k = cut; k < n; k++)
            q[k] = 1 + (int32_t)(next_random() % 30);
        record(band, q, &p, &b);
        assert_true(a.n == n && b.n == n);
        assert_memory_equal(a.feature, b.feature, (cut + 1) * FMC_PRIOR_FEATURES * sizeof *a.feature);
        memcpy(a.feature, b.feature, n * FMC_PRIOR_FEATURES * sizeof *a.feature);
    }
    fmc_prior_free(&fmc_system_allocator, &p);
    free(a.feature);
    free(b.feature);
    free(q);
}

static void damaged_streams_do_no_harm(void **state)
{
    const size_t dim[FMC_MAX_RANK] = { 1, 1, 2, 9, 30 };
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    fmc_band band[5];
    const size_t n = make_bands(band, dim);
    int32_t *q = calloc(n, sizeof *q);
    fmc_prior p;

    (void)state;
    make_prior(&p);
    for (int i = 0; i < 300; i++) {
        uint8_t bytes[700];
        fmc_in in = fmc_in_make(bytes, next_random() % sizeof bytes);
        fmc_status st;

        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(next_random() >> 4);
        st = fmc_coef_decode(&ex, band, 5, q, FMC_COEF_PRIOR, &p, &in);
        assert_true(st == FMC_OK || st == FMC_ERR_TRUNCATED || st == FMC_ERR_CORRUPT);
        for (size_t k = 0; k < n; k++)
            assert_true(q[k] <= FMC_COEF_MAX && q[k] >= -FMC_COEF_MAX);
    }
    fmc_prior_free(&fmc_system_allocator, &p);
    free(q);
}

static fmc_ctx *make_ctx(void)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    fmc_ctx *ctx;

    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_OK);
    return ctx;
}

static float *make_waves(fmc_array *a)
{
    const uint64_t dim[] = { 8, 40, 50 };
    float *x = make_f32(3, dim, a);

    for (size_t i = 0; i < 16000; i++)
        x[i] = sinf((float)(i % 50) * 0.31f) * cosf((float)(i / 50 % 40) * 0.17f + (float)(i / 2000) * 0.2f);
    return x;
}

static void *compress(fmc_ctx *ctx, const fmc_array *a, const fmc_model *m, int no_model, uint32_t effort, size_t *size)
{
    const size_t room = 1 << 20;
    void *out = malloc(room);
    fmc_params p;

    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.bound_kind = FMC_BOUND_NRMSE;
    p.bound = 1e-3;
    p.effort = effort;
    p.model = m;
    p.no_model = (uint32_t)no_model;
    assert_int_equal(fmc_compress(ctx, a, &p, out, room, size), FMC_OK);
    return out;
}

static uint8_t *read_prior(size_t *size)
{
    FILE *f = fopen(FMC_TEST_DATA "/tiny_prior.fmcw", "rb");
    uint8_t *bytes = malloc(1 << 20);

    assert_non_null(f);
    *size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static void streams_name_their_prior(void **state)
{
    fmc_ctx *ctx = make_ctx(), *other = make_ctx();
    fmc_array a, back;
    float *x = make_waves(&a), *y;
    size_t n_bytes, size, plain;
    uint8_t *bytes = read_prior(&n_bytes);
    fmc_model *m;
    void *s;

    (void)state;
    y = malloc(16000 * sizeof *y);
    back = a;
    back.data = y;
    assert_int_equal(fmc_model_open_buffer(ctx, bytes, n_bytes, &m), FMC_OK);
    free(compress(ctx, &a, NULL, 1, 9, &plain));
    s = compress(ctx, &a, m, 0, 9, &size);
    assert_true(size <= plain + 64);
    if (size < plain) { /* it was used */
        assert_int_equal(fmc_decompress(other, s, size, 1, &back), FMC_ERR_MODEL_MISSING);
        assert_int_equal(fmc_ctx_add_model(other, m), FMC_OK);
    }
    assert_int_equal(fmc_decompress(other, s, size, 1, &back), FMC_OK);
    for (size_t i = 0; i < 16000; i++)
        assert_true(fabsf(x[i] - y[i]) < 0.1f);
    free(s);
    free(x);
    free(y);
    free(bytes);
    fmc_ctx_destroy(ctx);
    fmc_ctx_destroy(other);
    fmc_model_close(m);
}

static void the_built_in_prior_makes_small_streams_smaller(void **state)
{
    fmc_ctx *ctx = make_ctx();
    fmc_array a;
    float *x = make_waves(&a);
    size_t plain, size;

    (void)state;
    if (!fmc_embedded_prior().data)
        skip();
    for (uint32_t effort = 5; effort <= 9; effort += 4) {
        free(compress(ctx, &a, NULL, 1, effort, &plain));
        free(compress(ctx, &a, NULL, 0, effort, &size));
        assert_true(size < plain);
    }
    free(x);
    fmc_ctx_destroy(ctx);
}

/* The hash before the plan is skipped when a chunk is described. */
static void chunks_with_a_prior_are_described(void **state)
{
    static const uint32_t coder[] = { FMC_CODER_TRANSFORM, FMC_CODER_INTERP, FMC_CODER_PCA };
    fmc_ctx *ctx = make_ctx();
    fmc_array a;
    float *x = make_waves(&a);
    size_t used = 0;

    (void)state;
    if (!fmc_embedded_prior().data) {
        free(x);
        fmc_ctx_destroy(ctx);
        skip();
    }
    for (size_t i = 0; i < sizeof coder / sizeof *coder; i++) {
        fmc_chunk_info info = { .struct_size = sizeof info };
        fmc_params p;
        void *bytes;
        size_t size;

        assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
        p.bound_kind = FMC_BOUND_NRMSE;
        p.bound = 1e-2;
        p.effort = 9;
        p.coder = coder[i];
        assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
        assert_int_equal(fmc_inspect_chunk(ctx, bytes, size, 0, &info), FMC_OK);
        assert_int_equal(info.coder, coder[i]);
        assert_true(coder[i] != FMC_CODER_PCA || !strncmp(info.detail, "pca ", 4));
        used += info.model != 0;
        fmc_free(ctx, bytes);
    }
    assert_true(used > 0);
    free(x);
    fmc_ctx_destroy(ctx);
}

/* Without the hash, each damaged file is refused or harmless. */
static void damaged_files_are_refused(void **state)
{
    fmc_ctx *ctx = make_ctx();
    size_t n;
    uint8_t *bytes = read_prior(&n);

    (void)state;
    seed = 5;
    for (int i = 0; i < 60; i++) {
        const size_t at = next_random() % n;
        const uint8_t was = bytes[at];
        fmc_model *m;

        bytes[at] ^= (uint8_t)(1 + next_random() % 255);
        assert_int_not_equal(fmc_model_open_buffer(ctx, bytes, n, &m), FMC_OK);
        assert_null(m);
        bytes[at] = was;
    }
    for (size_t cut = 0; cut < n; cut += 1 + n / 97) {
        fmc_model *m;

        assert_int_not_equal(fmc_model_open_buffer(ctx, bytes, cut, &m), FMC_OK);
    }
    free(bytes);
    fmc_ctx_destroy(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_count_and_simd_level_gives_the_same_bytes),
        cmocka_unit_test(features_do_not_look_ahead),
        cmocka_unit_test(damaged_streams_do_no_harm),
        cmocka_unit_test(streams_name_their_prior),
        cmocka_unit_test(the_built_in_prior_makes_small_streams_smaller),
        cmocka_unit_test(chunks_with_a_prior_are_described),
        cmocka_unit_test(damaged_files_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
