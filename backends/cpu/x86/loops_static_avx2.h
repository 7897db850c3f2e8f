/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of lib/ops/kernels_static.h that the compiler does not find its way in; AVX2. */
#define FMC_HAS_STATIC_SIMD 1

static inline __attribute__((always_inline)) int32_t CNAME(two)(const int16_t *w)
{
    return (int32_t)((uint32_t)(uint16_t)w[0] | (uint32_t)(uint16_t)w[1] << 16);
}

/*
 * 16 sums, as those of elements 0..3, 8..11 and 4..7, 12..15. pair: weights of rows 2 k and 2 k + 1, those of even
 * elements below those of odd ones.
 */
static inline __attribute__((always_inline)) void CNAME(sum16)(const int16_t *const *row, const int64_t *pair,
                                                               size_t n_rows, size_t x, __m256i *low, __m256i *high)
{
    __m256i a = _mm256_setzero_si256(), b = a;

    for (size_t j = 0; j < n_rows; j += 2) {
        const __m256i p = _mm256_loadu_si256((const __m256i *)(const void *)(row[j] + x));
        const __m256i q = _mm256_loadu_si256((const __m256i *)(const void *)(row[j + 1] + x));
        const __m256i w = _mm256_set1_epi64x(pair[j / 2]);

        a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_unpacklo_epi16(p, q), w));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_unpackhi_epi16(p, q), w));
    }
    *low = a;
    *high = b;
}

static void CNAME(static_energy)(uint16_t *e, const int16_t *const *row, const int16_t *weight, size_t n_rows, size_t n)
{
    int64_t pair[16];

    for (size_t j = 0; j < n_rows; j += 2)
        pair[j / 2] = (int64_t)((uint64_t)(uint32_t)CNAME(two)(weight + j) * UINT64_C(0x100000001));
    for (size_t x = 0; x < n; x += 16) {
        __m256i a, b;

        CNAME(sum16)(row, pair, n_rows, x, &a, &b);
        a = _mm256_packus_epi32(_mm256_srli_epi32(a, 8), _mm256_srli_epi32(b, 8));
        _mm256_storeu_si256((__m256i *)(void *)(e + x), a);
    }
}

static void CNAME(static_sum)(int32_t *sum, const int16_t *const *row, const int16_t (*weight)[FMC_COEF_TAPS],
                            size_t n_rows, size_t n)
{
    int64_t pair[FMC_COEF_TAPS / 2];

    for (size_t j = 0; j < n_rows; j += 2)
        pair[j / 2] = (int64_t)((uint64_t)(uint32_t)CNAME(two)(weight[0] + j) |
                                (uint64_t)(uint32_t)CNAME(two)(weight[1] + j) << 32);
    for (size_t x = 0; x < n; x += 16) {
        __m256i a, b;

        CNAME(sum16)(row, pair, n_rows, x, &a, &b);
        _mm256_storeu_si256((__m256i *)(void *)(sum + x), _mm256_permute2x128_si256(a, b, 0x20));
        _mm256_storeu_si256((__m256i *)(void *)(sum + x + 8), _mm256_permute2x128_si256(a, b, 0x31));
    }
}

/* Classes of 8 energies: exponent and top bit of the significand as a float, which holds them exactly. */
static inline __attribute__((always_inline)) __m256i CNAME(class8)(__m256i e)
{
    const __m256i bits = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(e)), 22);

    return _mm256_max_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(253)), _mm256_setzero_si256());
}

static void CNAME(static_context)(uint8_t *ctx, const uint16_t *e, const uint8_t *fine, size_t n)
{
    const __m256i four = _mm256_set1_epi16(FMC_STATIC_FINE);

    for (size_t i = 0; i < n; i += 16) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(e + i));
        const __m256i low = CNAME(class8)(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(v)));
        const __m256i high = CNAME(class8)(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1)));
        const __m256i c = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
        const __m256i large = _mm256_add_epi16(c, _mm256_set1_epi16(3 * FMC_STATIC_FINE));
        __m256i small = _mm256_slli_epi16(c, 2);

        if (fine) {
            const __m128i f = _mm_loadu_si128((const __m128i *)(const void *)(fine + i));

            small = _mm256_or_si256(small, _mm256_cvtepu8_epi16(_mm_and_si128(f, _mm_set1_epi8(3))));
        }
        small = _mm256_blendv_epi8(large, small, _mm256_cmpgt_epi16(four, c));
        _mm_storeu_si128((__m128i *)(void *)(ctx + i), _mm_packus_epi16(_mm256_castsi256_si128(small),
                                                                        _mm256_extracti128_si256(small, 1)));
    }
}

