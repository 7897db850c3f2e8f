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
} counter;

static void *count_alloc(void *user, size_t size)
{
    counter *c = user;

    if (++c->calls == c->fail_at)
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

static void large_blocks_come_again(void **state)
{
    counter c = { 0 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    fmc_pool p;
    void *a, *b;

    (void)state;
    fmc_pool_init(&p, &under);
    a = p.base.alloc(p.base.user, 1 << 20);
    assert_true((uintptr_t)a % sizeof(long double) == 0);
    memset(a, 1, 1 << 20);
    p.base.free(p.base.user, a);
    assert_int_equal(c.now, 1);
    b = p.base.alloc(p.base.user, (1 << 20) - 1000); /* fits well enough */
    assert_ptr_equal(a, b);
    assert_int_equal(c.calls, 1);
    p.base.free(p.base.user, b);
    b = p.base.alloc(p.base.user, 1 << 21); /* does not: what was kept goes first */
    assert_int_equal(c.now, 1);
    p.base.free(p.base.user, b);
    a = p.base.alloc(p.base.user, 100); /* small ones are not kept, and move nothing */
    assert_int_equal(c.now, 2);
    p.base.free(p.base.user, a);
    assert_int_equal(c.now, 1);
    p.base.free(p.base.user, NULL);
    fmc_pool_fini(&p);
    assert_int_equal(c.now, 0);
}

static void more_blocks_than_slots(void **state)
{
    counter c = { 0 };
    const fmc_allocator under = { &c, count_alloc, count_free };
    void *block[3 * FMC_POOL_SLOTS];
    fmc_pool p;

    (void)state;
    fmc_pool_init(&p, &under);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3 * FMC_POOL_SLOTS; i++) {
            block[i] = p.base.alloc(p.base.user, (size_t)(100000 + i));
            memset(block[i], i, (size_t)(100000 + i));
        }
        for (int i = 0; i < 3 * FMC_POOL_SLOTS; i++) {
            assert_int_equal(((uint8_t *)block[i])[100000 + i - 1], i);
            p.base.free(p.base.user, block[i]);
        }
        assert_int_equal(c.now, FMC_POOL_SLOTS);
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
    fmc_pool_init(&p, &under);
    a = p.base.alloc(p.base.user, 1 << 17);
    assert_non_null(a);
    assert_null(p.base.alloc(p.base.user, 1 << 17));
    assert_null(p.base.alloc(p.base.user, SIZE_MAX));
    p.base.free(p.base.user, a);
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
    fmc_pool_init(&p, &fmc_system_allocator);
    assert_int_equal(fmc_parallel_for(&ex, 16, use_some, &p), FMC_OK);
    fmc_pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(large_blocks_come_again),
                                        cmocka_unit_test(more_blocks_than_slots),
                                        cmocka_unit_test(failure_reaches_the_caller),
                                        cmocka_unit_test(threads_share_it) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
