/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include <float.h>
#include <math.h>

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

static void lossless_shapes_come_back(void **state)
{
    const struct {
        uint32_t rank;
        uint64_t dim[FMC_MAX_RANK], chunk[FMC_MAX_RANK];
    } cases[] = {
        { 1, { 1 }, { 0 } },          { 1, { 1009 }, { 100 } },     { 2, { 1, 1 }, { 0 } },
        { 2, { 0, 7 }, { 0 } },       { 2, { 7, 0 }, { 0 } },       { 3, { 3, 3, 3 }, { 0 } },
        { 3, { 13, 1, 17 }, { 5 } },  { 3, { 9, 10, 11 }, { 2, 3, 4 } }, { 4, { 3, 4, 5, 6 }, { 0, 0, 2, 0 } },
        { 5, { 2, 3, 2, 5, 7 }, { 1, 2, 1, 3, 4 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fmc_params p = lossless();
        fmc_info info = { .struct_size = sizeof info };
        fmc_array a, out;
        float *x = make_f32(cases[i].rank, cases[i].dim, &a);
        const size_t n = (size_t)count_of(cases[i].rank, cases[i].dim);
        void *bytes;
        size_t size;

        memcpy(p.chunk, cases[i].chunk, sizeof p.chunk);
        assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
        assert_true(size <= fmc_compress_bound(&a, &p));
        assert_int_equal(fmc_inspect(ctx, bytes, size, &info), FMC_OK);
        assert_int_equal(info.is_complete, 1);
        assert_int_equal(info.stream_size, size);
        assert_memory_equal(info.dim, cases[i].dim, sizeof info.dim);
        assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 2, &out), FMC_OK);
        assert_int_equal(out.rank, cases[i].rank);
        assert_memory_equal(out.dim, cases[i].dim, sizeof out.dim);
        if (n)
            assert_memory_equal(out.data, x, n * sizeof *x);
        fmc_free(ctx, out.data);
        fmc_free(ctx, bytes);
        free(x);
    }
}

/* Input read backwards and transposed, output into a padded, transposed, unaligned place. */
static void strides_are_free_on_both_sides(void **state)
{
    const uint64_t dim[3] = { 6, 20, 13 };
    enum { N = 6 * 20 * 13, PITCH = 17 };
    fmc_params p = lossless();
    fmc_array a, plain, back;
    float *x = make_f32(3, dim, &plain);
    uint8_t *room = malloc(PITCH * 20 * 6 * 4 + 1);
    void *bytes;
    size_t size;

    (void)state;
    p.chunk[0] = 4;
    p.chunk[1] = 8;
    a = plain;
    a.dim[0] = 13;
    a.dim[2] = 6;
    a.stride[0] = -plain.stride[2];
    a.stride[2] = plain.stride[0];
    a.data = x + 12;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    fmc_array_init(&back, FMC_F32, 3, a.dim, room + 1);
    back.stride[2] = 20 * PITCH * 4;
    back.stride[1] = PITCH * 4;
    back.stride[0] = 4;
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &back), FMC_OK);
    for (size_t i = 0; i < 13; i++)
        for (size_t j = 0; j < 20; j++)
            for (size_t k = 0; k < 6; k++)
                assert_memory_equal(room + 1 + ((k * 20 + j) * PITCH + i) * 4, &x[(k * 20 + j) * 13 + 12 - i], 4);
    fmc_free(ctx, bytes);
    free(room);
    free(x);
}

static void worst_error(const float *x, const float *y, size_t n, double *worst, double *rmse)
{
    *worst = *rmse = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)x[i] - (double)y[i]);

        *worst = e > *worst ? e : *worst;
        *rmse += e * e;
    }
    *rmse = sqrt(*rmse / (double)n);
}