static void CNAME(static_mean)(int32_t *base, uint8_t *fine, const int32_t *sum, size_t phase, const int16_t *v,
                             int32_t west, int32_t east, size_t n)
{
    const __m256i near = _mm256_set1_epi32((int32_t)((uint32_t)(uint16_t)west | (uint32_t)east << 16));
    const __m256i eight = _mm256_set1_epi32(8), three = _mm256_set1_epi32(3);

    for (size_t i = 0; i < n; i += 8) {
        const __m256 a = _mm256_loadu_ps((const float *)(const void *)(sum + 2 * i));
        const __m256 b = _mm256_loadu_ps((const float *)(const void *)(sum + 2 * i + 8));
        __m256i s = _mm256_castps_si256(phase ? _mm256_shuffle_ps(a, b, 0xdd) : _mm256_shuffle_ps(a, b, 0x88)), f, m;

        s = _mm256_permute4x64_epi64(s, 0xd8);
        if (v) {
            const __m128i w = _mm_loadu_si128((const __m128i *)(const void *)(v + i));
            const __m128i e = _mm_loadu_si128((const __m128i *)(const void *)(v + i + 1));
            const __m256i we = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(w, e)),
                                                       _mm_unpackhi_epi16(w, e), 1);

            s = _mm256_add_epi32(s, _mm256_madd_epi16(we, near));
        }
        s = _mm256_srai_epi32(_mm256_add_epi32(s, _mm256_set1_epi32(2)), 2);
        m = _mm256_srai_epi32(_mm256_add_epi32(s, eight), 4);
        _mm256_storeu_si256((__m256i *)(void *)(base + i), m);
        f = _mm256_sub_epi32(s, _mm256_slli_epi32(m, 4));
        m = _mm256_min_epi32(_mm256_srli_epi32(_mm256_abs_epi32(f), 1), three);
        m = _mm256_or_si256(m, _mm256_and_si256(_mm256_srai_epi32(f, 31), _mm256_set1_epi32(128)));
        m = _mm256_permute4x64_epi64(_mm256_packs_epi32(m, m), 0xd8);
        _mm_storel_epi64((__m128i *)(void *)(fine + i), _mm_packus_epi16(_mm256_castsi256_si128(m), _mm256_castsi256_si128(m)));
    }
}

/* 8 bytes as 32-bit lanes. */
static inline __attribute__((always_inline)) __m256i CNAME(bytes8)(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
}

/* 8 lanes of 32 bits within 16 bits, signed, to 16-bit elements. */
static inline __attribute__((always_inline)) __m128i CNAME(narrow8)(__m256i v)
{
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packs_epi32(v, v), 0xd8));
}

/* v limited to +-32767 */
static inline __attribute__((always_inline)) void CNAME(store_value8)(int16_t *v, __m256i x)
{
    const __m128i s = _mm_max_epi16(CNAME(narrow8)(x), _mm_set1_epi16(-32767));

    _mm_storeu_si128((__m128i *)(void *)v, s);
}

/* v with the sign of `sign` put on: -v where it is negative. */
static inline __attribute__((always_inline)) __m256i CNAME(turn8)(__m256i v, __m256i minus)
{
    return _mm256_sub_epi32(_mm256_xor_si256(v, minus), minus);
}

static uint32_t CNAME(static_symbols)(uint8_t *sym, uint16_t *mag, int16_t *v, const int32_t *q, size_t phase,
                                    const int32_t *base, const uint8_t *fine, const uint8_t *ctx, size_t n)
{
    const __m256i fifteen = _mm256_set1_epi32(15), one = _mm256_set1_epi32(1);
    const __m256i first = _mm256_set1_epi32(4 * FMC_STATIC_FINE);
    __m256i slow = _mm256_setzero_si256();

    for (size_t i = 0; i < n; i += 8) {
        __m256i x, r, minus, a, k, shift, c = CNAME(bytes8)(ctx + i);
        int32_t last[16];
        const int32_t *from = q + 2 * i;

        if (n - i < 9 - phase) { /* a row's end is the end of the array, too */
            memset(last, 0, sizeof last);
            memcpy(last, from, (2 * (n - i) - 1 + phase) * sizeof *last);
            from = last;
        }
        x = _mm256_castps_si256(phase ? _mm256_shuffle_ps(_mm256_loadu_ps((const float *)(const void *)from),
                                                          _mm256_loadu_ps((const float *)(const void *)(from + 8)), 0xdd)
                                      : _mm256_shuffle_ps(_mm256_loadu_ps((const float *)(const void *)from),
                                                          _mm256_loadu_ps((const float *)(const void *)(from + 8)), 0x88));
        x = _mm256_permute4x64_epi64(x, 0xd8);
        r = base ? _mm256_sub_epi32(x, _mm256_loadu_si256((const __m256i *)(const void *)(base + i))) : x;
        a = _mm256_abs_epi32(r);
        shift = _mm256_max_epi32(_mm256_add_epi32(_mm256_srai_epi32(_mm256_sub_epi32(c, first), 1), one),
                                 _mm256_setzero_si256());
        k = _mm256_min_epi32(_mm256_add_epi32(_mm256_srav_epi32(_mm256_sub_epi32(a, one), shift), one), fifteen);
        slow = _mm256_or_si256(slow, _mm256_or_si256(_mm256_cmpeq_epi32(k, fifteen), shift));
        minus = _mm256_srai_epi32(r, 31);
        if (fine)
            minus = _mm256_xor_si256(minus, _mm256_srai_epi32(_mm256_slli_epi32(CNAME(bytes8)(fine + i), 24), 31));
        k = _mm256_add_epi32(CNAME(turn8)(k, minus), fifteen);
        {
            const __m128i s = CNAME(narrow8)(k);

            _mm_storel_epi64((__m128i *)(void *)(sym + i), _mm_packus_epi16(s, s));
        }
        _mm_storeu_si128((__m128i *)(void *)(mag + i), CNAME(narrow8)(_mm256_min_epi32(a, _mm256_set1_epi32(1023))));
        CNAME(store_value8)(v + i, x);
    }
    return !_mm256_testz_si256(slow, slow);
}

