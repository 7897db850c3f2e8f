/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk through every coder that may do, the smallest payload wins (docs/format.md 5). */
#include <string.h>

#include "array/mask.h"
#include "codec/codec.h"
#include "codec/grid_payload.h"
#include "codec/lossy.h"
#include "codec/payload.h"
#include "core/status.h"
#include "exact/exact.h"

static void keep_smaller(const fmc_exec *ex, fmc_candidate *best, fmc_candidate *c)
{
    if (c->coder != FMC_CODER_AUTO && (best->coder == FMC_CODER_AUTO || c->payload.size < best->payload.size)) {
        fmc_candidate_fini(ex, best);
        *best = *c;
    } else {
        fmc_candidate_fini(ex, c);
    }
}

static int may_use(const fmc_effort *effort, uint32_t coder)
{
    return effort->coder == FMC_CODER_AUTO || effort->coder == coder;
}

static fmc_status try_lossy(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            const fmc_effort *effort, fmc_candidate *best)
{
    static const uint32_t order[] = { FMC_CODER_TRANSFORM, FMC_CODER_INTERP };
    fmc_lossy l;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(ex, block, data, goal, effort, &l));
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        fmc_candidate c;

        if (!may_use(effort, order[i]))
            continue;
        st = fmc_lossy_try(ex, &l, order[i], &c);
        keep_smaller(ex, best, &c);
        if (st != FMC_OK && st != FMC_ERR_UNSUPPORTED)
            goto done;
    }
    st = FMC_OK;
done:
    fmc_lossy_fini(ex, &l);
    return st == FMC_ERR_UNSUPPORTED ? FMC_OK : st;
}

static fmc_status try_exact(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_effort *effort,
                            fmc_candidate *best)
{
    fmc_candidate c = { .payload = fmc_out_make(ex->alloc) };
    fmc_status st;

    fmc_out_u8(&c.payload, FMC_CODER_EXACT);
    fmc_out_u32(&c.payload, fmc_block_hash(block, data));
    FMC_TRY(fmc_exact_encode(ex, block->dtype, block->rank, block->dim, data, effort->effort, &c.payload));
    FMC_TRY(c.payload.st);
    c.coder = FMC_CODER_EXACT;
done:
    if (st == FMC_OK)
        keep_smaller(ex, best, &c);
    else
        fmc_candidate_fini(ex, &c);
    return st;
}

/* Lossless coding competes where the lossy payload is not much smaller than the data, and where it is larger anyway. */
static int exact_may_win(const fmc_block *block, const fmc_effort *effort, const fmc_candidate *best)
{
    const size_t raw = fmc_block_count(block) * (block->dtype == FMC_F64 ? 8 : 4);

    return best->coder == FMC_CODER_AUTO || best->payload.size > raw ||
           (may_use(effort, FMC_CODER_EXACT) && best->payload.size > raw / 3);
}

fmc_status fmc_chunk_encode(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            const fmc_effort *effort, fmc_out *out)
{
    fmc_candidate best = { .coder = FMC_CODER_AUTO }, c;
    fmc_status st = FMC_OK;

    if (goal->kind != FMC_BOUND_LOSSLESS)
        FMC_TRY(try_lossy(ex, block, data, goal, effort, &best));
    if (may_use(effort, FMC_CODER_GRID)) {
        st = fmc_grid_try(ex, block, data, goal, effort, &c);
        keep_smaller(ex, &best, &c);
        FMC_TRY(st);
    }
    if (exact_may_win(block, effort, &best))
        FMC_TRY(try_exact(ex, block, data, effort, &best));
    fmc_out_bytes(out, best.payload.data, best.payload.size);
    st = out->st;
done:
    fmc_candidate_fini(ex, &best);
    return st;
}
