/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "api/enclosed.h"
#include "api/params.h"
#include "api/unpack.h"
#include "core/status.h"

enum { MAX_SCALE_LOG2 = 3 };

struct fmc_reader {
    fmc_ctx *ctx;
    fmc_stream stream;
    fmc_enclosed own; /* made when something is first decoded */
};

static fmc_status open_stream(fmc_ctx *ctx, const fmc_io *io, fmc_reader *reader)
{
    fmc_source source;
    fmc_io own;

    if (!io || fmc_struct_take(io, &own, sizeof own) != FMC_OK || own.reserved || !own.read_at || !own.size)
        return fmc_fail(ctx, FMC_ERR_ARG, "io needs struct_size, read_at and size; all else zero");
    if (fmc_source_io(&own, &source) != FMC_OK)
        return fmc_fail(ctx, FMC_ERR_IO, "io.size failed");
    return fmc_stream_open_for(ctx, &source, &reader->stream);
}

fmc_status fmc_reader_open(fmc_ctx *ctx, const fmc_io *io, fmc_reader **out)
{
    fmc_reader *reader = NULL;
    fmc_status st;

    if (out)
        *out = NULL;
    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    if (!out)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "out is NULL"));
    FMC_TRY(FMC_ALLOC_ZERO(&ctx->alloc, 1, &reader));
    reader->ctx = ctx;
    FMC_TRY(open_stream(ctx, io, reader));
    *out = reader;
    reader = NULL;
done:
    fmc_dealloc(&ctx->alloc, reader);
    return fmc_ctx_leave(ctx, st);
}

fmc_status fmc_reader_info(const fmc_reader *reader, fmc_info *info)
{
    fmc_info own;

    if (!reader)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(reader->ctx, 1);
    fmc_stream_info(&reader->stream, &own);
    return fmc_ctx_leave(reader->ctx, fmc_info_give(reader->ctx, &own, sizeof own, info));
}

fmc_status fmc_reader_chunk_info(fmc_reader *reader, uint64_t i, fmc_chunk_info *info)
{
    fmc_chunk_info own;
    fmc_status st;

    if (!reader)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(reader->ctx, 1);
    st = fmc_stream_chunk_info(reader->ctx, &reader->stream, i, &own);
    if (st == FMC_OK)
        st = fmc_info_give(reader->ctx, &own, sizeof own, info);
    return fmc_ctx_leave(reader->ctx, st);
}

static fmc_status take_box(fmc_reader *r, const uint64_t *start, const uint64_t *count, fmc_box *box)
{
    const fmc_header *h = &r->stream.header;

    if (!start || !count)
        return fmc_fail(r->ctx, FMC_ERR_ARG, "%s is NULL", start ? "count" : "start");
    *box = (fmc_box){ 0 };
    for (uint32_t a = 0; a < h->rank; a++) {
        if (start[a] > h->dim[a] || count[a] > h->dim[a] - start[a])
            return fmc_fail(r->ctx, FMC_ERR_ARG,
                            "axis %u: %" PRIu64 " samples from %" PRIu64 " on go beyond the stream's %" PRIu64, a,
                            count[a], start[a], h->dim[a]);
        box->start[a] = start[a];
        box->dim[a] = count[a];
    }
    return FMC_OK;
}

static fmc_status check_dst(fmc_reader *r, const fmc_box *box, uint32_t scale_log2, const fmc_array *dst)
{
    const fmc_header *h = &r->stream.header;
    uint64_t dim[FMC_MAX_RANK] = { 0 };
    fmc_status st;

    FMC_TRY(fmc_array_take(r->ctx, dst, FMC_VIEW_OUTPUT, "dst"));
    if (dst->dtype != h->dtype || dst->rank != h->rank)
        return fmc_fail(r->ctx, FMC_ERR_ARG, "dst has dtype %u and rank %u, the stream %u and %u", dst->dtype,
                        dst->rank, h->dtype, h->rank);
    fmc_unpack_extents(&r->stream, box, scale_log2, dim);
    for (uint32_t a = 0; a < h->rank; a++)
        if (dst->dim[a] != dim[a])
            return fmc_fail(r->ctx, FMC_ERR_ARG, "dst.dim[%u] is %" PRIu64 "; this box and scale give %" PRIu64, a,
                            dst->dim[a], dim[a]);
done:
    return st;
}

fmc_status fmc_reader_read(fmc_reader *reader, const uint64_t *start, const uint64_t *count, uint32_t scale_log2,
                           uint32_t n_threads, const fmc_array *dst)
{
    fmc_exec ex;
    fmc_box box;
    fmc_status st;

    if (!reader)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(reader->ctx, n_threads);
    if (scale_log2 > MAX_SCALE_LOG2)
        FMC_TRY(fmc_fail(reader->ctx, FMC_ERR_ARG, "scale_log2 is %u; 0 to 3 (1/8) are there", scale_log2));
    FMC_TRY(take_box(reader, start, count, &box));
    FMC_TRY(check_dst(reader, &box, scale_log2, dst));
    FMC_TRY(fmc_enclosed_open(&reader->own, reader->ctx, &reader->stream, &ex));
    FMC_TRY(fmc_unpack_box(reader->ctx, &ex, &reader->stream, &box, scale_log2, dst));
done:
    return fmc_ctx_leave(reader->ctx, st);
}

void fmc_reader_close(fmc_reader *reader)
{
    if (reader) {
        const fmc_allocator *alloc = &reader->ctx->alloc;

        fmc_enclosed_close(&reader->own);
        fmc_stream_fini(alloc, &reader->stream);
        fmc_dealloc(alloc, reader);
    }
}
