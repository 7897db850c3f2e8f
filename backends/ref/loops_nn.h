/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer loops of the networks that compilers vectorise well, for every variant: NN_NAME(x). Who has its own add_i16
 * defines NN_HAS_ADD_I16.
 */

/* Where the language leaves >> of negative numbers to the compiler, all of ours floor. */
_Static_assert((-3 >> 1) == -2, "right shifts must floor");

static void NN_NAME(hswish)(const int16_t *x, size_t n, int16_t *y)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t v = x[i], g = (v >> 1) + 256, c = g < 0 ? 0 : g > 512 ? 512 : g;

        y[i] = (int16_t)((v * c) >> 9);
    }
}

static void NN_NAME(leaky)(const int16_t *x, size_t n, int16_t *y)
{
    for (size_t i = 0; i < n; i++) {
        const int16_t low = (int16_t)(x[i] >> 3);

        y[i] = x[i] > low ? x[i] : low;
    }
}

#define NN_ADD(type, suffix)                                                                                           \
    static void NN_NAME(add_##suffix)(const fmc_nn_add *how, const type *a, const type *b, size_t n, type *y)          \
    {                                                                                                                  \
        const fmc_nn_add h = *how;                                                                                     \
                                                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const int32_t v = (a[i] * h.scale_a + b[i] * h.scale_b + h.half) >> h.shift;                               \
                                                                                                                       \
            y[i] = (type)(v < h.lo ? h.lo : v > h.hi ? h.hi : v);                                                      \
        }                                                                                                              \
    }

#ifndef NN_HAS_ADD_I16
NN_ADD(int16_t, i16)
#endif
NN_ADD(int32_t, i32)
#undef NN_ADD

static void NN_NAME(gate)(const int16_t *x, const int16_t *v, size_t n, int16_t *y)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t g = (v[i] >> 4) + 32, c = g < 0 ? 0 : g > 64 ? 64 : g;

        y[i] = (int16_t)((x[i] * c + 32) >> 6);
    }
}

static void NN_NAME(max)(const int16_t *x, size_t n, int16_t *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > y[i] ? x[i] : y[i];
}

enum { NN_NAME(lanes) = 8 };

/* Sum of x[i] or, if `mean` is given, of (x[i] - mean)^2. */
static inline float NN_NAME(total)(const float *x, const float *mean, size_t n)
{
    float part[NN_NAME(lanes)] = { 0 };
    const float m = mean ? *mean : 0;
    size_t i = 0;

    if (mean) {
        for (; i + NN_NAME(lanes) <= n; i += NN_NAME(lanes))
            for (size_t k = 0; k < NN_NAME(lanes); k++)
                part[k] += (x[i + k] - m) * (x[i + k] - m);
        for (size_t k = 0; i < n; i++, k++)
            part[k] += (x[i] - m) * (x[i] - m);
    } else {
        for (; i + NN_NAME(lanes) <= n; i += NN_NAME(lanes))
            for (size_t k = 0; k < NN_NAME(lanes); k++)
                part[k] += x[i + k];
        for (size_t k = 0; i < n; i++, k++)
            part[k] += x[i];
    }
    for (size_t half = NN_NAME(lanes) / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            part[k] += part[k + half];
    return part[0];
}

static void NN_NAME(norm_f32)(const float *x, size_t n, size_t channels, const float *weight, const float *bias, float *out)
{
    for (size_t s = 0; s < n; s++, x += channels, out += channels) {
        const float mean = NN_NAME(total)(x, NULL, channels) / (float)channels;
        const float inverse = 1.0F / sqrtf(NN_NAME(total)(x, &mean, channels) / (float)channels + 1e-5F);

        for (size_t c = 0; c < channels; c++)
            out[c] = (x[c] - mean) * inverse * weight[c] + bias[c];
    }
}

static void NN_NAME(widen)(const int16_t *x, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i];
}

#define NN_REQUANTISE(type, suffix)                                                                                    \
    static void NN_NAME(requantise_##suffix)(const fmc_nn_conv *c, const float *sum, size_t n, type *out)              \
    {                                                                                                                  \
        const size_t n_out = c->n_out;                                                                                 \
        const int32_t lo = c->lo, hi = c->hi, *shift = c->shift;                                                       \
                                                                                                                       \
        for (size_t s = 0; s < n; s++, sum += n_out, out += n_out)                                                     \
            for (size_t o = 0; o < n_out; o++) {                                                                       \
                const int32_t v = (int32_t)sum[o] >> shift[o];                                                         \
                                                                                                                       \
                out[o] = (type)(v < lo ? lo : v > hi ? hi : v);                                                        \
            }                                                                                                          \
    }

NN_REQUANTISE(int16_t, i16)
NN_REQUANTISE(int32_t, i32)
#undef NN_REQUANTISE

static void NN_NAME(sum)(const int16_t *x, size_t n, size_t pitch, int32_t *total)
{
    for (size_t s = 0; s < n; s++, x += pitch)
        for (size_t c = 0; c < pitch; c++)
            total[c] += x[c];
}

static void NN_NAME(deviation)(const int16_t *x, const int32_t *mean, size_t n, size_t pitch, int32_t *total)
{
    for (size_t s = 0; s < n; s++, x += pitch)
        for (size_t c = 0; c < pitch; c++) {
            const int32_t d = x[c] - mean[c];

            total[c] += d < 0 ? -d : d;
        }
}

#define FMC_NN_SLOTS                                                                                                   \
    .conv_i16 = NN_NAME(conv_i16), .conv_i32 = NN_NAME(conv_i32), .depthwise_i16 = NN_NAME(depthwise_i16),             \
    .depthwise_i32 = NN_NAME(depthwise_i32), .hswish = NN_NAME(hswish), .leaky = NN_NAME(leaky),                       \
    .add_i16 = NN_NAME(add_i16), .add_i32 = NN_NAME(add_i32), .gate = NN_NAME(gate), .max = NN_NAME(max),              \
    .norm_f32 = NN_NAME(norm_f32), .widen = NN_NAME(widen), .requantise_i16 = NN_NAME(requantise_i16),                  \
    .requantise_i32 = NN_NAME(requantise_i32),                                                                         \
    .sum = NN_NAME(sum), .deviation = NN_NAME(deviation), .conv_f32 = NN_NAME(conv_f32)
