/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of lib/ops/kernels.h for one real type, in plain C: the definition of right. Included once per type and
 * instruction set with REAL and NAME(x) defined.
 */

static void NAME(lift_line)(REAL *restrict dst, const REAL *restrict src, REAL a, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dst[i] += a * (src[i] + src[i + 1]);
}

static void NAME(lift_row)(REAL *restrict x, const REAL *p, const REAL *q, REAL a, size_t lanes)
{
    for (size_t j = 0; j < lanes; j++)
        x[j] += a * (p[j] + q[j]);
}

/* Of rows `pitch` apart, the first `lanes` values. */
static void NAME(lift_step)(REAL *x, size_t n, size_t pitch, size_t lanes, size_t first, REAL a)
{
    for (size_t i = first; i < n; i += 2) {
        const size_t before = i > 0 ? i - 1 : 1;
        const size_t after = i + 1 < n ? i + 1 : n - 2;

        NAME(lift_row)(x + i * pitch, x + before * pitch, x + after * pitch, a, lanes);
    }
}

static void NAME(scale_step)(REAL *x, size_t n, size_t pitch, size_t lanes, size_t first, REAL a)
{
    for (size_t i = first; i < n; i += 2)
        for (size_t j = 0; j < lanes; j++)
            x[i * pitch + j] *= a;
}

static void NAME(lift_forward_some)(REAL *x, size_t n, size_t pitch, size_t lanes, const REAL w[6])
{
    for (size_t s = 0; s < 4; s++)
        NAME(lift_step)(x, n, pitch, lanes, 1 - s % 2, w[s]);
    for (size_t s = 0; s < 2; s++)
        NAME(scale_step)(x, n, pitch, lanes, s, w[4 + s]);
}

static void NAME(lift_inverse_some)(REAL *x, size_t n, size_t pitch, size_t lanes, const REAL w[6])
{
    for (size_t s = 0; s < 2; s++)
        NAME(scale_step)(x, n, pitch, lanes, s, w[5 - s]);
    for (size_t s = 4; s-- > 0;)
        NAME(lift_step)(x, n, pitch, lanes, 1 - s % 2, -w[s]);
}

/* The row that stands for row i of n. */
static size_t NAME(turned_back)(ptrdiff_t i, size_t n)
{
    const ptrdiff_t last = (ptrdiff_t)n - 1;

    while (i < 0 || i > last)
        i = i < 0 ? -i : 2 * last - i;
    return (size_t)i;
}

/* The widest step: odd rows from those three away. */
static void NAME(lift_wide_step)(REAL *x, size_t n, size_t pitch, size_t lanes, REAL a)
{
    for (size_t i = 1; i < n; i += 2) {
        const size_t before = NAME(turned_back)((ptrdiff_t)i - 3, n), after = NAME(turned_back)((ptrdiff_t)i + 3, n);

        NAME(lift_row)(x + i * pitch, x + before * pitch, x + after * pitch, a, lanes);
    }
}

static void NAME(lift_long_forward_some)(REAL *x, size_t n, size_t pitch, size_t lanes, const REAL w[11])
{
    for (size_t s = 0; s < 3; s++)
        NAME(lift_step)(x, n, pitch, lanes, 1 - s % 2, w[s]);
    NAME(lift_wide_step)(x, n, pitch, lanes, w[3]);
    for (size_t s = 4; s < 9; s++)
        NAME(lift_step)(x, n, pitch, lanes, s % 2, w[s]);
    for (size_t s = 0; s < 2; s++)
        NAME(scale_step)(x, n, pitch, lanes, s, w[9 + s]);
}

static void NAME(lift_long_inverse_some)(REAL *x, size_t n, size_t pitch, size_t lanes, const REAL w[11])
{
    for (size_t s = 0; s < 2; s++)
        NAME(scale_step)(x, n, pitch, lanes, s, w[10 - s]);
    for (size_t s = 9; s-- > 4;)
        NAME(lift_step)(x, n, pitch, lanes, s % 2, -w[s]);
    NAME(lift_wide_step)(x, n, pitch, lanes, -w[3]);
    for (size_t s = 3; s-- > 0;)
        NAME(lift_step)(x, n, pitch, lanes, 1 - s % 2, -w[s]);
}

