/* SPDX-License-Identifier: Apache-2.0 */
/* The integer networks with AVX-512, without VNNI and with it (FMC_NN_VNNI, see nn_avx512vnni.c). */
#include "ops/kernels_nn.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <math.h>
#include <string.h>
#include "core/compiler.h"
#include "kernels_x86.h"

#ifdef FMC_NN_VNNI
#define NN_NAME(x) x##_avx512vnni
#define VI_DOT(sum, a, b) dot_avx512vnni((sum), (a), (b))
#define VI_DOT_256(sum, a, b) _mm256_dpwssd_epi32((sum), (a), (b))
#define FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#else
#define NN_NAME(x) x##_avx512
#define VI_DOT(sum, a, b) _mm512_add_epi32((sum), _mm512_madd_epi16((a), (b)))
#define VI_DOT_256(sum, a, b) _mm256_add_epi32((sum), _mm256_madd_epi16((a), (b)))
#define FEATURES "avx512f,avx512bw,avx512dq,avx512vl"
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target(FEATURES))), apply_to = function)
#elif defined(FMC_NN_VNNI)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,prefer-vector-width=512")
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif

#define VI __m512i
#define VI_LANES 16
#define VI_LOAD(p) _mm512_loadu_si512((const void *)(p))
#define VI_SET(x) _mm512_set1_epi32(x)
#define VI_SHIFT(x, s) _mm512_srav_epi32((x), (s))
#define VI_MIN(a, b) _mm512_min_epi32((a), (b))
#define VI_MAX(a, b) _mm512_max_epi32((a), (b))
#define VI_PAIR(p) NN_NAME(pair)(p)
/* 18 sums, 2 weights, 1 pair of 32 registers: with 24 sums GCC 12 is slower */
#define TILE_ONE 12
#define TILE_TWO 9

FMC_ALWAYS_INLINE __m512i NN_NAME(pair)(const int16_t *p)
{
    int32_t v;

    memcpy(&v, p, sizeof v);
    return _mm512_set1_epi32(v);
}

#ifdef FMC_NN_VNNI
/* GCC 12 copies the sums around the intrinsic. */
FMC_ALWAYS_INLINE __m512i dot_avx512vnni(__m512i sum, __m512i a, __m512i b)
{
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}
#endif

FMC_ALWAYS_INLINE void NN_NAME(store_i16)(const __m512i *sum, size_t n, int16_t *out)
{
    const __m256i v = _mm512_cvtepi32_epi16(*sum);

    if (n == FMC_NN_BLOCK)
        _mm256_storeu_si256((__m256i *)out, v);
    else
        _mm256_mask_storeu_epi16(out, (__mmask16)((1u << n) - 1), v);
}

FMC_ALWAYS_INLINE void NN_NAME(store_i32)(const __m512i *sum, size_t n, int32_t *out)
{
    if (n == FMC_NN_BLOCK)
        _mm512_storeu_si512(out, *sum);
    else
        _mm512_mask_storeu_epi32(out, (__mmask16)((1u << n) - 1), *sum);
}

#include "nn_conv.h"
#define VF __m512
#define VF_LANES 16
#define VF_LOAD(p) _mm512_loadu_ps(p)
#define VF_STORE(p, v) _mm512_storeu_ps((p), (v))
#define VF_SET(x) _mm512_set1_ps(x)
#define VF_ADD(a, b) _mm512_add_ps((a), (b))
#define VF_MUL(a, b) _mm512_mul_ps((a), (b))
#define TILE_F32 12
#include "nn_conv_f32.h"
#include "nn_depthwise.h"
#include "nn_add.h"
#include "../../ref/loops_nn.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const fmc_nn_kernels NN_NAME(fmc_nn) = { FMC_NN_SLOTS };
#else
typedef int fmc_nn_avx512_absent; /* an empty file is no C */
#endif
