/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_ROWS_H
#define FMC_OPS_KERNELS_ROWS_H

#include <stddef.h>
#include <stdint.h>

/** Weights of the expected magnitude in 1/256: W, WW, north, north2, up, parent, sibling, time (docs/format.md 8.2). */
typedef struct fmc_coef_weights {
    uint16_t w, ww, north, north2, up, parent, sibling, time;
} fmc_coef_weights;

/** Neighbourhood sums of a row, docs/format.md 8.2. n values each. */
typedef struct fmc_coef_rows {
    uint16_t *north;   /* 2 n + nw + ne of the row above */
    uint16_t *north2;  /* the row two above */
    uint16_t *up;      /* 2 u + its four neighbours in the previous slice */
    uint16_t *parent;  /* 4 p + its neighbours, one scale coarser */
    uint16_t *sibling; /* sum over earlier bands of 2 s + s_n + s_s */
    uint16_t *time;    /* 2 t + its four neighbours, one temporal band coarser or one volume earlier */
    uint16_t *energy;  /* weighted sum, 1/16 units */
} fmc_coef_rows;

/** What an encoder knows of each value of a row before it codes the first (docs/format.md 8.8). */
typedef struct fmc_coef_symbols {
    uint8_t  *energy;  /* logarithm of the expected magnitude */
    uint8_t  *shift;   /* low bits split off */
    uint8_t  *symbol;
    uint16_t *pair[2]; /* contexts; NULL: not wanted */
} fmc_coef_symbols;

/*
 * The loops of the coefficient coder over rows of n values. Zone EXACT: integers.
 *
 * row_sizes    size[x] = min(|q[x]|, 255)
 * row_sum3     dst = centre * src + side * (left + right); values beyond the ends count as 0; n >= 1
 * row_add      dst += times * src
 * row_energy   r->energy = min((sum of weight * row over the other six) >> 4, 65535)
 * row_pairs    pair[0], pair[1]: the part of contexts 0 and 1 that the row itself does not change (docs/format.md 8.3)
 * prior_layer  a layer of a prior's network, docs/format.md 8.7: sum = bias[o] + sum over i of weight[i / 2][o][i % 2] * in[i];
 *              out[o] = (sum + (2^shift[o] >> 1)) >> shift[o], limited to lo..hi. n_in even; n_out a multiple of 16, at most
 *              FMC_PRIOR_LAYER_MAX; |in| <= 511, |weight| <= 127, |bias| < 2^22, 0 <= shift <= 20, so that no sum reaches 2^23
 * row_symbols  contexts and symbols, docs/format.md 8.8; pair: from row_pairs; size: of the row itself
 */
enum { FMC_PRIOR_LAYER_MAX = 64 };

#define FMC_KERNELS_ROWS                                                                                               \
    void (*row_sizes)(uint8_t *size, const int32_t *q, size_t n);                                                      \
    void (*row_sum3)(uint16_t *dst, const uint8_t *src, size_t n, unsigned centre, unsigned side);                     \
    void (*row_add)(uint16_t *dst, const uint8_t *src, size_t n, unsigned times);                                      \
    void (*row_energy)(const fmc_coef_rows *r, const fmc_coef_weights *k, size_t n);                                   \
    void (*row_pairs)(uint16_t *const pair[2], const fmc_coef_rows *r, size_t n);                                      \
    void (*prior_layer)(int16_t *out, const int16_t *in, const int16_t *weight, const int32_t *bias,                    \
                        const int32_t *shift, size_t n_in, size_t n_out, int32_t lo, int32_t hi);                      \
    void (*row_symbols)(const fmc_coef_symbols *to, const uint16_t *energy, uint16_t *const pair[2],                   \
                        const uint8_t *size, const int32_t *q, const fmc_coef_weights *k, size_t n);

#define FMC_SLOTS_ROWS(suffix)                                                                                         \
    .row_sizes = row_sizes_##suffix, .row_sum3 = row_sum3_##suffix, .row_add = row_add_##suffix,                       \
    .row_energy = row_energy_##suffix, .row_pairs = row_pairs_##suffix, .row_symbols = row_symbols_##suffix,                  \
    .prior_layer = prior_layer_##suffix

#endif
