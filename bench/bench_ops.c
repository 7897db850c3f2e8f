/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds per sample of the hot loops (of networks: multiplications), every variant that this machine runs: bench_ops */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ops/kernels.h"

enum { N = 4096, LANES = 32, ROUNDS = 40 };

static float x[N + 16], y[N + 16], z[N + 16];
static int32_t q[N];
static double sink;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void run_op(const fmc_kernels *k, int op)
{
    static const float offset[4] = { 0 };
    static const float centre[12] = { 0 };
    static const fmc_quant_step step = { 0.3, 0.12F };
    static uint64_t sums[FMC_COST_SUMS];
    static fmc_quant_sums quant_sums;
    static fmc_centre_sums centre_sums;
    static const float lift[6] = { 0.5F, 0.25F, 0.5F, 0.25F, 1, 1 };
    static const float lift_long[11] = { 0.5F, 0.25F, 0.5F, 0.1F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F, 1, 1 };
    const fmc_fft_pass pass = { .radix = 4, .m = N / FMC_LANES / 2 / 4, .s = 1 };
    size_t off[16];

    for (size_t j = 0; j < 16; j++)
        off[j] = j * (N / 16);
    switch (op) {
    case 0:
        k->lift_forward_f32(x, N / LANES, LANES, lift);
        break;
    case 1:
        k->lift_line_f32(x, y, 0.5F, N);
        break;
    case 2:
        k->split_f32(x, x + N / 2, y, N);
        break;
    case 3:
        k->load_lanes_f32(x, 16, y, off, 16, 1, N / 16);
        break;
    case 4:
        k->fft_pass_f32(&pass, z, x, x + N / 2, y, y + N / 2);
        break;
    case 5:
        k->mat_rows_f32(x, z, y, LANES, LANES, N / LANES);
        break;
    case 6:
        k->quantize_f32(q, x, 3.0F, 0.5F, 1 << 28, N);
        break;
    case 7:
        k->dequantize_f32(x, q, 0.3F, offset, N);
        break;
    case 8:
        sink += k->error_sum_f32(x, y, N);
        break;
    case 9:
        k->pair_cost_f32(sums, x, y, 3.0F, N);
        break;
    case 10:
        k->quantise_row_f32(q, x, y, z, N, &step, &quant_sums);
        break;
    case 11:
        k->centre_row_f32(q, q, q, x, N, 0.3, &centre_sums);
        break;
    case 12:
        k->dequantise_row_f32(x, q, q, q, N, 0.3, centre);
        break;
    case 13:
        k->lift_long_forward_f32(x, N / LANES, LANES, lift_long);
        break;
    default:
        k->lift_long_inverse_f32(x, N / LANES, LANES, lift_long);
        break;
    }
}

static void bench(const fmc_kernels *k)
{
    static const char *const names[] = { "lift_forward", "lift_line", "split", "load_lanes", "fft_pass_4", "mat_rows_32",
                                         "quantize", "dequantize", "error_sum", "pair_cost", "quantise_row", "centre_row",
                                         "dequantise_row", "lift_long_forward", "lift_long_inverse" };

    for (int op = 0; op < (int)(sizeof names / sizeof *names); op++) {
        double best = 1e30;

        for (int r = 0; r < ROUNDS; r++) {
            double start;

            for (size_t i = 0; i < N; i++)
                x[i] = y[i] = z[i] = (float)(i * 7919 % 1000) * 0.001F - 0.5F;
            start = now_ns();
            run_op(k, op);
            start = now_ns() - start;
            best = start < best ? start : best;
        }
        printf("%-10s %-14s %7.3f ns/sample\n", k->name, names[op], best / N);
    }
}

/* Loops of the static coefficient coder, a row at a time, and its entropy decoder. */
static void run_static(const fmc_kernels *k, int op)
{
    static const int16_t weights[6] = { 20, 20, 20, 20, 20, 20 }, taps[2][FMC_COEF_TAPS] = { { 9, 9, 9 }, { 9, 9, 9 } };
    static int16_t values[6][N + FMC_COEF_SLACK];
    static uint16_t energy[N + FMC_COEF_SLACK], other[N + FMC_COEF_SLACK];
    static int32_t sums[N + FMC_COEF_SLACK], base[N + FMC_COEF_SLACK];
    static uint8_t fine[N + FMC_COEF_SLACK], zero[N], ctx[N + FMC_COEF_SLACK], sym[N + FMC_COEF_SLACK], coded[2 * N];
    static float moments[FMC_MOMENTS][FMC_MOMENTS], features[N / 16][FMC_MOMENTS];
    static fmc_rans_table table;
    const int16_t *rows[6] = { values[0], values[1], values[2], values[3], values[4], values[5] };
    fmc_rans_dec dec = { .p = coded, .end = coded + sizeof coded };

    for (int i = 0; i < FMC_RANS_LANES; i++)
        dec.state[i] = (uint64_t)1 << 32;
    switch (op) {
    case 0:
        k->static_energy(energy, rows, weights, 6, N);
        break;
    case 1:
        k->static_sum(sums, rows, taps, 6, N);
        break;
    case 2:
        k->static_clamp(other, values[0], q, N);
        break;
    case 3:
        k->static_between(energy, other, 20000, 8, N - 1);
        break;
    case 4:
        k->static_mean(base, fine, sums, 0, values[0], 3, 3, N / 2 - 1);
        break;
    case 5:
        k->static_context(ctx, energy, fine, N);
        break;
    case 6:
        sink += k->static_symbols(sym, other, values[0], q, 0, base, fine, ctx, N / 2);
        break;
    case 7:
        sink += k->static_values(q, other, values[0], sym, base, fine, ctx, N);
        break;
    case 8:
        k->static_moments(moments, (const float (*)[FMC_MOMENTS])features, N / 16);
        break;
    default:
        for (int i = 0; i < 32; i++)
            table.cum[i] = (uint16_t)(i == 31 ? 32768 : i * 1057);
        k->rans_decode(&dec, &table, zero, sym, N);
        break;
    }
}

