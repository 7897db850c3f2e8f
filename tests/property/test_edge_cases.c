/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of docs/edge_cases.md: arrays on which compressors are known to crash, hang, or break their bound. Each goes
 * through every kind of bound and effort, and through every coder; the bound is checked in exact arithmetic.
 */
#include "case.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct edge {
    const char *name;
    uint32_t    dtype, rank;
    uint64_t    dim[FMC_MAX_RANK];
    double    (*sample)(uint64_t i, uint64_t n);
    uint32_t    has_fill;
    double      fill;
    uint64_t    most; /* bytes that the default bound may take; 0: no claim */
} edge;

/* Something smooth over the index, -2..2. */
static double wave(uint64_t i, uint64_t n)
{
    return sin(9.0 * (double)i / (double)(n + 1)) + sin(0.7 * (double)(i % 31));
}

static double nan_block(uint64_t i, uint64_t n)
{
    return i > n / 3 && i < n / 2 ? NAN : wave(i, n);
}

static double one_nan(uint64_t i, uint64_t n)
{
    return i == n / 3 ? NAN : wave(i, n);
}

static double infinities(uint64_t i, uint64_t n)
{
    return i % 97 == 5 ? (i & 1 ? INFINITY : -INFINITY) : wave(i, n);
}

static double all_nan(uint64_t i, uint64_t n)
{
    (void)i, (void)n;
    return NAN;
}

static double with_1e20(uint64_t i, uint64_t n)
{
    return i % 31 < 9 ? 1e20 : wave(i, n);
}

static double constant(uint64_t i, uint64_t n)
{
    (void)i, (void)n;
    return 3.14159;
}

static double zeros(uint64_t i, uint64_t n)
{
    (void)n;
    return i & 1 ? 0.0 : -0.0;
}

static double denormals(uint64_t i, uint64_t n)
{
    return wave(i, n) * 1e-42;
}

/* Nearly all of it so small that what is large goes exact and the scale is that of the rest. */
static double denormals_and_few(uint64_t i, uint64_t n)
{
    return i % 97 == 5 ? 1e9 + (double)i : denormals(i, n);
}

static double denormals_and_few_f64(uint64_t i, uint64_t n)
{
    return i % 97 == 5 ? 1e9 + (double)i : (double)(i % 31) * 0x1p-1070;
}

static double denormals_f64(uint64_t i, uint64_t n)
{
    return wave(i, n) * 1e-320;
}

static double large_offset(uint64_t i, uint64_t n)
{
    return 1e12 + wave(i, n) * 1e-3;
}

static double near_f32_max(uint64_t i, uint64_t n)
{
    return i == 7 ? -(double)FLT_MAX : wave(i, n) * 1.7e38;
}

static double near_f64_max(uint64_t i, uint64_t n)
{
    return i == 7 ? -DBL_MAX : wave(i, n) * 0.45 * DBL_MAX;
}

static double packed(uint64_t i, uint64_t n)
{
    return floor(wave(i, n) * 200) * 0.01;
}

static double wild(uint64_t i, uint64_t n)
{
    return ldexp(wave(i, n), (int)(i * 7919 % 240) - 120);
}

