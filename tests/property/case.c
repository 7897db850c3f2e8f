/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "case.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

enum { MOST_PREDICTED = 4 }; /* chunks that a network predicts */

static const char *const bound_names[] = { "lossless", "abs", "rel", "pw-rel", "nrmse", "psnr", "size" };

static void pick_shape(test_case *c, size_t max_count)
{
    static const uint16_t extents[] = { 1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 37, 61, 64, 65, 101, 127, 128,
                                        251, 400, 1009 };
    fmc_array *a = &c->from.array;
    uint64_t left = 1 + random_below(&c->state, max_count), dim[FMC_MAX_RANK];
    const uint32_t rank = 1 + (uint32_t)random_below(&c->state, FMC_MAX_RANK);

    for (uint32_t i = 0; i < rank; i++) {
        do
            dim[i] = extents[random_below(&c->state, sizeof extents / sizeof *extents)];
        while (dim[i] > left && left > 0);
        left /= dim[i];
    }
    if (!random_below(&c->state, 60))
        dim[random_below(&c->state, rank)] = 0;
    fmc_array_init(a, random_below(&c->state, 5) < 3 ? FMC_F32 : FMC_F64, rank, dim, NULL);
}

/* max - min of the finite samples, or 1. */
static double spread_of(const field *f)
{
    double least = INFINITY, most = -INFINITY;

    for (size_t i = 0; i < f->count; i++)
        if (isfinite(field_at(f, i))) {
            least = fmin(least, field_at(f, i));
            most = fmax(most, field_at(f, i));
        }
    return most > least ? fmin(most - least, DBL_MAX) : 1;
}

static void pick_bound(test_case *c)
{
    static const double extremes[] = { 0x1p-1074, DBL_MIN, 1e-300, 1e-30, 1, 1e30, 1e300, DBL_MAX };
    fmc_params *p = &c->params;
    uint64_t *s = &c->state;

    p->bound_kind = (uint32_t)random_below(s, 7);
    if (p->bound_kind == FMC_BOUND_SIZE && random_below(s, 3))
        p->bound_kind = FMC_BOUND_REL; /* the search takes long */
    p->bound = pow(10, -7 * random_unit(s));
    if (p->bound_kind == FMC_BOUND_ABS)
        p->bound *= spread_of(&c->from);
    else if (p->bound_kind == FMC_BOUND_PSNR)
        p->bound = 10 + 130 * random_unit(s);
    else if (p->bound_kind == FMC_BOUND_SIZE)
        p->bound = 100 + floor((double)(c->from.count * c->from.sample) * random_unit(s));
    if (p->bound_kind >= FMC_BOUND_ABS && p->bound_kind <= FMC_BOUND_NRMSE && !random_below(s, 12))
        p->bound = extremes[random_below(s, sizeof extremes / sizeof *extremes)];
    if (!(p->bound > 0 && p->bound <= DBL_MAX))
        p->bound = 0x1p-1074;
}

static void pick_params(test_case *c, enum field_dirt dirt)
{
    fmc_params *p = &c->params;
    uint64_t *s = &c->state;

    fmc_params_init(p, sizeof *p);
    pick_bound(c);
    p->effort = random_below(s, 3) ? (uint32_t)(1 + 4 * random_below(s, 3)) : (uint32_t)(1 + random_below(s, 9));
    if (!random_below(s, 2))
        p->coder = (uint32_t)random_below(s, 5);
    if (dirt == DIRT_FILL_1E20 && random_below(s, 3)) {
        p->has_fill = 1;
        p->fill_value = 1e20;
    } else if (!random_below(s, 8)) {
        p->has_fill = 1;
        p->fill_value = c->from.count && random_below(s, 2) ? field_at(&c->from, random_below(s, c->from.count)) : 0;
        if (!isfinite(p->fill_value))
            p->fill_value = -9999;
    }
    for (uint32_t i = 0; i < c->from.array.rank; i++) {
        if (!random_below(s, 4))
            p->chunk[i] = random_below(s, c->from.array.dim[i] + 2);
        if (!random_below(s, 4))
            p->axis[i] = (uint32_t)random_below(s, 4);
    }
}

