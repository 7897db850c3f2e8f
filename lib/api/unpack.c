/* SPDX-License-Identifier: Apache-2.0 */
#include "api/unpack.h"

#include <inttypes.h>
#include <string.h>
#include "api/pack.h"
#include "array/view.h"
#include "codec/codec.h"
#include "core/pool.h"
#include "core/status.h"

/* Chunks per thread whose records are read before they are decoded. */
enum { CHUNKS_PER_THREAD = 4 };

/* A chunk that is waiting to be decoded. */
typedef struct item {
    uint64_t ordinal;
    fmc_bytes record;
    fmc_record head;
    fmc_status st;
} item;

/* The job; everything about coarse grids counts in coarse samples. */
typedef struct job {
    fmc_ctx *ctx;
    const fmc_stream *stream;
    const fmc_array *dst;
    fmc_exec inner;
    uint32_t scale_log2;
    uint32_t shift[FMC_MAX_RANK];                           /* scale_log2, or 0 on axes of extent 1 */
    fmc_box want;                                           /* coarse */
    uint64_t cell_begin[FMC_MAX_RANK], cells[FMC_MAX_RANK]; /* grid cells touched; axis 0 counts slabs */
    item *items;
} job;

static uint64_t ceil_shift(uint64_t v, uint32_t shift)
{
    return (v >> shift) + ((v & (((uint64_t)1 << shift) - 1)) != 0);
}

static uint32_t shift_of(const fmc_stream *s, uint32_t a, uint32_t scale_log2)
{
    return s->header.dim[a] > 1 ? scale_log2 : 0;
}

void fmc_unpack_extents(const fmc_stream *stream, const fmc_box *box, uint32_t scale_log2, uint64_t *dim)
{
    for (uint32_t a = 0; a < stream->header.rank; a++) {
        const uint32_t shift = shift_of(stream, a, scale_log2);

        dim[a] = ceil_shift(box->start[a] + box->dim[a], shift) - ceil_shift(box->start[a], shift);
    }
}

/* Which cells hold samples of the result. Counts are non-zero: the caller has sorted out empty results. */
static void plan(job *j, const fmc_box *box)
{
    const fmc_header *h = &j->stream->header;

    fmc_unpack_extents(j->stream, box, j->scale_log2, j->want.dim);
    for (uint32_t a = 0; a < h->rank; a++) {
        uint64_t first, last;

        j->shift[a] = shift_of(j->stream, a, j->scale_log2);
        j->want.start[a] = ceil_shift(box->start[a], j->shift[a]);
        first = j->want.start[a] << j->shift[a];
        last = (j->want.start[a] + j->want.dim[a] - 1) << j->shift[a];
        if (a == 0) {
            j->cell_begin[0] = fmc_index_slab(&j->stream->index, h, first);
            j->cells[0] = fmc_index_slab(&j->stream->index, h, last) - j->cell_begin[0] + 1;
        } else {
            j->cell_begin[a] = first / h->chunk[a];
            j->cells[a] = last / h->chunk[a] - j->cell_begin[a] + 1;
        }
    }
}

/* Ordinal of the k-th touched chunk. */
static uint64_t ordinal_of(const job *j, uint64_t k)
{
    const fmc_header *h = &j->stream->header;
    uint64_t cell[FMC_MAX_RANK], ordinal = 0;

    for (uint32_t a = h->rank; a-- > 0;) {
        cell[a] = j->cell_begin[a] + k % j->cells[a];
        k /= j->cells[a];
    }
    for (uint32_t a = 0; a < h->rank; a++)
        ordinal = (a ? ordinal * fmc_layout_grid(h, a) : 0) + cell[a];
    return ordinal;
}

/* The part of a chunk that the result needs: coarse box, relative to the result and to the chunk's samples. */
typedef struct part {
    fmc_box chunk;                 /* samples */
    uint64_t dim[FMC_MAX_RANK];    /* coarse */
    uint64_t to[FMC_MAX_RANK];     /* coarse, in dst */
    uint64_t first[FMC_MAX_RANK];  /* coarse, in the coarse chunk */
    uint64_t coarse[FMC_MAX_RANK]; /* extents of the coarse chunk */
    uint64_t skip[FMC_MAX_RANK];   /* samples before the first coarse sample of the chunk */
    int is_aligned;                /* no skip anywhere */
    int is_empty;
    int is_whole; /* dim == coarse */
} part;

static part part_of(const job *j, uint64_t ordinal)
{
    const fmc_header *h = &j->stream->header;
    part p = { .is_aligned = 1, .is_whole = 1 };

    fmc_index_box(&j->stream->index, h, ordinal, &p.chunk);
    for (uint32_t a = 0; a < h->rank; a++) {
        const uint64_t low = ceil_shift(p.chunk.start[a], j->shift[a]);
        const uint64_t high = ceil_shift(p.chunk.start[a] + p.chunk.dim[a], j->shift[a]);
        const uint64_t want_end = j->want.start[a] + j->want.dim[a];
        const uint64_t begin = low > j->want.start[a] ? low : j->want.start[a];
        const uint64_t end = high < want_end ? high : want_end;

        p.coarse[a] = high - low;
        p.skip[a] = (low << j->shift[a]) - p.chunk.start[a];
        p.is_aligned &= p.skip[a] == 0;
        p.is_empty |= begin >= end;
        p.dim[a] = begin < end ? end - begin : 0;
        p.is_whole &= p.dim[a] == p.coarse[a];
        p.to[a] = begin - j->want.start[a];
        p.first[a] = begin - low;
    }
    return p;
}

