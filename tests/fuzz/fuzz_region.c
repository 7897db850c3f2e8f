/* SPDX-License-Identifier: Apache-2.0 */
/* The first 12 bytes choose a box and a scale, the rest is a stream that may be cut off: nothing outside dst is written. */
#include "fuzz.h"

static int read_at(void *user, uint64_t offset, void *data, size_t size)
{
    const fuzz_bytes *b = user;

    if (offset > b->size || size > b->size - offset)
        return 1;
    memcpy(data, b->data + offset, size);
    return 0;
}

static int size_of(void *user, uint64_t *size)
{
    *size = ((fuzz_bytes *)user)->size;
    return 0;
}

/* A box of at most 2^16 samples inside info, at a scale. @return samples of dst, 0 if there is none. */
static uint64_t choose_box(fuzz_bytes *choice, const fmc_info *info, uint32_t scale, uint64_t *start, uint64_t *count,
                           uint64_t *dim)
{
    const uint64_t cell = 1ull << scale;
    uint64_t n = 1;

    for (uint32_t i = 0; i < info->rank; i++) {
        if (!info->dim[i])
            return 0;
        start[i] = fuzz_u8(choice) % info->dim[i];
        count[i] = 1 + fuzz_u8(choice) % (info->dim[i] - start[i]);
        dim[i] = info->dim[i] == 1 ? 1 : (start[i] + count[i] + cell - 1) / cell - (start[i] + cell - 1) / cell;
        n *= dim[i];
    }
    return n <= 1 << 16 ? n : 0;
}

static void read_box(fmc_reader *reader, fuzz_bytes *choice, const fmc_info *info)
{
    const uint32_t scale = fuzz_u8(choice) % 4;
    uint64_t start[FMC_MAX_RANK], count[FMC_MAX_RANK], dim[FMC_MAX_RANK];
    const uint64_t n = choose_box(choice, info, scale, start, count, dim);
    fmc_array box;

    if (!n)
        return;
    fmc_array_init(&box, info->dtype, info->rank, dim, malloc((size_t)n * (info->dtype == FMC_F32 ? 4 : 8)));
    if (box.data)
        fmc_reader_read(reader, start, count, scale, 1, &box);
    free(box.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n_choice = size < 12 ? size : 12;
    fuzz_bytes choice = { data, n_choice }, stream = { data + n_choice, size - n_choice };
    const fmc_io io = { .struct_size = sizeof io, .user = &stream, .read_at = read_at, .size = size_of };
    fmc_ctx *ctx = fuzz_context();
    fmc_info info = { .struct_size = sizeof info };
    fmc_reader *reader = NULL;

    if (fmc_reader_open(ctx, &io, &reader) == FMC_OK && fmc_reader_info(reader, &info) == FMC_OK)
        read_box(reader, &choice, &info);
    fmc_reader_close(reader);
    fmc_ctx_destroy(ctx);
    return 0;
}
