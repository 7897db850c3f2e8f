/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream: varint bytes of raw bits, varint number of words, raw bits (from the low end of each byte), words: both states
 * (low word first), then what the states ask for. Value i belongs to state i % 2; encoded backwards.
 */
#include "entropy/latent.h"

#include "core/status.h"

enum { LOG2 = 16, N_STATES = 2, MAX_PREFIX = 20 };
#define TOTAL ((uint32_t)1 << LOG2)
#define LOW ((uint64_t)1 << 31) /* states lie in [LOW, LOW << 32) */

/* ----------------------------------------------------------------------------------------------------- tables -- */

/* One table: *cum gets 2 * count + 1 entries. @return 0 if the frequencies are none. */
static int fill_table(const uint16_t *frequency, uint32_t count, uint32_t escape, uint32_t *cum, uint16_t *bucket)
{
    const uint32_t n = 2 * count;
    uint64_t sum = 0;
    uint32_t symbol = 0;

    for (uint32_t s = 0; s < n; s++) {
        const uint32_t f = s == n - 1 ? escape : frequency[s < count ? count - 1 - s : s + 1 - count];

        if (f == 0)
            return 0;
        cum[s] = (uint32_t)sum;
        sum += f;
    }
    cum[n] = TOTAL;
    if (sum != TOTAL)
        return 0;
    for (uint32_t b = 0; b < 256; b++) {
        while (cum[symbol + 1] <= b << 8)
            symbol++;
        bucket[b] = (uint16_t)symbol;
    }
    return 1;
}

fmc_status fmc_latent_tables_init(const fmc_allocator *a, const uint16_t *count, const uint16_t *frequency,
                                  const uint16_t *escape, fmc_latent_tables *t)
{
    size_t total = 0;
    fmc_status st;

    *t = (fmc_latent_tables){ .cum = NULL };
    for (uint32_t k = 0; k < FMC_LATENT_TABLES; k++) {
        if (count[k] < 1 || count[k] > FMC_LATENT_MAX_COUNT)
            return FMC_ERR_BAD_MODEL;
        t->count[k] = count[k];
        t->first[k] = (uint32_t)total;
        total += 2 * (size_t)count[k] + 1;
    }
    FMC_TRY(FMC_ALLOC(a, total, &t->cum));
    FMC_TRY(FMC_ALLOC(a, FMC_LATENT_TABLES * 256, &t->bucket));
    for (uint32_t k = 0; k < FMC_LATENT_TABLES; k++) {
        FMC_TRY(fill_table(frequency, count[k], escape[k], t->cum + t->first[k], t->bucket + 256 * (size_t)k)
                    ? FMC_OK : FMC_ERR_BAD_MODEL);
        frequency += count[k];
    }
done:
    if (st != FMC_OK)
        fmc_latent_tables_fini(a, t);
    return st;
}

void fmc_latent_tables_fini(const fmc_allocator *a, fmc_latent_tables *t)
{
    fmc_dealloc(a, t->cum);
    fmc_dealloc(a, t->bucket);
    t->cum = NULL;
    t->bucket = NULL;
}

/* ---------------------------------------------------------------------------------------------------- raw bits -- */

typedef struct bits_out {
    fmc_out *out;
    uint32_t held, n_held; /* fewer than 8 bits */
} bits_out;

static void put_bits(bits_out *b, uint32_t value, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        b->held |= (value >> i & 1) << b->n_held;
        if (++b->n_held == 8) {
            fmc_out_u8(b->out, (uint8_t)b->held);
            b->held = b->n_held = 0;
        }
    }
}

/* Exp-Golomb of order 0: as many zeros as v + 1 has bits after its first, a one, those bits. v + 1 < 2^21. */
static void put_excess(bits_out *b, uint32_t v)
{
    uint32_t n = 0;

    while ((v + 1) >> (n + 1))
        n++;
    put_bits(b, 0, n);
    put_bits(b, 1, 1);
    put_bits(b, (v + 1) & ((1u << n) - 1), n);
}

typedef struct bits_in {
    const uint8_t *p;
    size_t size, at; /* bytes; bits */
} bits_in;

static uint32_t get_bit(bits_in *b)
{
    const uint32_t bit = b->at / 8 < b->size ? b->p[b->at / 8] >> (b->at % 8) & 1u : 0;

    b->at++; /* past the end: zeros, told by the final check */
    return bit;
}

/* UINT32_MAX if there is no end of zeros. */
static uint32_t get_excess(bits_in *b)
{
    uint32_t n = 0, v = 0;

    while (!get_bit(b))
        if (++n > MAX_PREFIX)
            return UINT32_MAX;
    for (uint32_t i = 0; i < n; i++)
        v |= get_bit(b) << i;
    return (v | 1u << n) - 1;
}

/* All bytes were needed, and the last one ends with zeros. */
static int is_used_up(const bits_in *b)
{
    return (b->at + 7) / 8 == b->size && (b->at % 8 == 0 || b->p[b->size - 1] >> (b->at % 8) == 0);
}

/* -------------------------------------------------------------------------------------------------------- rANS -- */

static uint32_t magnitude(int32_t v)
{
    return v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
}

/* Raw bits of all escapes, front to back. */
static void write_escapes(const fmc_latent_tables *t, const int32_t *q, const uint8_t *index, size_t n, fmc_out *out)
{
    bits_out b = { .out = out };

    for (size_t i = 0; i < n; i++) {
        const uint32_t count = t->count[index[i]], m = magnitude(q[i]);

        if (m < count)
            continue;
        if (m - count >= (uint32_t)FMC_LATENT_MAX_EXCESS) {
            out->st = FMC_ERR_ARG;
            return;
        }
        put_excess(&b, 2 * (m - count) + (q[i] < 0));
    }
    if (b.n_held)
        fmc_out_u8(out, (uint8_t)b.held);
}

