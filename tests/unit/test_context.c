/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include <fenv.h>
#include "api/context.h"

static void options_are_checked(void **state)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    counter c = { 0 };
    fmc_ctx *ctx;

    (void)state;
    assert_int_equal(fmc_ctx_create(NULL, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_OK);
    fmc_ctx_destroy(ctx);
    o.reserved = 1;
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_ERR_ARG);
    assert_null(ctx);
    o.reserved = 0;
    o.allocator.alloc = counter_alloc; /* free missing */
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_ERR_ARG);
    o = (fmc_ctx_options){ 0 };
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_ERR_ARG);
    c.fail_at = 1;
    assert_null(counted_ctx(&c));
    fmc_ctx_destroy(NULL);
    fmc_free(NULL, NULL);
    assert_string_equal(fmc_ctx_message(NULL), "");
}

static void null_arguments_are_refused(void **state)
{
    const uint64_t dim[2] = { 4, 5 };
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    fmc_ctx *ctx;
    uint8_t buf[1000];
    void *bytes;
    size_t size;
    fmc_info info = { .struct_size = sizeof info };
    fmc_writer *w;
    fmc_reader *r;

    (void)state;
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_compress(NULL, &a, NULL, buf, sizeof buf, &size), FMC_ERR_ARG);
    assert_int_equal(fmc_compress(ctx, NULL, NULL, buf, sizeof buf, &size), FMC_ERR_ARG);
    assert_non_null(strstr(fmc_ctx_message(ctx), "src"));
    assert_int_equal(fmc_compress(ctx, &a, NULL, NULL, 1, &size), FMC_ERR_ARG);
    assert_int_equal(fmc_compress(ctx, &a, NULL, buf, sizeof buf, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_compress_alloc(ctx, &a, NULL, NULL, &size), FMC_ERR_ARG);
    assert_int_equal(fmc_compress_alloc(ctx, &a, NULL, &bytes, NULL), FMC_ERR_ARG);
    assert_null(bytes);
    assert_int_equal(fmc_decompress(ctx, NULL, 0, 1, &a), FMC_ERR_ARG);
    assert_int_equal(fmc_decompress(ctx, buf, 0, 1, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_decompress_alloc(ctx, buf, 0, 1, NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_inspect(ctx, NULL, 0, &info), FMC_ERR_ARG);
    assert_int_equal(fmc_inspect(NULL, buf, 0, &info), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_open(ctx, NULL, &a, NULL, &w), FMC_ERR_ARG);
    assert_int_equal(fmc_reader_open(ctx, NULL, &r), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_append(NULL, &a), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_flush(NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_writer_close(NULL), FMC_OK);
    assert_int_equal(fmc_reader_info(NULL, &info), FMC_ERR_ARG);
    fmc_reader_close(NULL);
    fmc_ctx_destroy(ctx);
    free(x);
}

static void limits_hold_before_anything_is_allocated(void **state)
{
    const uint64_t dim[2] = { 1000, 1000 };
    counter c = { 0 };
    fmc_ctx_options o = { .struct_size = sizeof o };
    fmc_params p = lossless();
    fmc_ctx *ctx, *limited;
    fmc_array a, out;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;

    (void)state;
    memset(x, 0, 4000000);
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    o.allocator = (fmc_allocator){ &c, counter_alloc, counter_free };
    o.max_output_size = 3999999;
    assert_int_equal(fmc_ctx_create(&o, &limited), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(limited, bytes, size, 1, &out), FMC_ERR_LIMIT);
    assert_non_null(strstr(fmc_ctx_message(limited), "max_output_size"));
    assert_int_equal(fmc_decompress(limited, bytes, size, 1, &a), FMC_ERR_LIMIT);
    assert_int_equal(c.n_live, 1);
    fmc_ctx_destroy(limited);
    o.max_output_size = 4000000;
    assert_int_equal(fmc_ctx_create(&o, &limited), FMC_OK);
    assert_int_equal(fmc_decompress_alloc(limited, bytes, size, 1, &out), FMC_OK);
    fmc_free(limited, out.data);
    fmc_ctx_destroy(limited);
    if (4000000 / size > 2) { /* the coder in use compresses zeros */
        o.max_output_size = 0;
        o.max_output_ratio = 2;
        assert_int_equal(fmc_ctx_create(&o, &limited), FMC_OK);
        assert_int_equal(fmc_decompress_alloc(limited, bytes, size, 1, &out), FMC_ERR_LIMIT);
        assert_non_null(strstr(fmc_ctx_message(limited), "max_output_ratio"));
        fmc_ctx_destroy(limited);
    }
    assert_int_equal(c.n_live, 0);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
    free(x);
}

static void rounding_mode_is_restored(void **state)
{
#ifdef FE_UPWARD
    const uint64_t dim[2] = { 10, 10 };
    fmc_ctx *ctx;
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    void *near, *up, *none;
    size_t near_size, up_size, none_size;

    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_compress_alloc(ctx, &a, NULL, &near, &near_size), FMC_OK);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    assert_int_equal(fmc_compress_alloc(ctx, &a, NULL, &up, &up_size), FMC_OK);
    assert_int_equal(fegetround(), FE_UPWARD);
    assert_int_equal(fmc_compress_alloc(ctx, NULL, NULL, &none, &none_size), FMC_ERR_ARG);
    assert_int_equal(fegetround(), FE_UPWARD);
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    assert_int_equal(up_size, near_size);
    assert_memory_equal(up, near, up_size);
    fmc_free(ctx, near);
    fmc_free(ctx, up);
    fmc_ctx_destroy(ctx);
    free(x);
#endif
    (void)state;
}

static void messages_fit_their_room(void **state)
{
    char longer[1000];
    fmc_ctx *ctx;

    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(fmc_fail(ctx, FMC_ERR_ARG, "%s", longer), FMC_ERR_ARG);
    assert_int_equal(strlen(fmc_ctx_message(ctx)), 255);
    fmc_ctx_destroy(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked), cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(limits_hold_before_anything_is_allocated), cmocka_unit_test(rounding_mode_is_restored),
        cmocka_unit_test(messages_fit_their_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