#define F32 FMC_F32
#define F64 FMC_F64
static const edge edges[] = {
    { "NaN block", F32, 3, { 9, 21, 31 }, nan_block, 0, 0, 0 },
    { "one NaN", F32, 3, { 9, 21, 31 }, one_nan, 0, 0, 0 },
    { "nothing but NaN", F32, 3, { 9, 21, 31 }, all_nan, 0, 0, 128 },
    { "Inf and -Inf", F32, 3, { 9, 21, 31 }, infinities, 0, 0, 0 },
    { "Inf and -Inf, f64", F64, 3, { 9, 21, 31 }, infinities, 0, 0, 0 },
    { "1e20 beside normal data", F32, 3, { 9, 21, 31 }, with_1e20, 0, 0, 0 },
    { "1e20 declared as fill value", F32, 3, { 9, 21, 31 }, with_1e20, 1, 1e20, 0 },
    { "constant", F32, 3, { 9, 21, 31 }, constant, 0, 0, 128 },
    { "constant, f64", F64, 3, { 9, 21, 31 }, constant, 0, 0, 128 },
    { "zeros of both signs", F32, 3, { 9, 21, 31 }, zeros, 0, 0, 0 },
    { "axes of size 1", F32, 5, { 1, 61, 1, 37, 1 }, wave, 0, 0, 0 },
    { "one sample", F32, 1, { 1 }, wave, 0, 0, 128 },
    { "one sample, five axes", F64, 5, { 1, 1, 1, 1, 1 }, constant, 0, 0, 128 },
    { "one NaN and nothing else", F32, 1, { 1 }, all_nan, 0, 0, 128 },
    { "empty", F32, 3, { 0, 21, 31 }, wave, 0, 0, 128 },
    { "empty in the middle", F64, 3, { 9, 0, 31 }, wave, 0, 0, 128 },
    { "3 x 3 x 3", F32, 3, { 3, 3, 3 }, wave, 0, 0, 0 },
    { "denormals", F32, 3, { 9, 21, 31 }, denormals, 0, 0, 0 },
    { "denormals and few large", F32, 3, { 9, 21, 31 }, denormals_and_few, 0, 0, 0 },
    { "denormals and few large, f64", F64, 3, { 9, 21, 31 }, denormals_and_few_f64, 0, 0, 0 },
    { "denormals, f64", F64, 3, { 9, 21, 31 }, denormals_f64, 0, 0, 0 },
    { "large offset, f64", F64, 3, { 9, 21, 31 }, large_offset, 0, 0, 0 },
    { "near the largest f32", F32, 3, { 9, 21, 31 }, near_f32_max, 0, 0, 0 },
    { "near the largest f64", F64, 3, { 9, 21, 31 }, near_f64_max, 0, 0, 0 },
    { "prime extents", F32, 3, { 7, 23, 41 }, wave, 0, 0, 0 },
    { "1-D", F32, 1, { 5003 }, wave, 0, 0, 0 },
    { "2-D", F64, 2, { 61, 83 }, wave, 0, 0, 0 },
    { "4-D", F32, 4, { 3, 5, 17, 19 }, wave, 0, 0, 0 },
    { "5-D", F64, 5, { 2, 3, 5, 11, 13 }, wave, 0, 0, 0 },
    { "packed to hundredths", F32, 3, { 9, 21, 31 }, packed, 0, 0, 0 },
    { "all exponents", F64, 3, { 9, 21, 31 }, wild, 0, 0, 0 },
};

static const struct {
    const char *name;
    uint32_t    kind;
    double      bound;
} goals[] = { { "--rel 1e-3", FMC_BOUND_REL, 1e-3 },       { "--abs 1e-4", FMC_BOUND_ABS, 1e-4 },
              { "--pw-rel 1e-3", FMC_BOUND_PW_REL, 1e-3 }, { "--nrmse 1e-4", FMC_BOUND_NRMSE, 1e-4 },
              { "--psnr 70", FMC_BOUND_PSNR, 70 },         { "--rel 1e-7", FMC_BOUND_REL, 1e-7 },
              { "--lossless", FMC_BOUND_LOSSLESS, 0 } };

static void make_edge(test_case *c, const edge *e, int is_strange)
{
    fmc_array *a = &c->from.array;

    memset(c, 0, sizeof *c);
    c->state = 11;
    fmc_array_init(a, e->dtype, e->rank, e->dim, NULL);
    field_lay_out(&c->from, &c->state, is_strange);
    for (size_t i = 0; i < c->from.count; i++)
        field_set(&c->from, i, e->sample(i, c->from.count));
    field_scatter(&c->from);
    fmc_params_init(&c->params, sizeof c->params);
    c->params.has_fill = e->has_fill;
    c->params.fill_value = e->fill;
}

