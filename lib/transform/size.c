/* SPDX-License-Identifier: Apache-2.0 */
/* How many bits the coefficient coder needs, without coding: entropy given the neighbourhood. */
#include "transform/size.h"

#include <math.h>
#include <string.h>
#include "core/status.h"

enum {
    TASK_VALUES = 16384, /* about how many one task counts */
    WHOLE = 65536,      /* a sample has fewer values than this */
    COUNTED = 12288, COUNTED_WHOLE = 32768, /* about as many values are counted, of a sample and of a whole array */
    SMALL_BAND = 2048,  /* all of its rows are counted */
    LEVELS = 2048,      /* of the histogram of magnitudes: 8 an octave, all of a float's exponents */
    CLASSES = 66,       /* of neighbourhoods, 4 an octave */
    DIRECT = 12, SYMBOLS = DIRECT + 12,
    MAX_MAGNITUDE = 2047 /* 24 of them, the sum of a neighbourhood, fit 16 bits */
};

/* Values quantise to 0 below this many steps. */
#define DEAD_ZONE 0.62

typedef struct level_counts {
    uint32_t n[LEVELS];
} level_counts;

typedef struct counts {
    uint32_t n[2][CLASSES][SYMBOLS];
} counts;

/* Of the pieces together, rows that were left out filled in. */
typedef struct totals {
    double n[CLASSES][SYMBOLS];
} totals;

/* Some rows of a band. */
typedef struct piece {
    uint32_t band;
    size_t   row, n_rows;
    uint32_t every; /* of them, one is counted */
} piece;

