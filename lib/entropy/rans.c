/* SPDX-License-Identifier: Apache-2.0 */
#include "entropy/rans.h"

#include "core/status.h"

#define LOW ((uint64_t)1 << 31) /* states lie in [LOW, LOW << 32) */

/*
 * x / f as (x * reciprocal) >> 64 >> shift for x < 2^63: Granlund and Montgomery, Division by Invariant Integers using
 * Multiplication (1994), as in F. Giesen's public domain rans64.h. The new state x / f * 32768 + x % f + start is
 * x + start + x / f * (32768 - f).
 */
static void make_symbol(uint32_t start, uint32_t f, fmc_rans_symbol *s)
{
    s->frequency = f;
    s->complement = (uint16_t)((1u << FMC_RANS_LOG2) - f);
    if (f < 2) { /* x / 1 = ((x * (2^64 - 1)) >> 64) + 1 for x > 0 */
        s->reciprocal = UINT64_MAX;
        s->shift = 0;
        s->bias = start + (1u << FMC_RANS_LOG2) - 1;
    } else {
        uint32_t shift = 0;
        uint64_t high, low, t;

        while (f > 1u << shift)
            shift++;
        /* (2^(shift + 63) + f - 1) / f in two halves of 32 bits */
        high = (uint64_t)1 << (shift + 31);
        low = f - 1;
        t = high / f;
        low += (high % f) << 32;
        s->reciprocal = low / f + (t << 32);
        s->shift = (uint16_t)(shift - 1);
        s->bias = start;
    }
}

void fmc_rans_symbols(const fmc_rans_table *table, fmc_rans_symbol *symbol)
{
    for (uint32_t i = 0; i < FMC_RANS_SYMBOLS; i++)
        make_symbol(table->cum[i], (uint32_t)table->cum[i + 1] - table->cum[i], &symbol[i]);
}

static inline uint64_t high_product(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;

    return (uint64_t)(((wide)a * b) >> 64);
#else
    const uint64_t a1 = a >> 32, a0 = (uint32_t)a, b1 = b >> 32, b0 = (uint32_t)b;
    const uint64_t mid = a1 * b0 + ((a0 * b0) >> 32), low = a0 * b1 + (uint32_t)mid;

    return a1 * b1 + (mid >> 32) + (low >> 32);
#endif
}

/* Without a branch, which nobody foretells: a word is written in any case, and kept if it is one. */
static inline uint64_t put_symbol(uint64_t x, const fmc_rans_symbol *s, uint32_t **word)
{
    const unsigned is_full = x >> (63 - FMC_RANS_LOG2) >= s->frequency;

    *(*word - 1) = (uint32_t)x;
    *word -= is_full;
    x >>= 32 * is_full;
    return x + s->bias + (high_product(x, s->reciprocal) >> s->shift) * s->complement;
}

static void write_words(const uint32_t *word, size_t n, fmc_out *out)
{
    uint8_t *p;

    fmc_out_varint(out, n);
    p = fmc_out_reserve(out, 4 * n);
    if (!p)
        return;
    for (size_t i = 0; i < n; i++)
        for (int b = 0; b < 4; b++)
            p[4 * i + b] = (uint8_t)(word[i] >> (8 * b));
    out->size += 4 * n;
}

void fmc_rans_encode(const fmc_allocator *a, const uint16_t *code, size_t n_codes, const uint32_t *group,
                     size_t n_groups, const fmc_rans_symbol *symbol, fmc_out *out)
{
    const size_t cap = n_codes + 2 * FMC_RANS_LANES; /* no symbol needs more than a word */
    uint64_t state[FMC_RANS_LANES];
    uint32_t *memory = NULL, *word;

    if (out->st != FMC_OK)
        return;
    out->st = FMC_ALLOC(a, cap, &memory);
    if (out->st != FMC_OK)
        return;
    word = memory + cap;
    for (int i = 0; i < FMC_RANS_LANES; i++)
        state[i] = LOW;
    code += n_codes;
    for (size_t g = n_groups; g-- > 0;) {
        size_t i = group[g];

        code -= i;
        for (; i % FMC_RANS_LANES; i--)
            state[(i - 1) % FMC_RANS_LANES] = put_symbol(state[(i - 1) % FMC_RANS_LANES], &symbol[code[i - 1]], &word);
        for (; i; i -= FMC_RANS_LANES)
            for (size_t k = FMC_RANS_LANES; k-- > 0;)
                state[k] = put_symbol(state[k], &symbol[code[i - FMC_RANS_LANES + k]], &word);
    }
    for (int i = FMC_RANS_LANES; i-- > 0;) {
        *--word = (uint32_t)(state[i] >> 32);
        *--word = (uint32_t)state[i];
    }
    write_words(word, (size_t)(memory + cap - word), out);
    fmc_dealloc(a, memory);
}

fmc_status fmc_rans_open(fmc_in *in, fmc_rans_dec *d)
{
    const uint64_t n = fmc_in_varint(in);
    fmc_in words;
    fmc_status st;

    FMC_TRY(n > SIZE_MAX / 4 ? FMC_ERR_TRUNCATED : FMC_OK);
    words = fmc_in_sub(in, 4 * n);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(n < 2 * FMC_RANS_LANES ? FMC_ERR_CORRUPT : FMC_OK);
    for (int i = 0; i < FMC_RANS_LANES; i++) {
        d->state[i] = fmc_in_u64(&words);
        FMC_TRY(d->state[i] < LOW || d->state[i] >> 63 ? FMC_ERR_CORRUPT : FMC_OK);
    }
    d->p = words.data + words.pos;
    d->end = words.data + words.size;
    d->n_past = 0;
done:
    return st;
}

fmc_status fmc_rans_close(const fmc_rans_dec *d)
{
    uint64_t wrong = d->n_past;

    for (int i = 0; i < FMC_RANS_LANES; i++)
        wrong |= d->state[i] ^ LOW;
    return wrong || d->p != d->end ? FMC_ERR_CORRUPT : FMC_OK;
}