/* View of `dim` samples from `first` on, every step[a]-th. */
static fmc_array sub_view(const fmc_array *v, const uint64_t *first, const uint64_t *dim, const uint32_t *shift)
{
    fmc_array s = *v;
    unsigned char *data = v->data;

    s.struct_size = sizeof s;
    for (uint32_t a = 0; a < v->rank; a++) {
        data += (ptrdiff_t)first[a] * (ptrdiff_t)v->stride[a];
        s.dim[a] = dim[a];
        s.stride[a] = dim[a] > 1 ? v->stride[a] * ((int64_t)1 << (shift ? shift[a] : 0)) : v->stride[a];
    }
    s.data = data;
    return s;
}

/* Copy a box of decoded samples to its place. from: view of exactly p->dim samples. */
static fmc_status place(const job *j, const part *p, const fmc_array *from)
{
    size_t start[FMC_MAX_RANK] = { 0 }, count[FMC_MAX_RANK] = { 0 }, to[FMC_MAX_RANK] = { 0 };
    const fmc_exec *ex = &j->inner;
    void *packed = NULL;
    fmc_status st;

    for (uint32_t a = 0; a < from->rank; a++) {
        count[a] = (size_t)p->dim[a];
        to[a] = (size_t)p->to[a];
    }
    if (fmc_view_is_plain(from))
        return fmc_view_write(ex, j->dst, to, count, from->data);
    FMC_TRY(fmc_alloc(ex->alloc, fmc_view_count(from), fmc_dtype_size(from->dtype), &packed));
    FMC_TRY(fmc_view_read(ex, from, start, count, packed));
    FMC_TRY(fmc_view_write(ex, j->dst, to, count, packed));
done:
    fmc_dealloc(ex->alloc, packed);
    return st;
}

static fmc_status decode_item(const job *j, const item *it)
{
    const fmc_header *h = &j->stream->header;
    const part p = part_of(j, it->ordinal);
    const fmc_block block = fmc_block_of(h, p.chunk.dim);
    const int is_preview = j->scale_log2 > 0 && p.is_aligned;
    fmc_array to = sub_view(j->dst, p.to, p.dim, NULL), from;
    void *buf = NULL, *data;
    fmc_in payload;
    fmc_status st;

    FMC_TRY(fmc_stream_payload(&it->record, &it->head, &payload));
    fmc_array_init(&from, h->dtype, h->rank, is_preview ? p.coarse : p.chunk.dim, NULL);
    if (p.is_whole && (is_preview || j->scale_log2 == 0) && fmc_view_is_plain(&to)) {
        data = to.data;
    } else {
        FMC_TRY(fmc_alloc(j->inner.alloc, fmc_view_count(&from), fmc_dtype_size(h->dtype), &buf));
        data = from.data = buf;
    }
    FMC_TRY(is_preview ? fmc_chunk_preview(&j->inner, &block, payload, j->scale_log2, data)
                       : fmc_chunk_decode(&j->inner, &block, payload, data));
    if (buf && is_preview) {
        from = sub_view(&from, p.first, p.dim, NULL);
        FMC_TRY(place(j, &p, &from));
    } else if (buf) {
        uint64_t first[FMC_MAX_RANK] = { 0 };

        for (uint32_t a = 0; a < h->rank; a++)
            first[a] = p.skip[a] + (p.first[a] << j->shift[a]);
        from = sub_view(&from, first, p.dim, j->shift);
        FMC_TRY(place(j, &p, &from));
    }
    fmc_work_add(j->ctx, fmc_box_count(&p.chunk, h->rank));
done:
    fmc_dealloc(j->inner.alloc, buf);
    return st;
}

static fmc_status decode_task(void *user, uint32_t i)
{
    job *j = user;

    j->items[i].st = decode_item(j, &j->items[i]);
    return j->items[i].st;
}

/* Get the records of touched chunks [first, first + n); chunks without a sample of the result are left out. */
static fmc_status read_items(job *j, uint64_t first, uint32_t n, uint32_t *n_items)
{
    const fmc_header *h = &j->stream->header;
    fmc_status st = FMC_OK;

    *n_items = 0;
    for (uint32_t i = 0; i < n; i++) {
        item *it = &j->items[*n_items];
        part p;

        *it = (item){ .ordinal = ordinal_of(j, first + i) };
        p = part_of(j, it->ordinal);
        if (p.is_empty) {
            fmc_work_add(j->ctx, fmc_box_count(&p.chunk, h->rank));
            continue;
        }
        st = fmc_stream_record(j->stream, &j->ctx->alloc, it->ordinal, &it->record, &it->head);
        if (st != FMC_OK)
            return fmc_fail(j->ctx, st, "chunk %" PRIu64 ": %s", it->ordinal,
                            st == FMC_ERR_CORRUPT ? "its record is damaged or disagrees with the index"
                                                  : fmc_status_string(st));
        ++*n_items;
        FMC_TRY(
            fmc_ctx_check_limit(j->ctx, fmc_box_count(&p.chunk, h->rank) * fmc_header_sample_size(h), it->record.size));
    }
done:
    return st;
}