/* Chunks as params->chunk cuts them; 1 where the library chooses. */
static uint64_t pieces_of(const test_case *c)
{
    uint64_t n = 1;

    for (uint32_t i = 0; i < c->from.array.rank; i++) {
        const uint64_t dim = c->from.array.dim[i], chunk = c->params.chunk[i];

        n *= chunk > 0 && chunk < dim ? (dim + chunk - 1) / chunk : 1;
    }
    return n;
}

/*
 * What AUTO never draws, and the effort where everything is tried: rarely, since it takes long. From a sequence of its own,
 * so that the rest of a seed's case does not depend on it.
 */
static void pick_rare(test_case *c, int has_model)
{
    static const uint32_t coders[] = { FMC_CODER_PCA, FMC_CODER_VAE, FMC_CODER_VAE | FMC_CODER_TRANSFORM,
                                       FMC_CODER_VAE | FMC_CODER_INTERP, FMC_CODER_VAE | FMC_CODER_PCA };
    fmc_params *p = &c->params;
    uint64_t state = c->seed ^ 0x5deece66d, *s = &state;

    if (!random_below(s, 8))
        p->no_model = 1;
    else if (!random_below(s, 6))
        p->coder = coders[random_below(s, sizeof coders / sizeof *coders)];
    if (!has_model || p->bound_kind == FMC_BOUND_LOSSLESS)
        p->coder &= ~(uint32_t)FMC_CODER_VAE; /* is refused */
    if (!random_below(s, 10))
        p->effort = 9;
    if (p->coder & FMC_CODER_VAE && pieces_of(c) > MOST_PREDICTED)
        memset(p->chunk, 0, sizeof p->chunk);
}

static void describe(test_case *c, enum field_kind kind, enum field_dirt dirt)
{
    const fmc_array *a = &c->from.array;
    const fmc_params *p = &c->params;
    int n = snprintf(c->text, sizeof c->text, "FMC_CASE=%llu: %s [", (unsigned long long)c->seed,
                     a->dtype == FMC_F32 ? "f32" : "f64");

    for (uint32_t i = 0; i < a->rank; i++)
        n += snprintf(c->text + n, sizeof c->text - n, " %llu", (unsigned long long)a->dim[i]);
    n += snprintf(c->text + n, sizeof c->text - n, " ] %s, %s; %s %.17g, effort %u, coder %#x%s, chunk", field_kind_name(kind),
                  field_dirt_name(dirt), bound_names[p->bound_kind], p->bound, p->effort, p->coder,
                  p->no_model ? ", no model" : "");
    for (uint32_t i = 0; i < a->rank; i++)
        n += snprintf(c->text + n, sizeof c->text - n, " %llu", (unsigned long long)p->chunk[i]);
    n += snprintf(c->text + n, sizeof c->text - n, ", axis");
    for (uint32_t i = 0; i < a->rank; i++)
        n += snprintf(c->text + n, sizeof c->text - n, " %u", p->axis[i]);
    if (p->has_fill)
        snprintf(c->text + n, sizeof c->text - n, ", fill %g", p->fill_value);
}

void case_make(test_case *c, uint64_t seed, size_t max_count, int has_model)
{
    enum field_kind kind;
    enum field_dirt dirt;

    memset(c, 0, sizeof *c);
    c->seed = c->state = seed;
    pick_shape(c, max_count);
    kind = (enum field_kind)random_below(&c->state, FIELD_KINDS);
    dirt = random_below(&c->state, 2) ? DIRT_NONE : (enum field_dirt)random_below(&c->state, DIRT_KINDS);
    field_make(&c->from, &c->state, kind, dirt);
    pick_params(c, dirt);
    pick_rare(c, has_model);
    describe(c, kind, dirt);
    field_lay_out(&c->from, &c->state, random_below(&c->state, 2) != 0);
    field_scatter(&c->from);
}

