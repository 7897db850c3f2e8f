/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "api/pack.h"
#include "api/unpack.h"
#include "codec/codec.h"
#include "core/status.h"

void fmc_stream_info(const fmc_stream *stream, fmc_info *info)
{
    const fmc_header *h = &stream->header;

    *info = (fmc_info){ .struct_size = sizeof *info,
                        .format_version = FMC_FORMAT_VERSION,
                        .dtype = h->dtype,
                        .rank = h->rank,
                        .n_chunks = stream->index.count,
                        .stream_size = stream->source.size,
                        .bound_kind = h->bound_kind,
                        .is_complete = stream->index.is_complete,
                        .bound = h->bound,
                        .has_fill = h->has_fill,
                        .effort = h->effort,
                        .fill_value = h->fill_value,
                        .model = h->model.hash,
                        .model_base = h->model.base,
                        .model_size = h->model.section_size };
    for (uint32_t a = 0; a < h->rank; a++) {
        info->dim[a] = h->dim[a];
        info->chunk[a] = h->chunk[a];
    }
}

fmc_status fmc_stream_chunk_info(fmc_ctx *ctx, const fmc_stream *stream, uint64_t i, fmc_chunk_info *info)
{
    const fmc_header *h = &stream->header;
    const fmc_exec ex = { .alloc = &ctx->alloc, .n_threads = 1 };
    fmc_chunk_facts facts = { 0 };
    fmc_bytes record = { 0 };
    fmc_record head;
    fmc_block block;
    fmc_in payload;
    fmc_box box;
    fmc_status st;

    if (i >= stream->index.count)
        return fmc_fail(ctx, FMC_ERR_ARG, "chunk %" PRIu64 " does not exist; the stream has %" PRIu64, i,
                        stream->index.count);
    fmc_index_box(&stream->index, h, i, &box);
    block = fmc_block_of(h, box.dim);
    FMC_TRY(fmc_stream_record(stream, &ctx->alloc, i, &record, &head));
    FMC_TRY(fmc_stream_payload(&record, &head, &payload));
    FMC_TRY(fmc_chunk_describe(&ex, &block, payload, &facts));
    if (facts.abs_bound < 0 && h->bound_kind == FMC_BOUND_ABS)
        facts.abs_bound = h->bound;
    *info = (fmc_chunk_info){ .struct_size = sizeof *info,
                              .coder = facts.coder,
                              .offset = stream->index.offset[i],
                              .size = record.size,
                              .abs_bound = facts.abs_bound,
                              .model = facts.model };
    memcpy(info->start, box.start, sizeof info->start);
    memcpy(info->dim, box.dim, sizeof info->dim);
    memcpy(info->detail, facts.detail, sizeof info->detail);
    info->detail[sizeof info->detail - 1] = 0;
done:
    fmc_bytes_fini(&ctx->alloc, &record);
    if (st != FMC_OK)
        (void)fmc_fail(ctx, st, "chunk %" PRIu64 ": %s", i, fmc_status_string(st));
    return st;
}

fmc_status fmc_info_give(fmc_ctx *ctx, const void *own, size_t size, void *theirs)
{
    if (!theirs)
        return fmc_fail(ctx, FMC_ERR_ARG, "info is NULL");
    if (fmc_struct_give(own, size, theirs) != FMC_OK)
        return fmc_fail(ctx, FMC_ERR_ARG, "set info->struct_size to sizeof *info before the call");
    return FMC_OK;
}

fmc_status fmc_stream_open_for(fmc_ctx *ctx, const fmc_source *source, fmc_stream *stream)
{
    const fmc_status st = fmc_stream_open(&ctx->alloc, source, stream);

    switch (st) {
    case FMC_OK:
        return st;
    case FMC_ERR_NOT_FMC:
        return fmc_fail(ctx, st, "this is no fmc stream: it does not begin with \"FMC1\"");
    case FMC_ERR_UNSUPPORTED:
        return fmc_fail(ctx, st, "the stream needs a newer fmc: this library reads format version %d",
                        FMC_FORMAT_VERSION);
    case FMC_ERR_TRUNCATED:
        return fmc_fail(ctx, st, "the stream ends inside its header (%" PRIu64 " bytes)", source->size);
    case FMC_ERR_CORRUPT:
        return fmc_fail(ctx, st, "the header or the index of the stream is damaged");
    default:
        return fmc_fail(ctx, st, "opening the stream: %s", fmc_status_string(st));
    }
}
