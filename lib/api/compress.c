/* SPDX-License-Identifier: Apache-2.0 */
#include "api/compress.h"

#include "api/goal.h"
#include "api/pack.h"
#include "api/params.h"
#include "api/range.h"
#include "container/layout.h"
#include "core/status.h"

fmc_status fmc_compress_once(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *params,
                             const fmc_header *h, const fmc_goal *goal, fmc_sink *sink)
{
    fmc_pack pack;
    fmc_status st;

    fmc_pack_init(&pack, ctx, h, params, sink);
    pack.goal = *goal;
    FMC_TRY(fmc_pack_begin(&pack));
    FMC_TRY(fmc_pack_array(&pack, ex, src));
    FMC_TRY(fmc_pack_end(&pack));
    *sink = pack.sink;
done:
    fmc_pack_fini(&pack);
    return st;
}

static fmc_status compress_by_size(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *params,
                                   const fmc_header *h, double width, fmc_sink *sink)
{
    fmc_out best = fmc_out_make(ex->alloc);
    fmc_status st;

    FMC_TRY(fmc_compress_to_size(ctx, ex, src, params, h, width, &best));
    FMC_TRY(fmc_sink_write(sink, best.data, best.size));
done:
    fmc_out_fini(&best);
    return st;
}

/* Everything but the kind of memory that takes the bytes. */
static fmc_status compress_to(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *theirs,
                              fmc_sink *sink)
{
    fmc_params params;
    fmc_header h;
    fmc_span range = { 0 };
    fmc_goal goal;
    fmc_status st;

    FMC_TRY(fmc_array_take(ctx, src, FMC_VIEW_INPUT, "src"));
    FMC_TRY(fmc_params_take(ctx, theirs, src->dtype, &params));
    FMC_TRY(fmc_params_header(ctx, &params, src, 0, &h));
    FMC_TRY(fmc_work_report(ctx));
    if (fmc_goal_needs_range(params.bound_kind) || params.bound_kind == FMC_BOUND_SIZE)
        FMC_TRY(fmc_range_find(ex, src, params.has_fill, params.fill_value, &range));
    if (params.bound_kind == FMC_BOUND_SIZE) {
        st = compress_by_size(ctx, ex, src, &params, &h, fmc_range_width(&range), sink);
    } else {
        fmc_work_begin(ctx, fmc_view_count(src));
        goal = fmc_goal_make(params.bound_kind, params.bound, fmc_range_width(&range));
        st = fmc_compress_once(ctx, ex, src, &params, &h, &goal, sink);
    }
    if (st == FMC_OK)
        st = fmc_work_report(ctx);
done:
    return st;
}

static uint32_t threads_asked(const fmc_params *params)
{
    return params ? params->n_threads : 0;
}

fmc_status fmc_compress(fmc_ctx *ctx, const fmc_array *src, const fmc_params *params, void *dst, size_t dst_cap,
                        size_t *dst_size)
{
    fmc_sink sink = { .mem = dst, .cap = dst_cap };
    fmc_exec ex;
    fmc_status st;

    if (dst_size)
        *dst_size = 0;
    if (!ctx)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(ctx, threads_asked(params));
    if (!dst_size || (!dst && dst_cap > 0))
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "%s is NULL", dst_size ? "dst" : "dst_size"));
    FMC_TRY(compress_to(ctx, &ex, src, params, &sink));
    *dst_size = (size_t)sink.size;
    if (sink.size > dst_cap)
        st = fmc_fail(ctx, FMC_ERR_BUFFER_TOO_SMALL,
                      "dst has %zu bytes, %llu are needed; fmc_compress_bound always "
                      "suffices",
                      dst_cap, (unsigned long long)sink.size);
done:
    return fmc_ctx_leave(ctx, st);
}

fmc_status fmc_compress_alloc(fmc_ctx *ctx, const fmc_array *src, const fmc_params *params, void **dst,
                              size_t *dst_size)
{
    fmc_out out;
    fmc_sink sink = { .out = &out };
    fmc_exec ex;
    fmc_status st;

    if (dst)
        *dst = NULL;
    if (dst_size)
        *dst_size = 0;
    if (!ctx)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(ctx, threads_asked(params));
    out = fmc_out_make(ex.alloc);
    if (!dst || !dst_size)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "%s is NULL", dst ? "dst_size" : "dst"));
    FMC_TRY(compress_to(ctx, &ex, src, params, &sink));
    *dst = out.data;
    *dst_size = out.size;
    out.data = NULL; /* the caller's now */
done:
    fmc_out_fini(&out);
    return fmc_ctx_leave(ctx, st);
}

uint64_t fmc_compress_bound(const fmc_array *src, const fmc_params *params)
{
    fmc_params p;
    fmc_header h;
    uint64_t size;

    if (fmc_array_take(NULL, src, FMC_VIEW_INPUT, "src") != FMC_OK)
        return 0;
    if (fmc_params_take(NULL, params, src->dtype, &p) != FMC_OK || fmc_params_header(NULL, &p, src, 0, &h) != FMC_OK)
        return 0;
    size = (uint64_t)fmc_view_count(src) * fmc_header_sample_size(&h);
    return size + size / 100 + 256 + 64 * fmc_layout_count(&h);
}
