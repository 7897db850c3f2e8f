/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_TRELLIS_H
#define FMC_COEF_TRELLIS_H

#include "coef/quantise.h"

/*
 * Trellis-coded quantisation (docs/format.md 8.6): values of a row are of two quantisers by turns, one with the even multiples
 * of a step, one with 0 and the odd ones. Which is next, a state machine of four states says, driven by the parities of the
 * integers before: a decoder follows it for nothing, an encoder chooses among all paths. State 0 begins each row.
 */

/** Quantiser of a state: 0 has the even multiples. */
static inline unsigned fmc_trellis_quantiser(unsigned state)
{
    return state >> 1;
}

static inline unsigned fmc_trellis_next(unsigned state, uint32_t magnitude)
{
    static const uint8_t next[4][2] = { { 0, 2 }, { 2, 0 }, { 1, 3 }, { 3, 1 } };

    return next[state][magnitude & 1];
}

/** Integers of a trellis to multiples of its step, in place; of bands that are low: twice the integer. Zone EXACT; any q is legal. */
fmc_status fmc_trellis_expand(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q);
/** The inverse. Only of what a trellis gave. */
fmc_status fmc_trellis_collapse(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q);

/** What the rate of an integer is supposed to be; kept from one quantisation to the next. */
typedef struct fmc_trellis_rates fmc_trellis_rates;

fmc_status fmc_trellis_rates_create(const fmc_allocator *a, fmc_trellis_rates **out);
void       fmc_trellis_rates_destroy(const fmc_allocator *a, fmc_trellis_rates *r);

/**
 * Quantise coefficients. Zone FREE. z->step: of the trellis; z->gain as for fmc_quantise. pitch as there.
 * @param rates   bits of integers: used, then replaced by what this quantisation gave.
 * @param q       gets multiples of the step (expanded).
 * @param error2  gets the squared error, bands weighted.
 */
fmc_status fmc_trellis_f32(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const float *c, const size_t *pitch,
                           const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q, double *error2);
fmc_status fmc_trellis_f64(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const double *c, const size_t *pitch,
                           const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q, double *error2);

#endif
