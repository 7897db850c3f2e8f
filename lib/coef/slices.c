/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/slices.h"

size_t fmc_slices_cut(const fmc_band *band, size_t n_bands, size_t count, fmc_slice *slice)
{
    size_t total = 0, n = 0;

    for (size_t i = 0; i < n_bands; i++)
        total += band[i].count;
    if (count < total / (FMC_MAX_SLICES - FMC_MAX_BANDS) + 1)
        count = total / (FMC_MAX_SLICES - FMC_MAX_BANDS) + 1;
    for (size_t i = 0; i < n_bands; i++) {
        const size_t rows = band[i].dim[4] ? band[i].count / band[i].dim[4] : 0;
        const size_t step = (count + band[i].dim[4]) / (band[i].dim[4] + !band[i].dim[4]);

        for (size_t r = 0; r < rows; r += step) {
            slice[n].band = &band[i];
            slice[n].row = r;
            slice[n].n_rows = rows - r < step ? rows - r : step;
            n++;
        }
    }
    return n;
}

size_t fmc_slices_row_start(const fmc_band *band, size_t row, const size_t pitch[FMC_MAX_RANK])
{
    size_t at = band->origin[4], left = row;

    for (int a = 3; a >= 0; a--) {
        const size_t n = band->dim[a], next = left < n ? 0 : n == 1 ? left : left / n;

        at += (band->origin[a] + left - next * n) * pitch[a];
        left = next;
    }
    return at;
}
