/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_CODER_H
#define FMC_CODEC_CODER_H

#include "codec/lossy.h"

struct fmc_prior; /* coef/prior.h */

/*
 * The lossy coders of a signal (docs/format.md 5.1). Encoders turn l->x into integers and use it up (it becomes
 * z->recon); a mean-square goal is kept from below, an absolute one by most samples. *z is to be released also after
 * a failure. FMC_ERR_UNSUPPORTED: the goal cannot be reached.
 */

/** Choose the transforms: fills l->menu. Needs l->x. */
fmc_status fmc_transform_choose(const fmc_exec *ex, fmc_lossy *l);
/**
 * With plan `choice` < l->menu.n. With plan 0 and l->settled, z->quant of an earlier call, the same again without a search; l->settled
 * is used up.
 * @param worth  bytes: where a first estimate, z->bytes, is above, nothing is quantised and z->q is NULL.
 */
fmc_status fmc_transform_quantise(const fmc_exec *ex, fmc_lossy *l, size_t choice, double worth, fmc_quantised *z);
/** The same by a trellis (coef/trellis.h), slowly, for fewer bytes at the same error. @param step  of the plain quantiser. */
fmc_status fmc_transform_trellis(const fmc_exec *ex, fmc_lossy *l, size_t choice, double step, fmc_quantised *z);
fmc_status fmc_transform_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon);
/** Letters per axis, e.g. "PWW". */
fmc_status fmc_transform_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size);

/**
 * The coarse version of a signal without the 2^scale_log2 finer scales, from its coarse bands alone (docs/format.md
 * 5.6). W and P axes get ceil(dim / 2^scale_log2) samples, axes that are not transformed stay whole.
 * @param c       gets type, rank, extents and count of the coarse signal.
 * @param coarse  owned by the caller, NULL after a failure.
 * @return FMC_ERR_UNSUPPORTED: there is no such version. *in is not moved.
 */
fmc_status fmc_transform_preview(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, uint32_t scale_log2,
                                 fmc_signal *c, void **coarse);

fmc_status fmc_predict_quantise(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z);
/** Choose l->predict_plan, another one than there may be, with final weights. */
fmc_status fmc_predict_choose(const fmc_exec *ex, fmc_lossy *l);
/**
 * Bytes of the coder's body, from a few thousand samples of l->x, which stays: within some 10 % where that matters, for
 * next to no time. Infinite where the signal is too small for it. Leaves l->predict_plan, l->predict_step.
 */
fmc_status fmc_predict_probe(const fmc_exec *ex, fmc_lossy *l, double *bytes);
/** The same from more samples. */
fmc_status fmc_predict_look(const fmc_exec *ex, fmc_lossy *l, double *bytes);
/** Does fmc_predict_estimate take all samples? After a probe. */
int fmc_predict_is_whole(const fmc_lossy *l);
/**
 * The same more closely: by predicting and quantising all samples, which uses l->x up, or at effort 1 and for very
 * large signals by a look.
 */
fmc_status fmc_predict_estimate(const fmc_exec *ex, fmc_lossy *l, double *bytes);
fmc_status fmc_predict_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon);
fmc_status fmc_predict_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size);

/** Published error control: patches in a basis of their own. Only where it is asked for. */
fmc_status fmc_pca_quantise(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z);
fmc_status fmc_pca_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon);
/** E.g. "pca 23 of 64": stored vectors. */
fmc_status fmc_pca_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size);

/**
 * The first bytes of a body: the tier of the coefficient coder and, with tier PRIOR, the model's hash (else 0).
 * @return FMC_OK, _TRUNCATED, FMC_ERR_UNSUPPORTED: no such tier.
 */
fmc_status fmc_tier_write(uint32_t tier, const fmc_model *prior, fmc_out *out);
fmc_status fmc_tier_read(fmc_in *in, uint32_t *tier, uint64_t *model);
/** The prior of that hash; NULL with other tiers. @return FMC_OK, FMC_ERR_MODEL_MISSING. */
fmc_status fmc_tier_prior(const fmc_exec *ex, uint32_t tier, uint64_t model, const struct fmc_prior **prior);

/**
 * The step of a coder: the high half of an f64, which holds all of it (fmc_quantise_round_step). A step that decoders refuse,
 * one that is not normal and positive, is not written. @return FMC_OK, FMC_ERR_UNSUPPORTED.
 */
fmc_status fmc_step_write(double step, fmc_out *out);
/** @return FMC_OK, _TRUNCATED, _CORRUPT. */
fmc_status fmc_step_read(fmc_in *in, double *step);

/** The head of a transform coder's body: tier, plan, step, centres. @return also FMC_ERR_UNSUPPORTED, as fmc_step_write. */
fmc_status fmc_transform_head_write(uint32_t tier, const fmc_tx_plan *plan, const fmc_quantiser *quant, fmc_out *out);

/** Model tier of the coefficient coder for an effort. */
uint32_t fmc_coder_tier(uint32_t effort);

#endif
