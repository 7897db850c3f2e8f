/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_PRIOR_H
#define FMC_COEF_PRIOR_H

#include "coef/model.h"
#include "core/alloc.h"

/* Sizes of the network, docs/format.md 8.7. */
enum {
    FMC_PRIOR_FEATURES = 52,
    FMC_PRIOR_PLACES = 3 * 96, /* biases of the first layer: [quantiser: plain, a trellis's][class][high along the last three axes] */
    FMC_PRIOR_LAYERS = 3,
    FMC_PRIOR_MAX_WIDTH = 64,  /* of a hidden layer; a multiple of 16 */
    FMC_PRIOR_MAX_VALUE = 511, /* of features and hidden values */
    FMC_PRIOR_MAX_LOGIT = 2047
};

/** clamp((weight * in + bias + half) >> shift): docs/format.md 8.7. */
typedef struct fmc_prior_layer {
    uint32_t n_in, n_out;
    int16_t *weight; /* [n_in / 2][n_out][2], -127..127 */
    int32_t *bias;   /* [n_out], the first layer [FMC_PRIOR_PLACES][n_out]; |bias| < 2^22 */
    int32_t *shift;  /* [n_out], 0..20 */
} fmc_prior_layer;

/** Who wants to see what a prior is trained on; see weights/train. Not thread-safe: one block at a time. */
typedef struct fmc_prior_watch {
    void *user;
    /** A value is about to be coded: features, place, and its symbol: 0, or +-(1 + steps), + where it has the mean's sign. */
    void (*value)(void *user, const int16_t *feature, unsigned place, int32_t symbol);
    /** A block is finished. */
    void (*block)(void *user, const fmc_coef_model *m);
} fmc_prior_watch;

/**
 * Architecture `prior` (docs/weights-format.md 6): where the adaptive model of a block starts, and a network that gives
 * probabilities of every decision from the neighbourhood. Immutable.
 */
typedef struct fmc_prior {
    fmc_prob        *start;       /* every counter, as fmc_coef_model_counters walks them */
    fmc_mix_set     *mix;         /* of plain quantisers, of a trellis's first, its second; then sign_mix */
    fmc_prior_layer  layer[FMC_PRIOR_LAYERS];
    const fmc_prior_watch *watch; /* NULL: nobody */
} fmc_prior;

/** Sizes of p->start and p->mix. */
enum {
    FMC_PRIOR_COUNTERS = 3 * (FMC_COEF_CLASSES * FMC_COEF_ENERGIES * FMC_COEF_DECISIONS + FMC_COEF_LOGITS) +
                         2 * 5 * FMC_COEF_PAIRS * FMC_COEF_SLOTS +
                         (2 * FMC_COEF_SLOTS + 1) * FMC_COEF_MEANS * (FMC_COEF_ENERGIES / 2) + FMC_COEF_SIGNS +
                         FMC_COEF_CLASSES * 4 + FMC_COEF_ESCAPES + FMC_COEF_TOPS,
    FMC_PRIOR_SETS = 3 * FMC_COEF_CLASSES * FMC_COEF_DECISIONS * 4 + FMC_COEF_CLASSES
};

/** Zeroed arrays for hidden layers of these widths. @return FMC_OK, _NO_MEMORY; fmc_prior_free also after a failure. */
fmc_status fmc_prior_alloc(const fmc_allocator *a, uint32_t width1, uint32_t width2, fmc_prior *p);
void       fmc_prior_free(const fmc_allocator *a, fmc_prior *p);

/**
 * Signed logarithm of a number, 32 an octave: sign * min(511, floor(32 log2(1 + |v| / 2^unit))) with straight lines inside octaves.
 * @param unit  1 for multiples of a trellis's step, else 0.
 */
int16_t fmc_prior_log(int32_t v, unsigned unit);

/** What the value at x is known by before it is coded, besides rows. */
typedef struct fmc_prior_place {
    size_t   x;
    uint32_t energy, run, scale; /* 1/16; run in the unit of values */
    int32_t  mean;               /* 1/16, after a difference was taken */
    unsigned shift;              /* low bits split off */
    int      is_difference;
} fmc_prior_place;

struct fmc_coef_block;
struct fmc_coef_row;

/** The features of a value, in order (docs/format.md 8.7). */
void fmc_prior_features(const struct fmc_coef_block *b, const struct fmc_coef_row *r, const fmc_prior_place *at,
                        int16_t feature[FMC_PRIOR_FEATURES]);

/** The network: logits in 1/256 of the decisions, for a value whose mean is not negative. */
void fmc_prior_ask(const fmc_prior *p, const fmc_kernels *k, const int16_t feature[FMC_PRIOR_FEATURES], unsigned place,
                   int16_t logit[FMC_COEF_OUTPUTS]);

#endif
