/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Depthwise convolution with requantisation, 16 channels at a time in vectors of 256 bits: two taps are interleaved, so
 * that one multiply-add serves both. Interleaving within halves puts channels 0-3, 8-11 into one vector and 4-7, 12-15 into
 * the other; weights follow, and packing puts them back.
 */
enum { NN_NAME(max_taps) = 27 };

/* Elements of two vectors of channels 0-7 and 8-15 in the order of the interleaving. */
FMC_ALWAYS_INLINE __m256i NN_NAME(low)(__m256i a, __m256i b)
{
    return _mm256_permute2x128_si256(a, b, 0x20);
}

FMC_ALWAYS_INLINE __m256i NN_NAME(high)(__m256i a, __m256i b)
{
    return _mm256_permute2x128_si256(a, b, 0x31);
}

FMC_ALWAYS_INLINE __m256i NN_NAME(load256)(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* What one block of 16 channels needs for all sites. */
typedef struct NN_NAME(dw_block) {
    __m256i weight[NN_NAME(max_taps) / 2 + 1][2], bias[2], shift[2];
} NN_NAME(dw_block);

static void NN_NAME(dw_prepare)(const fmc_nn_conv *c, size_t channel, size_t n_pairs, NN_NAME(dw_block) *b)
{
    const __m256i bias[2] = { NN_NAME(load256)(c->bias + channel), NN_NAME(load256)(c->bias + channel + 8) };
    const __m256i shift[2] = { NN_NAME(load256)(c->shift + channel), NN_NAME(load256)(c->shift + channel + 8) };

    for (size_t k = 0; k < n_pairs; k++) {
        const int16_t *w = c->weight + 2 * (k * c->pitch_in + channel);
        const __m256i first = NN_NAME(load256)(w), second = NN_NAME(load256)(w + 16);

        b->weight[k][0] = NN_NAME(low)(first, second);
        b->weight[k][1] = NN_NAME(high)(first, second);
    }
    b->bias[0] = NN_NAME(low)(bias[0], bias[1]);
    b->bias[1] = NN_NAME(high)(bias[0], bias[1]);
    b->shift[0] = NN_NAME(low)(shift[0], shift[1]);
    b->shift[1] = NN_NAME(high)(shift[0], shift[1]);
}

/* The 16 channels at `at` of each tap: requantised sums in the order of the interleaving. */
FMC_ALWAYS_INLINE void NN_NAME(dw_sums)(const fmc_nn_conv *c, const NN_NAME(dw_block) *b, const int16_t *const *tap, size_t at,
                                        size_t n_pairs, __m256i sum[2])
{
    const __m256i lo = _mm256_set1_epi32(c->lo), hi = _mm256_set1_epi32(c->hi);

    sum[0] = b->bias[0];
    sum[1] = b->bias[1];
    for (size_t k = 0; k < n_pairs; k++) {
        const __m256i first = NN_NAME(load256)(tap[2 * k] + at), second = NN_NAME(load256)(tap[2 * k + 1] + at);

        sum[0] = VI_DOT_256(sum[0], _mm256_unpacklo_epi16(first, second), b->weight[k][0]);
        sum[1] = VI_DOT_256(sum[1], _mm256_unpackhi_epi16(first, second), b->weight[k][1]);
    }
    for (int h = 0; h < 2; h++)
        sum[h] = _mm256_min_epi32(_mm256_max_epi32(_mm256_srav_epi32(sum[h], b->shift[h]), lo), hi);
}

/* Bases of all taps, an even number of them; the last may be there twice, with a weight of zero. */
static size_t NN_NAME(dw_taps)(const fmc_nn_conv *c, const int16_t *const *row, const int16_t **tap)
{
    size_t n = 0;

    for (size_t r = 0; r < c->n_rows; r++)
        for (size_t k = 0; k < c->kx; k++)
            tap[n++] = row[r] + k * c->pitch_in;
    tap[n] = tap[n - 1];
    return (n + 1) / 2;
}

FMC_ALWAYS_INLINE void NN_NAME(store_dw_i16)(const __m256i sum[2], int16_t *out)
{
    _mm256_storeu_si256((__m256i *)out, _mm256_packs_epi32(sum[0], sum[1]));
}

FMC_ALWAYS_INLINE void NN_NAME(store_dw_i32)(const __m256i sum[2], int32_t *out)
{
    _mm256_storeu_si256((__m256i *)out, NN_NAME(low)(sum[0], sum[1]));
    _mm256_storeu_si256((__m256i *)(out + 8), NN_NAME(high)(sum[0], sum[1]));
}

/* One channel, for what does not fill a block. */
FMC_ALWAYS_INLINE int32_t NN_NAME(dw_one)(const fmc_nn_conv *c, const int16_t *const *row, size_t x, size_t o)
{
    int32_t sum = c->bias[o];
    size_t tap = 0;

    for (size_t r = 0; r < c->n_rows; r++)
        for (size_t k = 0; k < c->kx; k++, tap++)
            sum += row[r][(x * c->stride_x + k) * c->pitch_in + o] * c->weight[(tap / 2 * c->pitch_in + o) * 2 + tap % 2];
    sum >>= c->shift[o];
    return sum < c->lo ? c->lo : sum > c->hi ? c->hi : sum;
}

#define DEPTHWISE(type, suffix)                                                                                        \
    FMC_ALWAYS_INLINE void NN_NAME(dw_row_##suffix)(const fmc_nn_conv *c, const NN_NAME(dw_block) *b,                  \
                                                    const int16_t *const *tap, size_t channel, size_t n_pairs, size_t n, \
                                                    type *out)                                                         \
    {                                                                                                                  \
        const size_t step = (size_t)c->stride_x * c->pitch_in;                                                         \
                                                                                                                       \
        for (size_t x = 0; x < n; x++) {                                                                               \
            __m256i sum[2];                                                                                            \
                                                                                                                       \
            NN_NAME(dw_sums)(c, b, tap, x * step + channel, n_pairs, sum);                                             \
            NN_NAME(store_dw_##suffix)(sum, out + x * c->n_out + channel);                                             \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void NN_NAME(depthwise_##suffix)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, type *out)      \
    {                                                                                                                  \
        const int16_t *tap[NN_NAME(max_taps) + 1];                                                                     \
        size_t channel = 0;                                                                                            \
                                                                                                                       \
        if ((size_t)c->n_rows * c->kx <= NN_NAME(max_taps)) {                                                          \
            const size_t n_pairs = NN_NAME(dw_taps)(c, row, tap);                                                      \
                                                                                                                       \
            for (; channel + 16 <= c->n_out; channel += 16) {                                                          \
                NN_NAME(dw_block) b;                                                                                   \
                                                                                                                       \
                NN_NAME(dw_prepare)(c, channel, n_pairs, &b);                                                          \
                if (n_pairs == 5)                                                                                      \
                    NN_NAME(dw_row_##suffix)(c, &b, tap, channel, 5, n, out);                                          \
                else                                                                                                   \
                    NN_NAME(dw_row_##suffix)(c, &b, tap, channel, n_pairs, n, out);                                    \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t x = 0; x < n; x++)                                                                                 \
            for (size_t o = channel; o < c->n_out; o++)                                                                \
                out[x * c->n_out + o] = (type)NN_NAME(dw_one)(c, row, x, o);                                           \
    }

DEPTHWISE(int16_t, i16)
DEPTHWISE(int32_t, i32)
#undef DEPTHWISE
