/* SPDX-License-Identifier: Apache-2.0 */
#include "container/index.h"

#include <string.h>
#include "container/record.h"
#include "container/tail.h"
#include "core/status.h"

void fmc_index_fini(const fmc_allocator *alloc, fmc_index *index)
{
    fmc_dealloc(alloc, index->offset);
    fmc_dealloc(alloc, index->slab_start);
    *index = (fmc_index){ 0 };
}

void fmc_index_box(const fmc_index *index, const fmc_header *h, uint64_t i, fmc_box *box)
{
    const uint64_t slab = i / index->slab_count;

    *box = (fmc_box){ 0 };
    if (index->slab_start) {
        box->start[0] = index->slab_start[slab];
        box->dim[0] = index->slab_start[slab + 1] - box->start[0];
    } else {
        const uint64_t left = h->dim[0] - slab * h->chunk[0];

        box->start[0] = slab * h->chunk[0];
        box->dim[0] = left < h->chunk[0] ? left : h->chunk[0];
    }
    fmc_layout_place(h, i % index->slab_count, box);
}

uint64_t fmc_index_slab(const fmc_index *index, const fmc_header *h, uint64_t t)
{
    uint64_t low = 0, high = index->n_slabs; /* the answer is in [low, high) */

    if (!index->slab_start)
        return t / h->chunk[0];
    while (high - low > 1) {
        const uint64_t mid = low + (high - low) / 2;

        if (index->slab_start[mid] <= t)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* A growing list of u64 in an fmc_index. */
static fmc_status push(const fmc_allocator *alloc, uint64_t **list, size_t *cap, size_t n, uint64_t value)
{
    if (n == *cap) {
        const size_t grown = *cap * 2 + 16;
        uint64_t *p;
        const fmc_status st = FMC_ALLOC(alloc, grown, &p);

        if (st != FMC_OK)
            return st;
        if (n)
            memcpy(p, *list, n * sizeof *p);
        fmc_dealloc(alloc, *list);
        *list = p;
        *cap = grown;
    }
    (*list)[n] = value;
    return FMC_OK;
}

/* State of reading records one after another. */
typedef struct scan {
    const fmc_allocator *alloc;
    const fmc_source *source;
    const fmc_header *h;
    fmc_index x;
    uint64_t where;
    uint64_t steps; /* of the slab that is being read */
    size_t offset_cap, slab_cap;
} scan;

/* One head under a good checksum: must fit its place. */
static fmc_status accept(scan *s, const fmc_record *r)
{
    const int is_first = s->x.count % s->x.slab_count == 0;
    fmc_header final = *s->h;
    fmc_status st = FMC_OK;

    if (r->ordinal != s->x.count || s->x.count >= FMC_MAX_CHUNKS)
        return FMC_ERR_CORRUPT;
    if (!s->h->is_streamed && s->x.count >= fmc_layout_count(s->h))
        return FMC_ERR_CORRUPT;
    if (s->h->is_streamed && (r->steps < 1 || r->steps > s->h->chunk[0] || (!is_first && r->steps != s->steps)))
        return FMC_ERR_CORRUPT;
    s->steps = r->steps;
    if (s->h->is_streamed && is_first) {
        FMC_TRY(push(s->alloc, &s->x.slab_start, &s->slab_cap, s->x.n_slabs, s->x.dim0));
        s->x.n_slabs++;
        s->x.dim0 += r->steps; /* both below 2^63: no overflow */
        final.dim[0] = s->x.dim0;
        if (fmc_layout_bytes(&final) > (uint64_t)INT64_MAX)
            return FMC_ERR_CORRUPT;
    }
    FMC_TRY(push(s->alloc, &s->x.offset, &s->offset_cap, s->x.count, s->where));
done:
    return st;
}

/* Read heads until something is not whole; s->x.why says what stopped it. */
static fmc_status scan_records(scan *s)
{
    uint8_t buf[FMC_RECORD_HEAD_MAX];

    for (;;) {
        size_t got;
        fmc_record r;
        fmc_status st = fmc_source_peek(s->source, s->where, buf, sizeof buf, &got);
        fmc_in in = fmc_in_make(buf, got);

        if (st != FMC_OK)
            return st;
        s->x.why = FMC_ERR_TRUNCATED;
        if (got == 0 || (s->x.slab_count == 0 && buf[0] != FMC_TAG_CHUNK))
            return FMC_OK;
        if (buf[0] == FMC_TAG_TAIL)
            return FMC_OK;
        s->x.why = fmc_record_parse(&in, s->h->is_streamed != 0, &r);
        if (s->x.why != FMC_OK)
            return FMC_OK;
        if (r.payload_size > s->source->size - s->where - r.head_size) {
            s->x.why = FMC_ERR_TRUNCATED;
            return FMC_OK;
        }
        if (s->x.slab_count == 0)
            return FMC_ERR_CORRUPT;
        st = accept(s, &r);
        if (st != FMC_OK)
            return st;
        s->x.count++;
        s->where += r.head_size + r.payload_size;
    }
}

/* Keep whole slabs only. */
static fmc_status drop_part_slab(scan *s)
{
    const uint64_t slabs = s->x.slab_count ? s->x.count / s->x.slab_count : 0;
    const uint64_t keep = slabs * s->x.slab_count;
    const uint64_t end = keep < s->x.count ? s->x.offset[keep] : s->where;
    fmc_status st;

    if (s->h->is_streamed) {
        if (slabs < s->x.n_slabs)
            s->x.dim0 = s->x.slab_start[slabs];
        FMC_TRY(push(s->alloc, &s->x.slab_start, &s->slab_cap, (size_t)slabs, s->x.dim0));
    } else if (s->x.slab_count && slabs < fmc_layout_grid(s->h, 0)) {
        s->x.dim0 = slabs * s->h->chunk[0];
    } else {
        s->x.dim0 = s->x.slab_count ? s->h->dim[0] : 0;
    }
    s->x.count = keep;
    s->x.n_slabs = slabs;
    FMC_TRY(push(s->alloc, &s->x.offset, &s->offset_cap, (size_t)keep, end));
done:
    return st;
}

/* A tail was met whose footer is not good: cut off inside it, or damaged? */
static fmc_status judge_tail(scan *s)
{
    fmc_bytes rest;
    fmc_status st;
    fmc_in in;
    uint64_t count;

    s->x.why = FMC_ERR_CORRUPT;
    if (s->source->size - s->where > (uint64_t)UINT32_MAX + FMC_FOOTER_SIZE)
        return FMC_OK;
    FMC_TRY(fmc_source_get(s->source, s->alloc, s->where, s->source->size - s->where, &rest));
    in = fmc_in_make(rest.data, rest.size);
    (void)fmc_in_u8(&in);
    (void)fmc_in_varint(&in);
    count = fmc_in_varint(&in);
    for (uint64_t i = 0; count > 1 && i < count && !in.short_read && !in.bad; i++)
        (void)fmc_in_varint(&in);
    for (uint64_t i = 0; count > 1 && i < s->x.n_slabs && s->x.slab_start && !in.short_read && !in.bad; i++)
        (void)fmc_in_varint(&in);
    (void)fmc_in_bytes(&in, FMC_FOOTER_SIZE);
    if (in.short_read && !in.bad)
        s->x.why = FMC_ERR_TRUNCATED;
    fmc_bytes_fini(s->alloc, &rest);
done:
    return st;
}

static fmc_status scan_index(const fmc_allocator *alloc, const fmc_source *source, const fmc_header *h, uint64_t begin,
                             fmc_index *out)
{
    scan s = { .alloc = alloc, .source = source, .h = h, .where = begin };
    uint8_t tag;
    size_t got;
    fmc_status st;

    s.x.slab_count = fmc_layout_slab_count(h);
    if (!h->is_streamed && fmc_layout_grid(h, 0) == 0)
        s.x.slab_count = 0;
    FMC_TRY(scan_records(&s));
    FMC_TRY(fmc_source_peek(source, s.where, &tag, 1, &got));
    if (got && tag == FMC_TAG_TAIL)
        FMC_TRY(judge_tail(&s));
    FMC_TRY(drop_part_slab(&s));
    *out = s.x;
    s.x = (fmc_index){ 0 };
done:
    fmc_index_fini(alloc, &s.x);
    return st;
}

fmc_status fmc_index_open(const fmc_allocator *alloc, const fmc_source *source, const fmc_header *h, uint64_t begin,
                          fmc_index *out)
{
    fmc_bytes tail;
    uint64_t at;
    fmc_status st;

    *out = (fmc_index){ 0 };
    st = fmc_tail_find(alloc, source, begin, &tail, &at);
    if (st == FMC_OK && tail.data)
        st = fmc_tail_parse(alloc, fmc_in_make(tail.data, tail.size), h, begin, at, out);
    else if (st == FMC_OK)
        st = scan_index(alloc, source, h, begin, out);
    fmc_bytes_fini(alloc, &tail);
    return st;
}
