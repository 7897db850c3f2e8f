/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_BLOCK_H
#define FMC_COEF_BLOCK_H

#include "coef/model.h"
#include "coef/prior.h"

/** The rows that a block reads from while it codes one row; scratch, owned by the block. */
typedef struct fmc_coef_scratch {
    fmc_coef_rows rows;
    uint16_t     *half;     /* a parent row before it is spread */
    uint16_t     *pair[5];  /* the part of each context that does not depend on the row itself */
    fmc_coef_symbols symbols; /* of the row, tiers that code symbols */
    uint8_t      *zero;     /* a row of zeros, never written */
    uint8_t      *quiet;    /* [segment] 1: nothing but zeros around */
    uint16_t     *error;    /* |value - mean| in 1/16 of the last row coded; two more on either side */
    uint16_t     *memory;
} fmc_coef_scratch;

/**
 * One independently coded share of all bands: rows y in [dim[3] * index / n_blocks, dim[3] * (index + 1) / n_blocks) of
 * every slice (docs/format.md 8.1).
 */
typedef struct fmc_coef_block {
    const fmc_exec *ex;
    const fmc_kernels *kernels;
    const fmc_band *band;
    size_t          n_bands;
    int32_t        *q;        /* band-major; written when decoding; with a trellis, multiples of its step */
    uint8_t        *mag;      /* min(|q|, 255), likewise */
    int16_t        *log;      /* fmc_prior_log of q in its unit, likewise; tier PRIOR, else NULL */
    uint32_t        index;
    uint32_t        n_blocks;
    fmc_coef_model  *model;
    fmc_coef_scratch scratch;
    fmc_enc         *enc;     /* exactly one of both is set */
    fmc_dec         *dec;
} fmc_coef_block;

/** Logarithms of rows that a prior looks at; NULL where there are none. */
typedef struct fmc_prior_rows {
    int16_t *own;
    const int16_t *north, *north2, *up, *up_north, *up_south, *up2;
    const int16_t *parent, *time, *sibling[3]; /* the last siblings, last one first */
    const int32_t *sibling_value;              /* of sibling[0]: values themselves */
    size_t   n_parent, n_time, n_sibling[3];
    unsigned parent_half, time_half;           /* 1: they have half as many columns */
    unsigned place;                            /* of a plain quantiser */
    size_t   y, z;
} fmc_prior_rows;

/** One row: where it is, and its neighbours' values (NULL where there are none). */
typedef struct fmc_coef_row {
    const fmc_band *band;
    unsigned        band_class;
    size_t          n;
    int32_t        *q;
    uint8_t        *mag;
    const int32_t  *q_north, *q_north2, *q_up, *q_up_north, *q_up_south, *q_up2;
    fmc_prior_rows  prior;              /* tier PRIOR */
} fmc_coef_row;

fmc_status fmc_coef_scratch_create(const fmc_allocator *a, size_t max_row, fmc_coef_scratch *s);
void       fmc_coef_scratch_destroy(const fmc_allocator *a, fmc_coef_scratch *s);

/** Neighbourhood sums and context bases of row (v0, v1, z, y) of band i. */
void fmc_coef_prepare_row(fmc_coef_block *b, size_t i, const size_t at[4], fmc_coef_row *row);

/** Code one prepared row, in the direction that the block was made for. */
void fmc_coef_code_row(fmc_coef_block *b, const fmc_coef_row *row);

/** The same where values are coded as symbols: tiers FAST and AVERAGE. */
void fmc_coef_code_symbols(fmc_coef_block *b, const fmc_coef_row *row);

#endif
