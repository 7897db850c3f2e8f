/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TEST_GOLDEN_ERRORS_H
#define FMC_TEST_GOLDEN_ERRORS_H

#include <stddef.h>
#include <fmc/status.h>

/** One way to damage the stream "transform_1d", and what a decoder must say (docs/format.md 1). */
typedef struct golden_error {
    const char *name;
    fmc_status  status;
    int         at;     /* byte that changes; negative: from the end */
    int         value;  /* its new value; -1: all bits of it flip; -2: nothing changes */
    int         is_sealed; /* the header's checksum is made right again */
    int         cut;    /* bytes left: 0 all, negative: that many less */
} golden_error;

extern const golden_error golden_errors[];
extern const size_t       golden_error_count;

/** bad gets the damaged stream, at most size + 16 bytes. @return its size. */
size_t golden_damage(const golden_error *e, const unsigned char *good, size_t size, unsigned char *bad);

#endif
