/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/payload.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

size_t fmc_block_count(const fmc_block *block)
{
    size_t n = 1;

    for (uint32_t a = 0; a < block->rank; a++)
        n *= block->dim[a];
    return n;
}

static int is_big_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, 1);
    return first == 0;
}

static void reverse_samples(uint8_t *dst, const uint8_t *src, size_t n, size_t sample)
{
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < sample; b++)
            dst[i * sample + b] = src[i * sample + sample - 1 - b];
}

uint32_t fmc_block_hash(const fmc_block *block, const void *data)
{
    enum { PART = 128 };
    const size_t sample = block->dtype == FMC_F64 ? 8 : 4, n = fmc_block_count(block);
    const uint8_t *p = data;
    uint8_t part[PART * 8];
    XXH3_state_t state;

    if (!is_big_endian())
        return (uint32_t)XXH3_64bits(data, n * sample);
    XXH3_64bits_reset(&state);
    for (size_t i = 0; i < n; i += PART) {
        const size_t m = n - i < PART ? n - i : PART;

        reverse_samples(part, p + i * sample, m, sample);
        XXH3_64bits_update(&state, part, m * sample);
    }
    return (uint32_t)XXH3_64bits_digest(&state);
}

void fmc_section_write(fmc_out *out, const fmc_out *section)
{
    fmc_out_varint(out, section->size);
    fmc_out_bytes(out, section->data, section->size);
    if (section->st != FMC_OK)
        out->st = section->st;
}

fmc_in fmc_section_read(fmc_in *in)
{
    const uint64_t size = fmc_in_varint(in);

    return fmc_in_sub(in, size);
}

fmc_status fmc_section_end(const fmc_in *section)
{
    return fmc_in_left(section) ? FMC_ERR_CORRUPT : FMC_OK;
}
