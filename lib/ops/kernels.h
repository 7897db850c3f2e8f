/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_H
#define FMC_OPS_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include "core/exec.h"
#include "ops/kernels_coef.h"
#include "ops/kernels_nn.h"
#include "ops/kernels_predict.h"
#include "ops/kernels_rows.h"
#include "ops/kernels_scan.h"
#include "ops/kernels_static.h"

/** Complex lines that a spectral transform computes side by side; a format constant (docs/format.md 6.4). */
#define FMC_LANES 16

/** What pair_cost adds up. */
enum { FMC_COST_NONZERO, FMC_COST_ERROR, FMC_COST_BLOCKS, FMC_COST_OCTAVES, FMC_COST_SUMS };

/** How far the kernels may go. A level that this build or machine lacks means the next one below. */
enum fmc_simd_level {
    FMC_SIMD_REF = 0,    /* plain C as compiled for the base architecture: the definition of right */
    FMC_SIMD_SSE2 = 1,   /* x86: the base architecture, so the same table */
    FMC_SIMD_AVX2 = 2,
    FMC_SIMD_AVX512 = 3, /* F, BW, DQ, VL */
    FMC_SIMD_AVX512VNNI = 4,
    FMC_SIMD_BEST = 255
};

/** Geometry of one pass of a mixed-radix transform of n points: x is [n][FMC_LANES], re and im apart. */
typedef struct fmc_fft_pass {
    uint32_t radix;
    uint32_t m;         /* groups: points left / radix */
    uint32_t s;         /* points already combined */
} fmc_fft_pass;

/*
 * The loops of one real type. Zone EXACT unless said otherwise: each element is the given expression, one IEEE
 * operation after another, so that every variant gives the same bits. Counts may be any number including 0; pointers
 * need only the alignment of their type; ranges do not overlap unless said otherwise.
 *
 * lift_line   dst[i] += a * (src[i] + src[i + 1]),  i < count; src has count + 1 elements
 * lift_forward  x is [n][lanes], n >= 2; s = 0..3: rows i = 1 - s % 2 and every second after: x[i] += w[s] * (x[i - 1] +
 *             x[i + 1]), where a row outside [0, n) is the one on the other side; then even rows *= w[4], odd rows *= w[5]
 * lift_inverse  even rows *= w[5], odd rows *= w[4]; then s = 3..0 with -w[s]
 * lift_long_forward  likewise s = 0..2; then odd rows x[i] += w[3] * (x[i - 3] + x[i + 3]), where row -r means r and row
 *             n - 1 + r means n - 1 - r, as often as it takes; then s = 4..8: rows i = s % 2 and every second after: x[i] +=
 *             w[s] * (x[i - 1] + x[i + 1]); then even rows *= w[9], odd rows *= w[10]
 * lift_long_inverse  even rows *= w[10], odd rows *= w[9]; then the steps backwards with -w[s]
 * scale       dst[i] = a * src[i]; dst may be src
 * split       even[i] = src[2 i], i < (n + 1) / 2;  odd[i] = src[2 i + 1], i < n / 2
 * merge       the inverse of split
 * mat_rows    out is [n_out][lanes], m is [n_out][n_in], x is [n_in][lanes]:
 *             out[k] = (...((m[k][0] * x[0]) + m[k][1] * x[1]) + ...) + m[k][n_in - 1] * x[n_in - 1], n_in >= 1
 * fft_pass    one Stockham pass, docs/format.md 6.4; in is destroyed; w: twiddles [n] re, im interleaved, w[k] = exp(-2 pi i k / n)
 * dft_tail    from the transform of FMC_LANES complex lines a + i b to the real spectra of a and b, docs/format.md 6.5
 * dft_head    the way back
 * dct_tail, dct_head  the same for the DCT; turn: [n / 2 + 1] cosine, sine of pi k / 2 n times the gain, interleaved
 * load_lanes  t[i * pitch + j] = data[off[j] + i * stride], i < n, j < lanes <= pitch; a stride of SIZE_MAX - k + 1
 *             goes back by k
 * store_lanes the inverse of load_lanes
 * square_sum  FREE but the same everywhere: sum of x[i]^2 in f64, in 8 partial sums p[i % 8] added up as a tree of halves
 * error_sum   the same of (x[i] - y[i]), each difference in f64
 * error_max   the largest |x[i] - y[i]| as an f64 difference
 * pair_cost   FREE, the same everywhere: statistics of two rows as quantised with a dead zone, added to sum[]. With
 *             u = min(|v| * inv_step, 2^20), NaN being 2^20, and q = trunc(u + 0.38) of every value: [NONZERO] the
 *             number of q > 0; [ERROR] 2^16 times the squared error, that is trunc(2^16 u^2) where q is 0 and 5461
 *             elsewhere; for blocks of four places, the last one shorter, whose q add up to s: [BLOCKS] the number of
 *             s > 0; [OCTAVES] the bits of the f32 1 + s / 4 less those of 1, 2^23 log2 of it joined by straight lines
 * quantize    q = trunc(|x[i]| * inv_step + round) with the sign of x[i], |q| <= limit; NaN gives 0.
 *             round in [0, 1): 0.5 = nearest, less = dead zone. Computed in the real type; limit <= 2^28
 * dequantize  x[i] = sign * ((|q| + offset[min(|q|, 3)]) * step) in the real type, 0 for q = 0; offset[0] is not read
 */
