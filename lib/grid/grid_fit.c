/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/grid_fit.h"

#include <math.h>
#include "grid/grid.h"
#include "grid/lattice.h"
#include "grid/sort.h"

/* Unit in the last place of the type at |v|. */
static double ulp_at(double v, bool single)
{
    const double a = fabs(v);

    if (single) {
        const float f = (float)a;

        return (double)fmc_unorder_f32(fmc_order_f32(f) + 1) - (double)f;
    }
    return fmc_unorder_f64(fmc_order_f64(a) + 1) - a;
}

/*
 * Refine the step s by differences in increasing order: each is k * s; the sum of k * d over that of k * k improves s
 * fast enough for the next ones. 0 if more than one in 200 is no multiple; *rough if they are worse than noise.
 */
static double refine_step(const double *d, size_t n, double s, double noise, bool *rough)
{
    double kd = 0, kk = 0, dev = 0;
    size_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        const double q = d[i] / s, k = floor(q + 0.5);

        if (k < 1)
            return 0;
        if (fabs(q - k) > 0.2) {
            if (++bad > 2 + i / 200)
                return 0;
            continue;
        }
        kd += k * d[i];
        kk += k * k;
        s = kd / kk;
    }
    for (size_t i = 0; i < n / 4; i++) { /* the short differences tell noise from a wrong step */
        const double q = d[i] / s, k = floor(q + 0.5);

        dev += fabs(q - k) > 0.2 ? 0.04 : (q - k) * (q - k);
    }
    dev = sqrt(dev / (double)(n / 4 + 1));
    *rough = dev > 2 * noise / s + 0.003;
    return s;
}

double fmc_fit_step(const double *u, size_t n, bool single, double *work)
{
    const double range = u[n - 1] - u[0];
    const double big = fabs(u[0]) > fabs(u[n - 1]) ? fabs(u[0]) : fabs(u[n - 1]);
    const double noise = ulp_at(big, single);
    double gap = range, second_best = 0;
    size_t m = 0;

    if (!(range < 1e300) || n < 2)
        return 0;
    for (size_t i = 1; i < n; i++)
        gap = u[i] - u[i - 1] < gap ? u[i] - u[i - 1] : gap;
    if (gap < 4 * noise)
        return 0;
    for (size_t j = 1; j < n; j *= 2) {
        const size_t count = n - j, stride = count / 1024 + 1;

        for (size_t i = 0; i < count; i += stride)
            work[m++] = u[i + j] - u[i];
    }
    work[m++] = gap;
    fmc_sort_f64(work, m, work + m);
    for (uint32_t q = 1; q <= 12; q++) {
        bool rough;
        double s;

        if (gap / q < 4 * noise)
            break;
        s = refine_step(work, m, gap / q, noise, &rough);
        if (!(s > 0) || !(range / s < 1e9))
            continue;
        if (!rough)
            return s;
        if (second_best == 0 && n > 256)
            second_best = s;
    }
    return second_best;
}

double fmc_fit_value(uint32_t kind, bool single, double scale, double offset, int32_t k)
{
    switch (kind) {
    case FMC_GRID_DIV: {
        const double v = (double)k / scale + offset;

        return single ? (double)(float)v : v;
    }
    case FMC_GRID_MUL32: {
        const float p = (float)k * (float)scale;
        const float v = p + (float)offset;

        return (double)v;
    }
    case FMC_GRID_DIV32: {
        const float p = (float)k / (float)scale;
        const float v = p + (float)offset;

        return (double)v;
    }
    default: {
        const double p = (double)k * scale;
        const double v = p + offset;

        return single ? (double)(float)v : v;
    }
    }
}

bool fmc_fit_integer(uint32_t kind, double scale, double offset, double v, int32_t *k)
{
    const double d = v - offset;
    const double q = floor((kind == FMC_GRID_DIV || kind == FMC_GRID_DIV32 ? d * scale : d / scale) + 0.5);

    *k = 0;
    if (!(fabs(q) < 1073741824.0))
        return false;
    *k = (int32_t)q;
    return true;
}

size_t fmc_fit_misses(uint32_t kind, bool single, const fmc_fit *f, const double *u, size_t n, size_t limit)
{
    size_t bad = 0;

    for (size_t i = 0; i < n && bad < limit; i++) {
        int32_t k;

        if (!fmc_fit_integer(kind, f->scale, f->offset, u[i], &k) ||
            fmc_fit_value(kind, single, f->scale, f->offset, k) != u[i])
            bad++;
    }
    return bad;
}

