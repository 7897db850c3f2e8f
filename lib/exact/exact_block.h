/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_BLOCK_H
#define FMC_EXACT_EXACT_BLOCK_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** What a block is coded as; docs/format.md 10.2. */
enum fmc_exact_block {
    FMC_EXACT_GRID = 0,
    FMC_EXACT_TABLE = 1,
    FMC_EXACT_FLOAT = 2,
    FMC_EXACT_DECIMAL = 3,
    FMC_EXACT_FLAT = 4
};

/** One independent block: unmasked samples are finite. Appends kind and contents. */
fmc_status fmc_exact_block_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim,
                                  const void *data, const uint8_t *mask, uint32_t effort, fmc_out *out);

/** Inverse; masked samples are left alone. Untrusted bytes. */
fmc_status fmc_exact_block_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                                  const uint8_t *mask, void *data);

#endif
