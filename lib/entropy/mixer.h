/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_MIXER_H
#define FMC_ENTROPY_MIXER_H

#include <stdint.h>

/**
 * Adaptive probabilities and their logistic mixing in integers, docs/format.md 11.2 and 11.3 (numerics: 16-bit
 * probabilities, stretch in 1/256, tables are constants: see entropy/tables.c).
 */

/** stretch(p) = ln(p / (1 - p)) in 1/256 for p = (i + 1/2) / 4096. */
extern const int16_t fmc_stretch_table[4096];
/** squash(s) in 1/65536 for s = (i - 3072) / 256, i in 0..6144, clamped to 16..65520. */
extern const uint16_t fmc_squash_table[6145];
/** 65536 / (n + 1.6): the step of a counter that has seen n bits. */
extern const uint16_t fmc_rate_table[256];

/** Adaptive probability of a 1: 22-bit probability, 10-bit count. */
typedef uint32_t fmc_prob;

#define FMC_PROB_INIT ((fmc_prob)0x80000000u)

static inline uint32_t fmc_prob_p16(fmc_prob p)
{
    const uint32_t v = p >> 16;

    return v < 32 ? 32 : v > 65504 ? 65504 : v;
}

/** limit <= 255: how many bits the average remembers. */
static inline void fmc_prob_update(fmc_prob *p, unsigned bit, uint32_t limit)
{
    const uint32_t n = *p & 1023;
    const int32_t v = (int32_t)(*p >> 10);
    const int32_t d = (int32_t)((bit << 22) - bit) - v;
    const int32_t moved = v + (int32_t)(((int64_t)d * fmc_rate_table[n]) >> 16);

    *p = (uint32_t)moved << 10 | (n + (n < limit));
}

static inline int32_t fmc_stretch(fmc_prob p)
{
    return fmc_stretch_table[p >> 20];
}

static inline uint32_t fmc_squash(int32_t s)
{
    s = s < -3072 ? -3072 : s > 3072 ? 3072 : s;
    return fmc_squash_table[s + 3072];
}

#endif
