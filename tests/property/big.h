/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact non-negative numbers for checking bounds: every sum, difference and product of doubles that a bound needs, with
 * no rounding at all. Fixed point: word i holds the bits of 2^(32 i - 4384); the range holds n * (DBL_MAX * 2)^2 and the
 * square of the product of two smallest denormals.
 */
#ifndef FMC_TEST_BIG_H
#define FMC_TEST_BIG_H

#include <stdint.h>

enum { BIG_WORDS = 280, BIG_POINT = 4384 };

typedef struct big {
    int      lo, hi; /* words outside [lo, hi) are zero */
    uint32_t w[BIG_WORDS];
} big;

void big_zero(big *a);

/** |x|; x finite. */
void big_of(big *a, double x);

/** |x - y|; both finite. */
void big_distance(big *a, double x, double y);

/** a += b. */
void big_add(big *a, const big *b);

/** a = b * c; a is neither of them. Aborts the test if the product does not fit. */
void big_multiply(big *a, const big *b, const big *c);

/** a *= n. */
void big_scale(big *a, uint32_t n);

/** -1, 0, 1 for a < b, a == b, a > b. */
int big_compare(const big *a, const big *b);

#endif