/* Words from the end of `word` downwards. @return the first. */
static uint32_t *encode_words(const fmc_latent_tables *t, const int32_t *q, const uint8_t *index, size_t n, uint32_t *word)
{
    uint64_t state[N_STATES] = { LOW, LOW };

    while (n-- > 0) {
        const uint32_t count = t->count[index[n]];
        const uint32_t symbol = magnitude(q[n]) < count ? (uint32_t)(q[n] + (int32_t)count - 1) : 2 * count - 1;
        const uint32_t *cum = t->cum + t->first[index[n]] + symbol;
        const uint64_t f = cum[1] - cum[0];
        uint64_t x = state[n % N_STATES];

        if (x >> (63 - LOG2) >= f) {
            *--word = (uint32_t)x;
            x >>= 32;
        }
        state[n % N_STATES] = (x / f << LOG2) + x % f + cum[0];
    }
    for (int i = N_STATES; i-- > 0;) {
        *--word = (uint32_t)(state[i] >> 32);
        *--word = (uint32_t)state[i];
    }
    return word;
}

void fmc_latent_encode(const fmc_allocator *a, const fmc_latent_tables *t, const int32_t *q, const uint8_t *index, size_t n,
                       fmc_out *out)
{
    const size_t cap = n + 2 * N_STATES; /* no value needs more than a word */
    uint32_t *memory = NULL, *word;
    fmc_out raw = fmc_out_make(a);

    if (out->st != FMC_OK)
        return;
    write_escapes(t, q, index, n, &raw);
    if (raw.st == FMC_OK)
        raw.st = FMC_ALLOC(a, cap, &memory);
    if (raw.st == FMC_OK) {
        word = encode_words(t, q, index, n, memory + cap);
        fmc_out_varint(out, raw.size);
        fmc_out_varint(out, (uint64_t)(memory + cap - word));
        fmc_out_bytes(out, raw.data, raw.size);
        while (word < memory + cap)
            fmc_out_u32(out, *word++);
    } else {
        out->st = raw.st;
    }
    fmc_dealloc(a, memory);
    fmc_out_fini(&raw);
}

/* Little-endian words of a span; 0 past the end. */
typedef struct words_in {
    const uint8_t *p, *end;
    size_t n_past;
} words_in;

static inline uint32_t next_word(words_in *w)
{
    uint32_t v;

    if (w->p == w->end) {
        w->n_past++;
        return 0;
    }
    v = (uint32_t)w->p[0] | (uint32_t)w->p[1] << 8 | (uint32_t)w->p[2] << 16 | (uint32_t)w->p[3] << 24;
    w->p += 4;
    return v;
}

/* One value of table k. @return 0 if its escape is no code. */
static inline int decode_one(const fmc_latent_tables *t, uint32_t k, uint64_t *state, words_in *w, bits_in *raw, int32_t *q)
{
    const uint32_t *cum = t->cum + t->first[k], count = t->count[k], slot = (uint32_t)*state & (TOTAL - 1);
    uint32_t symbol = t->bucket[256 * (size_t)k + (slot >> 8)];
    uint64_t x;

    while (slot >= cum[symbol + 1])
        symbol++;
    x = (cum[symbol + 1] - cum[symbol]) * (*state >> LOG2) + slot - cum[symbol];
    if (x < LOW)
        x = x << 32 | next_word(w);
    *state = x;
    *q = (int32_t)symbol - (int32_t)count + 1;
    if (symbol == 2 * count - 1) {
        const uint32_t excess = get_excess(raw);

        if (excess == UINT32_MAX)
            return 0;
        *q = excess & 1 ? -(int32_t)(count + excess / 2) : (int32_t)(count + excess / 2);
    }
    return 1;
}

static fmc_status open_streams(fmc_in *in, bits_in *raw, words_in *w)
{
    const uint64_t raw_size = fmc_in_varint(in), n_words = fmc_in_varint(in);

    raw->p = fmc_in_bytes(in, raw_size);
    raw->size = (size_t)raw_size;
    raw->at = 0;
    if (n_words > SIZE_MAX / 4)
        return FMC_ERR_TRUNCATED;
    w->p = fmc_in_bytes(in, 4 * n_words);
    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    w->end = w->p + 4 * n_words;
    w->n_past = 0;
    return n_words < 2 * N_STATES ? FMC_ERR_CORRUPT : FMC_OK;
}

fmc_status fmc_latent_decode(const fmc_latent_tables *t, const uint8_t *index, size_t n, fmc_in *in, int32_t *q)
{
    uint64_t state[N_STATES];
    bits_in raw = { 0 };
    words_in w = { 0 };
    fmc_status st;

    FMC_TRY(open_streams(in, &raw, &w));
    for (int i = 0; i < N_STATES; i++) {
        state[i] = next_word(&w);
        state[i] |= (uint64_t)next_word(&w) << 32;
        FMC_TRY(state[i] < LOW || state[i] >> 63 ? FMC_ERR_CORRUPT : FMC_OK);
    }
    for (size_t i = 0; i < n; i++)
        if (!decode_one(t, index[i], &state[i % N_STATES], &w, &raw, &q[i]) || w.n_past)
            return FMC_ERR_CORRUPT;
    for (int i = 0; i < N_STATES; i++)
        FMC_TRY(state[i] != LOW ? FMC_ERR_CORRUPT : FMC_OK);
    FMC_TRY(w.p != w.end || !is_used_up(&raw) ? FMC_ERR_CORRUPT : FMC_OK);
done:
    return st;
}
