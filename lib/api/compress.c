/* SPDX-License-Identifier: Apache-2.0 */
#include "api/compress.h"

#include "api/enclosed.h"
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

/* What is the same however often an array is encoded. */
typedef struct job {
    fmc_ctx *ctx;
    const fmc_exec *ex;
    const fmc_array *src;
    double width;
} job;

/* Not for FMC_BOUND_SIZE. */
static fmc_status encode_once(const job *j, const fmc_params *params, const fmc_header *h, fmc_sink *sink)
{
    const fmc_goal goal = fmc_goal_make(params->bound_kind, params->bound, j->width);

    return fmc_compress_once(j->ctx, j->ex, j->src, params, h, &goal, sink);
}

/* One stream into memory. *quality: higher is better; of equal ones the smaller stream is. */
static fmc_status encode(const job *j, const fmc_params *params, const fmc_header *h, fmc_out *out, double *quality)
{
    fmc_sink sink = { .out = out };

    *quality = 0;
    if (params->bound_kind == FMC_BOUND_SIZE)
        return fmc_compress_to_size(j->ctx, j->ex, j->src, params, h, j->width, out, quality);
    return encode_once(j, params, h, &sink);
}

/* As if the caller had not given a model. */
static fmc_status encode_without(const job *j, const fmc_params *params, const fmc_header *h, fmc_out *out, double *quality)
{
    fmc_params asked = *params, plain;
    fmc_status st;

    asked.struct_size = sizeof asked;
    asked.embed = 0;
    asked.model = NULL;
    st = fmc_params_take(j->ctx, &asked, j->src->dtype, &plain);
    return st == FMC_OK ? encode(j, &plain, h, out, quality) : st;
}

/* With the caller's model in the stream, and without: the better one is kept. */
static fmc_status compress_enclosing(const job *j, const fmc_params *params, const fmc_header *h, fmc_sink *sink)
{
    fmc_out bytes = fmc_out_make(j->ex->alloc), with = bytes, without = bytes;
    double quality[2];
    fmc_header own = *h;
    fmc_status st, tried;

    FMC_TRY(fmc_enclose(j->ctx, j->ex, params, &bytes, &own.model));
    FMC_TRY(encode_without(j, params, h, &without, &quality[0]));
    tried = encode(j, params, &own, &with, &quality[1]);
    FMC_TRY(tried == FMC_ERR_UNREACHABLE_SIZE ? FMC_OK : tried);
    if (tried == FMC_OK && (quality[1] > quality[0] || (quality[1] == quality[0] && with.size < without.size)))
        FMC_TRY(fmc_sink_write(sink, with.data, with.size));
    else
        FMC_TRY(fmc_sink_write(sink, without.data, without.size));
done:
    fmc_out_fini(&bytes);
    fmc_out_fini(&with);
    fmc_out_fini(&without);
    return st;
}

static fmc_status compress_plain(const job *j, const fmc_params *params, const fmc_header *h, fmc_sink *sink)
{
    fmc_out best = fmc_out_make(j->ex->alloc);
    double quality;
    fmc_status st;

    if (params->bound_kind != FMC_BOUND_SIZE)
        return encode_once(j, params, h, sink);
    FMC_TRY(encode(j, params, h, &best, &quality));
    FMC_TRY(fmc_sink_write(sink, best.data, best.size));
done:
    fmc_out_fini(&best);
    return st;
}

/* Everything but the kind of memory that takes the bytes. */
static fmc_status compress_to(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *theirs,
                              fmc_sink *sink)
{
    job j = { .ctx = ctx, .ex = ex, .src = src };
    fmc_params params;
    fmc_header h;
    fmc_span range = { 0 };
    fmc_status st;

    FMC_TRY(fmc_array_take(ctx, src, FMC_VIEW_INPUT, "src"));
    FMC_TRY(fmc_params_take(ctx, theirs, src->dtype, &params));
    FMC_TRY(fmc_params_header(ctx, &params, src, 0, &h));
    FMC_TRY(fmc_work_report(ctx));
    if (fmc_goal_needs_range(params.bound_kind) || params.bound_kind == FMC_BOUND_SIZE)
        FMC_TRY(fmc_range_find(ex, src, params.has_fill, params.fill_value, &range));
    j.width = fmc_range_width(&range);
    fmc_work_begin(ctx, (uint64_t)fmc_view_count(src) * (fmc_enclose_wanted(&params) ? 2 : 1) *
                            (params.bound_kind == FMC_BOUND_SIZE ? FMC_SIZE_TRIALS : 1));
    st = (fmc_enclose_wanted(&params) ? compress_enclosing : compress_plain)(&j, &params, &h, sink);
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
