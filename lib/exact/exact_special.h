/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_SPECIAL_H
#define FMC_EXACT_EXACT_SPECIAL_H

#include <stdbool.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Special values, docs/format.md 10.1: non-finite samples, and fill values far away from all others. size: 4 or 8, the
 * bytes of a sample.
 */

/** Set mask[i] to 1 for special samples, else 0; *any tells whether there are some. */
void fmc_exact_special_find(const void *data, uint32_t size, size_t n, uint8_t *mask, bool *any);

/** Append the mask, then the patterns under it: by palette where there are few, else raw. */
fmc_status fmc_exact_special_encode(const fmc_exec *ex, uint32_t size, uint32_t rank, const size_t *dim,
                                    const void *data, const uint8_t *mask, fmc_out *out);

/** Read both; writes mask and the masked samples of data. Untrusted bytes. */
fmc_status fmc_exact_special_decode(const fmc_exec *ex, uint32_t size, uint32_t rank, const size_t *dim, fmc_in *in,
                                    uint8_t *mask, void *data);

#endif
