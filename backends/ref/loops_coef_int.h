/* SPDX-License-Identifier: Apache-2.0 */
/* What the loops of loops_coef.h share, whatever their real type. Included once per instruction set. */

/* Values of a row worked on at a time. */
enum { COEF_PART = 256 };

static inline int32_t float_bits(float v)
{
    int32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline uint32_t clipped_size(int32_t v)
{
    const uint32_t a = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;

    return a > 7 ? 7 : a;
}

static int is_zero_part(const int32_t *q, size_t n)
{
    int32_t any = 0;

    for (size_t x = 0; x < n; x++)
        any |= q[x];
    return any == 0;
}

/*
 * 4 * busy + min(|q|, 3) of `part` values of a row from `from` on; busy by the sum of the four neighbours' magnitudes,
 * each at most 7 (docs/format.md 8.6).
 */
static void classify_part(const int32_t *q, const int32_t *north, const int32_t *south, size_t n, size_t from,
                          size_t part, int32_t *restrict class)
{
    const int32_t *restrict self = q + from, *restrict up = north + from, *restrict down = south + from;
    uint32_t size[COEF_PART + 2];

    size[0] = clipped_size(q[from ? from - 1 : 0]);
    for (size_t k = 0; k < part; k++)
        size[k + 1] = clipped_size(self[k]);
    size[part + 1] = clipped_size(q[from + part < n ? from + part : n - 1]);
    for (size_t k = 0; k < part; k++) {
        const uint32_t sum = clipped_size(up[k]) + clipped_size(down[k]) + size[k] + size[k + 2];

        class[k] = (int32_t)(4 * ((sum > 1) + (sum > 5)) + (size[k + 1] > 3 ? 3 : size[k + 1]));
    }
}

#if defined(__GNUC__)
typedef float float_lanes __attribute__((vector_size(4 * FMC_SUM_LANES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * FMC_SUM_LANES)));

/* n values, rounded up to whole lanes. */
static void count_lanes(fmc_quant_sums *s, const float *rest, const int32_t *size, size_t n)
{
    float_lanes sum[3], square, r;
    int_lanes count[3], a;

    memcpy(count, s->count, sizeof count);
    memcpy(sum, s->sum, sizeof sum);
    memcpy(&square, s->square, sizeof square);
    for (size_t x = 0; x < n; x += FMC_SUM_LANES) {
        memcpy(&r, rest + x, sizeof r);
        memcpy(&a, size + x, sizeof a);
        square += r * r;
        for (int k = 0; k < 3; k++) {
            const int_lanes in = k < 2 ? a == k + 1 : a > 2; /* -1 or 0 */

            count[k] -= in;
            sum[k] += (float_lanes)((int_lanes)r & in);
        }
    }
    memcpy(s->count, count, sizeof count);
    memcpy(s->sum, sum, sizeof sum);
    memcpy(s->square, &square, sizeof square);
}

/* The same by the class of classify_part. */
static void centre_lanes(fmc_centre_sums *s, const float *rest, const int32_t *class, size_t n)
{
    for (int k = 0; k < 9; k++) {
        const int wanted = k / 3 * 4 + k % 3 + 1;
        float_lanes sum, r;
        int_lanes count, a;

        memcpy(&sum, s->sum[k], sizeof sum);
        memcpy(&count, s->count[k], sizeof count);
        for (size_t x = 0; x < n; x += FMC_SUM_LANES) {
            int_lanes in;

            memcpy(&r, rest + x, sizeof r);
            memcpy(&a, class + x, sizeof a);
            in = a == wanted;
            count -= in;
            sum += (float_lanes)((int_lanes)r & in);
        }
        memcpy(s->sum[k], &sum, sizeof sum);
        memcpy(s->count[k], &count, sizeof count);
    }
}
#else
static void count_lanes(fmc_quant_sums *s, const float *rest, const int32_t *size, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const int k = size[x] > 3 ? 3 : size[x], j = (int)(x % FMC_SUM_LANES);

        s->square[j] += rest[x] * rest[x];
        if (k == 0)
            continue;
        s->count[k - 1][j]++;
        s->sum[k - 1][j] += rest[x];
    }
}

static void centre_lanes(fmc_centre_sums *s, const float *rest, const int32_t *class, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const int k = class[x] / 4 * 3 + class[x] % 4 - 1, j = (int)(x % FMC_SUM_LANES);

        if (class[x] % 4 == 0)
            continue;
        s->count[k][j]++;
        s->sum[k][j] += rest[x];
    }
}
#endif
