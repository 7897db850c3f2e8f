/* SPDX-License-Identifier: Apache-2.0 */
#include "array/mask.h"

#include <string.h>
#include "array/bitmap.h"
#include "array/blob.h"
#include "array/sample_bits.h"
#include "array/view.h"
#include "core/status.h"

/*
 * Masked samples by bit pattern: frequent patterns are layers of their own, each a bitmap coded against the layers
 * before it; what is left is one more bitmap and the raw bits. Layout: docs/format.md 5.2.
 */
enum { HAS_OTHER = 0x80, MAX_CANDIDATES = 64, MIN_COUNT = 8 };

typedef struct pattern {
    uint64_t bits;
    size_t   count;
} pattern;

/* Samples that are looked at together: mostly all of those that are masked have the same bits. */
enum { PIECE = 64 };

/* Masked samples among PIECE; *same: how many of them have these bits. */
static unsigned count_f32(const uint8_t *restrict state, const uint8_t *restrict data, uint64_t bits, unsigned *same)
{
    const uint32_t wanted = (uint32_t)bits;
    uint32_t found = 0, equal = 0;

    for (size_t i = 0; i < PIECE; i++) {
        uint32_t v;

        memcpy(&v, data + 4 * i, sizeof v);
        found += state[i] != 0;
        equal += (state[i] != 0) & (v == wanted);
    }
    *same = equal;
    return found;
}

static unsigned count_f64(const uint8_t *restrict state, const uint8_t *restrict data, uint64_t bits, unsigned *same)
{
    uint64_t found = 0, equal = 0;

    for (size_t i = 0; i < PIECE; i++) {
        uint64_t v;

        memcpy(&v, data + 8 * i, sizeof v);
        found += state[i] != 0;
        equal += (state[i] != 0) & (v == bits);
    }
    *same = (unsigned)equal;
    return (unsigned)found;
}

/* Are all masked samples of the PIECE at i, if it is whole, of these bits? *n_masked: how many there are. */
static int is_uniform(const void *data, size_t size, size_t n, const uint8_t *state, size_t i, uint64_t bits,
                      unsigned *n_masked)
{
    const uint8_t *from = (const uint8_t *)data + i * size;
    unsigned same;

    if (n - i < PIECE)
        return 0;
    *n_masked = (size == 4 ? count_f32 : count_f64)(state + i, from, bits, &same);
    return *n_masked == same;
}

/* Candidates in order of first appearance; returns how many. Later ones than MAX_CANDIDATES are not counted. */
static unsigned count_patterns(const void *data, size_t size, size_t n, const uint8_t *state, pattern *p)
{
    unsigned n_p = 0, last = 0, here;

    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        unsigned k;

        while (n_p > 0 && i % PIECE == 0 && i < n && is_uniform(data, size, n, state, i, p[last].bits, &here)) {
            p[last].count += here;
            i += PIECE;
        }
        if (i >= n || !state[i])
            continue;
        bits = fmc_sample_bits(data, size, i);
        if (n_p > 0 && p[last].bits == bits) {
            p[last].count++;
            continue;
        }
        for (k = 0; k < n_p && p[k].bits != bits; k++)
            ;
        if (k == MAX_CANDIDATES)
            continue;
        if (k == n_p)
            p[n_p++] = (pattern){ bits, 0 };
        p[k].count++;
        last = k;
    }
    return n_p;
}

/* The most frequent patterns first; a single one is worth a layer however rare it is. */
static unsigned choose_layers(pattern *p, unsigned n_p)
{
    unsigned n = 0;

    while (n < n_p && n < FMC_MASK_MAX_LAYERS) {
        unsigned best = n;
        pattern t;

        for (unsigned k = n + 1; k < n_p; k++)
            if (p[k].count > p[best].count)
                best = k;
        if (p[best].count < MIN_COUNT && n_p > 1)
            break;
        t = p[n];
        p[n] = p[best];
        p[best] = t;
        n++;
    }
    return n;
}

/* Class of each sample; returns how many are `other`. */
static size_t classify(const void *data, size_t size, size_t n, const uint8_t *state, const pattern *p, unsigned layers,
                       uint8_t *cls)
{
    size_t others = 0;
    unsigned here;

    for (size_t i = 0; i < n; i++) {
        unsigned k = 0;

        while (layers > 0 && i % PIECE == 0 && i < n && is_uniform(data, size, n, state, i, p[0].bits, &here)) {
            for (size_t m = 0; m < PIECE; m++)
                cls[i + m] = state[i + m] != 0;
            i += PIECE;
        }
        if (i >= n)
            break;
        cls[i] = 0;
        if (!state[i])
            continue;
        while (k < layers && p[k].bits != fmc_sample_bits(data, size, i))
            k++;
        cls[i] = (uint8_t)(k + 1);
        others += k == layers;
    }
    return others;
}

