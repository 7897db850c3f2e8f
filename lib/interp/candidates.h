/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_CANDIDATES_H
#define FMC_INTERP_CANDIDATES_H

#include "interp/plan.h"

enum { FMC_INTERP_CANDIDATES = 20 };

/** Plans without weights, to be tried on blocks. Encoder only. */
typedef struct fmc_candidates {
    uint32_t        n;
    fmc_interp_plan trial; /* scratch */
    fmc_interp_plan plan[FMC_INTERP_CANDIDATES];
} fmc_candidates;

/** One round of a tournament on blocks. */
typedef struct fmc_stage {
    size_t   samples; /* of all blocks; 0 ends a list of stages */
    size_t   targets; /* of a fit, for all cosets of a level */
    uint32_t keep;
} fmc_stage;

/** Blocks on which plans are tried: n of extents dim (right-aligned), stacked along one more axis. */
typedef struct fmc_trial_layout {
    uint32_t n;
    size_t   dim[FMC_MAX_RANK];
} fmc_trial_layout;

void fmc_candidates_make(uint32_t rank, const size_t *dim, uint32_t unlike, uint32_t effort, fmc_candidates *list);
/** Sort by plan->bits and keep the first ones, of them those below `far` times the least. */
void fmc_candidates_keep(uint32_t keep, double far, fmc_candidates *list);
const fmc_stage *fmc_stages_of(uint32_t effort);
/** Targets of the chosen plan's fit. */
size_t fmc_final_targets(uint32_t effort);
/** Everything if it is not more than `samples`, else several blocks; of rank 5 one block. */
void fmc_trial_plan(const size_t *whole, size_t samples, fmc_trial_layout *layout);
/** Turn a plan for the whole into one for the stacked blocks: the new axis is unlike. */
void fmc_trial_stack(const fmc_trial_layout *layout, fmc_interp_plan *plan);
/** Where block b of n begins on an axis with `room` samples to spare. */
size_t fmc_block_origin(size_t room, unsigned axis, uint32_t b, uint32_t n);

#endif
