/* SPDX-License-Identifier: Apache-2.0 */
#include "api/pack.h"

#include "api/goal.h"
#include "api/params.h"
#include "api/range.h"
#include "array/view.h"
#include "container/check.h"
#include "container/index.h"
#include "container/record.h"
#include "core/pool.h"
#include "core/status.h"
#include "nn/model.h"

/* Chunks per thread that are encoded before they are written. */
enum { CHUNKS_PER_THREAD = 4 };

/* Of both architectures the caller's, or the library's own, which fmc_params_take has opened if it may be used. */
static void choose_models(const fmc_ctx *ctx, const fmc_params *params, fmc_effort *e)
{
    const int is_prior = params->model && fmc_model_is_prior(params->model);

    if (params->no_model)
        return;
    /* What an earlier call opened must not change the bytes of this one. */
    e->prior = is_prior ? params->model : params->effort >= 5 ? ctx->own_prior : NULL;
    e->model = !is_prior ? params->model : fmc_params_want_vae(params) ? ctx->own_model : NULL;
    e->learned = params->coder & FMC_CODER_VAE     ? FMC_LEARNED_ALWAYS
                 : e->model == ctx->own_model ? FMC_LEARNED_CHEAP
                                              : FMC_LEARNED_TRY;
}

void fmc_pack_init(fmc_pack *pack, fmc_ctx *ctx, const fmc_header *h, const fmc_params *params, const fmc_sink *sink)
{
    *pack = (fmc_pack){ .ctx = ctx, .header = *h, .sink = *sink, .tail = fmc_tail_make(&ctx->alloc) };
    pack->effort.effort = params->effort;
    pack->effort.coder = params->coder & ~(uint32_t)FMC_CODER_VAE;
    choose_models(ctx, params, &pack->effort);
    for (uint32_t a = 0; a < h->rank; a++)
        pack->effort.axis[a] = params->axis[a];
}

void fmc_pack_fini(fmc_pack *pack)
{
    fmc_tail_fini(&pack->tail);
}

fmc_exec fmc_exec_inner(const fmc_exec *ex, uint64_t n)
{
    fmc_exec inner = *ex;

    inner.n_threads = ex->parallel_for || n < 1 || n >= ex->n_threads ? 1 : ex->n_threads / (uint32_t)n;
    inner.parallel_for = NULL;
    return inner;
}

fmc_block fmc_block_of(const fmc_header *h, const uint64_t *dim)
{
    fmc_block b = { .dtype = h->dtype, .rank = h->rank, .has_fill = h->has_fill, .fill_value = h->fill_value };

    for (uint32_t a = 0; a < h->rank; a++)
        b.dim[a] = (size_t)dim[a];
    return b;
}

/* What coding a chunk needs at once: a signal, its coefficients and what they decode to, a mask, the body. */
static size_t chunk_room(const fmc_header *h)
{
    uint64_t size = fmc_header_sample_size(h);

    for (uint32_t a = 0; a < h->rank; a++)
        size *= h->chunk[a] < h->dim[a] ? h->chunk[a] : h->dim[a];
    return size < SIZE_MAX / 8 ? (size_t)(4 * size) + ((size_t)1 << 19) : 0;
}

/* A write to the sink with a message. */
static fmc_status emit(fmc_pack *p, const void *data, size_t size)
{
    const fmc_status st = fmc_sink_write(&p->sink, data, size);

    if (st == FMC_ERR_IO)
        return fmc_fail(p->ctx, st, "io.write failed for %zu bytes after %llu", size, (unsigned long long)p->sink.size);
    return st;
}

fmc_status fmc_pack_begin(fmc_pack *pack)
{
    fmc_out out = fmc_out_make(&pack->ctx->alloc);
    fmc_status st;

    fmc_header_write(&pack->header, &out);
    FMC_TRY(out.st);
    FMC_TRY(emit(pack, out.data, out.size));
done:
    fmc_out_fini(&out);
    return st;
}

fmc_status fmc_pack_end(fmc_pack *pack)
{
    fmc_out out = fmc_out_make(&pack->ctx->alloc);
    fmc_status st;

    if (!pack->header.is_streamed)
        pack->tail.dim0 = pack->header.dim[0];
    fmc_tail_write(&pack->tail, &out);
    FMC_TRY(out.st);
    FMC_TRY(emit(pack, out.data, out.size));
done:
    fmc_out_fini(&out);
    return st;
}

/* Chunks [first, first + n) of one view. */
typedef struct window {
    fmc_pack *pack;
    const fmc_array *view;
    fmc_exec inner;
    fmc_header grid; /* the pack's header with the view's dim[0] */
    fmc_index index; /* only for fmc_index_box */
    uint64_t first;
    fmc_out *payload; /* [n] */
} window;

/* The part of the view that a box is, as a view. */
static fmc_array view_of_box(const fmc_array *view, const fmc_box *box)
{
    fmc_array part = *view;
    unsigned char *data = view->data;

    part.struct_size = sizeof part;
    for (uint32_t a = 0; a < view->rank; a++) {
        data += (ptrdiff_t)box->start[a] * (ptrdiff_t)view->stride[a];
        part.dim[a] = box->dim[a];
    }
    part.data = data;
    return part;
}

