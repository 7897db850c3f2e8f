/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first 4 bytes choose a shape, the rest is the payload of one chunk, straight into its decoder: transform, interp,
 * grid, patches and exact, and their masks, bases, corrections and previews, with no container to get past. A model
 * that payloads ask for is a small one, whatever its hash.
 */
#include "codec/codec.h"
#include "core/alloc.h"
#include "core/exec.h"
#include "nn/model.h"
#include "ops/kernels.h"

#include "fuzz.h"

static void choose_block(fuzz_bytes *b, fmc_block *block, size_t *count)
{
    static const uint8_t extents[16] = { 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 20, 24, 31, 33, 40 };
    const uint32_t first = fuzz_u8(b);

    memset(block, 0, sizeof *block);
    block->dtype = first & 1 ? FMC_F32 : FMC_F64;
    block->rank = 1 + first / 2 % 3;
    block->has_fill = first / 32 & 1;
    block->fill_value = block->dtype == FMC_F32 ? (double)1e20f : 1e20;
    *count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        const size_t n = extents[fuzz_u8(b) % 16];

        if (i < block->rank)
            *count *= block->dim[i] = n;
    }
}

static const fmc_model *find_model(void *user, uint64_t hash)
{
    static fmc_model *model;
    static unsigned char bytes[1 << 18];
    char why[FMC_WHY_SIZE];

    (void)user;
    if (!model) {
        FILE *file = fopen(FMC_TEST_DATA "/klt.fmcw", "rb");

        FUZZ_EXPECT(file);
        FUZZ_EXPECT(fmc_model_make(&fmc_system_allocator, bytes, fread(bytes, 1, sizeof bytes, file), why, &model) == FMC_OK);
        fclose(file);
    }
    return hash == 0 ? NULL : model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1, .kernels = fmc_kernels_select(FMC_SIMD_BEST),
                          .find_model = find_model };
    fuzz_bytes b = { data, size };
    fmc_chunk_facts facts;
    fmc_block block;
    size_t count;
    void *out;

    choose_block(&b, &block, &count);
    out = malloc(count * 8);
    if (!out)
        return 0;
    fmc_chunk_describe(&ex, &block, fmc_in_make(b.data, b.size), &facts);
    fmc_chunk_decode(&ex, &block, fmc_in_make(b.data, b.size), out);
    fmc_chunk_preview(&ex, &block, fmc_in_make(b.data, b.size), 1 + (uint32_t)(size % 3), out);
    free(out);
    return 0;
}
