/* SPDX-License-Identifier: Apache-2.0 */
/* look_up of loops_coef.h in AVX registers; included with REAL, NAME(x) inside a region that has AVX2. */

#ifdef LOOKUP_F32
/* 12 entries: two permutations of 8 and 4, chosen by the fourth bit of the class. */
static inline void NAME(look_up)(float *restrict x, const int32_t *restrict class, const float *restrict centre,
                                 size_t n)
{
    const __m256 low = _mm256_loadu_ps(centre), high = _mm256_castps128_ps256(_mm_loadu_ps(centre + 8));
    size_t k = 0;

    for (; k + 8 <= n; k += 8) {
        const __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(class + k));
        const __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(c, 28)); /* bit 3 as the sign */

        _mm256_storeu_ps(x + k, _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, c), _mm256_permutevar8x32_ps(high, c),
                                                 is_high));
    }
    for (; k < n; k++)
        x[k] = centre[class[k]];
}
#else
static inline void NAME(look_up)(double *restrict x, const int32_t *restrict class, const double *restrict centre,
                                 size_t n)
{
    for (size_t k = 0; k < n; k++)
        x[k] = centre[class[k]];
}
#endif
