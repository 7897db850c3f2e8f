/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_H
#define FMC_CODEC_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** A chunk's samples, C-contiguous, host byte order, and what both sides know of them from the stream's header. */
typedef struct fmc_block {
    uint32_t dtype;               /* enum fmc_dtype */
    uint32_t rank;                /* 1..FMC_MAX_RANK */
    size_t   dim[FMC_MAX_RANK];   /* each >= 1 */
    uint32_t has_fill;
    double   fill_value;          /* exactly representable in dtype (NaN allowed: then has_fill is 0) */
} fmc_block;

/** What a chunk must meet. */
typedef struct fmc_goal {
    uint32_t kind;  /* FMC_BOUND_LOSSLESS; _ABS: |e| <= limit; _PW_REL: |e| <= limit * |x|; _NRMSE: rmse <= limit */
    double   limit; /* data units, except for _PW_REL */
} fmc_goal;

/** When the model's prediction is tried. */
enum fmc_learned_use {
    FMC_LEARNED_CHEAP = 0, /* where little else is to be expected and time does not count: a general model */
    FMC_LEARNED_TRY = 1,   /* beside the classical coders: the caller's own model */
    FMC_LEARNED_ALWAYS = 2 /* lossy coders code nothing but what it leaves */
};

/** How hard to try. */
typedef struct fmc_effort {
    uint32_t effort;              /* 1, 5, 7 (the default, and grids of our own by its predictive model) or 9 */
    uint32_t coder;               /* enum fmc_coder without FMC_CODER_VAE */
    uint32_t axis[FMC_MAX_RANK];  /* enum fmc_axis_kind */
    const fmc_model *model;       /* may predict the chunk; NULL: none */
    int      learned;             /* enum fmc_learned_use */
    const fmc_model *prior;       /* of architecture `prior`: may code coefficients from effort 5 on; NULL: none */
} fmc_effort;

/** What came out, for fmc_chunk_info. */
typedef struct fmc_chunk_facts {
    uint32_t coder;     /* enum fmc_coder */
    double   abs_bound; /* as fmc_chunk_info.abs_bound */
    char     detail[64];
    uint64_t model;     /* hash of the model that it needs; 0: none. If it needs two, the one that predicts */
    uint64_t prior;     /* hash of the prior that it needs; 0: none */
} fmc_chunk_facts;

/**
 * Encode one chunk so that the goal holds for the decoder's own output, which is computed and compared. Appends the
 * payload of a chunk record (docs/format.md 5) to *out; at most n * sizeof(sample) + 64 bytes.
 * @param data  samples, borrowed, const.
 */
fmc_status fmc_chunk_encode(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            const fmc_effort *effort, fmc_out *out);

/** Decode a payload into n samples. Untrusted bytes. @return also FMC_ERR_MODEL_MISSING: see fmc_chunk_facts.model. */
fmc_status fmc_chunk_decode(const fmc_exec *ex, const fmc_block *block, fmc_in payload, void *data);

/**
 * Decode at 1 / 2^scale_log2 along every axis longer than 1: out dims ceil(dim / 2^scale_log2). Exact subsampling where
 * the coder has no coarse version.
 */
fmc_status fmc_chunk_preview(const fmc_exec *ex, const fmc_block *block, fmc_in payload, uint32_t scale_log2, void *data);

/** What a payload is, without decoding it. Untrusted bytes. */
fmc_status fmc_chunk_describe(const fmc_exec *ex, const fmc_block *block, fmc_in payload, fmc_chunk_facts *facts);

#endif
