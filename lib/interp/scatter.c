/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/scatter.h"

#include <math.h>
#include "core/status.h"
#include "interp/fit.h"

enum { CLASSES = 48, DIRECT = 12, SYMBOLS = DIRECT + 20, MOST = 1 << 16, ROUNDS = 4, NEAR = 4 };

const fmc_probe_size *fmc_probe_sizes(uint32_t effort)
{
    static const fmc_probe_size quick[] = { { 600, 2400 }, { 1600, 8000 }, { 6000, 48000 } };
    static const fmc_probe_size normal[] = { { 1200, 3000 }, { 4000, 12000 }, { 12000, 64000 } };

    return effort < 5 ? quick : normal;
}

fmc_status fmc_scatter_init(const fmc_exec *ex, size_t targets, fmc_scatter *s)
{
    fmc_status st;

    s->n = 0;
    s->most = (uint32_t)(targets / FIT_SEGMENT * 3 + 256);
    s->segment = NULL;
    s->e = NULL;
    FMC_TRY(FMC_ALLOC(ex->alloc, s->most, &s->segment));
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)s->most * FIT_SEGMENT, &s->e));
done:
    return st;
}

void fmc_scatter_fini(const fmc_exec *ex, fmc_scatter *s)
{
    fmc_dealloc(ex->alloc, s->segment);
    fmc_dealloc(ex->alloc, s->e);
}

void fmc_scatter_weigh(fmc_scatter *s, uint32_t first, double count, double looked)
{
    for (uint32_t k = first; k < s->n; k++)
        s->segment[k].weight = (float)(count / looked);
}

/* What was seen, each symbol counted by its weight. */
typedef struct {
    double n[CLASSES][SYMBOLS];
    double plain; /* signs and low bits */
} histogram;

/* floor(log2(v)), 0 < v < 2^24. */
static uint32_t octave(uint32_t v)
{
    const float f = (float)v;
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return (bits >> 23) - 127;
}

/* Four classes an octave from 4 on. */
static uint32_t class_of(uint32_t e)
{
    const float f = (float)e;
    uint32_t bits;

    if (e < 4)
        return e;
    memcpy(&bits, &f, sizeof bits);
    bits = (bits >> 21) - (129u << 2) + 4;
    return bits < CLASSES ? bits : CLASSES - 1;
}

static void count_one(histogram *h, uint32_t e, uint32_t v, double weight)
{
    uint32_t symbol, plain = v > 0;

    if (e >= 96) { /* neighbours of 16 and more: the coder stores low bits as they are */
        const uint32_t raw = octave(e / 6) - 2;

        plain += raw;
        v >>= raw;
    }
    symbol = v;
    if (v >= DIRECT) {
        const uint32_t low = octave(v / DIRECT);

        plain += low;
        symbol = DIRECT + low;
    }
    h->plain += weight * plain;
    h->n[class_of(e)][symbol] += weight;
}

/* The neighbours on both sides stand for those in the rows before. */
static void count_segment(histogram *h, const uint32_t *v, uint32_t n, double weight)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t w = v[i > 0 ? i - 1 : n > 1 ? 1 : 0], e = v[i + 1 < n ? i + 1 : i > 0 ? i - 1 : 0];
        const uint32_t ww = i > 1 ? v[i - 2] : e, ee = i + 2 < n ? v[i + 2] : w;

        count_one(h, 2 * (w + e) + ww + ee, v[i], weight);
    }
}

/* Mean squared error of decoded samples with a residual of mean square e: its own size, or that of a uniform quantiser. */
static double decoded_error(double e, double most)
{
    return e > 0 ? e * most / sqrt(e * e + most * most) : 0;
}

/*
 * Mean square of what decoded neighbours add to a residual with mean square `own`. Where residuals are below a step the
 * errors of few samples spread over many others: raster order passes them on undiminished, a pyramid interpolates them.
 * Where the data are constant there are none, and where some are, `busy` being the share of the others, decoded
 * neighbours are often wrong by the same amount, which raster prediction takes for a level.
 */
static double noise_of(double own, double busy, const fmc_scatter_segment *g, double step)
{
    const double most = step * step / 12, gain = (double)g->gain, all = decoded_error(1e4 * own, most);

    if (g->level < 0)
        return (gain > 1 ? 1 + (gain - 1) * busy : 1) * all;
    return (0.75 * most + gain * own) / (most + own) * all;
}

static double mean_square(const float *e, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += (double)e[i] * (double)e[i];
    return sum / n;
}

static double share_above(const float *e, uint32_t n, float limit)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        count += fabsf(e[i]) > limit;
    return (double)count / n;
}

/* A number of variance 1 and limited size: the sum of n uniform ones. */
static double next_noise(uint32_t *seed, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        sum += ((double)(*seed >> 8) - 8388607.5) / 16777216;
    }
    return n > 1 ? 2.4494897427831781 * sum : 3.4641016151377544 * sum;
}

