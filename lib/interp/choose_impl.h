/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type: which predictor, encoder only. */

/* Fit the plan's weights to x. */
static fmc_status NAME(fit)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, double bound, size_t most)
{
    plan->base = fmc_interp_count(plan->dim) > 0 ? (double)x[0] : 0;
    if (plan->predictor == FMC_PREDICT_PYRAMID)
        return NAME(fit_pyramid)(ex, plan, x, bound, most);
    if (plan->predictor == FMC_PREDICT_CAUSAL)
        return NAME(fit_causal)(ex, plan, x, bound, most);
    return FMC_OK;
}

typedef struct {
    const REAL *x;
    double      bound;
    size_t      most;
    int32_t    *q;
    REAL       *recon;
} NAME(trial);

/* Bits of coding the block with a candidate; the candidate gets its weights. */
static fmc_status NAME(try_plan)(const fmc_exec *ex, const NAME(trial) *t, fmc_interp_plan *plan, double *bits)
{
    fmc_status st;

    *bits = 0;
    FMC_TRY(NAME(fit)(ex, plan, t->x, t->bound, t->most));
    FMC_TRY(NAME(fmc_interp_encode)(ex, plan, t->x, 2 * t->bound, t->q, t->recon));
    FMC_TRY(fmc_interp_cost(ex, plan, t->q, bits));
    *bits += 8.0 * (double)fmc_interp_plan_bytes(ex, plan);
done:
    return st;
}

/* Copy `n` blocks of extents dim from the whole, spread over it, one after the other. */
static void NAME(cut_blocks)(const size_t *whole, const size_t *dim, uint32_t n, const REAL *x, REAL *block)
{
    const size_t rows = fmc_interp_count(dim) / dim[X];

    for (uint32_t b = 0; b < n; b++) {
        size_t at[RANK] = { 0 };

        for (size_t row = 0; row < rows; row++, block += dim[X]) {
            size_t from = 0;

            for (unsigned a = 0; a < RANK; a++)
                from = from * whole[a] + at[a] + fmc_block_origin(whole[a] - dim[a], a, b, n);
            memcpy(block, x + from, dim[X] * sizeof *x);
            fmc_next_row(dim, at);
        }
    }
}

fmc_status NAME(fmc_interp_choose)(const fmc_exec *ex, uint32_t rank, const size_t *dim, const REAL *x, double bound,
                                   uint32_t unlike, uint32_t effort, fmc_interp_plan *plan)
{
    const size_t most = effort <= 1 ? 4000 : effort < 9 ? 16000 : 40000;
    fmc_trial_layout layout;
    NAME(trial) t = { .bound = bound, .most = most };
    fmc_candidates *list = NULL;
    REAL *block = NULL;
    double best = 0;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &list));
    fmc_candidates_make(rank, dim, unlike, effort, list);
    fmc_trial_plan(list->plan[0].dim, effort, &layout);
    if (list->n > 1) {
        const size_t count = fmc_interp_count(layout.dim) * layout.n;

        FMC_TRY(FMC_ALLOC(ex->alloc, count, &block));
        NAME(cut_blocks)(list->plan[0].dim, layout.dim, layout.n, x, block);
        t.x = block;
        FMC_TRY(FMC_ALLOC(ex->alloc, count, &t.q));
        FMC_TRY(FMC_ALLOC(ex->alloc, count, &t.recon));
    }
    for (uint32_t i = 0; list->n > 1 && i < list->n; i++) {
        double bits;

        list->trial = list->plan[i];
        fmc_trial_stack(&layout, &list->trial);
        FMC_TRY(NAME(try_plan)(ex, &t, &list->trial, &bits));
        if (i == 0 || bits < best) {
            best = bits;
            list->best = i;
        }
    }
    *plan = list->plan[list->best];
    FMC_TRY(NAME(fit)(ex, plan, x, bound, most));
done:
    fmc_dealloc(ex->alloc, t.recon);
    fmc_dealloc(ex->alloc, t.q);
    fmc_dealloc(ex->alloc, block);
    fmc_dealloc(ex->alloc, list);
    return st;
}
