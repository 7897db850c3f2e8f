/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_BYTES_OUT_H
#define FMC_CORE_BYTES_OUT_H

#include <stddef.h>
#include <stdint.h>
#include "core/alloc.h"

/**
 * Growing little-endian byte buffer. An allocation failure latches `st`; further writes do nothing, so one check of
 * `st` at the end suffices.
 */
typedef struct fmc_out {
    const fmc_allocator *alloc; /* borrowed */
    uint8_t             *data;  /* owned */
    size_t               size;
    size_t               cap;
    fmc_status           st;
} fmc_out;

fmc_out fmc_out_make(const fmc_allocator *alloc);
void    fmc_out_fini(fmc_out *out);
/** Make room for `size` more bytes and return where they go (NULL on failure); advance with out->size yourself. */
uint8_t *fmc_out_reserve(fmc_out *out, size_t size);
void     fmc_out_bytes(fmc_out *out, const void *data, size_t size);
void     fmc_out_u8(fmc_out *out, uint8_t v);
void     fmc_out_u16(fmc_out *out, uint16_t v);
void     fmc_out_u32(fmc_out *out, uint32_t v);
void     fmc_out_u64(fmc_out *out, uint64_t v);
void     fmc_out_f32(fmc_out *out, float v);
void     fmc_out_f64(fmc_out *out, double v);
void     fmc_out_varint(fmc_out *out, uint64_t v);
void     fmc_out_svarint(fmc_out *out, int64_t v);

#endif
