/* SPDX-License-Identifier: Apache-2.0 */
/* Coding of latents: exact, close to the tables' own cost, and safe with any bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "entropy/latent.h"

static fmc_latent_tables tables;
static uint64_t seed = 1;

static uint32_t next(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* Frequencies that fall by a ratio, for 64 widths. */
static void make(uint16_t *count, uint16_t *frequency, uint16_t *escape)
{
    size_t at = 0;

    for (int k = 0; k < FMC_LATENT_TABLES; k++) {
        double weight = 1, sum = 1;
        uint32_t left = 65536 - 4;
        const double ratio = 1 - 0.9 / (1 + k);

        count[k] = (uint16_t)(1 + 3 * k);
        escape[k] = 4;
        for (int v = 1; v < count[k]; v++)
            sum += 2 * (weight *= ratio);
        weight = 1;
        for (int v = 0; v < count[k]; v++, weight *= ratio)
            if (v) {
                frequency[at + v] = (uint16_t)(1 + 60000 * weight / sum);
                left -= 2u * frequency[at + v];
            }
        frequency[at] = (uint16_t)(left > 65535 ? 65535 : left);
        if (left > 65535)
            escape[k] = (uint16_t)(escape[k] + left - 65535);
        at += count[k];
    }
}

static int set_up(void **state)
{
    static uint16_t count[FMC_LATENT_TABLES], escape[FMC_LATENT_TABLES], frequency[FMC_LATENT_TABLES * 200];

    (void)state;
    make(count, frequency, escape);
    return fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &tables) != FMC_OK;
}

static int tear_down(void **state)
{
    (void)state;
    fmc_latent_tables_fini(&fmc_system_allocator, &tables);
    return 0;
}

/* Values drawn from the tables; one in `rare` is far outside. @return bits that the tables ask for. */
static double draw(int32_t *q, uint8_t *index, size_t n, uint32_t rare)
{
    double bits = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t k, slot, s = 0;
        const uint32_t *cum;

        index[i] = (uint8_t)(k = next() % FMC_LATENT_TABLES);
        slot = next() % 65536;
        cum = tables.cum + tables.first[k];
        while (cum[s + 1] <= slot)
            s++;
        q[i] = (int32_t)s - (int32_t)tables.count[k] + 1;
        bits -= log2((cum[s + 1] - cum[s]) / 65536.0);
        if (rare && next() % rare == 0)
            q[i] = (int32_t)(next() % 2000000) - 1000000;
    }
    return bits;
}

static void values_come_back(void **state)
{
    (void)state;
    for (size_t n = 0; n < 3000; n = n * 2 + 1)
        for (uint32_t rare = 0; rare <= 5; rare += 5) {
            int32_t *q = malloc((n + 1) * sizeof *q), *back = malloc((n + 1) * sizeof *back);
            uint8_t *index = malloc(n + 1);
            fmc_out out = fmc_out_make(&fmc_system_allocator);
            fmc_in in;

            draw(q, index, n, rare);
            fmc_out_u8(&out, 77);
            fmc_latent_encode(&fmc_system_allocator, &tables, q, index, n, &out);
            fmc_out_u8(&out, 78);
            assert_int_equal(out.st, FMC_OK);
            in = fmc_in_make(out.data, out.size);
            assert_int_equal(fmc_in_u8(&in), 77);
            assert_int_equal(fmc_latent_decode(&tables, index, n, &in, back), FMC_OK);
            assert_int_equal(fmc_in_u8(&in), 78);
            assert_memory_equal(q, back, n * sizeof *q);
            fmc_out_fini(&out);
            free(q);
            free(back);
            free(index);
        }
}

static void size_is_what_the_tables_ask_for(void **state)
{
    enum { N = 200000 };
    int32_t *q = malloc(N * sizeof *q);
    uint8_t *index = malloc(N);
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    double bits = draw(q, index, N, 0);

    (void)state;
    for (size_t i = 0; i < N; i++) /* escapes of the draw are values just outside */
        if (q[i] == (int32_t)tables.count[index[i]])
            bits += 2;
    fmc_latent_encode(&fmc_system_allocator, &tables, q, index, N, &out);
    assert_true((double)out.size * 8 < bits * 1.0005 + 8 * 24);
    fmc_out_fini(&out);
    free(q);
    free(index);
}

static void limits_of_escapes(void **state)
{
    const uint8_t index[2] = { 0, 0 };
    const int32_t most = (int32_t)tables.count[0] + FMC_LATENT_MAX_EXCESS - 1;
    int32_t q[2] = { most, -most }, back[2];
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    fmc_in in;

    (void)state;
    fmc_latent_encode(&fmc_system_allocator, &tables, q, index, 2, &out);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_latent_decode(&tables, index, 2, &in, back), FMC_OK);
    assert_memory_equal(q, back, sizeof q);
    fmc_out_fini(&out);
    for (int i = 0; i < 2; i++) {
        out = fmc_out_make(&fmc_system_allocator);
        q[0] = i ? most + 1 : INT32_MIN;
        fmc_latent_encode(&fmc_system_allocator, &tables, q, index, 2, &out);
        assert_int_equal(out.st, FMC_ERR_ARG);
        fmc_out_fini(&out);
    }
}

/* Nothing shorter decodes; what is damaged is told or gives other values, and never more than that. */
static void damaged_bytes_are_safe(void **state)
{
    enum { N = 400 };
    int32_t q[N], back[N];
    uint8_t index[N];
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    size_t n_told = 0, n_tried = 0;

    (void)state;
    draw(q, index, N, 20);
    fmc_latent_encode(&fmc_system_allocator, &tables, q, index, N, &out);
    for (size_t n = 0; n < out.size; n++) {
        uint8_t *cut = malloc(n + 1);
        fmc_in in = fmc_in_make(cut, n);

        memcpy(cut, out.data, n);
        assert_int_equal(fmc_latent_decode(&tables, index, N, &in, back), FMC_ERR_TRUNCATED);
        free(cut);
    }
    for (size_t i = 0; i < 8 * out.size; i++) {
        fmc_in in = fmc_in_make(out.data, out.size);

        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
        n_told += fmc_latent_decode(&tables, index, N, &in, back) != FMC_OK;
        n_tried++;
        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(n_told > n_tried * 3 / 4); /* raw bits can be any */
    fmc_out_fini(&out);
}

static void tables_are_checked(void **state)
{
    static uint16_t count[FMC_LATENT_TABLES], escape[FMC_LATENT_TABLES], frequency[FMC_LATENT_TABLES * 200];
    fmc_latent_tables t;

    (void)state;
    make(count, frequency, escape);
    frequency[1]++;
    assert_int_equal(fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &t), FMC_ERR_BAD_MODEL);
    make(count, frequency, escape);
    frequency[1] = (uint16_t)(frequency[1] + frequency[3] - 1 + 1);
    frequency[3] = 0;
    assert_int_equal(fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &t), FMC_ERR_BAD_MODEL);
    make(count, frequency, escape);
    count[5] = 0;
    assert_int_equal(fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &t), FMC_ERR_BAD_MODEL);
    count[5] = 4097;
    assert_int_equal(fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &t), FMC_ERR_BAD_MODEL);
    make(count, frequency, escape);
    escape[63] = 0;
    assert_int_equal(fmc_latent_tables_init(&fmc_system_allocator, count, frequency, escape, &t), FMC_ERR_BAD_MODEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(size_is_what_the_tables_ask_for),
        cmocka_unit_test(limits_of_escapes),
        cmocka_unit_test(damaged_bytes_are_safe),
        cmocka_unit_test(tables_are_checked),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
