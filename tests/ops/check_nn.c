/* SPDX-License-Identifier: Apache-2.0 */
/* Every loop of lib/ops/kernels_nn.h: each variant that this machine runs gives the values of ref. */
#include "ops_util.h"

#include <math.h>

enum { MAX_SITES = 40, MAX_ROWS = 9 };

/* Weights of which no sum leaves 2^23 with inputs up to `reach`. */
static int16_t weight_of(size_t taps, int32_t reach)
{
    const int32_t most = (int32_t)(((1 << 23) - (1 << 20)) / ((int64_t)reach * (int64_t)taps));
    const int32_t limit = most > 127 ? 127 : most < 1 ? 1 : most;
    const uint32_t kind = ops_random() % 8;

    return (int16_t)(kind == 0 ? limit : kind == 1 ? -limit : (int32_t)(ops_random() % (2 * (uint32_t)limit + 1)) - limit);
}

static int16_t value_of(int32_t reach)
{
    const uint32_t kind = ops_random() % 8;

    return (int16_t)(kind == 0 ? reach : kind == 1 ? -reach : (int32_t)(ops_random() % (2 * (uint32_t)reach + 1)) - reach);
}

typedef struct conv_case {
    fmc_nn_conv c;
    int16_t *weight, *input;
    int32_t *bias, *shift;
    const int16_t *row[MAX_ROWS];
    size_t weight_count, input_count, n_sites;
} conv_case;

static void make_bias(conv_case *k)
{
    const size_t n = k->c.n_blocks * FMC_NN_BLOCK;

    k->bias = ops_alloc(n * sizeof *k->bias);
    k->shift = ops_alloc(n * sizeof *k->shift);
    for (size_t o = 0; o < n; o++) {
        k->shift[o] = (int32_t)(ops_random() % 23);
        k->bias[o] = (int32_t)(ops_random() % (1 << 20)) - (1 << 19) + (k->shift[o] ? 1 << (k->shift[o] - 1) : 0);
    }
    k->c.bias = k->bias;
    k->c.shift = k->shift;
}

