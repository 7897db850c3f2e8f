/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of a trellis: of all paths through the states of a row, the one that costs least. */
#include "coef/trellis.h"

#include <math.h>
#include <string.h>

#include "coef/coef.h"
#include "coef/model.h"
#include "coef/slices.h"
#include "core/status.h"

/*
 * Values a task works on; classes of neighbourhood; integers with a rate of their own; values that make a rate worth having; how
 * often rates are measured, as a search of a step must come to rest.
 */
enum { SLICE = 1 << 16, BUSY = 24, SIZES = 18, LEAST = 200, STATES = FMC_TRELLIS_STATES, MOST_ROUNDS = 3 };

/* Weight of a bit against squared error in steps^2. */
static const float lambda = 0.22f;

/* Rates: [class of band][neighbourhood][quantiser][integer] */
typedef float rate_table[FMC_COEF_CLASSES][BUSY][2][SIZES];
/* The same of one class of band. */
typedef uint32_t count_table[BUSY][2][SIZES];

struct fmc_trellis_rates {
    rate_table bits;
    int        rounds; /* how often they were measured */
};

/* Of Laplacians with the means of the classes. */
static void laplacian_rates(rate_table bits)
{
    for (int e = 0; e < BUSY; e++)
        for (int z = 0; z < 2; z++)
            for (int k = 0; k < SIZES; k++) {
                const double mean = 0.08 * pow(1.42, e);
                const double low = k == 0 ? 0 : z && k == 1 ? 0.7 : 2 * k - z - 1.0, high = k == 0 ? (z ? 0.7 : 1.0) : 2 * k - z + 1.0;
                const double p = exp(-low / mean) - exp(-high / mean);

                bits[0][e][z][k] = (float)(-log2(fmax(p, 0x1p-20))) + (float)(k > 0);
            }
    for (int c = 1; c < FMC_COEF_CLASSES; c++)
        memcpy(bits[c], bits[0], sizeof bits[c]);
}

/* What the integers that were chosen take; where there are few, what was supposed stays. */
static void measured_rates(count_table *n, rate_table bits)
{
    for (int c = 0; c < FMC_COEF_CLASSES; c++)
        for (int e = 0; e < BUSY; e++)
            for (int z = 0; z < 2; z++) {
                const uint32_t *count = n[c][e][z];
                float *r = bits[c][e][z], last = 0;
                double total = 0;

                for (int k = 0; k < SIZES; k++)
                    total += count[k];
                if (total < LEAST)
                    continue;
                for (int k = 0; k < SIZES; k++) {
                    const float was = r[k], seen = (float)(log2((total + 5) / (count[k] + 0.3))) + (float)(k > 0);

                    r[k] = k > 1 && count[k] < 5 ? r[k - 1] + fmaxf(0.5f, was - last) : seen;
                    last = was;
                }
            }
}

fmc_status fmc_trellis_rates_create(const fmc_allocator *a, fmc_trellis_rates **out)
{
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(a, 1, out));
    laplacian_rates((*out)->bits);
done:
    return st;
}

void fmc_trellis_rates_destroy(const fmc_allocator *a, fmc_trellis_rates *r)
{
    fmc_dealloc(a, r);
}

/* One row on its way: magnitudes in steps of it and of rows around, and of each value the best way into each state. */
typedef struct row_work {
    double  *u;
    float   *around;     /* weighted sums of neighbours' */
    uint8_t *busy;
    uint8_t *from;       /* [value][state]: the state before */
    int32_t *integer;    /* [value][state] */
} row_work;

static fmc_status row_work_init(const fmc_allocator *a, size_t n, row_work *w)
{
    fmc_status st;

    *w = (row_work){ 0 };
    FMC_TRY(FMC_ALLOC(a, n, &w->u));
    FMC_TRY(FMC_ALLOC(a, n, &w->around));
    FMC_TRY(FMC_ALLOC(a, n, &w->busy));
    FMC_TRY(FMC_ALLOC(a, n * STATES, &w->from));
    FMC_TRY(FMC_ALLOC(a, n * STATES, &w->integer));
done:
    return st;
}

static void row_work_fini(const fmc_allocator *a, row_work *w)
{
    fmc_dealloc(a, w->u);
    fmc_dealloc(a, w->around);
    fmc_dealloc(a, w->busy);
    fmc_dealloc(a, w->from);
    fmc_dealloc(a, w->integer);
}

