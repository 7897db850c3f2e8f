/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_SAMPLE_BITS_H
#define FMC_ARRAY_SAMPLE_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Bits of the i-th of samples of 4 or 8 bytes, as a number. */
static inline uint64_t fmc_sample_bits(const void *data, size_t size, size_t i)
{
    const uint8_t *p = (const uint8_t *)data + i * size;
    uint32_t u;
    uint64_t v;

    if (size == 4) {
        memcpy(&u, p, 4);
        return u;
    }
    memcpy(&v, p, 8);
    return v;
}

/** Its inverse. */
static inline void fmc_set_sample_bits(void *data, size_t size, size_t i, uint64_t bits)
{
    uint8_t *p = (uint8_t *)data + i * size;
    const uint32_t low = (uint32_t)bits;

    if (size == 4)
        memcpy(p, &low, 4);
    else
        memcpy(p, &bits, 8);
}

#endif