/* Which model a chunk lacks. */
static fmc_status say_missing(job *j, const item *it)
{
    const part p = part_of(j, it->ordinal);
    const fmc_block block = fmc_block_of(&j->stream->header, p.chunk.dim);
    fmc_chunk_facts facts = { 0 };
    const fmc_header_model *own = &j->stream->header.model;
    uint64_t lacks;
    fmc_in payload;
    fmc_status st;

    FMC_TRY(fmc_stream_payload(&it->record, &it->head, &payload));
    FMC_TRY(fmc_chunk_describe(&j->inner, &block, payload, &facts));
    lacks = facts.prior && !j->inner.find_model(j->inner.find_model_user, facts.prior) ? facts.prior : facts.model;
    if (lacks == own->hash)
        lacks = own->base;
    return fmc_fail(j->ctx, FMC_ERR_MODEL_MISSING,
                    "chunk %" PRIu64 " needs the model with hash %016" PRIx64 "; give its file of weights", it->ordinal,
                    lacks);
done:
    return st;
}

static fmc_status decode_items(job *j, const fmc_exec *ex, uint32_t n)
{
    const int one_by_one = n == 1 || (ex->parallel_for && n < ex->n_threads);
    fmc_status st = FMC_OK;

    if (n == 0)
        return FMC_OK;
    j->inner = one_by_one ? *ex : fmc_exec_inner(ex, n);
    if (!one_by_one)
        st = fmc_parallel_for(ex, n, decode_task, j);
    for (uint32_t i = 0; one_by_one && i < n && st == FMC_OK; i++) {
        st = fmc_work_report(j->ctx);
        if (st == FMC_OK)
            st = decode_task(j, i);
    }
    for (uint32_t i = 0; i < n; i++)
        if (j->items[i].st == st && st == FMC_ERR_MODEL_MISSING)
            (void)say_missing(j, &j->items[i]);
        else if (j->items[i].st == st && st != FMC_OK && st != FMC_ERR_CANCELLED)
            (void)fmc_fail(j->ctx, st, "chunk %" PRIu64 ": %s", j->items[i].ordinal,
                           st == FMC_ERR_CORRUPT ? "its bytes are damaged" : fmc_status_string(st));
    return st;
}

/* What decoding a chunk needs at once, as far as the size of the result warrants it. */
static size_t chunk_room(const fmc_stream *stream, const fmc_array *dst)
{
    const fmc_header *h = &stream->header;
    const size_t most = fmc_view_count(dst);
    uint64_t count = 1;

    for (uint32_t a = 0; a < h->rank; a++)
        count = count < most ? count * h->chunk[a] : most;
    return (size_t)(count < most ? count : most) * 5;
}

fmc_status fmc_unpack_box(fmc_ctx *ctx, const fmc_exec *ex, const fmc_stream *stream, const fmc_box *box,
                          uint32_t scale_log2, const fmc_array *dst)
{
    job j = { .ctx = ctx, .stream = stream, .dst = dst, .scale_log2 = scale_log2 };
    uint64_t count = 1, most = 0;
    uint32_t n_items = 0;
    fmc_exec pooled = *ex;
    fmc_pool pool;
    fmc_status st = FMC_OK;

    if (fmc_view_count(dst) == 0)
        return FMC_OK;
    st = fmc_pool_init(&pool, ex->alloc, chunk_room(stream, dst), &ctx->scratch);
    if (st != FMC_OK)
        return st;
    pooled.alloc = &pool.base;
    plan(&j, box);
    for (uint32_t a = 0; a < stream->header.rank; a++)
        count *= j.cells[a];
    fmc_work_begin(ctx, fmc_box_count(box, stream->header.rank));
    most = (uint64_t)ex->n_threads * CHUNKS_PER_THREAD;
    most = most < count ? most : count;
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)most, &j.items));
    for (uint64_t first = 0; first < count; first += most) {
        const uint32_t n = (uint32_t)(count - first < most ? count - first : most);

        FMC_TRY(fmc_work_report(ctx));
        FMC_TRY(read_items(&j, first, n, &n_items));
        FMC_TRY(decode_items(&j, &pooled, n_items));
        while (n_items > 0)
            fmc_bytes_fini(&ctx->alloc, &j.items[--n_items].record);
    }
    FMC_TRY(fmc_work_report(ctx));
done:
    while (n_items > 0)
        fmc_bytes_fini(&ctx->alloc, &j.items[--n_items].record);
    fmc_dealloc(ex->alloc, j.items);
    fmc_pool_fini(&pool);
    return st;
}