#ifndef VEC_SIZE
static void NAME(lift_forward)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    NAME(lift_forward_some)(x, n, lanes, lanes, w);
}

static void NAME(lift_inverse)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    NAME(lift_inverse_some)(x, n, lanes, lanes, w);
}

static void NAME(lift_long_forward)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    NAME(lift_long_forward_some)(x, n, lanes, lanes, w);
}

static void NAME(lift_long_inverse)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    NAME(lift_long_inverse_some)(x, n, lanes, lanes, w);
}
#endif

static void NAME(scale)(REAL *dst, const REAL *src, REAL a, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dst[i] = a * src[i];
}

static void NAME(split)(REAL *restrict even, REAL *restrict odd, const REAL *restrict src, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        even[i] = src[2 * i];
        odd[i] = src[2 * i + 1];
    }
    if (n & 1)
        even[n / 2] = src[n - 1];
}

static void NAME(merge)(REAL *restrict dst, const REAL *restrict even, const REAL *restrict odd, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        dst[2 * i] = even[i];
        dst[2 * i + 1] = odd[i];
    }
    if (n & 1)
        dst[n - 1] = even[n / 2];
}

#ifndef VEC_SIZE
static void NAME(mat_rows)(REAL *restrict out, const REAL *restrict m, const REAL *restrict x, size_t n_out,
                           size_t n_in, size_t lanes)
{
    for (size_t k = 0; k < n_out; k++) {
        for (size_t j = 0; j < lanes; j++)
            out[k * lanes + j] = m[k * n_in] * x[j];
        for (size_t i = 1; i < n_in; i++)
            for (size_t j = 0; j < lanes; j++)
                out[k * lanes + j] += m[k * n_in + i] * x[i * lanes + j];
    }
}
#endif

static int NAME(are_neighbours)(const size_t *off, size_t lanes)
{
    for (size_t j = 1; j < lanes; j++)
        if (off[j] != off[0] + j)
            return 0;
    return 1;
}

#ifndef FMC_PREFETCH
#if defined(__GNUC__)
#define FMC_PREFETCH(p) __builtin_prefetch(p)
#else
#define FMC_PREFETCH(p) (void)(p)
#endif
enum { AHEAD = 32 }; /* lanes that are worked on next */
#endif

/* The usual numbers of lanes without a call. */
static inline void NAME(copy_row)(REAL *restrict to, const REAL *restrict from, size_t lanes)
{
    if (lanes == 16)
        memcpy(to, from, 16 * sizeof *to);
    else if (lanes == 32)
        memcpy(to, from, 32 * sizeof *to);
    else
        memcpy(to, from, lanes * sizeof *to);
}

static void NAME(load_lanes)(REAL *restrict t, size_t pitch, const REAL *restrict data, const size_t *off,
                             size_t lanes, size_t stride, size_t n)
{
    if (NAME(are_neighbours)(off, lanes))
        for (size_t i = 0; i < n; i++) {
            const REAL *row = data + (ptrdiff_t)(off[0] + i * stride);

            FMC_PREFETCH(row + AHEAD);
            if (lanes * sizeof *row > 64)
                FMC_PREFETCH(row + AHEAD + 64 / sizeof *row);
            NAME(copy_row)(t + i * pitch, row, lanes);
        }
    else
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < lanes; j++)
                t[i * pitch + j] = data[(ptrdiff_t)(off[j] + i * stride)];
}

static void NAME(store_lanes)(const REAL *restrict t, size_t pitch, REAL *restrict data, const size_t *off,
                              size_t lanes, size_t stride, size_t n)
{
    if (NAME(are_neighbours)(off, lanes))
        for (size_t i = 0; i < n; i++)
            NAME(copy_row)(data + (ptrdiff_t)(off[0] + i * stride), t + i * pitch, lanes);
    else
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < lanes; j++)
                data[(ptrdiff_t)(off[j] + i * stride)] = t[i * pitch + j];
}

static double NAME(add_tree)(const double p[8])
{
    return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

static double NAME(square_sum)(const REAL *x, size_t count)
{
    double p[8] = { 0 };
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++)
            p[j] += (double)x[i + j] * (double)x[i + j];
    for (; i < count; i++)
        p[i % 8] += (double)x[i] * (double)x[i];
    return NAME(add_tree)(p);
}