static void bench_static(const fmc_kernels *k)
{
    static const char *const names[] = { "static_energy", "static_sum", "static_clamp", "static_between", "static_mean",
                                         "static_context", "static_symbols", "static_values", "static_moments", "rans_decode" };
    static const int count[] = { N, N, N, N, N / 2, N, N / 2, N, N / 16, N };

    for (int op = 0; op < (int)(sizeof names / sizeof *names); op++) {
        double best = 1e30;

        for (int r = 0; r < ROUNDS; r++) {
            const double start = now_ns();

            run_static(k, op);
            best = now_ns() - start < best ? now_ns() - start : best;
        }
        printf("%-10s %-14s %7.3f ns/value\n", k->name, names[op], best / count[op]);
    }
}

/* Layers of numerics: sites of a row, input channels, output channels (0: depthwise), rows, kernel along x. */
static const struct layer {
    const char *name;
    uint32_t sites, in, out, rows, kx;
} layers[] = {
    { "1x1 16-16", 64, 16, 16, 1, 1 },   { "1x1 16-64", 64, 16, 64, 1, 1 },   { "1x1 64-16", 64, 64, 16, 1, 1 },
    { "3x3 32-32", 64, 32, 32, 3, 3 },   { "3x3 32-256", 32, 32, 256, 3, 3 }, { "3x3x3 32-32", 32, 32, 32, 9, 3 },
    { "3x3x3 64-64", 16, 64, 64, 9, 3 }, { "dw 3x3 16", 64, 16, 0, 3, 3 },
};

enum { MOST_WEIGHTS = 64 * 64 * 27, MOST_INPUT = 66 * 64 * 9, MOST_OUTPUT = 64 * 256, REPEATS = 50 };

static void bench_layer(const fmc_kernels *k, const struct layer *l)
{
    static int16_t weight[MOST_WEIGHTS * 2], in[MOST_INPUT], out[MOST_OUTPUT];
    static int32_t bias[256], shift[256];
    const int16_t *row[9];
    fmc_nn_conv c = { .n_rows = l->rows, .kx = l->kx, .stride_x = 1, .pitch_in = l->in, .n_out = l->out ? l->out : l->in,
                      .lo = -511, .hi = 511, .weight = weight, .bias = bias, .shift = shift };
    const double count = (double)l->sites * l->rows * l->kx * l->in * (l->out ? l->out : 1);
    double best = 1e30;

    c.n_blocks = (c.n_out + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK;
    for (uint32_t r = 0; r < l->rows; r++)
        row[r] = in + r * (l->sites + 2) * l->in;
    for (int r = 0; r < ROUNDS; r++) {
        double start = now_ns();

        for (int i = 0; i < REPEATS; i++)
            (l->out ? k->nn->conv_i16 : k->nn->depthwise_i16)(&c, row, l->sites, out);
        start = now_ns() - start;
        best = start < best ? start : best;
    }
    sink += out[0];
    printf("%-10s %-12s %7.2f multiplications/ns\n", k->name, l->name, count * REPEATS / best);
}

/* Elementwise loops of the networks. */
static void bench_elements(const fmc_kernels *k)
{
    static const char *const names[] = { "hswish", "add", "gate" };
    static int16_t a[N], b[N], y16[N];
    const fmc_nn_add how = { 1, 2, 1, 1, -511, 511 };

    for (int op = 0; op < 3; op++) {
        double best = 1e30;

        for (int r = 0; r < ROUNDS; r++) {
            double start = now_ns();

            if (op == 0)
                k->nn->hswish(a, N, y16);
            else if (op == 1)
                k->nn->add_i16(&how, a, b, N, y16);
            else
                k->nn->gate(a, b, N, y16);
            start = now_ns() - start;
            best = start < best ? start : best;
        }
        printf("%-10s %-12s %7.3f ns/value\n", k->name, names[op], best / N);
    }
}

static void bench_networks(const fmc_kernels *k)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        bench_layer(k, &layers[i]);
    bench_elements(k);
}

int main(void)
{
    const fmc_kernels *last = NULL;

    for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512VNNI; level++) {
        const fmc_kernels *k = fmc_kernels_select(level);

        if (k != last && (!last || k->lift_line_f32 != last->lift_line_f32)) {
            bench(k);
            bench_static(k);
        }
        if (k != last)
            bench_networks(k);
        last = k;
    }
    return sink > 1e300;
}
