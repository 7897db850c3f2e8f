/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder's choice of mean and gain for a band, from a sample of its rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coef/static_model.h"
#include "ops/kernels.h"

enum { T = FMC_STATIC_TAPS, CLASSES = 34, FEW = 100, SAMPLE = 11, PIECE = 32 };

/* Sums over the sampled values of one parity. */
typedef struct phase_sums {
    float  a[T + 1][FMC_MOMENTS]; /* products of the taps and, last, the value */
    double n, nonzero;
    double class_n[CLASSES], class_sum[CLASSES]; /* by class of energy: values, magnitudes */
    double plain, rest; /* logarithmic size without and with the mean */
} phase_sums;

/* Lines of magnitudes and values as if there were no mean. */
static void fill_lines(fmc_static *s, size_t i)
{
    const fmc_static_band *b = &s->band[i];
    const fmc_band *band = &s->job->band[i];
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    const size_t n = band->dim[4], slices = b->n_rows / b->rows;
    uint16_t *mag = s->mag + b->offset;
    int16_t *value = s->value + FMC_STATIC_MARGIN;

    for (size_t z = 0; z < slices; z++) {
        const int32_t *q = s->job->q + band->start + (z * band->dim[3] + b->lo) * n;

        for (size_t y = 0; y < b->rows; y++, q += n, mag += n + 1, value += n + 1)
            k->static_clamp(mag, value, q, n);
    }
}

/* Piecewise linear log2 of 1 + 2 a. */
static double size_of(double a)
{
    int e;
    const double m = frexp(1 + 2 * a, &e);

    return e + 2 * m - 2;
}

static void add_classes(fmc_static *s, const fmc_static_row *r, phase_sums *p, size_t phase)
{
    const size_t n = (r->n + 1 - phase) / 2;

    fmc_kernels_get(s->job->ex)->static_context(s->ctx[phase], s->e[phase], NULL, n);
    for (size_t i = 0; i < n; i++) {
        const unsigned t = s->ctx[phase][i], c = t < 4 * FMC_STATIC_FINE ? t / 4 : t - 3 * FMC_STATIC_FINE;

        p->class_n[c]++;
        p->class_sum[c] += r->mag[2 * i + phase];
    }
}

/* Taps and value of column x, weighted; taps that are not there stay as they are. */
static void gather(const fmc_static_row *r, size_t x, uint32_t energy, float *f)
{
    const float weight = 1.0f / ((float)energy * 0.015625f + 0.3f);

    for (size_t k = 0; k < r->taps.n; k++)
        f[r->taps.tap[k]] = (float)r->taps.row[k][x] * weight;
    f[T - 2] = (float)r->value[(ptrdiff_t)x - 1] * weight;
    f[T - 1] = (float)r->value[x + 1] * weight;
    f[T] = (float)r->value[x] * weight;
}

static void add_squares(const fmc_static *s, const fmc_static_row *r, phase_sums *p, size_t phase)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    float f[PIECE][FMC_MOMENTS];
    size_t n = 0;

    memset(f, 0, sizeof f);
    for (size_t x = phase; x < r->n; x += 2) {
        if (s->e[phase][x / 2] == 0)
            continue;
        gather(r, x, s->e[phase][x / 2], f[n++]);
        p->n++;
        p->nonzero += r->q[x] != 0;
        if (n == PIECE) {
            k->static_moments(p->a, (const float(*)[FMC_MOMENTS])f, n);
            n = 0;
        }
    }
    k->static_moments(p->a, (const float(*)[FMC_MOMENTS])f, n);
}

static void sample_row(fmc_static *s, const fmc_static_row *r, phase_sums sums[2], int with_mean)
{
    for (size_t x = 0; x < r->n; x += 2)
        s->m[0][x / 2] = r->mag[x];
    s->m[0][(r->n + 1) / 2] = 0;
    fmc_static_row_energy(s, r);
    fmc_kernels_get(s->job->ex)->static_between(s->e[1], s->m[0], r->s->share, r->s->near, r->n / 2);
    for (size_t phase = 0; phase < 2; phase++) {
        add_classes(s, r, &sums[phase], phase);
        if (with_mean)
            add_squares(s, r, &sums[phase], phase);
    }
}

