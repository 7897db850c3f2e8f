/* SPDX-License-Identifier: Apache-2.0 */
#include "container/header.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "container/check.h"
#include "container/layout.h"
#include "core/status.h"

/* Bits of the shape and quality bytes. */
enum { RANK_MASK = 7, DTYPE_SHIFT = 3, DTYPE_MASK = 3, STREAMED = 32, HAS_FILL = 64, RESERVED = 128 };
enum { KIND_MASK = 15, EFFORT_SHIFT = 4 };
/* Ids of sections. */
enum { SECTION_MODEL = 2 * 2 };

static int is_fill_valid(const fmc_header *h)
{
    if (!h->has_fill)
        return 1;
    return isfinite(h->fill_value) && (h->dtype == FMC_F64 || fabs(h->fill_value) <= (double)FLT_MAX);
}

static int are_extents_valid(const fmc_header *h)
{
    uint64_t bytes = fmc_header_sample_size(h);
    const uint64_t max_bytes = (uint64_t)INT64_MAX;

    for (uint32_t a = 0; a < h->rank; a++) {
        const int open = a == 0 && h->is_streamed;
        const uint64_t extent = open ? h->chunk[0] : h->dim[a];

        if (open ? h->chunk[0] < 1 || h->dim[0] != 0 : h->chunk[a] > extent || (h->chunk[a] == 0) != (extent == 0))
            return 0;
        if (extent > 0 && bytes > max_bytes / extent)
            return 0;
        bytes *= extent ? extent : 1;
    }
    return 1;
}

fmc_status fmc_header_check(const fmc_header *h)
{
    if ((h->dtype != FMC_F32 && h->dtype != FMC_F64) || h->rank < 1 || h->rank > FMC_MAX_RANK)
        return FMC_ERR_CORRUPT;
    if (h->bound_kind > FMC_BOUND_SIZE || h->effort < 1 || h->effort > 9 || !is_fill_valid(h))
        return FMC_ERR_CORRUPT;
    if (h->bound_kind != FMC_BOUND_LOSSLESS && !(h->bound > 0 && isfinite(h->bound)))
        return FMC_ERR_CORRUPT;
    if (!are_extents_valid(h) || fmc_layout_count(h) > FMC_MAX_CHUNKS)
        return FMC_ERR_CORRUPT;
    return FMC_OK;
}

static void write_model(const fmc_header_model *m, fmc_out *out)
{
    fmc_out section = fmc_out_make(out->alloc);

    fmc_out_u64(&section, m->hash);
    fmc_out_u64(&section, m->base);
    fmc_out_varint(&section, m->size);
    fmc_out_bytes(&section, m->difference.data, m->difference.size);
    fmc_out_varint(out, SECTION_MODEL);
    fmc_out_varint(out, section.size);
    fmc_out_bytes(out, section.data, section.size);
    if (out->st == FMC_OK)
        out->st = section.st;
    fmc_out_fini(&section);
}

static void write_body(const fmc_header *h, fmc_out *out)
{
    const uint32_t first = h->is_streamed ? 1 : 0;
    const uint32_t flags = (h->is_streamed ? STREAMED : 0) | (h->has_fill ? HAS_FILL : 0);

    fmc_out_u8(out, (uint8_t)(h->rank | h->dtype << DTYPE_SHIFT | flags));
    fmc_out_u8(out, (uint8_t)(h->bound_kind | h->effort << EFFORT_SHIFT));
    if (h->bound_kind != FMC_BOUND_LOSSLESS)
        fmc_out_f64(out, h->bound);
    if (h->has_fill && h->dtype == FMC_F32)
        fmc_out_f32(out, (float)h->fill_value);
    if (h->has_fill && h->dtype == FMC_F64)
        fmc_out_f64(out, h->fill_value);
    for (uint32_t a = first; a < h->rank; a++)
        fmc_out_varint(out, h->dim[a]);
    for (uint32_t a = 0; a < h->rank; a++)
        fmc_out_varint(out, h->chunk[a] == h->dim[a] ? 0 : h->chunk[a]);
    if (h->model.hash)
        write_model(&h->model, out);
}

void fmc_header_write(const fmc_header *h, fmc_out *out)
{
    const size_t begin = out->size;
    fmc_out body = fmc_out_make(out->alloc);

    write_body(h, &body);
    fmc_out_bytes(out, FMC_MAGIC, FMC_MAGIC_SIZE);
    fmc_out_u8(out, FMC_FORMAT_VERSION);
    fmc_out_varint(out, body.size);
    fmc_out_bytes(out, body.data, body.size);
    if (out->st == FMC_OK)
        out->st = body.st;
    if (out->st == FMC_OK)
        fmc_out_u32(out, fmc_check32(out->data + begin, out->size - begin));
    fmc_out_fini(&body);
}

