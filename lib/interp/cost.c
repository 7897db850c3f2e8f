/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/fit.h"

#include <string.h>
#include "core/status.h"

enum {
    RANK = FMC_MAX_RANK,
    X = FMC_MAX_RANK - 1,
    CLASSES = 48,
    DIRECT = 12,
    SYMBOLS = DIRECT + 30,
    LEVELS = FMC_INTERP_MAX_LEVELS + 1,
    MOST_CONTEXT = 1 << 24 /* sums of ten fit 32 bits */
};

/* What was seen, per level. */
typedef struct {
    uint32_t n[LEVELS][CLASSES][SYMBOLS];
    uint64_t plain[LEVELS];   /* signs and low bits of large values */
    size_t   counted[LEVELS];
    uint32_t *context;        /* of a row */
    int32_t  *zeros;
} tally;

static uint32_t magnitude(int32_t q)
{
    return q < 0 ? 0u - (uint32_t)q : (uint32_t)q;
}

static uint32_t near_magnitude(int32_t q)
{
    const uint32_t v = magnitude(q);

    return v < MOST_CONTEXT ? v : MOST_CONTEXT;
}

/* Exponent and two bits of the mantissa: four steps an octave from 4 on. */
static uint32_t quarter_octaves(uint32_t v)
{
    const float f = (float)v;
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return (bits >> 21) - (129u << 2);
}

/* floor(log2(v)), v > 0 and below 2^24. */
static uint32_t octave(uint32_t v)
{
    const float f = (float)v;
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return (bits >> 23) - 127;
}

static uint32_t class_of(uint32_t e)
{
    const uint32_t c = e < 4 ? e : quarter_octaves(e) + 4;

    return c < CLASSES ? c : CLASSES - 1;
}

static void count_row(tally *t, uint32_t level, const int32_t *q, size_t begin, size_t end)
{
    uint32_t (*n)[SYMBOLS] = t->n[level];
    uint64_t plain = 0;

    for (size_t i = begin; i < end; i++) {
        const uint32_t e = t->context[i];
        uint32_t v = magnitude(q[i]), symbol;

        plain += v > 0;
        if (e >= 160) { /* neighbours of 16 and more: the coder stores low bits as they are */
            const uint32_t raw = octave(e / 10) - 2;

            plain += raw;
            v >>= raw;
        }
        symbol = v;
        if (v >= DIRECT) {
            const uint32_t low = octave(v / DIRECT);

            plain += low;
            symbol = DIRECT + low;
        }
        n[class_of(e)][symbol]++;
    }
    t->plain[level] += plain;
    t->counted[level] += end > begin ? end - begin : 0;
}

/* Index in the band-major array of the row of `other` that lies where `at` is. */
static const int32_t *row_beside(const fmc_band *other, uint32_t half, const size_t *at, const int32_t *q)
{
    size_t i = 0;

    for (unsigned a = 0; a < X; a++) {
        const size_t j = at[a] >> (half >> a & 1);

        i = i * other->dim[a] + (j < other->dim[a] ? j : other->dim[a] - 1);
    }
    return q + other->start + i * other->dim[X];
}

static void add_beside(uint32_t *context, size_t n, const int32_t *row, size_t extent, uint32_t half)
{
    const size_t both = extent << half < n ? extent << half : n;

    for (size_t i = 0; i < both; i++)
        context[i] += near_magnitude(row[i >> half]);
    for (size_t i = both; i < n; i++)
        context[i] += near_magnitude(row[extent - 1]);
}

/* Neighbours in the band, the parent, the last sibling. */
static void make_context(tally *t, const fmc_band *band, const fmc_band *b, const size_t *at, const int32_t *all,
                         const int32_t *q)
{
    const size_t n = b->dim[X];
    const int32_t *north = at[X - 1] > 0 ? q - n : t->zeros;
    const int32_t *up = at[X - 2] > 0 ? q - n * b->dim[X - 1] : t->zeros;
    uint32_t *context = t->context;

    for (size_t i = 0; i < n; i++)
        context[i] = 2 * (near_magnitude(north[i]) + near_magnitude(up[i]));
    for (size_t i = 0; i + 1 < n; i++)
        context[i] += near_magnitude(north[i + 1]);
    for (size_t i = 1; i < n; i++)
        context[i] += 2 * near_magnitude(q[i - 1]);
    for (size_t i = 2; i < n; i++)
        context[i] += near_magnitude(q[i - 2]);
    if (b->parent >= 0) {
        const fmc_band *p = &band[b->parent];

        add_beside(context, n, row_beside(p, b->parent_half, at, all), p->dim[X], b->parent_half >> X & 1);
    }
    if (b->n_siblings > 0) {
        const fmc_band *s = &band[b->sibling[b->n_siblings - 1]];

        add_beside(context, n, row_beside(s, 0, at, all), s->dim[X], 0);
    }
}

