/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_ENCODING_H
#define FMC_CODEC_ENCODING_H

#include "codec/codec.h"
#include "codec/grid_payload.h"
#include "codec/lossy.h"

/** One chunk on its way through the coders. Estimated bytes are infinite for coders that are out of the question. */
typedef struct fmc_encoding {
    const fmc_exec   *ex;
    const fmc_block  *block;
    const void       *data;
    const fmc_goal   *goal;
    const fmc_effort *effort;
    const fmc_base   *base;      /* what the lossy coders need not code, borrowed; NULL: none */
    fmc_lossy         lossy;
    fmc_grid_work     grid;
    fmc_quantised     transform; /* of the menu's first plan, if it is there */
    double            transform_bytes, interp_bytes, grid_bytes;
    int               is_measured; /* prediction, on all samples */
    fmc_candidate     best;
    size_t            choice;    /* the plan of the menu that was coded last */
    double            best_step; /* of the plain quantiser, where a transform's payload is the best and no trellis was tried; else 0 */
    size_t            best_choice;
} fmc_encoding;

/** Nothing estimated, nothing coded. All pointers are borrowed. */
void fmc_encoding_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                       const fmc_effort *effort, fmc_encoding *e);
void fmc_encoding_fini(fmc_encoding *e);

/** Whether the caller allows a coder. */
int fmc_encoding_may_use(const fmc_encoding *e, uint32_t coder);

/** Let a payload compete with the best so far; takes *c. @return 1 if it is the best now. */
int fmc_encoding_keep(fmc_encoding *e, fmc_candidate *c);

/** A coder that cannot reach the goal is no failure of the call. */
static inline fmc_status fmc_unless_unsupported(fmc_status st)
{
    return st == FMC_ERR_UNSUPPORTED ? FMC_OK : st;
}

/* One coder each: code the chunk, let the payload compete. FMC_OK also where the coder cannot reach the goal. */

/** From e->lossy, with plan `choice` of its menu. */
fmc_status fmc_encoding_transform(fmc_encoding *e, size_t choice);
/** Where such a payload from the present menu is the best so far: the same by a trellis, once. */
fmc_status fmc_encoding_trellis(fmc_encoding *e);
/** From e->lossy. */
fmc_status fmc_encoding_interp(fmc_encoding *e);
/** Makes and releases e->lossy. */
fmc_status fmc_encoding_pca(fmc_encoding *e);
/** From e->grid. */
fmc_status fmc_encoding_grid(fmc_encoding *e);
/** A grid of our own, where it promises less than what was coded: remakes e->grid. The mask as fmc_grid_lay's. */
fmc_status fmc_encoding_lay(fmc_encoding *e, fmc_mask *mask);
/** What is already quantised; uses *z up. */
fmc_status fmc_encoding_finish(fmc_encoding *e, fmc_quantised *z);

/** Everything but models and exact samples (choose_coder.c). */
fmc_status fmc_encoding_classical(fmc_encoding *e);
/** The coders of a signal alone, over what e->base leaves. */
fmc_status fmc_encoding_lossy(fmc_encoding *e);

/** Whether the effort's model is to predict the chunk, with e->best from the other coders (learned_levels.c). */
int fmc_encoding_deserves_model(const fmc_encoding *e);
/** Prediction by that model, and what it leaves. */
fmc_status fmc_encoding_learned(fmc_encoding *e);

/** Lossless coding where the best payload is not much smaller than the data, and where it is larger anyway. */
fmc_status fmc_encoding_exact(fmc_encoding *e);

#endif
