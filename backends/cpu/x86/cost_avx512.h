/* SPDX-License-Identifier: Apache-2.0 */
/* pair_cost of loops_real.h for float, operation by operation, sixteen places at a time; included inside an AVX-512 region. */

/* What sixteen values of one row are: 2^16 times their errors, the whole steps of those that are not 0. */
typedef struct cost_row_avx512 {
    __m512i   error, steps;
    __mmask16 is_nonzero;
} cost_row_avx512;

static inline cost_row_avx512 cost_row_of_avx512(__m512 x, __m512 inv_step)
{
    const __m512 u = _mm512_mul_ps(_mm512_abs_ps(x), inv_step), a = _mm512_min_ps(u, _mm512_set1_ps((float)(1 << 20)));
    const __m512 low = _mm512_min_ps(a, _mm512_set1_ps(1));
    cost_row_avx512 r;

    r.steps = _mm512_cvttps_epi32(_mm512_add_ps(a, _mm512_set1_ps(0.38f)));
    r.is_nonzero = _mm512_test_epi32_mask(r.steps, r.steps);
    r.error = _mm512_cvttps_epi32(_mm512_mul_ps(_mm512_mul_ps(low, low), _mm512_set1_ps(65536)));
    r.error = _mm512_mask_mov_epi32(r.error, r.is_nonzero, _mm512_set1_epi32(5461));
    return r;
}

static void pair_cost_f32_avx512(uint64_t sum[4], const float *x, const float *y, float inv_step, size_t count)
{
    const __m512 inverse = _mm512_set1_ps(inv_step);
    const __mmask16 firsts = 0x1111; /* of blocks of four */
    __m512i octaves = _mm512_setzero_si512();
    uint64_t n_nonzero = 0, n_blocks = 0;

    for (size_t from = 0; from < count; from += 1 << 16) { /* a lane of 32 bits holds the errors of so many */
        const size_t end = count - from < 1 << 16 ? count : from + (1 << 16);
        __m512i error = _mm512_setzero_si512();

        for (size_t i = from; i < end; i += 16) {
            const __mmask16 in = end - i < 16 ? (__mmask16)((1u << (end - i)) - 1) : (__mmask16)0xffff;
            const cost_row_avx512 a = cost_row_of_avx512(_mm512_maskz_loadu_ps(in, x + i), inverse);
            const cost_row_avx512 b = cost_row_of_avx512(_mm512_maskz_loadu_ps(in, y + i), inverse);
            __m512i s;

            error = _mm512_add_epi32(error, _mm512_add_epi32(a.error, b.error));
            if (!(a.is_nonzero | b.is_nonzero))
                continue;
            s = _mm512_add_epi32(a.steps, b.steps);
            s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_CDAB));
            s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_BADC));
            n_nonzero += (uint64_t)__builtin_popcount((uint32_t)a.is_nonzero << 16 | b.is_nonzero);
            n_blocks += (uint64_t)__builtin_popcount(_mm512_mask_test_epi32_mask(firsts, s, s));
            s = _mm512_castps_si512(_mm512_add_ps(_mm512_set1_ps(1), _mm512_mul_ps(_mm512_set1_ps(0.25f),
                                                                                  _mm512_cvtepi32_ps(s))));
            octaves = _mm512_add_epi64(octaves, _mm512_maskz_sub_epi32(firsts, s, _mm512_set1_epi32(0x3f800000)));
        }
        sum[1] += (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(
            _mm512_srli_epi64(error, 32), _mm512_and_si512(error, _mm512_set1_epi64(0xffffffff))));
    }
    sum[0] += n_nonzero;
    sum[2] += n_blocks;
    sum[3] += (uint64_t)_mm512_reduce_add_epi64(octaves);
}
