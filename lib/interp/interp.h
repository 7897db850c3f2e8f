/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_H
#define FMC_INTERP_H

#include "coef/band.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** How samples are predicted from decoded ones. Values are format constants (docs/format.md 7). */
enum fmc_predictor {
    FMC_PREDICT_PYRAMID = 0,  /* multi-level interpolation, coarse to fine, axis after axis */
    FMC_PREDICT_LORENZO1 = 1, /* first-order Lorenzo over the smooth axes, raster order */
    FMC_PREDICT_LORENZO2 = 2, /* second-order Lorenzo */
    FMC_PREDICT_CAUSAL = 3     /* earlier neighbours in raster order, weights fitted to the chunk */
};

/**
 * Everything the decoder needs besides the integers: predictor, axis order, weights. Opaque to others; written and
 * parsed by the functions below. No pointers inside, so it may be copied.
 */
typedef struct fmc_interp_plan fmc_interp_plan;

size_t fmc_interp_plan_size(void);

/**
 * Choose predictor, axis order and weights for this data and bound.
 * @param x        samples in C order, finite (masked ones filled in). @param bound largest error, > 0.
 * @param masked   non-zero for samples that need not be met: they are no targets. NULL: there are none.
 * @param unlike   bit a set: axis a (0 = slowest of rank) is not predicted across.
 * @param effort   1: one good default by cheap sampling; 5: best of several on sampled blocks; 9: more of them.
 */
fmc_status fmc_interp_choose_f32(const fmc_exec *ex, uint32_t rank, const size_t *dim, const float *x,
                                 const uint8_t *masked, double bound, uint32_t unlike, uint32_t effort,
                                 fmc_interp_plan *plan);
fmc_status fmc_interp_choose_f64(const fmc_exec *ex, uint32_t rank, const size_t *dim, const double *x,
                                 const uint8_t *masked, double bound, uint32_t unlike, uint32_t effort,
                                 fmc_interp_plan *plan);

/** What a coder aims at. */
typedef struct fmc_probe_goal {
    double limit;  /* > 0 */
    int    is_rms; /* 1: root mean square error; 0: largest error */
} fmc_probe_goal;

/**
 * The most promising plan and what it needs, from a few thousand samples and without coding anything: sizes are right
 * within some 10 % where more than half a bit a sample is needed, else rather too large. Arguments as for choose.
 * @param step  in: where to begin; out: one that meets a goal for the root mean square error, else as it was.
 * @param plan  its weights are rough (fmc_interp_fit); its bits are infinite where the array is too small for a look.
 */
fmc_status fmc_interp_probe_f32(const fmc_exec *ex, uint32_t rank, const size_t *dim, const float *x,
                                const uint8_t *masked, const fmc_probe_goal *goal, uint32_t unlike, uint32_t effort,
                                double *step, fmc_interp_plan *plan);
fmc_status fmc_interp_probe_f64(const fmc_exec *ex, uint32_t rank, const size_t *dim, const double *x,
                                const uint8_t *masked, const fmc_probe_goal *goal, uint32_t unlike, uint32_t effort,
                                double *step, fmc_interp_plan *plan);

/** Probe this plan once more, with many more samples. */
fmc_status fmc_interp_look_f32(const fmc_exec *ex, const float *x, const uint8_t *masked, const fmc_probe_goal *goal,
                               uint32_t effort, double *step, fmc_interp_plan *plan);
fmc_status fmc_interp_look_f64(const fmc_exec *ex, const double *x, const uint8_t *masked, const fmc_probe_goal *goal,
                               uint32_t effort, double *step, fmc_interp_plan *plan);

/** Final weights for the plan of a probe. Nothing happens where it has them. */
fmc_status fmc_interp_fit_f32(const fmc_exec *ex, const float *x, const uint8_t *masked, double bound, uint32_t effort,
                              fmc_interp_plan *plan);
fmc_status fmc_interp_fit_f64(const fmc_exec *ex, const double *x, const uint8_t *masked, double bound, uint32_t effort,
                              fmc_interp_plan *plan);

/**
 * Estimated size in bits of the whole array at the bound that the plan was chosen for, side information included, as
 * FMC_COEF_MIX codes it. 0 for a parsed plan. Encoder only.
 */
double     fmc_interp_plan_bits(const fmc_interp_plan *plan);
/** 1: its weights are final. */
int        fmc_interp_is_fitted(const fmc_interp_plan *plan);
void       fmc_interp_plan_write(const fmc_interp_plan *plan, fmc_out *out);
/** Untrusted bytes; rank and dim are the chunk's. */
fmc_status fmc_interp_plan_parse(fmc_in *in, uint32_t rank, const size_t *dim, fmc_interp_plan *plan);
/** Bands in coding order, for the coefficient coder. @return their number, <= FMC_MAX_BANDS. */
size_t     fmc_interp_bands(const fmc_interp_plan *plan, fmc_band *band);
/** Short text for fmc_chunk_info.detail. */
void       fmc_interp_describe(const fmc_interp_plan *plan, char *text, size_t size);

/**
 * Closed-loop prediction and quantisation: x' = prediction + q * step with step = 2 * bound rounded down to 32
 * significant bits (24 make q * step exact for every q). @param x  NaN where nobody misses the sample: q is 0 there.
 * @param q  band-major, |q| <= FMC_COEF_MAX: where more would be
 * needed q is 0 and the caller's bound check finds the sample. @param recon gets exactly what decode gives; finite.
 * Nothing is fitted again: another step under the same plan costs no more than the first.
 */
fmc_status fmc_interp_encode_f32(const fmc_exec *ex, const fmc_interp_plan *plan, const float *x, double step,
                                 int32_t *q, float *recon);
fmc_status fmc_interp_encode_f64(const fmc_exec *ex, const fmc_interp_plan *plan, const double *x, double step,
                                 int32_t *q, double *recon);

/** Zone EXACT: same bits on every machine, SIMD level and thread count. Any q is legal (hostile streams). */
fmc_status fmc_interp_decode_f32(const fmc_exec *ex, const fmc_interp_plan *plan, const int32_t *q, double step,
                                 float *recon);
fmc_status fmc_interp_decode_f64(const fmc_exec *ex, const fmc_interp_plan *plan, const int32_t *q, double step,
                                 double *recon);

#endif
