/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_POOL_H
#define FMC_CORE_POOL_H

#include <pthread.h>
#include "core/alloc.h"
#include "core/status.h"

/**
 * An allocator that cuts large blocks out of segments, which it asks for once: coding chunks frees and asks for arrays
 * over and over, and fresh pages cost as much as the work on them. Segments are large enough for large pages.
 * Any thread may use it; fmc_pool_fini when everything from it has been freed. One segment may outlive the pool, so that
 * the next one finds pages that were touched already.
 */
typedef struct fmc_pool {
    fmc_allocator            base; /* what the pool's users take: base.user is the pool */
    const fmc_allocator     *under;
    size_t                   expected;
    pthread_mutex_t          lock; /* of the segments */
    struct fmc_pool_segment *segments;
    struct fmc_pool_segment **kept;
} fmc_pool;

/**
 * @param expected  bytes that may be in use at once: a segment's size. Pages that are never touched cost nothing.
 * @param kept      NULL, or where a pool before this one left a segment of the same allocator (NULL: none) and where
 *                  fmc_pool_fini leaves one of at most 256 MiB.
 */
fmc_status fmc_pool_init(fmc_pool *p, const fmc_allocator *under, size_t expected, struct fmc_pool_segment **kept);
void       fmc_pool_fini(fmc_pool *p);

/** Free what a pool left. */
void fmc_pool_drop(const fmc_allocator *under, struct fmc_pool_segment **kept);

#endif