/* What looks at any step have in common: numbers for the noise, and mean squares of NEAR residuals each. */
typedef struct common {
    const fmc_scatter *s;
    double            *noise;  /* [segment][FIT_SEGMENT] */
    double            *square; /* [segment][FIT_SEGMENT / NEAR] */
} common;

static void find_common(const fmc_scatter *s, common *c)
{
    uint32_t seed = 1;

    for (uint32_t k = 0; k < s->n; k++) {
        const fmc_scatter_segment *g = &s->segment[k];
        const float *e = s->e + (size_t)k * FIT_SEGMENT;

        for (uint32_t i = 0; i < g->n; i++)
            c->noise[(size_t)k * FIT_SEGMENT + i] = next_noise(&seed, g->level < 0 ? 2 : 1);
        for (uint32_t i = 0; i < g->n; i += NEAR)
            c->square[(size_t)k * (FIT_SEGMENT / NEAR) + i / NEAR] = mean_square(e + i, g->n - i < NEAR ? g->n - i : NEAR);
    }
}

/* One segment at a step: integers, and the sum of squared errors. */
static double look_at_segment(const common *c, uint32_t k, double step, uint32_t *v)
{
    const fmc_scatter_segment *g = &c->s->segment[k];
    const float *e = c->s->e + (size_t)k * FIT_SEGMENT;
    const double *noise = c->noise + (size_t)k * FIT_SEGMENT, *square = c->square + (size_t)k * (FIT_SEGMENT / NEAR);
    const double busy = share_above(e, g->n, (float)(0.003 * step)), inverse = 1 / step;
    double sd[FIT_SEGMENT / NEAR], r[FIT_SEGMENT], sum = 0;

    for (uint32_t i = 0; i * NEAR < g->n; i++)
        sd[i] = sqrt(noise_of(square[i], busy, g, step));
    for (uint32_t i = 0; i < g->n; i++) {
        const double size = fabs((double)e[i] + sd[i / NEAR] * noise[i]), t = size * inverse + 0.5;

        r[i] = size;
        v[i] = (uint32_t)(int32_t)(t < MOST ? t : MOST);
    }
    for (uint32_t i = 0; i < g->n; i++)
        sum += (r[i] - v[i] * step) * (r[i] - v[i] * step);
    return sum;
}

/* Quantise at a step: the mean squared error; h may be NULL. */
static double look_at(const common *c, double step, histogram *h)
{
    double error2 = 0, count = 0;

    for (uint32_t k = 0; k < c->s->n; k++) {
        const fmc_scatter_segment *g = &c->s->segment[k];
        uint32_t v[FIT_SEGMENT];

        error2 += look_at_segment(c, k, step, v) * (double)g->weight;
        count += g->n * (double)g->weight;
        if (h)
            count_segment(h, v, g->n, (double)g->weight);
    }
    return count > 0 ? error2 / count : 0;
}

/* A step whose root mean square error is about `rms`. */
static double find_step(const common *c, double rms, double step)
{
    for (int i = 0; i < ROUNDS; i++) {
        const double ratio = look_at(c, step, NULL) / (rms * rms);

        if (!(ratio > 0))
            return 64 * step;
        if (fabs(ratio - 1) < 0.04)
            break;
        step *= ratio > 1 ? fmax(0.5, 1 / sqrt(ratio)) : fmin(4, pow(ratio, -0.6));
    }
    return step;
}

/* Entropy, and what it is too low by because few were seen: half a bit of log2 e per cell of the histogram. */
static double entropy(const histogram *h, double weight)
{
    double bits = h->plain;

    for (unsigned c = 0; c < CLASSES; c++) {
        double total = 0;

        for (unsigned s = 0; s < SYMBOLS; s++)
            total += h->n[c][s];
        for (unsigned s = 0; s < SYMBOLS; s++)
            if (h->n[c][s] > 0)
                bits += h->n[c][s] * (fmc_interp_log2(total) - fmc_interp_log2(h->n[c][s])) + 0.72 * weight;
    }
    return bits;
}

fmc_status fmc_scatter_bits(const fmc_exec *ex, const fmc_scatter *s, double rms, double *step, double *bits)
{
    common c = { .s = s };
    histogram *h = NULL;
    double count = 0, seen = 0;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &h));
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)s->n * FIT_SEGMENT + 1, &c.noise));
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)s->n * (FIT_SEGMENT / NEAR) + 1, &c.square));
    find_common(s, &c);
    if (rms > 0)
        *step = find_step(&c, rms, *step);
    look_at(&c, *step, h);
    for (uint32_t k = 0; k < s->n; k++) {
        count += s->segment[k].n * (double)s->segment[k].weight;
        seen += s->segment[k].n;
    }
    *bits = entropy(h, seen > 0 ? count / seen : 0);
done:
    fmc_dealloc(ex->alloc, h);
    fmc_dealloc(ex->alloc, c.noise);
    fmc_dealloc(ex->alloc, c.square);
    return st;
}
