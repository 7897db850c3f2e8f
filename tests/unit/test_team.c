/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/exec.h"
#include "core/team.h"

enum { LOOPS = 3000, TASKS = 17 };

typedef struct sum {
    const fmc_exec *ex;
    atomic_uint     made[TASKS];
    int             is_outer;
} sum;

static fmc_status inner_task(void *user, uint32_t i)
{
    atomic_fetch_add(&((sum *)user)->made[i], 1);
    return FMC_OK;
}

static fmc_status task(void *user, uint32_t i)
{
    sum *s = user;

    atomic_fetch_add(&s->made[i], 1);
    return s->is_outer ? fmc_parallel_for(s->ex, TASKS, inner_task, s) : i == TASKS - 2 ? FMC_ERR_CORRUPT : FMC_OK;
}

static void all_tasks_run_once_in_each_loop(void **state)
{
    static const uint32_t threads[] = { 2, 5, 3, 32 };
    fmc_team t;

    (void)state;
    assert_int_equal(fmc_team_init(&t), FMC_OK);
    for (size_t n = 0; n < sizeof threads / sizeof *threads; n++) {
        const fmc_exec ex = { .n_threads = threads[n], .team = &t };
        sum s = { .ex = &ex };

        for (uint32_t i = 0; i < LOOPS; i++)
            assert_int_equal(fmc_parallel_for(&ex, i % 7 ? TASKS : 2, task, &s), i % 7 ? FMC_ERR_CORRUPT : FMC_OK);
        for (uint32_t i = 0; i < TASKS; i++)
            assert_int_equal(atomic_load(&s.made[i]), i < 2 ? LOOPS : LOOPS - (LOOPS + 6) / 7);
        if (n % 2)
            fmc_team_end(&t); /* and is used again */
    }
    fmc_team_end(&t);
    assert_int_equal(t.n_started, 0);
    fmc_team_fini(&t);
}

static void a_loop_within_a_loop_has_threads_of_its_own(void **state)
{
    fmc_team t;
    const fmc_exec ex = { .n_threads = 3, .team = &t };
    sum s = { .ex = &ex, .is_outer = 1 };

    (void)state;
    assert_int_equal(fmc_team_init(&t), FMC_OK);
    assert_int_equal(fmc_parallel_for(&ex, TASKS, task, &s), FMC_OK);
    for (uint32_t i = 0; i < TASKS; i++)
        assert_int_equal(atomic_load(&s.made[i]), 1 + TASKS);
    fmc_team_end(&t);
    fmc_team_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tasks_run_once_in_each_loop),
        cmocka_unit_test(a_loop_within_a_loop_has_threads_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
