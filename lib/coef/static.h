/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_STATIC_H
#define FMC_COEF_STATIC_H

#include "coef/band.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Tier STATIC of the coefficient coder, docs/format.md 8.9: distributions that stay as they are while a block is coded,
 * chosen by classes that are computed for whole rows.
 */

/** Blocks below so many bytes are coded with tier AVERAGE too, and the smaller one is kept. */
enum { FMC_STATIC_SMALL = 8192 };

/** One block's share of all bands, as fmc_coef_block. */
typedef struct fmc_static_job {
    const fmc_exec *ex;
    const fmc_band *band;
    size_t          n_bands;
    size_t          n_coded;  /* decoding: leading bands that are wanted */
    int32_t        *q;        /* band-major */
    uint32_t        index;
    uint32_t        n_blocks;
} fmc_static_job;

/** Append one block. @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED. */
fmc_status fmc_static_encode(const fmc_static_job *j, fmc_out *out);

/** The inverse; takes all of *in. Untrusted bytes. |q| <= 2^29 on return. */
fmc_status fmc_static_decode(const fmc_static_job *j, fmc_in *in);

#endif
