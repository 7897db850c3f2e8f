/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_BITS_H
#define FMC_GRID_BITS_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Small adaptive streams, docs/format.md 9.5: each appends varint size and that many bytes.
 * Symbols 0..255 coded as binary decisions in the context of the two before; good for flags and small corrections.
 * @param width 1..8: bits per symbol.
 */
fmc_status fmc_bits_encode(const fmc_exec *ex, const uint8_t *v, size_t n, uint32_t width, fmc_out *out);
fmc_status fmc_bits_decode(const fmc_exec *ex, fmc_in *in, size_t n, uint32_t width, uint8_t *v);

/** A mask in raster order, contexts W, N, NW, NE and the same place of the plane before. rows of nx, planes of ny rows.
 */
fmc_status fmc_bits_encode_mask(const fmc_exec *ex, const uint8_t *mask, size_t n, size_t nx, size_t ny, fmc_out *out);
fmc_status fmc_bits_decode_mask(const fmc_exec *ex, fmc_in *in, size_t n, size_t nx, size_t ny, uint8_t *mask);

#endif
