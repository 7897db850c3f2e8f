/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantise_row, centre_row and dequantise_row of loops_coef.h for float, operation by operation, sixteen values at a time;
 * what is all zero takes no look at its neighbours. Included inside an AVX-512 region.
 */

/* What quantising needs of a step, and the sums of a row while they grow. */
typedef struct quantise_avx512 {
    __m512  inverse, scale, half;
    __m256  square, sum[3];
    __m256i count[3];
} quantise_avx512;

/* Below this many steps a value is 0 whatever is around it. */
#define SURELY_ZERO 0.499f

static inline __m256 upper_ps_avx512(__m512 v)
{
    return _mm512_extractf32x8_ps(v, 1);
}

/* Add sixteen values to eight sums, the lower half first. */
static inline __m256 add_halves_avx512(__m256 sum, __m512 v)
{
    return _mm256_add_ps(_mm256_add_ps(sum, _mm512_castps512_ps256(v)), upper_ps_avx512(v));
}

static inline __m256i count_halves_avx512(__m256i count, __mmask16 in)
{
    count = _mm256_mask_add_epi32(count, (__mmask8)in, count, _mm256_set1_epi32(1));
    return _mm256_mask_add_epi32(count, (__mmask8)(in >> 8), count, _mm256_set1_epi32(1));
}

/* Lanes of the values of a row from x on, at most 16. */
static inline __mmask16 lanes_from_avx512(size_t x, size_t n)
{
    return n - x < 16 ? (__mmask16)((1u << (n - x)) - 1) : (__mmask16)0xffff;
}

/* The values before those at x of a row, `here`; the first one is before itself. */
static inline __m512i before_avx512(const void *row, size_t x, __mmask16 in, __m512i here)
{
    const __m512i first = _mm512_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);

    return x > 0 ? _mm512_maskz_loadu_epi32(in, (const int32_t *)row + x - 1) : _mm512_permutexvar_epi32(first, here);
}

/* The values behind them; the last one is behind itself. */
static inline __m512i behind_avx512(const void *row, size_t x, size_t n, __m512i here)
{
    const __m512i next = _mm512_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);

    if (x + 16 < n)
        return _mm512_loadu_epi32((const int32_t *)row + x + 1);
    return _mm512_permutexvar_epi32(_mm512_min_epi32(next, _mm512_set1_epi32((int)(n - x - 1))), here);
}

/* Sixteen values u in steps, limited, not all of them sure to be 0, with their neighbours. @return their magnitudes */
static inline __m512i quantise_sizes_avx512(const quantise_avx512 *j, __m512 limited, __m512 west, __m512 east, __m512 north,
                                            __m512 south)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 pair = _mm512_add_ps(_mm512_abs_ps(west), _mm512_abs_ps(east));
    const __m512 all = _mm512_add_ps(_mm512_add_ps(pair, _mm512_abs_ps(north)), _mm512_abs_ps(south));
    const __m512 mean = _mm512_add_ps(_mm512_mul_ps(all, j->scale), _mm512_set1_ps(0.02f));
    const __m512 bits = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_castps_si512(mean)), _mm512_set1_ps(1.1920929e-7f));
    const __m512 log2_mean = _mm512_sub_ps(_mm512_set1_ps(128.4f), bits);
    const __m512 rare = _mm512_min_ps(_mm512_max_ps(log2_mean, _mm512_set1_ps(0.3f)), _mm512_set1_ps(8.0f));
    const __mmask16 is_low = _mm512_cmp_ps_mask(limited, _mm512_set1_ps(1.5f), _CMP_LT_OQ);
    const __m512 cut = _mm512_mul_ps(j->half, _mm512_mask_mov_ps(one, is_low, rare));

    return _mm512_abs_epi32(_mm512_cvttps_epi32(_mm512_sub_ps(_mm512_add_ps(limited, _mm512_set1_ps(0.5f)), cut)));
}