void case_free(test_case *c)
{
    field_free(&c->from);
}

void case_fail(const test_case *c, const char *why)
{
    fail_msg("%s\n    %s", why, c->text);
}

void case_expect(const test_case *c, int is_so, const char *what)
{
    if (!is_so)
        case_fail(c, what);
}

fmc_ctx *case_context(const char *level)
{
    fmc_ctx *ctx;

    if (!strcmp(level, "best"))
        unsetenv("FMC_SIMD");
    else
        setenv("FMC_SIMD", level, 1);
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    unsetenv("FMC_SIMD");
    return ctx;
}

static void expect_ok(const test_case *c, fmc_ctx *ctx, fmc_status st, const char *what)
{
    char why[300];

    snprintf(why, sizeof why, "%s: %s (%s)", what, fmc_status_string(st), fmc_ctx_message(ctx));
    case_expect(c, st == FMC_OK, why);
}

void case_decode(test_case *c, fmc_ctx *ctx, const void *bytes, size_t size, uint32_t n_threads, field *back)
{
    memset(back, 0, sizeof *back);
    fmc_array_init(&back->array, c->from.array.dtype, c->from.array.rank, c->from.array.dim, NULL);
    field_lay_out(back, &c->state, random_below(&c->state, 2) != 0);
    expect_ok(c, ctx, fmc_decompress(ctx, bytes, size, n_threads, &back->array), "decompress");
    field_gather(back);
    case_expect(c, field_padding_is_intact(back), "decompress wrote between the samples");
}

static uint64_t chunks_of(fmc_ctx *ctx, const test_case *c, const void *bytes, size_t size)
{
    fmc_info info = { .struct_size = sizeof info };

    expect_ok(c, ctx, fmc_inspect(ctx, bytes, size, &info), "inspect");
    return info.n_chunks;
}

size_t case_encode(test_case *c, fmc_ctx *ctx, uint32_t n_threads, void **bytes)
{
    const uint64_t input = (uint64_t)c->from.count * c->from.sample;
    size_t size;
    fmc_status st;

    c->params.n_threads = n_threads;
    st = fmc_compress_alloc(ctx, &c->from.array, &c->params, bytes, &size);
    if (st == FMC_ERR_UNREACHABLE_SIZE && c->params.bound_kind == FMC_BOUND_SIZE)
        return 0;
    expect_ok(c, ctx, st, "compress");
    case_expect(c, size <= fmc_compress_bound(&c->from.array, &c->params), "larger than fmc_compress_bound");
    case_expect(c, size <= input + input / 100 + 256 + 64 * chunks_of(ctx, c, *bytes, size),
                "larger than input + 1 % + 256 + 64 a chunk");
    if (c->params.bound_kind == FMC_BOUND_SIZE)
        case_expect(c, (double)size <= c->params.bound, "larger than the size asked for");
    return size;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* Builds may leave the weights out. */
static int library_has_model(void)
{
    fmc_ctx *ctx = case_context("best");
    const int has = fmc_ctx_own_model(ctx) != NULL;

    fmc_ctx_destroy(ctx);
    return has;
}

void case_run_all(void (*test)(test_case *), uint64_t n, size_t max_count)
{
    uint64_t seed = number_of("FMC_SEED", 1) * 1000003;
    const uint64_t single = number_of("FMC_CASE", 0);
    const int has_model = library_has_model();
    test_case c;

    n = single ? 1 : number_of("FMC_CASES", n);
    for (uint64_t i = 0; i < n; i++) {
        case_make(&c, single ? single : seed + i, max_count, has_model);
        if (getenv("FMC_VERBOSE"))
            print_message("%s\n", c.text);
        test(&c);
        case_free(&c);
    }
}
