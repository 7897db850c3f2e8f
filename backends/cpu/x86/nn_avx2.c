/* SPDX-License-Identifier: Apache-2.0 */
/* The integer networks with AVX2: vpmaddwd on pairs of int16. */
#include "ops/kernels_nn.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <math.h>
#include <string.h>
#include "core/compiler.h"
#include "kernels_x86.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define NN_NAME(x) x##_avx2
#define VI __m256i
#define VI_LANES 8
#define VI_LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define VI_SET(x) _mm256_set1_epi32(x)
#define VI_DOT(sum, a, b) _mm256_add_epi32((sum), _mm256_madd_epi16((a), (b)))
#define VI_DOT_256 VI_DOT
#define VI_SHIFT(x, s) _mm256_srav_epi32((x), (s))
#define VI_MIN(a, b) _mm256_min_epi32((a), (b))
#define VI_MAX(a, b) _mm256_max_epi32((a), (b))
#define VI_PAIR(p) pair_avx2(p)
/* 12 sums, 2 weights, 1 pair: 15 of 16 registers */
#define TILE_ONE 6
#define TILE_TWO 0

FMC_ALWAYS_INLINE __m256i pair_avx2(const int16_t *p)
{
    int32_t v;

    memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
}

FMC_ALWAYS_INLINE void store_i16_avx2(const __m256i sum[2], size_t n, int16_t *out)
{
    const __m256i v = _mm256_permute4x64_epi64(_mm256_packs_epi32(sum[0], sum[1]), 0xd8);
    int16_t part[FMC_NN_BLOCK];

    if (n == FMC_NN_BLOCK) {
        _mm256_storeu_si256((__m256i *)out, v);
        return;
    }
    _mm256_storeu_si256((__m256i *)part, v);
    memcpy(out, part, n * sizeof *out);
}

FMC_ALWAYS_INLINE void store_i32_avx2(const __m256i sum[2], size_t n, int32_t *out)
{
    int32_t part[FMC_NN_BLOCK];

    if (n == FMC_NN_BLOCK) {
        _mm256_storeu_si256((__m256i *)out, sum[0]);
        _mm256_storeu_si256((__m256i *)(out + 8), sum[1]);
        return;
    }
    _mm256_storeu_si256((__m256i *)part, sum[0]);
    _mm256_storeu_si256((__m256i *)(part + 8), sum[1]);
    memcpy(out, part, n * sizeof *out);
}

#include "nn_conv.h"
#define VF __m256
#define VF_LANES 8
#define VF_LOAD(p) _mm256_loadu_ps(p)
#define VF_STORE(p, v) _mm256_storeu_ps((p), (v))
#define VF_SET(x) _mm256_set1_ps(x)
#define VF_ADD(a, b) _mm256_add_ps((a), (b))
#define VF_MUL(a, b) _mm256_mul_ps((a), (b))
#define TILE_F32 6 /* with the product 16 registers */
#include "nn_conv_f32.h"
#include "nn_depthwise.h"
#include "nn_add.h"
#include "../../ref/loops_nn.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const fmc_nn_kernels fmc_nn_avx2 = { FMC_NN_SLOTS };
#else
typedef int fmc_nn_avx2_absent; /* an empty file is no C */
#endif
