/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of weights, then (behind the length in its header) a size and symbols for fmc_vae_read, or a stream for the coefficient
 * coder. What opens must run: any weights that the checks let through, any symbols. Fuzzers skip the hash.
 */
#include "coef/coef.h"
#include "core/exec.h"
#include "nn/vae.h"
#include "ops/kernels.h"

#include "fuzz.h"

/* Sizes of the sections of what a file declares, so that the symbols may follow it. */
static size_t declared_size(const uint8_t *data, size_t size)
{
    uint64_t n = 0;

    for (int i = 0; size >= 16 && i < 8; i++)
        n |= (uint64_t)data[8 + i] << (8 * i);
    return n < size ? (size_t)n : size;
}

static void run(const fmc_model *m, const uint8_t *data, size_t size)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1, .kernels = fmc_kernels_select(FMC_SIMD_BEST) };
    const uint32_t shape = size > 1 ? data[1] : 7, dim[3] = { 1 + shape % 9, 1 + shape * 7 % 36, 1 + shape * 13 % 70 };
    const uint32_t level = size > 0 ? data[0] % m->n.levels : 0;
    fmc_in in = fmc_in_make(data + (size < 2 ? size : 2), size < 2 ? 0 : size - 2);
    fmc_vae_shape s;
    uint64_t work = 0;
    int32_t *qy, *field;

    if (fmc_vae_shape_make(m, dim, &s) != FMC_OK ||
        fmc_net_work_size(&ex, &m->synthesis, s.latent, &work) != FMC_OK || work > (1u << 28) ||
        fmc_net_work_size(&ex, &m->hyper, s.hyper, &work) != FMC_OK || work > (1u << 28) || s.n_latents > (1u << 22))
        return;
    qy = malloc(2 * s.n_latents * sizeof *qy);
    field = malloc((size_t)dim[0] * dim[1] * dim[2] * sizeof *field);
    for (size_t i = 0; i < 2 * s.n_latents; i++) /* symbols and means */
        qy[i] = (int32_t)(i * 2654435761u >> 16) % 1000 - 500;
    FUZZ_EXPECT(fmc_vae_synthesise(&ex, m, level, &s, qy, qy + s.n_latents, field) == FMC_OK);
    for (size_t i = 0; i < (size_t)dim[0] * dim[1] * dim[2]; i++)
        FUZZ_EXPECT(field[i] > -(1 << 23) && field[i] < 1 << 23);
    (void)fmc_vae_read(&ex, m, level, &s, &in, field);
    free(qy);
    free(field);
}

/* Two bands, one the other's parent, from a stream of a prior; and what came out back into a stream. */
static void run_prior(const fmc_model *m, const uint8_t *data, size_t size)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1, .kernels = fmc_kernels_select(FMC_SIMD_BEST) };
    fmc_band band[2] = { { .count = 3 * 4 * 20, .dim = { 1, 1, 3, 4, 20 }, .parent = -1, .time_parent = -1, .is_low = 1 },
                         { .start = 240, .count = 3 * 8 * 40, .dim = { 1, 1, 3, 8, 40 }, .parent_half = 3 << 3, .time_parent = -1 } };
    int32_t q[1200] = { 0 }, back[1200] = { 0 };
    fmc_in in = fmc_in_make(data, size);
    fmc_out out = fmc_out_make(&fmc_system_allocator);

    if (fmc_coef_decode(&ex, band, 2, q, FMC_COEF_PRIOR, &m->prior, &in) == FMC_OK &&
        fmc_coef_encode(&ex, band, 2, q, FMC_COEF_PRIOR, &m->prior, &out) == FMC_OK) {
        in = fmc_in_make(out.data, out.size);
        FUZZ_EXPECT(fmc_coef_decode(&ex, band, 2, back, FMC_COEF_PRIOR, &m->prior, &in) == FMC_OK);
        FUZZ_EXPECT(memcmp(q, back, sizeof q) == 0);
    }
    fmc_out_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n = declared_size(data, size);
    char why[FMC_WHY_SIZE];
    fmc_model *m;

    if (fmc_model_make(&fmc_system_allocator, data, n, why, &m) != FMC_OK)
        FUZZ_EXPECT(m == NULL);
    else if (fmc_model_is_prior(m))
        run_prior(m, data + n, size - n);
    else
        run(m, data + n, size - n);
    fmc_model_free(m);
    return 0;
}
