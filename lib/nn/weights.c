/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/weights.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#include "core/status.h"

enum { VERSION = 1, ALIGN = 64, MAX_SECTIONS = 32, MAX_ARRAYS = 8192, ARRAY_SIZE = 88, SECTION_NAME = 8 };
#define HEADER_SIZE ((size_t)24) /* not hashed */

fmc_status fmc_weights_refuse(fmc_weights *w, fmc_status st, const char *format, ...)
{
    va_list args;

    if (w->why[0])
        return st;
    va_start(args, format);
    vsnprintf(w->why, sizeof w->why, format, args);
    va_end(args);
    return st;
}

int fmc_weights_read_name(fmc_in *in, size_t size, char *text)
{
    const uint8_t *p = fmc_in_bytes(in, size);
    size_t n = 0;

    text[0] = 0;
    if (!p)
        return 0;
    for (; n < size && p[n]; n++) {
        if (p[n] < 33 || p[n] > 126)
            return 0;
        text[n] = (char)p[n];
    }
    text[n] = 0;
    for (size_t i = n; i < size; i++)
        if (p[i])
            return 0;
    return n > 0;
}

/* Header up to the section table; *in is left behind the number of sections. */
static fmc_status read_header(fmc_weights *w, const void *data, size_t size, fmc_in *in, uint32_t *n_sections)
{
    const uint8_t *magic = fmc_in_bytes(in, 4);
    const uint32_t version = fmc_in_u16(in), reserved = fmc_in_u16(in);
    const uint64_t length = fmc_in_u64(in);

    if (!magic || memcmp(magic, "FMCW", 4))
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "no file of weights (wrong magic)");
    w->hash = fmc_in_u64(in);
    *n_sections = fmc_in_u32(in);
    if (version > VERSION && !in->short_read)
        return fmc_weights_refuse(w, FMC_ERR_UNSUPPORTED, "version %u of weights files is not known", version);
    if (in->short_read || length > size)
        return fmc_weights_refuse(w, FMC_ERR_TRUNCATED, "the file of weights ends early");
    if (version != VERSION || reserved || length != size || fmc_in_u32(in) || *n_sections > MAX_SECTIONS)
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "header of the file of weights");
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    if (XXH64((const uint8_t *)data + HEADER_SIZE, size - HEADER_SIZE, 0) != w->hash)
        return fmc_weights_refuse(w, FMC_ERR_CORRUPT, "hash of the file of weights differs");
#endif
    return FMC_OK;
}

/* A part [offset, offset + length) behind `*end` and aligned; moves *end. */
static int is_placed(uint64_t offset, uint64_t length, uint64_t size, uint64_t *end)
{
    if (offset % ALIGN || offset < *end || offset > size || length > size - offset)
        return 0;
    *end = offset + length;
    return 1;
}

static fmc_status read_sections(fmc_weights *w, const void *data, size_t size, fmc_in *in, uint32_t n, fmc_in *arrays,
                                fmc_in *content)
{
    static const char *const known[] = { "MODEL", "PROGRAMS", "OPS", "ARRAYS", "DATA", "RECORD" };
    fmc_in *const target[] = { &w->model, &w->programs, &w->ops, arrays, content, &w->record };
    enum { N_KNOWN = sizeof known / sizeof *known, N_REQUIRED = 5 };
    char names[MAX_SECTIONS][SECTION_NAME + 1];
    uint64_t end = 32 + 24 * (uint64_t)n;
    uint32_t seen = 0;

    for (uint32_t i = 0; i < n; i++) {
        const int is_named = fmc_weights_read_name(in, SECTION_NAME, names[i]);
        const uint64_t offset = fmc_in_u64(in), length = fmc_in_u64(in);

        if (in->short_read)
            return fmc_weights_refuse(w, FMC_ERR_TRUNCATED, "the file of weights ends early");
        if (!is_named || !is_placed(offset, length, size, &end))
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "section %u: name or place", i);
        for (uint32_t j = 0; j < i; j++)
            if (!strcmp(names[i], names[j]))
                return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "section %s twice", names[i]);
        for (uint32_t j = 0; j < N_KNOWN; j++)
            if (!strcmp(names[i], known[j])) {
                *target[j] = fmc_in_make((const uint8_t *)data + offset, (size_t)length);
                seen |= 1u << j;
            }
    }
    for (uint32_t j = 0; j < N_REQUIRED; j++)
        if (!(seen >> j & 1))
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "no section %s", known[j]);
    return FMC_OK;
}

static uint32_t type_size(uint32_t type)
{
    static const uint8_t size[] = { 0, 1, 2, 4, 1, 2, 4, 2 };

    return type < sizeof size ? size[type] : 0;
}