/* Samples at the seams of a block are predicted worse than in the whole: not counted while enough others are left. */
static size_t margin_of(const fmc_interp_plan *trial, const fmc_interp_plan *whole, const fmc_band *b, unsigned a)
{
    const size_t margin = trial->predictor == FMC_PREDICT_PYRAMID ? 1 : 2;

    return trial->dim[a] < whole->dim[a] && b->dim[a] >= 4 * margin ? margin : 0;
}

static void count_band(tally *t, const fmc_interp_plan *trial, const fmc_interp_plan *whole, const fmc_band *band,
                       const fmc_band *b, const int32_t *q)
{
    size_t at[RANK] = { 0 }, margin[RANK];

    for (unsigned a = 0; a < RANK; a++)
        margin[a] = margin_of(trial, whole, b, a);
    for (size_t row = 0; row < b->count / b->dim[X]; row++) {
        const int32_t *from = q + b->start + row * b->dim[X];
        int inner = 1;

        for (unsigned a = 0; a < X; a++)
            inner &= at[a] >= margin[a] && at[a] + margin[a] < b->dim[a];
        if (inner) {
            make_context(t, band, b, at, q, from);
            count_row(t, b->level, from, margin[X], b->dim[X] - margin[X]);
        }
        for (unsigned a = X; a-- > 0;) {
            if (++at[a] < b->dim[a])
                break;
            at[a] = 0;
        }
    }
}

/* Samples that the whole has at a level of the trial. */
static double level_count(const fmc_interp_plan *trial, const fmc_interp_plan *whole, uint32_t l, fmc_level *level)
{
    double count;

    fmc_interp_level(whole, l, level);
    count = (double)fmc_interp_count(level->grid);
    if (l < trial->levels && whole->predictor == FMC_PREDICT_PYRAMID)
        count -= (double)fmc_interp_count(level->dim[0]);
    return count;
}

/* Entropy of the symbols of all levels, each level as often as the whole has it. */
static double tally_bits(const tally *t, const double *ratio, uint32_t n_levels)
{
    double bits = 0;

    for (uint32_t l = 0; l < n_levels; l++)
        bits += ratio[l] * (double)t->plain[l];
    for (unsigned c = 0; c < CLASSES; c++) {
        double count[SYMBOLS] = { 0 }, total = 0;

        for (uint32_t l = 0; l < n_levels; l++)
            for (unsigned s = 0; s < SYMBOLS; s++)
                count[s] += ratio[l] * t->n[l][c][s];
        for (unsigned s = 0; s < SYMBOLS; s++)
            total += count[s];
        for (unsigned s = 0; s < SYMBOLS; s++)
            if (count[s] > 0)
                bits += count[s] * (fmc_interp_log2(total) - fmc_interp_log2(count[s])) + 4; /* 4: to learn it */
    }
    return bits;
}

/*
 * What the coefficient coder makes of an entropy of that many bits: it learns much from a quiet neighbourhood, and
 * finds less of use in the single band of a raster predictor. Medians over fields of several kinds at four bounds.
 */
static double coded_bits(const fmc_interp_plan *plan, double entropy)
{
    const double rate = entropy / (double)fmc_interp_count(plan->dim);
    const double factor = 0.95 + 0.039 * fmc_interp_log2(rate > 0.1 ? rate : 0.1);

    return entropy * factor * (plan->predictor == FMC_PREDICT_PYRAMID ? 1 : 1.045);
}

/* Count every band and scale to the whole. */
static void tally_all(tally *t, const fmc_interp_plan *trial, const fmc_interp_plan *whole, const fmc_band *band,
                      size_t n_bands, const int32_t *q, double *bits)
{
    double ratio[LEVELS] = { 0 };
    fmc_level level;

    for (size_t b = 0; b < n_bands; b++)
        count_band(t, trial, whole, band, &band[b], q);
    for (uint32_t l = 0; l < LEVELS; l++)
        if (t->counted[l] > 0)
            ratio[l] = level_count(trial, whole, l, &level) / (double)t->counted[l];
    *bits = coded_bits(whole, tally_bits(t, ratio, LEVELS));
}

fmc_status fmc_interp_cost(const fmc_exec *ex, const fmc_interp_plan *trial, const fmc_interp_plan *whole,
                           const int32_t *q, double *bits)
{
    fmc_band *band = NULL;
    tally *t = NULL;
    uint32_t *context = NULL;
    int32_t *zeros = NULL;
    size_t side;
    fmc_status st;

    *bits = 0;
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &band));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &t));
    FMC_TRY(FMC_ALLOC(ex->alloc, trial->dim[X], &context));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, trial->dim[X], &zeros));
    t->context = context;
    t->zeros = zeros;
    tally_all(t, trial, whole, band, fmc_interp_bands(trial, band), q, bits);
    FMC_TRY(fmc_interp_plan_bytes(ex, trial, &side));
    *bits += 8 * (double)side;
done:
    fmc_dealloc(ex->alloc, zeros);
    fmc_dealloc(ex->alloc, context);
    fmc_dealloc(ex->alloc, t);
    fmc_dealloc(ex->alloc, band);
    return st;
}
