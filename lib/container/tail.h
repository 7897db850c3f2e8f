/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_TAIL_H
#define FMC_CONTAINER_TAIL_H

#include "container/index.h"
#include "core/bytes_out.h"

#define FMC_FOOTER_MAGIC "1CMF"
enum { FMC_FOOTER_SIZE = 12 };

/** What a writer remembers of the records it wrote (docs/format.md 2, Tail). */
typedef struct fmc_tail {
    uint64_t count;  /* records */
    uint64_t dim0;
    fmc_out  sizes;  /* one varint a record */
    fmc_out  steps;  /* one varint a slab; streamed only */
} fmc_tail;

fmc_tail fmc_tail_make(const fmc_allocator *alloc);
void     fmc_tail_fini(fmc_tail *tail);

/** Append tail and footer. Errors latch in out->st; FMC_ERR_LIMIT if the tail does not fit 32 bits. */
void fmc_tail_write(const fmc_tail *tail, fmc_out *out);

/**
 * Find the footer of a stream and fetch the tail before it.
 * @param tail  gets the bytes (owned or borrowed), empty if there is no good footer: the status is FMC_OK then too.
 * @param at    gets the offset of the tail.
 */
fmc_status fmc_tail_find(const fmc_allocator *alloc, const fmc_source *source, uint64_t begin, fmc_bytes *tail,
                         uint64_t *at);

/** Parse a tail that lies at `at` into a complete index. @return FMC_OK, FMC_ERR_CORRUPT, FMC_ERR_NO_MEMORY. */
fmc_status fmc_tail_parse(const fmc_allocator *alloc, fmc_in in, const fmc_header *h, uint64_t begin, uint64_t at,
                          fmc_index *out);

#endif