#define FMC_KERNELS_OF(real, type)                                                                                     \
    void (*lift_line_##type)(real *dst, const real *src, real a, size_t count);                                        \
    void (*lift_forward_##type)(real *x, size_t n, size_t lanes, const real w[6]);                                     \
    void (*lift_inverse_##type)(real *x, size_t n, size_t lanes, const real w[6]);                                     \
    void (*lift_long_forward_##type)(real *x, size_t n, size_t lanes, const real w[11]);                               \
    void (*lift_long_inverse_##type)(real *x, size_t n, size_t lanes, const real w[11]);                               \
    void (*scale_##type)(real *dst, const real *src, real a, size_t count);                                            \
    void (*split_##type)(real *even, real *odd, const real *src, size_t n);                                            \
    void (*merge_##type)(real *dst, const real *even, const real *odd, size_t n);                                      \
    void (*mat_rows_##type)(real *out, const real *m, const real *x, size_t n_out, size_t n_in, size_t lanes);         \
    void (*fft_pass_##type)(const fmc_fft_pass *pass, const real *w, real *in_re, real *in_im,                         \
                            real *out_re, real *out_im);                                                               \
    void (*dft_tail_##type)(size_t n, real first, real gain, const real *re, const real *im, real *a, real *b);        \
    void (*dft_head_##type)(size_t n, real first, real gain, const real *a, const real *b, real *re, real *im);        \
    void (*dct_tail_##type)(size_t n, real first, const real *turn, const real *re, const real *im, real *a, real *b); \
    void (*dct_head_##type)(size_t n, real first, const real *turn, const real *a, const real *b, real *re, real *im); \
    void (*load_lanes_##type)(real *t, size_t pitch, const real *data, const size_t *off, size_t lanes,                \
                              size_t stride, size_t n);                                                                \
    void (*store_lanes_##type)(const real *t, size_t pitch, real *data, const size_t *off, size_t lanes,               \
                               size_t stride, size_t n);                                                               \
    double (*square_sum_##type)(const real *x, size_t count);                                                          \
    double (*error_sum_##type)(const real *x, const real *y, size_t count);                                            \
    double (*error_max_##type)(const real *x, const real *y, size_t count);                                            \
    void (*pair_cost_##type)(uint64_t sum[FMC_COST_SUMS], const real *x, const real *y, real inv_step, size_t count);  \
    void (*quantize_##type)(int32_t *q, const real *x, real inv_step, real round, int32_t limit, size_t count);        \
    void (*dequantize_##type)(real *x, const int32_t *q, real step, const real offset[4], size_t count);

/** The hot loops, one variant each. Immutable. */
typedef struct fmc_kernels {
    const char *name; /* "ref", "avx2", "avx512", "avx512vnni" */
    const fmc_nn_kernels *nn;
    FMC_KERNELS_OF(float, f32)
    FMC_KERNELS_OF(double, f64)
    FMC_KERNELS_PREDICT_OF(float, f32)
    FMC_KERNELS_PREDICT_OF(double, f64)
    FMC_KERNELS_COEF_OF(float, f32)
    FMC_KERNELS_COEF_OF(double, f64)
    FMC_KERNELS_SCAN_OF(float, f32)
    FMC_KERNELS_SCAN_OF(double, f64)
    FMC_KERNELS_ROWS
    FMC_KERNELS_STATIC
} fmc_kernels;

/** Always there. */
extern const fmc_kernels fmc_kernels_ref;

/**
 * The best variant up to `level` that this build has and this machine runs. FMC_SIMD=ref|sse2|avx2|avx512|avx512vnni in the
 * environment caps it too. Call it when a context is created. Never NULL.
 */
const fmc_kernels *fmc_kernels_select(uint32_t level);

/** True if there is more than plain C for this machine, whatever the environment says. */
int fmc_kernels_has_fast(void);

/** The kernels of ex; ref where none are set. */
static inline const fmc_kernels *fmc_kernels_get(const fmc_exec *ex)
{
    return ex->kernels ? ex->kernels : &fmc_kernels_ref;
}

#endif
