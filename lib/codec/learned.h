/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_LEARNED_H
#define FMC_CODEC_LEARNED_H

#include "codec/lossy.h"
#include "nn/vae.h"

/** A signal as a model of architecture `vae` sees it: analysed once, then predicted at any of the model's levels. */
typedef struct fmc_learned {
    const fmc_model *model;
    fmc_vae_shape    shape;
    float           *y, *z;      /* latents and hyper-latents before gains, owned */
    int32_t          exponent;   /* of the base */
    int32_t          multiplier, offset; /* see fmc_base_head */
} fmc_learned;

/**
 * Analyse the signal l->x, which stays. *w is to be released also after a failure.
 * @return FMC_OK, _NO_MEMORY, _CANCELLED, FMC_ERR_UNSUPPORTED: nothing for a model to do here (constant, too large).
 */
fmc_status fmc_learned_init(const fmc_exec *ex, const fmc_lossy *l, const fmc_model *m, fmc_learned *w);
void       fmc_learned_fini(const fmc_exec *ex, fmc_learned *w);

/**
 * What the decoder will make of the latents at one level.
 * @param base  to be released with fmc_base_fini, also after a failure
 * @param rmse  against l->x, in its units
 */
fmc_status fmc_learned_predict(const fmc_exec *ex, const fmc_learned *w, const fmc_lossy *l, uint32_t level, fmc_base *base,
                               double *rmse);

#endif
