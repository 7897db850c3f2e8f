/* SPDX-License-Identifier: Apache-2.0 */
/* The serial part of the fast tiers: one row of values, a symbol of 16 each (docs/format.md 8.8). */
#include <string.h>

#include "coef/block.h"
#include "core/compiler.h"

enum { ESCAPE = FMC_SYMBOLS - 1, COUNT_LIMIT = 127 };

/*
 * One direction's coder, copied out of the block for a row so that it stays in registers; code_* return what they were
 * given when encoding and what they read when decoding.
 */
typedef struct coder {
    fmc_enc enc;
    fmc_dec dec;
    const int32_t   *q_north, *q_up;
    int32_t         *q;
    fmc_symbol_dist *dist[3];
    uint8_t         *n_seen[3];
    fmc_prob        *sign, *escape;
} coder;

FMC_ALWAYS_INLINE coder coder_of(const fmc_coef_block *b, const fmc_coef_row *r, int dec)
{
    fmc_coef_model *m = b->model;
    coder c;

    c.q = r->q;
    c.q_north = r->q_north;
    c.q_up = r->q_up;
    c.sign = m->sign + (r->band->high >> 3 & 3);
    c.escape = m->exp_golomb;
    if (dec)
        c.dec = *b->dec;
    else
        c.enc = *b->enc;
    for (int i = 0; i < 3; i++) {
        c.dist[i] = m->dist[i];
        c.n_seen[i] = m->n_seen[i];
    }
    return c;
}

FMC_ALWAYS_INLINE unsigned code_flag(coder *c, int dec, unsigned bit, fmc_prob *p)
{
    const uint32_t p16 = fmc_prob_p16(*p);

    if (dec)
        bit = fmc_dec_bit(&c->dec, p16);
    else
        fmc_enc_bit(&c->enc, bit, p16);
    fmc_prob_update(p, bit, COUNT_LIMIT);
    return bit;
}

/* n raw bits, highest first, 16 at a time and the remainder last. */
FMC_ALWAYS_INLINE uint32_t code_raw(coder *c, int dec, uint32_t v, unsigned n)
{
    uint32_t low = 0;

    for (unsigned left = n; left > 0;) {
        const unsigned take = left > 16 ? 16 : left;

        left -= take;
        if (dec)
            low = low << take | fmc_dec_raw(&c->dec, take);
        else
            fmc_enc_raw(&c->enc, v >> left & ((1u << take) - 1), take);
    }
    return dec ? low : v;
}

/* Adaptive Exp-Golomb code of v >= 0, docs/format.md 8.4. */
static uint32_t code_escape(coder *c, int dec, uint32_t v, fmc_prob *escape)
{
    unsigned n = 0;

    if (!dec)
        while ((v + 1) >> n > 1)
            n++;
    for (unsigned i = 0; i < 30; i++) {
        if (!code_flag(c, dec, i < n, &escape[i])) {
            n = i;
            break;
        }
        if (dec)
            n = i + 1;
    }
    if (!dec) {
        code_raw(c, 0, v + 1, n);
        return v;
    }
    return ((uint32_t)1 << n | code_raw(c, 1, 0, n)) - 1;
}

FMC_ALWAYS_INLINE int sign_class(const int32_t *q, size_t x)
{
    return q ? (q[x] > 0) - (q[x] < 0) + 1 : 1;
}

FMC_ALWAYS_INLINE unsigned code_sign(coder *c, int dec, size_t x, unsigned negative)
{
    const int west = x ? (c->q[x - 1] > 0) - (c->q[x - 1] < 0) + 1 : 1;
    const int context = west * 9 + sign_class(c->q_north, x) * 3 + sign_class(c->q_up, x);

    return code_flag(c, dec, negative, &c->sign[context * 4]);
}

