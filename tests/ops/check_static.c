/* SPDX-License-Identifier: Apache-2.0 */
/* Every loop of lib/ops/kernels_static.h: each variant that this machine runs gives the values of ref. */
#include "ops_util.h"

enum { MOST = 260, ROOM = MOST + 2 * FMC_COEF_SLACK, ROWS = 12 };

/* What the loops read, and what two variants made of it. */
typedef struct fixture {
    int16_t  row[ROWS][ROOM];
    const int16_t *rows[ROWS];
    int16_t  weight[ROWS], taps[2][FMC_COEF_TAPS];
    uint16_t m[ROOM];
    int32_t  base[ROOM], q[2 * ROOM];
    uint8_t  fine[ROOM], ctx[ROOM], symbols[ROOM];
    struct results {
        int32_t  sum[ROOM], base[ROOM], q[ROOM];
        uint16_t e[ROOM], mag[ROOM], half[2][ROOM];
        int16_t  v[ROOM];
        uint8_t  fine[ROOM], ctx[ROOM], sym[ROOM];
        float    moments[FMC_MOMENT_ROWS][FMC_MOMENTS];
        uint32_t slow;
    } want, got;
} fixture;

static void fill(fixture *f)
{
    for (int j = 0; j < ROWS; j++) {
        f->rows[j] = f->row[j];
        f->weight[j] = (int16_t)(ops_random() % 8000);
        for (int k = 0; k < 2; k++)
            f->taps[k][j] = (int16_t)((int)(ops_random() % 1023) - 511);
        for (int x = 0; x < ROOM; x++)
            f->row[j][x] = (int16_t)(ops_random() % 4 ? ops_random() % 12 : ops_random() % 1024);
    }
    for (int x = 0; x < ROOM; x++) {
        f->m[x] = (uint16_t)(ops_random() % 1024);
        f->base[x] = (int32_t)(ops_random() % 2001) - 1000;
        f->fine[x] = (uint8_t)((ops_random() & 3) | (ops_random() & 128));
        f->ctx[x] = (uint8_t)(ops_random() % (ops_random() % 2 ? FMC_STATIC_VALUES : 40));
        f->symbols[x] = (uint8_t)(1 + ops_random() % 29);
    }
    for (int x = 0; x < 2 * ROOM; x++)
        f->q[x] = (int32_t)(ops_random() % 41) - 20;
    for (int k = 0; k < 20; k++)
        f->q[ops_random() % (2 * ROOM)] = (int32_t)(ops_random() % (1u << 29)) - (1 << 28);
}

#define SAME(what, n) assert_memory_equal(f->want.what, f->got.what, (n) * sizeof f->want.what[0])

static void check_sums(fixture *f, const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    for (size_t n_rows = 0; n_rows <= ROWS; n_rows += 2) {
        ref->static_energy(f->want.e, f->rows, f->weight, n_rows, n);
        k->static_energy(f->got.e, f->rows, f->weight, n_rows, n);
        SAME(e, n);
        ref->static_sum(f->want.sum, f->rows, (const int16_t(*)[FMC_COEF_TAPS])f->taps, n_rows, n);
        k->static_sum(f->got.sum, f->rows, (const int16_t(*)[FMC_COEF_TAPS])f->taps, n_rows, n);
        SAME(sum, n);
    }
}

static void check_rows(fixture *f, const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    const uint32_t share = ops_random() % 65536, near = ops_random() % 33;

    ref->static_split(f->want.half[0], f->want.half[1], f->m, n);
    k->static_split(f->got.half[0], f->got.half[1], f->m, n);
    SAME(half[0], (n + 1) / 2);
    SAME(half[1], n / 2);
    ref->static_join(f->want.e, f->m, f->want.e, n);
    ref->static_join(f->want.mag, f->m, f->m + 1, n);
    k->static_join(f->got.mag, f->m, f->m + 1, n);
    SAME(mag, n);
    ref->static_join32(f->want.q, f->base, f->base + 1, n);
    k->static_join32(f->got.q, f->base, f->base + 1, n);
    SAME(q, n);
    ref->static_clamp(f->want.mag, f->want.v, f->q, n);
    k->static_clamp(f->got.mag, f->got.v, f->q, n);
    SAME(mag, n);
    SAME(v, n);
    memcpy(f->want.e, f->m, sizeof f->m);
    memcpy(f->got.e, f->m, sizeof f->m);
    for (size_t x = 0; x < n; x++)
        f->want.e[x] = f->got.e[x] = (uint16_t)(f->m[x] << (x % 7));
    ref->static_between(f->want.e, f->m, share, near, n);
    k->static_between(f->got.e, f->m, share, near, n);
    SAME(e, n);
    for (int with = 0; with < 2; with++) {
        ref->static_context(f->want.ctx, f->want.e, with ? f->fine : NULL, n);
        k->static_context(f->got.ctx, f->want.e, with ? f->fine : NULL, n);
        SAME(ctx, n);
    }
}