fmc_status fmc_header_measure(fmc_in prefix, uint64_t *size)
{
    const size_t n = prefix.size < FMC_MAGIC_SIZE ? prefix.size : FMC_MAGIC_SIZE;
    uint64_t body;
    uint8_t version;

    *size = 0;
    if (n && memcmp(prefix.data, FMC_MAGIC, n) != 0)
        return FMC_ERR_NOT_FMC;
    (void)fmc_in_bytes(&prefix, FMC_MAGIC_SIZE);
    version = fmc_in_u8(&prefix);
    if (!prefix.short_read && version != FMC_FORMAT_VERSION)
        return version ? FMC_ERR_UNSUPPORTED : FMC_ERR_CORRUPT;
    body = fmc_in_varint(&prefix);
    if (fmc_in_status(&prefix) != FMC_OK)
        return fmc_in_status(&prefix);
    if (body > UINT32_MAX)
        return FMC_ERR_CORRUPT;
    *size = prefix.pos + body + 4;
    return FMC_OK;
}

static fmc_status parse_model(fmc_in in, fmc_header_model *m)
{
    uint64_t size;

    m->hash = fmc_in_u64(&in);
    m->base = fmc_in_u64(&in);
    size = fmc_in_varint(&in);
    if (in.short_read || in.bad || !m->hash || size < FMC_HEADER_MODEL_MIN || size > FMC_HEADER_MODEL_MAX)
        return FMC_ERR_CORRUPT;
    m->size = (uint32_t)size;
    m->difference = fmc_in_sub(&in, fmc_in_left(&in));
    return FMC_OK;
}

/* Sections (docs/format.md 3). */
static fmc_status parse_sections(fmc_in *in, fmc_header *h)
{
    uint64_t next = 0;
    fmc_status st = FMC_OK;

    while (fmc_in_left(in) > 0) {
        const size_t begin = in->pos;
        const uint64_t id = fmc_in_varint(in);
        const fmc_in contents = fmc_in_sub(in, fmc_in_varint(in));

        if (in->short_read || in->bad || id >> 1 < next)
            return FMC_ERR_CORRUPT;
        if (id & 1)
            return FMC_ERR_UNSUPPORTED;
        if (id == SECTION_MODEL)
            FMC_TRY(parse_model(contents, &h->model));
        if (id == SECTION_MODEL)
            h->model.section_size = in->pos - begin;
        next = (id >> 1) + 1;
    }
done:
    return st;
}

static fmc_status parse_types(fmc_in *in, fmc_header *h)
{
    const uint32_t shape = fmc_in_u8(in);
    const uint32_t quality = fmc_in_u8(in);

    h->rank = shape & RANK_MASK;
    h->dtype = shape >> DTYPE_SHIFT & DTYPE_MASK;
    h->is_streamed = (shape & STREAMED) != 0;
    h->has_fill = (shape & HAS_FILL) != 0;
    h->bound_kind = quality & KIND_MASK;
    h->effort = quality >> EFFORT_SHIFT;
    if ((shape & RESERVED) || h->rank > FMC_MAX_RANK || h->bound_kind > FMC_BOUND_SIZE ||
        (h->dtype != FMC_F32 && h->dtype != FMC_F64))
        return FMC_ERR_UNSUPPORTED;
    if (h->bound_kind != FMC_BOUND_LOSSLESS)
        h->bound = fmc_in_f64(in);
    if (h->has_fill)
        h->fill_value = h->dtype == FMC_F32 ? (double)fmc_in_f32(in) : fmc_in_f64(in);
    return FMC_OK;
}

static fmc_status parse_extents(fmc_in *in, fmc_header *h)
{
    for (uint32_t a = h->is_streamed ? 1 : 0; a < h->rank; a++)
        h->dim[a] = fmc_in_varint(in);
    for (uint32_t a = 0; a < h->rank; a++) {
        const uint64_t stored = fmc_in_varint(in);

        if (stored != 0 && !(a == 0 && h->is_streamed) && stored >= h->dim[a])
            return FMC_ERR_CORRUPT; /* the whole axis has one form only: 0 */
        h->chunk[a] = stored ? stored : h->dim[a];
    }
    return in->short_read || in->bad ? FMC_ERR_CORRUPT : FMC_OK;
}

fmc_status fmc_header_parse(fmc_in in, fmc_header *h)
{
    fmc_status st;
    fmc_header p = { 0 };
    uint64_t size;
    fmc_in body;

    FMC_TRY(fmc_header_measure(in, &size));
    if (in.size < size)
        return FMC_ERR_TRUNCATED;
    body = fmc_in_make(in.data + size - 4, 4);
    if (!fmc_check_ok(fmc_in_u32(&body), fmc_check32(in.data, (size_t)size - 4)))
        return FMC_ERR_CORRUPT;
    (void)fmc_in_bytes(&in, FMC_MAGIC_SIZE + 1);
    (void)fmc_in_varint(&in);
    body = fmc_in_sub(&in, size - 4 - in.pos);
    FMC_TRY(parse_types(&body, &p));
    FMC_TRY(parse_extents(&body, &p));
    FMC_TRY(fmc_header_check(&p));
    FMC_TRY(parse_sections(&body, &p));
    *h = p;
done:
    return st;
}
