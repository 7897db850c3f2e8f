/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantise_row and dequantise_row of loops_coef.h for float, operation by operation, in one go over the row; included
 * inside an AVX2 region.
 */

/* What quantising needs of a step, and the sums of a row while they grow. */
typedef struct quantise_avx2 {
    __m256  inverse, scale, half;
    __m256  square, sum[3];
    __m256i count[3];
} quantise_avx2;

static inline __m256 size_ps_avx2(__m256 v)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

/* Eight values with their neighbours; lanes that are not in `in` count nowhere. */
static inline __m256i quantise_eight_avx2(quantise_avx2 *j, __m256 c, __m256 west, __m256 east, __m256 north, __m256 south,
                                          __m256i in)
{
    const __m256 one = _mm256_set1_ps(1.0f);
    const __m256 pair = _mm256_add_ps(size_ps_avx2(west), size_ps_avx2(east));
    const __m256 all = _mm256_add_ps(_mm256_add_ps(pair, size_ps_avx2(north)), size_ps_avx2(south));
    const __m256 mean = _mm256_add_ps(_mm256_mul_ps(all, j->scale), _mm256_set1_ps(0.02f));
    const __m256 bits = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_castps_si256(mean)), _mm256_set1_ps(1.1920929e-7f));
    const __m256 log2_mean = _mm256_sub_ps(_mm256_set1_ps(128.4f), bits);
    const __m256 rare = _mm256_min_ps(_mm256_max_ps(log2_mean, _mm256_set1_ps(0.3f)), _mm256_set1_ps(8.0f));
    const __m256 u = _mm256_mul_ps(size_ps_avx2(c), j->inverse);
    const __m256 limited = _mm256_min_ps(u, _mm256_set1_ps((float)(1 << 28)));
    const __m256 is_low = _mm256_cmp_ps(limited, _mm256_set1_ps(1.5f), _CMP_LT_OQ);
    const __m256 cut = _mm256_mul_ps(j->half, _mm256_blendv_ps(one, rare, is_low));
    const __m256i a = _mm256_cvttps_epi32(_mm256_sub_ps(_mm256_add_ps(limited, _mm256_set1_ps(0.5f)), cut));
    const __m256i is_negative = _mm256_castps_si256(_mm256_cmp_ps(c, _mm256_setzero_ps(), _CMP_LT_OQ));
    const __m256i size = _mm256_and_si256(_mm256_abs_epi32(a), in);
    const __m256 rest = _mm256_and_ps(_mm256_sub_ps(u, _mm256_cvtepi32_ps(size)), _mm256_castsi256_ps(in));

    j->square = _mm256_add_ps(j->square, _mm256_mul_ps(rest, rest));
    for (int k = 0; k < 3; k++) {
        const __m256i limit = _mm256_set1_epi32(k < 2 ? k + 1 : 2);
        const __m256i is_k = k < 2 ? _mm256_cmpeq_epi32(size, limit) : _mm256_cmpgt_epi32(size, limit);

        j->count[k] = _mm256_sub_epi32(j->count[k], is_k);
        j->sum[k] = _mm256_add_ps(j->sum[k], _mm256_and_ps(rest, _mm256_castsi256_ps(is_k)));
    }
    return _mm256_sub_epi32(_mm256_xor_si256(a, is_negative), is_negative);
}

/* What a row ends with: 1 to 8 values from x on, their places, and where those before and after them are. */
typedef struct row_end_avx2 {
    __m256i in, before, after;
} row_end_avx2;

static inline row_end_avx2 row_end_of_avx2(size_t x, size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), one = _mm256_set1_epi32(1);
    const __m256i left = _mm256_set1_epi32((int)(n - x));

    return (row_end_avx2){ _mm256_cmpgt_epi32(left, lane),
                           _mm256_max_epi32(_mm256_sub_epi32(lane, one), _mm256_setzero_si256()),
                           _mm256_min_epi32(_mm256_add_epi32(lane, one), _mm256_sub_epi32(left, one)) };
}

static inline void quantise_tail_avx2(quantise_avx2 *j, int32_t *q, const float *c, const float *north, const float *south,
                                      size_t x, size_t n)
{
    const row_end_avx2 e = row_end_of_avx2(x, n);
    const __m256 here = _mm256_maskload_ps(c + x, e.in);
    const __m256 west = x > 0 ? _mm256_maskload_ps(c + x - 1, e.in) : _mm256_permutevar8x32_ps(here, e.before);
    int32_t room[8];

    _mm256_storeu_si256((__m256i *)(void *)room,
                        quantise_eight_avx2(j, here, west, _mm256_permutevar8x32_ps(here, e.after),
                                            _mm256_maskload_ps(north + x, e.in), _mm256_maskload_ps(south + x, e.in),
                                            e.in));
    for (size_t k = 0; k < n - x; k++)
        q[x + k] = room[k];
}

