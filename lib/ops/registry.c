/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/kernels.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86_KERNELS 1
extern const fmc_kernels fmc_kernels_avx2;
extern const fmc_kernels fmc_kernels_avx512;
extern const fmc_kernels fmc_kernels_avx512vnni;
#endif

/* The level that the user allows; unknown words are no limit. */
static uint32_t level_of_environment(void)
{
    static const struct {
        const char *word;
        uint32_t    level;
    } levels[] = { { "ref", FMC_SIMD_REF }, { "sse2", FMC_SIMD_SSE2 }, { "avx2", FMC_SIMD_AVX2 },
                   { "avx512", FMC_SIMD_AVX512 },
                   { "avx512vnni", FMC_SIMD_AVX512VNNI } };
    const char *word = getenv("FMC_SIMD");

    for (size_t i = 0; word && i < sizeof levels / sizeof *levels; i++)
        if (!strcmp(word, levels[i].word))
            return levels[i].level;
    return FMC_SIMD_BEST;
}

/* The best up to this level. */
static const fmc_kernels *select_up_to(uint32_t level)
{
#ifdef HAVE_X86_KERNELS
    if (level >= FMC_SIMD_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return level >= FMC_SIMD_AVX512VNNI && __builtin_cpu_supports("avx512vnni") ? &fmc_kernels_avx512vnni
                                                                                    : &fmc_kernels_avx512;
    if (level >= FMC_SIMD_AVX2 && __builtin_cpu_supports("avx2"))
        return &fmc_kernels_avx2;
#endif
    (void)level;
    return &fmc_kernels_ref;
}

const fmc_kernels *fmc_kernels_select(uint32_t level)
{
    const uint32_t cap = level_of_environment();

    return select_up_to(level < cap ? level : cap);
}

int fmc_kernels_has_fast(void)
{
    return select_up_to(FMC_SIMD_BEST) != &fmc_kernels_ref;
}
