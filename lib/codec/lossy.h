/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_LOSSY_H
#define FMC_CODEC_LOSSY_H

#include "array/logmap.h"
#include "array/mask.h"
#include "array/norm.h"
#include "codec/base.h"
#include "codec/signal.h"
#include "coef/quantise.h"
#include "core/bytes_out.h"
#include "transform/select.h"

/** A chunk on its way through the lossy coders: samples, mask, and the signal made from them. */
typedef struct fmc_lossy {
    const fmc_block  *block;
    const void       *data;      /* samples, borrowed */
    size_t            count;
    fmc_goal          goal;
    const fmc_effort *effort;
    fmc_mask          mask;
    const uint8_t    *masked;    /* mask.state in the coders' order of axes; NULL: nothing is masked */
    uint8_t          *moved;     /* where that is another order, owned */
    fmc_norm          norm;
    double            centre;    /* relative bound: see fmc_log_bound */
    int               is_log;
    double            max_abs;   /* of the coded samples */
    fmc_signal        plain;     /* the signal in the chunk's order of axes */
    fmc_axis_order    order;
    fmc_signal        signal;    /* in the coders' */
    const fmc_base   *base;      /* prediction that the coders' signal is without, borrowed; NULL: none */
    fmc_target        target;    /* the goal in the signal's units */
    void             *filling;   /* masked samples of the plain signal as they were filled, one after another, owned; NULL: not yet */
    void             *x;         /* the signal, owned; NULL where a coder has used it up: fmc_lossy_make_signal */
    fmc_tx_menu       menu;      /* transforms, once they are chosen (menu.n > 0) */
    fmc_quantiser     settled;   /* for the first of them, from a quantised one that was given up; step 0: none */
    fmc_interp_plan  *predict_plan; /* of the interpolation coder, owned; NULL: not yet chosen */
    double            predict_step; /* a first guess for it; 0: none */
} fmc_lossy;

/** What a lossy coder made of a signal: integers that are ready to be coded, and what they decode to. */
typedef struct fmc_quantised {
    uint32_t  coder;    /* FMC_CODER_TRANSFORM, _INTERP or _PCA */
    fmc_out   head;     /* of the coder's body: everything before the coefficients */
    fmc_band *band;
    size_t    n_bands;
    int32_t  *q;        /* band-major */
    uint32_t  tier;     /* of the coefficient coder */
    uint32_t  other_tier; /* one that may be smaller, or the same */
    int       is_trellis; /* q is of a trellis (coef/trellis.h) */
    fmc_quantiser quant; /* transform coder: what q was made with */
    double    bytes;    /* transform coder: what it will take, by a first estimate; within a fifth above a bit a sample */
    double    closer_bytes; /* by a closer one, which knows q and recon: fmc_lossy_estimate; 0: not yet made */
    void     *recon;    /* the signal that the decoder will have, working type, coders' order */
    void     *samples;  /* what that gives, chunk's type and order (codec/samples.h); NULL: not made yet */
    int       is_measured; /* samples keep a mean-square goal */
    uint32_t  hash;        /* of samples, where nothing changes them any more */
} fmc_quantised;

/** One coder's payload. */
typedef struct fmc_candidate {
    uint32_t coder; /* enum fmc_coder; FMC_CODER_AUTO: none yet */
    fmc_out  payload;
} fmc_candidate;

/** Mask and normalisation. FMC_ERR_UNSUPPORTED: nothing for a lossy coder to do here (constant, empty, too fine). */
fmc_status fmc_lossy_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                          const fmc_effort *effort, fmc_lossy *l);
void       fmc_lossy_fini(const fmc_exec *ex, fmc_lossy *l);

/** Make sure that l->x is there. */
fmc_status fmc_lossy_make_signal(const fmc_exec *ex, fmc_lossy *l);

/** The same with NaN for masked samples: what prediction codes. l->x is for that alone then. */
fmc_status fmc_lossy_make_blank(const fmc_exec *ex, fmc_lossy *l);

/**
 * Everything from a quantised signal to a payload that keeps the goal: coefficients coded, what breaks the goal
 * corrected or stored exactly. Uses *z up.
 * @return FMC_ERR_UNSUPPORTED: this coder cannot reach the goal.
 */
fmc_status fmc_lossy_finish(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z, fmc_candidate *out);

/**
 * Estimated bytes of what fmc_lossy_finish would make: z->closer_bytes, unless it is there.
 * @param corrections  gets the share of them that corrects samples of a transform under a pointwise bound; may be NULL.
 */
fmc_status fmc_lossy_estimate(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z, double *corrections);

void fmc_quantised_fini(const fmc_exec *ex, fmc_quantised *z);
void fmc_candidate_fini(const fmc_exec *ex, fmc_candidate *c);

/** The signal that both sides derive from a block: extents of 1 are dropped. axis kinds are zero. */
void fmc_signal_of_block(const fmc_block *block, uint32_t work, fmc_signal *s);

#endif
