/* SPDX-License-Identifier: Apache-2.0 */
/* static_moments of loops_static.h with all sums in registers; included inside an AVX-512 region. */
#define FMC_HAS_MOMENTS 1

static void CNAME(static_moments)(float (*a)[FMC_MOMENTS], const float (*f)[FMC_MOMENTS], size_t n)
{
    __m512 sum[FMC_MOMENT_ROWS];

    for (int i = 0; i < FMC_MOMENT_ROWS; i++)
        sum[i] = _mm512_loadu_ps(a[i]);
    for (size_t k = 0; k < n; k++) {
        const __m512 row = _mm512_loadu_ps(f[k]);

        for (int i = 0; i < FMC_MOMENT_ROWS; i++)
            sum[i] = _mm512_add_ps(sum[i], _mm512_mul_ps(_mm512_set1_ps(f[k][i]), row));
    }
    for (int i = 0; i < FMC_MOMENT_ROWS; i++)
        _mm512_storeu_ps(a[i], sum[i]);
}