/* One entry of the table of arrays. *end: where the last one ended in DATA. */
static fmc_status read_array(fmc_weights *w, fmc_in *in, const fmc_in *content, uint64_t *end, fmc_weights_array *a)
{
    const int is_named = fmc_weights_read_name(in, FMC_WEIGHTS_NAME, a->name);
    uint32_t zero;
    uint64_t offset, length, count = 1;
    int is_good = is_named;

    a->type = fmc_in_u8(in);
    a->rank = fmc_in_u8(in);
    zero = fmc_in_u16(in);
    is_good &= type_size(a->type) && a->rank >= 1 && a->rank <= FMC_WEIGHTS_RANK;
    for (uint32_t d = 0; d < FMC_WEIGHTS_RANK; d++) {
        a->dim[d] = fmc_in_u32(in);
        if (d >= a->rank) {
            is_good &= a->dim[d] == 0;
        } else if (a->dim[d] == 0 || count > content->size / a->dim[d]) {
            is_good = 0;
        } else {
            count *= a->dim[d];
        }
    }
    offset = fmc_in_u64(in);
    length = fmc_in_u64(in);
    zero |= fmc_in_u32(in);
    if (!is_good || zero || count != length / type_size(a->type) || length % type_size(a->type) ||
        !is_placed(offset, length, content->size, end))
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "array %s: type, dimensions or place", a->name);
    a->count = (size_t)count;
    a->size = (size_t)length;
    a->data = content->data + offset;
    return FMC_OK;
}

/* Sort the numbers of arrays by name: heap sort, as names come from untrusted files. */
static void sort_names(const fmc_weights_array *array, uint32_t *number, uint32_t n)
{
    for (uint32_t pass = n / 2, end = n; end > 1;) {
        uint32_t root, child, moving;

        if (pass > 0) {
            moving = number[--pass];
        } else {
            moving = number[--end];
            number[end] = number[0];
        }
        for (root = pass; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && strcmp(array[number[child]].name, array[number[child + 1]].name) < 0)
                child++;
            if (strcmp(array[moving].name, array[number[child]].name) >= 0)
                break;
            number[root] = number[child];
        }
        number[root] = moving;
    }
}

static fmc_status read_arrays(fmc_weights *w, fmc_in *in, const fmc_in *content)
{
    const size_t n = in->size / ARRAY_SIZE;
    uint64_t end = 0;
    fmc_status st;

    if (in->size % ARRAY_SIZE || n > MAX_ARRAYS)
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "size of the table of arrays");
    FMC_TRY(FMC_ALLOC_ZERO(w->alloc, n, &w->array));
    FMC_TRY(FMC_ALLOC(w->alloc, n, &w->by_name));
    for (; w->n_arrays < n; w->n_arrays++) {
        FMC_TRY(read_array(w, in, content, &end, &w->array[w->n_arrays]));
        w->by_name[w->n_arrays] = w->n_arrays;
    }
    sort_names(w->array, w->by_name, w->n_arrays);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(w->array[w->by_name[i - 1]].name, w->array[w->by_name[i]].name))
            FMC_TRY(fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "array %s twice", w->array[w->by_name[i]].name));
done:
    return st;
}

fmc_status fmc_weights_open(const fmc_allocator *a, const void *data, size_t size, fmc_weights *w)
{
    fmc_in in = fmc_in_make(data, size), arrays = { 0 }, content = { 0 };
    uint32_t n_sections = 0;
    fmc_status st;

    *w = (fmc_weights){ .alloc = a };
    FMC_TRY(read_header(w, data, size, &in, &n_sections));
    FMC_TRY(read_sections(w, data, size, &in, n_sections, &arrays, &content));
    FMC_TRY(read_arrays(w, &arrays, &content));
done:
    return st;
}

void fmc_weights_fini(fmc_weights *w)
{
    fmc_dealloc(w->alloc, w->array);
    fmc_dealloc(w->alloc, w->by_name);
    w->array = NULL;
    w->by_name = NULL;
    w->n_arrays = 0;
}

const fmc_weights_array *fmc_weights_find(const fmc_weights *w, const char *name)
{
    uint32_t low = 0, high = w->n_arrays;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        const int order = strcmp(w->array[w->by_name[mid]].name, name);

        if (order == 0)
            return &w->array[w->by_name[mid]];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

int32_t fmc_weights_int(const fmc_weights_array *a, size_t i)
{
    const size_t size = type_size(a->type);
    fmc_in in = fmc_in_make(a->data + i * size, size);

    switch (a->type) {
    case FMC_WEIGHTS_I8:
        return (int8_t)fmc_in_u8(&in);
    case FMC_WEIGHTS_I16:
        return (int16_t)fmc_in_u16(&in);
    case FMC_WEIGHTS_I32:
        return (int32_t)fmc_in_u32(&in);
    case FMC_WEIGHTS_U8:
        return fmc_in_u8(&in);
    default:
        return fmc_in_u16(&in);
    }
}

/* binary16 to binary32, exactly. */
static float half_to_float(uint32_t h)
{
    const int exponent = h >> 10 & 31;
    const float mantissa = (float)(h & 1023);
    const float v = exponent == 31  ? (h & 1023 ? NAN : INFINITY)
                    : exponent == 0 ? ldexpf(mantissa, -24)
                                    : ldexpf(1024 + mantissa, exponent - 25);

    return h >> 15 ? -v : v;
}

float fmc_weights_float(const fmc_weights_array *a, size_t i)
{
    fmc_in in = fmc_in_make(a->data + i * type_size(a->type), type_size(a->type));

    return a->type == FMC_WEIGHTS_F32 ? fmc_in_f32(&in) : half_to_float(fmc_in_u16(&in));
}
