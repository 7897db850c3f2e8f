/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of tier STATIC, both directions (docs/format.md 8.9). */
#include "coef/static_code.h"

#include <string.h>

#include "coef/coef.h"
#include "core/compiler.h"
#include "core/status.h"
#include "ops/kernels.h"

enum { SEGMENT = 16, HALF = SEGMENT / 2, ZERO = 15, MANY = 15 };

/* How much of a row is coded. */
enum fmc_static_share { NONE, SOME, ALL };

/* active[g] = 0 for the segments around which all is quiet. Returns their number. */
static size_t find_quiet(fmc_static *s, const fmc_static_row *r)
{
    size_t n = 0;

    memset(s->energy + r->n, 0, SEGMENT * sizeof *s->energy);
    for (size_t g = 0; g * SEGMENT < r->n; g++) {
        uint64_t v[SEGMENT / 4];

        memcpy(v, s->energy + g * SEGMENT, sizeof v);
        s->active[g] = (v[0] | v[1] | v[2] | v[3]) != 0;
        n += !s->active[g];
    }
    return n;
}

/* Tables of the flags of the quiet segments, in s->packed_ctx. */
static void segment_contexts(fmc_static *s, const fmc_static_row *r)
{
    size_t n = 0;

    for (size_t g = 0; g * SEGMENT < r->n; g++)
        if (!s->active[g])
            s->packed_ctx[n++] = (uint8_t)(FMC_STATIC_VALUES + (g > 0 && s->active[g - 1]));
}

/* Values of the segments that are coded, one parity, next to each other. */
static size_t pack(uint8_t *dst, const uint8_t *src, const uint8_t *active, size_t n)
{
    size_t m = 0;

    for (size_t i = 0, g = 0; i < n; i += HALF, g++)
        if (active[g]) {
            memcpy(dst + m, src + i, HALF);
            m += n - i < HALF ? n - i : HALF;
        }
    return m;
}

static void unpack(uint8_t *dst, const uint8_t *src, const uint8_t *active, size_t n)
{
    for (size_t i = 0, g = 0; i < n; i += HALF, g++) {
        if (active[g]) {
            memcpy(dst + i, src, HALF);
            src += n - i < HALF ? n - i : HALF;
        } else {
            memset(dst + i, ZERO, HALF);
        }
    }
}

/* The zero behind a phase; nothing but zeros where nothing is coded. */
static void end_phase(fmc_static *s, size_t phase, size_t n, enum fmc_static_share share)
{
    for (size_t i = 0, g = 0; share == SOME && i < n; i += HALF, g++)
        if (!s->active[g]) {
            memset(s->sym[phase] + i, ZERO, HALF);
            memset(s->m[phase] + i, 0, HALF * sizeof *s->m[phase]);
            memset(s->v[phase] + i, 0, HALF * sizeof *s->v[phase]);
            memset(s->q[phase] + i, 0, HALF * sizeof *s->q[phase]);
        }
    s->m[phase][n] = 0;
    s->v[phase][n] = 0;
}

/* A row of which nothing is coded. */
static void clear_row(const fmc_static_row *r)
{
    memset(r->mag, 0, r->n * sizeof *r->mag);
    memset(r->value, 0, r->n * sizeof *r->value);
}

/* -- encoder -- */

static void emit(fmc_static_encoder *e, const uint8_t *ctx, const uint8_t *sym, size_t n)
{
    uint16_t *code = e->code + e->n_codes;
    size_t i = 0;

    for (; i + 1 < n; i += 2) {
        const uint16_t a = (uint16_t)(ctx[i] << 5 | sym[i]), b = (uint16_t)(ctx[i + 1] << 5 | sym[i + 1]);

        code[i] = a;
        code[i + 1] = b;
        e->count[0][a]++;
        e->count[1][b]++; /* a histogram of its own: the same entry twice in a row would have to wait for itself */
    }
    for (; i < n; i++) {
        code[i] = (uint16_t)(ctx[i] << 5 | sym[i]);
        e->count[0][code[i]]++;
    }
    e->n_codes += n;
    e->group[e->n_groups++] = (uint32_t)n;
}

/*
 * Which of these 8 values may have more bits than their symbols: bit 8 i + 7 for value i. Bytes side by side in 64 bits; those
 * above one that has may be named as well.
 */