/* Class of a mean magnitude, two an octave. By comparisons, so that it is the same with every mathematical library. */
static uint8_t busy_class(float mean)
{
    float edge = 0.0953f;
    uint8_t e = 0;

    for (; e < BUSY - 1 && mean >= edge; e++)
        edge *= 1.4204f;
    return e;
}

static float rate_of(const float *bits, int32_t k)
{
    return k < SIZES ? bits[k] : bits[SIZES - 1] + (float)(k - SIZES + 1) * fmaxf(0.02f, bits[SIZES - 1] - bits[SIZES - 2]);
}

/* The best integer of a quantiser with a parity for a magnitude of u steps, and what it costs. */
static float best_of(const float *bits, double u, unsigned quantiser, unsigned parity, int32_t *integer)
{
    /* multiples m = 2 k - quantiser, k of the parity: every fourth, the two around u */
    const double first = 2 * (double)parity - (double)quantiser;
    int32_t k = (int32_t)parity + 2 * (int32_t)floor((u - first) * 0.25);
    float best = HUGE_VALF;

    for (int i = 0; i < 2; i++, k += 2) {
        const double m = k > 0 ? 2 * (double)k - quantiser : 0;
        const float d = (float)(u - m);
        float cost;

        if (k < 0)
            continue;
        cost = d * d + lambda * rate_of(bits, k);
        if (cost < best) {
            best = cost;
            *integer = k;
        }
    }
    if (parity == 0) { /* nothing may still be better */
        const float cost = (float)(u * u) + lambda * bits[0];

        if (cost < best) {
            best = cost;
            *integer = 0;
        }
    }
    return best;
}

/* Back along the best path: integer[x * STATES] becomes its integers, from[x * STATES] their quantisers. */
static void take_best(const float cost[STATES], size_t n, row_work *w)
{
    unsigned s = 0;

    for (unsigned t = 1; t < STATES; t++)
        if (cost[t] < cost[s])
            s = t;
    for (size_t x = n; x-- > 0;) {
        const int32_t k = w->integer[x * STATES + s];

        s = w->from[x * STATES + s];
        w->integer[x * STATES] = k;
        w->from[x * STATES] = (uint8_t)fmc_trellis_quantiser(s);
    }
}

/* The path of least cost through a row. */
static void search_row(float bits[BUSY][2][SIZES], size_t n, row_work *w)
{
    const float never = 1e30f;
    float cost[STATES] = { 0 };

    for (int s = 1; s < STATES; s++)
        cost[s] = never;
    for (size_t x = 0; x < n; x++) {
        float next[STATES];

        for (int s = 0; s < STATES; s++)
            next[s] = never;
        for (unsigned z = 0; z < 2; z++)
            for (unsigned parity = 0; parity < 2; parity++) {
                int32_t k = 0;
                const float c = best_of(bits[w->busy[x]][z], w->u[x], z, parity, &k);

                for (unsigned s = z; s < STATES; s += 2) {
                    const unsigned to = fmc_trellis_next(s, parity);

                    if (cost[s] + c < next[to]) {
                        next[to] = cost[s] + c;
                        w->from[x * STATES + to] = (uint8_t)s;
                        w->integer[x * STATES + to] = k;
                    }
                }
            }
        memcpy(cost, next, sizeof cost);
        if (x % 256 == 255) {
            float least = cost[0];

            for (int s = 1; s < STATES; s++)
                least = fminf(least, cost[s]);
            for (int s = 0; s < STATES; s++)
                cost[s] -= least;
        }
    }
    take_best(cost, n, w);
}

static void add_counts(uint32_t from[BUSY][2][SIZES], uint32_t to[BUSY][2][SIZES])
{
    for (int e = 0; e < BUSY; e++)
        for (int z = 0; z < 2; z++)
            for (int k = 0; k < SIZES; k++)
                to[e][z][k] += from[e][z][k];
}

/* Sums of a slice: integers chosen; by size of the multiple its error, and the square of all. */
typedef struct slice_sums {
    count_table count;
    double      n[4], sum[4], square;
} slice_sums;

static void add_sums(const slice_sums *s, slice_sums *to, double weight)
{
    for (int k = 0; k < 4; k++) {
        to->n[k] += weight * s->n[k];
        to->sum[k] += weight * s->sum[k];
    }
    to->square += weight * s->square;
}

static double squared_error(const slice_sums *s)
{
    double e = s->square;

    for (int k = 1; k < 4; k++)
        if (s->n[k] > 0)
            e -= s->sum[k] * s->sum[k] / s->n[k];
    return e > 0 ? e : 0;
}

#define REAL float
#define NAME(x) x##_f32
#include "coef/trellis_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "coef/trellis_real.h"
