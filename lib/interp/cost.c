/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/fit.h"

#include "core/status.h"

enum { RANK = FMC_MAX_RANK, X = FMC_MAX_RANK - 1, CLASSES = 48, DIRECT = 12, SYMBOLS = DIRECT + 30 };

typedef struct {
    uint32_t n[CLASSES][SYMBOLS];
    double   plain; /* signs and low bits of large values */
} histogram;

static uint32_t magnitude(int32_t q)
{
    return q < 0 ? 0u - (uint32_t)q : (uint32_t)q;
}

static unsigned bits_of(uint64_t v)
{
    unsigned n = 0;

    for (; v >= 256; v >>= 8)
        n += 8;
    for (; v > 0; v >>= 1)
        n++;
    return n;
}

/* Four classes an octave. */
static unsigned class_of(uint64_t e)
{
    unsigned n, c;

    if (e < 4)
        return (unsigned)e;
    n = bits_of(e) - 3;
    c = 4 * n + (unsigned)(e >> n & 3) + 4;
    return c < CLASSES ? c : CLASSES - 1;
}

static void count_one(histogram *h, uint64_t e, uint32_t v)
{
    const unsigned octave = bits_of(e / 10); /* of the neighbours' mean: the coder stores low bits as they are */
    const unsigned raw = octave > 3 ? octave - 3 : 0;
    unsigned symbol;

    if (v > 0)
        h->plain += 1;
    h->plain += raw;
    v >>= raw;
    symbol = v;
    if (v >= DIRECT) {
        const unsigned low = bits_of(v / DIRECT) - 1;

        h->plain += low;
        symbol = DIRECT + low;
    }
    h->n[class_of(e)][symbol]++;
}

/* Neighbours in the band, the parent, the last sibling. */
static void count_band(histogram *h, const fmc_band *band, const fmc_band *b, const int32_t *q)
{
    const fmc_band *up = b->parent >= 0 ? &band[b->parent] : NULL;
    const fmc_band *side = b->n_siblings > 0 ? &band[b->sibling[b->n_siblings - 1]] : NULL;
    const size_t line = b->dim[X], plane = line * b->dim[X - 1];
    size_t at[RANK] = { 0 };

    for (size_t i = 0; i < b->count; i++) {
        const int32_t *p = q + b->start + i;
        const uint64_t w = at[X] > 0 ? magnitude(p[-1]) : 0;
        const uint64_t n = at[X - 1] > 0 ? magnitude(*(p - line)) : 0;
        const uint64_t u = at[X - 2] > 0 ? magnitude(*(p - plane)) : 0;
        const uint64_t ww = at[X] > 1 ? magnitude(p[-2]) : 0;
        const uint64_t ne = at[X - 1] > 0 && at[X] + 1 < line ? magnitude(*(p - line + 1)) : 0;
        uint64_t e = 2 * (w + n + u) + ww + ne;

        if (up || side) {
            size_t iu = 0, is = 0;

            for (unsigned a = 0; a < RANK; a++) {
                const size_t j = at[a] >> (b->parent_half >> a & 1);

                iu = up ? iu * up->dim[a] + (j < up->dim[a] ? j : up->dim[a] - 1) : 0;
                is = side ? is * side->dim[a] + (at[a] < side->dim[a] ? at[a] : side->dim[a] - 1) : 0;
            }
            e += up ? magnitude(q[up->start + iu]) : 0;
            e += side ? magnitude(q[side->start + is]) : 0;
        }
        count_one(h, e, magnitude(*p));
        for (unsigned a = RANK; a-- > 0;) {
            if (++at[a] < b->dim[a])
                break;
            at[a] = 0;
        }
    }
}

fmc_status fmc_interp_cost(const fmc_exec *ex, const fmc_interp_plan *plan, const int32_t *q, double *bits)
{
    fmc_band *band = NULL;
    histogram *h = NULL;
    size_t n_bands;
    fmc_status st;

    *bits = 0;
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &h));
    n_bands = fmc_interp_bands(plan, band);
    for (size_t b = 0; b < n_bands; b++)
        count_band(h, band, &band[b], q);
    *bits = h->plain;
    for (unsigned c = 0; c < CLASSES; c++) {
        double total = 0;

        for (unsigned s = 0; s < SYMBOLS; s++)
            total += h->n[c][s];
        for (unsigned s = 0; s < SYMBOLS; s++)
            if (h->n[c][s] > 0)
                *bits += h->n[c][s] * (fmc_interp_log2(total) - fmc_interp_log2(h->n[c][s])) + 4;
    }
done:
    fmc_dealloc(ex->alloc, h);
    fmc_dealloc(ex->alloc, band);
    return st;
}
