/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/lattice.h"

const double fmc_pow10_table[23] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static const int64_t pow10_int[16] = {
    1,         10,         100,         1000,         10000,         100000,         1000000,         10000000,
    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000
};

/* 10^23 .. 10^44 as sums of two f64. */
static const double pow10_hi[22] = { 1e+23, 1e+24, 1e+25, 1e+26, 1e+27, 1e+28, 1e+29, 1e+30, 1e+31, 1e+32, 1e+33,
                                     1e+34, 1e+35, 1e+36, 1e+37, 1e+38, 1e+39, 1e+40, 1e+41, 1e+42, 1e+43, 1e+44 };
static const double pow10_lo[22] = { 8388608.0,
                                     16777216.0,
                                     -905969664.0,
                                     -4764729344.0,
                                     -13287555072.0,
                                     416880263168.0,
                                     8566849142784.0,
                                     -19884624838656.0,
                                     364103705034752.0,
                                     -5366162204393472.0,
                                     5.442476901295718e+16,
                                     5.4424769012957184e+17,
                                     3.1366338920820244e+18,
                                     -4.242063737401796e+19,
                                     4.6123734179787886e+20,
                                     2.251190176543966e+21,
                                     6.029083362839682e+22,
                                     -3.037860284270037e+23,
                                     -6.200086450407783e+23,
                                     -4.488571267807592e+25,
                                     -1.393721169594141e+26,
                                     -8.821361405306423e+27 };

/* m / 10^k, 23 <= k <= 44, rounded once: one Newton step on the exact remainder (Dekker's product). */
static double divide_large(double m, int k)
{
    const double hi = pow10_hi[k - 23], lo = pow10_lo[k - 23], split = 134217729.0;
    const double q = m / hi, p = q * hi;
    const double a = q * split, a1 = a - (a - q), a2 = q - a1;
    const double b = hi * split, b1 = b - (b - hi), b2 = hi - b1;
    const double e = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
    const double r = ((m - p) - e) - q * lo;

    return q + r / hi;
}

double fmc_decimal_scaled(double m, int e)
{
    return e >= 0 ? m * fmc_pow10_table[e] : e >= -22 ? m / fmc_pow10_table[-e] : divide_large(m, -e);
}

uint32_t fmc_decimal_exponent(uint32_t digits, int64_t x)
{
    const int64_t u = (x < 0 ? -x : x) - 1, e = u / (9 * pow10_int[digits - 1]);

    return x == 0 ? 0 : e > 22 + FMC_DEC_LOWEST ? 22 + FMC_DEC_LOWEST : (uint32_t)e;
}

double fmc_decimal_value(uint32_t digits, int64_t x)
{
    const int64_t first = pow10_int[digits - 1];
    const int64_t u = (x < 0 ? -x : x) - 1;
    int64_t e, m;
    double v;

    if (x == 0)
        return 0.0;
    e = u / (9 * first) - FMC_DEC_LOWEST;
    m = u % (9 * first) + first;
    if (e > 22)
        e = 22;
    v = fmc_decimal_scaled((double)m, (int)e);
    return x < 0 ? -v : v;
}

/* 10^t, t >= -44. */
static double power_of_ten(int t)
{
    return t < 0 ? fmc_decimal_scaled(1.0, t) : t <= 22 ? fmc_pow10_table[t] : fmc_pow10_table[22] * fmc_pow10_table[t - 22];
}

/* Largest e in -44..22 with 10^(e + digits - 1) <= a, else -44. */
static int exponent_of(uint32_t digits, double a)
{
    uint64_t u;
    int e, t;

    memcpy(&u, &a, 8);
    t = (int)(u >> 52) - 1023; /* log2, floored */
    t = t < -160 ? -160 : t > 200 ? 200 : t;
    t = (t * 1233) >> 12; /* at most one too low, perhaps one too high by rounding */
    e = t + 2 - (int)digits;
    e = e > 22 ? 22 : e;
    while (e > -FMC_DEC_LOWEST && power_of_ten(e + (int)digits - 1) > a)
        e--;
    return e < -FMC_DEC_LOWEST ? -FMC_DEC_LOWEST : e;
}

int64_t fmc_decimal_nearest(uint32_t digits, double f)
{
    const int64_t first = pow10_int[digits - 1];
    const double a = f < 0 ? -f : f;
    const int e = exponent_of(digits, a);
    double t = e >= 0 ? a / fmc_pow10_table[e] : e >= -22 ? a * fmc_pow10_table[-e] : a * pow10_hi[-e - 23];
    int64_t m, x;

    if (!(t < (double)first * 10.0))
        t = (double)first * 10.0 - 1.0;
    m = (int64_t)(t + 0.5);
    if (m >= 10 * first)
        m = 10 * first - 1;
    if (m < first) /* below the smallest exponent: nearer to zero or to the first */
        return 0;
    x = 1 + (int64_t)(e + FMC_DEC_LOWEST) * 9 * first + m - first;
    return f < 0 ? -x : x;
}

bool fmc_decimal_symbol(uint32_t digits, bool single, double f, int64_t *x)
{
    const int64_t c = f - f == 0.0 ? fmc_decimal_nearest(digits, f) : 0;

    for (int64_t i = c - 1; i <= c + 1; i++) {
        const double v = fmc_decimal_value(digits, i);

        if (single ? fmc_order_f32((float)v) == fmc_order_f32((float)f) : fmc_order_f64(v) == fmc_order_f64(f)) {
            *x = i;
            return true;
        }
    }
    return false;
}

bool fmc_lattice_is_sound(const fmc_lattice *l)
{
    int64_t most = INT64_MAX;

    if (l->kind == FMC_LATTICE_F32)
        most = INT32_MAX;
    if (l->kind == FMC_LATTICE_DEC32 || l->kind == FMC_LATTICE_DEC64) {
        if (l->digits < 1 || l->digits > 15)
            return false;
        most = 9 * pow10_int[l->digits - 1] * (FMC_DEC_LOWEST + 23);
    }
    return l->lo <= l->hi && l->lo >= -most - 1 && l->hi <= most;
}
