/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "api/enclosed.h"
#include "api/params.h"
#include "api/unpack.h"
#include "core/status.h"

/* Open a stream that must be whole, within the context's limits. */
static fmc_status open_whole(fmc_ctx *ctx, const void *src, size_t src_size, fmc_stream *stream)
{
    const fmc_source source = fmc_source_memory(src, src_size);
    fmc_status st;

    *stream = (fmc_stream){ 0 };
    if (!src)
        return fmc_fail(ctx, FMC_ERR_ARG, "src is NULL");
    FMC_TRY(fmc_stream_open_for(ctx, &source, stream));
    if (!stream->index.is_complete)
        FMC_TRY(fmc_fail(ctx, stream->index.why,
                         "the stream is %s after %" PRIu64 " complete steps; a partial read gives those",
                         stream->index.why == FMC_ERR_TRUNCATED ? "cut off" : "damaged", stream->index.dim0));
    st = fmc_ctx_check_limit(ctx, stream->index.count ? fmc_layout_bytes(&stream->header) : 0, src_size);
done:
    return st;
}

static fmc_status unpack_all(fmc_ctx *ctx, fmc_exec *ex, const fmc_stream *stream, const fmc_array *dst)
{
    fmc_enclosed own = { 0 };
    fmc_box box = { 0 };
    fmc_status st;

    for (uint32_t a = 0; a < stream->header.rank; a++)
        box.dim[a] = stream->header.dim[a];
    FMC_TRY(fmc_enclosed_open(&own, ctx, stream, ex));
    FMC_TRY(fmc_unpack_box(ctx, ex, stream, &box, 0, dst));
done:
    fmc_enclosed_close(&own);
    return st;
}

static fmc_status check_shape(fmc_ctx *ctx, const fmc_header *h, const fmc_array *dst)
{
    if (dst->dtype != h->dtype || dst->rank != h->rank)
        return fmc_fail(ctx, FMC_ERR_ARG, "dst has dtype %u and rank %u, the stream %u and %u; ask fmc_inspect",
                        dst->dtype, dst->rank, h->dtype, h->rank);
    for (uint32_t a = 0; a < h->rank; a++)
        if (dst->dim[a] != h->dim[a])
            return fmc_fail(ctx, FMC_ERR_ARG, "dst.dim[%u] is %" PRIu64 ", the stream's %" PRIu64 "; ask fmc_inspect",
                            a, dst->dim[a], h->dim[a]);
    return FMC_OK;
}

fmc_status fmc_decompress(fmc_ctx *ctx, const void *src, size_t src_size, uint32_t n_threads, const fmc_array *dst)
{
    fmc_stream stream = { 0 };
    fmc_exec ex;
    fmc_status st;

    if (!ctx)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(ctx, n_threads);
    FMC_TRY(fmc_array_take(ctx, dst, FMC_VIEW_OUTPUT, "dst"));
    FMC_TRY(open_whole(ctx, src, src_size, &stream));
    FMC_TRY(check_shape(ctx, &stream.header, dst));
    FMC_TRY(unpack_all(ctx, &ex, &stream, dst));
done:
    fmc_stream_fini(&ctx->alloc, &stream);
    return fmc_ctx_leave(ctx, st);
}

fmc_status fmc_decompress_alloc(fmc_ctx *ctx, const void *src, size_t src_size, uint32_t n_threads, fmc_array *out)
{
    fmc_stream stream = { 0 };
    fmc_array a = { 0 };
    fmc_exec ex;
    fmc_status st;

    if (out)
        *out = (fmc_array){ 0 };
    if (!ctx)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(ctx, n_threads);
    if (!out)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "out is NULL"));
    FMC_TRY(open_whole(ctx, src, src_size, &stream));
    fmc_array_init(&a, stream.header.dtype, stream.header.rank, stream.header.dim, NULL);
    FMC_TRY(fmc_alloc(ex.alloc, fmc_view_count(&a), fmc_dtype_size(a.dtype), &a.data));
    FMC_TRY(unpack_all(ctx, &ex, &stream, &a));
    *out = a;
    a.data = NULL; /* the caller's now */
done:
    fmc_dealloc(&ctx->alloc, a.data);
    fmc_stream_fini(&ctx->alloc, &stream);
    return fmc_ctx_leave(ctx, st);
}