/* Raw bits of class k as `size` planes of bytes, lowest byte first. */
static fmc_status write_others(const fmc_exec *ex, const void *data, size_t size, size_t n, const uint8_t *cls,
                               uint8_t k, size_t n_other, fmc_out *out)
{
    fmc_status st = FMC_OK;
    uint8_t *planes = NULL;
    size_t at = 0;

    FMC_TRY(fmc_alloc(ex->alloc, n_other, size, (void **)&planes));
    for (size_t i = 0; i < n; i++) {
        if (cls[i] != k)
            continue;
        for (size_t b = 0; b < size; b++)
            planes[b * n_other + at] = (uint8_t)(fmc_sample_bits(data, size, i) >> (8 * b));
        at++;
    }
    st = fmc_blob_write(ex, planes, n_other * size, out);
done:
    fmc_dealloc(ex->alloc, planes);
    return st;
}

static size_t count_samples(uint32_t rank, const size_t *dim)
{
    size_t n = 1;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    return n;
}

static void write_bits(fmc_out *out, uint32_t dtype, uint64_t bits)
{
    if (dtype == FMC_F32)
        fmc_out_u32(out, (uint32_t)bits);
    else
        fmc_out_u64(out, bits);
}

fmc_status fmc_mask_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                           const uint8_t *state, fmc_out *out)
{
    const size_t n = count_samples(rank, dim), size = fmc_dtype_size(dtype);
    pattern p[MAX_CANDIDATES];
    fmc_status st = FMC_OK;
    uint8_t *cls = NULL;
    unsigned layers;
    size_t others;

    layers = state ? choose_layers(p, count_patterns(data, size, n, state, p)) : 0;
    if (!state) {
        fmc_out_u8(out, 0);
        return out->st;
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, n, &cls));
    others = classify(data, size, n, state, p, layers, cls);
    fmc_out_u8(out, (uint8_t)(layers | (others ? HAS_OTHER : 0)));
    for (unsigned k = 0; k < layers; k++) {
        write_bits(out, dtype, p[k].bits);
        FMC_TRY(fmc_bitmap_encode(ex, rank, dim, cls, (uint8_t)(k + 1), out));
    }
    if (others) {
        FMC_TRY(fmc_bitmap_encode(ex, rank, dim, cls, (uint8_t)(layers + 1), out));
        FMC_TRY(write_others(ex, data, size, n, cls, (uint8_t)(layers + 1), others, out));
    }
    st = out->st;
done:
    fmc_dealloc(ex->alloc, cls);
    return st;
}

static fmc_status read_others(const fmc_exec *ex, uint32_t rank, const size_t *dim, size_t size, fmc_in *in,
                              fmc_masked *m)
{
    const size_t n = count_samples(rank, dim);
    const uint8_t k = (uint8_t)(m->n_layers + 1);
    fmc_status st = FMC_OK;

    FMC_TRY(fmc_bitmap_decode(ex, rank, dim, m->cls, k, in));
    for (size_t i = 0; i < n; i++)
        m->n_other += m->cls[i] == k;
    FMC_TRY(fmc_alloc(ex->alloc, m->n_other, size, (void **)&m->other));
    st = fmc_blob_read(ex, in, m->other, m->n_other * size);
done:
    return st;
}

fmc_status fmc_mask_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                           fmc_masked *out)
{
    const size_t n = count_samples(rank, dim), size = fmc_dtype_size(dtype);
    const uint8_t head = fmc_in_u8(in);
    fmc_status st = fmc_in_status(in);

    *out = (fmc_masked){ .n_layers = head & ~(unsigned)HAS_OTHER };
    if (st != FMC_OK || head == 0)
        return st;
    if (out->n_layers > FMC_MASK_MAX_LAYERS)
        return FMC_ERR_CORRUPT;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &out->cls));
    for (uint32_t k = 0; k < out->n_layers; k++) {
        out->pattern[k] = dtype == FMC_F32 ? fmc_in_u32(in) : fmc_in_u64(in);
        FMC_TRY(fmc_bitmap_decode(ex, rank, dim, out->cls, (uint8_t)(k + 1), in));
    }
    if (head & HAS_OTHER)
        FMC_TRY(read_others(ex, rank, dim, size, in, out));
done:
    return st;
}

void fmc_masked_apply(const fmc_masked *mask, uint32_t dtype, size_t n, void *data)
{
    const size_t size = fmc_dtype_size(dtype);
    size_t at = 0;

    for (size_t i = 0; mask->cls && i < n; i++) {
        const uint8_t k = mask->cls[i];
        uint64_t bits = 0;

        if (k == 0)
            continue;
        if (k <= mask->n_layers) {
            bits = mask->pattern[k - 1];
        } else {
            for (size_t b = 0; b < size; b++)
                bits |= (uint64_t)mask->other[b * mask->n_other + at] << (8 * b);
            at++;
        }
        fmc_set_sample_bits(data, size, i, bits);
    }
}

void fmc_masked_fini(const fmc_exec *ex, fmc_masked *mask)
{
    fmc_dealloc(ex->alloc, mask->cls);
    fmc_dealloc(ex->alloc, mask->other);
    *mask = (fmc_masked){ 0 };
}
