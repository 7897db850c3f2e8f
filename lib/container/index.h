/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_INDEX_H
#define FMC_CONTAINER_INDEX_H

#include "container/header.h"
#include "container/layout.h"
#include "container/source.h"

/** Where the chunks of a stream are. */
typedef struct fmc_index {
    uint64_t   count;       /* chunks listed */
    uint64_t   slab_count;  /* chunks of one slab; 0 if an extent is 0 */
    uint64_t  *offset;      /* [count + 1], owned: where record i begins; the last: where the records end */
    uint64_t  *slab_start;  /* streamed only: [n_slabs + 1], owned: first step of each slab; else NULL */
    uint64_t   n_slabs;
    uint64_t   dim0;        /* final dim[0], or the complete steps of a cut-off stream */
    uint32_t   is_complete;
    fmc_status why;         /* FMC_OK, or why the stream is not complete: FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT */
} fmc_index;

/**
 * List the chunks of a stream whose header ends at `begin`: from its tail if it has a good footer, else by reading
 * record heads one after another (docs/format.md 2).
 * @return FMC_OK (also for a cut-off stream), FMC_ERR_CORRUPT (contradictions under good checksums), _NO_MEMORY, _IO.
 */
fmc_status fmc_index_open(const fmc_allocator *alloc, const fmc_source *source, const fmc_header *h, uint64_t begin,
                          fmc_index *out);

void fmc_index_fini(const fmc_allocator *alloc, fmc_index *index);

/** The box of chunk i < count. */
void fmc_index_box(const fmc_index *index, const fmc_header *h, uint64_t i, fmc_box *box);

/** The slab that holds step t < dim0. Constant time, or a binary search where slabs differ. */
uint64_t fmc_index_slab(const fmc_index *index, const fmc_header *h, uint64_t t);

#endif