/* What follows a symbol that is not 0: escape, low bits, sign. */
FMC_ALWAYS_INLINE int32_t code_rest(coder *c, int dec, size_t x, unsigned symbol, unsigned shift, int32_t value)
{
    const uint32_t rest = (value < 0 ? 0u - (uint32_t)value : (uint32_t)value) - 1; /* |value| - 1 */
    uint32_t high = symbol - 1, low = 0, a;
    unsigned negative = value < 0;

    if (FMC_UNLIKELY(symbol == ESCAPE)) {
        coder copy = *c;

        high += code_escape(&copy, dec, (rest >> shift) - (ESCAPE - 1), c->escape);
        *c = copy;
    }
    if (shift)
        low = code_raw(c, dec, rest, shift);
    negative = code_sign(c, dec, x, negative);
    if (!dec)
        return value;
    a = 1 + (high << shift | low);
    if (a > (uint32_t)FMC_COEF_MAX) /* hostile streams only */
        a = (uint32_t)FMC_COEF_MAX;
    return negative ? -(int32_t)a : (int32_t)a;
}

/* 2 : 1 : 1 of three distributions. */
FMC_ALWAYS_INLINE void average(fmc_symbol_dist *to, const fmc_symbol_dist *e, const fmc_symbol_dist *a,
                               const fmc_symbol_dist *b)
{
#if defined(__GNUC__)
    for (int i = 0; i < FMC_SYMBOLS; i += 8) {
        fmc_u16x8 x, y, z;

        memcpy(&x, e->above + i, sizeof x);
        memcpy(&y, a->above + i, sizeof y);
        memcpy(&z, b->above + i, sizeof z);
        x = (x + ((y + z) >> 1)) >> 1;
        memcpy(to->above + i, &x, sizeof x);
    }
#else
    for (int i = 0; i < FMC_SYMBOLS; i++) {
        to->above[i] = (int16_t)((e->above[i] + ((a->above[i] + b->above[i]) >> 1)) >> 1);
    }
#endif
}

FMC_ALWAYS_INLINE void learn(fmc_symbol_dist *d, uint8_t *count, unsigned symbol)
{
    const unsigned n = *count;

    fmc_symbol_update(d, symbol, fmc_symbol_rate[n]);
    *count = (uint8_t)(n + (n < FMC_SYMBOL_LIMIT));
}

/* One symbol with the distribution of the energy (line), or the average of that and those of both pairs. */
FMC_ALWAYS_INLINE unsigned code_symbol(coder *c, int dec, unsigned symbol, size_t line, const size_t *pair)
{
    fmc_symbol_dist *own = c->dist[0] + line, *first = NULL, *second = NULL, mixed;

    if (pair) {
        first = c->dist[1] + pair[0];
        second = c->dist[2] + pair[1];
        if (FMC_UNLIKELY(c->n_seen[1][pair[0]] == 0)) /* not met before: start from what the energy says */
            *first = *own;
        if (FMC_UNLIKELY(c->n_seen[2][pair[1]] == 0))
            *second = *own;
        average(&mixed, own, first, second);
    }
    if (dec)
        symbol = fmc_dec_symbol(&c->dec, pair ? &mixed : own);
    else
        fmc_enc_symbol(&c->enc, pair ? &mixed : own, symbol);
    learn(own, c->n_seen[0] + line, symbol);
    if (pair) {
        learn(first, c->n_seen[1] + pair[0], symbol);
        learn(second, c->n_seen[2] + pair[1], symbol);
    }
    return symbol;
}

/* Where the segment at x ends; *quiet: the neighbourhood of all of it is zero. */
FMC_ALWAYS_INLINE size_t segment_end(const fmc_coef_block *b, const fmc_coef_row *r, size_t x, int *quiet)
{
    *quiet = b->scratch.quiet[x / FMC_COEF_SEGMENT] && (x == 0 || !(r->mag[x - 1] | r->mag[x - 2]));
    return x + FMC_COEF_SEGMENT < r->n ? x + FMC_COEF_SEGMENT : r->n;
}

