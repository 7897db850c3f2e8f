/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_TRELLIS_H
#define FMC_COEF_TRELLIS_H

#include "coef/quantise.h"

/*
 * Trellis-coded quantisation (docs/format.md 8.6): values of a row are of two quantisers by turns, one with the even multiples
 * of a step, one with 0 and the odd ones, and coded as the integers that count these. Which is next, a state machine of eight states
 * says, driven by the parities of the integers before: a decoder follows it for nothing, an encoder chooses among all paths.
 * State 0 begins each row.
 */

enum { FMC_TRELLIS_STATES = 8 };

/** Quantiser of a state: 0 has the even multiples. */
static inline unsigned fmc_trellis_quantiser(unsigned state)
{
    return state & 1;
}

static inline unsigned fmc_trellis_next(unsigned state, uint32_t magnitude)
{
    static const uint8_t next[FMC_TRELLIS_STATES][2] = { { 0, 1 }, { 2, 3 }, { 5, 4 }, { 7, 6 },
                                                         { 1, 0 }, { 3, 2 }, { 4, 5 }, { 6, 7 } };

    return next[state][magnitude & 1];
}

/** The multiple of the step that an integer, |k| <= FMC_COEF_MAX / 2, of a quantiser stands for. */
static inline int32_t fmc_trellis_multiple(int32_t k, unsigned quantiser)
{
    const int32_t half = k ? (int32_t)quantiser : 0;

    return 2 * k + (k < 0 ? half : -half);
}

/** The inverse. */
static inline int32_t fmc_trellis_integer(int32_t m, unsigned quantiser)
{
    const int32_t size = m ? ((m < 0 ? -m : m) + (int32_t)quantiser) / 2 : 0;

    return m < 0 ? -size : size;
}

/** What the rate of an integer is supposed to be; kept from one quantisation to the next, in the end unchanged. */
typedef struct fmc_trellis_rates fmc_trellis_rates;

fmc_status fmc_trellis_rates_create(const fmc_allocator *a, fmc_trellis_rates **out);
void       fmc_trellis_rates_destroy(const fmc_allocator *a, fmc_trellis_rates *r);

/**
 * Quantise coefficients. Zone FREE. z->step: of the trellis; z->gain as for fmc_quantise. pitch as there.
 * @param rates   bits of integers: used, then, the first few times, replaced by what this quantisation gave.
 * @param q       gets multiples of the step, |q| <= FMC_COEF_MAX, as the coefficient coder takes them.
 * @param error2  gets the squared error, bands weighted.
 */
fmc_status fmc_trellis_f32(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const float *c, const size_t *pitch,
                           const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q, double *error2);
fmc_status fmc_trellis_f64(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const double *c, const size_t *pitch,
                           const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q, double *error2);

#endif
