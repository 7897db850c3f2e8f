/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk through the coders (docs/format.md 5): the classical ones that promise most by estimate, a model above some of
 * them, the lossless one. The smallest payload wins.
 */
#include "codec/codec.h"
#include "codec/encoding.h"
#include "core/status.h"

static fmc_status encode(fmc_encoding *e)
{
    fmc_status st = FMC_OK;

    if (e->effort->learned != FMC_LEARNED_ALWAYS || e->goal->kind == FMC_BOUND_LOSSLESS)
        FMC_TRY(fmc_encoding_classical(e));
    if (fmc_encoding_deserves_model(e))
        FMC_TRY(fmc_encoding_learned(e));
    FMC_TRY(fmc_encoding_exact(e));
done:
    return st;
}

fmc_status fmc_chunk_encode(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            const fmc_effort *effort, fmc_out *out)
{
    fmc_encoding *e = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &e));
    fmc_encoding_init(ex, block, data, goal, effort, e);
    FMC_TRY(encode(e));
    fmc_out_bytes(out, e->best.payload.data, e->best.payload.size);
    st = out->st;
done:
    if (e) {
        fmc_encoding_fini(e);
        fmc_dealloc(ex->alloc, e);
    }
    return st;
}
