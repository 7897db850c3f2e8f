/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "array/blob.h"
#include "array/sample_bits.h"
#include "array/view.h"
#include "bound/correct.h"
#include "core/status.h"

/*
 * Layout, docs/format.md 5.3: count, size of the list, the list through fmc_blob_write. The list: gaps between indices
 * as varints, one byte of length per sample, then the significant bytes of each difference. Mostly the decoded value
 * is a near miss, so that a byte or two do.
 */

/* Sign and magnitude to an integer that rises with the value, modulo 2^bits; its own inverse up to the sign test. */
static uint64_t to_rising(uint64_t bits, uint64_t sign)
{
    return bits & sign ? ~bits & (sign | (sign - 1)) : bits | sign;
}

static uint64_t from_rising(uint64_t v, uint64_t sign)
{
    return v & sign ? v & (sign - 1) : ~v & (sign | (sign - 1));
}

/* What differences are taken from; a NaN counts as 0, because its bits differ between machines. */
static uint64_t base_of(const void *y, size_t size, size_t i, uint64_t sign)
{
    const uint64_t bits = fmc_sample_bits(y, size, i);
    const uint64_t infinity = size == 4 ? 0x7f800000u : 0x7ff0000000000000u;

    return to_rising((bits & (sign - 1)) > infinity ? 0 : bits, sign);
}

static uint64_t zigzag(uint64_t v, uint64_t sign)
{
    const uint64_t all = sign | (sign - 1);

    return (v << 1 ^ (v & sign ? all : 0)) & all;
}

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

static unsigned byte_length(uint64_t v)
{
    unsigned n = 0;

    for (; v; v >>= 8)
        n++;
    return n;
}

static uint64_t difference(const void *x, const void *y, size_t size, size_t i)
{
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);

    return zigzag((to_rising(fmc_sample_bits(x, size, i), sign) - base_of(y, size, i, sign)) & (sign | (sign - 1)), sign);
}

fmc_status fmc_exact_samples_encode(const fmc_exec *ex, uint32_t dtype, size_t n, const size_t *index, size_t count,
                            const void *x, const void *y, fmc_out *out)
{
    const size_t size = fmc_dtype_size(dtype);
    fmc_out list = fmc_out_make(ex->alloc);
    fmc_status st = FMC_OK;

    (void)n;
    fmc_out_varint(out, count);
    if (count == 0)
        return out->st;
    for (size_t k = 0; k < count; k++)
        fmc_out_varint(&list, k ? index[k] - index[k - 1] - 1 : index[0]);
    for (size_t k = 0; k < count; k++)
        fmc_out_u8(&list, (uint8_t)byte_length(difference(x, y, size, index[k])));
    for (size_t k = 0; k < count; k++)
        for (uint64_t d = difference(x, y, size, index[k]); d; d >>= 8)
            fmc_out_u8(&list, (uint8_t)d);
    FMC_TRY(list.st);
    fmc_out_varint(out, list.size);
    FMC_TRY(fmc_blob_write(ex, list.data, list.size, out));
    st = out->st;
done:
    fmc_out_fini(&list);
    return st;
}

static fmc_status read_indices(fmc_in *in, size_t n, size_t count, size_t *index)
{
    uint64_t next = 0; /* smallest index allowed, <= n */

    for (size_t k = 0; k < count; k++) {
        const uint64_t gap = fmc_in_varint(in);

        if (fmc_in_status(in) != FMC_OK || gap >= n - next)
            return FMC_ERR_CORRUPT;
        index[k] = (size_t)(next + gap);
        next += gap + 1;
    }
    return FMC_OK;
}

/* The list has its declared size already: whatever does not fit it exactly is a contradiction. */
static fmc_status apply_list(fmc_in in, size_t size, size_t n, size_t count, size_t *index, void *y)
{
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);
    const uint8_t *length;
    fmc_status st = read_indices(&in, n, count, index);

    if (st != FMC_OK)
        return st;
    length = fmc_in_bytes(&in, count);
    if (!length)
        return FMC_ERR_CORRUPT;
    for (size_t k = 0; k < count; k++) {
        const uint8_t *p = length[k] <= size ? fmc_in_bytes(&in, length[k]) : NULL;
        uint64_t d = 0, v;

        if (!p)
            return FMC_ERR_CORRUPT;
        for (unsigned b = 0; b < length[k]; b++)
            d |= (uint64_t)p[b] << (8 * b);
        v = (base_of(y, size, index[k], sign) + unzigzag(d)) & (sign | (sign - 1));
        fmc_set_sample_bits(y, size, index[k], from_rising(v, sign));
    }
    return fmc_in_left(&in) == 0 ? FMC_OK : FMC_ERR_CORRUPT;
}

fmc_status fmc_exact_samples_decode(const fmc_exec *ex, uint32_t dtype, size_t n, fmc_in *in, void *y)
{
    const uint64_t count = fmc_in_varint(in);
    const size_t size = fmc_dtype_size(dtype);
    fmc_status st = fmc_in_status(in);
    uint8_t *list = NULL;
    size_t *index = NULL;
    uint64_t list_size;

    if (st != FMC_OK || count == 0)
        return st;
    list_size = fmc_in_varint(in);
    FMC_TRY(fmc_in_status(in));
    if (count > n || list_size < 2 * count || list_size / (10 + 1 + 8) > count)
        return FMC_ERR_CORRUPT;
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)list_size, &list));
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)count, &index));
    FMC_TRY(fmc_blob_read(ex, in, list, (size_t)list_size));
    st = apply_list(fmc_in_make(list, (size_t)list_size), size, n, (size_t)count, index, y);
done:
    fmc_dealloc(ex->alloc, list);
    fmc_dealloc(ex->alloc, index);
    return st;
}
