/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_H
#define FMC_COEF_H

#include "coef/band.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** Largest magnitude that can be coded. */
#define FMC_COEF_MAX ((int32_t)1 << 28)

/** How much modelling. Values are format constants (docs/format.md 8). */
enum fmc_coef_tier {
    FMC_COEF_FAST = 0,    /* a value is one symbol, one context */
    FMC_COEF_AVERAGE = 1, /* the same, three contexts in a fixed average */
    FMC_COEF_MIX = 2,     /* binary decisions, three contexts mixed by adaptive weights */
    FMC_COEF_BEST = 3,    /* the same, six contexts and a conditional mean */
    FMC_COEF_STATIC = 4,  /* distributions that are stored, chosen for whole rows: the fastest */
    FMC_COEF_PRIOR = 5,   /* BEST, begun where a trained prior says, and its network's opinion mixed in */
    FMC_COEF_TRELLIS = 8  /* added to MIX, BEST, PRIOR: values are of two quantisers by turns (coef/trellis.h) */
};

/** The tier without what was added to it. */
static inline uint32_t fmc_coef_kind(uint32_t tier)
{
    return tier & ~(uint32_t)FMC_COEF_TRELLIS;
}

struct fmc_prior; /* coef/prior.h */

/**
 * The tier for an effort: the slower of two where few values are not 0, which cost little time and profit most; elsewhere
 * the faster one, unless a piece of one band coded with both says that it is much larger; STATIC where that is as small.
 * @param q     the bands' values; unchanged.
 * @param also  NULL, or gets a tier that may be the smaller one as well, *tier if there is none.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_UNSUPPORTED: values too large.
 */
fmc_status fmc_coef_choose_tier(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                                uint32_t effort, uint32_t *tier, uint32_t *also);

/**
 * Encode all bands of q (band-major; used as scratch, unchanged on FMC_OK). Bytes do not depend on threads.
 * @param prior  for tier PRIOR; ignored by the others. @return also FMC_ERR_UNSUPPORTED: values too large.
 */
fmc_status fmc_coef_encode(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q, uint32_t tier,
                           const struct fmc_prior *prior, fmc_out *out);

/** The inverse; takes all that is left of *in. Untrusted bytes. |q| <= FMC_COEF_MAX on return. */
fmc_status fmc_coef_decode(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q, uint32_t tier,
                           const struct fmc_prior *prior, fmc_in *in);

/**
 * The same, but stop after the first n_decode bands; the others' values are left as they are. A coarse version of an
 * array needs no more than the first bands.
 */
fmc_status fmc_coef_decode_first(const fmc_exec *ex, const fmc_band *band, size_t n_bands, size_t n_decode, int32_t *q,
                                 uint32_t tier, const struct fmc_prior *prior, fmc_in *in);

#endif
