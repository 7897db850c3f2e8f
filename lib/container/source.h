/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_SOURCE_H
#define FMC_CONTAINER_SOURCE_H

#include "core/alloc.h"
#include "core/bytes_in.h"

/** Where a stream's bytes are: memory, or the caller's IO. */
typedef struct fmc_source {
    const uint8_t *data; /* borrowed; NULL: read through io */
    fmc_io         io;
    uint64_t       size; /* bytes of the stream */
} fmc_source;

/** Some bytes of a source: borrowed from memory or owned. */
typedef struct fmc_bytes {
    const uint8_t *data;
    size_t         size;
    uint8_t       *owned; /* NULL: borrowed */
} fmc_bytes;

fmc_source fmc_source_memory(const void *data, size_t size);

/** Asks io for its size. @return FMC_OK, FMC_ERR_IO. */
fmc_status fmc_source_io(const fmc_io *io, fmc_source *out);

/**
 * Get `size` bytes at `offset`; release with fmc_bytes_fini. Never allocates more than the source holds.
 * @return FMC_OK, FMC_ERR_TRUNCATED (not so many), _NO_MEMORY, _IO. *out is empty on failure.
 */
fmc_status fmc_source_get(const fmc_source *s, const fmc_allocator *alloc, uint64_t offset, uint64_t size,
                          fmc_bytes *out);

/** Copy min(size, what is left) bytes at `offset` into buf; *got says how many. @return FMC_OK, FMC_ERR_IO. */
fmc_status fmc_source_peek(const fmc_source *s, uint64_t offset, uint8_t *buf, size_t size, size_t *got);

void fmc_bytes_fini(const fmc_allocator *alloc, fmc_bytes *b);

#endif
