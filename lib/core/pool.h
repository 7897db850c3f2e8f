/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_POOL_H
#define FMC_CORE_POOL_H

#include <stdatomic.h>
#include "core/alloc.h"

enum { FMC_POOL_SLOTS = 8 };

/**
 * An allocator that keeps large blocks which were freed and hands them out again: coding chunks frees and asks for
 * arrays of the same few sizes over and over, and fresh pages cost more than the work on them. A request that no kept
 * block fits gives those of its own order of size back first, so that peak memory hardly grows.
 * Any thread may use it; fmc_pool_fini when everything from it has been freed.
 */
typedef struct fmc_pool {
    fmc_allocator        base; /* what the pool's users take: base.user is the pool */
    const fmc_allocator *under;
    _Atomic(void *)      kept[FMC_POOL_SLOTS];
} fmc_pool;

void fmc_pool_init(fmc_pool *p, const fmc_allocator *under);
void fmc_pool_fini(fmc_pool *p);

#endif
