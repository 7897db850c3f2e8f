/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/quantise.h"

#include <math.h>
#include <string.h>

#include "coef/coef.h"
#include "coef/slices.h"
#include "core/status.h"

enum { SLICE = 1 << 15, ROW_PART = 256, LANES = 8, SMALL_BAND = 1 << 13 };

/* By class of neighbourhood and magnitude 0, 1, 2, 3+; sums of |c| / step - |q| and of its square. */
typedef struct bin_stats {
    double n[FMC_QUANT_CLASSES][4];
    double sum[FMC_QUANT_CLASSES][4];
    double square[FMC_QUANT_CLASSES][4];
} bin_stats;

static inline int32_t float_bits(float v)
{
    int32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Sums of |c| / step - |q| and of its square by magnitude 0, 1, 2, 3+, in lanes so that it is vector code. */
typedef struct lane_sums {
    int32_t count[4][LANES];
    float sum[4][LANES], square[4][LANES];
} lane_sums;

#if defined(__GNUC__)
typedef float float_lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES)));

/* n values, rounded up to whole lanes. */
static void count_lanes(lane_sums *s, const float *rest, const int32_t *size, size_t n)
{
    float_lanes sum[4], square[4], d;
    int_lanes count[4], a;

    memcpy(count, s->count, sizeof count);
    memcpy(sum, s->sum, sizeof sum);
    memcpy(square, s->square, sizeof square);
    for (size_t x = 0; x < n; x += LANES) {
        memcpy(&d, rest + x, sizeof d);
        memcpy(&a, size + x, sizeof a);
        for (int k = 0; k < 4; k++) {
            const int_lanes in = k < 3 ? a == k : a >= 3; /* -1 or 0 */
            const float_lanes v = (float_lanes)((int_lanes)d & in);

            count[k] -= in;
            sum[k] += v;
            square[k] += v * v;
        }
    }
    memcpy(s->count, count, sizeof count);
    memcpy(s->sum, sum, sizeof sum);
    memcpy(s->square, square, sizeof square);
}
#else
static void count_lanes(lane_sums *s, const float *rest, const int32_t *size, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const int k = size[x] > 3 ? 3 : size[x];

        s->count[k][x % LANES]++;
        s->sum[k][x % LANES] += rest[x];
        s->square[k][x % LANES] += rest[x] * rest[x];
    }
}
#endif

static void add_lanes(bin_stats *total, const lane_sums *s, double weight)
{
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < LANES; j++) {
            total->n[0][k] += weight * (double)s->count[k][j];
            total->sum[0][k] += weight * (double)s->sum[k][j];
            total->square[0][k] += weight * (double)s->square[k][j];
        }
}

static void add_stats(bin_stats *total, const bin_stats *part, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < FMC_QUANT_CLASSES; k++)
            for (int m = 0; m < 4; m++) {
                total->n[k][m] += part[i].n[k][m];
                total->sum[k][m] += part[i].sum[k][m];
                total->square[k][m] += part[i].square[k][m];
            }
}

/* In units of step^2, with each bin decoded to its mean. */
static double squared_error(const bin_stats *s)
{
    double e = s->square[0][0];

    for (int m = 1; m < 4; m++)
        if (s->n[0][m] > 0)
            e += s->square[0][m] - s->sum[0][m] * s->sum[0][m] / s->n[0][m];
    return e;
}

static void set_centres(const bin_stats *s, fmc_quantiser *z)
{
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < FMC_QUANT_SIZES; m++) {
            const double n = s->n[k][m + 1], v = n > 8 ? s->sum[k][m + 1] / n * 256 : 0;

            z->centre[k][m] = (int8_t)lrint(v > 127 ? 127 : v < -127 ? -127 : v);
        }
}

static inline uint32_t magnitude(int32_t v)
{
    const uint32_t a = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;

    return a > 7 ? 7 : a;
}

/*
 * 4 * class + min(|q|, 3) of each of `part` values from x on; class by the sum of the four neighbours' magnitudes, each
 * at most 7 (docs/format.md 8.6). q is the row, repeated beyond its ends.
 */
static void classify_row(const fmc_band *band, const int32_t *all, size_t row, size_t x, size_t part, uint8_t *busy)
{
    const size_t n = band->dim[4], height = band->dim[3];
    const int32_t *q = all + band->start + row * n;
    const int32_t *restrict north = row % height ? q - n : q, *restrict south = (row + 1) % height ? q + n : q;
    uint32_t self[ROW_PART + 2], sum[ROW_PART];

    self[0] = magnitude(q[x ? x - 1 : 0]);
    for (size_t k = 0; k < part; k++)
        self[k + 1] = magnitude(q[x + k]);
    self[part + 1] = magnitude(q[x + part < n ? x + part : n - 1]);
    for (size_t k = 0; k < part; k++)
        sum[k] = magnitude(north[x + k]) + magnitude(south[x + k]);
    for (size_t k = 0; k < part; k++) {
        const uint32_t s = sum[k] + self[k] + self[k + 2], a = self[k + 1] > 3 ? 3 : self[k + 1];

        busy[k] = (uint8_t)(4 * ((s > 1) + (s > 5)) + a);
    }
}

double fmc_quantise_round_step(double step)
{
    uint64_t bits;

    memcpy(&bits, &step, sizeof bits);
    bits &= ~(uint64_t)UINT32_MAX;
    memcpy(&step, &bits, sizeof step);
    return step;
}

#define REAL float
#define NAME(x) x##_f32
#include "coef/quantise_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "coef/quantise_real.h"
