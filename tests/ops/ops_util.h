/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_OPS_UTIL_H
#define FMC_TESTS_OPS_UTIL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "ops/kernels.h"

/* Bytes before and after every block that must stay as they were. */
enum { GUARD_SIZE = 64, GUARD_BYTE = 0xA5 };

/* The first byte of a block of `size` bytes between guards; ops_free checks them. */
static inline void *ops_alloc(size_t size)
{
    uint8_t *p = malloc(size + 2 * GUARD_SIZE + sizeof(size_t));

    assert_non_null(p);
    memset(p, GUARD_BYTE, size + 2 * GUARD_SIZE + sizeof(size_t));
    memcpy(p + size + 2 * GUARD_SIZE, &size, sizeof size);
    return p + GUARD_SIZE;
}

static inline void ops_free(void *block, size_t size)
{
    uint8_t *p = (uint8_t *)block - GUARD_SIZE;

    for (size_t i = 0; i < GUARD_SIZE; i++) {
        assert_int_equal(p[i], GUARD_BYTE);
        assert_int_equal(p[GUARD_SIZE + size + i], GUARD_BYTE);
    }
    free(p);
}

static uint64_t ops_seed = 20240607;

static inline uint32_t ops_random(void)
{
    ops_seed = ops_seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(ops_seed >> 33);
}

/* Of very different sizes, zeros among them. */
static inline double ops_real(void)
{
    const double v = (double)ops_random() / 1073741824.0 - 1.0;
    const uint32_t kind = ops_random() % 16;

    return kind == 0 ? 0.0 : kind == 1 ? v * 1e20 : kind == 2 ? v * 1e-30 : kind < 6 ? v * 1000 : v;
}

/* Sizes below, at and above each vector width. */
static const size_t ops_sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128 };
enum { N_OPS_SIZES = sizeof ops_sizes / sizeof *ops_sizes };

enum { OPS_MAX_VARIANTS = FMC_SIMD_AVX512VNNI + 1 };

/* All variants that this machine runs beside ref. */
static inline size_t ops_variants(const fmc_kernels **list)
{
    size_t n = 0;

    for (uint32_t level = FMC_SIMD_SSE2; level <= FMC_SIMD_AVX512VNNI; level++) {
        const fmc_kernels *k = fmc_kernels_select(level);

        if (k != &fmc_kernels_ref && (n == 0 || list[n - 1] != k))
            list[n++] = k;
    }
    return n;
}

#endif
