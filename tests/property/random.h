/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TEST_RANDOM_H
#define FMC_TEST_RANDOM_H

#include <stdint.h>

/** splitmix64: the next of a sequence that depends on the seed only. */
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/** 0 <= result < n, n >= 1. */
static inline uint64_t random_below(uint64_t *seed, uint64_t n)
{
    return random_next(seed) % n;
}

/** In [0, 1). */
static inline double random_unit(uint64_t *seed)
{
    return (double)(random_next(seed) >> 11) * 0x1p-53;
}

/** Roughly normal, mean 0, variance 1. */
static inline double random_normal(uint64_t *seed)
{
    double s = -6.0;

    for (int i = 0; i < 12; i++)
        s += random_unit(seed);
    return s;
}

#endif