/* v rounded to `digits` significant decimal digits. */
static double round_decimal(double v, int digits)
{
    int e;
    double m;

    if (v == 0)
        return 0;
    e = (int)floor(log10(fabs(v))) + 1 - digits;
    if (e < -22 || e > 22)
        return v;
    m = e >= 0 ? floor(v / fmc_pow10_table[e] + 0.5) : floor(v * fmc_pow10_table[-e] + 0.5);
    return e >= 0 ? m * fmc_pow10_table[e] : m / fmc_pow10_table[-e];
}

/* v rounded to d decimal places. */
static double round_places(double v, int d)
{
    return floor(v * fmc_pow10_table[d] + 0.5) / fmc_pow10_table[d];
}

typedef struct search {
    uint32_t kind;
    bool single;
    const double *u;
    size_t n;
    size_t best;
    fmc_fit *out;
} search;

/* Try constants; true once they are exact. */
static bool attempt(search *s, double scale, double offset)
{
    const fmc_fit f = { scale, offset };
    size_t bad;

    if (!(scale > 0) || !(scale < 1e300) || s->best == 0)
        return s->best == 0;
    bad = fmc_fit_misses(s->kind, s->single, &f, s->u, s->n, s->best);
    if (bad < s->best) {
        s->best = bad;
        *s->out = f;
    }
    return s->best == 0;
}

/* Offsets worth trying for a step: none, decimals of the phase, decimals of the smallest value, the phase itself. */
static bool attempt_offsets(search *s, double scale, double step)
{
    const double u0 = s->u[0];
    const double phase = u0 - floor(u0 / step + 0.5) * step;

    if (attempt(s, scale, 0.0))
        return true;
    if (s->best > s->n / 8 + 2 && fabs(phase) < step * 0.01)
        return false;
    for (int d = 0; d <= 6; d++)
        if (attempt(s, scale, round_places(phase, d)) || attempt(s, scale, round_places(u0, d)))
            return true;
    return attempt(s, scale, s->single ? (double)(float)phase : phase) || attempt(s, scale, u0);
}

/*
 * MUL into f32: all (scale, offset) whose exact value rounds to every u form a convex polygon. For a given scale the
 * offsets form an interval whose width is concave in the scale: ternary search, then its middle.
 */
static double interval(const search *s, double step, double k0, double *offset)
{
    double lo = -1e300, hi = 1e300;

    for (size_t i = 0; i < s->n; i++) {
        const double v = s->u[i], k = floor((v - s->u[0]) / step + 0.5) + k0;
        const int64_t x = fmc_order_f32((float)v);
        const double a = 0.5 * ((double)fmc_unorder_f32(x - 1) + v) - k * step;
        const double b = 0.5 * ((double)fmc_unorder_f32(x + 1) + v) - k * step;

        lo = a > lo ? a : lo;
        hi = b < hi ? b : hi;
    }
    *offset = 0.5 * (lo + hi);
    return hi - lo;
}

static bool attempt_polygon(search *s, double step)
{
    const double range = s->u[s->n - 1] - s->u[0];
    const double k0 = floor(s->u[0] / step + 0.5);
    const double rel = 4 * ulp_at(fabs(s->u[0]) + range, true) / range;
    double a = step * (1 - rel), b = step * (1 + rel), offset;

    for (int i = 0; i < 60; i++) {
        const double p = a + (b - a) / 3, q = b - (b - a) / 3;

        if (interval(s, p, k0, &offset) < interval(s, q, k0, &offset))
            a = p;
        else
            b = q;
    }
    a = 0.5 * (a + b);
    (void)interval(s, a, k0, &offset);
    return attempt(s, a, offset);
}

size_t fmc_fit_constants(uint32_t kind, bool single, double s, const double *u, size_t n, fmc_fit *f)
{
    search t = { kind, single, u, n, n + 1, f };

    if (kind == FMC_GRID_DIV || kind == FMC_GRID_DIV32) {
        for (uint32_t q = 1; q <= 10; q++) {
            const double inv = q / s, r = floor(inv + 0.5);

            if (r >= 1 && fabs(inv - r) < r * 1e-5 + 1e-9 && attempt_offsets(&t, r, 1 / r))
                return 0;
        }
        return t.best;
    }
    for (int d = 1; d <= 8; d++) {
        const double r = round_decimal(s, d);

        if (fabs(r - s) < s * 1e-4 && attempt_offsets(&t, r, r))
            return 0;
    }
    if (attempt_offsets(&t, (double)(float)s, s) || attempt_offsets(&t, s, s))
        return 0;
    if (kind == FMC_GRID_MUL && single)
        (void)attempt_polygon(&t, s);
    return t.best;
}
