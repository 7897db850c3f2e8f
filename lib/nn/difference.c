/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of weights as differences from others: zeros where nothing changed, and where numbers changed a little, planes
 * of bytes of which only the low one is not zero. zstd makes them small.
 */
#include "nn/difference.h"

#include <string.h>
#include "array/blob.h"
#include "core/status.h"

enum { HEAD = 24 /* magic, version, size, hash */, VERSION = 1 };

/* An array of the base, in both files. */
typedef struct numbers {
    size_t   offset, count, width; /* bytes */
    uint64_t mask;
} numbers;

/* Array i of the base; 0 if it does not end inside `size` bytes. */
static int find_numbers(const fmc_model *base, uint32_t i, size_t size, numbers *n)
{
    const fmc_weights_array *a = &base->weights.array[i];

    n->offset = (size_t)(a->data - base->bytes);
    n->count = a->count;
    n->width = a->size / a->count;
    n->mask = UINT64_MAX >> (64 - 8 * n->width);
    return a->size <= size && n->offset <= size - a->size;
}

static uint64_t number_at(const uint8_t *bytes, size_t width)
{
    uint64_t v = 0;

    for (size_t j = width; j-- > 0;)
        v = v << 8 | bytes[j];
    return v;
}

static uint8_t base_byte(const fmc_model *base, size_t i)
{
    return base && i < base->size ? base->bytes[i] : 0;
}

/* file to d, both of `size` bytes. */
static void subtract(const fmc_model *base, const uint8_t *file, size_t size, uint8_t *d)
{
    numbers n;

    for (size_t i = HEAD; i < size; i++)
        d[i] = (uint8_t)(file[i] - base_byte(base, i));
    for (uint32_t i = 0; base && i < base->weights.n_arrays; i++) {
        if (!find_numbers(base, i, size, &n))
            continue;
        for (size_t k = 0; k < n.count; k++) {
            const size_t at = n.offset + k * n.width;
            const uint64_t e = (number_at(file + at, n.width) - number_at(base->bytes + at, n.width)) & n.mask;
            const uint64_t u = (e << 1 ^ (e >> (8 * n.width - 1) ? n.mask : 0)) & n.mask;

            for (size_t j = 0; j < n.width; j++)
                d[n.offset + j * n.count + k] = (uint8_t)(u >> 8 * j);
        }
    }
}

/* d to file, both of `size` bytes; the head is left alone. */
static void add(const fmc_model *base, const uint8_t *d, size_t size, uint8_t *file)
{
    numbers n;

    for (size_t i = HEAD; i < size; i++)
        file[i] = (uint8_t)(base_byte(base, i) + d[i]);
    for (uint32_t i = 0; base && i < base->weights.n_arrays; i++) {
        if (!find_numbers(base, i, size, &n))
            continue;
        for (size_t k = 0; k < n.count; k++) {
            const size_t at = n.offset + k * n.width;
            uint64_t u = 0, v;

            for (size_t j = 0; j < n.width; j++)
                u |= (uint64_t)d[n.offset + j * n.count + k] << 8 * j;
            v = number_at(base->bytes + at, n.width) + (u >> 1 ^ (u & 1 ? n.mask : 0));
            for (size_t j = 0; j < n.width; j++)
                file[at + j] = (uint8_t)(v >> 8 * j);
        }
    }
}

fmc_status fmc_difference_write(const fmc_exec *ex, const fmc_model *m, const fmc_model *base, fmc_out *out)
{
    uint8_t *d = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, m->size, &d));
    subtract(base, m->bytes, m->size, d);
    FMC_TRY(fmc_blob_write(ex, d + HEAD, m->size - HEAD, out));
done:
    fmc_dealloc(ex->alloc, d);
    return st;
}

/* The head that a file of this size and hash has. */
static fmc_status write_head(const fmc_exec *ex, uint64_t hash, size_t size, uint8_t *file)
{
    fmc_out head = fmc_out_make(ex->alloc);
    fmc_status st;

    fmc_out_bytes(&head, "FMCW", 4);
    fmc_out_u16(&head, VERSION);
    fmc_out_u16(&head, 0);
    fmc_out_u64(&head, size);
    fmc_out_u64(&head, hash);
    st = head.st;
    if (st == FMC_OK)
        memcpy(file, head.data, HEAD);
    fmc_out_fini(&head);
    return st;
}

fmc_status fmc_difference_read(const fmc_exec *ex, fmc_in in, uint64_t hash, size_t size, const fmc_model *base, fmc_model **out)
{
    char why[FMC_WHY_SIZE];
    uint8_t *d = NULL, *file = NULL;
    fmc_status st;

    *out = NULL;
    FMC_TRY(FMC_ALLOC(ex->alloc, size, &d));
    FMC_TRY(FMC_ALLOC(ex->alloc, size, &file));
    FMC_TRY(fmc_blob_read(ex, &in, d + HEAD, size - HEAD));
    FMC_TRY(fmc_in_left(&in) ? FMC_ERR_CORRUPT : FMC_OK);
    FMC_TRY(write_head(ex, hash, size, file));
    add(base, d, size, file);
    FMC_TRY(fmc_model_make(ex->alloc, file, size, why, out));
done:
    fmc_dealloc(ex->alloc, d);
    fmc_dealloc(ex->alloc, file);
    return st == FMC_OK || st == FMC_ERR_NO_MEMORY || st == FMC_ERR_UNSUPPORTED ? st : FMC_ERR_CORRUPT;
}
