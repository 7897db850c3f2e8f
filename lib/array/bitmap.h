/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_BITMAP_H
#define FMC_ARRAY_BITMAP_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Code which samples belong to class k (1..255), given that both sides know those of the classes 1..k-1.
 * Planes (the last two axes longer than 1) that equal the plane before them along a leading axis cost a flag; others
 * are coded bit by bit with contexts from the plane itself or from that plane and one before. docs/format.md 5.2.
 * @param cls  class of each sample, C order over dim; 0 and values above k read as "not k".
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_bitmap_encode(const fmc_exec *ex, uint32_t rank, const size_t *dim, const uint8_t *cls, uint8_t k,
                             fmc_out *out);

/**
 * The inverse: turns zeros of cls into k where the stream says so. Untrusted bytes.
 * @param cls  classes 1..k-1 filled in, 0 elsewhere.
 * @return also FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT.
 */
fmc_status fmc_bitmap_decode(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint8_t *cls, uint8_t k,
                             fmc_in *in);

#endif
