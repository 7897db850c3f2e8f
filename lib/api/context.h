/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_CONTEXT_H
#define FMC_API_CONTEXT_H

#include <pthread.h>
#include "core/exec.h"
#include "core/fpenv.h"
#include "core/pool.h"
#include "core/team.h"
#include "ops/backend.h"

enum { FMC_MESSAGE_SIZE = 256 };

/** Everything that lives longer than a call. */
struct fmc_ctx {
    fmc_allocator             alloc;
    const struct fmc_kernels *kernels;
    fmc_backends              backends;         /* who runs networks */
    fmc_parallel_for_fn       parallel_for;
    void                     *parallel_for_user;
    fmc_progress_fn           progress;
    void                     *progress_user;
    uint64_t                  max_output_size;  /* 0: none */
    uint64_t                  max_output_ratio; /* > 0 */
    /* the call in progress */
    atomic_int                cancelled;
    _Atomic uint64_t          work_done;        /* of work_total, any unit */
    uint64_t                  work_total;
    uint64_t                  last_report;      /* ns; of the calling thread */
    pthread_t                 caller;
    fenv_t                    env;
    fmc_team                  team;             /* its threads end with the call */
    char                      message[FMC_MESSAGE_SIZE];
    struct fmc_pool_segment  *scratch;          /* from call to call: core/pool */
    /* models for decoding */
    const fmc_model         **model;            /* the caller's, borrowed */
    uint32_t                  n_models;
    pthread_mutex_t           own_lock;
    fmc_model                *own_model;        /* built in; NULL until it is needed */
    fmc_model                *own_prior;        /* the same of architecture `prior` */
};

/** fmc_exec.find_model of a context. Any thread. */
const fmc_model *fmc_ctx_find_model(void *ctx, uint64_t hash);

/** The model that is built in, opened if it is not yet; *out NULL: there is none. Any thread. @return also _NO_MEMORY. */
fmc_status fmc_ctx_open_own(fmc_ctx *ctx, const fmc_model **out);

/** The same of the built-in model of architecture `prior`. */
fmc_status fmc_ctx_open_own_prior(fmc_ctx *ctx, const fmc_model **out);

/** Release what models.c keeps in a context. */
void fmc_ctx_drop_models(fmc_ctx *ctx);

/**
 * Begin a public call: empties the message, resets cancel and progress, saves the floating-point environment and sets
 * the default one. @param n_threads as in the public API, 0: one per core.
 */
fmc_exec fmc_ctx_enter(fmc_ctx *ctx, uint32_t n_threads);

/** End it: restores the environment, makes sure that a failure has a message. @return st. */
fmc_status fmc_ctx_leave(fmc_ctx *ctx, fmc_status st);

/** Set the message (the first one of a call stays) and return st. ctx may be NULL. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
fmc_status fmc_fail(fmc_ctx *ctx, fmc_status st, const char *format, ...);

/** How much work the call has; resets what is done. Calling thread only. */
void fmc_work_begin(fmc_ctx *ctx, uint64_t total);

/** Some of it is done. Any thread. */
void fmc_work_add(fmc_ctx *ctx, uint64_t amount);

/** Tell the caller now. Calling thread only. @return FMC_OK, FMC_ERR_CANCELLED. */
fmc_status fmc_work_report(fmc_ctx *ctx);

/**
 * Check a declared size against the context's limits before anything of that size is allocated.
 * @return FMC_OK, FMC_ERR_LIMIT with a message.
 */
fmc_status fmc_ctx_check_limit(fmc_ctx *ctx, uint64_t decoded, uint64_t compressed);

/**
 * Take a public struct that begins with struct_size: copies what is known over *own, refuses unknown non-zero bytes.
 * @param size  bytes of this library's struct. Nothing is copied on failure.
 * @return FMC_OK, FMC_ERR_ARG.
 */
fmc_status fmc_struct_take(const void *theirs, void *own, size_t size);

/** Give a result struct back: as many bytes as the caller's struct_size says, the rest zero. @return FMC_OK, _ARG. */
fmc_status fmc_struct_give(const void *own, size_t size, void *theirs);

#endif
