/* SPDX-License-Identifier: Apache-2.0 */
/* Packing for one real type; REAL and NAME(x) defined. */

void NAME(fmc_tx_pack)(const fmc_tx_plan *plan, const fmc_band *band, size_t n_bands, const REAL *layout, REAL *packed)
{
    for (size_t i = 0; i < n_bands; i++) {
        const size_t *dim = band[i].dim;
        const size_t n_rows = dim[0] * dim[1] * dim[2] * dim[3];
        row_walk walk = row_walk_start(plan, &band[i]);
        REAL *to = packed + band[i].start;

        for (size_t r = 0; r < n_rows; r++, to += dim[4], row_walk_next(&walk))
            memcpy(to, layout + walk.offset, dim[4] * sizeof *to);
    }
}

void NAME(fmc_tx_unpack)(const fmc_tx_plan *plan, const fmc_band *band, size_t n_bands, const REAL *packed, REAL *layout)
{
    for (size_t i = 0; i < n_bands; i++) {
        const size_t *dim = band[i].dim;
        const size_t n_rows = dim[0] * dim[1] * dim[2] * dim[3];
        row_walk walk = row_walk_start(plan, &band[i]);
        const REAL *from = packed + band[i].start;

        for (size_t r = 0; r < n_rows; r++, from += dim[4], row_walk_next(&walk))
            memcpy(layout + walk.offset, from, dim[4] * sizeof *from);
    }
}
