/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "entropy/rans.h"
#include "ops/kernels.h"

enum { N = 5000, GROUPS = 40 };

static uint32_t seed = 9;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Tables from flat to as steep as they can be, and codes in groups of 0, 1, 2, ... symbols. */
typedef struct sample {
    fmc_rans_table  table[FMC_STATIC_TABLES];
    fmc_rans_symbol symbol[FMC_STATIC_TABLES][32];
    uint16_t        code[N];
    uint32_t        group[GROUPS];
    size_t          n;
    fmc_out         out;
} sample;

static void make_table(fmc_rans_table *t, uint32_t steep)
{
    uint32_t f[FMC_RANS_SYMBOLS], left = (1u << FMC_RANS_LOG2) - FMC_RANS_SYMBOLS, cum = 0;

    for (int i = 0; i < FMC_RANS_SYMBOLS; i++)
        f[i] = 1;
    for (uint32_t i = 0; left; i++) {
        const uint32_t take = left / steep + 1;

        f[(i * 7 + 3) % FMC_RANS_SYMBOLS] += take < left ? take : left;
        left -= take < left ? take : left;
    }
    for (int i = 0; i < FMC_RANS_SYMBOLS; i++) {
        t->cum[i] = (uint16_t)cum;
        cum += f[i];
    }
    t->cum[FMC_RANS_SYMBOLS] = (uint16_t)cum;
}

static void make_sample(sample *s)
{
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < FMC_STATIC_TABLES; i++) {
        make_table(&s->table[i], 1 + i % 40);
        fmc_rans_symbols(&s->table[i], s->symbol[i]);
    }
    for (uint32_t g = 0; g < GROUPS; g++) {
        s->group[g] = g * g % 90;
        for (uint32_t i = 0; i < s->group[g]; i++) {
            const uint32_t t = next_random() % FMC_STATIC_TABLES, slot = next_random() & 32767;
            uint32_t sym = 30;

            while (next_random() % 8 && s->table[t].cum[sym] > slot)
                sym--;
            s->code[s->n++] = (uint16_t)(t << 5 | sym);
        }
    }
    s->out = fmc_out_make(&fmc_system_allocator);
    fmc_rans_encode(&fmc_system_allocator, s->code, s->n, s->group, GROUPS, s->symbol[0], &s->out);
    assert_int_equal(s->out.st, FMC_OK);
}

/* Decodes what is in `in`; whether all symbols are right goes to *same. */
static fmc_status decode(const sample *s, const fmc_kernels *k, fmc_in *in, int *same)
{
    fmc_rans_dec d;
    fmc_status st = fmc_rans_open(in, &d);
    const uint16_t *code = s->code;

    *same = 1;
    if (st != FMC_OK)
        return st;
    for (uint32_t g = 0; g < GROUPS; g++) {
        uint8_t ctx[100], sym[100];

        for (uint32_t i = 0; i < s->group[g]; i++)
            ctx[i] = (uint8_t)(code[i] >> 5);
        k->rans_decode(&d, s->table, ctx, sym, s->group[g]);
        for (uint32_t i = 0; i < s->group[g]; i++)
            *same &= sym[i] == (code[i] & 31);
        code += s->group[g];
    }
    return fmc_rans_close(&d);
}

static void symbols_come_back_on_every_level(void **state)
{
    sample *s = malloc(sizeof *s);

    (void)state;
    make_sample(s);
    for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512; level++) {
        fmc_in in = fmc_in_make(s->out.data, s->out.size);
        int same;

        assert_int_equal(decode(s, fmc_kernels_select(level), &in, &same), FMC_OK);
        assert_true(same);
        assert_int_equal(fmc_in_left(&in), 0);
    }
    fmc_out_fini(&s->out);
    free(s);
}

/* Two symbols lead from different states to the same one, if their frequency is 1: then only a checksum can know. */
static void changed_bits_show_at_the_end(void **state)
{
    sample *s = malloc(sizeof *s);

    (void)state;
    make_sample(s);
    for (size_t bit = 16; bit < 8 * s->out.size; bit++) { /* behind the number of words */
        fmc_in in = fmc_in_make(s->out.data, s->out.size);
        fmc_status st;
        int same;

        s->out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        st = decode(s, fmc_kernels_select(FMC_SIMD_BEST), &in, &same);
        assert_true(st == FMC_ERR_CORRUPT || (st == FMC_OK && !same));
        s->out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    fmc_out_fini(&s->out);
    free(s);
}

static void missing_bytes_are_truncated(void **state)
{
    sample *s = malloc(sizeof *s);

    (void)state;
    make_sample(s);
    for (size_t n = 0; n < s->out.size; n++) {
        fmc_in in = fmc_in_make(s->out.data, n);
        int same;

        assert_int_equal(decode(s, &fmc_kernels_ref, &in, &same), FMC_ERR_TRUNCATED);
    }
    fmc_out_fini(&s->out);
    free(s);
}

static void fewer_or_more_words_are_corrupt(void **state)
{
    sample *s = malloc(sizeof *s);

    (void)state;
    make_sample(s);
    for (int change = -1; change <= 1; change += 2) {
        fmc_out other = fmc_out_make(&fmc_system_allocator);
        fmc_in was = fmc_in_make(s->out.data, s->out.size), in;
        const uint64_t n = fmc_in_varint(&was);
        int same;

        fmc_out_varint(&other, n + (uint64_t)change);
        fmc_out_bytes(&other, s->out.data + was.pos, fmc_in_left(&was));
        fmc_out_u32(&other, 0);
        in = fmc_in_make(other.data, other.size);
        assert_int_equal(decode(s, fmc_kernels_select(FMC_SIMD_BEST), &in, &same), FMC_ERR_CORRUPT);
        fmc_out_fini(&other);
    }
    fmc_out_fini(&s->out);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_come_back_on_every_level),
        cmocka_unit_test(changed_bits_show_at_the_end),
        cmocka_unit_test(missing_bytes_are_truncated),
        cmocka_unit_test(fewer_or_more_words_are_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
