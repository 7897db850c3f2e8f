/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/exec.h"
#include "core/pool.h"

typedef struct counter {
    size_t now, calls, fail_at; /* blocks alive, allocations so far, the one that fails (0: none) */
    size_t most;                /* larger ones fail (0: none) */
} counter;

static void *count_alloc(void *user, size_t size)
{
    counter *c = user;

    if (++c->calls == c->fail_at || (c->most && size > c->most))
        return NULL;
    c->now++;
    return malloc(size);
}

static void count_free(void *user, void *ptr)
{
    counter *c = user;

    c->now -= ptr != NULL;
    free(ptr);
}

static void *take(fmc_pool *p, size_t size)
{
    void *a = p->base.alloc(p->base.user, size);

    assert_non_null(a);
    assert_true((uintptr_t)a % sizeof(long double) == 0);
    memset(a, 1, size);
    return a;
}

static void give(fmc_pool *p, void *a)
{
    p->base.free(p->base.user, a);
}

static void large_blocks_share_a_segment(void **state)
{
    counter c = { 0 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    fmc_pool p;
    void *a, *b, *small;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 22, NULL), FMC_OK);
    assert_int_equal(c.calls, 0); /* nothing before it is needed */
    a = take(&p, 1 << 20);
    b = take(&p, 1 << 20);
    assert_int_equal(c.calls, 1);
    give(&p, a);
    assert_ptr_equal(take(&p, (1 << 20) - 1000), a);
    give(&p, a);
    give(&p, b);
    a = take(&p, (1 << 22) - 1000); /* free neighbours are one block */
    assert_int_equal(c.calls, 1);
    small = take(&p, 100); /* small ones are the allocator's underneath */
    assert_int_equal(c.now, 2);
    give(&p, small);
    assert_int_equal(c.now, 1);
    b = take(&p, 1 << 23); /* larger than a segment */
    assert_int_equal(c.now, 2);
    give(&p, b);
    give(&p, a);
    give(&p, NULL);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 0);
}

/* Freed in any order, neighbours join: in the end all of the segment is one block again. */
static void freed_blocks_join(void **state)
{
    enum { N = 24 };
    counter c = { 0 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    uint8_t *block[N];
    fmc_pool p;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &under, (size_t)N << 17, NULL), FMC_OK);
    for (size_t round = 0; round < 4; round++) {
        const size_t step = round == 0 ? 1 : round == 1 ? 5 : round == 2 ? 7 : N - 1; /* prime to N */

        for (size_t i = 0; i < N; i++) {
            block[i] = take(&p, 100000 + i);
            memset(block[i], (int)i, 100000 + i);
        }
        for (size_t i = 0; i < N; i++) {
            const size_t k = i * step % N;

            assert_int_equal(block[k][100000 + k - 1], k);
            give(&p, block[k]);
        }
        give(&p, take(&p, ((size_t)N << 17) - 1000));
        assert_int_equal(c.calls, 1);
    }
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 0);
}

static void failure_reaches_the_caller(void **state)
{
    counter c = { .fail_at = 2 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    fmc_pool p;
    void *a;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &under, 0, NULL), FMC_OK);
    a = take(&p, 1 << 17);
    assert_null(p.base.alloc(p.base.user, 1 << 17));
    assert_null(p.base.alloc(p.base.user, SIZE_MAX));
    give(&p, a);
    assert_ptr_equal(take(&p, 1 << 17), a);
    give(&p, a);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 0);
}

/* Threads take and give back at once; every block is one thread's alone. */
static fmc_status use_some(void *user, uint32_t i)
{
    fmc_pool *p = user;

    for (int k = 0; k < 200; k++) {
        const size_t size = (size_t)(70000 + 5000 * ((i + (uint32_t)k) % 5));
        uint8_t *a = p->base.alloc(p->base.user, size);

        if (!a)
            return FMC_ERR_NO_MEMORY;
        memset(a, (int)i, size);
        for (size_t at = 0; at < size; at += 997)
            if (a[at] != i)
                return FMC_ERR_CORRUPT;
        p->base.free(p->base.user, a);
    }
    return FMC_OK;
}

static void threads_share_it(void **state)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 4 };
    fmc_pool p;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &fmc_system_allocator, 1 << 18, NULL), FMC_OK);
    assert_int_equal(fmc_parallel_for(&ex, 16, use_some, &p), FMC_OK);
    fmc_pool_fini(&p);
}

/* Whoever has not the room that is expected may have what is needed. */
static void segments_are_as_small_as_they_must_be(void **state)
{
    counter c = { .most = 1 << 18 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    fmc_pool p;
    void *a, *b;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 22, NULL), FMC_OK);
    a = take(&p, 1 << 17);
    b = take(&p, 1 << 17);
    assert_int_equal(c.now, 2);
    assert_null(p.base.alloc(p.base.user, 1 << 18));
    give(&p, a);
    give(&p, b);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 0);
}

/* One segment goes from pool to pool while it is large enough. */
static void a_segment_is_left_to_the_next_pool(void **state)
{
    counter c = { 0 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    struct fmc_pool_segment *kept = NULL;
    fmc_pool p;
    void *a, *b;

    (void)state;
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 20, &kept), FMC_OK);
    fmc_pool_fini(&p);
    assert_null(kept);
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 20, &kept), FMC_OK);
    a = take(&p, 1 << 19);
    b = take(&p, 1 << 20); /* in a segment of its own, which goes */
    give(&p, a);
    give(&p, b);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 1);
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 18, &kept), FMC_OK);
    assert_ptr_equal(take(&p, 1 << 19), a);
    assert_int_equal(c.calls, 2);
    give(&p, a);
    fmc_pool_fini(&p);
    assert_int_equal(fmc_pool_init(&p, &under, 1 << 22, &kept), FMC_OK); /* too small now */
    assert_int_equal(c.now, 0);
    a = take(&p, 1 << 21);
    assert_int_equal(c.now, 1);
    give(&p, a);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 1);
    fmc_pool_drop(&under, &kept);
    fmc_pool_drop(&under, &kept);
    assert_int_equal(c.now, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(large_blocks_share_a_segment),
                                        cmocka_unit_test(freed_blocks_join),
                                        cmocka_unit_test(failure_reaches_the_caller),
                                        cmocka_unit_test(segments_are_as_small_as_they_must_be),
                                        cmocka_unit_test(a_segment_is_left_to_the_next_pool),
                                        cmocka_unit_test(threads_share_it) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
