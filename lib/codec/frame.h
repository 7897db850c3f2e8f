/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_FRAME_H
#define FMC_CODEC_FRAME_H

#include "array/mask.h"
#include "array/norm.h"
#include "codec/base.h"
#include "codec/payload.h"
#include "codec/signal.h"

/** What comes before a coder's body in a payload (docs/format.md 5.1). */
typedef struct fmc_frame {
    uint32_t       coder;
    uint32_t       flags;
    uint32_t       hash;
    fmc_signal     plain;  /* the signal in the chunk's order of axes */
    fmc_signal     signal; /* in the coders' */
    fmc_axis_order order;
    fmc_masked     mask;   /* owned */
    fmc_norm       norm;   /* transform and interp only */
    fmc_base       base;   /* owned; only with FMC_PAYLOAD_BASE */
    uint8_t       *sign;   /* classes of fmc_signs_decode, owned; NULL: none */
} fmc_frame;

/** Read the first bytes: coder, flags, hash. Untrusted bytes. */
fmc_status fmc_frame_head(const fmc_block *block, fmc_in *in, fmc_frame *f);

/** Read norm and order of axes, after the mask section. */
fmc_status fmc_frame_norm(fmc_in *in, fmc_frame *f);

/**
 * Read everything up to the coder's body, after fmc_frame_head. fmc_frame_fini releases it, also after a failure.
 * @return FMC_OK, _NO_MEMORY, _TRUNCATED, _CORRUPT, _UNSUPPORTED, _CANCELLED.
 */
fmc_status fmc_frame_read(const fmc_exec *ex, const fmc_block *block, fmc_in *in, fmc_frame *f);

void fmc_frame_fini(const fmc_exec *ex, fmc_frame *f);

#endif
