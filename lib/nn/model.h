/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_MODEL_H
#define FMC_NN_MODEL_H

#include <fmc/model.h>
#include "coef/prior.h"
#include "entropy/latent.h"
#include "nn/net.h"

/** What section MODEL says (docs/weights-format.md 1.1). */
typedef struct fmc_model_numbers {
    uint32_t levels, latent, hyper;
    uint32_t patch[FMC_NET_AXES];       /* samples of a latent: t, y, x */
    uint32_t hyper_patch[FMC_NET_AXES]; /* latents of a hyper-latent: 1, y, x */
    uint32_t latent_frac;               /* latents and means are in 1 / 2^latent_frac */
    uint32_t output_frac;               /* decoded samples in 1 / 2^output_frac */
} fmc_model_numbers;

/** A checked file of weights, ready to run. Immutable, so that any number of threads may use it. */
struct fmc_model {
    fmc_allocator     alloc;
    uint8_t          *bytes;            /* the file */
    size_t            size;
    fmc_weights       weights;          /* of bytes */
    char              architecture[17];
    char             *record;           /* text; NULL: none */
    fmc_model_numbers n;
    fmc_net           hyper, synthesis;              /* integer programs of the decoder */
    fmc_net           analysis, hyper_analysis;      /* float programs of the encoder */
    float            *gain_latent, *gain_hyper;      /* [levels][channels], positive */
    int32_t          *hyper_mean;       /* [levels][hyper], 1 / 2^latent_frac */
    uint8_t          *hyper_scale;      /* [levels][hyper], index of a table */
    fmc_latent_tables tables;
    fmc_prior         prior;            /* architecture `prior`, which has nothing else */
};

/**
 * Make a model from untrusted bytes, which are copied.
 * @param why  gets a sentence on what is wrong; FMC_WHY_SIZE bytes
 * @param out  owned, release with fmc_model_free; NULL on failure
 * @return FMC_OK, FMC_ERR_BAD_MODEL, _TRUNCATED, _CORRUPT, _UNSUPPORTED, _NO_MEMORY.
 */
fmc_status fmc_model_make(const fmc_allocator *a, const void *data, size_t size, char *why, fmc_model **out);

/** Whether it is of architecture `prior`; else it is `vae`. */
int fmc_model_is_prior(const fmc_model *m);

/** Fill m->prior of a file with these words in section MODEL. */
fmc_status fmc_model_read_prior(fmc_model *m, const uint32_t *word, size_t n_words);

/** Accepts NULL. */
void fmc_model_free(fmc_model *m);

#endif
