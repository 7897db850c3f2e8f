/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_LAYOUT_H
#define FMC_CONTAINER_LAYOUT_H

#include "container/header.h"

/** A box of samples: first index and extents per axis. */
typedef struct fmc_box {
    uint64_t start[FMC_MAX_RANK];
    uint64_t dim[FMC_MAX_RANK];
} fmc_box;

/** Cells of the chunk grid along axis a (docs/format.md 4); 0 for an empty axis. Not for a streamed axis 0. */
uint64_t fmc_layout_grid(const fmc_header *h, uint32_t a);

/** Chunks of one slab; saturates above FMC_MAX_CHUNKS. 0 if an extent is 0. */
uint64_t fmc_layout_slab_count(const fmc_header *h);

/** All chunks; those of one slab if the header is streamed. Saturates above FMC_MAX_CHUNKS. */
uint64_t fmc_layout_count(const fmc_header *h);

/** Bytes of the whole array, taking empty axes for 1; saturates at UINT64_MAX. */
uint64_t fmc_layout_bytes(const fmc_header *h);

/** Place of chunk `place` (C order) inside its slab: fills start and dim of the axes 1.. of *box. */
void fmc_layout_place(const fmc_header *h, uint64_t place, fmc_box *box);

/** Samples of a box (the caller knows that it does not overflow). */
uint64_t fmc_box_count(const fmc_box *box, uint32_t rank);

/**
 * Choose h->chunk for h->dim (docs/format.md 4, "Extents chosen by the encoder").
 * @param wish  rank extents, 0 = choose; more than the axis has means the whole axis.
 * A streamed header has dim[0] = 0 before and after.
 */
void fmc_layout_choose(fmc_header *h, const uint64_t *wish);

#endif
