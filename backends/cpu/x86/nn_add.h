/* SPDX-License-Identifier: Apache-2.0 */
/* Addition of int16 in vectors of 256 bits: both products and their sum are one multiply-add of interleaved values. */
#define NN_HAS_ADD_I16 1

FMC_ALWAYS_INLINE __m256i NN_NAME(add_half)(__m256i pairs, __m256i scale, const fmc_nn_add *h, __m128i shift)
{
    const __m256i v = _mm256_sra_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, scale), _mm256_set1_epi32(h->half)), shift);

    return _mm256_min_epi32(_mm256_max_epi32(v, _mm256_set1_epi32(h->lo)), _mm256_set1_epi32(h->hi));
}

static void NN_NAME(add_i16)(const fmc_nn_add *how, const int16_t *a, const int16_t *b, size_t n, int16_t *y)
{
    const fmc_nn_add h = *how;
    const __m256i scale = _mm256_set1_epi32(h.scale_a | h.scale_b * 65536);
    const __m128i shift = _mm_cvtsi32_si128((int)h.shift);
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        const __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
        const __m256i low = NN_NAME(add_half)(_mm256_unpacklo_epi16(va, vb), scale, &h, shift);
        const __m256i high = NN_NAME(add_half)(_mm256_unpackhi_epi16(va, vb), scale, &h, shift);

        _mm256_storeu_si256((__m256i *)(y + i), _mm256_packs_epi32(low, high));
    }
    for (; i < n; i++) {
        const int32_t v = (a[i] * h.scale_a + b[i] * h.scale_b + h.half) >> h.shift;

        y[i] = (int16_t)(v < h.lo ? h.lo : v > h.hi ? h.hi : v);
    }
}
