/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk through a model: at which of its levels it predicts, and what that leaves (docs/format.md 5.7). */
#include "codec/encoding.h"
#include "codec/learned.h"
#include "codec/payload.h"
#include "core/status.h"

/* The lossy coders over what a base leaves. */
static fmc_status code_above(fmc_encoding *e, const fmc_base *base)
{
    fmc_encoding r;
    fmc_status st;

    fmc_encoding_init(e->ex, e->block, e->data, e->goal, e->effort, &r);
    r.base = base;
    st = fmc_encoding_lossy(&r);
    if (st == FMC_OK)
        fmc_encoding_keep(e, &r.best);
    fmc_encoding_fini(&r);
    return st;
}

/* A prediction by the model at the levels whose error is near the goal: from the first that comes below `near` goals on. */
static fmc_status code_levels(fmc_encoding *e, const fmc_lossy *l, const fmc_learned *w)
{
    const uint32_t levels = w->model->n.levels, most = e->effort->effort >= 9 ? 3 : 1;
    const double goal = l->target.limit * (l->target.kind == FMC_BOUND_NRMSE ? 1 : 0.5);
    const double near = e->effort->effort >= 9 ? 2.5 : 1.3;
    uint32_t n = 0;
    fmc_status st = FMC_OK;

    for (uint32_t level = 0; level < levels && n < most; level++) {
        fmc_base base;
        double rmse;

        st = fmc_learned_predict(e->ex, w, l, level, &base, &rmse);
        if (st == FMC_OK && (rmse <= near * goal || level + 1 == levels)) {
            st = code_above(e, &base);
            n++;
        }
        fmc_base_fini(e->ex, &base);
        FMC_TRY(st);
    }
done:
    return st;
}

/* Where the classical payload takes this many bits a sample, a general model has nothing to add (docs/model.md). */
static const double cheap_bits = 0.25;

int fmc_encoding_deserves_model(const fmc_encoding *e)
{
    const fmc_effort *effort = e->effort;

    if (!effort->model || e->goal->kind == FMC_BOUND_LOSSLESS)
        return 0;
    if (effort->learned == FMC_LEARNED_ALWAYS)
        return 1;
    if (effort->coder != FMC_CODER_AUTO || effort->effort < 5 || e->best.coder == FMC_CODER_AUTO)
        return 0;
    if (effort->learned == FMC_LEARNED_TRY)
        return 1;
    return effort->effort >= 9 && 8 * (double)e->best.payload.size < cheap_bits * (double)fmc_block_count(e->block);
}

/* Prediction by a model, and what it leaves. */
fmc_status fmc_encoding_learned(fmc_encoding *e)
{
    fmc_lossy *l = &e->lossy;
    fmc_learned w = { 0 };
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, l));
    FMC_TRY(fmc_lossy_make_signal(e->ex, l));
    FMC_TRY(fmc_learned_init(e->ex, l, e->effort->model, &w));
    st = code_levels(e, l, &w);
done:
    fmc_learned_fini(e->ex, &w);
    fmc_lossy_fini(e->ex, l);
    return fmc_unless_unsupported(st);
}
