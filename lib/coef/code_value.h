/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_CODE_VALUE_H
#define FMC_COEF_CODE_VALUE_H

/* Binarisation of one value, its decisions mixed bit by bit, docs/format.md 8.4. Inlined into the loop over a row. */

#include "coef/block.h"
#include "core/compiler.h"

enum {
    ONE = 16,              /* energies are in 1/16 */
    SPLIT_ENERGY = 8 * ONE, /* from here on low bits are split off */
    MAX_UNARY = 24,
    COUNT_LIMIT = 127
};

/* How much is mixed: tiers MIX, BEST, PRIOR. */
enum { PLAIN = 0, WITH_MEAN = 1, WITH_PRIOR = 2 };

/* What the decisions of one value share. */
typedef struct value_context {
    fmc_prob    *energy;                  /* line of FMC_COEF_DECISIONS */
    fmc_prob    *pair[5];                 /* lines of FMC_COEF_SLOTS */
    fmc_prob    *mean;                    /* row of this scale, for slot 0 */
    fmc_mix_set *mix;                     /* [decision][4], at this energy range */
    const fmc_size_tables *size;          /* of the value's quantiser */
    unsigned     quantiser;
    int32_t      mean_q4;
    uint32_t     scale;                   /* expected |value - mean| in 1/16, tier BEST; else 0 */
    unsigned     scale_class;
    unsigned     energy_class;
    int16_t      logit[FMC_COEF_OUTPUTS]; /* what the prior says, 1/256 */
    fmc_prob    *by_logit;                /* counters of this range: [output][3][bucket] */
    int          is_turned;               /* the mean is negative: the prior speaks of the negated value */
    unsigned     ladder;                  /* its first output about sizes, for the sign that was coded */
} value_context;

FMC_ALWAYS_INLINE unsigned code_bit(fmc_coef_block *b, int dec, unsigned bit, uint32_t p)
{
    if (dec)
        return fmc_dec_bit(b->dec, p);
    fmc_enc_bit(b->enc, bit, p);
    return bit;
}

FMC_ALWAYS_INLINE unsigned code_adaptive(fmc_coef_block *b, int dec, unsigned bit, fmc_prob *p)
{
    bit = code_bit(b, dec, bit, fmc_prob_p16(*p));
    fmc_prob_update(p, bit, COUNT_LIMIT);
    return bit;
}

FMC_ALWAYS_INLINE unsigned rate_shift(uint32_t n)
{
    return n < 64 ? 14 : n < 512 ? 15 : n < 4096 ? 16 : 17;
}

FMC_ALWAYS_INLINE void teach(int32_t *w, int32_t stretched, int32_t error, unsigned shift)
{
    *w = (int32_t)((uint32_t)*w + (uint32_t)((stretched * error + (1 << (shift - 1))) >> shift));
}

/* Mix the n probabilities in p, and a logit if there is one, code the bit, teach weights and probabilities. */
FMC_ALWAYS_INLINE unsigned code_mixed(fmc_coef_block *b, int dec, unsigned bit, fmc_mix_set *set, fmc_prob *const *p,
                                      uint32_t n, const int32_t *logit)
{
    int32_t st[FMC_COEF_MAX_INPUTS];
    int64_t dot = 0;
    int32_t error;
    unsigned shift;
    uint32_t prob;

    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && (*p[i] & 1023) == 0) /* not met before: start from what the energy says */
            *p[i] = *p[0] & ~(fmc_prob)1023;
        st[i] = fmc_stretch(*p[i]);
        dot += (int64_t)st[i] * set->w[i];
    }
    if (logit)
        dot += (int64_t)*logit * set->w[n];
    dot >>= 14;
    prob = fmc_squash((int32_t)(dot < -3072 ? -3072 : dot > 3072 ? 3072 : dot));
    bit = code_bit(b, dec, bit, prob);
    error = (int32_t)((bit << 16) - bit) - (int32_t)prob;
    shift = rate_shift(set->n);
    set->n++;
    for (uint32_t i = 0; i < n; i++) {
        teach(&set->w[i], st[i], error, shift);
        fmc_prob_update(p[i], bit, COUNT_LIMIT);
    }
    if (logit)
        teach(&set->w[n], *logit, error, shift);
    return bit;
}