static inline uint32_t float_bits(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Squared error, in units of the histogram, at a step. */
static double error_at(const level_counts *h, double step)
{
    const double cut = DEAD_ZONE * step;
    double error = 0;

    for (uint32_t i = 0; i < LEVELS; i++) {
        const uint32_t middle = (i << 20) + (1u << 19);
        float v;

        if (h->n[i] == 0)
            continue;
        memcpy(&v, &middle, sizeof v);
        error += h->n[i] * ((double)v < cut ? (double)v * (double)v : step * step * 0.083);
    }
    return error;
}

/* In units of the wanted RMSE. */
static double find_step(const level_counts *h)
{
    double low = 1, high = 128, count = 0;

    for (uint32_t i = 0; i < LEVELS; i++)
        count += h->n[i];
    for (int i = 0; i < 14; i++) {
        const double middle = sqrt(low * high);

        if (error_at(h, middle) < count)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* 3 W + 3 N + 2 NW + 2 NE + WW + NN and, in the slice before, 2 for the same place and 1 for each around it. */
static void sum_neighbours(const uint16_t *row, const uint16_t *north, const uint16_t *north2, const uint16_t *up,
                           const uint16_t *up_north, const uint16_t *up_south, size_t n, uint16_t *sum)
{
    for (size_t x = 0; x < n; x++)
        sum[x] = 0;
    for (size_t x = 1; x < n; x++)
        sum[x] = (uint16_t)(3 * row[x - 1]);
    for (size_t x = 2; x < n; x++)
        sum[x] = (uint16_t)(sum[x] + row[x - 2]);
    if (north) {
        for (size_t x = 0; x < n; x++)
            sum[x] = (uint16_t)(sum[x] + 3 * north[x]);
        for (size_t x = 1; x < n; x++)
            sum[x] = (uint16_t)(sum[x] + 2 * north[x - 1]);
        for (size_t x = 0; x + 1 < n; x++)
            sum[x] = (uint16_t)(sum[x] + 2 * north[x + 1]);
    }
    for (size_t x = 0; north2 && x < n; x++)
        sum[x] = (uint16_t)(sum[x] + north2[x]);
    if (up) {
        for (size_t x = 0; x < n; x++)
            sum[x] = (uint16_t)(sum[x] + 2 * up[x]);
        for (size_t x = 1; x < n; x++)
            sum[x] = (uint16_t)(sum[x] + up[x - 1]);
        for (size_t x = 0; x + 1 < n; x++)
            sum[x] = (uint16_t)(sum[x] + up[x + 1]);
    }
    for (size_t x = 0; up_north && x < n; x++)
        sum[x] = (uint16_t)(sum[x] + up_north[x]);
    for (size_t x = 0; up_south && x < n; x++)
        sum[x] = (uint16_t)(sum[x] + up_south[x]);
}

/* Four classes an octave of sum + 1, read off a float's exponent. */
static void classify(const uint16_t *restrict sum, size_t n, uint8_t *restrict class_of)
{
    for (size_t x = 0; x < n; x++)
        class_of[x] = (uint8_t)((float_bits((float)((int32_t)sum[x] + 1)) >> 21) - (127u << 2));
}

/* Low bits that the coder stores as they are, in neighbourhoods of a class. */
static inline unsigned raw_bits(size_t class)
{
    return class < 36 ? 0 : (unsigned)(class - 32) / 4;
}

static inline unsigned symbol_of(unsigned v, size_t class)
{
    unsigned low = 0;

    v >>= raw_bits(class);
    if (v < DIRECT)
        return v;
    while (v / DIRECT >> (low + 1))
        low++;
    return DIRECT + low;
}

static int are_zero(const void *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v == 0;
}

/* Two tables take turns: a counter need not wait for its own last increment. */
static void count_values(const uint16_t *row, const uint8_t *class_of, size_t n, counts *h)
{
    size_t x = 0;

    while (x + 8 <= n) {
        if (are_zero(class_of + x) && are_zero(row + x) && are_zero(row + x + 4)) {
            h->n[0][0][0] += 8;
            x += 8;
            continue;
        }
        for (size_t i = 0; i < 8; i++, x++)
            h->n[i & 1][class_of[x]][symbol_of(row[x], class_of[x])]++;
    }
    for (; x < n; x++)
        h->n[0][class_of[x]][symbol_of(row[x], class_of[x])]++;
}

/* Bits of everything counted; *learn: how many different things. */
static double entropy(const totals *h, double *learn)
{
    double bits = 0;

    *learn = 0;
    for (size_t c = 0; c < CLASSES; c++) {
        double total = 0;

        for (size_t s = 0; s < SYMBOLS; s++)
            total += h->n[c][s];
        if (total > 0 && raw_bits(c) == 0)
            bits += total - h->n[c][0]; /* signs */
        else
            bits += total * (1 + raw_bits(c));
        for (size_t s = 0; s < SYMBOLS; s++)
            if (h->n[c][s] > 0) {
                bits += h->n[c][s] * (log2(total / h->n[c][s]) + (s < DIRECT ? 0 : (double)(s - DIRECT + 3)));
                *learn += 3;
            }
    }
    return bits;
}

/* The entropy's error against the coder: by how many bits a value takes, and by what the axes have. */
static double correction(const fmc_tx_plan *plan, double bits_a_value)
{
    static const double by_kind[] = { -0.05, 0, 0, 0.107, 0.088, 0.074 };
    const double l = log2(bits_a_value < 0.001 ? 0.001 : bits_a_value);
    double sum = 0;

    for (uint32_t a = 0; a < plan->rank; a++)
        sum += by_kind[plan->kind[a]];
    return exp(-0.121 + 0.0304 * l + (l < 0 ? 0.0026 * l * l : 0) + sum / plan->rank);
}

static size_t parts_of(const fmc_band *b)
{
    return b->count / TASK_VALUES + 1;
}

static void cut_pieces(const fmc_band *band, size_t n_bands, size_t count, piece *pieces)
{
    const size_t every = count / (count > WHOLE ? COUNTED_WHOLE : COUNTED) + 1;

    for (size_t i = 0; i < n_bands; i++) {
        const size_t rows = band[i].count / band[i].dim[FMC_MAX_RANK - 1], parts = parts_of(&band[i]);
        const int are_all = band[i].count < SMALL_BAND || rows / parts < 4 * every;

        for (size_t k = 0; k < parts; k++) {
            const size_t first = rows * k / parts;

            *pieces++ = (piece){ .band = (uint32_t)i, .row = first, .n_rows = rows * (k + 1) / parts - first,
                                 .every = are_all ? 1 : (uint32_t)every };
        }
    }
}

static void add_counts(const counts *h, const piece *p, totals *total)
{
    const size_t first = p->every / 2, counted = p->n_rows > first ? (p->n_rows - first - 1) / p->every + 1 : 0;
    const double weight = counted ? (double)p->n_rows / (double)counted : 0;

    for (size_t c = 0; c < CLASSES; c++)
        for (size_t s = 0; s < SYMBOLS; s++)
            total->n[c][s] += weight * ((double)h->n[0][c][s] + (double)h->n[1][c][s]);
}

/* Where row `row` of a band has its counterpart in the parent band. */
static size_t parent_row(const fmc_band *b, const fmc_band *parent, size_t row)
{
    size_t at = 0, step = 1;

    for (size_t a = FMC_MAX_RANK - 1; a-- > 0; step *= parent->dim[a], row /= b->dim[a]) {
        const size_t i = row % b->dim[a] >> (b->parent_half >> a & 1);

        at += (i < parent->dim[a] ? i : parent->dim[a] - 1) * step;
    }
    return at;
}

static void add_parent(const uint16_t *row, size_t n_row, unsigned half, size_t n, uint16_t *sum)
{
    for (size_t x = 0; x < n; x++)
        sum[x] = (uint16_t)(sum[x] + 3 * row[x >> half < n_row ? x >> half : n_row - 1]);
}

/* Count a row; sum: scratch of as many values. */
static void count_row(const fmc_band *band, const fmc_band *b, const uint16_t *mag, size_t r, uint16_t *sum,
                      uint8_t *class_of, counts *h)
{
    const size_t n = b->dim[FMC_MAX_RANK - 1], height = b->dim[FMC_MAX_RANK - 2], y = r % height;
    const uint16_t *row = mag + b->start + r * n, *up = r >= height ? row - height * n : NULL;

    sum_neighbours(row, y > 0 ? row - n : NULL, y > 1 ? row - 2 * n : NULL, up, up && y > 0 ? up - n : NULL,
                   up && y + 1 < height ? up + n : NULL, n, sum);
    if (b->parent >= 0) {
        const fmc_band *p = &band[b->parent];

        add_parent(mag + p->start + parent_row(b, p, r) * p->dim[FMC_MAX_RANK - 1], p->dim[FMC_MAX_RANK - 1],
                   b->parent_half >> (FMC_MAX_RANK - 1) & 1, n, sum);
    }
    classify(sum, n, class_of);
    count_values(row, class_of, n, h);
}

#define REAL float
#define NAME(x) x##_f32
#include "transform/size_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/size_real.h"
#undef REAL
#undef NAME
