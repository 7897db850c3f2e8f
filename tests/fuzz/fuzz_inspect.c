/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream, described without decoding: what is said is in range. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmc_ctx *ctx = fuzz_context();
    fmc_info info = { .struct_size = sizeof info };
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };

    if (fmc_inspect(ctx, data, size, &info) == FMC_OK) {
        FUZZ_EXPECT(info.rank >= 1 && info.rank <= FMC_MAX_RANK);
        FUZZ_EXPECT(info.stream_size <= size);
        for (uint64_t i = 0; i < info.n_chunks && i < 64; i++)
            if (fmc_inspect_chunk(ctx, data, size, i, &chunk) == FMC_OK)
                FUZZ_EXPECT(chunk.offset <= size && chunk.size <= size - chunk.offset);
        FUZZ_EXPECT(fmc_inspect_chunk(ctx, data, size, info.n_chunks, &chunk) == FMC_ERR_ARG);
    }
    fmc_ctx_destroy(ctx);
    return 0;
}
