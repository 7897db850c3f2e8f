/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_SYMBOL_H
#define FMC_ENTROPY_SYMBOL_H

#include <stdint.h>
#include <string.h>
#include "entropy/binary.h"

/**
 * Adaptive distributions of 16 symbols, docs/format.md 11.4: one step of the coder for a whole small number. All 16
 * entries move at once, in 16-bit integers, so that two vector instructions of any machine do it.
 */
enum { FMC_SYMBOLS = 16, FMC_SYMBOL_TOP = 32752, FMC_SYMBOL_LIMIT = 63 };

/** above[i]: probability of a symbol > i in 1/32768, without the floor that keeps every symbol possible. */
typedef struct fmc_symbol_dist {
    int16_t above[FMC_SYMBOLS];
} fmc_symbol_dist;

#if defined(__GNUC__)
typedef int16_t fmc_i16x8 __attribute__((vector_size(16)));
typedef uint16_t fmc_u16x8 __attribute__((vector_size(16)));
#endif

/** [symbol]: where the entries move. */
extern const int16_t fmc_symbol_target[FMC_SYMBOLS][FMC_SYMBOLS];
/** [count of symbols seen, at most 63]: by which part, log2. */
extern const uint8_t fmc_symbol_rate[64];

static inline void fmc_symbol_update(fmc_symbol_dist *d, unsigned symbol, unsigned rate)
{
#if defined(__GNUC__)
    fmc_i16x8 a, b, t, u;

    memcpy(&a, d->above, sizeof a);
    memcpy(&b, d->above + 8, sizeof b);
    memcpy(&t, fmc_symbol_target[symbol], sizeof t);
    memcpy(&u, fmc_symbol_target[symbol] + 8, sizeof u);
    a += (t - a) >> (int16_t)rate;
    b += (u - b) >> (int16_t)rate;
    memcpy(d->above, &a, sizeof a);
    memcpy(d->above + 8, &b, sizeof b);
#else
    for (int i = 0; i < FMC_SYMBOLS; i++)
        d->above[i] = (int16_t)(d->above[i] + ((fmc_symbol_target[symbol][i] - d->above[i]) >> rate));
#endif
}

/** Bounds of a symbol's share of 32768. */
static inline uint32_t fmc_symbol_low(const fmc_symbol_dist *d, unsigned symbol)
{
    return (uint32_t)d->above[symbol] + (FMC_SYMBOLS - 1 - symbol);
}

static inline void fmc_enc_symbol(fmc_enc *e, const fmc_symbol_dist *d, unsigned symbol)
{
    const uint64_t r = e->range >> 15;
    const uint32_t low = fmc_symbol_low(d, symbol), high = symbol ? fmc_symbol_low(d, symbol - 1) : 32768;

    fmc_enc_move(e, r * low, r * (high - low));
}

/* The first symbol whose lower bound is at most v < 32768; the last one's is 0. */
static inline unsigned fmc_symbol_find(const fmc_symbol_dist *d, uint32_t v)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const fmc_i16x8 first = { 15, 14, 13, 12, 11, 10, 9, 8 }, second = { 7, 6, 5, 4, 3, 2, 1, 0 };
    typedef int8_t i8x8 __attribute__((vector_size(8)));
    const int16_t w = (int16_t)v;
    fmc_i16x8 a;
    i8x8 bytes;
    uint64_t mask;

    memcpy(&a, d->above, sizeof a);
    a = a + first <= (fmc_i16x8){ w, w, w, w, w, w, w, w };
    bytes = __builtin_convertvector(a, i8x8);
    memcpy(&mask, &bytes, sizeof mask);
    if (mask)
        return (unsigned)__builtin_ctzll(mask) >> 3;
    memcpy(&a, d->above + 8, sizeof a);
    a = a + second <= (fmc_i16x8){ w, w, w, w, w, w, w, w };
    bytes = __builtin_convertvector(a, i8x8);
    memcpy(&mask, &bytes, sizeof mask);
    return 8 + ((unsigned)__builtin_ctzll(mask) >> 3);
#else
    unsigned s = 0;

    while (s < FMC_SYMBOLS - 1 && fmc_symbol_low(d, s) > v)
        s++;
    return s;
#endif
}

static inline unsigned fmc_dec_symbol(fmc_dec *d, const fmc_symbol_dist *p)
{
    const uint64_t r = d->range >> 15;
    const uint32_t zero = fmc_symbol_low(p, 0);
    const uint64_t split = r * zero;

    if (d->code >= split) { /* most often */
        fmc_dec_move(d, split, r * (32768 - zero));
        return 0;
    } else {
        const unsigned s = fmc_symbol_find(p, (uint32_t)(d->code / r));
        const uint32_t low = fmc_symbol_low(p, s), high = fmc_symbol_low(p, s - 1);

        fmc_dec_move(d, r * low, r * (high - low));
        return s;
    }
}

#endif
