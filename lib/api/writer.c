/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "api/enclosed.h"
#include "api/goal.h"
#include "api/pack.h"
#include "api/params.h"
#include "container/layout.h"
#include "core/status.h"

/**
 * Steps go into `buffer` until a slab is full; whole slabs of an append go straight from the caller's memory.
 */
struct fmc_writer {
    fmc_ctx *ctx;
    fmc_io io;
    fmc_pack pack;
    uint32_t n_threads;
    unsigned char *buffer; /* chunk[0] steps, C-contiguous; allocated when first needed */
    size_t step_size;      /* bytes; 0 if an extent is 0 */
    uint64_t n_steps;      /* in the buffer */
    fmc_status failed;     /* FMC_OK, or what the first failure was */
};

static fmc_status take_io(fmc_ctx *ctx, const fmc_io *io, fmc_io *own)
{
    if (!io || fmc_struct_take(io, own, sizeof *own) != FMC_OK || own->reserved || !own->write)
        return fmc_fail(ctx, FMC_ERR_ARG, "io needs struct_size and write; all else zero");
    return FMC_OK;
}

static fmc_status check_steps(fmc_ctx *ctx, const fmc_header *h, uint64_t *step_size)
{
    uint64_t size = fmc_header_sample_size(h);

    for (uint32_t a = 1; a < h->rank; a++)
        size *= h->dim[a]; /* fmc_header_check: no overflow */
    *step_size = size;
    if (size > (uint64_t)PTRDIFF_MAX / h->chunk[0])
        return fmc_fail(ctx, FMC_ERR_ARG,
                        "%" PRIu64 " steps of %" PRIu64
                        " bytes do not fit the address space; make params.chunk[0] smaller",
                        h->chunk[0], size);
    return FMC_OK;
}

/* The header, with the caller's model if that is wanted: whether it will pay cannot be known yet. */
static fmc_status begin(fmc_writer *w, const fmc_params *params)
{
    const fmc_exec ex = { .alloc = &w->ctx->alloc, .n_threads = 1 };
    fmc_out bytes = fmc_out_make(ex.alloc);
    fmc_status st;

    if (fmc_enclose_wanted(params))
        FMC_TRY(fmc_enclose(w->ctx, &ex, params, &bytes, &w->pack.header.model));
    FMC_TRY(fmc_pack_begin(&w->pack));
done:
    w->pack.header.model = (fmc_header_model){ 0 };
    fmc_out_fini(&bytes);
    return st;
}

static fmc_status open_writer(fmc_ctx *ctx, const fmc_io *io, const fmc_array *shape, const fmc_params *theirs,
                              fmc_writer *w)
{
    fmc_params params;
    fmc_header h;
    fmc_sink sink = { .io = &w->io };
    uint64_t step_size;
    fmc_status st;

    w->ctx = ctx;
    FMC_TRY(take_io(ctx, io, &w->io));
    FMC_TRY(fmc_array_take(ctx, shape, FMC_VIEW_SHAPE, "shape"));
    FMC_TRY(fmc_params_take(ctx, theirs, shape->dtype, &params));
    if (params.bound_kind == FMC_BOUND_SIZE)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "FMC_BOUND_SIZE needs the whole array: use fmc_compress"));
    FMC_TRY(fmc_params_header(ctx, &params, shape, 1, &h));
    FMC_TRY(check_steps(ctx, &h, &step_size));
    w->step_size = (size_t)step_size;
    w->n_threads = params.n_threads;
    fmc_pack_init(&w->pack, ctx, &h, &params, &sink);
    w->pack.is_goal_per_chunk = fmc_goal_needs_range(params.bound_kind) != 0;
    w->pack.goal = fmc_goal_make(params.bound_kind, params.bound, 0);
    FMC_TRY(begin(w, &params));
done:
    return st;
}

static void free_writer(fmc_writer *w)
{
    const fmc_allocator *alloc = &w->ctx->alloc;

    fmc_pack_fini(&w->pack);
    fmc_dealloc(alloc, w->buffer);
    fmc_dealloc(alloc, w);
}

fmc_status fmc_writer_open(fmc_ctx *ctx, const fmc_io *io, const fmc_array *shape, const fmc_params *params,
                           fmc_writer **out)
{
    fmc_writer *w = NULL;
    fmc_status st;

    if (out)
        *out = NULL;
    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    if (!out)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "out is NULL"));
    FMC_TRY(FMC_ALLOC_ZERO(&ctx->alloc, 1, &w));
    FMC_TRY(open_writer(ctx, io, shape, params, w));
    *out = w;
    w = NULL;
done:
    if (w)
        free_writer(w);
    return fmc_ctx_leave(ctx, st);
}

/* `n` steps of `steps` from `first` on, as a view. */
static fmc_array some_steps(const fmc_array *steps, uint64_t first, uint64_t n)
{
    fmc_array part = *steps;

    part.struct_size = sizeof part;
    part.dim[0] = n;
    if (steps->data)
        part.data = (unsigned char *)steps->data + (ptrdiff_t)first * (ptrdiff_t)steps->stride[0];
    return part;
}

