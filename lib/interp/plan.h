/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_PLAN_H
#define FMC_INTERP_PLAN_H

#include "interp/interp.h"

/** Limits of the format (docs/format.md 7). */
enum {
    FMC_INTERP_MAX_LEVELS = 14,
    FMC_INTERP_FIT_LEVELS = 4,  /* the finest levels, whose cosets may carry fitted weights */
    FMC_INTERP_MAX_PAIRS = 20,  /* taps of a coset, each a point-symmetric pair */
    FMC_INTERP_MAX_CAUSAL = 32, /* taps of a raster predictor */
    FMC_INTERP_COSETS = 32,
    FMC_INTERP_MAX_SHARE = 15,
    FMC_INTERP_ONE = 4096       /* 1.0 in weights */
};

/** Which taps of a coset carry weights. Values are format constants. */
enum fmc_tap_set {
    FMC_TAPS_FIXED = 0, /* cubic along the odd axes, mixed by plan->share */
    FMC_TAPS_LINE = 1,  /* fitted, +-1 and +-3 along the odd axes */
    FMC_TAPS_FULL = 2   /* fitted, with diagonals */
};

struct fmc_interp_plan {
    uint32_t predictor; /* enum fmc_predictor */
    uint32_t rank;
    uint32_t unlike;    /* right-aligned: bit a belongs to dim[a] */
    uint32_t levels;    /* pyramid: number of halvings */
    uint32_t n_order;   /* axes that are neither unlike nor of extent 1 */
    uint8_t  order[FMC_MAX_RANK]; /* those axes; the first is the first to be interpolated along */
    uint8_t  share[FMC_MAX_RANK]; /* log2 of the trust in an axis, for FMC_TAPS_FIXED */
    size_t   dim[FMC_MAX_RANK];   /* right-aligned */
    double   base;      /* prediction of the very first sample */
    uint8_t  set[FMC_INTERP_FIT_LEVELS][FMC_INTERP_COSETS];
    int16_t  weight[FMC_INTERP_FIT_LEVELS][FMC_INTERP_COSETS][FMC_INTERP_MAX_PAIRS];
    int16_t  causal[FMC_INTERP_MAX_CAUSAL];
    uint32_t is_fitted; /* encoder only: the weights are final */
    double   bits;      /* encoder only: what coding with it is expected to cost */
    double   step;      /* encoder only: for a probe's goal */
};

/**
 * One level: the grid of step 2^l is cut into cosets by the parity of each active axis. Coset 0 (all even) is the next
 * coarser grid. Coset c > 0 is odd along mask[c]; they come in the order of c, whose bit k stands for the k-th active
 * axis of plan->order.
 */
typedef struct fmc_level {
    size_t   grid[FMC_MAX_RANK];
    uint32_t active;    /* axes with grid > 1 */
    uint32_t n_cosets;  /* 1 << number of active axes */
    uint32_t mask[FMC_INTERP_COSETS];
    uint32_t coset[FMC_INTERP_COSETS]; /* inverse of mask */
    size_t   dim[FMC_INTERP_COSETS][FMC_MAX_RANK];
    size_t   start[FMC_INTERP_COSETS]; /* in the band-major array; 0 for coset 0 */
} fmc_level;

/** Taps of a coset as offsets in grid steps; each stands for itself and its negative. Nearest first. */
typedef struct fmc_pairs {
    uint32_t n_line; /* taps of FMC_TAPS_LINE: +-1 along each odd axis, then +-3 */
    uint32_t n;
    int8_t   delta[FMC_INTERP_MAX_PAIRS][FMC_MAX_RANK];
} fmc_pairs;

/** Taps of a raster predictor: offsets of earlier samples in C order. The n_row last ones lie in the same row. */
typedef struct fmc_causal {
    uint32_t n;
    uint32_t n_row;
    int8_t   delta[FMC_INTERP_MAX_CAUSAL][FMC_MAX_RANK];
    int32_t  weight[FMC_INTERP_MAX_CAUSAL]; /* in 1 / FMC_INTERP_ONE */
} fmc_causal;

/** rank and dim in, everything else default: a pyramid with fixed weights, slowest axis first. */
void fmc_interp_plan_init(fmc_interp_plan *plan, uint32_t rank, const size_t *dim, uint32_t unlike);
/** Halvings until no axis has more than 8 samples. */
uint32_t fmc_interp_default_levels(const fmc_interp_plan *plan);
void fmc_interp_level(const fmc_interp_plan *plan, uint32_t l, fmc_level *level);
/** Most useful taps of coset c: only samples of earlier cosets. */
void fmc_interp_pairs(const fmc_interp_plan *plan, const fmc_level *level, uint32_t c, fmc_pairs *pairs);
/** Fixed weights of the first pairs->n_line taps. Their sum is FMC_INTERP_ONE / 2. */
void fmc_interp_fixed(const fmc_interp_plan *plan, const fmc_pairs *pairs, int32_t *weight);
/** Weights that plan has for coset c of level l. @return how many taps are used. */
uint32_t fmc_interp_weights(const fmc_interp_plan *plan, uint32_t l, uint32_t c, const fmc_pairs *pairs,
                            int32_t *weight);
/** True if the plan's axes allow this raster predictor. */
int fmc_interp_is_possible(const fmc_interp_plan *plan, uint32_t predictor);
/** Taps and weights of the plan's raster predictor. The last tap's weight makes the sum FMC_INTERP_ONE. */
void fmc_interp_causal(const fmc_interp_plan *plan, fmc_causal *causal);
size_t fmc_interp_count(const size_t *dim);

#endif
