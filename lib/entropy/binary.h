/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_BINARY_H
#define FMC_ENTROPY_BINARY_H

#include <stdbool.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/compiler.h"

/**
 * Binary arithmetic coder, docs/format.md 11.1. A 64-bit interval is split at (range >> 16) * p, where p is the
 * probability of a 1 in 1/65536 (1..65535), and renormalised 32 bits at a time, so that the branch is almost never
 * taken. Inlined: this is the innermost operation of every coder.
 */
typedef struct fmc_enc {
    uint64_t low;
    uint64_t range;
    fmc_out *out;   /* borrowed; latches allocation failure */
    size_t   begin; /* out->size when the coder started: carries never reach further back */
} fmc_enc;

typedef struct fmc_dec {
    uint64_t       code; /* value - low, < range while the stream is sound */
    uint64_t       range;
    const uint8_t *p;
    const uint8_t *end;
    uint32_t       n_past; /* bytes read past the end (as zeros) */
} fmc_dec;

void       fmc_enc_init(fmc_enc *e, fmc_out *out);
/** Write what the decoder still needs; trailing zero bytes are left out. */
void       fmc_enc_finish(fmc_enc *e);
void       fmc_dec_init(fmc_dec *d, const uint8_t *data, size_t size);
/** FMC_OK, or FMC_ERR_TRUNCATED if more was read than a sound stream needs. */
fmc_status fmc_dec_finish(const fmc_dec *d);
/** Cold paths of the inline functions below. */
void fmc_enc_carry(const fmc_enc *e);
void fmc_enc_shift(fmc_enc *e);
void fmc_dec_shift(fmc_dec *d);

/* Copies, so that a coder whose address goes nowhere else can live in registers. */
static inline void fmc_enc_move(fmc_enc *e, uint64_t add, uint64_t range)
{
    e->low += add;
    e->range = range;
    if (FMC_UNLIKELY(e->low < add)) {
        const fmc_enc copy = *e;

        fmc_enc_carry(&copy);
    }
    if (FMC_UNLIKELY(range >> 32 == 0)) {
        fmc_enc copy = *e;

        fmc_enc_shift(&copy);
        *e = copy;
    }
}

static inline void fmc_dec_move(fmc_dec *d, uint64_t sub, uint64_t range)
{
    d->code -= sub;
    d->range = range;
    if (FMC_UNLIKELY(range >> 32 == 0)) {
        fmc_dec copy = *d;

        fmc_dec_shift(&copy);
        *d = copy;
    }
}

static inline void fmc_enc_bit(fmc_enc *e, unsigned bit, uint32_t p)
{
    const uint64_t split = (e->range >> 16) * p, rest = e->range - split, is_one = 0 - (uint64_t)(bit != 0);

    fmc_enc_move(e, split & ~is_one, (split & is_one) | (rest & ~is_one)); /* no branch: bits are hard to foretell */
}

static inline unsigned fmc_dec_bit(fmc_dec *d, uint32_t p)
{
    const uint64_t split = (d->range >> 16) * p;
    const bool bit = d->code < split;

    fmc_dec_move(d, bit ? 0 : split, bit ? split : d->range - split);
    return bit;
}

/** n <= 16 equiprobable bits. */
static inline void fmc_enc_raw(fmc_enc *e, uint32_t value, unsigned n)
{
    const uint64_t r = e->range >> n;

    fmc_enc_move(e, r * value, r);
}

static inline uint32_t fmc_dec_raw(fmc_dec *d, unsigned n)
{
    const uint64_t r = d->range >> n;
    uint64_t v = d->code / r;

    if (v >> n) /* only in damaged streams */
        v = ((uint64_t)1 << n) - 1;
    fmc_dec_move(d, v * r, r);
    return (uint32_t)v;
}

#endif
