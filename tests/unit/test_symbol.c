/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "entropy/symbol.h"

enum { N = 20000, N_DISTS = 3 };

static uint32_t seed;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Mostly 0, now and then any. */
static unsigned random_symbol(size_t i)
{
    return i % 5000 < 2000 ? 0 : next_random() % 4 ? next_random() % 3 : next_random() % FMC_SYMBOLS;
}

typedef struct model {
    fmc_symbol_dist dist[N_DISTS];
    unsigned        n[N_DISTS];
} model;

static model fresh(void)
{
    model m = { .n = { 0, 5, 30 } };

    for (int k = 0; k < N_DISTS; k++)
        for (int i = 0; i + 1 < FMC_SYMBOLS; i++)
            m.dist[k].above[i] = (int16_t)(k == 0 ? 0 : k == 1 ? FMC_SYMBOL_TOP : FMC_SYMBOL_TOP / (i + 2));
    return m;
}

static void learn(model *m, size_t i, unsigned symbol)
{
    unsigned *n = &m->n[i % N_DISTS];

    fmc_symbol_update(&m->dist[i % N_DISTS], symbol, fmc_symbol_rate[*n]);
    *n += *n < FMC_SYMBOL_LIMIT;
}

static void gives_back_symbols_and_bits(void **state)
{
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    model m = fresh();
    fmc_enc enc;
    fmc_dec dec;

    (void)state;
    seed = 3;
    fmc_enc_init(&enc, &out);
    for (size_t i = 0; i < N; i++) {
        const unsigned s = random_symbol(i);

        fmc_enc_symbol(&enc, &m.dist[i % N_DISTS], s);
        fmc_enc_bit(&enc, s & 1, 30000);
        learn(&m, i, s);
    }
    fmc_enc_finish(&enc);
    assert_int_equal(out.st, FMC_OK);
    m = fresh();
    seed = 3;
    fmc_dec_init(&dec, out.data, out.size);
    for (size_t i = 0; i < N; i++) {
        const unsigned s = random_symbol(i);

        assert_int_equal(fmc_dec_symbol(&dec, &m.dist[i % N_DISTS]), s);
        assert_int_equal(fmc_dec_bit(&dec, 30000), s & 1);
        learn(&m, i, s);
    }
    assert_int_equal(fmc_dec_finish(&dec), FMC_OK);
    fmc_out_fini(&out);
}

static void every_symbol_stays_possible(void **state)
{
    model m = fresh();

    (void)state;
    seed = 8;
    for (size_t i = 0; i < N; i++) {
        const fmc_symbol_dist *d = &m.dist[i % N_DISTS];

        learn(&m, i, i < N / 2 ? (unsigned)(i / 100 % 16) : random_symbol(i));
        assert_int_equal(d->above[FMC_SYMBOLS - 1], 0);
        assert_true(d->above[0] <= FMC_SYMBOL_TOP);
        for (unsigned s = 1; s < FMC_SYMBOLS; s++)
            assert_true(fmc_symbol_low(d, s) < fmc_symbol_low(d, s - 1));
    }
}

static void damaged_bytes_give_some_symbol(void **state)
{
    uint8_t bytes[64];

    (void)state;
    seed = 21;
    for (int turn = 0; turn < 2000; turn++) {
        model m = fresh();
        fmc_dec dec;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(turn < 4 ? 0xff : next_random());
        fmc_dec_init(&dec, bytes, sizeof bytes);
        for (size_t i = 0; i < 100; i++) {
            unsigned s;

            if (i % 3 == 0)
                fmc_dec_raw(&dec, 16);
            s = fmc_dec_symbol(&dec, &m.dist[i % N_DISTS]);
            assert_true(s < FMC_SYMBOLS);
            learn(&m, i, s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_symbols_and_bits),
        cmocka_unit_test(every_symbol_stays_possible),
        cmocka_unit_test(damaged_bytes_give_some_symbol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
