/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "codec/codec.h"
#include "codec/payload.h"
#include "core/status.h"

/* Every 2^s-th sample along each axis longer than 1. */
static void subsample(const fmc_block *block, uint32_t s, const uint8_t *src, uint8_t *dst)
{
    const size_t sample = block->dtype == FMC_F64 ? 8 : 4;
    size_t at[FMC_MAX_RANK] = { 0 };

    for (;;) {
        size_t from = 0;
        uint32_t a = block->rank;

        for (uint32_t i = 0; i < block->rank; i++)
            from = from * block->dim[i] + at[i];
        memcpy(dst, src + from * sample, sample);
        dst += sample;
        while (a > 0) {
            a--;
            at[a] += (size_t)1 << s;
            if (at[a] < block->dim[a])
                break;
            at[a] = 0;
            if (a == 0)
                return;
        }
    }
}

fmc_status fmc_chunk_preview(const fmc_exec *ex, const fmc_block *block, fmc_in payload, uint32_t scale_log2,
                             void *data)
{
    void *whole = NULL;
    fmc_status st;

    if (scale_log2 == 0)
        return fmc_chunk_decode(ex, block, payload, data);
    FMC_TRY(fmc_alloc(ex->alloc, fmc_block_count(block), block->dtype == FMC_F64 ? 8 : 4, &whole));
    FMC_TRY(fmc_chunk_decode(ex, block, payload, whole));
    subsample(block, scale_log2, whole, data);
done:
    fmc_dealloc(ex->alloc, whole);
    return st;
}
