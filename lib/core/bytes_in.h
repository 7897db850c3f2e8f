/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_BYTES_IN_H
#define FMC_CORE_BYTES_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fmc/status.h>

/**
 * Bounds-checked little-endian reader: the only way to touch stored bytes. Past the end every read returns 0 and
 * latches `short_read`; a malformed varint latches `bad`. Check once per record with fmc_in_status.
 */
typedef struct fmc_in {
    const uint8_t *data; /* borrowed */
    size_t         size;
    size_t         pos;  /* <= size */
    bool           short_read;
    bool           bad;
} fmc_in;

fmc_in   fmc_in_make(const void *data, size_t size);
size_t   fmc_in_left(const fmc_in *in);
uint8_t  fmc_in_u8(fmc_in *in);
uint16_t fmc_in_u16(fmc_in *in);
uint32_t fmc_in_u32(fmc_in *in);
uint64_t fmc_in_u64(fmc_in *in);
float    fmc_in_f32(fmc_in *in);
double   fmc_in_f64(fmc_in *in);
/** LEB128, at most 10 bytes; a value past 64 bits or with a needless zero last byte latches `bad`. */
uint64_t fmc_in_varint(fmc_in *in);
/** Signed varint, zigzag. */
int64_t fmc_in_svarint(fmc_in *in);
/** Borrow `size` bytes; NULL and short_read if there are fewer (non-NULL for size 0). */
const uint8_t *fmc_in_bytes(fmc_in *in, uint64_t size);
/** A reader over the next `size` bytes; empty with both latches set on failure. */
fmc_in fmc_in_sub(fmc_in *in, uint64_t size);
/** FMC_OK, FMC_ERR_TRUNCATED (short_read) or FMC_ERR_CORRUPT (bad). */
fmc_status fmc_in_status(const fmc_in *in);

#endif
