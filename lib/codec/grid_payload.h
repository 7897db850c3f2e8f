/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_GRID_PAYLOAD_H
#define FMC_CODEC_GRID_PAYLOAD_H

#include "codec/lossy.h"
#include "grid/grid.h"

/** Largest thinning (docs/format.md 5.5). */
enum { FMC_GRID_MAX_THINNING = 9 };

/** A chunk as integers on a grid. fmc_grid_work_fini releases it. */
typedef struct fmc_grid_work {
    const fmc_block *block;
    const fmc_goal  *goal;
    const void      *data;
    size_t           count;
    fmc_signal       shape;
    fmc_mask         mask;
    fmc_grid         grid;
    int              is_laid;  /* the grid is the encoder's, not the data's */
    uint32_t         thinning; /* odd: only multiples of so many steps are coded; 0: the goal leaves no grid worth coding */
    double           bytes;    /* estimate of the payload; only if thinning > 0; 0: none, too few samples */
    int32_t         *k;        /* scratch */
    void            *samples;  /* scratch */
} fmc_grid_work;

/**
 * Find whether a chunk's values lie on a grid, and on how coarse a one they may be put under the goal. w->thinning
 * stays 0 if there is nothing to code.
 * @param block, data, goal  borrowed by *w. *w is to be released also after a failure.
 */
fmc_status fmc_grid_prepare(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            fmc_grid_work *w);

/**
 * Put values on a uniform grid, as coarse as an absolute or mean-square goal seems to allow. w->thinning stays 0 where that is out of
 * the question. Arguments as for fmc_grid_prepare.
 * @param mask    found with FMC_MASK_OUTLIERS, or zeroed: found here; passes to *w.
 * @param own     grid that the values lie on already; NULL: none.
 */
fmc_status fmc_grid_lay(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal, fmc_mask *mask,
                        const fmc_grid *own, fmc_grid_work *w);

/** Nearest multiples of m, as multiples; m is odd. */
void fmc_grid_thin(int32_t *k, size_t n, uint32_t m);

/** Steps of a grid laid become that part of what they are. @return 0 if no integers are left for the samples. */
int fmc_grid_lay_finer(fmc_grid_work *w, double part);

/**
 * Code what fmc_grid_prepare found (w->thinning > 0), thinned out less if the goal asks for it. *out owns its parts, also
 * on error.
 */
fmc_status fmc_grid_finish(const fmc_exec *ex, fmc_grid_work *w, uint32_t effort, fmc_candidate *out);

void fmc_grid_work_fini(const fmc_exec *ex, fmc_grid_work *w);

/** Decode what follows the mask section of a grid payload. */
fmc_status fmc_grid_payload_decode(const fmc_exec *ex, const fmc_block *block, const uint8_t *mask, fmc_in *in,
                                   void *data);

#endif