static void check_values(fixture *f, const fmc_kernels *k, const fmc_kernels *ref, size_t n, size_t phase)
{
    const int32_t *base = phase ? f->base : NULL;
    const uint8_t *fine = phase ? f->fine : NULL;

    ref->static_mean(f->want.base, f->want.fine, f->q, phase, phase ? f->row[0] : NULL, -77, 300, n);
    k->static_mean(f->got.base, f->got.fine, f->q, phase, phase ? f->row[0] : NULL, -77, 300, n);
    SAME(base, n);
    SAME(fine, n);
    f->want.slow = ref->static_symbols(f->want.sym, f->want.mag, f->want.v, f->q, phase, base, fine, f->ctx, n);
    f->got.slow = k->static_symbols(f->got.sym, f->got.mag, f->got.v, f->q, phase, base, fine, f->ctx, n);
    assert_true(f->got.slow || !f->want.slow);
    SAME(sym, n);
    SAME(mag, n);
    SAME(v, n);
    f->want.slow = ref->static_values(f->want.q, f->want.mag, f->want.v, f->symbols, base, fine, f->ctx, n);
    f->got.slow = k->static_values(f->got.q, f->got.mag, f->got.v, f->symbols, base, fine, f->ctx, n);
    assert_true(f->got.slow || !f->want.slow);
    SAME(q, n);
    SAME(mag, n);
    SAME(v, n);
}

/* static_symbols reads a row that may end where its block does. */
static void check_end(const fmc_kernels *k, const fixture *f, size_t n, size_t phase)
{
    const size_t count = 2 * n + phase - (phase || n ? 1 : 0), size = (n ? count : 0) * sizeof(int32_t);
    int32_t *q = malloc(size + !size); /* tools see the first byte beyond */
    struct results *r = malloc(sizeof *r);

    memcpy(q, f->q, size);
    k->static_symbols(r->sym, r->mag, r->v, q, phase, NULL, NULL, f->ctx, n);
    free(r);
    free(q);
}

static void check_moments(fixture *f, const fmc_kernels *k, const fmc_kernels *ref)
{
    float x[50][FMC_MOMENTS];

    memset(f->want.moments, 0, sizeof f->want.moments);
    memset(f->got.moments, 0, sizeof f->got.moments);
    for (int i = 0; i < 50; i++) {
        for (int j = 0; j < FMC_MOMENTS; j++)
            x[i][j] = (float)ops_real();
    }
    ref->static_moments(f->want.moments, (const float(*)[FMC_MOMENTS])x, 50);
    k->static_moments(f->got.moments, (const float(*)[FMC_MOMENTS])x, 50);
    for (size_t i = 0; i < FMC_MOMENT_ROWS; i++)
        assert_memory_equal(f->want.moments[i], f->got.moments[i], (i + 1) * sizeof **f->want.moments);
}

static void check_rans(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    fmc_rans_table table[3];
    uint8_t words[64 * 4], ctx[MOST], sym[2][MOST];
    fmc_rans_dec d[2];

    for (uint32_t t = 0; t < 3; t++)
        for (uint32_t i = 0; i < 32; i++)
            table[t].cum[i] = (uint16_t)(i == 31 ? 32768 : t == 0 ? i : t == 1 ? i * 1057 : i ? 32768 - 31 + i : 0);
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = (uint8_t)ops_random();
    for (size_t i = 0; i < n; i++)
        ctx[i] = (uint8_t)(ops_random() % 3);
    for (int i = 0; i < FMC_RANS_LANES; i++)
        d[0].state[i] = (uint64_t)1 << 31 | (uint64_t)ops_random() << (ops_random() % 31);
    d[0].p = words;
    d[0].end = words + sizeof words;
    d[0].n_past = 0;
    d[1] = d[0];
    ref->rans_decode(&d[0], table, ctx, sym[0], n);
    k->rans_decode(&d[1], table, ctx, sym[1], n);
    assert_memory_equal(sym[0], sym[1], n);
    assert_memory_equal(d[0].state, d[1].state, sizeof d[0].state);
    assert_ptr_equal(d[0].p, d[1].p);
    assert_int_equal(d[0].n_past, d[1].n_past);
}

static void every_variant_gives_the_values_of_ref(void **state)
{
    const fmc_kernels *list[OPS_MAX_VARIANTS];
    const size_t n_variants = ops_variants(list);
    fixture *f = malloc(sizeof *f);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)ops_seed);
    for (size_t i = 0; i < n_variants; i++)
        for (int round = 0; round < 20; round++)
            for (size_t s = 0; s < N_OPS_SIZES; s++) {
                fill(f);
                check_sums(f, list[i], &fmc_kernels_ref, ops_sizes[s]);
                check_rows(f, list[i], &fmc_kernels_ref, ops_sizes[s]);
                for (size_t phase = 0; phase < 2; phase++) {
                    check_values(f, list[i], &fmc_kernels_ref, ops_sizes[s], phase);
                    check_end(list[i], f, ops_sizes[s], phase);
                }
                check_rans(list[i], &fmc_kernels_ref, ops_sizes[s]);
                check_moments(f, list[i], &fmc_kernels_ref);
            }
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_gives_the_values_of_ref) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
