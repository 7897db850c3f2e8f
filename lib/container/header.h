/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_HEADER_H
#define FMC_CONTAINER_HEADER_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"

/** "FMC1" in the order of the stream's bytes. */
#define FMC_MAGIC "FMC1"
enum { FMC_MAGIC_SIZE = 4 };

/** Most chunks of one stream (docs/format.md 3). */
#define FMC_MAX_CHUNKS ((uint64_t)1 << 28)

/** A model inside the stream (docs/format.md 3.1), not yet unpacked. */
typedef struct fmc_header_model {
    uint64_t hash;       /* 0: there is none */
    uint64_t base;       /* hash; 0: none */
    uint32_t size;       /* of its file */
    fmc_in   difference; /* borrowed from the header's bytes */
    size_t   section_size; /* bytes of all that in the header; set by fmc_header_parse */
} fmc_header_model;
enum { FMC_HEADER_MODEL_MIN = 32, FMC_HEADER_MODEL_MAX = 1 << 24 }; /* of size */

/** The header of a stream (docs/format.md 3), with whole axes already resolved. */
typedef struct fmc_header {
    uint32_t dtype;              /* enum fmc_dtype */
    uint32_t rank;               /* 1..FMC_MAX_RANK */
    uint32_t is_streamed;        /* 1: dim[0] is unknown; dim[0] is 0 here, chunk[0] >= 1 */
    uint32_t bound_kind;         /* enum fmc_bound_kind as asked for */
    uint32_t effort;             /* 1..9 */
    uint32_t has_fill;
    double   bound;              /* 0 for lossless */
    double   fill_value;         /* finite, exactly a dtype value; 0 without fill */
    uint64_t dim[FMC_MAX_RANK];
    uint64_t chunk[FMC_MAX_RANK]; /* 1..dim[a]; 0 on an axis of extent 0 */
    fmc_header_model model;
} fmc_header;

/**
 * Check what must hold for shapes: ranges, bytes below 2^63, at most FMC_MAX_CHUNKS chunks.
 * @return FMC_OK or FMC_ERR_CORRUPT (callers that check a user's request report their own status).
 */
fmc_status fmc_header_check(const fmc_header *h);

/** Append the header's bytes. h must pass fmc_header_check. Errors latch in out->st. */
void fmc_header_write(const fmc_header *h, fmc_out *out);

/**
 * How many bytes the header has, from the first bytes of a stream.
 * @param prefix  the first min(stream size, FMC_HEADER_PREFIX) bytes.
 * @return FMC_OK, FMC_ERR_NOT_FMC, _UNSUPPORTED (another version), _TRUNCATED, _CORRUPT.
 */
fmc_status fmc_header_measure(fmc_in prefix, uint64_t *size);
enum { FMC_HEADER_PREFIX = 15 };

/** Parse a header. @param in exactly the bytes that fmc_header_measure found; h->model borrows from them. Status as there. */
fmc_status fmc_header_parse(fmc_in in, fmc_header *h);

/** Bytes per sample of a valid header. */
static inline uint32_t fmc_header_sample_size(const fmc_header *h)
{
    return h->dtype == FMC_F64 ? 8 : 4;
}

#endif