static void bounds_hold(void **state)
{
    const uint64_t dim[3] = { 8, 24, 25 };
    const struct {
        uint32_t kind;
        double   bound;
    } cases[] = { { FMC_BOUND_ABS, 0.5 },    { FMC_BOUND_REL, 1e-2 },  { FMC_BOUND_PW_REL, 1e-2 },
                  { FMC_BOUND_NRMSE, 1e-2 }, { FMC_BOUND_PSNR, 40 },   { FMC_BOUND_SIZE, 12000 } };
    fmc_array a, out;
    float *x = make_f32(3, dim, &a);
    const size_t n = 8 * 24 * 25;
    double low = DBL_MAX, high = -DBL_MAX;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fmc_params p = lossless();
        double worst, rmse;
        void *bytes;
        size_t size;

        p.bound_kind = cases[i].kind;
        p.bound = cases[i].bound;
        p.chunk[0] = 5;
        assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
        assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &out), FMC_OK);
        worst_error(x, out.data, n, &worst, &rmse);
        switch (p.bound_kind) {
        case FMC_BOUND_ABS:
            assert_true(worst <= p.bound);
            break;
        case FMC_BOUND_REL:
            assert_true(worst <= p.bound * (high - low));
            break;
        case FMC_BOUND_PW_REL:
            for (size_t k = 0; k < n; k++)
                assert_true(fabs((double)x[k] - (double)((float *)out.data)[k]) <= p.bound * fabs((double)x[k]));
            break;
        case FMC_BOUND_NRMSE:
            assert_true(rmse <= p.bound * (high - low));
            break;
        case FMC_BOUND_PSNR:
            assert_true(20 * log10((high - low) / rmse) >= p.bound);
            break;
        default:
            assert_true((double)size <= p.bound);
            break;
        }
        fmc_free(ctx, out.data);
        fmc_free(ctx, bytes);
    }
    free(x);
}

static void impossible_sizes_are_told(void **state)
{
    const uint64_t dim[2] = { 30, 40 };
    fmc_params p = lossless();
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;

    (void)state;
    p.bound_kind = FMC_BOUND_SIZE;
    p.bound = 20;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_ERR_UNREACHABLE_SIZE);
    assert_null(bytes);
    p.bound = 1e9; /* more than lossless needs: lossless */
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    {
        fmc_array out;

        assert_int_equal(fmc_decompress_alloc(ctx, bytes, size, 1, &out), FMC_OK);
        assert_memory_equal(out.data, x, 30 * 40 * sizeof *x);
        fmc_free(ctx, out.data);
    }
    fmc_free(ctx, bytes);
    free(x);
}

static void buffers_too_small_learn_the_size(void **state)
{
    const uint64_t dim[2] = { 30, 40 };
    fmc_params p = lossless();
    fmc_array a;
    float *x = make_f32(2, dim, &a);
    size_t need, size;
    uint8_t *buf;

    (void)state;
    assert_int_equal(fmc_compress(ctx, &a, &p, NULL, 0, &need), FMC_ERR_BUFFER_TOO_SMALL);
    buf = malloc(need);
    for (size_t cap = need - 20; cap < need; cap++) {
        uint8_t *small = malloc(cap);

        assert_int_equal(fmc_compress(ctx, &a, &p, small, cap, &size), FMC_ERR_BUFFER_TOO_SMALL);
        assert_int_equal(size, need);
        free(small);
    }
    assert_int_equal(fmc_compress(ctx, &a, &p, buf, need, &size), FMC_OK);
    assert_int_equal(size, need);
    free(buf);
    free(x);
}

static int backwards(void *user, uint32_t n, void (*task)(void *, uint32_t), void *task_user)
{
    ++*(uint32_t *)user;
    while (n > 0)
        task(task_user, --n);
    return 0;
}

static int broken_runner(void *user, uint32_t n, void (*task)(void *, uint32_t), void *task_user)
{
    (void)user;
    (void)n;
    (void)task;
    (void)task_user;
    return 1;
}

/* Any number of threads, and the caller's own runner in reverse order, give the same bytes and samples. */
static void threads_change_nothing(void **state)
{
    const uint64_t dim[3] = { 20, 30, 31 };
    uint32_t n_runs = 0;
    fmc_ctx_options o = { .struct_size = sizeof o, .parallel_for = backwards, .parallel_for_user = &n_runs };
    fmc_params p;
    fmc_array a, out;
    float *x = make_f32(3, dim, &a);
    void *one = NULL, *bytes;
    size_t one_size = 0, size;
    fmc_ctx *own;

    (void)state;
    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.chunk[0] = 3;
    p.chunk[1] = 8;
    assert_int_equal(fmc_ctx_create(&o, &own), FMC_OK);
    for (uint32_t k = 0; k < 6; k++) {
        fmc_ctx *c = k < 3 ? ctx : own;

        p.n_threads = (uint32_t[]){ 1, 2, 7, 1, 3, 64 }[k];
        assert_int_equal(fmc_compress_alloc(c, &a, &p, &bytes, &size), FMC_OK);
        if (k == 0) {
            one = bytes;
            one_size = size;
            continue;
        }
        assert_int_equal(size, one_size);
        assert_memory_equal(bytes, one, size);
        fmc_free(c, bytes);
    }
    assert_true(n_runs > 0);
    memset(x, 0, sizeof *x);
    for (uint32_t k = 0; k < 4; k++) {
        fmc_ctx *c = k < 2 ? ctx : own;

        assert_int_equal(fmc_decompress_alloc(c, one, one_size, k == 0 ? 1 : 5, &out), FMC_OK);
        if (k == 0)
            memcpy(x, out.data, 20 * 30 * 31 * sizeof *x);
        else
            assert_memory_equal(out.data, x, 20 * 30 * 31 * sizeof *x);
        fmc_free(c, out.data);
    }
    fmc_ctx_destroy(own);
    o.parallel_for = broken_runner;
    assert_int_equal(fmc_ctx_create(&o, &own), FMC_OK);
    p.n_threads = 2;
    assert_int_equal(fmc_compress_alloc(own, &a, &p, &bytes, &size), FMC_ERR_CANCELLED);
    assert_string_equal(fmc_ctx_message(own), "cancelled before it was finished");
    fmc_ctx_destroy(own);
    fmc_free(ctx, one);
    free(x);
}

