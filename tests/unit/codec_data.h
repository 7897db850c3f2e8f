/* SPDX-License-Identifier: Apache-2.0 */
/* Fields, a counting allocator and goal checks for the tests of lib/codec. */
#ifndef FMC_TESTS_CODEC_DATA_H
#define FMC_TESTS_CODEC_DATA_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bound/check.h"
#include "codec/codec.h"
#include "codec/payload.h"

/* Counts bytes; fails at the fail_at-th request (0: never). Single thread. */
typedef struct counter {
    size_t now, peak;
    size_t requests, fail_at;
} counter;

static inline void *counter_alloc(void *user, size_t size)
{
    counter *c = user;
    size_t *p;

    if (++c->requests == c->fail_at)
        return NULL;
    p = malloc(size + 64);
    if (!p)
        return NULL;
    *p = size;
    c->now += size;
    c->peak = c->now > c->peak ? c->now : c->peak;
    return (char *)p + 64;
}

static inline void counter_free(void *user, void *ptr)
{
    counter *c = user;
    size_t *p = ptr ? (size_t *)(void *)((char *)ptr - 64) : NULL;

    if (p)
        c->now -= *p;
    free(p);
}

static inline fmc_allocator counting(counter *c)
{
    return (fmc_allocator){ .user = c, .alloc = counter_alloc, .free = counter_free };
}

static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static inline fmc_block make_block(uint32_t dtype, uint32_t rank, size_t a, size_t b, size_t c)
{
    fmc_block block = { .dtype = dtype, .rank = rank, .dim = { a, b, c } };

    return block;
}

/* Waves and a little noise, about 2 * size wide around `middle`. */
static inline double wave(const size_t *at, uint32_t *seed, double noise)
{
    const double x = (double)at[0], y = (double)at[1], z = (double)at[2];

    return sin(x * 0.21 + y * 0.05) * cos(y * 0.13 - z * 0.11) + 0.3 * sin(z * 0.31 + x * 0.02) +
           noise * ((double)next_random(seed) / 8388608.0 - 1);
}

static inline void *make_field(const fmc_block *b, double middle, double size, double noise)
{
    const size_t n = fmc_block_count(b);
    void *data = calloc(n, b->dtype == FMC_F64 ? 8 : 4);
    size_t at[3] = { 0 };
    uint32_t seed = 7;

    for (size_t i = 0; i < n; i++) {
        size_t left = i;

        for (uint32_t a = b->rank; a-- > 0;) {
            if (a < 3)
                at[a] = left % b->dim[a];
            left /= b->dim[a];
        }
        if (b->dtype == FMC_F64)
            ((double *)data)[i] = middle + size * wave(at, &seed, noise);
        else
            ((float *)data)[i] = (float)(middle + size * wave(at, &seed, noise));
    }
    return data;
}

static inline double sample_at(const fmc_block *b, const void *data, size_t i)
{
    return b->dtype == FMC_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

/* Non-finite samples have the same bits, the others keep the goal. */
static inline int keeps_goal(const fmc_block *b, const void *x, const void *y, const fmc_goal *goal)
{
    const size_t n = fmc_block_count(b), size = b->dtype == FMC_F64 ? 8 : 4;
    double sum = 0, count = 0;

    for (size_t i = 0; i < n; i++) {
        const double u = sample_at(b, x, i), v = sample_at(b, y, i);

        if (!isfinite(u) || (b->has_fill && u == b->fill_value)) {
            if (memcmp((const char *)x + i * size, (const char *)y + i * size, size))
                return 0;
            continue;
        }
        sum += (u - v) * (u - v);
        count += 1;
        if (goal->kind != FMC_BOUND_NRMSE && !fmc_check_pair(u, v, goal->kind, goal->limit))
            return 0;
    }
    return goal->kind != FMC_BOUND_NRMSE || count == 0 || sqrt(sum / count) <= goal->limit * (1 + 1e-12);
}

/* Encode, decode, check the goal and that nothing leaks; returns the payload's size. */
static inline size_t round_trip(const fmc_block *b, const void *data, uint32_t kind, double limit, uint32_t effort,
                                uint32_t coder)
{
    counter c = { 0 };
    const fmc_allocator alloc = counting(&c);
    const fmc_exec ex = { .alloc = &alloc, .n_threads = 1 };
    const fmc_goal goal = { kind, limit };
    const fmc_effort e = { .effort = effort, .coder = coder };
    const size_t n = fmc_block_count(b) * (b->dtype == FMC_F64 ? 8 : 4);
    fmc_out out = fmc_out_make(&alloc);
    void *back = malloc(n);
    size_t size;

    assert_int_equal(fmc_chunk_encode(&ex, b, data, &goal, &e, &out), FMC_OK);
    size = out.size;
    assert_true(size <= n + 64);
    memset(back, 0x5a, n);
    assert_int_equal(fmc_chunk_decode(&ex, b, fmc_in_make(out.data, out.size), back), FMC_OK);
    assert_true(keeps_goal(b, data, back, &goal));
    fmc_out_fini(&out);
    assert_int_equal(c.now, 0);
    free(back);
    return size;
}

/* Root mean square error over the samples that are not NaN, relative to the limit. */
static inline double rmse_over_limit(size_t n, const float *x, const float *y, double limit)
{
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) {
            sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
            count++;
        }
    return sqrt(sum / (double)count) / limit;
}

#endif
