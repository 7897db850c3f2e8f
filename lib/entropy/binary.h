/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_BINARY_H
#define FMC_ENTROPY_BINARY_H

#include <stdbool.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"

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
void fmc_enc_carry(fmc_enc *e);
void fmc_enc_shift(fmc_enc *e);
void fmc_dec_shift(fmc_dec *d);

static inline void fmc_enc_bit(fmc_enc *e, unsigned bit, uint32_t p)
{
    const uint64_t split = (e->range >> 16) * p;

    if (bit) {
        e->range = split;
    } else {
        e->low += split;
        e->range -= split;
        if (e->low < split)
            fmc_enc_carry(e);
    }
    if (e->range >> 32 == 0)
        fmc_enc_shift(e);
}

static inline unsigned fmc_dec_bit(fmc_dec *d, uint32_t p)
{
    const uint64_t split = (d->range >> 16) * p;
    const bool bit = d->code < split;

    d->range = bit ? split : d->range - split;
    d->code = bit ? d->code : d->code - split;
    if (d->range >> 32 == 0)
        fmc_dec_shift(d);
    return bit;
}

/** n <= 16 equiprobable bits. */
static inline void fmc_enc_raw(fmc_enc *e, uint32_t value, unsigned n)
{
    const uint64_t r = e->range >> n;
    const uint64_t add = r * value;

    e->low += add;
    e->range = r;
    if (e->low < add)
        fmc_enc_carry(e);
    if (e->range >> 32 == 0)
        fmc_enc_shift(e);
}

static inline uint32_t fmc_dec_raw(fmc_dec *d, unsigned n)
{
    const uint64_t r = d->range >> n;
    uint64_t v = d->code / r;

    if (v >> n) /* only in damaged streams */
        v = ((uint64_t)1 << n) - 1;
    d->code -= v * r;
    d->range = r;
    if (d->range >> 32 == 0)
        fmc_dec_shift(d);
    return (uint32_t)v;
}

#endif
