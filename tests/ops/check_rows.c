/* SPDX-License-Identifier: Apache-2.0 */
/* Every loop of lib/ops/kernels_rows.h: each variant that this machine runs gives the values of ref. */
#include "ops_util.h"

enum { N_ROWS = 7 };

static uint8_t *random_bytes(size_t n)
{
    uint8_t *p = ops_alloc(n);

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(ops_random() % 3 ? ops_random() % 4 : ops_random());
    return p;
}

static uint16_t *random_row(size_t n, uint32_t most)
{
    uint16_t *p = ops_alloc(n * sizeof *p);

    for (size_t i = 0; i < n; i++)
        p[i] = (uint16_t)(ops_random() % 3 ? ops_random() % 5 : ops_random() % (most + 1));
    return p;
}

static void same_and_free(uint16_t *want, uint16_t *got, size_t n)
{
    assert_memory_equal(want, got, n * sizeof *want);
    ops_free(want, n * sizeof *want);
    ops_free(got, n * sizeof *got);
}

static void check_sums(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    uint8_t *src = random_bytes(n);
    uint16_t *want = ops_alloc(n * sizeof *want), *got = ops_alloc(n * sizeof *got);

    ref->row_sum3(want, src, n, 4, 1);
    k->row_sum3(got, src, n, 4, 1);
    assert_memory_equal(want, got, n * sizeof *want);
    for (size_t x = 0; x < n; x++)
        assert_int_equal(want[x], 4 * src[x] + (x ? src[x - 1] : 0) + (x + 1 < n ? src[x + 1] : 0));
    ref->row_add(want, src, n, 2);
    k->row_add(got, src, n, 2);
    same_and_free(want, got, n);
    ops_free(src, n);
}

/* lg of docs/format.md 8.3, by its words. */
static int log_of(uint32_t v)
{
    int t = 2, c;

    if (v < 4)
        return (int)v;
    while (v >> (t + 1))
        t++;
    c = 4 + 4 * (t - 2) + (int)(v >> (t - 2) & 3);
    return c < 39 ? c : 39;
}

static void check_contexts(const fmc_kernels *k, const fmc_kernels *ref, size_t n)
{
    const fmc_coef_weights weights = { 75, 45, 26, 40, 21, 5, 3, 8 };
    uint16_t *row[N_ROWS], *pair[2], *want[3], *got[3];
    fmc_coef_rows r, r_got;

    for (int i = 0; i < N_ROWS; i++)
        row[i] = random_row(n, 2040);
    for (int i = 0; i < 3; i++) {
        want[i] = ops_alloc(n * sizeof **want);
        got[i] = ops_alloc(n * sizeof **got);
    }
    r = r_got = (fmc_coef_rows){ row[0], row[1], row[2], row[3], row[4], row[5], want[2] };
    r_got.energy = got[2];
    ref->row_energy(&r, &weights, n);
    k->row_energy(&r_got, &weights, n);
    pair[0] = want[0];
    pair[1] = want[1];
    ref->row_pairs(pair, &r, n);
    pair[0] = got[0];
    pair[1] = got[1];
    k->row_pairs(pair, &r, n);
    for (size_t x = 0; x < n; x++) {
        assert_int_equal(want[0][x], log_of(3u * r.north[x]) / 2 * 2 + (r.up[x] > 0));
        assert_int_equal(want[1][x], (log_of(2u * r.up[x]) / 2 * 20 + log_of(2u * (r.parent[x] + r.time[x])) / 2) * 2);
    }
    for (int i = 0; i < 3; i++)
        same_and_free(want[i], got[i], n);
    for (int i = 0; i < N_ROWS; i++)
        ops_free(row[i], n * sizeof *row[i]);
}

typedef struct symbol_rows {
    fmc_coef_symbols s;
    size_t           n;
} symbol_rows;

static symbol_rows make_symbols(size_t n, int with_pairs)
{
    symbol_rows t = { .n = n };

    t.s.energy = ops_alloc(n);
    t.s.shift = ops_alloc(n);
    t.s.symbol = ops_alloc(n);
    for (int i = 0; with_pairs && i < 2; i++)
        t.s.pair[i] = ops_alloc(n * sizeof *t.s.pair[i]);
    return t;
}

static void free_symbols(const symbol_rows *t)
{
    ops_free(t->s.energy, t->n);
    ops_free(t->s.shift, t->n);
    ops_free(t->s.symbol, t->n);
    for (int i = 0; i < 2; i++)
        if (t->s.pair[i])
            ops_free(t->s.pair[i], t->n * sizeof *t->s.pair[i]);
}