static uint64_t find_rest(const uint8_t *sym, const uint8_t *ctx)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t s = 0, c = 0, most;

    for (unsigned i = 0; i < 8; i++) {
        s |= (uint64_t)sym[i] << (8 * i);
        c |= (uint64_t)ctx[i] << (8 * i);
    }
    most = s ^ ones * 2 * MANY;
    return ((c + ones * (128 - 4 * FMC_STATIC_FINE)) | ((s - ones) & ~s) | ((most - ones) & ~most)) & tops;
}

/* Index of the lowest bit; v is not 0. */
static unsigned lowest(uint64_t v)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(v);
#else
    unsigned n = 0;

    while (!(v >> n & 1))
        n++;
    return n;
#endif
}

/* What symbols leave open. */
static void write_rest(fmc_static_encoder *e, const fmc_static *s, const fmc_static_row *r, size_t phase, size_t n)
{
    const int32_t *q = r->q + phase, *base = r->s->phase[phase].has_mean ? s->base[phase] : s->none;
    fmc_bits_out b = e->rest;

    for (size_t first = 0; first < n; first += 8) {
        uint64_t left = find_rest(s->sym[phase] + first, s->ctx[phase] + first);

        if (n - first < 8)
            left &= ((uint64_t)1 << 8 * (n - first)) - 1;
        for (; left; left &= left - 1) {
            const size_t i = first + lowest(left) / 8;
            const unsigned sym = s->sym[phase][i], shift = sym == ZERO ? 0 : fmc_static_shift(s->ctx[phase][i]);
            const int32_t x = q[2 * i] - base[i];
            const uint32_t a = (x < 0 ? 0u - (uint32_t)x : (uint32_t)x) - 1;

            if (FMC_UNLIKELY(sym == ZERO - MANY || sym == ZERO + MANY))
                fmc_static_put_golomb(&b, (a >> shift) + 1 - MANY);
            fmc_static_put_bits(&b, a & ((1u << shift) - 1), shift);
        }
    }
    e->rest = b;
}

static void encode_phase(fmc_static_encoder *e, fmc_static *s, const fmc_static_row *r, size_t phase,
                         enum fmc_static_share share)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    const int has_mean = r->s->phase[phase].has_mean;
    const size_t n = (r->n + 1 - phase) / 2;
    uint32_t slow;

    if (has_mean)
        fmc_static_row_mean(s, r, phase);
    fmc_static_row_context(s, r, phase);
    slow = k->static_symbols(s->sym[phase], s->m[phase], s->v[phase], r->q, phase, has_mean ? s->base[phase] : NULL,
                           has_mean ? s->fine[phase] : NULL, s->ctx[phase], n);
    end_phase(s, phase, n, share);
    if (share == ALL) {
        emit(e, s->ctx[phase], s->sym[phase], n);
    } else {
        const size_t m = pack(s->packed_ctx, s->ctx[phase], s->active, n);

        pack(s->packed_sym, s->sym[phase], s->active, n);
        emit(e, s->packed_ctx, s->packed_sym, m);
    }
    if (slow)
        write_rest(e, s, r, phase, n);
}

/* Flags of the quiet segments; s->active then says which are coded. */
static enum fmc_static_share encode_segments(fmc_static_encoder *e, fmc_static *s, const fmc_static_row *r)
{
    size_t n = 0, n_coded = 0, g;

    segment_contexts(s, r);
    for (g = 0; g * SEGMENT < r->n; g++) {
        const size_t first = g * SEGMENT, end = first + SEGMENT < r->n ? first + SEGMENT : r->n;
        int32_t any = 0;

        if (!s->active[g]) {
            for (size_t x = first; x < end; x++)
                any |= r->q[x];
            s->active[g] = any != 0;
            s->packed_sym[n++] = (uint8_t)(ZERO + s->active[g]);
        }
        n_coded += s->active[g];
    }
    emit(e, s->packed_ctx, s->packed_sym, n);
    return n_coded == 0 ? NONE : n_coded < g ? SOME : ALL;
}

void fmc_static_encode_row(fmc_static_encoder *e, fmc_static *s, const fmc_static_row *r)
{
    enum fmc_static_share share = ALL;

    fmc_static_row_energy(s, r);
    if (find_quiet(s, r))
        share = encode_segments(e, s, r);
    if (share == NONE) {
        clear_row(r);
        return;
    }
    encode_phase(e, s, r, 0, share);
    encode_phase(e, s, r, 1, share);
    fmc_static_row_close(s, r);
}

/* -- decoder -- */