static void quantise_row_f32_avx2(int32_t *restrict q, const float *restrict c, const float *restrict north,
                                  const float *restrict south, size_t n, const fmc_quant_step *z, fmc_quant_sums *s)
{
    const __m256i first = _mm256_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6), in = _mm256_set1_epi32(-1);
    quantise_avx2 j;
    size_t x = 0;

    j.inverse = _mm256_set1_ps((float)(1.0 / z->step));
    j.scale = _mm256_set1_ps((float)(0.25 / z->step));
    j.half = _mm256_set1_ps(0.5f * z->lambda);
    j.square = _mm256_loadu_ps(s->square);
    for (int k = 0; k < 3; k++) {
        j.sum[k] = _mm256_loadu_ps(s->sum[k]);
        j.count[k] = _mm256_loadu_si256((const __m256i *)(const void *)s->count[k]);
    }
    for (; x + 8 < n; x += 8) {
        const __m256 here = _mm256_loadu_ps(c + x);
        const __m256 west = x > 0 ? _mm256_loadu_ps(c + x - 1) : _mm256_permutevar8x32_ps(here, first);

        _mm256_storeu_si256((__m256i *)(void *)(q + x),
                            quantise_eight_avx2(&j, here, west, _mm256_loadu_ps(c + x + 1), _mm256_loadu_ps(north + x),
                                                _mm256_loadu_ps(south + x), in));
    }
    quantise_tail_avx2(&j, q, c, north, south, x, n);
    _mm256_storeu_ps(s->square, j.square);
    for (int k = 0; k < 3; k++) {
        _mm256_storeu_ps(s->sum[k], j.sum[k]);
        _mm256_storeu_si256((__m256i *)(void *)s->count[k], j.count[k]);
    }
}

static inline __m256i clipped_sizes_avx2(__m256i v, int most)
{
    return _mm256_min_epu32(_mm256_abs_epi32(v), _mm256_set1_epi32(most));
}

/* Eight integers with their neighbours; low and high: centre[0..7] and [8..11]. */
static inline __m256 dequantise_eight_avx2(__m256i q, __m256i west, __m256i east, __m256i north, __m256i south, __m256 unit,
                                           __m256 low, __m256 high)
{
    const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(clipped_sizes_avx2(west, 7), clipped_sizes_avx2(east, 7)),
                                         _mm256_add_epi32(clipped_sizes_avx2(north, 7), clipped_sizes_avx2(south, 7)));
    const __m256i busy = _mm256_add_epi32(_mm256_cmpgt_epi32(sum, _mm256_set1_epi32(1)),
                                          _mm256_cmpgt_epi32(sum, _mm256_set1_epi32(5))); /* less than 0 */
    const __m256i class = _mm256_sub_epi32(clipped_sizes_avx2(q, 3), _mm256_slli_epi32(busy, 2));
    const __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(class, 28)); /* bit 3 as the sign */
    const __m256 offset = _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, class), _mm256_permutevar8x32_ps(high, class),
                                           is_high);
    const __m256 m = _mm256_mul_ps(_mm256_add_ps(_mm256_cvtepi32_ps(_mm256_abs_epi32(q)), offset), unit);
    const __m256i sign = _mm256_and_si256(q, _mm256_set1_epi32(INT32_MIN));

    return _mm256_xor_ps(m, _mm256_castsi256_ps(sign));
}

static inline __m256i load_eight_avx2(const int32_t *q)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)q);
}

/* The last values of a row, 1 to 8 of them from k on. */
static inline void dequantise_tail_avx2(float *x, const int32_t *q, const int32_t *north, const int32_t *south, size_t k,
                                        size_t n, __m256 unit, __m256 low, __m256 high)
{
    const row_end_avx2 e = row_end_of_avx2(k, n);
    const __m256i here = _mm256_maskload_epi32(q + k, e.in);
    const __m256i west = k > 0 ? _mm256_maskload_epi32(q + k - 1, e.in) : _mm256_permutevar8x32_epi32(here, e.before);
    float room[8];

    _mm256_storeu_ps(room, dequantise_eight_avx2(here, west, _mm256_permutevar8x32_epi32(here, e.after),
                                                 _mm256_maskload_epi32(north + k, e.in),
                                                 _mm256_maskload_epi32(south + k, e.in), unit, low, high));
    for (size_t i = 0; i < n - k; i++)
        x[k + i] = room[i];
}

static void dequantise_row_f32_avx2(float *x, const int32_t *q, const int32_t *north, const int32_t *south, size_t n,
                                    double step, const float centre[12])
{
    const __m256i first = _mm256_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6);
    const __m256 unit = _mm256_set1_ps((float)step), low = _mm256_loadu_ps(centre);
    const __m256 high = _mm256_castps128_ps256(_mm_loadu_ps(centre + 8));

    for (size_t from = 0; from < n; from += COEF_PART) {
        const size_t part = n - from < COEF_PART ? n - from : COEF_PART;
        size_t k = from;

        if (is_zero_part(q + from, part)) {
            memset(x + from, 0, part * sizeof *x);
            continue;
        }
        for (; k < from + part && k + 8 < n; k += 8) {
            const __m256i here = load_eight_avx2(q + k);
            const __m256i west = k > 0 ? load_eight_avx2(q + k - 1) : _mm256_permutevar8x32_epi32(here, first);

            _mm256_storeu_ps(x + k, dequantise_eight_avx2(here, west, load_eight_avx2(q + k + 1), load_eight_avx2(north + k),
                                                          load_eight_avx2(south + k), unit, low, high));
        }
        if (k < from + part)
            dequantise_tail_avx2(x, q, north, south, k, n, unit, low, high);
    }
}