/* Taps from the normal equations; returns the share of energy that they explain, 0 if there is nothing to solve. */
static double solve(const phase_sums *p, int n, fmc_static_phase *out)
{
    double l[T][T], x[T], trace = 0, gain = 0;

    for (int i = 0; i < n; i++)
        trace += (double)p->a[i][i];
    if (!(trace > 0))
        return 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double v = (double)p->a[i][j] + (i == j ? trace * 1e-5 : 0);

            for (int k = 0; k < j; k++)
                v -= l[i][k] * l[j][k];
            l[i][j] = i == j ? sqrt(v > trace * 1e-9 ? v : trace * 1e-9) : v / l[j][j];
        }
    for (int i = 0; i < n; i++) {
        x[i] = (double)p->a[T][i];
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
    for (int i = n; i-- > 0;) {
        for (int k = i + 1; k < n; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
        gain += x[i] * (double)p->a[T][i];
    }
    for (int i = 0; i < T; i++) {
        const double t = i < n ? floor(x[i] * 64 + 0.5) : 0;

        out->tap[i] = (int16_t)(t > FMC_STATIC_MAX_TAP ? FMC_STATIC_MAX_TAP : t < -FMC_STATIC_MAX_TAP ? -FMC_STATIC_MAX_TAP : t);
    }
    return p->a[T][T] > 0 ? gain / (double)p->a[T][T] : 0;
}

static void compare_row(fmc_static *s, const fmc_static_row *r, phase_sums sums[2])
{
    for (size_t x = 0; x < r->n; x++) {
        const fmc_static_phase *p = &r->s->phase[x & 1];
        int32_t mean = 0;

        if (!p->has_mean)
            continue;
        for (size_t k = 0; k < r->taps.n; k++)
            mean += p->tap[r->taps.tap[k]] * r->taps.row[k][x];
        if (x & 1)
            mean += p->tap[T - 2] * r->value[x - 1] + p->tap[T - 1] * r->value[x + 1];
        mean = (mean + 32) >> 6;
        sums[x & 1].plain += size_of(abs(r->q[x]));
        sums[x & 1].rest += size_of(abs(r->q[x] - mean));
    }
    (void)s;
}

/* Is a mean that explains this share of the energy worth its taps? */
static int is_useful(const phase_sums *p, double explained, double step)
{
    const double left = 1 - (explained < 0.999 ? explained : 0.999);

    return p->n >= FEW && -0.5 * log2(left) * p->nonzero * step > 60;
}

/* The gain under which the classes explain the magnitudes best (geometric distributions). */
static int best_gain(const phase_sums *p, const fmc_static_costs *costs)
{
    double best = 0;
    int gain = 0;

    for (int g = -FMC_STATIC_MAX_GAIN; g <= FMC_STATIC_MAX_GAIN; g++) {
        double bits = g ? 6 : 0;

        for (int c = 1; c < CLASSES; c++)
            if (p->class_n[c] > 0) {
                const int k = 2 * c + g; /* quarter octaves */

                bits += (p->class_n[c] + p->class_sum[c]) * costs->size[k + FMC_STATIC_MAX_GAIN] -
                        p->class_sum[c] * ((k - 1) * 0.25 - 6);
            }
        if (g == -FMC_STATIC_MAX_GAIN || bits < best) {
            best = bits;
            gain = g;
        }
    }
    return gain;
}

void fmc_static_costs_init(fmc_static_costs *costs)
{
    for (int k = 0; k < FMC_STATIC_SIZES_KNOWN; k++)
        costs->size[k] = log2(1 + exp2((k - FMC_STATIC_MAX_GAIN - 1) * 0.25 - 6));
    for (int d = -FMC_STATIC_STEPS; d <= FMC_STATIC_STEPS; d++) {
        const double p = fmc_static_odds(d) / 65536.0;

        costs->bit[1][d + FMC_STATIC_STEPS] = -log2(p);
        costs->bit[0][d + FMC_STATIC_STEPS] = -log2(1 - p);
    }
}

void fmc_static_fit_band(fmc_static *s, const fmc_static_costs *costs, size_t i)
{
    fmc_static_band *b = &s->band[i];
    const size_t count = b->n_rows * s->job->band[i].dim[4];
    const size_t step = (size_t)(sqrt((double)count) / SAMPLE) + 1; /* the error of a fit falls with the root of its sample */
    const int with_mean = count >= FEW;
    phase_sums sums[2];
    fmc_static_row r = { 0 };
    size_t at[4];

    memset(sums, 0, sizeof sums);
    memset(b->phase, 0, sizeof b->phase);
    b->phase[0].has_mean = b->phase[1].has_mean = (uint8_t)with_mean; /* rows come with taps */
    fmc_static_band_open(s, i);
    fill_lines(s, i);
    for (size_t k = step / 2; k < b->n_rows; k += step) {
        fmc_static_row_find(s, i, k, at);
        fmc_static_row_open(s, i, k, at, &r);
        sample_row(s, &r, sums, with_mean);
    }
    for (int k = 0; k < 2; k++) {
        const double share = with_mean ? solve(&sums[k], k ? T : T - FMC_STATIC_NEAR_TAPS, &b->phase[k]) : 0;

        b->phase[k].has_mean = share > 0 && is_useful(&sums[k], share, (double)step);
    }
    for (size_t k = step / 2; (b->phase[0].has_mean || b->phase[1].has_mean) && k < b->n_rows; k += step) {
        fmc_static_row_find(s, i, k, at);
        fmc_static_row_open(s, i, k, at, &r);
        compare_row(s, &r, sums);
    }
    for (int k = 0; k < 2; k++) {
        if (sums[k].rest > 1.02 * sums[k].plain)
            b->phase[k].has_mean = 0;
        if (!b->phase[k].has_mean)
            memset(b->phase[k].tap, 0, sizeof b->phase[k].tap);
        b->phase[k].gain = (int8_t)best_gain(&sums[k], costs);
    }
}