static conv_case make_case(int is_depthwise, int is_wide, size_t n_sites)
{
    static const uint32_t pitches[] = { 2, 4, 6, 16, 18, 32, 34, 48 };
    const int32_t reach = ops_random() % 2 ? 511 : 4095;
    conv_case k = { .n_sites = n_sites };
    size_t taps, row_count;

    k.c.n_rows = ops_random() % 3 == 0 ? 1 : ops_random() % 2 ? 3 : 9;
    k.c.kx = ops_random() % 3 == 0 ? 1 : ops_random() % 4 ? 3 : 5;
    k.c.stride_x = ops_random() % 4 == 0 ? 2 : 1;
    k.c.pitch_in = pitches[ops_random() % 8];
    k.c.n_out = is_depthwise ? k.c.pitch_in - is_wide * (ops_random() % 2) : 1 + ops_random() % 70;
    k.c.n_blocks = (k.c.n_out + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK;
    k.c.lo = is_wide ? -(1 << 23) : ops_random() % 2 ? -511 : 0;
    k.c.hi = is_wide ? 1 << 23 : 511;
    taps = k.c.n_rows * k.c.kx;
    k.weight_count = is_depthwise ? (taps + 1) / 2 * k.c.pitch_in * 2 : k.c.n_blocks * taps * k.c.pitch_in * FMC_NN_BLOCK;
    k.weight = ops_alloc(k.weight_count * sizeof *k.weight);
    for (size_t i = 0; i < k.weight_count; i++)
        k.weight[i] = weight_of(is_depthwise ? taps : taps * k.c.pitch_in, reach);
    if (is_depthwise && taps % 2) /* the tap that is not there */
        for (size_t c = 0; c < k.c.pitch_in; c++)
            k.weight[(taps / 2 * k.c.pitch_in + c) * 2 + 1] = 0;
    k.c.weight = k.weight;
    row_count = n_sites ? ((n_sites - 1) * k.c.stride_x + k.c.kx) * k.c.pitch_in : 0;
    k.input_count = row_count * k.c.n_rows;
    k.input = ops_alloc(k.input_count * sizeof *k.input);
    for (size_t i = 0; i < k.input_count; i++)
        k.input[i] = value_of(reach);
    for (size_t r = 0; r < k.c.n_rows; r++)
        k.row[r] = k.input + r * row_count;
    make_bias(&k);
    return k;
}

static void free_case(conv_case *k)
{
    ops_free(k->weight, k->weight_count * sizeof *k->weight);
    ops_free(k->input, k->input_count * sizeof *k->input);
    ops_free(k->bias, k->c.n_blocks * FMC_NN_BLOCK * sizeof *k->bias);
    ops_free(k->shift, k->c.n_blocks * FMC_NN_BLOCK * sizeof *k->shift);
}

static void run_case(const fmc_nn_kernels *f, const conv_case *k, int is_depthwise, int is_wide, void *out)
{
    if (is_wide)
        (is_depthwise ? f->depthwise_i32 : f->conv_i32)(&k->c, k->row, k->n_sites, out);
    else
        (is_depthwise ? f->depthwise_i16 : f->conv_i16)(&k->c, k->row, k->n_sites, out);
}

static void convolutions_match(const fmc_nn_kernels *f, int is_depthwise, int is_wide)
{
    for (int i = 0; i < 250; i++) {
        conv_case k = make_case(is_depthwise, is_wide, ops_random() % MAX_SITES);
        const size_t size = k.n_sites * k.c.n_out * (is_wide ? 4 : 2);
        void *want = ops_alloc(size), *got = ops_alloc(size);

        run_case(&fmc_nn_ref, &k, is_depthwise, is_wide, want);
        run_case(f, &k, is_depthwise, is_wide, got);
        assert_memory_equal(want, got, size);
        ops_free(want, size);
        ops_free(got, size);
        free_case(&k);
    }
}

static void fill(int16_t *x, size_t n, int32_t reach)
{
    for (size_t i = 0; i < n; i++)
        x[i] = value_of(reach);
}

static void elements_match(const fmc_nn_kernels *f, size_t n)
{
    const uint32_t shift = ops_random() % 8;
    fmc_nn_add how = { 1 << ops_random() % 5, 1 << ops_random() % 5, shift ? 1 << (shift - 1) : 0, shift, -511, 511 };
    const size_t size = n * sizeof(int16_t);
    int16_t *a = ops_alloc(size), *b = ops_alloc(size), *want = ops_alloc(size), *got = ops_alloc(size);
    int32_t *wa = ops_alloc(2 * size), *wb = ops_alloc(2 * size), *wide_want = ops_alloc(2 * size), *wide_got = ops_alloc(2 * size);

#define SAME(call_ref, call_got)                                                                                       \
    do {                                                                                                               \
        call_ref;                                                                                                      \
        call_got;                                                                                                      \
        assert_memory_equal(want, got, size);                                                                          \
    } while (0)
    fill(a, n, 511);
    SAME(fmc_nn_ref.hswish(a, n, want), f->hswish(a, n, got));
    fill(a, n, 32767);
    fill(b, n, 32767);
    SAME(fmc_nn_ref.leaky(a, n, want), f->leaky(a, n, got));
    SAME(fmc_nn_ref.add_i16(&how, a, b, n, want), f->add_i16(&how, a, b, n, got));
    fill(b, n, 600);
    SAME(fmc_nn_ref.gate(a, b, n, want), f->gate(a, b, n, got));
    memcpy(want, b, size);
    memcpy(got, b, size);
    SAME(fmc_nn_ref.max(a, n, want), f->max(a, n, got));
#undef SAME
    for (size_t i = 0; i < n; i++) {
        wa[i] = a[i] * 200;
        wb[i] = b[i] * 10000;
    }
    how.lo = -8000000;
    how.hi = 7000000;
    fmc_nn_ref.add_i32(&how, wa, wb, n, wide_want);
    f->add_i32(&how, wa, wb, n, wide_got);
    assert_memory_equal(wide_want, wide_got, 2 * size);
    ops_free(a, size);
    ops_free(b, size);
    ops_free(want, size);
    ops_free(got, size);
    ops_free(wa, 2 * size);
    ops_free(wb, 2 * size);
    ops_free(wide_want, 2 * size);
    ops_free(wide_got, 2 * size);
}

/* Bit for bit, as sums have one order. */
static void norms_match(const fmc_nn_kernels *f, size_t n, size_t channels)
{
    const size_t size = n * channels * sizeof(float), part = channels * sizeof(float);
    float *x = ops_alloc(size), *want = ops_alloc(size), *got = ops_alloc(size), *weight = ops_alloc(part), *bias = ops_alloc(part);

    for (size_t i = 0; i < n * channels; i++)
        x[i] = (float)ops_real();
    for (size_t c = 0; c < channels; c++) {
        weight[c] = (float)ops_real();
        bias[c] = (float)ops_real();
    }
    fmc_nn_ref.norm_f32(x, n, channels, weight, bias, want);
    f->norm_f32(x, n, channels, weight, bias, got);
    assert_memory_equal(want, got, size);
    ops_free(x, size);
    ops_free(want, size);
    ops_free(got, size);
    ops_free(weight, part);
    ops_free(bias, part);
}

/* From integers to floats, and from sums of convolutions back. */
static void conversions_match(const fmc_nn_kernels *f, size_t n)
{
    int32_t shift[70];
    fmc_nn_conv c = { .n_out = 1 + ops_random() % 70, .lo = -511, .hi = 511, .shift = shift };
    const size_t count = n * c.n_out;
    int16_t *x = ops_alloc(count * sizeof *x), *want = ops_alloc(count * sizeof *want), *got = ops_alloc(count * sizeof *got);
    int32_t *wide_want = ops_alloc(count * sizeof *wide_want), *wide_got = ops_alloc(count * sizeof *wide_got);
    float *sum = ops_alloc(count * sizeof *sum), *y = ops_alloc(count * sizeof *y);

    fill(x, count, 32767);
    f->widen(x, count, y);
    for (size_t i = 0; i < count; i++)
        assert_true(y[i] == (float)x[i]);
    for (size_t o = 0; o < c.n_out; o++)
        shift[o] = (int32_t)(ops_random() % 23);
    for (size_t i = 0; i < count; i++)
        sum[i] = ops_random() % 8 == 0 ? 10485759.0F : (float)((int32_t)(ops_random() % 20971519) - 10485759);
    fmc_nn_ref.requantise_i16(&c, sum, n, want);
    f->requantise_i16(&c, sum, n, got);
    assert_memory_equal(want, got, count * sizeof *want);
    c.lo = -(1 << 23);
    c.hi = 1 << 22;
    fmc_nn_ref.requantise_i32(&c, sum, n, wide_want);
    f->requantise_i32(&c, sum, n, wide_got);
    assert_memory_equal(wide_want, wide_got, count * sizeof *wide_want);
    for (size_t i = 0; i < count; i++)
        assert_true(wide_want[i] == (int32_t)fmin(fmax(floor((double)sum[i] / (1 << shift[i % c.n_out])), c.lo), c.hi));
    ops_free(x, count * sizeof *x);
    ops_free(want, count * sizeof *want);
    ops_free(got, count * sizeof *got);
    ops_free(wide_want, count * sizeof *wide_want);
    ops_free(wide_got, count * sizeof *wide_got);
    ops_free(sum, count * sizeof *sum);
    ops_free(y, count * sizeof *y);
}

static void totals_match(const fmc_nn_kernels *f, size_t n, size_t pitch)
{
    const size_t size = n * pitch * sizeof(int16_t), total_size = pitch * sizeof(int32_t);
    int16_t *x = ops_alloc(size);
    int32_t *mean = ops_alloc(total_size), *want = ops_alloc(total_size), *got = ops_alloc(total_size);

    fill(x, n * pitch, 32767);
    for (size_t c = 0; c < pitch; c++) {
        mean[c] = value_of(32767);
        want[c] = got[c] = value_of(1000);
    }
    fmc_nn_ref.sum(x, n, pitch, want);
    f->sum(x, n, pitch, got);
    fmc_nn_ref.deviation(x, mean, n, pitch, want);
    f->deviation(x, mean, n, pitch, got);
    assert_memory_equal(want, got, total_size);
    ops_free(x, size);
    ops_free(mean, total_size);
    ops_free(want, total_size);
    ops_free(got, total_size);
}

/* Floats: bit for bit, as sums have one order. */
static void float_convolutions_match(const fmc_nn_kernels *f)
{
    for (int i = 0; i < 400; i++) {
        fmc_nn_conv_f32 c = { .n_rows = ops_random() % 2 ? 3 : 1, .kx = ops_random() % 2 ? 3 : 1,
                              .stride_x = 1 + ops_random() % 2, .pitch_in = 1 + ops_random() % 33, .n_out = 1 + ops_random() % 40 };
        const size_t n = ops_random() % MAX_SITES, row_count = ((n ? n - 1 : 0) * c.stride_x + c.kx) * c.pitch_in;
        size_t weight_count, size = n * c.n_out * sizeof(float);
        float *weight, *bias, *input, *want = ops_alloc(size), *got = ops_alloc(size);
        const float *row[MAX_ROWS];

        c.n_blocks = (c.n_out + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK;
        weight_count = (size_t)c.n_blocks * c.n_rows * c.kx * c.pitch_in * FMC_NN_BLOCK;
        weight = ops_alloc(weight_count * sizeof *weight);
        bias = ops_alloc(c.n_blocks * FMC_NN_BLOCK * sizeof *bias);
        input = ops_alloc(c.n_rows * row_count * sizeof *input);
        for (size_t k = 0; k < weight_count; k++)
            weight[k] = (float)ops_real();
        for (size_t k = 0; k < c.n_blocks * FMC_NN_BLOCK; k++)
            bias[k] = (float)ops_real();
        for (size_t k = 0; k < c.n_rows * row_count; k++)
            input[k] = (float)ops_real();
        for (size_t r = 0; r < c.n_rows; r++)
            row[r] = input + r * row_count;
        c.weight = weight;
        c.bias = bias;
        fmc_nn_ref.conv_f32(&c, row, n, want);
        f->conv_f32(&c, row, n, got);
        assert_memory_equal(want, got, size);
        ops_free(weight, weight_count * sizeof *weight);
        ops_free(bias, c.n_blocks * FMC_NN_BLOCK * sizeof *bias);
        ops_free(input, c.n_rows * row_count * sizeof *input);
        ops_free(want, size);
        ops_free(got, size);
    }
}

static void check_all(const fmc_nn_kernels *f)
{
    for (int kind = 0; kind < 4; kind++)
        convolutions_match(f, kind % 2, kind / 2);
    float_convolutions_match(f);
    for (size_t i = 0; i < N_OPS_SIZES; i++) {
        elements_match(f, ops_sizes[i]);
        conversions_match(f, ops_sizes[i]);
        norms_match(f, ops_sizes[i], 1 + ops_random() % 70);
        for (size_t pitch = 2; pitch < 40; pitch += 6)
            totals_match(f, ops_sizes[i], pitch);
    }
}

static void every_variant_gives_the_values_of_ref(void **state)
{
    const fmc_kernels *list[OPS_MAX_VARIANTS];
    const size_t n = ops_variants(list);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)ops_seed);
    check_all(&fmc_nn_ref); /* guards */
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", list[i]->name);
        check_all(list[i]->nn);
    }
}

/* The definition of the activations, in all inputs that they have. */
static void activations_are_as_defined(void **state)
{
    (void)state;
    for (int32_t v = -511; v <= 511; v++) {
        const double x = v, g = floor(x / 2) + 256, c = g < 0 ? 0 : g > 512 ? 512 : g;
        int16_t in = (int16_t)v, out;

        fmc_nn_ref.hswish(&in, 1, &out);
        assert_int_equal(out, (int)floor(x * c / 512));
        fmc_nn_ref.leaky(&in, 1, &out);
        assert_int_equal(out, v >= 0 ? v : (int)floor(x / 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_gives_the_values_of_ref),
        cmocka_unit_test(activations_are_as_defined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
