/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of lib/ops/kernels_static.h in plain C; CNAME(x) adds the variant's suffix. FMC_HAS_STATIC_SIMD: some are elsewhere. */

#ifndef FMC_HAS_STATIC_SIMD
static void CNAME(static_sum)(int32_t *restrict sum, const int16_t *const *row, const int16_t (*weight)[FMC_COEF_TAPS],
                            size_t n_rows, size_t n)
{
    memset(sum, 0, n * sizeof *sum);
    for (size_t j = 0; j < n_rows; j++) {
        const int16_t *restrict r = row[j];

        for (size_t x = 0; x < n; x++)
            sum[x] += weight[x & 1][j] * r[x];
    }
}

static void CNAME(static_energy)(uint16_t *restrict e, const int16_t *const *row, const int16_t *weight, size_t n_rows,
                               size_t n)
{
    enum { PIECE = 64 };
    int32_t sum[PIECE];

    for (size_t x = 0; x < n; x += PIECE) {
        const size_t m = n - x < PIECE ? n - x : PIECE;

        memset(sum, 0, sizeof sum);
        for (size_t j = 0; j < n_rows; j++) {
            const int16_t *restrict r = row[j] + x;
            const int16_t w = weight[j];

            for (size_t i = 0; i < m; i++)
                sum[i] += w * r[i];
        }
        for (size_t i = 0; i < m; i++)
            e[x + i] = (uint16_t)(sum[i] >> 8 > 65535 ? 65535 : sum[i] >> 8);
    }
}

static void CNAME(static_context)(uint8_t *restrict ctx, const uint16_t *restrict e, const uint8_t *restrict fine, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t v = e[i];
        uint32_t top = 31, c;

        while (top > 0 && !(v >> top))
            top--;
        c = v == 0 ? 0 : v == 1 ? 1 : 1 + 2 * top + ((v >> (top - 1)) & 1);
        ctx[i] = (uint8_t)(c < FMC_STATIC_FINE ? 4 * c + (fine ? fine[i] & 3u : 0u) : 3 * FMC_STATIC_FINE + c);
    }
}

static void CNAME(rans_decode)(fmc_rans_dec *d, const fmc_rans_table *table, const uint8_t *ctx, uint8_t *sym, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t *cum = table[ctx[i]].cum;
        uint64_t *const state = &d->state[i % FMC_RANS_LANES];
        const uint32_t slot = (uint32_t)*state & ((1u << FMC_RANS_LOG2) - 1);
        uint32_t s = 0;

        for (uint32_t step = 16; step; step >>= 1)
            s += s + step < 32 && cum[s + step] <= slot ? step : 0;
        sym[i] = (uint8_t)s;
        *state = (uint64_t)(cum[s + 1] - cum[s]) * (*state >> FMC_RANS_LOG2) + slot - cum[s];
        if (*state >> 31 == 0) {
            uint32_t word = 0;

            if (d->p < d->end) {
                word = (uint32_t)d->p[0] | (uint32_t)d->p[1] << 8 | (uint32_t)d->p[2] << 16 | (uint32_t)d->p[3] << 24;
                d->p += 4;
            } else {
                d->n_past += d->n_past < UINT32_MAX;
            }
            *state = *state << 32 | word;
        }
    }
}
static void CNAME(static_mean)(int32_t *restrict base, uint8_t *restrict fine, const int32_t *restrict sum, size_t phase,
                             const int16_t *restrict v, int32_t west, int32_t east, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t s = sum[2 * i + phase] + (v ? west * v[i] + east * v[i + 1] : 0);
        const int32_t m = (s + 2) >> 2;
        const int32_t b = (m + 8) >> 4, f = m - 16 * b, a = (f < 0 ? -f : f) >> 1;

        base[i] = b;
        fine[i] = (uint8_t)((a > 3 ? 3 : a) | (f < 0 ? 128 : 0));
    }
}

