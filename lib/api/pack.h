/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_PACK_H
#define FMC_API_PACK_H

#include "api/context.h"
#include "codec/codec.h"
#include "container/header.h"
#include "container/sink.h"
#include "container/tail.h"

/** A stream being written: header, then chunks, then tail and footer. */
typedef struct fmc_pack {
    fmc_ctx   *ctx;
    fmc_header header;
    fmc_effort effort;
    fmc_sink   sink;
    fmc_tail   tail;
    uint32_t   is_goal_per_chunk; /* 1: from the range of each chunk */
    fmc_goal   goal;              /* else this */
} fmc_pack;

/** Fill *pack; goal is set by the caller. @param params normalised. @param sink copied. Release with fmc_pack_fini. */
void fmc_pack_init(fmc_pack *pack, fmc_ctx *ctx, const fmc_header *h, const fmc_params *params, const fmc_sink *sink);

/** Write the header. */
fmc_status fmc_pack_begin(fmc_pack *pack);

/**
 * Encode and write all chunks of `view`: the whole array, or the steps of one slab of a streamed array.
 * Chunks are encoded in parallel and written in order; the bytes depend on neither.
 * Adds the samples to the context's work.
 */
fmc_status fmc_pack_array(fmc_pack *pack, const fmc_exec *ex, const fmc_array *view);

/** Write tail and footer. */
fmc_status fmc_pack_end(fmc_pack *pack);

/** Accepts a zeroed pack. */
void fmc_pack_fini(fmc_pack *pack);

/** The exec for each of `n` tasks of an outer fmc_parallel_for, so that together they use no more threads. */
fmc_exec fmc_exec_inner(const fmc_exec *ex, uint64_t n);

/** Fill a codec block for a box. */
fmc_block fmc_block_of(const fmc_header *h, const uint64_t *dim);

#endif
