/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes_in.h"

#include <string.h>

fmc_in fmc_in_make(const void *data, size_t size)
{
    fmc_in in = { .data = data, .size = size };
    return in;
}

size_t fmc_in_left(const fmc_in *in)
{
    return in->size - in->pos;
}

const uint8_t *fmc_in_bytes(fmc_in *in, uint64_t size)
{
    const uint8_t *p;

    if (size > fmc_in_left(in)) {
        in->short_read = true;
        in->pos = in->size;
        return NULL;
    }
    p = in->data + in->pos;
    in->pos += (size_t)size;
    return p;
}

static uint64_t read_le(fmc_in *in, unsigned n)
{
    const uint8_t *p = fmc_in_bytes(in, n);
    uint64_t v = 0;

    for (unsigned i = 0; p && i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t fmc_in_u8(fmc_in *in)
{
    return (uint8_t)read_le(in, 1);
}

uint16_t fmc_in_u16(fmc_in *in)
{
    return (uint16_t)read_le(in, 2);
}

uint32_t fmc_in_u32(fmc_in *in)
{
    return (uint32_t)read_le(in, 4);
}

uint64_t fmc_in_u64(fmc_in *in)
{
    return read_le(in, 8);
}

float fmc_in_f32(fmc_in *in)
{
    const uint32_t bits = fmc_in_u32(in);
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

double fmc_in_f64(fmc_in *in)
{
    const uint64_t bits = fmc_in_u64(in);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

uint64_t fmc_in_varint(fmc_in *in)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 10; i++) {
        const uint8_t b = fmc_in_u8(in);

        if (in->short_read)
            return 0;
        if ((i == 9 && b > 1) || (i > 0 && b == 0)) /* past 64 bits, or not the shortest form */
            break;
        v |= (uint64_t)(b & 127) << (7 * i);
        if (b < 128)
            return v;
    }
    in->bad = true;
    return 0;
}

int64_t fmc_in_svarint(fmc_in *in)
{
    const uint64_t v = fmc_in_varint(in);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

fmc_in fmc_in_sub(fmc_in *in, uint64_t size)
{
    const uint8_t *p = fmc_in_bytes(in, size);
    fmc_in sub = fmc_in_make(p, p ? (size_t)size : 0);

    sub.short_read = !p;
    return sub;
}

fmc_status fmc_in_status(const fmc_in *in)
{
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    return in->bad ? FMC_ERR_CORRUPT : FMC_OK;
}
