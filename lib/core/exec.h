/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_EXEC_H
#define FMC_CORE_EXEC_H

#include <stdatomic.h>
#include <fmc/fmc.h>
#include "core/alloc.h"

struct fmc_kernels;  /* ops/kernels.h */
struct fmc_backends; /* ops/backend.h */
struct fmc_team;     /* core/team.h */

/** The model of that hash among those that the caller has made known, borrowed; NULL: none. Any thread. */
typedef const fmc_model *(*fmc_find_model_fn)(void *user, uint64_t hash);

/**
 * What every internal function runs with: memory, threads, kernels, cancellation. Passed first, borrowed, const;
 * only `cancelled` changes under it.
 */
typedef struct fmc_exec {
    const fmc_allocator      *alloc;
    const struct fmc_kernels *kernels;
    struct fmc_backends      *backends;        /* who runs networks; NULL: the kernels */
    uint32_t                  n_threads;       /* >= 1 */
    struct fmc_team          *team;            /* own threads that stay from loop to loop; NULL: each loop starts its own */
    fmc_parallel_for_fn       parallel_for;    /* NULL: own threads */
    void                     *parallel_for_user;
    atomic_int               *cancelled;       /* non-zero: give up with FMC_ERR_CANCELLED; may be NULL */
    void                    (*poll)(void *);   /* called by fmc_is_cancelled, on any thread; may set *cancelled; may be NULL */
    void                     *poll_user;
    fmc_find_model_fn         find_model;      /* for decoding; NULL: there are none */
    void                     *find_model_user;
} fmc_exec;

/** One piece of parallel work. Runs in fmc's floating-point environment. */
typedef fmc_status (*fmc_task_fn)(void *user, uint32_t i);

/**
 * Run task(user, i) for i in [0, n) on up to ex->n_threads threads; waits for all.
 * @return the status of the lowest i that failed, else FMC_OK; FMC_ERR_CANCELLED if the caller's runner failed.
 * Results must not depend on order or thread count. Once cancelled, the tasks that are left are skipped.
 */
fmc_status fmc_parallel_for(const fmc_exec *ex, uint32_t n, fmc_task_fn task, void *user);

/** Zero a large block on all threads: fresh pages cost more than the zeros. */
fmc_status fmc_parallel_zero(const fmc_exec *ex, void *block, size_t size);

/** True once the caller has cancelled. Cheap; also what keeps the progress callback going. */
int fmc_is_cancelled(const fmc_exec *ex);

/** Number of processors online, >= 1. */
uint32_t fmc_cpu_count(void);

#endif
