/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_COEF_H
#define FMC_OPS_KERNELS_COEF_H

#include <stddef.h>
#include <stdint.h>

/** Lanes of the sums below; fixed, so that every variant adds in the same order. */
#define FMC_SUM_LANES 8

/** A quantiser's step as its loops need it: docs/format.md 8.6 has the inverse, the dead zone is the encoder's own. */
typedef struct fmc_quant_step {
    double step;
    float  lambda; /* weight of rate in the dead zone; 0: nearest */
} fmc_quant_step;

/** Sums of r = |c| / step - |q|: of all r^2, and of r and 1 by magnitude 1, 2, 3+. Element x is in lane x % 8. */
typedef struct fmc_quant_sums {
    float   square[FMC_SUM_LANES];
    float   sum[3][FMC_SUM_LANES];
    int32_t count[3][FMC_SUM_LANES];
} fmc_quant_sums;

/** The same without squares by the nine centres of a quantiser: 3 * busy + min(|q|, 3) - 1. */
typedef struct fmc_centre_sums {
    float   sum[9][FMC_SUM_LANES];
    int32_t count[9][FMC_SUM_LANES];
} fmc_centre_sums;

/*
 * The quantiser's loops over one row of n >= 1 values for one real type; north and south are the rows beside it, or the
 * row itself where there is none. Beyond its ends a row is continued by its first and last value.
 *
 * quantise_row  FREE but the same everywhere: q[x] = c[x] / step rounded with a dead zone that grows with the rarity of
 *               nonzeros around (lib/coef/quantise.h), |q| <= 2^28; adds to *s
 * centre_row    FREE but the same everywhere: adds what q leaves of c to *s
 * dequantise_row  EXACT: sign(q) * (|q| + centre[4 * busy + min(|q|, 3)]) * step (docs/format.md 8.6), |q| <= 2^28;
 *               centre[0], [4] and [8] are 0
 */
#define FMC_KERNELS_COEF_OF(real, type)                                                                                \
    void (*quantise_row_##type)(int32_t *q, const real *c, const real *north, const real *south, size_t n,            \
                                const fmc_quant_step *step, fmc_quant_sums *s);                                        \
    void (*centre_row_##type)(const int32_t *q, const int32_t *north, const int32_t *south, const real *c, size_t n,   \
                              double step, fmc_centre_sums *s);                                                        \
    void (*dequantise_row_##type)(real *x, const int32_t *q, const int32_t *north, const int32_t *south, size_t n,     \
                                  double step, const real centre[12]);

#define FMC_SLOTS_COEF(type, suffix)                                                                                   \
    .quantise_row_##type = quantise_row_##suffix, .centre_row_##type = centre_row_##suffix,                            \
    .dequantise_row_##type = dequantise_row_##suffix

#endif