FMC_ALWAYS_INLINE unsigned log_class(const fmc_coef_model *m, uint32_t v)
{
    return m->log_class[v < FMC_COEF_LOG_MAX ? v : FMC_COEF_LOG_MAX - 1];
}

/* Signed logarithmic class of v (1/16), 0..FMC_COEF_MEANS-1, 15 for 0. */
FMC_ALWAYS_INLINE unsigned mean_class(const fmc_coef_model *m, int32_t v)
{
    const unsigned c = (log_class(m, (uint32_t)(v < 0 ? -(int64_t)v : v)) + 1) / 2;
    const unsigned k = c > 15 ? 15 : c;

    return v < 0 ? 15 - k : 15 + k;
}

/* The counter of a prior's output, by its logit. */
FMC_ALWAYS_INLINE fmc_prob *counter_of(const value_context *c, unsigned output)
{
    return c->by_logit + (size_t)output * 3 * FMC_COEF_BUCKETS + (unsigned)((c->logit[output] + 2048) >> 7);
}

/* Decision k >= 1: is the magnitude larger than k? `rest` = what the mean expects beyond k, in 1/16. */
FMC_ALWAYS_INLINE unsigned code_decision(fmc_coef_block *b, const value_context *c, int dec, unsigned bit, unsigned k,
                                         int32_t rest, int level)
{
    const unsigned slot = k < FMC_COEF_SLOTS ? k : FMC_COEF_SLOTS - 1;
    const unsigned line = k < FMC_COEF_DECISIONS ? k : FMC_COEF_DECISIONS - 1;
    fmc_prob *p[FMC_COEF_MAX_INPUTS];
    uint32_t n = 0;

    p[n++] = c->energy + line;
    for (uint32_t i = 0; i < (level ? 5u : 2u); i++)
        p[n++] = c->pair[i] + slot;
    if (level)
        p[n++] = c->mean + (size_t)slot * FMC_COEF_MEANS * (FMC_COEF_ENERGIES / 2) + mean_class(b->model, rest);
    if (level == WITH_PRIOR) {
        const unsigned output = k ? c->ladder + slot - 1 : 0;
        const int32_t logit = c->logit[output];

        p[n++] = counter_of(c, output);
        return code_mixed(b, dec, bit, c->mix + line * 4, p, n, &logit);
    }
    return code_mixed(b, dec, bit, c->mix + line * 4, p, n, NULL);
}

/* Adaptive Exp-Golomb code of v >= 0, docs/format.md 8.4. */
FMC_ALWAYS_INLINE uint32_t code_escape(fmc_coef_block *b, int dec, uint32_t v)
{
    fmc_coef_model *m = b->model;
    unsigned n = 0;
    uint32_t low = 0;

    if (!dec)
        while ((v + 1) >> n > 1)
            n++;
    for (unsigned i = 0; i < 30; i++) {
        if (!code_adaptive(b, dec, i < n, &m->exp_golomb[i])) {
            n = i;
            break;
        }
        if (dec)
            n = i + 1;
    }
    for (unsigned left = n; left > 0;) {
        const unsigned take = left > 16 ? 16 : left;

        left -= take;
        if (dec)
            low = low << take | fmc_dec_raw(b->dec, take);
        else
            fmc_enc_raw(b->enc, (v + 1) >> left & ((1u << take) - 1), take);
    }
    return dec ? ((uint32_t)1 << n | low) - 1 : v;
}

/* Unary code of v >= 0 in decisions first.., each with its contexts. step: what one decision is worth, log2. */
FMC_ALWAYS_INLINE uint32_t code_unary(fmc_coef_block *b, const value_context *c, int dec, uint32_t v, unsigned step,
                                      int32_t agree, int level)
{
    for (uint32_t k = 0; k < MAX_UNARY; k++) {
        const int32_t rest = agree - (int32_t)((k << step) + 1) * ONE;

        if (!code_decision(b, c, dec, v > k, k + 1, step ? rest >> step : rest, level))
            return k;
    }
    return MAX_UNARY + code_escape(b, dec, v - MAX_UNARY);
}