static uint32_t CNAME(static_symbols)(uint8_t *restrict sym, uint16_t *restrict mag, int16_t *restrict v,
                                    const int32_t *restrict q, size_t phase, const int32_t *restrict base,
                                    const uint8_t *restrict fine, const uint8_t *restrict ctx, size_t n)
{
    uint32_t slow = 0;

    for (size_t i = 0; i < n; i++) {
        const int32_t x = q[2 * i + phase], r = base ? x - base[i] : x, a = r < 0 ? -r : r;
        const int32_t flip = fine ? fine[i] >> 7 : 0, shift = (int32_t)fmc_static_shift(ctx[i]);
        const int32_t t = ((a - 1) >> shift) + 1, k = t > 15 ? 15 : t;

        sym[i] = (uint8_t)(15 + ((r < 0) != flip ? -k : k));
        mag[i] = (uint16_t)(a > 1023 ? 1023 : a);
        v[i] = (int16_t)(x > 32767 ? 32767 : x < -32767 ? -32767 : x);
        slow |= (uint32_t)(k == 15) | (uint32_t)(shift != 0);
    }
    return slow;
}

static uint32_t CNAME(static_values)(int32_t *restrict q, uint16_t *restrict mag, int16_t *restrict v,
                                   const uint8_t *restrict sym, const int32_t *restrict base,
                                   const uint8_t *restrict fine, const uint8_t *restrict ctx, size_t n)
{
    uint32_t slow = 0;

    for (size_t i = 0; i < n; i++) {
        const int32_t k = (int32_t)sym[i] - 15, flip = fine ? fine[i] >> 7 : 0;
        const int32_t a = k < 0 ? -k : k, r = flip ? -k : k, x = base ? base[i] + r : r;

        q[i] = x;
        mag[i] = (uint16_t)a;
        v[i] = (int16_t)(x > 32767 ? 32767 : x < -32767 ? -32767 : x);
        slow |= (uint32_t)(a == 15) | (uint32_t)(ctx[i] >= 4 * FMC_STATIC_FINE);
    }
    return slow;
}
#endif

static void CNAME(static_split)(uint16_t *restrict even, uint16_t *restrict odd, const uint16_t *restrict e, size_t n)
{
    for (size_t i = 0; i < (n + 1) / 2; i++) {
        even[i] = e[2 * i];
        odd[i] = e[2 * i + 1];
    }
}

static void CNAME(static_join)(uint16_t *restrict e, const uint16_t *restrict even, const uint16_t *restrict odd, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        e[2 * i] = even[i];
        e[2 * i + 1] = odd[i];
    }
    if (n & 1)
        e[n - 1] = even[n / 2];
}

static void CNAME(static_between)(uint16_t *restrict e, const uint16_t *restrict m, uint32_t share, uint32_t near, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t v = ((e[i] * share) >> 16) + ((uint32_t)m[i] + m[i + 1]) * near;

        e[i] = (uint16_t)(v > 65535 ? 65535 : v);
    }
}

static void CNAME(static_join32)(int32_t *restrict q, const int32_t *restrict even, const int32_t *restrict odd, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        q[2 * i] = even[i];
        q[2 * i + 1] = odd[i];
    }
    if (n & 1)
        q[n - 1] = even[n / 2];
}

static void CNAME(static_clamp)(uint16_t *restrict mag, int16_t *restrict v, const int32_t *restrict q, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const int32_t a = q[x] < 0 ? -q[x] : q[x];

        mag[x] = (uint16_t)(a > 1023 ? 1023 : a);
        v[x] = (int16_t)(q[x] > 32767 ? 32767 : q[x] < -32767 ? -32767 : q[x]);
    }
}

#ifndef FMC_HAS_MOMENTS
static void CNAME(static_moments)(float (*a)[FMC_MOMENTS], const float (*f)[FMC_MOMENTS], size_t n)
{
    for (size_t i = 0; i < FMC_MOMENT_ROWS; i++) {
        const size_t half = i < FMC_MOMENTS / 2 ? FMC_MOMENTS / 2 : FMC_MOMENTS;

        for (size_t j = 0; j < half; j += 8) {
            float sum[8];

            memcpy(sum, a[i] + j, sizeof sum);
            for (size_t k = 0; k < n; k++)
                for (size_t m = 0; m < 8; m++)
                    sum[m] += f[k][i] * f[k][j + m];
            memcpy(a[i] + j, sum, sizeof sum);
        }
    }
}
#endif