static void round_trip(test_case *c, const edge *e)
{
    fmc_ctx *ctx = case_context("best"), *plain = case_context("ref");
    char why[200];
    void *bytes = NULL;
    field back, other;
    const size_t size = case_encode(c, ctx, 1, &bytes);

    case_decode(c, plain, bytes, size, 2, &back);
    case_expect(c, bound_holds(&c->from, &back, &c->params, why, sizeof why), why);
    case_decode(c, ctx, bytes, size, 1, &other);
    case_expect(c, !memcmp(back.plain, other.plain, back.count * back.sample), "the SIMD levels decode differently");
    case_expect(c, !e->most || c->params.bound_kind != FMC_BOUND_REL || c->params.coder || size <= e->most,
                "the stream is larger than such an array needs");
    field_free(&back);
    field_free(&other);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(plain);
    fmc_ctx_destroy(ctx);
}

static void try_edge(const edge *e, size_t goal, uint32_t effort, uint32_t coder, int is_strange)
{
    test_case c;

    make_edge(&c, e, is_strange);
    c.params.bound_kind = goals[goal].kind;
    c.params.bound = goals[goal].bound;
    c.params.effort = effort;
    c.params.coder = coder;
    snprintf(c.text, sizeof c.text, "%s, %s, effort %u, coder %u%s", e->name, goals[goal].name, effort, coder,
             is_strange ? ", not contiguous" : "");
    round_trip(&c, e);
    case_free(&c);
}

/* FMC_QUICK in the environment: effort 1 only, for slow builds. */
static uint32_t last_effort(void)
{
    return getenv("FMC_QUICK") ? 1 : 9;
}

static void every_bound_and_effort_holds(void **state)
{
    const uint32_t last = last_effort();

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t goal = 0; goal < sizeof goals / sizeof *goals; goal++)
            for (uint32_t effort = 1; effort <= last; effort += 4)
                try_edge(&edges[i], goal, effort, FMC_CODER_AUTO, 0);
}

static void every_coder_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t goal = 0; goal < sizeof goals / sizeof *goals; goal++)
            for (uint32_t coder = FMC_CODER_TRANSFORM; coder <= FMC_CODER_EXACT; coder++)
                try_edge(&edges[i], goal, last_effort() == 1 ? 1 : 5, coder, 0);
}

static void the_coder_of_patches_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t goal = 0; goal < sizeof goals / sizeof *goals; goal++)
            try_edge(&edges[i], goal, last_effort() == 1 ? 1 : 5, FMC_CODER_PCA, 0);
}

static void arrays_that_are_not_contiguous_are_ordinary(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t goal = 0; goal < sizeof goals / sizeof *goals; goal++)
            try_edge(&edges[i], goal, 1, FMC_CODER_AUTO, 1);
}

/* One row for all steps: a stride of 0 is legal for input. */
static void a_stride_of_zero_repeats_samples(void **state)
{
    static float row[64], back[20][64];
    const uint64_t dim[] = { 20, 64 };
    fmc_ctx *ctx = case_context("best");
    fmc_array a, out;
    fmc_params p;
    void *bytes;
    size_t size;

    (void)state;
    for (int i = 0; i < 64; i++)
        row[i] = (float)wave((uint64_t)i, 64);
    fmc_array_init(&a, FMC_F32, 2, dim, row);
    a.stride[0] = 0;
    fmc_params_init(&p, sizeof p);
    p.bound_kind = FMC_BOUND_LOSSLESS;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    fmc_array_init(&out, FMC_F32, 2, dim, back);
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &out), FMC_OK);
    for (int t = 0; t < 20; t++)
        assert_memory_equal(back[t], row, sizeof row);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bound_and_effort_holds),
        cmocka_unit_test(every_coder_holds), cmocka_unit_test(the_coder_of_patches_holds),
        cmocka_unit_test(arrays_that_are_not_contiguous_are_ordinary),
        cmocka_unit_test(a_stride_of_zero_repeats_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