static inline void quantise_count_avx512(quantise_avx512 *j, __m512 rest, __m512i size)
{
    for (int k = 0; k < 3; k++) {
        const __m512i limit = _mm512_set1_epi32(k < 2 ? k + 1 : 2);
        const __mmask16 is_k = k < 2 ? _mm512_cmpeq_epi32_mask(size, limit) : _mm512_cmpgt_epi32_mask(size, limit);

        j->count[k] = count_halves_avx512(j->count[k], is_k);
        j->sum[k] = add_halves_avx512(j->sum[k], _mm512_maskz_mov_ps(is_k, rest));
    }
}

static inline void quantise_some_avx512(quantise_avx512 *j, int32_t *q, const float *c, const float *north, const float *south,
                                        size_t x, size_t n)
{
    const __mmask16 in = lanes_from_avx512(x, n);
    const __m512 here = _mm512_maskz_loadu_ps(in, c + x), u = _mm512_mul_ps(_mm512_abs_ps(here), j->inverse);
    const __m512 limited = _mm512_min_ps(u, _mm512_set1_ps((float)(1 << 28)));
    __m512 rest = _mm512_maskz_mov_ps(in, u);
    __m512i size;

    if (_mm512_mask_cmp_ps_mask(in, limited, _mm512_set1_ps(SURELY_ZERO), _CMP_GE_OQ)) {
        const __m512i row = _mm512_castps_si512(here);
        const __mmask16 is_negative = _mm512_cmp_ps_mask(here, _mm512_setzero_ps(), _CMP_LT_OQ);

        size = quantise_sizes_avx512(j, limited, _mm512_castsi512_ps(before_avx512(c, x, in, row)),
                                     _mm512_castsi512_ps(behind_avx512(c, x, n, row)),
                                     _mm512_maskz_loadu_ps(in, north + x), _mm512_maskz_loadu_ps(in, south + x));
        size = _mm512_maskz_mov_epi32(in, size);
        rest = _mm512_maskz_sub_ps(in, u, _mm512_cvtepi32_ps(size));
        quantise_count_avx512(j, rest, size);
        size = _mm512_mask_sub_epi32(size, is_negative, _mm512_setzero_si512(), size);
    } else {
        size = _mm512_setzero_si512();
    }
    j->square = add_halves_avx512(j->square, _mm512_mul_ps(rest, rest));
    _mm512_mask_storeu_epi32(q + x, in, size);
}

static void quantise_row_f32_avx512(int32_t *restrict q, const float *restrict c, const float *restrict north,
                                    const float *restrict south, size_t n, const fmc_quant_step *z, fmc_quant_sums *s)
{
    quantise_avx512 j;

    j.inverse = _mm512_set1_ps((float)(1.0 / z->step));
    j.scale = _mm512_set1_ps((float)(0.25 / z->step));
    j.half = _mm512_set1_ps(0.5f * z->lambda);
    j.square = _mm256_loadu_ps(s->square);
    for (int k = 0; k < 3; k++) {
        j.sum[k] = _mm256_loadu_ps(s->sum[k]);
        j.count[k] = _mm256_loadu_si256((const __m256i *)(const void *)s->count[k]);
    }
    for (size_t x = 0; x < n; x += 16)
        quantise_some_avx512(&j, q, c, north, south, x, n);
    _mm256_storeu_ps(s->square, j.square);
    for (int k = 0; k < 3; k++) {
        _mm256_storeu_ps(s->sum[k], j.sum[k]);
        _mm256_storeu_si256((__m256i *)(void *)s->count[k], j.count[k]);
    }
}

static inline int is_zero_avx512(__m512i v)
{
    return !_mm512_test_epi32_mask(v, v);
}

static inline __m512i clipped_sizes_avx512(__m512i v, int most)
{
    return _mm512_min_epu32(_mm512_abs_epi32(v), _mm512_set1_epi32(most));
}

