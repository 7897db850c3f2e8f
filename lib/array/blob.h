/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_BLOB_H
#define FMC_ARRAY_BLOB_H

#include <stddef.h>
#include <stdint.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/**
 * Append `size` bytes, through zstd where that is smaller: varint packed size (0: stored as they are), bytes.
 * The size itself is not written: both sides know it. docs/format.md 5.2.
 * @return FMC_OK, FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_blob_write(const fmc_exec *ex, const uint8_t *data, size_t size, fmc_out *out);

/** The inverse: fills all `size` bytes of data. Untrusted bytes. @return also FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT. */
fmc_status fmc_blob_read(const fmc_exec *ex, fmc_in *in, uint8_t *data, size_t size);

#endif
