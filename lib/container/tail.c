/* SPDX-License-Identifier: Apache-2.0 */
#include "container/tail.h"

#include <string.h>
#include "container/check.h"
#include "container/record.h"
#include "core/status.h"

fmc_tail fmc_tail_make(const fmc_allocator *alloc)
{
    fmc_tail t = { .sizes = fmc_out_make(alloc), .steps = fmc_out_make(alloc) };

    return t;
}

void fmc_tail_fini(fmc_tail *tail)
{
    if (tail->sizes.alloc) {
        fmc_out_fini(&tail->sizes);
        fmc_out_fini(&tail->steps);
    }
}

void fmc_tail_write(const fmc_tail *tail, fmc_out *out)
{
    const size_t begin = out->size;
    size_t size;

    fmc_out_u8(out, FMC_TAG_TAIL);
    fmc_out_varint(out, tail->dim0);
    fmc_out_varint(out, tail->count);
    if (tail->count > 1) {
        fmc_out_bytes(out, tail->sizes.data, tail->sizes.size);
        fmc_out_bytes(out, tail->steps.data, tail->steps.size);
    }
    if (out->st == FMC_OK)
        out->st = tail->sizes.st != FMC_OK ? tail->sizes.st : tail->steps.st;
    size = out->size - begin;
    if (out->st == FMC_OK && size > UINT32_MAX)
        out->st = FMC_ERR_LIMIT;
    fmc_out_u32(out, (uint32_t)size);
    if (out->st != FMC_OK)
        return;
    fmc_out_u32(out, fmc_check32(out->data + begin, out->size - begin));
    fmc_out_bytes(out, FMC_FOOTER_MAGIC, FMC_MAGIC_SIZE);
}

fmc_status fmc_tail_find(const fmc_allocator *alloc, const fmc_source *source, uint64_t begin, fmc_bytes *tail,
                         uint64_t *at)
{
    uint8_t buf[FMC_FOOTER_SIZE];
    uint64_t end, size;
    uint32_t check;
    size_t got;
    fmc_status st;
    fmc_in in;

    *tail = (fmc_bytes){ 0 };
    *at = 0;
    if (source->size < begin || source->size - begin < FMC_FOOTER_SIZE)
        return FMC_OK;
    end = source->size - FMC_FOOTER_SIZE;
    st = fmc_source_peek(source, end, buf, sizeof buf, &got);
    in = fmc_in_make(buf, sizeof buf);
    size = fmc_in_u32(&in);
    check = fmc_in_u32(&in);
    if (st != FMC_OK || memcmp(buf + 8, FMC_FOOTER_MAGIC, FMC_MAGIC_SIZE) != 0 || size > end - begin)
        return st;
    st = fmc_source_get(source, alloc, end - size, size + 4, tail);
    if (st != FMC_OK)
        return st;
    if (!fmc_check_ok(check, fmc_check32(tail->data, tail->size))) {
        fmc_bytes_fini(alloc, tail);
        return FMC_OK;
    }
    tail->size -= 4;
    *at = end - size;
    return FMC_OK;
}

/* Offsets from the stored sizes; with one record there are none stored. */
static fmc_status parse_sizes(fmc_in *in, uint64_t begin, uint64_t at, fmc_index *x)
{
    uint64_t where = begin;

    for (uint64_t i = 0; i < x->count; i++) {
        const uint64_t size = x->count > 1 ? fmc_in_varint(in) : at - begin;

        x->offset[i] = where;
        if (size < FMC_RECORD_HEAD_MIN || size > at - where)
            return FMC_ERR_CORRUPT;
        where += size;
    }
    x->offset[x->count] = where;
    return where == at ? FMC_OK : FMC_ERR_CORRUPT;
}

static fmc_status parse_steps(fmc_in *in, const fmc_header *h, fmc_index *x)
{
    uint64_t t = 0;

    for (uint64_t k = 0; k < x->n_slabs; k++) {
        const uint64_t steps = x->count > 1 ? fmc_in_varint(in) : x->dim0;

        x->slab_start[k] = t;
        if (steps < 1 || steps > h->chunk[0] || steps > x->dim0 - t)
            return FMC_ERR_CORRUPT;
        t += steps;
    }
    x->slab_start[x->n_slabs] = t;
    return t == x->dim0 || x->slab_count == 0 ? FMC_OK : FMC_ERR_CORRUPT;
}

/* Counts that must agree before anything is allocated by them. */
static fmc_status check_counts(const fmc_header *h, const fmc_index *x, uint64_t in_left)
{
    fmc_header final = *h;

    if (h->is_streamed ? (x->slab_count ? x->count % x->slab_count : x->count) != 0
                       : x->dim0 != h->dim[0] || x->count != fmc_layout_count(h))
        return FMC_ERR_CORRUPT;
    if (x->count > FMC_MAX_CHUNKS || (x->count > 1 && x->count > in_left))
        return FMC_ERR_CORRUPT;
    final.dim[0] = x->dim0;
    return fmc_layout_bytes(&final) > (uint64_t)INT64_MAX ? FMC_ERR_CORRUPT : FMC_OK;
}

fmc_status fmc_tail_parse(const fmc_allocator *alloc, fmc_in in, const fmc_header *h, uint64_t begin, uint64_t at,
                          fmc_index *out)
{
    fmc_status st;
    fmc_index x = { .is_complete = 1, .why = FMC_OK, .slab_count = fmc_layout_slab_count(h) };

    if (fmc_in_u8(&in) != FMC_TAG_TAIL)
        return FMC_ERR_CORRUPT;
    x.dim0 = fmc_in_varint(&in);
    x.count = fmc_in_varint(&in);
    if (in.short_read || in.bad)
        return FMC_ERR_CORRUPT;
    FMC_TRY(check_counts(h, &x, fmc_in_left(&in)));
    x.n_slabs = x.slab_count ? x.count / x.slab_count : 0;
    FMC_TRY(FMC_ALLOC(alloc, (size_t)x.count + 1, &x.offset));
    FMC_TRY(parse_sizes(&in, begin, at, &x));
    if (h->is_streamed) {
        FMC_TRY(FMC_ALLOC(alloc, (size_t)x.n_slabs + 1, &x.slab_start));
        FMC_TRY(parse_steps(&in, h, &x));
    }
    if (in.short_read || in.bad || fmc_in_left(&in) > 0)
        FMC_TRY(FMC_ERR_CORRUPT);
    *out = x;
    x = (fmc_index){ 0 };
done:
    fmc_index_fini(alloc, &x);
    return st;
}
