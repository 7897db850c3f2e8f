/* SPDX-License-Identifier: Apache-2.0 */
#include "api/unpack.h"
#include "core/status.h"

/* Open a stream in memory, whole or not. */
static fmc_status open_any(fmc_ctx *ctx, const void *src, size_t src_size, fmc_stream *stream)
{
    const fmc_source source = fmc_source_memory(src, src_size);

    if (!src)
        return fmc_fail(ctx, FMC_ERR_ARG, "src is NULL");
    return fmc_stream_open_for(ctx, &source, stream);
}

fmc_status fmc_inspect(fmc_ctx *ctx, const void *src, size_t src_size, fmc_info *info)
{
    fmc_stream stream = { 0 };
    fmc_info own;
    fmc_status st;

    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    FMC_TRY(open_any(ctx, src, src_size, &stream));
    fmc_stream_info(&stream, &own);
    FMC_TRY(fmc_info_give(ctx, &own, sizeof own, info));
done:
    fmc_stream_fini(&ctx->alloc, &stream);
    return fmc_ctx_leave(ctx, st);
}

fmc_status fmc_inspect_chunk(fmc_ctx *ctx, const void *src, size_t src_size, uint64_t i, fmc_chunk_info *info)
{
    fmc_stream stream = { 0 };
    fmc_chunk_info own;
    fmc_status st;

    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    FMC_TRY(open_any(ctx, src, src_size, &stream));
    FMC_TRY(fmc_stream_chunk_info(ctx, &stream, i, &own));
    FMC_TRY(fmc_info_give(ctx, &own, sizeof own, info));
done:
    fmc_stream_fini(&ctx->alloc, &stream);
    return fmc_ctx_leave(ctx, st);
}
