/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_QUANTISE_H
#define FMC_COEF_QUANTISE_H

#include "coef/band.h"
#include "core/exec.h"

enum { FMC_QUANT_CLASSES = 3, FMC_QUANT_SIZES = 3 };

/**
 * Uniform quantiser with an adaptive dead zone and decoded values inside their bins (docs/format.md 8.6):
 * c' = sign(q) * (|q| + centre / 256) * step, centre by |q| = 1, 2, 3+ and by how busy the four neighbours are.
 */
typedef struct fmc_quantiser {
    double step;                                         /* > 0, at most 21 significant bits */
    float  lambda;                                       /* encoder: weight of rate, 0 = nearest */
    const float *gain;                                   /* encoder: weight of a band's squared error; NULL: 1 each */
    int8_t centre[FMC_QUANT_CLASSES][FMC_QUANT_SIZES];   /* -127..127 */
} fmc_quantiser;

/*
 * `pitch`: where coefficients are in their array: distances of neighbours along the axes of fmc_band.dim, pitch[4] is 1;
 * bands begin at their origins there. NULL: band-major, like the integers.
 */

/**
 * Quantise coefficients. Zone FREE. q gets the integers, |q| <= FMC_COEF_MAX.
 * @param error2  gets the squared error (units of c, bands weighted by z->gain) with the best centres of one class: an
 *                estimate for the search.
 * @param q       may be NULL: only the error is wanted, and one of `sampling` rows of the larger bands will do.
 */
fmc_status fmc_quantise_f32(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const float *c,
                            const size_t *pitch, const fmc_quantiser *z, uint32_t sampling, int32_t *q,
                            double *error2);
fmc_status fmc_quantise_f64(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const double *c,
                            const size_t *pitch, const fmc_quantiser *z, uint32_t sampling, int32_t *q,
                            double *error2);

/** Set z->centre to the means of the bins. */
fmc_status fmc_quantise_centres_f32(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const float *c,
                                    const size_t *pitch, const int32_t *q, fmc_quantiser *z);
fmc_status fmc_quantise_centres_f64(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const double *c,
                                    const size_t *pitch, const int32_t *q, fmc_quantiser *z);

/** Zone EXACT: integers back to coefficients; any q is legal. */
fmc_status fmc_dequantise_f32(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                              const fmc_quantiser *z, const size_t *pitch, float *c);
fmc_status fmc_dequantise_f64(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                              const fmc_quantiser *z, const size_t *pitch, double *c);

/** Round a step down to the 21 significant bits that the format stores. */
double fmc_quantise_round_step(double step);

#endif
