/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_STATIC_BITS_H
#define FMC_COEF_STATIC_BITS_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"

/** Plain bits, the lowest of each byte first (docs/format.md 8.9). */
typedef struct fmc_bits_out {
    fmc_out *out; /* borrowed */
    uint64_t bits;
    unsigned n;   /* of them, < 32 between calls */
} fmc_bits_out;

typedef struct fmc_bits_in {
    const uint8_t *p, *end;
    uint64_t bits;
    unsigned n;      /* of them */
    uint32_t n_past; /* bytes read past the end (as zeros), saturating */
    int      bad;    /* a code that no encoder writes */
} fmc_bits_in;

/** n <= 32 bits of v < 2^n. */
static inline void fmc_static_put_bits(fmc_bits_out *b, uint32_t v, unsigned n)
{
    b->bits |= (uint64_t)v << b->n;
    b->n += n;
    if (b->n >= 32) {
        fmc_out_u32(b->out, (uint32_t)b->bits);
        b->bits >>= 32;
        b->n -= 32;
    }
}

/** Exp-Golomb code: n ones and a zero, then n bits, for v + 1 of n + 1 bits. v < 2^30. */
static inline void fmc_static_put_golomb(fmc_bits_out *b, uint32_t v)
{
    unsigned n = 0;

    while ((v + 1) >> n > 1)
        n++;
    fmc_static_put_bits(b, (1u << n) - 1, n + 1);
    fmc_static_put_bits(b, (v + 1) & ((1u << n) - 1), n);
}

static inline void fmc_static_end_bits(fmc_bits_out *b)
{
    for (; b->n > 0; b->n -= b->n < 8 ? b->n : 8) {
        fmc_out_u8(b->out, (uint8_t)b->bits);
        b->bits >>= 8;
    }
}

static inline void fmc_static_open_bits(fmc_bits_in *b, fmc_in *in)
{
    b->end = in->data + in->size;
    b->p = in->data + in->pos;
    in->pos = in->size;
}

/** At least 56 bits ahead. */
static inline void fmc_static_fill_bits(fmc_bits_in *b)
{
    if (b->end - b->p >= 8) {
        uint64_t v = 0;

        for (int i = 0; i < 8; i++) /* one load where that is the machine's order */
            v |= (uint64_t)b->p[i] << (8 * i);
        b->bits |= v << b->n;
        b->p += (63 - b->n) >> 3;
        b->n |= 56;
        return;
    }
    for (; b->n < 56; b->n += 8) {
        if (b->p < b->end)
            b->bits |= (uint64_t)*b->p++ << b->n;
        else
            b->n_past += b->n_past < UINT32_MAX;
    }
}

/** n <= 32 of the bits that fill_bits has made sure of. */
static inline uint32_t fmc_static_take_bits(fmc_bits_in *b, unsigned n)
{
    const uint32_t v = (uint32_t)(b->bits & (((uint64_t)1 << n) - 1));

    b->bits >>= n;
    b->n -= n;
    return v;
}

static inline uint32_t fmc_static_get_golomb(fmc_bits_in *b)
{
    unsigned n = 0;

    fmc_static_fill_bits(b);
    while (n < 30 && (b->bits >> n & 1))
        n++;
    if (n == 30) {
        b->bad = 1;
        return 0;
    }
    fmc_static_take_bits(b, n + 1);
    fmc_static_fill_bits(b);
    return ((1u << n) | fmc_static_take_bits(b, n)) - 1;
}

/** All bits used up, the rest of the last byte zeros. */
static inline fmc_status fmc_static_close_bits(const fmc_bits_in *b)
{
    const unsigned ahead = b->n / 8; /* whole bytes that were taken but not used */

    if (b->n_past > ahead)
        return FMC_ERR_TRUNCATED;
    return b->bad || b->bits || (b->n_past < ahead) || b->p != b->end ? FMC_ERR_CORRUPT : FMC_OK;
}

/** FMC_ERR_TRUNCATED if more was used than there is. */
static inline fmc_status fmc_static_check_bits(const fmc_bits_in *b)
{
    return b->n_past > b->n / 8 ? FMC_ERR_TRUNCATED : FMC_OK;
}

#endif
