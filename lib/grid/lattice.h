/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_LATTICE_H
#define FMC_GRID_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * An ordered set of numbers: symbols are integers, larger symbol = larger number. What fmc_pcm codes are symbols; what
 * it predicts with are the numbers. docs/format.md 9.3.
 */
enum fmc_lattice_kind {
    FMC_LATTICE_INT = 0,   /* int32 k: number = k */
    FMC_LATTICE_F32 = 1,   /* all f32 bit patterns in order: -NaN .. -0, +0 .. NaN */
    FMC_LATTICE_F64 = 2,   /* the same for f64 */
    FMC_LATTICE_DEC32 = 3, /* f32 of decimal floating-point numbers of `digits` digits, and 0 */
    FMC_LATTICE_DEC64 = 4, /* the same in f64 */
    FMC_LATTICE_TABLE = 5  /* int32 rank in an increasing table of numbers */
};

typedef struct fmc_lattice {
    uint32_t kind;
    uint32_t digits; /* DEC*: 1..15 */
    int64_t lo;      /* smallest and largest symbol, lo <= hi */
    int64_t hi;
    /* INT only, or NULL: number = k * step[i] + origin[i], i the index along dimension step_dim (0..2) of the view. */
    const double *step;
    const double *origin;
    uint32_t step_dim;
    const double *table; /* TABLE: [hi + 1], finite, increasing; lo is 0 */
} fmc_lattice;

static inline int64_t fmc_order_f32(float f)
{
    uint32_t u;

    memcpy(&u, &f, 4);
    return u >> 31 ? -(int64_t)(u & 0x7fffffffu) - 1 : (int64_t)u;
}

static inline float fmc_unorder_f32(int64_t x)
{
    const uint32_t u = x < 0 ? 0x80000000u | (uint32_t)(-(x + 1)) : (uint32_t)x;
    float f;

    memcpy(&f, &u, 4);
    return f;
}

static inline int64_t fmc_order_f64(double f)
{
    uint64_t u;

    memcpy(&u, &f, 8);
    return u >> 63 ? -(int64_t)(u & INT64_MAX) - 1 : (int64_t)u;
}

static inline double fmc_unorder_f64(int64_t x)
{
    const uint64_t u = x < 0 ? 0x8000000000000000u | (uint64_t)(-(x + 1)) : (uint64_t)x;
    double f;

    memcpy(&f, &u, 8);
    return f;
}

/** 10^i for i in 0..22, exact. */
extern const double fmc_pow10_table[23];

/** Least exponent of a decimal number, negated. */
enum { FMC_DEC_LOWEST = 44 };

/**
 * Decimal symbol: 0 is zero; +-(1 + (e + 44) * 9 * 10^(digits-1) + m - 10^(digits-1)) is +-m * 10^e, m of `digits`
 * digits, -44 <= e <= 22, computed in f64 as m * 10^e (e >= 0), m / 10^-e (e >= -22), or the same with a remainder
 * step for smaller e (docs/format.md 9.3).
 */
double fmc_decimal_value(uint32_t digits, int64_t x);

/** Exponent of a decimal symbol, plus 44: 0..66 (0 for zero). */
uint32_t fmc_decimal_exponent(uint32_t digits, int64_t x);

/** m * 10^e as fmc_decimal_value computes it, -44 <= e <= 22. */
double fmc_decimal_scaled(double m, int e);

/** True if lo..hi lies within the symbols of a kind (not INT, TABLE) and digits are 1..15 for decimals. */
bool fmc_lattice_is_sound(const fmc_lattice *l);

/** The symbol whose value is f exactly (in f64, or as f32 when `single`); false if there is none. */
bool fmc_decimal_symbol(uint32_t digits, bool single, double f, int64_t *x);

/** The symbol nearest to f (or a neighbour of it); f finite. Exact arithmetic, same everywhere. */
int64_t fmc_decimal_nearest(uint32_t digits, double f);

#endif
