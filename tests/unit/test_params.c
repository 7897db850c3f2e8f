/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include <math.h>
#include "api/params.h"

static fmc_ctx *ctx;

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

static fmc_status compress_with(const fmc_params *p)
{
    const uint64_t dim[2] = { 4, 5 };
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;
    const fmc_status st = fmc_compress_alloc(ctx, &a, p, &bytes, &size);

    if (st == FMC_OK)
        assert_string_equal(fmc_ctx_message(ctx), "");
    else
        assert_true(strlen(fmc_ctx_message(ctx)) > 10);
    fmc_free(ctx, bytes);
    free(x);
    return st;
}

static void defaults_are_as_documented(void **state)
{
    fmc_params p;

    (void)state;
    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    assert_int_equal(p.bound_kind, FMC_BOUND_REL);
    assert_true(p.bound == 1e-3);
    assert_int_equal(p.effort, 5);
    assert_int_equal(p.struct_size, sizeof p);
    assert_int_equal(fmc_params_init(NULL, sizeof p), FMC_ERR_ARG);
    assert_int_equal(fmc_params_init(&p, 4), FMC_ERR_ARG);
    assert_int_equal(compress_with(NULL), FMC_OK);
}

static void longer_structs_must_end_in_zeros(void **state)
{
    struct {
        fmc_params p;
        uint64_t   more;
    } newer;

    (void)state;
    assert_int_equal(fmc_params_init(&newer.p, sizeof newer), FMC_OK);
    assert_int_equal(compress_with(&newer.p), FMC_OK);
    newer.more = 1;
    assert_int_equal(compress_with(&newer.p), FMC_ERR_ARG);
    newer.p.struct_size = 0;
    assert_int_equal(compress_with(&newer.p), FMC_ERR_ARG);
    newer.p.struct_size = UINT32_MAX;
    assert_int_equal(compress_with(&newer.p), FMC_ERR_ARG);
}

static void bad_values_are_refused(void **state)
{
    const double bounds[] = { 0, -1, NAN, INFINITY, -INFINITY };
    fmc_params p = lossless();

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        p = lossless();
        p.bound = bounds[i];
        assert_int_equal(compress_with(&p), FMC_OK); /* ignored */
        for (uint32_t kind = FMC_BOUND_ABS; kind <= FMC_BOUND_SIZE; kind++) {
            p.bound_kind = kind;
            assert_int_equal(compress_with(&p), FMC_ERR_ARG);
        }
    }
    p = lossless();
    p.bound_kind = 7;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.effort = 0;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p.effort = 10;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.coder = 5;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.axis[4] = 4;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.has_fill = 2;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.no_model = 2;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.coder = FMC_CODER_VAE; /* predicts nothing lossless */
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p = lossless();
    p.bound_kind = FMC_BOUND_ABS;
    p.coder = FMC_CODER_VAE | FMC_CODER_EXACT;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
    p.coder = FMC_CODER_VAE;
    p.no_model = 1;
    assert_int_equal(compress_with(&p), FMC_ERR_ARG);
}

static void effort_acts_as_the_one_below(void **state)
{
    const uint32_t acts[10] = { 0, 1, 1, 1, 1, 5, 5, 7, 7, 9 };
    fmc_params p = lossless(), out;

    (void)state;
    for (uint32_t e = 1; e <= 9; e++) {
        p.effort = e;
        assert_int_equal(fmc_params_take(ctx, &p, FMC_F32, &out), FMC_OK);
        assert_int_equal(out.effort, acts[e]);
    }
}

static void fill_becomes_a_value_of_the_type(void **state)
{
    fmc_params p = lossless(), out;

    (void)state;
    p.has_fill = 1;
    p.fill_value = 0.1;
    assert_int_equal(fmc_params_take(ctx, &p, FMC_F32, &out), FMC_OK);
    assert_true(out.fill_value == (double)0.1f);
    assert_int_equal(fmc_params_take(ctx, &p, FMC_F64, &out), FMC_OK);
    assert_true(out.fill_value == 0.1);
    p.fill_value = 1e300; /* no f32 equals it */
    assert_int_equal(fmc_params_take(ctx, &p, FMC_F32, &out), FMC_OK);
    assert_int_equal(out.has_fill, 0);
    assert_int_equal(fmc_params_take(ctx, &p, FMC_F64, &out), FMC_OK);
    assert_int_equal(out.has_fill, 1);
    p.fill_value = NAN;
    assert_int_equal(fmc_params_take(ctx, &p, FMC_F64, &out), FMC_OK);
    assert_int_equal(out.has_fill, 0);
}

static void too_many_chunks_are_refused(void **state)
{
    const uint64_t dim[2] = { 1 << 15, 1 << 15 };
    float one = 1;
    fmc_params p = lossless();
    fmc_array a;
    void *bytes;
    size_t size;

    (void)state;
    fmc_array_init(&a, FMC_F32, 2, dim, &one);
    a.stride[0] = a.stride[1] = 0;
    p.chunk[0] = p.chunk[1] = 1;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_ERR_ARG);
    assert_non_null(strstr(fmc_ctx_message(ctx), "chunk"));
    assert_int_equal(fmc_compress_bound(&a, &p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_as_documented), cmocka_unit_test(longer_structs_must_end_in_zeros),
        cmocka_unit_test(bad_values_are_refused),     cmocka_unit_test(effort_acts_as_the_one_below),
        cmocka_unit_test(fill_becomes_a_value_of_the_type), cmocka_unit_test(too_many_chunks_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
