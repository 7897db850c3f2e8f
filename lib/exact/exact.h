/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_H
#define FMC_EXACT_EXACT_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Lossless coding of floats, docs/format.md 10. Every bit pattern is legal and comes back: NaN payloads, -0,
 * denormals, infinities. Appends at most the raw size and 16 bytes.
 * @param dtype  enum fmc_dtype.   @param rank 1..5, each dim >= 1.   @param data C order, host byte order, borrowed.
 * @param effort 1 (one guess), 5 or 9 (larger trials).
 */
fmc_status fmc_exact_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                            uint32_t effort, fmc_out *out);

/**
 * About how many bytes fmc_exact_encode takes at effort 5, from a part of the samples; too many for decimal numbers and
 * few distinct values off any grid.
 */
fmc_status fmc_exact_estimate(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                              double *bytes);

/** Inverse; reads exactly the record. Untrusted bytes: TRUNCATED, CORRUPT, NO_MEMORY, or data of the right size. */
fmc_status fmc_exact_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                            void *data);

#endif
