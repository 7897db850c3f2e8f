/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/estimate.h"

#include <math.h>

#include "core/status.h"

enum { CLASSES = 40, DIRECT = 12, SYMBOLS = DIRECT + 24, WHOLE_BAND = 1 << 12, ROWS_WANTED = 1 << 18, MOST = 0xffff };

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
    unsigned n = 0;

    for (; v > 0; v >>= 1)
        n++;
    return n;
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

static void count_row(histogram *h, const fmc_band *b, const int32_t *q, size_t row, double weight)
{
    const size_t n = b->dim[4], plane = n * b->dim[3];
    const int32_t *p = q + b->start + row * n;
    const int32_t *north = row % b->dim[3] ? p - n : NULL, *up = row / b->dim[3] % b->dim[2] ? p - plane : NULL;

    for (size_t i = 0; i < n; i++) {
        uint32_t e = i > 0 ? 2 * magnitude(p[i - 1]) : 0;

        e += i > 1 ? magnitude(p[i - 2]) : 0;
        if (north)
            e += 2 * magnitude(north[i]) + (i + 1 < n ? magnitude(north[i + 1]) : 0);
        if (up)
            e += 2 * magnitude(up[i]);
        if (!north || !up)
            e += e / 2;
        count_one(h, e, magnitude(p[i]), weight);
    }
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

fmc_status fmc_estimate_bits(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q, double *bits)
{
    histogram *h = NULL;
    size_t count = 0, every;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &h));
    for (size_t i = 0; i < n_bands; i++)
        count += band[i].count;
    every = count / ROWS_WANTED + 1;
    for (size_t i = 0; i < n_bands; i++) {
        const size_t rows = band[i].count ? band[i].count / band[i].dim[4] : 0;
        const size_t step = band[i].count > WHOLE_BAND && rows > 8 * every ? every : 1;

        if (fmc_is_cancelled(ex))
            FMC_TRY(FMC_ERR_CANCELLED);
        for (size_t r = step / 2; r < rows; r += step)
            count_row(h, &band[i], q, r, (double)rows / (double)((rows - step / 2 + step - 1) / step));
    }
    *bits = entropy(h);
done:
    fmc_dealloc(ex->alloc, h);
    return st;
}
