/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_ARRAY_DATA_H
#define FMC_TESTS_ARRAY_DATA_H

/* What the tests of lib/array and lib/bound share: CMocka, a seeded generator, hostile samples, an exec. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/exec.h"

static inline fmc_exec test_exec(uint32_t n_threads)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = n_threads };

    return ex;
}

/* SplitMix64. */
static inline uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(next_random(seed) % n);
}

/* 0..1 */
static inline double uniform(uint64_t *seed)
{
    return (double)(next_random(seed) >> 11) * 0x1p-53;
}

static inline double double_of(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline float float_of(uint32_t bits)
{
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* NaNs with payloads, infinities, zeros of both signs, denormals, extremes, or plain numbers. */
static inline double hostile_f64(uint64_t *seed)
{
    static const double special[] = { 0.0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, 0x1p-1074, -0x1p-1060, 1e20, 1.0 };
    const uint64_t r = next_random(seed);

    switch (r % 8) {
    case 0:
        return double_of(0x7ff0000000000001u | next_random(seed) >> 12 | (r & 0x100 ? (uint64_t)1 << 63 : 0));
    case 1:
        return r & 0x100 ? (double)INFINITY : -(double)INFINITY;
    case 2:
    case 3:
        return special[(r >> 8) % (sizeof special / sizeof *special)];
    case 4:
        return double_of(next_random(seed));
    default:
        return uniform(seed) * 20 - 10;
    }
}

static inline float hostile_f32(uint64_t *seed)
{
    static const float special[] = { 0.0f, -0.0f, FLT_MAX, -FLT_MAX, FLT_MIN, 0x1p-149f, -0x1p-140f, 1e20f, 1.0f };
    const uint64_t r = next_random(seed);

    switch (r % 8) {
    case 0:
        return float_of(0x7f800001u | ((uint32_t)next_random(seed) >> 9) | (r & 0x100 ? 0x80000000u : 0));
    case 1:
        return r & 0x100 ? INFINITY : -INFINITY;
    case 2:
    case 3:
        return special[(r >> 8) % (sizeof special / sizeof *special)];
    case 4:
        return float_of((uint32_t)next_random(seed));
    default:
        return (float)(uniform(seed) * 20 - 10);
    }
}

/* n aligned samples of dtype; `wild` of 256 are hostile, the others a smooth wave. Owned. */
static inline void *make_samples(uint32_t dtype, size_t n, unsigned wild, uint64_t *seed)
{
    const size_t size = dtype == FMC_F32 ? 4 : 8;
    void *data = malloc(n ? n * size : 1);
    const double rate = 0.001 + uniform(seed) * 0.1;

    assert_non_null(data);
    for (size_t i = 0; i < n; i++) {
        const int is_wild = (next_random(seed) & 255) < wild;
        const double wave = sin((double)i * rate) * 5 + 2;

        if (dtype == FMC_F32)
            ((float *)data)[i] = is_wild ? hostile_f32(seed) : (float)wave;
        else
            ((double *)data)[i] = is_wild ? hostile_f64(seed) : wave;
    }
    return data;
}

/* Every prefix of a good stream must be refused, never accepted or crash; its own block shows reads past the end. */
static inline uint8_t *copy_prefix(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

/* An allocator that fails from its n-th allocation on. */
typedef struct short_memory {
    size_t left;
    size_t open; /* blocks not freed */
} short_memory;

static inline void *short_alloc(void *user, size_t size)
{
    short_memory *m = user;
    void *p;

    if (m->left == 0)
        return NULL;
    m->left--;
    p = malloc(size);
    m->open += p != NULL;
    return p;
}

static inline void short_free(void *user, void *p)
{
    short_memory *m = user;

    m->open -= p != NULL;
    free(p);
}

#endif