static fmc_status write_buffer(fmc_writer *w, const fmc_exec *ex)
{
    const fmc_header *h = &w->pack.header;
    uint64_t dim[FMC_MAX_RANK];
    fmc_array slab;
    fmc_status st;

    if (w->n_steps == 0)
        return FMC_OK;
    memcpy(dim, h->dim, sizeof dim);
    dim[0] = w->n_steps;
    fmc_array_init(&slab, h->dtype, h->rank, dim, w->buffer);
    fmc_work_begin(w->ctx, fmc_view_count(&slab));
    st = fmc_pack_array(&w->pack, ex, &slab);
    w->n_steps = 0;
    return st;
}

static fmc_status buffer_steps(fmc_writer *w, const fmc_exec *ex, const fmc_array *part)
{
    size_t start[FMC_MAX_RANK] = { 0 }, count[FMC_MAX_RANK] = { 0 };
    fmc_status st;

    if (!w->buffer)
        FMC_TRY(fmc_alloc(ex->alloc, (size_t)w->pack.header.chunk[0], w->step_size ? w->step_size : 1,
                          (void **)&w->buffer));
    for (uint32_t a = 0; a < part->rank; a++)
        count[a] = (size_t)part->dim[a];
    FMC_TRY(fmc_view_read(ex, part, start, count, w->buffer + (size_t)w->n_steps * w->step_size));
    w->n_steps += part->dim[0];
    if (w->n_steps == w->pack.header.chunk[0])
        FMC_TRY(write_buffer(w, ex));
done:
    return st;
}

static fmc_status append_steps(fmc_writer *w, const fmc_exec *ex, const fmc_array *steps)
{
    const uint64_t whole = w->pack.header.chunk[0];
    fmc_status st = FMC_OK;

    for (uint64_t done_steps = 0; done_steps < steps->dim[0];) {
        const uint64_t left = steps->dim[0] - done_steps;
        const uint64_t room = whole - w->n_steps;
        const uint64_t n = left < room ? left : room;
        const fmc_array part = some_steps(steps, done_steps, n);

        if (n == whole) {
            fmc_work_begin(w->ctx, fmc_view_count(&part));
            FMC_TRY(fmc_pack_array(&w->pack, ex, &part));
        } else {
            FMC_TRY(buffer_steps(w, ex, &part));
        }
        done_steps += n;
    }
done:
    return st;
}

static fmc_status check_append(fmc_writer *w, const fmc_array *steps)
{
    const fmc_header *h = &w->pack.header;
    fmc_status st;

    FMC_TRY(fmc_array_take(w->ctx, steps, FMC_VIEW_INPUT, "steps"));
    if (steps->dtype != h->dtype || steps->rank != h->rank)
        return fmc_fail(w->ctx, FMC_ERR_ARG, "steps has dtype %u and rank %u, the stream %u and %u", steps->dtype,
                        steps->rank, h->dtype, h->rank);
    if (steps->dim[0] < 1)
        return fmc_fail(w->ctx, FMC_ERR_ARG, "steps.dim[0] is 0; append at least one step");
    for (uint32_t a = 1; a < h->rank; a++)
        if (steps->dim[a] != h->dim[a])
            return fmc_fail(w->ctx, FMC_ERR_ARG, "steps.dim[%u] is %" PRIu64 ", the stream's %" PRIu64, a,
                            steps->dim[a], h->dim[a]);
    if (steps->dim[0] > (uint64_t)INT64_MAX - w->pack.tail.dim0 - w->n_steps)
        return fmc_fail(w->ctx, FMC_ERR_ARG, "the stream would have 2^63 steps or more");
done:
    return st;
}

/* After a failure the stream may end inside a record: nothing may follow. */
static fmc_status check_alive(fmc_writer *w)
{
    if (w->failed == FMC_OK)
        return FMC_OK;
    return fmc_fail(w->ctx, w->failed, "an earlier call on this writer failed (%s); close it",
                    fmc_status_string(w->failed));
}

fmc_status fmc_writer_append(fmc_writer *writer, const fmc_array *steps)
{
    fmc_exec ex;
    fmc_status st;

    if (!writer)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(writer->ctx, writer->n_threads);
    FMC_TRY(check_alive(writer));
    FMC_TRY(check_append(writer, steps));
    st = append_steps(writer, &ex, steps);
    writer->failed = st;
done:
    return fmc_ctx_leave(writer->ctx, st);
}

fmc_status fmc_writer_flush(fmc_writer *writer)
{
    fmc_exec ex;
    fmc_status st;

    if (!writer)
        return FMC_ERR_ARG;
    ex = fmc_ctx_enter(writer->ctx, writer->n_threads);
    FMC_TRY(check_alive(writer));
    st = write_buffer(writer, &ex);
    writer->failed = st;
done:
    return fmc_ctx_leave(writer->ctx, st);
}

fmc_status fmc_writer_close(fmc_writer *writer)
{
    fmc_ctx *ctx;
    fmc_exec ex;
    fmc_status st;

    if (!writer)
        return FMC_OK;
    ctx = writer->ctx;
    ex = fmc_ctx_enter(ctx, writer->n_threads);
    FMC_TRY(check_alive(writer));
    FMC_TRY(write_buffer(writer, &ex));
    FMC_TRY(fmc_pack_end(&writer->pack));
done:
    free_writer(writer);
    return fmc_ctx_leave(ctx, st);
}
