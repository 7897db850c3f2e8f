/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_BITS_H
#define FMC_EXACT_EXACT_BITS_H

/* Samples of 4 or 8 bytes as bit patterns. */

#include <stdint.h>
#include <string.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"

static inline size_t fmc_exact_count(uint32_t rank, const size_t *dim)
{
    size_t n = 1;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    return n;
}

static inline uint64_t bits_at(const void *data, uint32_t size, size_t i)
{
    uint64_t v = 0;
    uint32_t u;

    if (size == 8) {
        memcpy(&v, (const uint8_t *)data + i * 8, 8);
    } else {
        memcpy(&u, (const uint8_t *)data + i * 4, 4);
        v = u;
    }
    return v;
}

static inline void set_bits(void *data, uint32_t size, size_t i, uint64_t v)
{
    const uint32_t u = (uint32_t)v;

    if (size == 8)
        memcpy((uint8_t *)data + i * 8, &v, 8);
    else
        memcpy((uint8_t *)data + i * 4, &u, 4);
}

static inline void out_bits(fmc_out *out, uint32_t size, uint64_t v)
{
    if (size == 8)
        fmc_out_u64(out, v);
    else
        fmc_out_u32(out, (uint32_t)v);
}

static inline uint64_t in_bits(fmc_in *in, uint32_t size)
{
    return size == 8 ? fmc_in_u64(in) : fmc_in_u32(in);
}

static inline double number(uint64_t v, uint32_t size)
{
    const uint32_t u = (uint32_t)v;
    double d;
    float f;

    if (size == 8) {
        memcpy(&d, &v, 8);
        return d;
    }
    memcpy(&f, &u, 4);
    return (double)f;
}

#endif
