/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/encoding.h"

#include <math.h>

#include "codec/coder.h"
#include "core/status.h"

void fmc_encoding_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                       const fmc_effort *effort, fmc_encoding *e)
{
    *e = (fmc_encoding){ .ex = ex, .block = block, .data = data, .goal = goal, .effort = effort,
                         .transform_bytes = HUGE_VAL, .interp_bytes = HUGE_VAL, .grid_bytes = HUGE_VAL };
}

void fmc_encoding_fini(fmc_encoding *e)
{
    fmc_candidate_fini(e->ex, &e->best);
    fmc_quantised_fini(e->ex, &e->transform);
    fmc_grid_work_fini(e->ex, &e->grid);
    fmc_lossy_fini(e->ex, &e->lossy);
}

int fmc_encoding_keep(fmc_encoding *e, fmc_candidate *c)
{
    fmc_candidate *best = &e->best;

    if (c->coder != FMC_CODER_AUTO && (best->coder == FMC_CODER_AUTO || c->payload.size < best->payload.size)) {
        fmc_candidate_fini(e->ex, best);
        *best = *c;
        *c = (fmc_candidate){ 0 };
        e->best_step = 0;
        return 1;
    }
    fmc_candidate_fini(e->ex, c);
    return 0;
}

int fmc_encoding_may_use(const fmc_encoding *e, uint32_t coder)
{
    return e->effort->coder == FMC_CODER_AUTO || e->effort->coder == coder;
}

fmc_status fmc_encoding_finish(fmc_encoding *e, fmc_quantised *z)
{
    const double step = z->is_trellis ? 0 : z->quant.step;
    fmc_candidate c;
    const fmc_status st = fmc_lossy_finish(e->ex, &e->lossy, z, &c);

    if (st == FMC_OK && fmc_encoding_keep(e, &c)) {
        e->best_step = step;
        e->best_choice = e->choice;
    }
    if (st != FMC_OK)
        fmc_candidate_fini(e->ex, &c);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_transform(fmc_encoding *e, size_t choice)
{
    fmc_quantised z;
    fmc_status st = fmc_transform_quantise(e->ex, &e->lossy, choice, HUGE_VAL, &z);

    e->choice = choice;
    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

static fmc_status code_trellis(fmc_encoding *e, size_t choice, double step)
{
    fmc_quantised z;
    const fmc_status st = fmc_transform_trellis(e->ex, &e->lossy, choice, step, &z);

    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_trellis(fmc_encoding *e)
{
    /* Under a pointwise bound nothing but size tells how many corrections are best. */
    static const double parts[] = { 1, 0.92, 1.06 };
    const size_t n = e->goal->kind == FMC_BOUND_ABS ? sizeof parts / sizeof *parts : 1;
    const double step = e->best_step;
    const size_t choice = e->best_choice;
    fmc_status st = FMC_OK;

    for (size_t i = 0; i < n && step > 0; i++)
        FMC_TRY(code_trellis(e, choice, parts[i] * step));
done:
    e->best_step = 0;
    return st;
}

fmc_status fmc_encoding_interp(fmc_encoding *e)
{
    fmc_quantised z;
    fmc_status st = fmc_predict_quantise(e->ex, &e->lossy, &z);

    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_pca(fmc_encoding *e)
{
    fmc_quantised z;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, &e->lossy));
    e->lossy.base = e->base;
    st = fmc_pca_quantise(e->ex, &e->lossy, &z);
    if (st == FMC_OK)
        st = fmc_encoding_finish(e, &z);
    else
        fmc_quantised_fini(e->ex, &z);
done:
    fmc_lossy_fini(e->ex, &e->lossy);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_grid(fmc_encoding *e)
{
    fmc_candidate c;
    const fmc_status st = fmc_grid_finish(e->ex, &e->grid, e->effort->effort, &c);

    if (st == FMC_OK)
        fmc_encoding_keep(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return fmc_unless_unsupported(st);
}
