/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_LOSSY_H
#define FMC_CODEC_LOSSY_H

#include "array/logmap.h"
#include "array/mask.h"
#include "array/norm.h"
#include "codec/coder.h"

/**
 * A chunk on its way through the lossy coders: samples, mask, and the signal made from them. fmc_lossy_fini releases.
 */
typedef struct fmc_lossy {
    const fmc_block  *block;
    const void       *data;      /* samples, borrowed */
    size_t            count;
    fmc_goal          goal;
    const fmc_effort *effort;
    fmc_mask          mask;
    fmc_norm          norm;
    double            centre;    /* relative bound: see fmc_log_bound */
    int               is_log;
    double            max_abs;   /* of the coded samples */
    fmc_signal        signal;
    fmc_target        target;    /* the goal in the signal's units */
    void             *x;         /* the signal */
    void             *recon;     /* scratch: what a coder decodes to, in the working type */
} fmc_lossy;

/** One coder's payload, and the samples that its decoder gives. */
typedef struct fmc_candidate {
    uint32_t coder; /* enum fmc_coder; FMC_CODER_AUTO: none yet */
    fmc_out  payload;
    void    *samples;
} fmc_candidate;

/** Mask, normalise, fill. FMC_ERR_UNSUPPORTED: nothing for a lossy coder to do here (constant, empty, too fine). */
fmc_status fmc_lossy_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                          const fmc_effort *effort, fmc_lossy *l);
void       fmc_lossy_fini(const fmc_exec *ex, fmc_lossy *l);

/**
 * Run one coder and everything that makes its result keep the goal. *out owns payload and samples afterwards, also on
 * error. FMC_ERR_UNSUPPORTED: this coder cannot reach the goal.
 */
fmc_status fmc_lossy_try(const fmc_exec *ex, fmc_lossy *l, uint32_t coder, fmc_candidate *out);

void fmc_candidate_fini(const fmc_exec *ex, fmc_candidate *c);

/** The signal that both sides derive from a block: extents of 1 are dropped. axis kinds are zero. */
void fmc_signal_of_block(const fmc_block *block, uint32_t work, fmc_signal *s);

#endif