FMC_ALWAYS_INLINE void encode_row(fmc_coef_block *b, const fmc_coef_row *r, int averaged)
{
    const fmc_coef_symbols s = b->scratch.symbols;
    const unsigned band_class = r->band_class;
    fmc_prob *segment = b->model->segment + band_class * 4;
    const size_t n = r->n;
    coder c = coder_of(b, r, 0);
    unsigned previous = 0, is_made = 0;
    size_t end;

    b->kernels->row_sizes(r->mag, r->q, r->n);
    for (size_t x = 0; x < n; x = end) {
        int quiet;

        end = segment_end(b, r, x, &quiet);
        if (quiet) {
            unsigned any = 0;

            for (size_t i = x; i < end; i++)
                any |= r->mag[i];
            previous = code_flag(&c, 0, any != 0, &segment[previous]);
            if (!previous)
                continue;
        }
        if (!is_made) /* many rows have nothing that is coded */
            b->kernels->row_symbols(&s, b->scratch.rows.energy, b->scratch.pair, r->mag, r->q,
                                    fmc_coef_class_weights(r->band_class), r->n);
        is_made = 1;
        for (; x < end; x++) {
            const size_t line = (size_t)s.energy[x] * FMC_COEF_CLASSES + band_class;
            const size_t pair[2] = { averaged ? s.pair[0][x] : 0, averaged ? s.pair[1][x] : 0 };

            code_symbol(&c, 0, s.symbol[x], line, averaged ? pair : NULL);
            if (s.symbol[x])
                code_rest(&c, 0, x, s.symbol[x], s.shift[x], r->q[x]);
        }
    }
    *b->enc = c.enc;
}

FMC_ALWAYS_INLINE unsigned log_class(const uint8_t *table, uint32_t v)
{
    return table[v < FMC_COEF_LOG_MAX ? v : FMC_COEF_LOG_MAX - 1];
}

FMC_ALWAYS_INLINE void decode_row(fmc_coef_block *b, const fmc_coef_row *r, int averaged)
{
    const uint8_t *table = b->model->log_class;
    const uint16_t *energy = b->scratch.rows.energy, *first = b->scratch.pair[0], *second = b->scratch.pair[1];
    const unsigned band_class = r->band_class;
    fmc_prob *segment = b->model->segment + band_class * 4;
    const size_t n = r->n;
    const uint32_t k_w = fmc_coef_class_weights(r->band_class)->w, k_ww = fmc_coef_class_weights(r->band_class)->ww;
    coder c = coder_of(b, r, 1);
    unsigned previous = 0;
    size_t end;

    for (size_t x = 0; x < n; x = end) {
        uint32_t w = x ? r->mag[x - 1] : 0, ww = x ? r->mag[x - 2] : 0;
        int quiet;

        end = segment_end(b, r, x, &quiet);
        if (quiet) {
            previous = code_flag(&c, 1, 0, &segment[previous]);
            if (!previous) {
                memset(r->q + x, 0, (end - x) * sizeof *r->q);
                memset(r->mag + x, 0, end - x);
                continue;
            }
        }
        for (; x < end; x++) {
            const unsigned e = log_class(table, energy[x] + ((k_w * w + k_ww * ww) >> 4));
            const unsigned shift = e < 23 ? 0 : (e - 19) >> 2;
            const size_t line = (size_t)e * FMC_COEF_CLASSES + band_class;
            size_t pair[2] = { 0, 0 };
            int32_t value = 0;
            unsigned symbol;

            if (averaged) {
                pair[0] = (size_t)(log_class(table, (2 * w + ww) * 4) / 2 * FMC_COEF_LEVELS * 2) +
                          first[x];
                pair[1] = (size_t)second[x] + (w > 0);
            }
            symbol = code_symbol(&c, 1, 0, line, averaged ? pair : NULL);
            if (symbol)
                value = code_rest(&c, 1, x, symbol, shift, 0);
            c.q[x] = value;
            ww = w;
            w = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
            w = w > 255 ? 255 : w;
            r->mag[x] = (uint8_t)w;
        }
    }
    *b->dec = c.dec;
}

void fmc_coef_code_symbols(fmc_coef_block *b, const fmc_coef_row *row)
{
    const int averaged = b->model->tier == FMC_COEF_AVERAGE;

    if (b->dec && averaged)
        decode_row(b, row, 1);
    else if (b->dec)
        decode_row(b, row, 0);
    else if (averaged)
        encode_row(b, row, 1);
    else
        encode_row(b, row, 0);
}
