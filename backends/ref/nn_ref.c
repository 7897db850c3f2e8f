/* SPDX-License-Identifier: Apache-2.0 */
/* The convolutions of the integer networks in plain C: the definition of right, and what machines without own kernels run. */
#include "ops/kernels_nn.h"

#include <math.h>
#include <string.h>

#define NN_NAME(x) x##_ref

static inline int32_t requantise(const fmc_nn_conv *c, int32_t sum, size_t o)
{
    const int32_t v = sum >> c->shift[o];

    return v < c->lo ? c->lo : v > c->hi ? c->hi : v;
}

/* A pair of input channels, once for each output channel of a block. */
typedef union pairs {
    uint32_t pair[FMC_NN_BLOCK];
    int16_t  channel[2 * FMC_NN_BLOCK];
} pairs;

/*
 * The sums of one site and one block of output channels: the products of even and of odd input channels are summed apart,
 * so that compilers find products of equally many values.
 */
static inline void dense_sums(const fmc_nn_conv *c, const int16_t *const *row, size_t x, size_t block, int32_t sum[FMC_NN_BLOCK])
{
    const size_t span = (size_t)c->kx * c->pitch_in; /* values of a row under the kernel */
    const int16_t *w = c->weight + block * c->n_rows * span * FMC_NN_BLOCK;
    int32_t total[2 * FMC_NN_BLOCK] = { 0 };

    for (size_t r = 0; r < c->n_rows; r++) {
        const int16_t *in = row[r] + x * c->stride_x * c->pitch_in;

        for (size_t i = 0; i < span; i += 2, w += 2 * FMC_NN_BLOCK) {
            pairs p;
            uint32_t v;

            memcpy(&v, in + i, sizeof v);
            for (size_t o = 0; o < FMC_NN_BLOCK; o++)
                p.pair[o] = v;
            for (size_t o = 0; o < 2 * FMC_NN_BLOCK; o++)
                total[o] += p.channel[o] * w[o];
        }
    }
    for (size_t o = 0; o < FMC_NN_BLOCK; o++)
        sum[o] = c->bias[block * FMC_NN_BLOCK + o] + total[2 * o] + total[2 * o + 1];
}

static inline int32_t depthwise_sum(const fmc_nn_conv *c, const int16_t *const *row, size_t x, size_t o)
{
    int32_t sum = c->bias[o];
    size_t tap = 0;

    for (size_t r = 0; r < c->n_rows; r++)
        for (size_t k = 0; k < c->kx; k++, tap++)
            sum += row[r][(x * c->stride_x + k) * c->pitch_in + o] * c->weight[(tap / 2 * c->pitch_in + o) * 2 + tap % 2];
    return sum;
}

#define CONVOLUTIONS(type, suffix)                                                                                     \
    static void conv_##suffix##_ref(const fmc_nn_conv *c, const int16_t *const *row, size_t n, type *out)              \
    {                                                                                                                  \
        int32_t sum[FMC_NN_BLOCK];                                                                                     \
                                                                                                                       \
        for (size_t first = 0; first < c->n_out; first += FMC_NN_BLOCK) /* a block's weights stay in the cache */      \
            for (size_t x = 0; x < n; x++) {                                                                           \
                dense_sums(c, row, x, first / FMC_NN_BLOCK, sum);                                                      \
                for (size_t o = first; o < c->n_out && o < first + FMC_NN_BLOCK; o++)                                  \
                    out[x * c->n_out + o] = (type)requantise(c, sum[o - first], o);                                    \
            }                                                                                                          \
    }                                                                                                                  \
    static void depthwise_##suffix##_ref(const fmc_nn_conv *c, const int16_t *const *row, size_t n, type *out)         \
    {                                                                                                                  \
        for (size_t x = 0; x < n; x++)                                                                                 \
            for (size_t o = 0; o < c->n_out; o++)                                                                      \
                out[x * c->n_out + o] = (type)requantise(c, depthwise_sum(c, row, x, o), o);                           \
    }

CONVOLUTIONS(int16_t, i16)
CONVOLUTIONS(int32_t, i32)

static void conv_f32_ref(const fmc_nn_conv_f32 *c, const float *const *row, size_t n, float *out)
{
    const size_t span = (size_t)c->kx * c->pitch_in;

    for (size_t block = 0; block < c->n_blocks; block++)
        for (size_t x = 0; x < n; x++) {
            const float *w = c->weight + block * c->n_rows * span * FMC_NN_BLOCK;
            float sum[FMC_NN_BLOCK];

            memcpy(sum, c->bias + block * FMC_NN_BLOCK, sizeof sum);
            for (size_t r = 0; r < c->n_rows; r++) {
                const float *in = row[r] + x * c->stride_x * c->pitch_in;

                for (size_t i = 0; i < span; i++, w += FMC_NN_BLOCK)
                    for (size_t o = 0; o < FMC_NN_BLOCK; o++)
                        sum[o] += in[i] * w[o];
            }
            for (size_t o = 0; o < FMC_NN_BLOCK && block * FMC_NN_BLOCK + o < c->n_out; o++)
                out[x * c->n_out + block * FMC_NN_BLOCK + o] = sum[o];
        }
}

#include "loops_nn.h"

const fmc_nn_kernels fmc_nn_ref = { FMC_NN_SLOTS };
