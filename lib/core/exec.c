/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "core/exec.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "core/fpenv.h"
#include "core/team.h"

enum { MAX_THREADS = 256 };

/* Bytes that a task zeroes. */
#define ZEROED ((size_t)1 << 20)

typedef struct job {
    const fmc_exec *ex;
    fmc_task_fn task;
    void       *user;
    uint32_t    n;
    atomic_uint next;
    /* (index << 8 | status) of the lowest failed index; all ones: none */
    _Atomic uint64_t failed;
} job;

int fmc_is_cancelled(const fmc_exec *ex)
{
    if (ex->poll)
        ex->poll(ex->poll_user);
    return ex->cancelled && atomic_load_explicit(ex->cancelled, memory_order_relaxed);
}

uint32_t fmc_cpu_count(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (uint32_t)n;
}

static void note_failure(job *j, uint32_t i, fmc_status st)
{
    const uint64_t mine = (uint64_t)i << 8 | (uint64_t)st;
    uint64_t seen = atomic_load(&j->failed);

    while (mine < seen && !atomic_compare_exchange_weak(&j->failed, &seen, mine))
        ;
}

static void run_one(void *user, uint32_t i)
{
    job *j = user;
    fenv_t saved;
    fmc_status st;

    fmc_fpenv_enter(&saved);
    st = fmc_is_cancelled(j->ex) ? FMC_ERR_CANCELLED : j->task(j->user, i);
    fmc_fpenv_leave(&saved);
    if (st != FMC_OK)
        note_failure(j, i, st);
}

static void run_many(void *user)
{
    job *j = user;
    uint32_t i;

    while ((i = atomic_fetch_add(&j->next, 1)) < j->n)
        run_one(j, i);
}

static void *run_thread(void *user)
{
    run_many(user);
    return NULL;
}

static void run_threads(job *j, uint32_t n_threads)
{
    pthread_t thread[MAX_THREADS];
    uint32_t started = 0;

    while (started + 1 < n_threads && !pthread_create(&thread[started], NULL, run_thread, j))
        started++;
    run_many(j); /* also does everything when no thread could be started */
    while (started > 0)
        pthread_join(thread[--started], NULL);
}

fmc_status fmc_parallel_for(const fmc_exec *ex, uint32_t n, fmc_task_fn task, void *user)
{
    job j = { .ex = ex, .task = task, .user = user, .n = n };
    uint32_t n_threads = ex->n_threads < n ? ex->n_threads : n;
    uint64_t failed;

    atomic_init(&j.next, 0);
    atomic_init(&j.failed, UINT64_MAX);
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    if (n <= 1 || (n_threads <= 1 && !ex->parallel_for)) {
        for (uint32_t i = 0; i < n; i++)
            run_one(&j, i);
    } else if (ex->parallel_for) {
        if (ex->parallel_for(ex->parallel_for_user, n, run_one, &j))
            return FMC_ERR_CANCELLED;
    } else if (!ex->team || !fmc_team_run(ex->team, n_threads - 1, run_many, &j)) {
        run_threads(&j, n_threads);
    }
    failed = atomic_load(&j.failed);
    return failed == UINT64_MAX ? FMC_OK : (fmc_status)(failed & 255);
}

typedef struct zero_job {
    unsigned char *block;
    size_t         size;
} zero_job;

static fmc_status zero_piece(void *user, uint32_t i)
{
    const zero_job *j = user;
    const size_t first = i * ZEROED, left = j->size - first;

    memset(j->block + first, 0, left < ZEROED ? left : ZEROED);
    return FMC_OK;
}

fmc_status fmc_parallel_zero(const fmc_exec *ex, void *block, size_t size)
{
    zero_job j = { block, size };
    const size_t n = size / ZEROED + (size % ZEROED != 0);

    if (n > UINT32_MAX)
        return FMC_ERR_LIMIT;
    return fmc_parallel_for(ex, (uint32_t)n, zero_piece, &j);
}
