/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_NN_H
#define FMC_OPS_KERNELS_NN_H

#include <stddef.h>
#include <stdint.h>

/** Output channels of a block of packed weights. */
#define FMC_NN_BLOCK 16

/**
 * One convolution, packed. A site holds `pitch_in` int16 channels (even) one after another; the same for outputs.
 *
 * dense      weight[block][row][kx][pitch_in / 2][FMC_NN_BLOCK][2]: pairs of input channels, blocks of output channels,
 *            zero where there is no channel
 * depthwise  weight[(n_rows * kx + 1) / 2][pitch_in][2]: pairs of taps (row by row, kx within), a zero tap at the end if
 *            their number is odd
 * bias       [n_blocks * FMC_NN_BLOCK], with the half of the rounding added: bias + (shift ? 1 << (shift - 1) : 0)
 * shift      [n_blocks * FMC_NN_BLOCK], 0..22
 *
 * Weights lie in [-127, 127]. Whoever fills this in has proved that no sum leaves 2^23 + 2^21 (docs/weights-format.md 2).
 * Arrays are aligned to 64 bytes.
 */
typedef struct fmc_nn_conv {
    uint32_t n_rows;       /* input rows per output row: kernel_t * kernel_y */
    uint32_t kx, stride_x;
    uint32_t pitch_in;     /* even */
    uint32_t n_out;        /* channels to write per site: the pitch of the output */
    uint32_t n_blocks;     /* ceil(n_out / FMC_NN_BLOCK) */
    int32_t  lo, hi;
    const int16_t *weight;
    const int32_t *bias;
    const int32_t *shift;
} fmc_nn_conv;

/** A convolution of floats, packed: weight[block][row][kx][pitch_in][FMC_NN_BLOCK], bias[n_blocks * FMC_NN_BLOCK]. */
typedef struct fmc_nn_conv_f32 {
    uint32_t n_rows, kx, stride_x;
    uint32_t pitch_in;     /* channels of an input site */
    uint32_t n_out, n_blocks;
    const float *weight, *bias;
} fmc_nn_conv_f32;

/** How two values are added: scales are 1..4096, half = shift ? 1 << (shift - 1) : 0. */
typedef struct fmc_nn_add {
    int32_t  scale_a, scale_b, half;
    uint32_t shift;
    int32_t  lo, hi;
} fmc_nn_add;

/*
 * Loops of the integer networks. Zone EXACT: integers below 2^24 throughout (numerics: docs/weights-format.md 2), so every
 * variant gives equal values. Counts may be any number including 0; pointers need the alignment of their type only;
 * outputs overlap inputs only where it says so. >> is the floor shift.
 *
 * conv_i16, conv_i32        one output row of n sites:
 *                           out[x][o] = clamp((bias[o] + sum over r, k, c of row[r][x * stride_x + k][c] * w) >> shift[o], lo, hi)
 *                           row[r] points to the site under the leftmost tap of output site 0, padding included
 * depthwise_i16, _i32       the same with one input channel per output channel; n_out <= pitch_in
 * hswish                    y = (x * clamp((x >> 1) + 256, 0, 512)) >> 9, |x| <= 511; y may be x
 * leaky                     y = x >= 0 ? x : x >> 3; y may be x
 * add                       y = clamp((a * scale_a + b * scale_b + half) >> shift, lo, hi), all below 2^31; y may be a or b
 * gate                      y = (x * clamp((v >> 4) + 32, 0, 64) + 32) >> 6; y may be x
 * max                       y = max(x, y)
 * conv_f32                  FREE, but the same everywhere: out[x][o] = bias[o] + w * row[r][x * stride_x + k][c] + ... over r, k, c
 *                           in this order, every product and every sum rounded
 * norm_f32                  FREE, but the same everywhere: n sites of `channels` values; sums in 8 partial sums p[i % 8] added up
 *                           as a tree of halves: mean, v = sum of (x - mean)^2 / channels, inverse = 1 / sqrt(v + 1e-5),
 *                           out = (x - mean) * inverse * weight + bias
 * widen                     y[i] = x[i]
 * requantise_i16, _i32      n sites of n_out sums, integers below 2^24 that have the bias: out = clamp(sum >> shift[o], lo, hi)
 * sum                       total[c] += x[s][c] over n sites of `pitch` channels, n <= 4096
 * deviation                 total[c] += |x[s][c] - mean[c]|, n <= 4096
 */
typedef struct fmc_nn_kernels {
    void (*conv_i16)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, int16_t *out);
    void (*conv_i32)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, int32_t *out);
    void (*depthwise_i16)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, int16_t *out);
    void (*depthwise_i32)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, int32_t *out);
    void (*hswish)(const int16_t *x, size_t n, int16_t *y);
    void (*leaky)(const int16_t *x, size_t n, int16_t *y);
    void (*add_i16)(const fmc_nn_add *how, const int16_t *a, const int16_t *b, size_t n, int16_t *y);
    void (*add_i32)(const fmc_nn_add *how, const int32_t *a, const int32_t *b, size_t n, int32_t *y);
    void (*gate)(const int16_t *x, const int16_t *v, size_t n, int16_t *y);
    void (*max)(const int16_t *x, size_t n, int16_t *y);
    void (*norm_f32)(const float *x, size_t n, size_t channels, const float *weight, const float *bias, float *out);
    void (*widen)(const int16_t *x, size_t n, float *y);
    void (*requantise_i16)(const fmc_nn_conv *c, const float *sum, size_t n, int16_t *out);
    void (*requantise_i32)(const fmc_nn_conv *c, const float *sum, size_t n, int32_t *out);
    void (*sum)(const int16_t *x, size_t n, size_t pitch, int32_t *total);
    void (*deviation)(const int16_t *x, const int32_t *mean, size_t n, size_t pitch, int32_t *total);
    void (*conv_f32)(const fmc_nn_conv_f32 *c, const float *const *row, size_t n, float *out);
} fmc_nn_kernels;

/** Plain C: the definition. */
extern const fmc_nn_kernels fmc_nn_ref;

#endif
