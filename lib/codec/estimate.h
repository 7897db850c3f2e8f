/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_ESTIMATE_H
#define FMC_CODEC_ESTIMATE_H

#include "coef/band.h"
#include "core/exec.h"

/**
 * About how many bits the coefficient coder needs: conditional entropy given the neighbours' magnitudes, from samples
 * of rows. Some per cent off, much the same for all coders of an array. Zone FREE.
 * @param q      band-major.
 * @param whole  look at all rows.
 */
fmc_status fmc_estimate_bits(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q, int whole,
                             double *bits);

#endif
