/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream: a status, and the same samples on one thread and on two. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmc_ctx *ctx = fuzz_context();
    fmc_array a, b;
    const fmc_status st = fmc_decompress_alloc(ctx, data, size, 1, &a);

    FUZZ_EXPECT(st == FMC_OK || a.data == NULL);
    if (st == FMC_OK && size % 8 == 0) {
        uint64_t n = a.dtype == FMC_F32 ? 4 : 8;

        FUZZ_EXPECT(fmc_decompress_alloc(ctx, data, size, 2, &b) == FMC_OK);
        for (uint32_t i = 0; i < a.rank; i++)
            n *= a.dim[i];
        FUZZ_EXPECT(n == 0 || !memcmp(a.data, b.data, (size_t)n));
        fmc_free(ctx, b.data);
    }
    fmc_free(ctx, a.data);
    fmc_ctx_destroy(ctx);
    return 0;
}
