/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_ROWS_H
#define FMC_COEF_ROWS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Neighbourhood sums of one row of a band (docs/format.md 8.2). All come from the plane of clipped magnitudes
 * min(|q|, 255), one byte a value, laid out as the values are. n values each, at any alignment.
 */
typedef struct fmc_coef_rows {
    uint16_t *north;   /* 2 n + nw + ne of the row above */
    uint16_t *north2;  /* the row two above */
    uint16_t *up;      /* 2 u + its four neighbours in the previous slice */
    uint16_t *parent;  /* 4 p + its neighbours, one scale coarser */
    uint16_t *sibling; /* sum over earlier bands of 2 s + s_n + s_s */
    uint16_t *time;    /* 2 t + its four neighbours, one temporal band coarser or one volume earlier */
    uint16_t *energy;  /* weighted sum, 1/16 units */
} fmc_coef_rows;

/** Weights of the expected magnitude in 1/256: W, WW, north, north2, up, parent, sibling, time. */
typedef struct fmc_coef_weights {
    uint16_t w, ww, north, north2, up, parent, sibling, time;
} fmc_coef_weights;

/** dst = centre * src + side * (left + right); values beyond the ends count as 0. */
void fmc_rows_sum3(uint16_t *dst, const uint8_t *src, size_t n, unsigned centre, unsigned side);
/** dst += src. */
void fmc_rows_add(uint16_t *dst, const uint8_t *src, size_t n);
/** dst += 2 * src. */
void fmc_rows_add2(uint16_t *dst, const uint8_t *src, size_t n);
/** dst[x] = src[min(x >> half, n_src - 1)]. */
void fmc_rows_spread(uint16_t *dst, const uint16_t *src, size_t n, size_t n_src, unsigned half);
/** energy = sum of weight * row over the six precomputed rows, >> 4, saturating at 65535. */
void fmc_rows_energy(const fmc_coef_rows *r, const fmc_coef_weights *k, size_t n);

#endif
