/* SPDX-License-Identifier: Apache-2.0 */
/* Files of weights from anywhere: opened and described, or refused with a reason; never more. */
#include "model_data.h"

#include <fmc/fmc.h>
#include <xxhash.h>
#include "core/bytes_out.h"

static fmc_ctx *ctx;

static int open_context(void **state)
{
    (void)state;
    return fmc_ctx_create(NULL, &ctx) != FMC_OK;
}

static int close_context(void **state)
{
    (void)state;
    fmc_ctx_destroy(ctx);
    return 0;
}

static void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Make the hash right again, so that what is wrong is met behind it. */
static void rehash(uint8_t *data, size_t size)
{
    if (size > 24)
        put_u64(data + 16, XXH64(data + 24, size - 24, 0));
}

static fmc_status try_open(const uint8_t *data, size_t size)
{
    uint8_t *own = malloc(size ? size : 1); /* its own block: ASan sees the first byte beyond */
    fmc_model *m = NULL;
    fmc_status st;

    memcpy(own, data, size);
    st = fmc_model_open_buffer(ctx, own, size, &m);
    free(own);
    assert_true((st == FMC_OK) == (m != NULL));
    assert_true((st == FMC_OK) == (fmc_ctx_message(ctx)[0] == 0));
    fmc_model_close(m);
    return st;
}

static void model_tells_what_it_is(void **state)
{
    const file_bytes f = load_file("klt", ".fmcw");
    fmc_model_info info = { .struct_size = sizeof info };
    fmc_model *m;

    (void)state;
    assert_int_equal(fmc_model_open_buffer(ctx, f.data, f.size, &m), FMC_OK);
    assert_int_equal(fmc_model_describe(m, &info), FMC_OK);
    assert_string_equal(info.architecture, "vae");
    assert_int_equal(info.n_levels, 8);
    assert_int_equal(info.latent_channels, 3);
    assert_int_equal(info.hyper_channels, 5);
    assert_int_equal(info.patch[0], 4);
    assert_int_equal(info.file_size, f.size);
    assert_true(info.hash == XXH64(f.data + 24, f.size - 24, 0));
    assert_non_null(strstr(info.record, "purpose"));
    info.struct_size = 4;
    assert_int_equal(fmc_model_describe(m, &info), FMC_ERR_ARG);
    assert_int_equal(fmc_model_describe(NULL, &info), FMC_ERR_ARG);
    assert_int_equal(fmc_model_describe(m, NULL), FMC_ERR_ARG);
    fmc_model_close(m);
    fmc_model_close(NULL);
    free(f.data);
}

static void files_open_as_buffers_do(void **state)
{
    fmc_model *m;

    (void)state;
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_DATA "/faithful.fmcw", &m), FMC_OK);
    fmc_model_close(m);
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_DATA "/faithful.fmcv", &m), FMC_ERR_BAD_MODEL);
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_DATA "/no such file", &m), FMC_ERR_IO);
    assert_null(m);
    assert_int_equal(fmc_model_open_file(ctx, FMC_TEST_DATA, &m), FMC_ERR_IO);
    assert_int_equal(fmc_model_open_file(ctx, NULL, &m), FMC_ERR_ARG);
    assert_int_equal(fmc_model_open_file(NULL, "x", &m), FMC_ERR_ARG);
    assert_int_equal(fmc_model_open_file(ctx, "x", NULL), FMC_ERR_ARG);
    assert_int_equal(fmc_model_open_buffer(ctx, NULL, 5, &m), FMC_ERR_ARG);
    assert_int_equal(fmc_model_open_buffer(ctx, "", 0, &m), FMC_ERR_BAD_MODEL);
}

