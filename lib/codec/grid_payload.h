/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_GRID_PAYLOAD_H
#define FMC_CODEC_GRID_PAYLOAD_H

#include "codec/lossy.h"

/**
 * Code a chunk as integers on a grid if its values lie on one: exactly, or on a coarser grid that still keeps the
 * goal. out->coder stays FMC_CODER_AUTO if there is no grid. *out owns its parts, also on error.
 */
fmc_status fmc_grid_try(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                        const fmc_effort *effort, fmc_candidate *out);

/** Decode what follows the mask section of a grid payload. */
fmc_status fmc_grid_payload_decode(const fmc_exec *ex, const fmc_block *block, const uint8_t *mask, fmc_in *in,
                                   void *data);

#endif
