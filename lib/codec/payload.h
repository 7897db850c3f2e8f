/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_PAYLOAD_H
#define FMC_CODEC_PAYLOAD_H

#include "codec/codec.h"

/* First byte of a payload: enum fmc_coder in the low three bits, then these (docs/format.md 5.1). */
enum fmc_payload_flags {
    FMC_PAYLOAD_BASE = 1 << 2,    /* with coders 1 and 2 alone: a base section follows; coder 7 always has one, maybe empty */
    FMC_PAYLOAD_F64 = 1 << 3,     /* the working type is f64 */
    FMC_PAYLOAD_MASK = 1 << 4,    /* a mask section follows */
    FMC_PAYLOAD_LOG = 1 << 5,     /* values are log2 of magnitudes; a section of signs follows */
    FMC_PAYLOAD_CORRECT = 1 << 6, /* a residual correction follows */
    FMC_PAYLOAD_EXACT = 1 << 7    /* exact samples follow */
};

enum { FMC_PAYLOAD_CODER = 7 };

/** Samples of a block. */
size_t fmc_block_count(const fmc_block *block);

/** Low 32 bits of XXH3-64 over the samples' little-endian bytes: what tells a broken decoder from good data. */
uint32_t fmc_block_hash(const fmc_block *block, const void *data);

/** Append a section: varint size, bytes. */
void fmc_section_write(fmc_out *out, const fmc_out *section);
/** The next section, as a reader of its own. */
fmc_in fmc_section_read(fmc_in *in);
/** FMC_ERR_CORRUPT if something is left of it. */
fmc_status fmc_section_end(const fmc_in *section);

#endif
