/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_CHECK_H
#define FMC_CONTAINER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

/** The checksum of docs/format.md 1: XXH32, seed 0. @param data may be NULL if size is 0. */
static inline uint32_t fmc_check32(const void *data, size_t size)
{
    return XXH32(data, size, 0);
}

/** Compare a stored checksum with the computed one. Fuzzing builds accept any: parsers behind it are reached. */
static inline bool fmc_check_ok(uint32_t stored, uint32_t computed)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)stored;
    (void)computed;
    return true;
#else
    return stored == computed;
#endif
}

#endif
