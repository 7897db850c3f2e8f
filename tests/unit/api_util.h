/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/api share: a context, data, storage in memory, an allocator that counts and fails. */
#ifndef FMC_TEST_API_UTIL_H
#define FMC_TEST_API_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fmc/fmc.h>

/* A small array with smooth and rough parts; the value depends on the place only. */
static inline float sample_at(uint64_t i)
{
    const uint32_t h = (uint32_t)(i * 2654435761u) ^ (uint32_t)(i >> 7);

    return (float)(i % 113) * 0.25f + (float)((i / 113) % 29) + (float)(h % 1000) * 1e-3f;
}

static inline uint64_t count_of(uint32_t rank, const uint64_t *dim)
{
    uint64_t n = 1;

    for (uint32_t a = 0; a < rank; a++)
        n *= dim[a];
    return n;
}

static inline float *make_f32(uint32_t rank, const uint64_t *dim, fmc_array *a)
{
    const uint64_t n = count_of(rank, dim);
    float *x = malloc((size_t)(n ? n : 1) * sizeof *x);

    assert_non_null(x);
    for (uint64_t i = 0; i < n; i++)
        x[i] = sample_at(i);
    fmc_array_init(a, FMC_F32, rank, dim, x);
    return x;
}

static inline fmc_params lossless(void)
{
    fmc_params p;

    assert_int_equal(fmc_params_init(&p, sizeof p), FMC_OK);
    p.bound_kind = FMC_BOUND_LOSSLESS;
    p.n_threads = 1;
    p.effort = 1;
    return p;
}

/* Storage in memory behind fmc_io; fails where told to. */
typedef struct store {
    uint8_t *data;
    size_t   size, cap;
    uint64_t n_read;     /* bytes read so far */
    uint32_t n_writes;
    uint32_t fail_write; /* this write (1, 2, ...) fails; 0: none */
    int      fail_read;
} store;

static inline int store_write(void *user, const void *data, size_t size)
{
    store *s = user;

    if (++s->n_writes == s->fail_write)
        return 1;
    if (s->size + size > s->cap) {
        s->cap = (s->size + size) * 2;
        s->data = realloc(s->data, s->cap);
        assert_non_null(s->data);
    }
    memcpy(s->data + s->size, data, size);
    s->size += size;
    return 0;
}

static inline int store_read(void *user, uint64_t offset, void *data, size_t size)
{
    store *s = user;

    if (s->fail_read || offset > s->size || size > s->size - offset)
        return 1;
    memcpy(data, s->data + offset, size);
    s->n_read += size;
    return 0;
}

static inline int store_size(void *user, uint64_t *size)
{
    *size = ((store *)user)->size;
    return 0;
}

static inline fmc_io store_io(store *s)
{
    const fmc_io io = { .struct_size = sizeof io, .user = s, .write = store_write, .read_at = store_read,
                        .size = store_size };

    return io;
}

/* An allocator that counts live blocks and fails at the n-th request (1, 2, ...; 0: never). Single-threaded tests. */
typedef struct counter {
    long     n_live;
    uint64_t n_requests;
    uint64_t fail_at; /* the request that fails, 0: none */
    int      fail_on; /* and all after it */
} counter;

static inline void *counter_alloc(void *user, size_t size)
{
    counter *c = user;
    void *p;

    c->n_requests++;
    if (c->n_requests == c->fail_at || (c->fail_on && c->fail_at && c->n_requests > c->fail_at))
        return NULL;
    p = malloc(size);
    c->n_live += p != NULL;
    return p;
}

static inline void counter_free(void *user, void *ptr)
{
    ((counter *)user)->n_live -= ptr != NULL;
    free(ptr);
}

static inline fmc_ctx *counted_ctx(counter *c)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    fmc_ctx *ctx;

    o.allocator.user = c;
    o.allocator.alloc = counter_alloc;
    o.allocator.free = counter_free;
    return fmc_ctx_create(&o, &ctx) == FMC_OK ? ctx : NULL;
}

#endif
