/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_NUMBER_H
#define FMC_GRID_PCM_NUMBER_H

/* Numbers and symbols of a lattice, as the pcm coder sees them. Inlined: once or more per sample. */

#include "grid/pcm_state.h"

static inline double number_of(const fmc_pcm_coder *c, int64_t x)
{
    if (c->par->flags & FMC_PCM_ORDINAL)
        return (double)x;
    switch (c->lat->kind) {
    case FMC_LATTICE_F32:
        return (double)fmc_unorder_f32(x);
    case FMC_LATTICE_F64:
        return fmc_unorder_f64(x) * c->scale;
    case FMC_LATTICE_DEC32:
    case FMC_LATTICE_DEC64:
        return fmc_decimal_value(c->lat->digits, x) * c->scale;
    case FMC_LATTICE_TABLE:
        return c->lat->table[x];
    default:
        return (double)x * c->step + c->origin;
    }
}

/* The rank whose number is nearest to p. */
static int64_t rank_of(const fmc_pcm_coder *c, double p)
{
    const double *t = c->lat->table;
    const double q = (p - t[0]) * c->per_bucket;
    size_t b, lo, hi;

    if (!(q > 0))
        return 0;
    if (q >= (double)c->n_bucket)
        return c->lat->hi;
    b = (size_t)q;
    lo = c->bucket[b];
    hi = c->bucket[b + 1];
    while (lo < hi) { /* first rank with t >= p */
        const size_t m = (lo + hi) / 2;

        if (t[m] < p)
            lo = m + 1;
        else
            hi = m;
    }
    if (lo > 0 && (lo > (size_t)c->lat->hi || p - t[lo - 1] < t[lo] - p))
        lo--;
    return (int64_t)lo;
}

static inline int64_t clamp_symbol(const fmc_pcm_coder *c, int64_t x)
{
    return x < c->lat->lo ? c->lat->lo : x > c->lat->hi ? c->lat->hi : x;
}

/* Symbol next to a prediction; p is finite. */
static inline int64_t symbol_of(const fmc_pcm_coder *c, double p)
{
    const uint32_t kind = c->lat->kind;

    if (kind == FMC_LATTICE_TABLE && !(c->par->flags & FMC_PCM_ORDINAL))
        return rank_of(c, p);
    if (kind == FMC_LATTICE_INT && c->lat->step)
        p = (p - c->origin) / c->step;
    if (kind == FMC_LATTICE_INT || (c->par->flags & FMC_PCM_ORDINAL)) {
        if (p <= (double)c->lat->lo)
            return c->lat->lo;
        if (p >= (double)c->lat->hi)
            return c->lat->hi;
        p += 0.5;
        return (int64_t)p - ((double)(int64_t)p > p);
    }
    if (kind == FMC_LATTICE_F32) {
        if (p > 3.4028234663852886e38)
            p = 3.4028234663852886e38;
        if (p < -3.4028234663852886e38)
            p = -3.4028234663852886e38;
        return clamp_symbol(c, fmc_order_f32((float)p));
    }
    p *= c->unscale;
    if (!(p - p == 0.0))
        p = 0.0;
    if (kind == FMC_LATTICE_F64)
        return clamp_symbol(c, fmc_order_f64(p));
    return clamp_symbol(c, fmc_decimal_nearest(c->lat->digits, p));
}

/* Distance of neighbouring symbols around x, as a float. */
static inline float spacing(const fmc_pcm_coder *c, int64_t x)
{
    const uint64_t m = (uint64_t)(x < 0 ? -(x + 1) : x);

    if (c->par->flags & FMC_PCM_ORDINAL)
        return 1.0f;
    if (c->lat->kind == FMC_LATTICE_INT)
        return (float)c->step;
    if (c->lat->kind == FMC_LATTICE_TABLE) {
        const int64_t a = x > 0 ? x - 1 : 0, b = x < c->lat->hi ? x + 1 : x;
        const double d = c->lat->table[b] - c->lat->table[a];
        const float f = b > a ? (float)(b - a > 1 ? 0.5 * d : d) : 1.0f;

        return f < 1e-37f ? 1e-37f : f > 1e37f ? 1e37f : f;
    }
    if (c->lat->kind == FMC_LATTICE_F32) {
        uint32_t e = (uint32_t)(m >> 23);
        uint32_t bits;
        float f;

        e = e < 24 ? 24 : e > 250 ? 250 : e;
        bits = (e - 23) << 23;
        memcpy(&f, &bits, 4);
        return f;
    }
    if (c->lat->kind == FMC_LATTICE_F64) {
        const uint64_t e = m >> 52;
        const double f = fmc_unorder_f64((int64_t)((e < 53 ? 1 : e > 2040 ? 1988 : e - 52) << 52)) * c->scale;

        return f < 1e-37 ? 1e-37f : f > 1e37 ? 1e37f : (float)f;
    }
    return c->dec_spacing[fmc_decimal_exponent(c->lat->digits, x)];
}

static inline int64_t load_symbol(const fmc_pcm_coder *c, size_t i)
{
    int64_t x = 0;

    switch (c->lat->kind) {
    case FMC_LATTICE_F32:
        return fmc_order_f32(((const float *)c->src)[i]);
    case FMC_LATTICE_F64:
        return fmc_order_f64(((const double *)c->src)[i]);
    case FMC_LATTICE_DEC32:
        (void)fmc_decimal_symbol(c->lat->digits, true, ((const float *)c->src)[i], &x);
        return x;
    case FMC_LATTICE_DEC64:
        (void)fmc_decimal_symbol(c->lat->digits, false, ((const double *)c->src)[i], &x);
        return x;
    default:
        return ((const int32_t *)c->src)[i];
    }
}

static inline void store_symbol(const fmc_pcm_coder *c, size_t i, int64_t x)
{
    switch (c->lat->kind) {
    case FMC_LATTICE_F32:
        ((float *)c->dst)[i] = fmc_unorder_f32(x);
        break;
    case FMC_LATTICE_F64:
        ((double *)c->dst)[i] = fmc_unorder_f64(x);
        break;
    case FMC_LATTICE_DEC32:
        ((float *)c->dst)[i] = (float)fmc_decimal_value(c->lat->digits, x);
        break;
    case FMC_LATTICE_DEC64:
        ((double *)c->dst)[i] = fmc_decimal_value(c->lat->digits, x);
        break;
    default:
        ((int32_t *)c->dst)[i] = (int32_t)x;
    }
}

#endif
