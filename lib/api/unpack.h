/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_UNPACK_H
#define FMC_API_UNPACK_H

#include "api/context.h"
#include "container/stream.h"

/**
 * Decode a box of an opened stream, at 1 / 2^scale_log2 along every axis of extent > 1 (docs/format.md 4, Coarse
 * grids).
 * Reads only the chunks that hold a sample of the result; their records are read on the calling thread.
 * @param box  inside the array. @param dst checked output view of the result's extents.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, _TRUNCATED, _CORRUPT, _LIMIT, _UNSUPPORTED, _CANCELLED, _IO; messages are set.
 */
fmc_status fmc_unpack_box(fmc_ctx *ctx, const fmc_exec *ex, const fmc_stream *stream, const fmc_box *box,
                          uint32_t scale_log2, const fmc_array *dst);

/** Extents of the result. */
void fmc_unpack_extents(const fmc_stream *stream, const fmc_box *box, uint32_t scale_log2, uint64_t *dim);

/** The stream as the public struct tells it. */
void fmc_stream_info(const fmc_stream *stream, fmc_info *info);

/** Chunk i < index.count as the public struct tells it. @return status with a message. */
fmc_status fmc_stream_chunk_info(fmc_ctx *ctx, const fmc_stream *stream, uint64_t i, fmc_chunk_info *info);

/** fmc_struct_give with messages, also for theirs = NULL. */
fmc_status fmc_info_give(fmc_ctx *ctx, const void *own, size_t size, void *theirs);

/** fmc_stream_open with messages. */
fmc_status fmc_stream_open_for(fmc_ctx *ctx, const fmc_source *source, fmc_stream *stream);

#endif
