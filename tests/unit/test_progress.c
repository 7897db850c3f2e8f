/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"

/* A progress callback that cancels at its n-th call (0: never). */
typedef struct watch {
    uint32_t n_calls, cancel_at;
    double   last;
    int      went_back;
} watch;

static int on_progress(void *user, double fraction)
{
    watch *w = user;

    w->went_back |= fraction < w->last || fraction < 0 || fraction > 1;
    w->last = fraction;
    return ++w->n_calls == w->cancel_at;
}

static fmc_ctx *watched(watch *w, counter *c)
{
    fmc_ctx_options o = { .struct_size = sizeof o, .progress = on_progress, .progress_user = w };
    fmc_ctx *ctx;

    o.allocator = (fmc_allocator){ c, counter_alloc, counter_free };
    assert_int_equal(fmc_ctx_create(&o, &ctx), FMC_OK);
    return ctx;
}

static void progress_ends_at_one(void **state)
{
    const uint64_t dim[2] = { 40, 40 };
    watch w = { 0 };
    counter c = { 0 };
    fmc_ctx *ctx = watched(&w, &c);
    fmc_params p = lossless();
    fmc_array a, out;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;

    (void)state;
    p.chunk[0] = 4;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    assert_true(w.n_calls >= 3);
    assert_false(w.went_back);
    assert_true(w.last == 1);
    w = (watch){ 0 };
    assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &out), FMC_OK);
    assert_true(w.n_calls >= 3);
    assert_false(w.went_back);
    assert_true(w.last == 1);
    fmc_free(ctx, out.data);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
    assert_int_equal(c.n_live, 0);
    free(x);
}

/* Cancelling at any call ends the work with FMC_ERR_CANCELLED and no leak; the context stays usable. */
static void every_call_can_cancel(void **state)
{
    const uint64_t dim[2] = { 40, 40 };
    watch w = { 0 };
    counter c = { 0 };
    fmc_ctx *ctx = watched(&w, &c);
    fmc_params p = lossless();
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;
    uint32_t n_cancelled = 0;

    (void)state;
    p.chunk[0] = 4;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK); /* scratch stays with the context */
    fmc_free(ctx, bytes);
    for (uint32_t k = 1;; k++) {
        fmc_status st;
        const long before = c.n_live;

        w = (watch){ .cancel_at = k };
        st = fmc_compress_alloc(ctx, &a, &p, &bytes, &size);
        if (st == FMC_OK)
            break;
        assert_int_equal(st, FMC_ERR_CANCELLED);
        assert_null(bytes);
        assert_int_equal(c.n_live, before);
        assert_non_null(strstr(fmc_ctx_message(ctx), "cancelled before it was finished"));
        assert_non_null(strstr(fmc_ctx_message(ctx), "progress"));
        n_cancelled++;
    }
    assert_true(n_cancelled >= 3);
    n_cancelled = 0;
    for (uint32_t k = 1;; k++) {
        fmc_array out;
        fmc_status st;

        w = (watch){ .cancel_at = k };
        st = fmc_decompress_alloc(ctx, bytes, size, 1, &out);
        if (st == FMC_OK) {
            fmc_free(ctx, out.data);
            break;
        }
        assert_int_equal(st, FMC_ERR_CANCELLED);
        n_cancelled++;
    }
    assert_true(n_cancelled >= 3);
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
    assert_int_equal(c.n_live, 0);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_ends_at_one),
        cmocka_unit_test(every_call_can_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