static void check_symbols(const fmc_kernels *k, const fmc_kernels *ref, size_t n, int with_pairs)
{
    const fmc_coef_weights w = { 75, 45, 26, 40, 21, 5, 3, 8 };
    uint16_t *energy = random_row(n, 65535), *pair[2] = { random_row(n, 39), random_row(n, 798) };
    int32_t *q = ops_alloc(n * sizeof *q);
    uint8_t *size = ops_alloc(n), *size_got = ops_alloc(n);
    symbol_rows want = make_symbols(n, with_pairs), got = make_symbols(n, with_pairs);

    for (size_t x = 0; x < n; x++) {
        q[x] = (int32_t)(ops_random() % 3 ? ops_random() % 20 : ops_random() % ((1u << 28) + 1));
        q[x] = ops_random() & 1 ? -q[x] : q[x];
    }
    ref->row_sizes(size, q, n);
    k->row_sizes(size_got, q, n);
    assert_memory_equal(size, size_got, n);
    ref->row_symbols(&want.s, energy, pair, size, q, &w, n);
    k->row_symbols(&got.s, energy, pair, size, q, &w, n);
    for (size_t x = 0; x < n; x++) {
        const uint32_t m = x ? size[x - 1] : 0, mm = x > 1 ? size[x - 2] : 0, a = (uint32_t)abs(q[x]);
        const int e = log_of(energy[x] + ((w.w * m + w.ww * mm) >> 4)), shift = e < 23 ? 0 : (e - 19) / 4;
        const uint32_t s = a ? 1 + ((a - 1) >> shift) : 0;

        assert_int_equal(size[x], a < 255 ? a : 255);
        assert_int_equal(want.s.energy[x], e);
        assert_int_equal(want.s.shift[x], shift);
        assert_int_equal(want.s.symbol[x], s < 15 ? s : 15);
        if (with_pairs) {
            assert_int_equal(want.s.pair[0][x], log_of(8 * m + 4 * mm) / 2 * 40 + pair[0][x]);
            assert_int_equal(want.s.pair[1][x], pair[1][x] + (m > 0));
        }
    }
    assert_memory_equal(want.s.energy, got.s.energy, n);
    assert_memory_equal(want.s.shift, got.s.shift, n);
    assert_memory_equal(want.s.symbol, got.s.symbol, n);
    for (int i = 0; with_pairs && i < 2; i++)
        assert_memory_equal(want.s.pair[i], got.s.pair[i], n * sizeof *pair[i]);
    free_symbols(&want);
    free_symbols(&got);
    ops_free(energy, n * sizeof *energy);
    for (int i = 0; i < 2; i++)
        ops_free(pair[i], n * sizeof *pair[i]);
    ops_free(q, n * sizeof *q);
    ops_free(size, n);
    ops_free(size_got, n);
}

/* Layers with random numbers, then with all at their limits, where sums are largest. */
static void check_layer(const fmc_kernels *k, const fmc_kernels *ref, size_t n_in, size_t n_out, int extreme)
{
    int16_t *in = ops_alloc(n_in * sizeof *in), *weight = ops_alloc(n_in * n_out * sizeof *weight);
    int32_t *bias = ops_alloc(n_out * sizeof *bias), *shift = ops_alloc(n_out * sizeof *shift);
    int16_t *want = ops_alloc(n_out * sizeof *want), *got = ops_alloc(n_out * sizeof *got);

    for (size_t i = 0; i < n_in; i++)
        in[i] = (int16_t)(extreme ? 511 : (int)(ops_random() % 1023) - 511);
    for (size_t i = 0; i < n_in * n_out; i++)
        weight[i] = (int16_t)(extreme ? 127 : (int)(ops_random() % 255) - 127);
    for (size_t o = 0; o < n_out; o++) {
        bias[o] = extreme ? (1 << 22) - 1 : (int32_t)(ops_random() % (1u << 23)) - (1 << 22);
        shift[o] = (int32_t)(ops_random() % 21);
    }
    for (int signed_out = 0; signed_out < 2; signed_out++) {
        const int32_t lo = signed_out ? -2047 : 0, hi = signed_out ? 2047 : 511;

        ref->prior_layer(want, in, weight, bias, shift, n_in, n_out, lo, hi);
        k->prior_layer(got, in, weight, bias, shift, n_in, n_out, lo, hi);
        assert_memory_equal(want, got, n_out * sizeof *got);
    }
    ops_free(in, n_in * sizeof *in);
    ops_free(weight, n_in * n_out * sizeof *weight);
    ops_free(bias, n_out * sizeof *bias);
    ops_free(shift, n_out * sizeof *shift);
    ops_free(want, n_out * sizeof *want);
    ops_free(got, n_out * sizeof *got);
}

static void check_all(const fmc_kernels *k)
{
    for (size_t n_out = 16; n_out <= FMC_PRIOR_LAYER_MAX; n_out += 16)
        for (size_t n_in = 2; n_in <= FMC_PRIOR_LAYER_MAX; n_in += 2)
            check_layer(k, &fmc_kernels_ref, n_in, n_out, n_in == FMC_PRIOR_LAYER_MAX);

    for (size_t i = 0; i < N_OPS_SIZES; i++) {
        if (ops_sizes[i] == 0)
            continue;
        check_sums(k, &fmc_kernels_ref, ops_sizes[i]);
        check_contexts(k, &fmc_kernels_ref, ops_sizes[i]);
        for (int with_pairs = 0; with_pairs < 2; with_pairs++)
            check_symbols(k, &fmc_kernels_ref, ops_sizes[i], with_pairs);
    }
}

static void every_variant_gives_the_values_of_ref(void **state)
{
    const fmc_kernels *list[OPS_MAX_VARIANTS];
    const size_t n = ops_variants(list);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)ops_seed);
    check_all(&fmc_kernels_ref); /* guards, and what ref itself promises */
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", list[i]->name);
        check_all(list[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_gives_the_values_of_ref) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