FMC_ALWAYS_INLINE uint32_t code_low_bits(fmc_coef_block *b, int dec, uint32_t v, uint32_t high, unsigned n)
{
    fmc_prob *top = &b->model->top_bit[high < 15 ? high : 15];
    uint32_t low = v & (((uint32_t)1 << n) - 1);
    uint32_t bit = code_adaptive(b, dec, low >> (n - 1), top);

    low = dec ? bit << (n - 1) : low;
    for (unsigned left = n - 1; left > 0;) {
        const unsigned take = left > 16 ? 16 : left;

        left -= take;
        if (dec)
            low |= fmc_dec_raw(b->dec, take) << left;
        else
            fmc_enc_raw(b->enc, low >> left & ((1u << take) - 1), take);
    }
    return low;
}

FMC_ALWAYS_INLINE int sign_class(const int32_t *q, size_t x)
{
    return q ? (q[x] > 0) - (q[x] < 0) + 1 : 1;
}

FMC_ALWAYS_INLINE unsigned code_sign(fmc_coef_block *b, const fmc_coef_row *r, const value_context *c, int dec,
                                     size_t x, unsigned negative, int level)
{
    fmc_coef_model *m = b->model;
    const int west = x ? (r->q[x - 1] > 0) - (r->q[x - 1] < 0) + 1 : 1;
    const int context = west * 9 + sign_class(r->q_north, x) * 3 + sign_class(r->q_up, x);
    fmc_prob *p[3] = { &m->sign[context * 4 + (r->band->high >> 3 & 3)] };

    if (!level)
        return code_adaptive(b, dec, negative, p[0]);
    p[1] = m->mean_sign + (size_t)c->scale_class * FMC_COEF_MEANS + mean_class(m, c->mean_q4);
    if (level == WITH_PRIOR) {
        const int32_t logit = c->is_turned ? -c->logit[1] : c->logit[1];

        p[2] = c->by_logit + 3 * FMC_COEF_BUCKETS + (unsigned)((logit + 2048) >> 7);
        return code_mixed(b, dec, negative, &m->sign_mix[r->band_class], p, 3, &logit);
    }
    return code_mixed(b, dec, negative, &m->sign_mix[r->band_class], p, 2, NULL);
}

/* Low bits that are split off large values. */
FMC_ALWAYS_INLINE unsigned split_of(uint32_t energy)
{
    unsigned shift = 0;

    while (energy >> shift > SPLIT_ENERGY)
        shift++;
    return shift;
}

FMC_ALWAYS_INLINE int32_t code_value(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, int dec, size_t x,
                                     uint32_t energy, int32_t value, int level)
{
    int32_t agree = c->mean_q4 < 0 ? -c->mean_q4 : c->mean_q4;
    uint32_t a = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    unsigned negative = value < 0, shift = 0;

    if (!code_decision(b, c, dec, a != 0, 0, agree, level))
        return 0;
    negative = code_sign(b, r, c, dec, x, negative, level);
    agree = negative ? -c->mean_q4 : c->mean_q4;
    c->ladder = (int)negative == c->is_turned ? 2 : 9;
    shift = split_of(energy);
    if (FMC_LIKELY(shift == 0)) {
        a = 1 + code_unary(b, c, dec, a - 1, 0, agree, level);
    } else {
        const uint32_t high = code_unary(b, c, dec, (a - 1) >> shift, shift, agree, level);

        a = 1 + ((high << shift) | code_low_bits(b, dec, a - 1, high, shift));
    }
    if (dec && a > 2u * FMC_COEF_MAX) /* hostile streams only; a difference may pass FMC_COEF_MAX */
        a = 2u * FMC_COEF_MAX;
    return negative ? -(int32_t)a : (int32_t)a;
}

#endif
