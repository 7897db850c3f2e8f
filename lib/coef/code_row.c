/* SPDX-License-Identifier: Apache-2.0 */
/* The serial part of the coefficient coder: one row of values, contexts mixed bit by bit (docs/format.md 8.4). */
#include <string.h>

#include "coef/block.h"
#include "core/compiler.h"

enum {
    ONE = 16,              /* energies are in 1/16 */
    SPLIT_ENERGY = 8 * ONE, /* from here on low bits are split off */
    MAX_UNARY = 24,
    COUNT_LIMIT = 127,
    MAX_ERROR = 4000
};

/* What the decisions of one value share. */
typedef struct value_context {
    fmc_prob    *energy;                  /* line of FMC_COEF_DECISIONS */
    fmc_prob    *pair[5];                 /* lines of FMC_COEF_SLOTS */
    fmc_prob    *mean[FMC_MEAN_SOURCES];  /* rows of this scale, for slot 0 */
    fmc_mix_set *mix;                     /* [decision][4], at this energy range */
    int32_t      mean_q4[FMC_MEAN_SOURCES];
    uint32_t     scale;                   /* expected |value - mean| in 1/16, tier BEST; else 0 */
    unsigned     scale_class[FMC_MEAN_SOURCES];
    unsigned     energy_class;
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

/* Mix the n probabilities in p, code the bit, teach weights and probabilities. */
FMC_ALWAYS_INLINE unsigned code_mixed(fmc_coef_block *b, int dec, unsigned bit, fmc_mix_set *set, fmc_prob *const *p,
                                      uint32_t n)
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
    dot >>= 14;
    prob = fmc_squash((int32_t)(dot < -3072 ? -3072 : dot > 3072 ? 3072 : dot));
    bit = code_bit(b, dec, bit, prob);
    error = (int32_t)((bit << 16) - bit) - (int32_t)prob;
    shift = rate_shift(set->n);
    set->n++;
    for (uint32_t i = 0; i < n; i++) {
        set->w[i] = (int32_t)((uint32_t)set->w[i] + (uint32_t)((st[i] * error + (1 << (shift - 1))) >> shift));
        fmc_prob_update(p[i], bit, COUNT_LIMIT);
    }
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

/* Decision k >= 1: is the magnitude larger than k? `rest` = what the mean expects beyond k, by source, in 1/16. */
FMC_ALWAYS_INLINE unsigned code_decision(fmc_coef_block *b, const value_context *c, int dec, unsigned bit, unsigned k,
                                         const int32_t *rest, uint32_t n_pairs, int n_means)
{
    const unsigned slot = k < FMC_COEF_SLOTS ? k : FMC_COEF_SLOTS - 1;
    const unsigned line = k < FMC_COEF_DECISIONS ? k : FMC_COEF_DECISIONS - 1;
    fmc_prob *p[FMC_COEF_MAX_INPUTS];
    uint32_t n = 0;

    p[n++] = c->energy + line;
    for (uint32_t i = 0; i < n_pairs; i++)
        p[n++] = c->pair[i] + slot;
    for (int i = 0; i < n_means; i++)
        if (c->mean[i])
            p[n++] = c->mean[i] + (size_t)slot * FMC_COEF_MEANS * (FMC_COEF_ENERGIES / 2) +
                     mean_class(b->model, rest[i]);
    return code_mixed(b, dec, bit, c->mix + line * 4, p, n);
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
                                      const int32_t *agree, uint32_t n_pairs, int n_means)
{
    for (uint32_t k = 0; k < MAX_UNARY; k++) {
        int32_t rest[FMC_MEAN_SOURCES] = { 0, 0 };

        for (int i = 0; i < n_means; i++)
            rest[i] = agree[i] - (int32_t)((k << step) + 1) * ONE;
        for (int i = 0; i < n_means; i++)
            rest[i] = step ? rest[i] >> step : rest[i];
        if (!code_decision(b, c, dec, v > k, k + 1, rest, n_pairs, n_means))
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
                                     size_t x, unsigned negative, int n_means)
{
    fmc_coef_model *m = b->model;
    const int west = x ? (r->q[x - 1] > 0) - (r->q[x - 1] < 0) + 1 : 1;
    const int context = west * 9 + sign_class(r->q_north, x) * 3 + sign_class(r->q_up, x);
    fmc_prob *p[1 + FMC_MEAN_SOURCES] = { &m->sign[context * 4 + (r->band->high >> 3 & 3)] };
    uint32_t n = 1;

    if (n_means == 0)
        return code_adaptive(b, dec, negative, p[0]);
    for (int i = 0; i < n_means; i++)
        if (m->mean[i].sign)
            p[n++] = m->mean[i].sign + (size_t)c->scale_class[i] * FMC_COEF_MEANS +
                     mean_class(m, c->mean_q4[i]);
    return code_mixed(b, dec, negative, &m->sign_mix[r->band_class], p, n);
}

FMC_ALWAYS_INLINE int32_t code_value(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, int dec, size_t x,
                                     uint32_t energy, int32_t value, uint32_t n_pairs, int n_means)
{
    int32_t agree[FMC_MEAN_SOURCES] = { 0, 0 };
    uint32_t a = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    unsigned negative = value < 0, shift = 0;

    for (int i = 0; i < n_means; i++)
        agree[i] = c->mean_q4[i] < 0 ? -c->mean_q4[i] : c->mean_q4[i];
    if (!code_decision(b, c, dec, a != 0, 0, agree, n_pairs, n_means))
        return 0;
    negative = code_sign(b, r, c, dec, x, negative, n_means);
    for (int i = 0; i < n_means; i++)
        agree[i] = negative ? -c->mean_q4[i] : c->mean_q4[i];
    while (energy >> shift > SPLIT_ENERGY)
        shift++;
    if (FMC_LIKELY(shift == 0)) {
        a = 1 + code_unary(b, c, dec, a - 1, 0, agree, n_pairs, n_means);
    } else {
        const uint32_t high = code_unary(b, c, dec, (a - 1) >> shift, shift, agree, n_pairs, n_means);

        a = 1 + ((high << shift) | code_low_bits(b, dec, a - 1, high, shift));
    }
    if (dec && a > 2u * FMC_COEF_MAX) /* hostile streams only; a difference may pass FMC_COEF_MAX */
        a = 2u * FMC_COEF_MAX;
    return negative ? -(int32_t)a : (int32_t)a;
}

/* Lines of the energy context and mixing weights for c->energy_class. */
FMC_ALWAYS_INLINE void set_class(fmc_coef_model *m, value_context *c, unsigned band_class)
{
    const unsigned e = c->energy_class, range = e < 4 ? 0 : e < 10 ? 1 : e < 14 ? 2 : 3;

    c->energy = m->energy + ((size_t)e * FMC_COEF_CLASSES + band_class) * FMC_COEF_DECISIONS;
    c->mix = m->mix + (size_t)band_class * FMC_COEF_DECISIONS * 4 + range;
}

FMC_ALWAYS_INLINE void find_contexts(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, size_t x, uint32_t w,
                                     uint32_t ww, uint32_t energy, uint32_t run, uint32_t n_pairs)
{
    fmc_coef_model *m = b->model;
    const unsigned e = log_class(m, energy);
    uint32_t first[5];

    c->energy_class = e;
    set_class(m, c, r->band_class);
    if (n_pairs == 0)
        return;
    first[0] = log_class(m, (2 * w + ww) * 4) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[0][x];
    first[1] = b->scratch.pair[1][x] + (w > 0);
    if (n_pairs > 2) {
        const uint32_t near = 4 * w + 2 * b->scratch.rows.north[x] + b->scratch.rows.up[x];

        first[2] = log_class(m, 2 * near) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[2][x];
        first[3] = log_class(m, 2 * near) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[3][x];
        first[4] = log_class(m, run) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[4][x];
    }
    for (uint32_t i = 0; i < n_pairs; i++)
        c->pair[i] = m->pair[i] + (size_t)first[i] * FMC_COEF_SLOTS;
}

FMC_ALWAYS_INLINE double at_or_zero(const int32_t *q, size_t n, size_t x)
{
    return q && x < n ? (double)q[x] : 0.0;
}

/* Features of the conditional mean, docs/format.md 8.5: W N U WW NN UU NW NE U+-x U+-y. */
FMC_ALWAYS_INLINE void gather_taps(const fmc_coef_row *r, size_t x, double *f)
{
    const size_t n = r->n;

    f[0] = at_or_zero(r->q, x, x - 1);
    f[1] = at_or_zero(r->q_north, n, x);
    f[2] = at_or_zero(r->q_up, n, x);
    f[3] = at_or_zero(r->q, x, x - 2);
    f[4] = at_or_zero(r->q_north2, n, x);
    f[5] = at_or_zero(r->q_up2, n, x);
    f[6] = at_or_zero(r->q_north, n, x - 1);
    f[7] = at_or_zero(r->q_north, n, x + 1);
    f[8] = at_or_zero(r->q_up, n, x - 1);
    f[9] = at_or_zero(r->q_up, n, x + 1);
    f[10] = at_or_zero(r->q_up_north, n, x);
    f[11] = at_or_zero(r->q_up_south, n, x);
}

/* Mean in 1/16 as an integer; NaN and huge values (hostile streams) become 0 or the limit. */
FMC_ALWAYS_INLINE int32_t to_q4(double mean)
{
    const double v = mean * 16.0;

    if (v > 1e6)
        return 1000000;
    if (!(v > -1e6))
        return v <= -1e6 ? -1000000 : 0;
    return (int32_t)v;
}

/* log2 of a scale in 1/16 as one of the 20 scale classes: half an octave each, from 1/8 on. */
FMC_ALWAYS_INLINE unsigned voice_scale_class(int16_t log2_q4)
{
    const int c = (log2_q4 + 3 * ONE) / (ONE / 2);

    return c < 0 ? 0 : c >= FMC_COEF_ENERGIES / 2 ? FMC_COEF_ENERGIES / 2 - 1 : (unsigned)c;
}

FMC_ALWAYS_INLINE void find_means(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, size_t x, int best)
{
    const uint16_t *e = b->scratch.error + x;

    c->scale = best ? (3u * e[-1] + e[-2] + 3u * e[0] + e[1] + b->scratch.rows.energy[x]) / 9 : 0;
    c->scale_class[FMC_MEAN_OWN] = log_class(b->model, c->scale) / 2;
    c->scale_class[FMC_MEAN_VOICE] = r->scale_q4 ? voice_scale_class(r->scale_q4[x]) : 0;
    for (int i = 0; i < FMC_MEAN_SOURCES; i++) {
        c->mean_q4[i] = 0;
        c->mean[i] = b->model->mean[i].size ? b->model->mean[i].size + c->scale_class[i] * FMC_COEF_MEANS : NULL;
    }
    if (best) {
        gather_taps(r, x, fmc_mean_features(&b->model->own));
        c->mean_q4[FMC_MEAN_OWN] = to_q4(fmc_mean_predict(&b->model->own));
    }
    if (r->mean_q4)
        c->mean_q4[FMC_MEAN_VOICE] = r->mean_q4[x];
}

/*
 * Large values that the mean predicts well are coded as differences from it. Moves means and contexts over and returns
 * what to subtract; *energy becomes the expected difference.
 */
FMC_ALWAYS_INLINE int32_t take_difference(fmc_coef_model *m, value_context *c, uint32_t *energy)
{
    int32_t base;

    if (*energy <= SPLIT_ENERGY || 2 * c->scale >= *energy)
        return 0;
    base = (c->mean_q4[FMC_MEAN_OWN] + ONE / 2) >> 4;
    for (int i = 0; i < FMC_MEAN_SOURCES; i++)
        c->mean_q4[i] -= base * ONE;
    *energy = c->scale;
    c->energy_class = log_class(m, c->scale);
    set_class(m, c, FMC_COEF_DIFFERENCE);
    return base;
}

/* What the mean learns from a value. */
FMC_ALWAYS_INLINE void learn_mean(fmc_coef_block *b, int32_t value, int32_t mean_q4, uint32_t energy, size_t x)
{
    int64_t e = (int64_t)value * ONE - mean_q4;

    e = e < 0 ? -e : e;
    b->scratch.error[x] = (uint16_t)(e > MAX_ERROR ? MAX_ERROR : e);
    fmc_mean_update(&b->model->own, (double)value, (double)energy * 0.0625);
}

/* One zero flag for a segment whose whole neighbourhood is zero. Returns 1 if the segment is done. */
FMC_ALWAYS_INLINE int code_segment(fmc_coef_block *b, const fmc_coef_row *r, int dec, size_t x, size_t end,
                                   unsigned *previous)
{
    fmc_prob *p = &b->model->segment[r->band_class * 4 + *previous];
    unsigned any = 0;

    if (!dec)
        for (size_t i = x; i < end; i++)
            any |= r->q[i] != 0;
    any = code_adaptive(b, dec, any, p);
    *previous = any;
    if (any)
        return 0;
    for (size_t i = x; i < end; i++) {
        r->q[i] = 0;
        r->mag[i] = 0;
    }
    return 1;
}

FMC_ALWAYS_INLINE void code_row(fmc_coef_block *b, const fmc_coef_row *r, int dec, uint32_t n_pairs, int n_means)
{
    const fmc_coef_weights *k = fmc_coef_class_weights(r->band_class);
    const int best = n_pairs == 5;
    value_context c = { 0 };
    uint32_t w = 0, ww = 0, run = 0;
    unsigned previous = 0;

    for (size_t x = 0; x < r->n; x++) {
        uint32_t energy, expected, magnitude;
        int32_t value, mean_q4, base = 0;

        if (x % FMC_COEF_SEGMENT == 0 && b->scratch.quiet[x / FMC_COEF_SEGMENT] && !(w | ww)) {
            const size_t end = x + FMC_COEF_SEGMENT < r->n ? x + FMC_COEF_SEGMENT : r->n;

            if (code_segment(b, r, dec, x, end, &previous)) {
                if (best)
                    memset(b->scratch.error + x, 0, (end - x) * sizeof *b->scratch.error);
                x = end - 1;
                run = 0;
                continue;
            }
        }
        energy = b->scratch.rows.energy[x] + ((k->w * w + k->ww * ww) >> 4);
        find_contexts(b, r, &c, x, w, ww, energy, run, n_pairs);
        if (n_means)
            find_means(b, r, &c, x, best);
        mean_q4 = c.mean_q4[FMC_MEAN_OWN];
        expected = energy;
        if (best)
            base = take_difference(b->model, &c, &expected);
        value = base + code_value(b, r, &c, dec, x, expected, dec ? 0 : r->q[x] - base, n_pairs, n_means);
        if (best)
            learn_mean(b, value, mean_q4, energy, x);
        if (dec) {
            value = value > FMC_COEF_MAX ? FMC_COEF_MAX : value < -FMC_COEF_MAX ? -FMC_COEF_MAX : value;
            r->q[x] = value;
        }
        magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
        magnitude = magnitude > 255 ? 255 : magnitude;
        r->mag[x] = (uint8_t)magnitude;
        run = (run * 7 >> 3) + magnitude * 16;
        run = run > 8000 ? 8000 : run;
        ww = w;
        w = magnitude;
    }
}

void fmc_coef_code_row(fmc_coef_block *b, const fmc_coef_row *row)
{
    const int dec = b->dec != NULL;
    const uint32_t tier = b->model->tier;

    if (b->model->dist[0]) {
        fmc_coef_code_symbols(b, row);
    } else if (b->model->mean[FMC_MEAN_VOICE].size) {
        if (tier == FMC_COEF_BEST)
            code_row(b, row, dec, 5, FMC_MEAN_SOURCES);
        else
            code_row(b, row, dec, tier == FMC_COEF_FAST ? 0 : 2, FMC_MEAN_SOURCES);
    } else if (tier == FMC_COEF_BEST) {
        if (dec)
            code_row(b, row, 1, 5, 1);
        else
            code_row(b, row, 0, 5, 1);
    } else {
        if (dec)
            code_row(b, row, 1, 2, 0);
        else
            code_row(b, row, 0, 2, 0);
    }
}