static void read_rest(fmc_static_decoder *d, fmc_static *s, const fmc_static_row *r, size_t phase, size_t n)
{
    const int has_mean = r->s->phase[phase].has_mean;
    const int32_t *base = has_mean ? s->base[phase] : s->none;
    fmc_bits_in b = d->rest;

    for (size_t first = 0; first < n; first += 8) {
        uint64_t left = find_rest(s->sym[phase] + first, s->ctx[phase] + first);

        if (n - first < 8)
            left &= ((uint64_t)1 << 8 * (n - first)) - 1;
        for (; left; left &= left - 1) {
            const size_t i = first + lowest(left) / 8;
            const int32_t k = (int32_t)s->sym[phase][i] - ZERO, turned = has_mean ? s->fine[phase][i] >> 7 : 0;
            const unsigned shift = k ? fmc_static_shift(s->ctx[phase][i]) : 0;
            uint32_t a = (uint32_t)(k < 0 ? -k : k);
            int32_t x;

            if (FMC_UNLIKELY(a == MANY))
                a += fmc_static_get_golomb(&b);
            if (b.n < 16)
                fmc_static_fill_bits(&b);
            a = ((a - 1) << shift | fmc_static_take_bits(&b, shift)) + 1;
            a = a > 2u * FMC_COEF_MAX ? 2u * FMC_COEF_MAX : a;
            x = base[i] + ((k < 0) != turned ? -(int32_t)a : (int32_t)a);
            x = x > FMC_COEF_MAX ? FMC_COEF_MAX : x < -FMC_COEF_MAX ? -FMC_COEF_MAX : x;
            s->q[phase][i] = x;
            s->m[phase][i] = (uint16_t)(a > 1023 ? 1023 : a);
            s->v[phase][i] = (int16_t)(x > 32767 ? 32767 : x < -32767 ? -32767 : x);
        }
    }
    d->rest = b;
}

static void decode_phase(fmc_static_decoder *d, fmc_static *s, const fmc_static_row *r, size_t phase,
                         enum fmc_static_share share)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    const int has_mean = r->s->phase[phase].has_mean;
    const size_t n = (r->n + 1 - phase) / 2;
    uint32_t slow;

    if (has_mean)
        fmc_static_row_mean(s, r, phase);
    fmc_static_row_context(s, r, phase);
    if (share == ALL) {
        k->rans_decode(&d->rans, s->table, s->ctx[phase], s->sym[phase], n);
    } else {
        const size_t m = pack(s->packed_ctx, s->ctx[phase], s->active, n);

        k->rans_decode(&d->rans, s->table, s->packed_ctx, s->packed_sym, m);
        unpack(s->sym[phase], s->packed_sym, s->active, n);
    }
    slow = k->static_values(s->q[phase], s->m[phase], s->v[phase], s->sym[phase], has_mean ? s->base[phase] : NULL,
                          has_mean ? s->fine[phase] : NULL, s->ctx[phase], n);
    if (slow)
        read_rest(d, s, r, phase, n);
    end_phase(s, phase, n, share);
}

static enum fmc_static_share decode_segments(fmc_static_decoder *d, fmc_static *s, const fmc_static_row *r, size_t n_quiet)
{
    size_t n = 0, n_coded = 0, g;

    segment_contexts(s, r);
    fmc_kernels_get(s->job->ex)->rans_decode(&d->rans, s->table, s->packed_ctx, s->packed_sym, n_quiet);
    for (g = 0; g * SEGMENT < r->n; g++) {
        if (!s->active[g])
            s->active[g] = s->packed_sym[n++] != ZERO;
        n_coded += s->active[g];
    }
    return n_coded == 0 ? NONE : n_coded < g ? SOME : ALL;
}

void fmc_static_decode_row(fmc_static_decoder *d, fmc_static *s, const fmc_static_row *r)
{
    enum fmc_static_share share = ALL;
    size_t n_quiet;

    fmc_static_row_energy(s, r);
    n_quiet = find_quiet(s, r);
    if (n_quiet)
        share = decode_segments(d, s, r, n_quiet);
    if (share == NONE) {
        clear_row(r);
        memset(r->q, 0, r->n * sizeof *r->q);
        return;
    }
    decode_phase(d, s, r, 0, share);
    decode_phase(d, s, r, 1, share);
    fmc_kernels_get(s->job->ex)->static_join32(r->q, s->q[0], s->q[1], r->n);
    fmc_static_row_close(s, r);
}
