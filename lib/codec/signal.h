/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_SIGNAL_H
#define FMC_CODEC_SIGNAL_H

#include "codec/codec.h"
#include "coef/quantise.h"
#include "coef/trellis.h"
#include "interp/interp.h"
#include "transform/transform.h"

/**
 * What the lossy coders work on: a chunk in the working type, normalised, missing samples filled in, axes in an order
 * that suits the coders. Data are passed beside it as void pointers of that type, C-contiguous. The functions below
 * pick the f32 or f64 variant.
 */
typedef struct fmc_signal {
    uint32_t dtype;               /* FMC_F32 or FMC_F64: the working type */
    uint32_t rank;
    size_t   dim[FMC_MAX_RANK];
    size_t   count;
    uint32_t axis[FMC_MAX_RANK];  /* enum fmc_axis_kind; encoder only */
} fmc_signal;

/** What a coder must reach, in the signal's units. */
typedef struct fmc_target {
    uint32_t kind;  /* FMC_BOUND_ABS or FMC_BOUND_NRMSE (root mean square error) */
    double   limit; /* > 0 */
} fmc_target;

/** Bytes of one sample. */
static inline size_t fmc_signal_sample(const fmc_signal *s)
{
    return s->dtype == FMC_F64 ? 8 : 4;
}

/**
 * Order of axes (docs/format.md 5.1): axis i of the coders' array is axis order.axis[i] of the chunk, axes of extent 1
 * left out of both.
 */
typedef struct fmc_axis_order {
    uint32_t rank;
    uint8_t  axis[FMC_MAX_RANK];
} fmc_axis_order;

/** The order that a coder works best in: unlike and short axes first. Encoder only. */
fmc_axis_order fmc_axis_order_choose(const fmc_signal *s);
/** Its number among the permutations of rank axes in lexicographic order; 0 leaves everything as it is. */
uint8_t fmc_axis_order_code(const fmc_axis_order *o);
/** The inverse. @return 0 if there is no such order. */
int fmc_axis_order_parse(uint32_t rank, uint8_t code, fmc_axis_order *o);
/** A signal in the chunk's order of axes as the coders see it. */
fmc_signal fmc_axis_order_apply(const fmc_axis_order *o, const fmc_signal *s);

/**
 * Move samples of 1, 4 or 8 bytes from the chunk's order (from) to the coders' (to), or back (is_inverse).
 * @param s  the signal in the chunk's order. from and to do not overlap.
 */
fmc_status fmc_axis_order_move(const fmc_exec *ex, const fmc_axis_order *o, const fmc_signal *s, size_t sample,
                               const void *from, void *to, int is_inverse);

/** The same in place, by a copy. */
fmc_status fmc_axis_order_move_in(const fmc_exec *ex, const fmc_axis_order *o, const fmc_signal *s, size_t sample,
                                  void *data, int is_inverse);

fmc_status fmc_signal_alloc(const fmc_exec *ex, const fmc_signal *s, void **out);
fmc_status fmc_signal_forward(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data);
fmc_status fmc_signal_inverse(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data);
/** Coefficients are in the transform's array, integers band-major; coef/quantise.h. */
fmc_status fmc_signal_quantise(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                               size_t n_bands, const void *c, const fmc_quantiser *z, uint32_t sampling, int32_t *q,
                               double *error2);
/** By a trellis; the integers are multiples of its step. */
fmc_status fmc_signal_trellis(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                              size_t n_bands, const void *c, const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q,
                              double *error2);
fmc_status fmc_signal_centres(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                              size_t n_bands, const void *c, const int32_t *q, fmc_quantiser *z);
/** Zone EXACT. */
fmc_status fmc_signal_dequantise(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                                 size_t n_bands, const int32_t *q, const fmc_quantiser *z, void *c);
/** masked: non-zero for samples that need not be met, in the coders' order; NULL: none. */
fmc_status fmc_signal_predict_probe(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                    const fmc_probe_goal *goal, uint32_t effort, double *step, fmc_interp_plan *plan);
fmc_status fmc_signal_predict_look(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                   const fmc_probe_goal *goal, uint32_t effort, double *step, fmc_interp_plan *plan);
fmc_status fmc_signal_predict_fit(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                  double bound, uint32_t effort, fmc_interp_plan *plan);
fmc_status fmc_signal_predict_choose(const fmc_exec *ex, const fmc_signal *s, const void *x, const uint8_t *masked,
                                     double bound, uint32_t effort, fmc_interp_plan *plan);
/** Give up the masked samples of a signal: NaN, which prediction does not code. */
void       fmc_signal_blank(const fmc_signal *s, const uint8_t *masked, void *x);
/** x and recon may be the same array. */
fmc_status fmc_signal_predict_encode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const void *x, double step, int32_t *q, void *recon);
fmc_status fmc_signal_predict_decode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const int32_t *q, double step, void *recon);

#endif
