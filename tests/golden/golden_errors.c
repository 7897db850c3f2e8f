/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets in the header of "transform_1d" (docs/format.md 3): 0 magic, 4 version, 5 body_size, 6 shape, 7 quality,
 * 8 bound (8 bytes), 16 dim[0] = 700 (2 bytes), 18 chunk[0] = 0, 19 check (4 bytes), 23 the record.
 */
#include "golden_errors.h"

#include <string.h>
#include <xxhash.h>

enum { SHAPE = 6, QUALITY = 7, BOUND = 8, DIM = 16, CHUNK = 18, CHECK = 19, RECORD = 23 };

const golden_error golden_errors[] = {
    { "wrong_magic", FMC_ERR_NOT_FMC, 0, 'f', 0, 0 },
    { "newer_version", FMC_ERR_UNSUPPORTED, 4, 99, 1, 0 },
    { "header_flipped", FMC_ERR_CORRUPT, DIM, -1, 0, 0 },
    { "header_check_flipped", FMC_ERR_CORRUPT, CHECK, -1, 0, 0 },
    { "reserved_bit", FMC_ERR_UNSUPPORTED, SHAPE, 0x89, 1, 0 },
    { "rank_0", FMC_ERR_CORRUPT, SHAPE, 0x08, 1, 0 },
    { "rank_6", FMC_ERR_UNSUPPORTED, SHAPE, 0x0e, 1, 0 },
    { "unknown_type", FMC_ERR_UNSUPPORTED, SHAPE, 0x19, 1, 0 },
    { "unknown_bound", FMC_ERR_UNSUPPORTED, QUALITY, 0x5f, 1, 0 },
    { "effort_0", FMC_ERR_CORRUPT, QUALITY, 0x04, 1, 0 },
    { "negative_bound", FMC_ERR_CORRUPT, BOUND + 7, 0xbf, 1, 0 },
    { "chunk_too_large", FMC_ERR_CORRUPT, CHUNK, 0x7f, 1, 0 },
    { "record_tag", FMC_ERR_CORRUPT, RECORD, 9, 0, 0 },
    { "record_flipped", FMC_ERR_CORRUPT, RECORD + 1, -1, 0, 0 },
    { "payload_flipped", FMC_ERR_CORRUPT, RECORD + 60, -1, 0, 0 },
    { "footer_flipped", FMC_ERR_CORRUPT, -1, -1, 0, 0 },
    { "footer_check_flipped", FMC_ERR_CORRUPT, -8, -1, 0, 0 },
    { "cut_in_the_magic", FMC_ERR_TRUNCATED, 0, -2, 0, 3 },
    { "cut_in_the_header", FMC_ERR_TRUNCATED, 0, -2, 0, 12 },
    { "cut_in_the_record", FMC_ERR_TRUNCATED, 0, -2, 0, 60 },
    { "cut_before_the_tail", FMC_ERR_TRUNCATED, 0, -2, 0, -16 },
    { "cut_in_the_footer", FMC_ERR_TRUNCATED, 0, -2, 0, -1 },
};
const size_t golden_error_count = sizeof golden_errors / sizeof *golden_errors;

size_t golden_damage(const golden_error *e, const unsigned char *good, size_t size, unsigned char *bad)
{
    const size_t at = e->at < 0 ? size - (size_t)-e->at : (size_t)e->at;

    memcpy(bad, good, size);
    if (e->value == -1)
        bad[at] = (unsigned char)~bad[at];
    else if (e->value >= 0)
        bad[at] = (unsigned char)e->value;
    if (e->is_sealed) {
        const uint32_t check = XXH32(bad, CHECK, 0);

        for (int k = 0; k < 4; k++)
            bad[CHECK + k] = (unsigned char)(check >> 8 * k);
    }
    return e->cut > 0 ? (size_t)e->cut : e->cut < 0 ? size - (size_t)-e->cut : size;
}
