/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_RECORD_H
#define FMC_CONTAINER_RECORD_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"

/** First byte of a record and of the tail (docs/format.md 2 and 4). */
enum { FMC_TAG_CHUNK = 1, FMC_TAG_TAIL = 2 };

/** A record without its payload. Sizes in bytes: of any record's head at least and at most. */
typedef struct fmc_record {
    uint64_t ordinal;
    uint64_t steps;         /* 0 if the header knows dim[0] */
    uint64_t payload_size;
    uint32_t payload_check;
    uint32_t head_size;     /* bytes before the payload; set by parse */
} fmc_record;
enum { FMC_RECORD_HEAD_MIN = 11, FMC_RECORD_HEAD_MAX = 39 };

/** Append the head of a record; the payload must follow. Errors latch in out->st. */
void fmc_record_write(const fmc_record *r, fmc_out *out);

/**
 * Parse a head.
 * @param has_steps  the header has an unknown dim[0].
 * @return FMC_OK, FMC_ERR_TRUNCATED (`in` ends before the head does), FMC_ERR_CORRUPT (no record, or damaged).
 */
fmc_status fmc_record_parse(fmc_in *in, int has_steps, fmc_record *r);

#endif
