/* SPDX-License-Identifier: Apache-2.0 */
/* The serial part of the coefficient coder: one row of values, contexts and means of each (docs/format.md 8.4, 8.5). */
#include <string.h>

#include "coef/code_value.h"
#include "coef/trellis.h"

enum { MAX_ERROR = 4000 };

/* Lines of the energy context and mixing weights for c->energy_class. */
FMC_ALWAYS_INLINE void set_class(value_context *c, unsigned band_class)
{
    const unsigned e = c->energy_class, range = e < 4 ? 0 : e < 10 ? 1 : e < 14 ? 2 : 3;

    c->energy = c->size->energy + ((size_t)e * FMC_COEF_CLASSES + band_class) * FMC_COEF_DECISIONS;
    c->mix = c->size->mix + (size_t)band_class * FMC_COEF_DECISIONS * 4 + range;
}

FMC_ALWAYS_INLINE void find_contexts(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, size_t x, uint32_t w,
                                     uint32_t ww, uint32_t energy, uint32_t run, int level)
{
    fmc_coef_model *m = b->model;
    const unsigned e = log_class(m, energy);
    uint32_t first[5];

    c->energy_class = e;
    set_class(c, r->band_class);
    first[0] = log_class(m, (2 * w + ww) * 4) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[0][x];
    first[1] = b->scratch.pair[1][x] + (w > 0);
    if (level) {
        const uint32_t near = 4 * w + 2 * b->scratch.rows.north[x] + b->scratch.rows.up[x];

        first[2] = log_class(m, 2 * near) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[2][x];
        first[3] = log_class(m, 2 * near) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[3][x];
        first[4] = log_class(m, run) / 2 * FMC_COEF_LEVELS * 2 + b->scratch.pair[4][x];
    }
    for (uint32_t i = 0; i < (level ? 5u : 2u); i++)
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

/* Values of a trellis are multiples of its step, and what is coded counts every other one: 1; else 0. */
FMC_ALWAYS_INLINE unsigned unit_of(const fmc_coef_model *m)
{
    return m->n_quantisers - 1;
}

/* Sums over values in what is coded. */
FMC_ALWAYS_INLINE uint32_t in_integers(uint32_t sum, unsigned unit)
{
    return (sum + unit) >> unit;
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

FMC_ALWAYS_INLINE void find_mean(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, size_t x)
{
    const uint16_t *e = b->scratch.error + x;
    const unsigned unit = unit_of(b->model);

    c->scale = (3u * e[-1] + e[-2] + 3u * e[0] + e[1] + in_integers(b->scratch.rows.energy[x], unit)) / 9;
    c->scale_class = log_class(b->model, c->scale) / 2;
    c->mean = b->model->mean + c->scale_class * FMC_COEF_MEANS;
    gather_taps(r, x, fmc_mean_features(&b->model->own));
    c->mean_q4 = to_q4(fmc_mean_predict(&b->model->own));
    if (unit) { /* the integer of a multiple; between the multiples around 0 in proportion */
        const int32_t m = c->mean_q4, near = m > ONE ? ONE : m < -ONE ? -ONE : m;

        c->mean_q4 = (m + (c->quantiser ? near : 0)) / 2;
    }
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
    base = (c->mean_q4 + ONE / 2) >> 4;
    c->mean_q4 -= base * ONE;
    *energy = c->scale;
    c->energy_class = log_class(m, c->scale);
    set_class(c, FMC_COEF_DIFFERENCE);
    return base;
}

/* The prior's opinion on the value at x. `sum`: the expected magnitude or difference; integer: when coding. */
FMC_ALWAYS_INLINE void ask_prior(fmc_coef_block *b, const fmc_coef_row *r, value_context *c, size_t x, uint32_t energy,
                                 uint32_t sum, uint32_t run, int32_t base, int32_t integer)
{
    const fmc_prior *p = b->model->prior;
    const fmc_prior_place at = { .x = x, .energy = energy, .run = run, .scale = c->scale, .mean = c->mean_q4,
                                 .shift = split_of(sum), .is_difference = base != 0 };
    const unsigned place = r->prior.place + FMC_PRIOR_PLACES / 3 * (unit_of(b->model) ? 1 + c->quantiser : 0);
    int16_t feature[FMC_PRIOR_FEATURES];

    fmc_prior_features(b, r, &at, feature);
    fmc_prior_ask(p, b->kernels, feature, place, c->logit);
    c->is_turned = c->mean_q4 < 0;
    c->by_logit = c->size->logit + (c->energy_class < 12 ? 0 : c->energy_class < 20 ? 1 : 2) * FMC_COEF_BUCKETS;
    if (p->watch && p->watch->value && !b->dec) {
        const int64_t d = (int64_t)integer - base, size = d < 0 ? -d : d;
        const int32_t steps = d ? 1 + (int32_t)((size - 1) >> at.shift) : 0;

        p->watch->value(p->watch->user, feature, place, (d < 0) != c->is_turned ? -steps : steps);
    }
}

/* What the mean learns from a value, coded as an integer with this mean; energy in the unit of values. */
FMC_ALWAYS_INLINE void learn_mean(fmc_coef_block *b, int32_t value, int32_t integer, int32_t mean_q4, uint32_t energy, size_t x)
{
    int64_t e = (int64_t)integer * ONE - mean_q4;

    e = e < 0 ? -e : e;
    b->scratch.error[x] = (uint16_t)(e > MAX_ERROR ? MAX_ERROR : e);
    fmc_mean_update(&b->model->own, (double)value, (double)energy * 0.0625);
}

FMC_ALWAYS_INLINE int16_t quick_log(const fmc_coef_model *m, int32_t value, uint32_t magnitude)
{
    if (FMC_LIKELY(magnitude < FMC_COEF_LOG_MAX))
        return value < 0 ? (int16_t)-m->value_log[magnitude] : m->value_log[magnitude];
    return fmc_prior_log(value, unit_of(m));
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

FMC_ALWAYS_INLINE void code_row(fmc_coef_block *b, const fmc_coef_row *r, int dec, int level)
{
    const fmc_coef_weights *k = fmc_coef_class_weights(r->band_class);
    value_context c = { 0 };
    const unsigned unit = unit_of(b->model);
    const int has_turns = unit && !r->band->is_low;
    const int32_t most = FMC_COEF_MAX >> unit;
    uint32_t w = 0, ww = 0, run = 0;
    unsigned previous = 0, state = 0;

    for (size_t x = 0; x < r->n; x++) {
        uint32_t sum, energy, expected, magnitude;
        int32_t value, integer, mean_q4, base = 0;

        if (x % FMC_COEF_SEGMENT == 0 && b->scratch.quiet[x / FMC_COEF_SEGMENT] && !(w | ww)) {
            const size_t end = x + FMC_COEF_SEGMENT < r->n ? x + FMC_COEF_SEGMENT : r->n;

            if (code_segment(b, r, dec, x, end, &previous)) {
                if (level)
                    memset(b->scratch.error + x, 0, (end - x) * sizeof *b->scratch.error);
                for (; has_turns && x < end; x++)
                    state = fmc_trellis_next(state, 0);
                x = end - 1;
                run = 0;
                continue;
            }
        }
        sum = b->scratch.rows.energy[x] + ((k->w * w + k->ww * ww) >> 4);
        energy = in_integers(sum, unit);
        c.quantiser = fmc_trellis_quantiser(state);
        c.size = &b->model->size[c.quantiser];
        integer = dec ? 0 : unit ? fmc_trellis_integer(r->q[x], c.quantiser) : r->q[x];
        find_contexts(b, r, &c, x, w, ww, energy, run, level);
        expected = energy;
        if (level)
            find_mean(b, r, &c, x);
        mean_q4 = c.mean_q4;
        if (level)
            base = take_difference(b->model, &c, &expected);
        if (level == WITH_PRIOR)
            ask_prior(b, r, &c, x, energy, expected, run, base, integer);
        integer = base + code_value(b, r, &c, dec, x, expected, integer - base, level);
        if (dec) {
            integer = integer > most ? most : integer < -most ? -most : integer;
            r->q[x] = unit ? fmc_trellis_multiple(integer, c.quantiser) : integer;
        }
        value = r->q[x];
        if (level)
            learn_mean(b, value, integer, mean_q4, sum, x);
        magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
        if (has_turns)
            state = fmc_trellis_next(state, (magnitude + c.quantiser) / 2);
        if (level == WITH_PRIOR)
            r->prior.own[x] = quick_log(b->model, value, magnitude);
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

    if (b->model->dist[0])
        fmc_coef_code_symbols(b, row);
    else if (b->model->prior)
        code_row(b, row, dec, WITH_PRIOR);
    else if (b->model->tier == FMC_COEF_BEST && dec)
        code_row(b, row, 1, WITH_MEAN);
    else if (b->model->tier == FMC_COEF_BEST)
        code_row(b, row, 0, WITH_MEAN);
    else if (dec)
        code_row(b, row, 1, PLAIN);
    else
        code_row(b, row, 0, PLAIN);
}
