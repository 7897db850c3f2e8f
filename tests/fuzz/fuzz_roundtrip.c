/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first 16 bytes choose shape, bound and coder, the rest are samples: compression succeeds, the stream is small
 * enough, and what comes back keeps the bound (the oracle: bound.c, in exact arithmetic).
 */
#include <math.h>

#include "../property/bound.h"
#include "fuzz.h"

static void choose_shape(fuzz_bytes *b, field *f)
{
    const uint32_t dtype = fuzz_u8(b) & 1 ? FMC_F32 : FMC_F64, rank = 1 + fuzz_u8(b) % 3;
    uint64_t dim[FMC_MAX_RANK] = { 0 };

    for (uint32_t i = 0; i < 3; i++)
        dim[i] = 1 + fuzz_u8(b) % (rank == 1 ? 128 : rank == 2 ? 16 : 7);
    memset(f, 0, sizeof *f);
    fmc_array_init(&f->array, dtype, rank, dim, NULL);
}

static void choose_params(fuzz_bytes *b, fmc_params *p)
{
    const uint32_t tenth = fuzz_u8(b);

    fmc_params_init(p, sizeof *p);
    p->n_threads = 1;
    p->bound_kind = fuzz_u8(b) % 6;
    p->effort = 1 + 4 * (fuzz_u8(b) % 3);
    p->coder = fuzz_u8(b) % 5;
    p->bound = p->bound_kind == FMC_BOUND_PSNR ? 1 + tenth : pow(10, 2 - tenth / 16.0);
    if (p->bound_kind == FMC_BOUND_ABS)
        p->bound = pow(10, tenth - 200.0);
    p->has_fill = fuzz_u8(b) % 4 == 0;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t c = fuzz_u8(b);

        p->axis[i] = c % 4;
        p->chunk[i] = c / 4 % 8 ? 0 : 1 + c / 32;
    }
    p->fill_value = fuzz_u8(b);
}

static void try_it(fmc_ctx *ctx, field *from, field *back, const fmc_params *p)
{
    fmc_info info = { .struct_size = sizeof info };
    const size_t input = from->count * from->sample;
    char why[200] = "";
    void *bytes = NULL;
    size_t size = 0;
    const fmc_status st = fmc_compress_alloc(ctx, &from->array, p, &bytes, &size);

    if (st != FMC_OK)
        fprintf(stderr, "%s: %s\n", fmc_status_string(st), fmc_ctx_message(ctx));
    FUZZ_EXPECT(st == FMC_OK);
    FUZZ_EXPECT(fmc_inspect(ctx, bytes, size, &info) == FMC_OK);
    FUZZ_EXPECT(size <= input + input / 100 + 256 + 64 * info.n_chunks);
    FUZZ_EXPECT(fmc_decompress(ctx, bytes, size, 2, &back->array) == FMC_OK);
    field_gather(back);
    if (!bound_holds(from, back, p, why, sizeof why))
        fprintf(stderr, "%s\n", why);
    FUZZ_EXPECT(why[0] == '\0');
    fmc_free(ctx, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = { data, size };
    fmc_ctx *ctx = fuzz_context();
    uint64_t seed = 0;
    fmc_params p;
    field from, back;

    choose_shape(&b, &from);
    back = from;
    choose_params(&b, &p);
    field_lay_out(&from, &seed, 0);
    field_lay_out(&back, &seed, 0);
    for (size_t i = 0; b.size && i < from.count * from.sample; i++)
        from.plain[i] = b.data[i % b.size]; /* over and over: patterns */
    field_scatter(&from);
    try_it(ctx, &from, &back, &p);
    field_free(&from);
    field_free(&back);
    fmc_ctx_destroy(ctx);
    return 0;
}
