/* SPDX-License-Identifier: Apache-2.0 */
/* Judging choices for one real type; REAL and NAME(x) defined. */

/* Basis of an axis from all of the samples, and what it takes. */
static fmc_status NAME(make_basis)(fmc_tx_search *s, uint32_t axis, const REAL *x)
{
    const fmc_lines lines = fmc_lines_make(s->rank, s->dim, s->dim, axis);
    fmc_out out = fmc_out_make(s->ex->alloc);
    REAL *rotation = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, lines.n * lines.n, &rotation));
    s->rotation[axis] = rotation;
    FMC_TRY(NAME(fmc_klt_make)(s->ex, &lines, x, s->rmse, &s->klt[axis], rotation));
    fmc_tx_klt_write(&s->klt[axis], &out);
    FMC_TRY(out.st);
    s->side_bits[axis] = 8 * (double)out.size;
done:
    fmc_out_fini(&out);
    return st;
}

/* Bases of the K axes of a choice. */
fmc_status NAME(fmc_tx_add_bases)(fmc_tx_search *s, const fmc_tx_choice *c, const REAL *x)
{
    fmc_status st = FMC_OK;

    for (uint32_t a = 0; a < s->rank && st == FMC_OK; a++)
        if (c->kind[a] == FMC_TX_KLT && s->klt[a].n == 0)
            st = NAME(make_basis)(s, a, x);
    return st;
}

/* Transform boxes along some axes, a mask of them. */
fmc_status NAME(fmc_tx_apply)(const fmc_tx_search *s, const fmc_tx_plan *plan, uint32_t axes, size_t n_boxes,
                              REAL *data)
{
    fmc_tx_plan p = *plan, all;
    fmc_status st = FMC_OK;
    uint32_t klt_axes = 0;

    for (uint32_t a = 0; a < p.rank; a++) {
        if (!(axes >> a & 1) || p.kind[a] == FMC_TX_KLT) {
            klt_axes |= (axes >> a & 1) << a;
            p.kind[a] = FMC_TX_NONE;
            p.levels[a] = 0;
        }
    }
    all = stack_boxes(&p, n_boxes);
    FMC_TRY(NAME(fmc_tx_forward)(s->ex, &all, data));
    for (uint32_t a = 0; a < p.rank; a++) {
        const fmc_lines lines = fmc_lines_make(all.rank, all.dim, all.dim, a + all.rank - p.rank);

        if (klt_axes >> a & 1)
            FMC_TRY(NAME(fmc_klt_rotate)(s->ex, &lines, s->rotation[a], data));
    }
done:
    return st;
}

/* Bits and error of transformed boxes for the whole array. A step of 0 is found first: the least that a box needs. */
static fmc_status NAME(judge)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, const fmc_tx_plan *plan,
                              const REAL *data, fmc_tx_choice *c)
{
    const fmc_tx_plan all = stack_boxes(plan, b->n_boxes);
    const size_t each = b->count / b->n_boxes;
    const int is_known = b->step > 0;
    fmc_status st = FMC_OK;
    fmc_tx_cost cost;

    for (size_t i = 0; i < b->n_boxes && !is_known; i++) {
        double step;

        FMC_TRY(NAME(fmc_tx_find_step)(s->ex, each, data + i * each, s->rmse_seen, &step));
        b->step = i == 0 || step < b->step ? step : b->step;
    }
    FMC_TRY(NAME(fmc_tx_cost)(s->ex, &all, data, b->step, 1, &cost));
    c->bits = (cost.bits + bits_per_error * cost.error) * b->scale;
    for (uint32_t a = 0; a < s->rank; a++)
        if (plan->kind[a] == FMC_TX_KLT)
            c->bits += s->side_bits[a];
done:
    return st;
}

fmc_status NAME(fmc_tx_judge_from)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, const fmc_tx_plan *plan,
                                   const REAL *from, uint32_t axes, fmc_tx_choice *c)
{
    fmc_status st = FMC_OK;
    const REAL *data = from;
    REAL *work = NULL;

    if (axes) {
        FMC_TRY(FMC_ALLOC(s->ex->alloc, b->count, &work));
        memcpy(work, from, b->count * sizeof *from);
        FMC_TRY(NAME(fmc_tx_apply)(s, plan, axes, b->n_boxes, work));
        data = work;
    }
    FMC_TRY(NAME(judge)(s, b, plan, data, c));
done:
    fmc_dealloc(s->ex->alloc, work);
    return st;
}

typedef struct NAME(trial_job) {
    const fmc_tx_search *s; /* without threads within */
    NAME(fmc_tx_sample) *b;
    NAME(fmc_tx_trial) *trial;
} NAME(trial_job);

static fmc_status NAME(trial_task)(void *user, uint32_t i)
{
    const NAME(trial_job) *j = user;
    NAME(fmc_tx_trial) *t = &j->trial[i];

    return NAME(fmc_tx_judge_from)(j->s, j->b, &t->plan, t->from, t->axes, t->c);
}

/* Judge n choices, the first one alone if it is to find the step for all. */
fmc_status NAME(fmc_tx_judge_all)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, NAME(fmc_tx_trial) *trial,
                                  uint32_t n)
{
    fmc_exec one = *s->ex;
    fmc_tx_search own = *s;
    NAME(trial_job) j = { &own, b, trial };
    fmc_status st = FMC_OK;

    if (n > 0 && !(b->step > 0)) {
        FMC_TRY(NAME(fmc_tx_judge_from)(s, b, &trial->plan, trial->from, trial->axes, trial->c));
        j.trial++;
        n--;
    }
    one.n_threads = 1;
    one.parallel_for = NULL;
    own.ex = &one;
    FMC_TRY(fmc_parallel_for(s->ex, n, NAME(trial_task), &j));
done:
    return st;
}
