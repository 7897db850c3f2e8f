/* SPDX-License-Identifier: Apache-2.0 */
/* Squares turned in AVX registers; included inside a region that has AVX2. TURN(x) names the functions. */

/* Row v of the result is column v of the 8 x 8 source. */
static inline void TURN(f32)(const float *const *from, float *const *to)
{
    __m256 a[8], b[8];

    for (int i = 0; i < 8; i++)
        a[i] = _mm256_loadu_ps(from[i]);
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
        a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xEE);
        a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
        a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to[i], _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
        _mm256_storeu_ps(to[i + 4], _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
}

/* The same of a 4 x 4 square. */
static inline void TURN(f64)(const double *const *from, double *const *to)
{
    __m256d a[4], b[4];

    for (int i = 0; i < 4; i++)
        a[i] = _mm256_loadu_pd(from[i]);
    for (int i = 0; i < 4; i += 2) {
        b[i] = _mm256_unpacklo_pd(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_pd(a[i], a[i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        _mm256_storeu_pd(to[i], _mm256_permute2f128_pd(b[i], b[i + 2], 0x20));
        _mm256_storeu_pd(to[i + 2], _mm256_permute2f128_pd(b[i], b[i + 2], 0x31));
    }
}