/* 4 * busy + min(|q|, 3) of sixteen values at x, `here`. */
static inline __m512i classify_avx512(const int32_t *q, const int32_t *north, const int32_t *south, size_t x, size_t n,
                                      __mmask16 in, __m512i here)
{
    const __m512i four = _mm512_set1_epi32(4), sum = _mm512_add_epi32(
        _mm512_add_epi32(clipped_sizes_avx512(before_avx512(q, x, in, here), 7),
                         clipped_sizes_avx512(behind_avx512(q, x, n, here), 7)),
        _mm512_add_epi32(clipped_sizes_avx512(_mm512_maskz_loadu_epi32(in, north + x), 7),
                         clipped_sizes_avx512(_mm512_maskz_loadu_epi32(in, south + x), 7)));
    __m512i class = clipped_sizes_avx512(here, 3);

    class = _mm512_mask_add_epi32(class, _mm512_cmpgt_epi32_mask(sum, _mm512_set1_epi32(1)), class, four);
    return _mm512_mask_add_epi32(class, _mm512_cmpgt_epi32_mask(sum, _mm512_set1_epi32(5)), class, four);
}

static void centre_row_f32_avx512(const int32_t *q, const int32_t *north, const int32_t *south, const float *restrict c,
                                  size_t n, double step, fmc_centre_sums *s)
{
    const __m512 inverse = _mm512_set1_ps((float)(1.0 / step));
    __m256 sum[9];
    __m256i count[9];
    size_t x = 0;

    while (x < n && is_zero_avx512(_mm512_maskz_loadu_epi32(lanes_from_avx512(x, n), q + x)))
        x += 16;
    if (x >= n)
        return;
    for (int k = 0; k < 9; k++) {
        sum[k] = _mm256_loadu_ps(s->sum[k]);
        count[k] = _mm256_loadu_si256((const __m256i *)(const void *)s->count[k]);
    }
    for (; x < n; x += 16) {
        const __mmask16 in = lanes_from_avx512(x, n);
        const __m512i here = _mm512_maskz_loadu_epi32(in, q + x);
        __m512i class;
        __m512 rest;

        if (is_zero_avx512(here))
            continue;
        class = classify_avx512(q, north, south, x, n, in, here);
        rest = _mm512_sub_ps(_mm512_mul_ps(_mm512_abs_ps(_mm512_maskz_loadu_ps(in, c + x)), inverse),
                             _mm512_cvtepi32_ps(_mm512_abs_epi32(here)));
        for (int k = 0; k < 9; k++) {
            const __mmask16 is_k = _mm512_mask_cmpeq_epi32_mask(in, class, _mm512_set1_epi32(k / 3 * 4 + k % 3 + 1));

            count[k] = count_halves_avx512(count[k], is_k);
            sum[k] = add_halves_avx512(sum[k], _mm512_maskz_mov_ps(is_k, rest));
        }
    }
    for (int k = 0; k < 9; k++) {
        _mm256_storeu_ps(s->sum[k], sum[k]);
        _mm256_storeu_si256((__m256i *)(void *)s->count[k], count[k]);
    }
}

static void dequantise_row_f32_avx512(float *x, const int32_t *q, const int32_t *north, const int32_t *south, size_t n,
                                      double step, const float centre[12])
{
    const __m512 unit = _mm512_set1_ps((float)step), table = _mm512_maskz_loadu_ps(0xfff, centre);

    for (size_t k = 0; k < n; k += 16) {
        const __mmask16 in = lanes_from_avx512(k, n);
        const __m512i here = _mm512_maskz_loadu_epi32(in, q + k);
        __m512 m = _mm512_setzero_ps();

        if (!is_zero_avx512(here)) {
            const __m512i class = classify_avx512(q, north, south, k, n, in, here);
            const __m512i sign = _mm512_and_si512(here, _mm512_set1_epi32(INT32_MIN));

            m = _mm512_add_ps(_mm512_cvtepi32_ps(_mm512_abs_epi32(here)), _mm512_permutexvar_ps(class, table));
            m = _mm512_xor_ps(_mm512_mul_ps(m, unit), _mm512_castsi512_ps(sign));
        }
        _mm512_mask_storeu_ps(x + k, in, m);
    }
}

#undef SURELY_ZERO
