/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_SLICES_H
#define FMC_COEF_SLICES_H

#include "coef/band.h"

/** A run of whole rows of one band: the unit of parallel work on coefficients. */
typedef struct fmc_slice {
    const fmc_band *band;
    size_t          row;    /* first row, counting all leading axes */
    size_t          n_rows;
} fmc_slice;

enum { FMC_MAX_SLICES = 4 * FMC_MAX_BANDS };

/**
 * Cut the bands into slices of about `count` values (more for very large arrays: never above FMC_MAX_SLICES in all).
 * Depends on the bands only. @param slice FMC_MAX_SLICES entries. @return their number.
 */
size_t fmc_slices_cut(const fmc_band *band, size_t n_bands, size_t count, fmc_slice *slice);

/** Where row `row` of a band, counting all leading axes, begins in the transform's array; pitch as in coef/quantise.h. */
size_t fmc_slices_row_start(const fmc_band *band, size_t row, const size_t pitch[FMC_MAX_RANK]);

#endif
