/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_PREDICT_H
#define FMC_OPS_KERNELS_PREDICT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The loops of the predictive coder (docs/format.md 7) for one real type; see kernels.h for what holds for all.
 *
 * predict_pairs  p[i] = (...((0 + weight[0] * (a[0][i] + b[0][i])) + weight[1] * (a[1][i] + b[1][i])) + ...), i < n
 * predict_taps   p[i] = (...((0 + weight[0] * r[offset[0] + i]) + weight[1] * r[offset[1] + i]) + ...), i < n
 * predict_decode x[i] = (real)((f64)p[i] + (f64)q[i] * step), 0 where that is not finite
 * predict_encode q[i] = the integer nearest to ((f64)x[i] - (f64)p[i]) * (1 / step), halves away from 0; 0 if its
 *                magnitude would be above 2^28 or is NaN; then x[i] as predict_decode gives it
 */
#define FMC_KERNELS_PREDICT_OF(real, type)                                                                             \
    void (*predict_pairs_##type)(real *p, size_t n, const real *const *a, const real *const *b, const real *weight,    \
                                 uint32_t n_pairs);                                                                    \
    void (*predict_taps_##type)(real *p, size_t n, const real *r, const ptrdiff_t *offset, const real *weight,         \
                                uint32_t n_taps);                                                                      \
    void (*predict_decode_##type)(const real *p, double step, size_t n, const int32_t *q, real *x);                    \
    void (*predict_encode_##type)(const real *p, double step, size_t n, real *x, int32_t *q);

#define FMC_SLOTS_PREDICT(type, suffix)                                                                                \
    .predict_pairs_##type = predict_pairs_##suffix, .predict_taps_##type = predict_taps_##suffix,                      \
    .predict_decode_##type = predict_decode_##suffix, .predict_encode_##type = predict_encode_##suffix

#endif