static void every_truncation_is_refused(void **state)
{
    const file_bytes f = load_file("faithful", ".fmcw");

    (void)state;
    for (size_t n = 0; n < f.size; n += n < 4000 ? 1 : 97) {
        const fmc_status st = try_open(f.data, n);

        assert_true(st == FMC_ERR_TRUNCATED || (n < 4 && st == FMC_ERR_BAD_MODEL));
        if (n >= 32 && n + 64 < f.size) { /* the same with a header that agrees; a file ends with padding */
            uint8_t *cut = malloc(n);

            memcpy(cut, f.data, n);
            put_u64(cut + 8, n);
            rehash(cut, n);
            assert_int_not_equal(try_open(cut, n), FMC_OK);
            free(cut);
        }
    }
    free(f.data);
}

/* What survives a flip must be safe to run: extreme latents through both programs. */
static void run_extremes(const uint8_t *data, size_t size)
{
    static const uint32_t dim[3] = { 5, 17, 40 };
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .kernels = fmc_kernels_select(FMC_SIMD_BEST), .n_threads = 1 };
    char why[FMC_WHY_SIZE];
    fmc_vae_shape s;
    fmc_model *m;
    int32_t *q, *mu, *field;
    uint8_t *index;

    if (fmc_model_make(&fmc_system_allocator, data, size, why, &m) != FMC_OK)
        return;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
    q = malloc((s.n_latents + s.n_hyper) * sizeof *q);
    mu = malloc(s.n_latents * sizeof *mu);
    index = malloc(s.n_latents);
    field = malloc((size_t)dim[0] * dim[1] * dim[2] * sizeof *field);
    for (size_t i = 0; i < s.n_latents + s.n_hyper; i++)
        q[i] = i % 3 == 0 ? 100000 : i % 3 == 1 ? -100000 : (int32_t)i % 7 - 3;
    (void)fmc_vae_hyper(&ex, m, 0, &s, q, mu, index);
    for (size_t i = 0; i < s.n_latents; i++) {
        mu[i] = i % 2 ? 100 : -100;
        index[i] = (uint8_t)(index[i] & 63);
    }
    assert_int_equal(fmc_vae_synthesise(&ex, m, 0, &s, q, mu, field), FMC_OK);
    for (size_t i = 0; i < (size_t)dim[0] * dim[1] * dim[2]; i++)
        assert_true(field[i] >= -(1 << 23) && field[i] < 1 << 23);
    free(q);
    free(mu);
    free(index);
    free(field);
    fmc_model_free(m);
}

static uint32_t seed = 12345;

static uint32_t next(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static void damaged_files_are_refused_or_safe(void **state)
{
    static const char *const names[] = { "faithful", "klt" };

    (void)state;
    for (int k = 0; k < 2; k++) {
        const file_bytes f = load_file(names[k], ".fmcw");
        size_t n_opened = 0;

        for (int i = 0; i < 3000; i++) {
            const uint32_t kind = next() % 4;
            /* most of what can go wrong is in the tables at the front */
            const size_t at = next() % (kind == 0 ? f.size : kind == 1 ? 32 * 1024 : 16 * 1024) % f.size;
            const uint8_t old = f.data[at];
            fmc_status st;

            f.data[at] = kind == 3 ? (uint8_t)(next() % 2 * 255) : (uint8_t)(old ^ 1u << next() % 8);
            if (i < 200 && f.data[at] != old)
                assert_int_not_equal(try_open(f.data, f.size), FMC_OK); /* the hash tells */
            rehash(f.data, f.size);
            st = try_open(f.data, f.size);
            n_opened += st == FMC_OK;
            if (st == FMC_OK && i % 4 == 0)
                run_extremes(f.data, f.size);
            f.data[at] = old;
        }
        rehash(f.data, f.size);
        assert_int_equal(try_open(f.data, f.size), FMC_OK);
        assert_true(n_opened > 0); /* weights may have any value within the budget */
        free(f.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_tells_what_it_is),
        cmocka_unit_test(files_open_as_buffers_do),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(damaged_files_are_refused_or_safe),
    };

    return cmocka_run_group_tests(tests, open_context, close_context);
}
