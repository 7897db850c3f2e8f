/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/estimate.h"

#include <math.h>

#include "core/status.h"

enum { CLASSES = 40, DIRECT = 12, SYMBOLS = DIRECT + 24, WHOLE_BAND = 1 << 12, SAMPLES_WANTED = 1 << 15, LEAST_ROWS = 16, MOST = 0xffff };

typedef struct histogram {
    double n[CLASSES][SYMBOLS];
    double plain; /* signs and low bits */
} histogram;

static inline uint32_t magnitude(int32_t q)
{
    const uint32_t a = q < 0 ? 0u - (uint32_t)q : (uint32_t)q;

    return a > MOST ? MOST : a;
}

static inline unsigned bits_of(uint32_t v)
{
    return v > 0 ? 32 - (unsigned)__builtin_clz(v) : 0;
}

/* Four classes an octave. */
static unsigned class_of(uint32_t e)
{
    unsigned n, c;

    if (e < 8)
        return e;
    n = bits_of(e) - 3;
    c = 4 * n + (e >> n & 3) + 4;
    return c < CLASSES ? c : CLASSES - 1;
}

static void count_one(histogram *h, uint32_t e, uint32_t v, double weight)
{
    const unsigned octave = e < 80 ? 0 : bits_of(e / 10), raw = octave > 3 ? octave - 3 : 0;
    unsigned symbol;

    if (v > 0)
        h->plain += weight;
    h->plain += weight * raw;
    v >>= raw;
    symbol = v;
    if (v >= DIRECT) {
        const unsigned low = bits_of(v / DIRECT) - 1;

        h->plain += weight * low;
        symbol = DIRECT + low;
    }
    h->n[class_of(e)][symbol] += weight;
}

/* The rows that one row's contexts come from; NULL where there is none. */
typedef struct row_set {
    const int32_t *own, *north, *up;
} row_set;

static void count_row(histogram *h, const row_set *r, size_t n, double weight)
{
    const int32_t *p = r->own;

    for (size_t i = 0; i < n; i++) {
        uint32_t e = i > 0 ? 2 * magnitude(p[i - 1]) : 0;

        e += i > 1 ? magnitude(p[i - 2]) : 0;
        if (r->north)
            e += 2 * magnitude(r->north[i]) + (i + 1 < n ? magnitude(r->north[i + 1]) : 0);
        if (r->up)
            e += 2 * magnitude(r->up[i]);
        if (!r->north || !r->up)
            e += e / 2;
        count_one(h, e, magnitude(p[i]), weight);
    }
}

/* What is coded of a row of the lowest band: differences from the gradient of its neighbours (docs/format.md 8). */
static void difference_row(const fmc_band *b, const int32_t *q, size_t row, int32_t *out)
{
    const size_t n = b->dim[4];
    const int32_t *p = q + b->start + row * n, *north = row % b->dim[3] ? p - n : NULL;
    int32_t before = north ? north[0] : row ? *(p - n * b->dim[3]) : 0;

    out[0] = (int32_t)((uint32_t)p[0] - (uint32_t)before);
    for (size_t i = 1; i < n; i++) {
        const uint32_t gradient = north ? (uint32_t)north[i] - (uint32_t)north[i - 1] : 0;

        out[i] = (int32_t)((uint32_t)p[i] - ((uint32_t)p[i - 1] + gradient));
    }
}

/* Row `row` of a band and the two that it depends on; `room` is for three rows. */
static row_set rows_of(const fmc_band *b, const int32_t *q, size_t row, int32_t *room)
{
    const size_t n = b->dim[4];
    const int32_t *p = q + b->start + row * n;
    const int has_north = row % b->dim[3] > 0, has_up = row / b->dim[3] % b->dim[2] > 0;

    if (!b->is_low)
        return (row_set){ p, has_north ? p - n : NULL, has_up ? p - n * b->dim[3] : NULL };
    difference_row(b, q, row, room);
    if (has_north)
        difference_row(b, q, row - 1, room + n);
    if (has_up)
        difference_row(b, q, row - b->dim[3], room + 2 * n);
    return (row_set){ room, has_north ? room + n : NULL, has_up ? room + 2 * n : NULL };
}

static double entropy(const histogram *h)
{
    double bits = h->plain;

    for (unsigned c = 0; c < CLASSES; c++) {
        double total = 0;

        for (unsigned s = 0; s < SYMBOLS; s++)
            total += h->n[c][s];
        for (unsigned s = 0; s < SYMBOLS; s++)
            if (h->n[c][s] > 0)
                bits += h->n[c][s] * log2(total / h->n[c][s]) + 3;
    }
    return bits;
}

/* Count every `every`-th row of the larger bands, or more rows where there are few. */
static void count_band(histogram *h, const fmc_band *b, const int32_t *q, size_t every, int32_t *room)
{
    const size_t rows = b->count ? b->count / b->dim[4] : 0;
    const size_t most = rows / LEAST_ROWS > 1 ? rows / LEAST_ROWS : 1;
    const size_t step = b->count <= WHOLE_BAND ? 1 : every < most ? every : most;
    const double weight = (double)rows / (double)((rows - step / 2 + step - 1) / step);

    for (size_t r = step / 2; r < rows; r += step) {
        const row_set set = rows_of(b, q, r, room);

        count_row(h, &set, b->dim[4], weight);
    }
}

fmc_status fmc_estimate_bits(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q, int whole,
                             double *bits)
{
    histogram *h = NULL;
    int32_t *room = NULL;
    size_t count = 0, longest = 0;
    fmc_status st;

    for (size_t i = 0; i < n_bands; i++) {
        count += band[i].count;
        longest = band[i].is_low && band[i].dim[4] > longest ? band[i].dim[4] : longest;
    }
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &h));
    FMC_TRY(FMC_ALLOC(ex->alloc, 3 * longest, &room));
    for (size_t i = 0; i < n_bands; i++) {
        if (fmc_is_cancelled(ex))
            FMC_TRY(FMC_ERR_CANCELLED);
        count_band(h, &band[i], q, whole ? 1 : count / SAMPLES_WANTED + 1, room);
    }
    *bits = entropy(h);
done:
    fmc_dealloc(ex->alloc, h);
    fmc_dealloc(ex->alloc, room);
    return st;
}