static double NAME(error_sum)(const REAL *x, const REAL *y, size_t count)
{
    double p[8] = { 0 };
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++) {
            const double d = (double)x[i + j] - (double)y[i + j];

            p[j] += d * d;
        }
    for (; i < count; i++) {
        const double d = (double)x[i] - (double)y[i];

        p[i % 8] += d * d;
    }
    return NAME(add_tree)(p);
}

static double NAME(error_max)(const REAL *x, const REAL *y, size_t count)
{
    double p[8] = { 0 };
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++) {
            const double d = fabs((double)x[i + j] - (double)y[i + j]);

            p[j] = d > p[j] ? d : p[j];
        }
    for (; i < count; i++) {
        const double d = fabs((double)x[i] - (double)y[i]);

        p[i % 8] = d > p[i % 8] ? d : p[i % 8];
    }
    for (size_t j = 1; j < 8; j++)
        p[0] = p[j] > p[0] ? p[j] : p[0];
    return p[0];
}

#ifndef FMC_HAS_COST
/* At most 64 places of two rows. */
static void NAME(pair_block)(uint64_t *sum, const REAL *restrict x, const REAL *restrict y, REAL inv_step, size_t count)
{
    const REAL top = (REAL)(1 << 20), round = (REAL)0.38;
    int32_t q[64], n_nonzero = 0, error = 0, n_blocks = 0;
    uint32_t octaves = 0;

    for (size_t i = 0; i < count; i++) {
        const REAL u = (x[i] < 0 ? -x[i] : x[i]) * inv_step, v = (y[i] < 0 ? -y[i] : y[i]) * inv_step;
        const REAL a = u < top ? u : top, b = v < top ? v : top;
        const REAL a_low = a < 1 ? a : 1, b_low = b < 1 ? b : 1;
        const int32_t m = (int32_t)(a + round), n = (int32_t)(b + round);

        q[i] = m + n;
        n_nonzero += (m > 0) + (n > 0);
        error += m > 0 ? 5461 : (int32_t)(a_low * a_low * 65536);
        error += n > 0 ? 5461 : (int32_t)(b_low * b_low * 65536);
    }
    for (size_t i = count; i % 4; i++)
        q[i] = 0;
    for (size_t i = 0; i < (count + 3) / 4; i++) {
        const int32_t s = q[4 * i] + q[4 * i + 1] + q[4 * i + 2] + q[4 * i + 3];
        const float t = 1 + 0.25F * (float)s;
        uint32_t bits;

        memcpy(&bits, &t, sizeof bits);
        octaves += bits - 0x3f800000;
        n_blocks += s > 0;
    }
    sum[0] += (uint64_t)n_nonzero;
    sum[1] += (uint64_t)error;
    sum[2] += (uint64_t)n_blocks;
    sum[3] += octaves;
}

static void NAME(pair_cost)(uint64_t sum[4], const REAL *x, const REAL *y, REAL inv_step, size_t count)
{
    for (size_t i = 0; i < count; i += 64)
        NAME(pair_block)(sum, x + i, y + i, inv_step, count - i < 64 ? count - i : 64);
}
#endif

static void NAME(quantize)(int32_t *restrict q, const REAL *restrict x, REAL inv_step, REAL round, int32_t limit,
                           size_t count)
{
    const REAL top = (REAL)limit;

    for (size_t i = 0; i < count; i++) {
        const REAL a = (x[i] < 0 ? -x[i] : x[i]) * inv_step + round;
        const REAL b = a < top ? a : top;  /* NaN: top */
        const REAL c = a >= 0 ? b : 0;     /* NaN: 0 */
        const int32_t v = (int32_t)c;

        q[i] = x[i] < 0 ? -v : v;
    }
}

static void NAME(dequantize)(REAL *restrict x, const int32_t *restrict q, REAL step, const REAL offset[4],
                             size_t count)
{
    const REAL table[4] = { 0, offset[1], offset[2], offset[3] };

    for (size_t i = 0; i < count; i++) {
        const int32_t v = q[i], a = v < 0 ? -v : v;
        const REAL sign = v < 0 ? (REAL)-1 : (REAL)1;

        x[i] = sign * (((REAL)a + table[a < 3 ? a : 3]) * step);
    }
}
