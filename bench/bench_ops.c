/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds per sample of the hot loops, every variant that this machine runs: bench_ops */
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
    static uint64_t sums[FMC_COST_SUMS];
    const fmc_fft_pass pass = { .radix = 4, .m = N / FMC_LANES / 2 / 4, .s = 1 };
    size_t off[16];

    for (size_t j = 0; j < 16; j++)
        off[j] = j * (N / 16);
    switch (op) {
    case 0:
        k->lift_rows_f32(x, N / LANES, LANES, 1, 0.5F);
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
    default:
        k->pair_cost_f32(sums, x, y, 3.0F, N);
        break;
    }
}

static void bench(const fmc_kernels *k)
{
    static const char *const names[] = { "lift_rows",   "lift_line", "split", "load_lanes", "fft_pass_4", "mat_rows_32",
                                         "quantize", "dequantize", "error_sum", "pair_cost" };

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
        printf("%-8s %-12s %7.3f ns/sample\n", k->name, names[op], best / N);
    }
}

int main(void)
{
    const fmc_kernels *last = NULL;

    for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512VNNI; level++) {
        const fmc_kernels *k = fmc_kernels_select(level);

        if (k != last)
            bench(k);
        last = k;
    }
    return sink > 1e300;
}
