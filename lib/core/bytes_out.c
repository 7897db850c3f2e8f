/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes_out.h"

#include <string.h>

fmc_out fmc_out_make(const fmc_allocator *alloc)
{
    fmc_out out = { .alloc = alloc, .st = FMC_OK };
    return out;
}

void fmc_out_fini(fmc_out *out)
{
    fmc_dealloc(out->alloc, out->data);
    out->data = NULL;
    out->size = out->cap = 0;
}

uint8_t *fmc_out_reserve(fmc_out *out, size_t size)
{
    if (out->st != FMC_OK)
        return NULL;
    if (size > out->cap - out->size) {
        size_t cap = out->cap + out->cap / 2 + 256;
        uint8_t *grown;

        if (size > SIZE_MAX / 4 || cap < out->size + size)
            cap = out->size + size;
        out->st = fmc_alloc(out->alloc, cap, 1, (void **)&grown);
        if (out->st != FMC_OK)
            return NULL;
        if (out->size)
            memcpy(grown, out->data, out->size);
        fmc_dealloc(out->alloc, out->data);
        out->data = grown;
        out->cap = cap;
    }
    return out->data + out->size;
}

void fmc_out_bytes(fmc_out *out, const void *data, size_t size)
{
    uint8_t *p = fmc_out_reserve(out, size);

    if (p && size) {
        memcpy(p, data, size);
        out->size += size;
    }
}

static void write_le(fmc_out *out, uint64_t v, unsigned n)
{
    uint8_t *p = fmc_out_reserve(out, n);

    if (!p)
        return;
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
    out->size += n;
}

void fmc_out_u8(fmc_out *out, uint8_t v)
{
    write_le(out, v, 1);
}

void fmc_out_u16(fmc_out *out, uint16_t v)
{
    write_le(out, v, 2);
}

void fmc_out_u32(fmc_out *out, uint32_t v)
{
    write_le(out, v, 4);
}

void fmc_out_u64(fmc_out *out, uint64_t v)
{
    write_le(out, v, 8);
}

void fmc_out_f32(fmc_out *out, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    fmc_out_u32(out, bits);
}

void fmc_out_f64(fmc_out *out, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    fmc_out_u64(out, bits);
}

void fmc_out_varint(fmc_out *out, uint64_t v)
{
    while (v >= 128) {
        fmc_out_u8(out, (uint8_t)(v | 128));
        v >>= 7;
    }
    fmc_out_u8(out, (uint8_t)v);
}

void fmc_out_svarint(fmc_out *out, int64_t v)
{
    fmc_out_varint(out, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}