static fmc_status goal_of_chunk(const window *w, const fmc_array *part, fmc_goal *goal)
{
    const fmc_header *h = &w->pack->header;
    fmc_span range;
    fmc_status st;

    *goal = w->pack->goal;
    if (!w->pack->is_goal_per_chunk)
        return FMC_OK;
    st = fmc_range_find(&w->inner, part, h->has_fill, h->fill_value, &range);
    if (st == FMC_OK)
        *goal = fmc_goal_make(h->bound_kind, h->bound, fmc_range_width(&range));
    return st;
}

static fmc_status encode_one(void *user, uint32_t i)
{
    window *w = user;
    const size_t none[FMC_MAX_RANK] = { 0 };
    fmc_box box;
    fmc_array part;
    fmc_block block;
    fmc_goal goal;
    void *copy = NULL;
    fmc_status st;

    fmc_index_box(&w->index, &w->grid, w->first + i, &box);
    part = view_of_box(w->view, &box);
    block = fmc_block_of(&w->grid, box.dim);
    if (!fmc_view_is_plain(&part)) {
        FMC_TRY(fmc_alloc(w->inner.alloc, fmc_view_count(&part), fmc_dtype_size(part.dtype), &copy));
        FMC_TRY(fmc_view_read(&w->inner, &part, none, block.dim, copy));
        fmc_array_init(&part, part.dtype, part.rank, box.dim, copy);
    }
    FMC_TRY(goal_of_chunk(w, &part, &goal));
    FMC_TRY(fmc_chunk_encode(&w->inner, &block, part.data, &goal, &w->pack->effort, &w->payload[i]));
    FMC_TRY(w->payload[i].st);
    fmc_work_add(w->pack->ctx, fmc_box_count(&box, w->grid.rank));
done:
    fmc_dealloc(w->inner.alloc, copy);
    return st;
}

/* Write one record. */
static fmc_status write_record(fmc_pack *p, const fmc_out *payload, uint64_t steps)
{
    fmc_out head = fmc_out_make(&p->ctx->alloc);
    fmc_record r = { .ordinal = p->tail.count, .steps = steps, .payload_size = payload->size };
    fmc_status st;

    r.payload_check = fmc_check32(payload->data, payload->size);
    fmc_record_write(&r, &head);
    FMC_TRY(head.st);
    FMC_TRY(emit(p, head.data, head.size));
    FMC_TRY(emit(p, payload->data, payload->size));
    fmc_out_varint(&p->tail.sizes, head.size + payload->size);
    FMC_TRY(p->tail.sizes.st);
    p->tail.count++;
done:
    fmc_out_fini(&head);
    return st;
}

static fmc_status encode_window(window *w, const fmc_exec *ex, uint32_t n)
{
    const int one_by_one = n == 1 || (ex->parallel_for && n < ex->n_threads);
    fmc_status st = FMC_OK;

    w->inner = one_by_one ? *ex : fmc_exec_inner(ex, n);
    if (!one_by_one)
        return fmc_parallel_for(ex, n, encode_one, w);
    for (uint32_t i = 0; i < n; i++) {
        FMC_TRY(fmc_work_report(w->pack->ctx));
        FMC_TRY(encode_one(w, i));
    }
done:
    return st;
}

fmc_status fmc_pack_array(fmc_pack *pack, const fmc_exec *ex, const fmc_array *view)
{
    window w = { .pack = pack, .view = view, .grid = pack->header };
    const uint64_t steps = pack->header.is_streamed ? view->dim[0] : 0;
    fmc_exec pooled = *ex;
    uint64_t count, most;
    fmc_pool pool;
    fmc_status st;

    w.grid.is_streamed = 0;
    w.grid.dim[0] = view->dim[0];
    st = fmc_pool_init(&pool, ex->alloc, chunk_room(&w.grid), &pack->ctx->scratch);
    if (st != FMC_OK)
        return st;
    pooled.alloc = &pool.base;
    w.index.slab_count = fmc_layout_slab_count(&w.grid);
    count = fmc_layout_count(&w.grid);
    most = (uint64_t)ex->n_threads * CHUNKS_PER_THREAD;
    most = most < count ? most : count;
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)most, &w.payload));
    for (uint64_t i = 0; i < most; i++)
        w.payload[i] = fmc_out_make(ex->alloc);
    for (w.first = 0; w.first < count; w.first += most) {
        const uint64_t n = count - w.first < most ? count - w.first : most;

        FMC_TRY(fmc_work_report(pack->ctx));
        FMC_TRY(encode_window(&w, &pooled, (uint32_t)n));
        for (uint64_t i = 0; i < n; i++) {
            FMC_TRY(write_record(pack, &w.payload[i], steps));
            fmc_out_fini(&w.payload[i]);
        }
    }
    if (pack->header.is_streamed) {
        if (count > 0)
            fmc_out_varint(&pack->tail.steps, steps);
        FMC_TRY(pack->tail.steps.st);
        pack->tail.dim0 += steps;
    }
done:
    for (uint64_t i = 0; w.payload && i < most; i++)
        fmc_out_fini(&w.payload[i]);
    fmc_dealloc(ex->alloc, w.payload);
    fmc_pool_fini(&pool);
    return st;
}
