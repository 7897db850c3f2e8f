/* SPDX-License-Identifier: Apache-2.0 */
/* A layer of a prior's network, ops/kernels_rows.h: sixteen outputs at a time, two inputs a multiplication. */
static void ROWS(prior_layer)(int16_t *out, const int16_t *in, const int16_t *weight, const int32_t *bias,
                              const int32_t *shift, size_t n_in, size_t n_out, int32_t lo, int32_t hi)
{
    const __m256i low = _mm256_set1_epi32(lo), high = _mm256_set1_epi32(hi), one = _mm256_set1_epi32(1);

    for (size_t o = 0; o < n_out; o += 16) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(bias + o)), b = _mm256_loadu_si256((const __m256i *)(bias + o + 8));
        const __m256i s = _mm256_loadu_si256((const __m256i *)(shift + o));
        const __m256i t = _mm256_loadu_si256((const __m256i *)(shift + o + 8));

        for (size_t i = 0; i < n_in; i += 2) {
            const int16_t *w = weight + (i / 2 * n_out + o) * 2;
            int32_t pair;
            __m256i x;

            memcpy(&pair, in + i, sizeof pair);
            x = _mm256_set1_epi32(pair);
            a = _mm256_add_epi32(a, _mm256_madd_epi16(x, _mm256_loadu_si256((const __m256i *)w)));
            b = _mm256_add_epi32(b, _mm256_madd_epi16(x, _mm256_loadu_si256((const __m256i *)(w + 16))));
        }
        a = _mm256_srav_epi32(_mm256_add_epi32(a, _mm256_srli_epi32(_mm256_sllv_epi32(one, s), 1)), s);
        b = _mm256_srav_epi32(_mm256_add_epi32(b, _mm256_srli_epi32(_mm256_sllv_epi32(one, t), 1)), t);
        a = _mm256_min_epi32(_mm256_max_epi32(a, low), high);
        b = _mm256_min_epi32(_mm256_max_epi32(b, low), high);
        a = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
        _mm256_storeu_si256((__m256i *)(out + o), a);
    }
}