static void wrong_destinations_are_refused(void **state)
{
    const uint64_t dim[2] = { 6, 7 };
    fmc_params p = lossless();
    fmc_array a, dst;
    float *x = make_f32(2, dim, &a);
    void *bytes;
    size_t size;

    (void)state;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    dst = a;
    dst.dim[1] = 6;
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &dst), FMC_ERR_ARG);
    assert_non_null(strstr(fmc_ctx_message(ctx), "dim[1]"));
    dst = a;
    dst.rank = 1;
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &dst), FMC_ERR_ARG);
    dst = a;
    dst.stride[0] = 0;
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &dst), FMC_ERR_ARG);
    dst = a;
    dst.dtype = FMC_F64;
    assert_int_equal(fmc_decompress(ctx, bytes, size, 1, &dst), FMC_ERR_ARG);
    fmc_free(ctx, bytes);
    free(x);
}

static void little_is_added_to_one_chunk(void **state)
{
    const uint64_t dim[3] = { 10, 11, 12 };
    fmc_params p = lossless();
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };
    fmc_array a;
    float *x = make_f32(3, dim, &a);
    void *bytes;
    size_t size;

    (void)state;
    p.bound_kind = FMC_BOUND_REL;
    p.bound = 1e-3;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    assert_int_equal(fmc_inspect_chunk(ctx, bytes, size, 0, &chunk), FMC_OK);
    assert_true(size - chunk.size <= 70 - 13);
    assert_int_equal(chunk.dim[2], 12);
    assert_true(chunk.abs_bound < 0); /* what a relative bound came to is not stored */
    assert_int_equal(fmc_inspect_chunk(ctx, bytes, size, 1, &chunk), FMC_ERR_ARG);
    fmc_free(ctx, bytes);
    p.bound_kind = FMC_BOUND_ABS;
    assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size), FMC_OK);
    assert_int_equal(fmc_inspect_chunk(ctx, bytes, size, 0, &chunk), FMC_OK);
    assert_true(chunk.abs_bound == 1e-3);
    fmc_free(ctx, bytes);
    free(x);
}

/* Under a relative bound a smooth field is the transform's, one that crosses zero often is not: all that fails there goes exact. */
static void relative_bounds_take_the_smaller_coder(void **state)
{
    enum { N = 96 };
    static float x[N * N];
    const uint64_t dim[2] = { N, N };
    fmc_array a;

    (void)state;
    fmc_array_init(&a, FMC_F32, 2, dim, x);
    for (int crosses = 0; crosses < 2; crosses++) {
        size_t size[3];

        for (int i = 0; i < N * N; i++)
            x[i] = (float)(sin(i / N * 0.11) * cos(i % N * 0.07) + (crosses ? 0 : 2));
        for (int k = 0; k < 3; k++) {
            static const uint32_t coder[] = { FMC_CODER_AUTO, FMC_CODER_TRANSFORM, FMC_CODER_INTERP };
            fmc_params p = lossless();
            void *bytes;

            p.bound_kind = FMC_BOUND_PW_REL;
            p.bound = 1e-2;
            p.coder = coder[k];
            assert_int_equal(fmc_compress_alloc(ctx, &a, &p, &bytes, &size[k]), FMC_OK);
            fmc_free(ctx, bytes);
        }
        assert_true(size[0] <= size[1] + size[1] / 50 && size[0] <= size[2] + size[2] / 50);
        if (!crosses)
            assert_true(size[0] < size[2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_shapes_come_back), cmocka_unit_test(strides_are_free_on_both_sides),
        cmocka_unit_test(bounds_hold), cmocka_unit_test(impossible_sizes_are_told),
        cmocka_unit_test(buffers_too_small_learn_the_size), cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(wrong_destinations_are_refused), cmocka_unit_test(little_is_added_to_one_chunk),
        cmocka_unit_test(relative_bounds_take_the_smaller_coder),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
