/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_MASK_RULES_H
#define FMC_ARRAY_MASK_RULES_H

#include <float.h>
#include <math.h>

#include "array/mask.h"

/** Which samples a coder does not see: missing ones, and those that are exact. */
typedef struct fmc_mask_rules {
    uint32_t    dtype;
    size_t      n;
    const void *data;
    double      fill;     /* NaN: none */
    double      limit;    /* |x| above this is exact */
    double      apart;    /* a value that is exact; NaN: none */
    unsigned    zeros;    /* 1: zeros are exact */
} fmc_mask_rules;

static inline double fmc_mask_sample(const fmc_mask_rules *j, size_t i)
{
    return j->dtype == FMC_F32 ? (double)((const float *)j->data)[i] : ((const double *)j->data)[i];
}

static inline int fmc_mask_is_missing(const fmc_mask_rules *j, double x)
{
    return !(fabs(x) <= DBL_MAX) || x == j->fill;
}

static inline int fmc_mask_is_left(const fmc_mask_rules *j, double x)
{
    return !fmc_mask_is_missing(j, x) && fabs(x) <= j->limit;
}

/** Samples of a piece of parallel work. */
#define FMC_MASK_PIECE ((size_t)1 << 16)

static inline size_t fmc_mask_piece_count(const fmc_mask_rules *j)
{
    return j->n / FMC_MASK_PIECE + (j->n % FMC_MASK_PIECE != 0);
}

static inline size_t fmc_mask_piece_size(const fmc_mask_rules *j, size_t first)
{
    return j->n - first < FMC_MASK_PIECE ? j->n - first : FMC_MASK_PIECE;
}

/**
 * Rules for outliers: fills j->limit and j->apart. Encoder only: any choice gives a sound stream.
 * @param valid  range of all samples that are not missing, one at least.
 */
fmc_status fmc_mask_find_outliers(const fmc_exec *ex, fmc_mask_rules *j, const fmc_span *valid);

#endif
