/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of their own on threads of their own, each using threads: no shared state, the same bytes. For TSan too. */
#include "case.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4 };

typedef struct work {
    const fmc_array *array;
    uint32_t n_threads;
    void    *bytes; /* malloc */
    size_t   size;
    fmc_status st;
} work;

static float samples[24 * 40 * 50];

static fmc_status compress_into(fmc_ctx *ctx, work *w)
{
    fmc_params p;
    fmc_status st = fmc_params_init(&p, sizeof p);

    p.n_threads = w->n_threads;
    p.chunk[0] = 6; /* several chunks in flight */
    w->size = (size_t)fmc_compress_bound(w->array, &p);
    w->bytes = malloc(w->size);
    return st == FMC_OK && w->bytes ? fmc_compress(ctx, w->array, &p, w->bytes, w->size, &w->size) : FMC_ERR_NO_MEMORY;
}

static void *round_trip(void *user)
{
    work *w = user;
    fmc_ctx *ctx = NULL;
    fmc_array back;

    w->st = fmc_ctx_create(NULL, &ctx);
    if (w->st == FMC_OK)
        w->st = compress_into(ctx, w);
    if (w->st == FMC_OK) {
        w->st = fmc_decompress_alloc(ctx, w->bytes, w->size, w->n_threads, &back);
        fmc_free(ctx, back.data);
    }
    fmc_ctx_destroy(ctx);
    return NULL;
}

static void contexts_share_nothing(void **state)
{
    const uint64_t dim[] = { 24, 40, 50 };
    pthread_t thread[THREADS];
    work w[THREADS];
    fmc_array a;

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        samples[i] = (float)((i % 50) * (i % 50) + i / 50 % 40 * 30 + i * 2654435761u % 64);
    fmc_array_init(&a, FMC_F32, 3, dim, samples);
    for (uint32_t i = 0; i < THREADS; i++) {
        w[i] = (work){ .array = &a, .n_threads = 1 + i };
        assert_int_equal(pthread_create(&thread[i], NULL, round_trip, &w[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(w[i].st, FMC_OK);
        assert_int_equal(w[i].size, w[0].size);
        assert_memory_equal(w[i].bytes, w[0].bytes, w[0].size);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        free(w[i].bytes);
}

/* The caller's loop, backwards. */
static int backwards(void *user, uint32_t n, void (*task)(void *task_user, uint32_t i), void *task_user)
{
    ++*(uint32_t *)user;
    while (n-- > 0)
        task(task_user, n);
    return 0;
}

static void any_loop_of_the_caller_gives_the_same_bytes(void **state)
{
    const uint64_t dim[] = { 24, 40, 50 };
    uint32_t n_loops = 0;
    fmc_ctx_options options = { .struct_size = sizeof options, .parallel_for = backwards, .parallel_for_user = &n_loops };
    work own = { .n_threads = 2 }, theirs = { .n_threads = 2 };
    fmc_array a;
    fmc_ctx *ctx;

    (void)state;
    fmc_array_init(&a, FMC_F32, 3, dim, samples);
    own.array = theirs.array = &a;
    assert_int_equal(fmc_ctx_create(&options, &ctx), FMC_OK);
    assert_int_equal(compress_into(ctx, &theirs), FMC_OK);
    fmc_ctx_destroy(ctx);
    assert_int_equal(fmc_ctx_create(NULL, &ctx), FMC_OK);
    assert_int_equal(compress_into(ctx, &own), FMC_OK);
    fmc_ctx_destroy(ctx);
    assert_true(n_loops > 0);
    assert_int_equal(own.size, theirs.size);
    assert_memory_equal(own.bytes, theirs.bytes, own.size);
    free(own.bytes);
    free(theirs.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_share_nothing),
        cmocka_unit_test(any_loop_of_the_caller_gives_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
