/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_MODEL_H
#define FMC_COEF_MODEL_H

#include "coef/band.h"
#include "coef/coef.h"
#include "coef/mean.h"
#include "coef/rows.h"
#include "entropy/binary.h"
#include "entropy/mixer.h"
#include "entropy/symbol.h"

/* Sizes of the adaptive model, docs/format.md 8.3. */
enum {
    FMC_COEF_CLASSES = 12,   /* band classes: low, 3 levels x 1..3 high axes, spectral; differences from a mean */
    FMC_COEF_DIFFERENCE = 11, /* the last of them */
    FMC_COEF_ENERGIES = 40,  /* logarithmic classes of the expected magnitude */
    FMC_COEF_DECISIONS = 16, /* zero flag and unary steps with slots of their own in context 0 */
    FMC_COEF_SLOTS = 8,      /* the same in the other contexts */
    FMC_COEF_LEVELS = 20,    /* quantised neighbour sums in the other contexts */
    FMC_COEF_PAIRS = FMC_COEF_LEVELS * FMC_COEF_LEVELS * 2,
    FMC_COEF_MEANS = 31,     /* quantised conditional means */
    FMC_COEF_MAX_INPUTS = 9,
    FMC_COEF_SEGMENT = 16,   /* values that one zero flag covers where all around is zero */
    FMC_COEF_LOG_MAX = 4096, /* fmc_coef_model.log_class covers 0..LOG_MAX-1 */
    FMC_COEF_SIGNS = 27 * 4,
    FMC_COEF_ESCAPES = 40,
    FMC_COEF_TOPS = 16,
    FMC_COEF_OUTPUTS = 16,   /* of a prior's network: not 0, negative, six more decisions with the mean's sign, six against */
    FMC_COEF_BUCKETS = 32,   /* quantised logits */
    FMC_COEF_LOGITS = FMC_COEF_OUTPUTS * 3 * FMC_COEF_BUCKETS
};

/** One set of mixing weights, 1.0 = 16384, and the number of bits that it has learned from. */
typedef struct fmc_mix_set {
    int32_t  w[FMC_COEF_MAX_INPUTS];
    uint32_t n;
} fmc_mix_set;

/** What speaks of the magnitudes of one quantiser: a trellis has two. */
typedef struct fmc_size_tables {
    fmc_prob    *energy;              /* [class][energy][decision] */
    fmc_prob    *logit;               /* tier PRIOR: [output][range 3][bucket] */
    fmc_mix_set *mix;                 /* [class][decision][4] */
} fmc_size_tables;

/** Everything adaptive that belongs to one independently coded block. */
typedef struct fmc_coef_model {
    uint32_t     tier;
    uint32_t     n_pairs;             /* contexts besides the energy */
    uint32_t     n_inputs;            /* mixed probabilities */
    uint32_t     n_quantisers;        /* 2: of a trellis */
    fmc_size_tables size[2];          /* by quantiser, each array behind the other's */
    fmc_prob    *pair[5];             /* [FMC_COEF_PAIRS][slot] */
    fmc_prob    *mean;                /* [slot][scale][means]; tiers BEST, PRIOR */
    fmc_prob    *mean_sign;           /* [scale][means]; tiers BEST, PRIOR */
    fmc_mix_set  sign_mix[FMC_COEF_CLASSES];
    fmc_prob     sign[FMC_COEF_SIGNS];
    fmc_prob     segment[FMC_COEF_CLASSES * 4];
    fmc_prob     exp_golomb[FMC_COEF_ESCAPES];
    fmc_prob     top_bit[FMC_COEF_TOPS];
    fmc_symbol_dist *dist[3];         /* tiers FAST, AVERAGE: [energy][class], then as pair[] */
    uint8_t     *n_seen[3];           /* of each, at most 63 */
    uint8_t     *log_class;           /* [FMC_COEF_LOG_MAX] */
    fmc_mean     own;                 /* conditional mean, tiers BEST, PRIOR */
    const struct fmc_prior *prior;    /* tier PRIOR, else NULL */
    int16_t     *number_log, *value_log; /* tier PRIOR: fmc_prior_log of [FMC_COEF_LOG_MAX]; of values in their unit */
} fmc_coef_model;

/** @param prior  for tier PRIOR, borrowed; ignored by the others. */
fmc_status fmc_coef_model_create(const fmc_allocator *a, uint32_t tier, const struct fmc_prior *prior, fmc_coef_model **out);
/** Show every array of counters that a prior stores, in its order; p is NULL where the model, of tier PRIOR, has none. */
void       fmc_coef_model_counters(fmc_coef_model *m, void (*show)(void *user, const char *name, fmc_prob *p, size_t n),
                                   void *user);
/** The same without a model: names and sizes alone, p is NULL. */
void       fmc_coef_model_arrays(void (*show)(void *user, const char *name, fmc_prob *p, size_t n), void *user);
void       fmc_coef_model_destroy(const fmc_allocator *a, fmc_coef_model *m);
/** Band class, 0..FMC_COEF_CLASSES-1. */
unsigned   fmc_coef_class(const fmc_band *band);
/** Weights of the expected magnitude for a class. */
const fmc_coef_weights *fmc_coef_class_weights(unsigned band_class);

#endif
