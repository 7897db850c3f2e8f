/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type: which predictor, encoder only. */

/* Fit the plan's weights to x: from about `most` targets, more or fewer per coset as there are fewer or more. */
static fmc_status NAME(fit)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                            double bound, size_t most)
{
    plan->base = fmc_interp_count(plan->dim) > 0 ? (double)x[0] : 0;
    if (plan->predictor == FMC_PREDICT_PYRAMID)
        return NAME(fit_pyramid)(ex, plan, x, masked, bound, most >> plan->n_order);
    if (plan->predictor == FMC_PREDICT_CAUSAL)
        return NAME(fit_causal)(ex, plan, x, masked, bound, most >> 1);
    return FMC_OK;
}

/* Blocks on which candidates are tried. */
typedef struct {
    fmc_trial_layout layout;
    double           bound;
    size_t           most;
    REAL            *x;
    uint8_t         *masked; /* NULL: none is */
    REAL            *coded;  /* x with NaN where it is masked */
    int32_t         *q;
    REAL            *recon;
} NAME(trial);

static void NAME(trial_fini)(const fmc_exec *ex, NAME(trial) *t)
{
    fmc_dealloc(ex->alloc, t->recon);
    fmc_dealloc(ex->alloc, t->q);
    fmc_dealloc(ex->alloc, t->coded);
    fmc_dealloc(ex->alloc, t->masked);
    fmc_dealloc(ex->alloc, t->x);
}

/* Copy `n` blocks of extents dim from the whole, spread over it, one after the other. */
static void NAME(cut_blocks)(const size_t *whole, const size_t *dim, uint32_t n, size_t sample, const void *x,
                             void *block)
{
    uint8_t *to = block;

    const size_t rows = fmc_interp_count(dim) / dim[X];

    for (uint32_t b = 0; b < n; b++) {
        size_t at[RANK] = { 0 };

        for (size_t row = 0; row < rows; row++, to += dim[X] * sample) {
            size_t from = 0;

            for (unsigned a = 0; a < RANK; a++)
                from = from * whole[a] + at[a] + fmc_block_origin(whole[a] - dim[a], a, b, n);
            memcpy(to, (const uint8_t *)x + from * sample, dim[X] * sample);
            fmc_next_row(dim, at);
        }
    }
}

static fmc_status NAME(trial_init)(const fmc_exec *ex, const size_t *whole, const REAL *x, const uint8_t *masked,
                                   double bound, const fmc_stage *stage, NAME(trial) *t)
{
    size_t count;
    fmc_status st;

    memset(t, 0, sizeof *t);
    t->bound = bound;
    t->most = stage->targets;
    fmc_trial_plan(whole, stage->samples, &t->layout);
    count = fmc_interp_count(t->layout.dim) * t->layout.n;
    FMC_TRY(FMC_ALLOC(ex->alloc, count, &t->x));
    NAME(cut_blocks)(whole, t->layout.dim, t->layout.n, sizeof *x, x, t->x);
    if (masked) {
        FMC_TRY(FMC_ALLOC(ex->alloc, count, &t->masked));
        FMC_TRY(FMC_ALLOC(ex->alloc, count, &t->coded));
        NAME(cut_blocks)(whole, t->layout.dim, t->layout.n, 1, masked, t->masked);
        for (size_t i = 0; i < count; i++)
            t->coded[i] = t->masked[i] ? (REAL)NAN : t->x[i];
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, count, &t->q));
    FMC_TRY(FMC_ALLOC(ex->alloc, count, &t->recon));
done:
    return st;
}

/* Set whole->bits to what the whole would cost; `plan` is scratch. */
static fmc_status NAME(try_plan)(const fmc_exec *ex, const NAME(trial) *t, fmc_interp_plan *whole,
                                 fmc_interp_plan *plan)
{
    fmc_status st;

    *plan = *whole;
    fmc_trial_stack(&t->layout, plan);
    FMC_TRY(NAME(fit)(ex, plan, t->x, t->masked, t->bound, t->most));
    FMC_TRY(NAME(fmc_interp_encode)(ex, plan, t->masked ? t->coded : t->x, 2 * t->bound, t->q, t->recon));
    FMC_TRY(fmc_interp_cost(ex, plan, whole, t->q, &whole->bits));
done:
    return st;
}

/* Keep the candidates that cost least on the stage's blocks. */
static fmc_status NAME(run_stage)(const fmc_exec *ex, const REAL *x, const uint8_t *masked, double bound,
                                  const fmc_stage *stage, fmc_candidates *list)
{
    NAME(trial) t;
    fmc_status st;

    FMC_TRY(NAME(trial_init)(ex, list->plan[0].dim, x, masked, bound, stage, &t));
    for (uint32_t i = 0; i < list->n; i++)
        FMC_TRY(NAME(try_plan)(ex, &t, &list->plan[i], &list->trial));
    fmc_candidates_keep(stage->keep, HUGE_VAL, list);
done:
    NAME(trial_fini)(ex, &t);
    return st;
}

fmc_status NAME(fmc_interp_fit)(const fmc_exec *ex, const REAL *x, const uint8_t *masked, double bound,
                                uint32_t effort, fmc_interp_plan *plan)
{
    fmc_status st = FMC_OK;

    if (!plan->is_fitted)
        FMC_TRY(NAME(fit)(ex, plan, x, masked, bound, fmc_final_targets(effort)));
    plan->is_fitted = 1;
done:
    return st;
}

fmc_status NAME(fmc_interp_choose)(const fmc_exec *ex, uint32_t rank, const size_t *dim, const REAL *x,
                                   const uint8_t *masked, double bound, uint32_t unlike, uint32_t effort,
                                   fmc_interp_plan *plan)
{
    const fmc_stage *stage = fmc_stages_of(effort);
    fmc_candidates *list = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &list));
    fmc_candidates_make(rank, dim, unlike, effort, list);
    for (; stage->samples > 0; stage++) {
        FMC_TRY(NAME(run_stage)(ex, x, masked, bound, stage, list));
        if (fmc_interp_count(list->plan[0].dim) <= stage->samples)
            break; /* the next would see nothing new */
    }
    *plan = list->plan[0];
    FMC_TRY(NAME(fmc_interp_fit)(ex, x, masked, bound, effort, plan));
done:
    fmc_dealloc(ex->alloc, list);
    return st;
}
