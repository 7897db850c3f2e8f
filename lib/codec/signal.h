/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_SIGNAL_H
#define FMC_CODEC_SIGNAL_H

#include "codec/codec.h"
#include "coef/quantise.h"
#include "interp/interp.h"
#include "transform/transform.h"

/**
 * What the lossy coders work on: a chunk in the working type, normalised, missing samples filled in. Data are passed
 * beside it as void pointers of that type, C-contiguous. The functions below pick the f32 or f64 variant.
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

fmc_status fmc_signal_alloc(const fmc_exec *ex, const fmc_signal *s, void **out);
fmc_status fmc_signal_forward(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data);
fmc_status fmc_signal_inverse(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data);
void       fmc_signal_pack(const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band, size_t n_bands,
                           const void *layout, void *packed);
void       fmc_signal_unpack(const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band, size_t n_bands,
                             const void *packed, void *layout);
fmc_status fmc_signal_quantise(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                               const void *c, const fmc_quantiser *z, uint32_t sampling, int32_t *q, double *error2);
fmc_status fmc_signal_centres(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                              const void *c, const int32_t *q, fmc_quantiser *z);
fmc_status fmc_signal_dequantise(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                                 const int32_t *q, const fmc_quantiser *z, void *c);
fmc_status fmc_signal_predict_choose(const fmc_exec *ex, const fmc_signal *s, const void *x, double bound,
                                     uint32_t effort, fmc_interp_plan *plan);
fmc_status fmc_signal_predict_encode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const void *x, double step, int32_t *q, void *recon);
fmc_status fmc_signal_predict_decode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const int32_t *q, double step, void *recon);

#endif