static uint32_t CNAME(static_values)(int32_t *q, uint16_t *mag, int16_t *v, const uint8_t *sym, const int32_t *base,
                                   const uint8_t *fine, const uint8_t *ctx, size_t n)
{
    const __m256i fifteen = _mm256_set1_epi32(15), last = _mm256_set1_epi32(4 * FMC_STATIC_FINE - 1);
    __m256i slow = _mm256_setzero_si256();

    for (size_t i = 0; i < n; i += 8) {
        const __m256i k = _mm256_sub_epi32(CNAME(bytes8)(sym + i), fifteen), a = _mm256_abs_epi32(k);
        __m256i x = k;

        if (fine)
            x = CNAME(turn8)(x, _mm256_srai_epi32(_mm256_slli_epi32(CNAME(bytes8)(fine + i), 24), 31));
        if (base)
            x = _mm256_add_epi32(x, _mm256_loadu_si256((const __m256i *)(const void *)(base + i)));
        slow = _mm256_or_si256(slow, _mm256_cmpeq_epi32(a, fifteen));
        slow = _mm256_or_si256(slow, _mm256_cmpgt_epi32(CNAME(bytes8)(ctx + i), last));
        _mm256_storeu_si256((__m256i *)(void *)(q + i), x);
        _mm_storeu_si128((__m128i *)(void *)(mag + i), CNAME(narrow8)(a));
        CNAME(store_value8)(v + i, x);
    }
    return !_mm256_testz_si256(slow, slow);
}

static inline __attribute__((always_inline)) uint64_t CNAME(rans_step)(uint64_t x, const fmc_rans_table *t, uint8_t *sym)
{
    const uint32_t slot = (uint32_t)x & ((1u << FMC_RANS_LOG2) - 1);
    const __m256i at = _mm256_set1_epi16((int16_t)slot);
    const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)t->cum);
    const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(t->cum + 16));
    /* 32768 in the last place counts as -32768 here, so it is never above */
    const __m256i above = _mm256_packs_epi16(_mm256_cmpgt_epi16(a, at), _mm256_cmpgt_epi16(b, at));
    const uint32_t s = 30u - (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_epi8(above));
    const uint32_t start = t->cum[s];

    *sym = (uint8_t)s;
    return (uint64_t)(t->cum[s + 1] - start) * (x >> FMC_RANS_LOG2) + slot - start;
}

static inline __attribute__((always_inline)) uint64_t CNAME(rans_refill)(uint64_t x, fmc_rans_dec *d, const uint8_t **p)
{
    if (__builtin_expect(x >> 31 == 0, 0)) {
        uint32_t word = 0;

        if (*p < d->end) {
            memcpy(&word, *p, 4);
            *p += 4;
        } else {
            d->n_past += d->n_past < UINT32_MAX;
        }
        x = x << 32 | word;
    }
    return x;
}

static void CNAME(rans_decode)(fmc_rans_dec *d, const fmc_rans_table *table, const uint8_t *ctx, uint8_t *sym, size_t n)
{
    uint64_t x0 = d->state[0], x1 = d->state[1], x2 = d->state[2], x3 = d->state[3];
    const uint8_t *p = d->p;
    size_t i = 0;

    for (; i + FMC_RANS_LANES <= n; i += FMC_RANS_LANES) {
        x0 = CNAME(rans_step)(x0, &table[ctx[i]], sym + i);
        x1 = CNAME(rans_step)(x1, &table[ctx[i + 1]], sym + i + 1);
        x2 = CNAME(rans_step)(x2, &table[ctx[i + 2]], sym + i + 2);
        x3 = CNAME(rans_step)(x3, &table[ctx[i + 3]], sym + i + 3);
        x0 = CNAME(rans_refill)(x0, d, &p);
        x1 = CNAME(rans_refill)(x1, d, &p);
        x2 = CNAME(rans_refill)(x2, d, &p);
        x3 = CNAME(rans_refill)(x3, d, &p);
    }
    if (i < n)
        x0 = CNAME(rans_refill)(CNAME(rans_step)(x0, &table[ctx[i]], sym + i), d, &p);
    if (i + 1 < n)
        x1 = CNAME(rans_refill)(CNAME(rans_step)(x1, &table[ctx[i + 1]], sym + i + 1), d, &p);
    if (i + 2 < n)
        x2 = CNAME(rans_refill)(CNAME(rans_step)(x2, &table[ctx[i + 2]], sym + i + 2), d, &p);
    d->state[0] = x0;
    d->state[1] = x1;
    d->state[2] = x2;
    d->state[3] = x3;
    d->p = p;
}
