/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_MASK_H
#define FMC_ARRAY_MASK_H

#include <stddef.h>
#include <stdint.h>
#include "array/span.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** State of a sample in a mask of one byte per sample. A stream tells only coded from not coded. */
enum fmc_sample_state {
    FMC_SAMPLE_CODED = 0,   /* goes through a coder */
    FMC_SAMPLE_MISSING = 1, /* NaN, infinity or fill value: returned bit for bit, counts in no error and no range */
    FMC_SAMPLE_EXACT = 2    /* valid, but the encoder stores its bits (an outlier, a zero under a relative bound) */
};

/** What else than missing samples is taken out of a coder's hands. */
enum fmc_mask_also {
    FMC_MASK_OUTLIERS = 1, /* valid samples that would set the scale of all others, and values far from all others */
    FMC_MASK_ZEROS = 2     /* zeros of either sign */
};

/** The mask of a block, encoder side. fmc_mask_fini releases it. */
typedef struct fmc_mask {
    uint8_t  *state;     /* n states, owned; NULL if all samples are coded */
    size_t    n_missing;
    size_t    n_exact;
    fmc_span valid;     /* of all valid samples, exact ones too */
    fmc_span coded;     /* of those left to a coder */
} fmc_mask;

/**
 * Find what is masked in n aligned samples.
 * @param has_fill  1: samples numerically equal to fill_value, as the array's type, are missing.
 * @param also      bits of enum fmc_mask_also. |x| > 2^1000 is always exact.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED; *out is safe to fini in any case.
 */
fmc_status fmc_mask_find(const fmc_exec *ex, uint32_t dtype, size_t n, const void *data, uint32_t has_fill,
                         double fill_value, unsigned also, fmc_mask *out);

void fmc_mask_fini(const fmc_exec *ex, fmc_mask *mask);

/**
 * Write the mask and the masked samples' bits (docs/format.md 5.2); one byte if state is NULL or all zero.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_mask_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                           const uint8_t *state, fmc_out *out);

/** Most bit patterns with a class of their own. */
#define FMC_MASK_MAX_LAYERS 8

/** A decoded mask. fmc_masked_fini releases it. */
typedef struct fmc_masked {
    uint8_t *cls;                          /* n: 0 coded, 1..n_layers a pattern, n_layers + 1 other; owned; NULL: none */
    uint32_t n_layers;
    uint64_t pattern[FMC_MASK_MAX_LAYERS]; /* sample bits */
    uint8_t *other;                        /* byte planes of the other samples' bits in raster order, owned */
    size_t   n_other;
} fmc_masked;

/**
 * Read what fmc_mask_encode wrote. Untrusted bytes.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, _TRUNCATED, _CORRUPT, _CANCELLED; *out is safe to fini in any case.
 */
fmc_status fmc_mask_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                           fmc_masked *out);

/** Overwrite the masked ones of n samples with their bits. */
void fmc_masked_apply(const fmc_masked *mask, uint32_t dtype, size_t n, void *data);

/** Release; leaves an empty mask. */
void fmc_masked_fini(const fmc_exec *ex, fmc_masked *mask);

#endif
