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
            p.is_long[a] = 0;
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

/* The axes that are done together with one of those left: W axes all at once. */
static uint32_t NAME(done_together)(const NAME(fmc_tx_trial) *t, uint32_t axis)
{
    const uint32_t w = t->axes & fmc_tx_axes_with(&t->plan, 1), own = 1u << axis;

    return w & own ? w : own;
}

/* Does u also begin with what t does along `axes`? */
static int NAME(is_shared)(const NAME(fmc_tx_trial) *t, const NAME(fmc_tx_trial) *u, uint32_t axes)
{
    const fmc_tx_plan *p = &t->plan, *q = &u->plan;

    for (uint32_t a = 0; a < p->rank; a++)
        if (axes >> a & 1 && (!(u->axes >> a & 1) || p->kind[a] != q->kind[a] || p->levels[a] != q->levels[a] ||
                              p->is_long[a] != q->is_long[a] || NAME(done_together)(u, a) != axes))
            return 0;
    return 1;
}

static uint32_t NAME(count_shared)(const NAME(fmc_tx_trial) *t, NAME(fmc_tx_trial) *const *list, uint32_t n, uint32_t axes)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < n; i++)
        found += (uint32_t)NAME(is_shared)(t, list[i], axes);
    return found;
}

/* Trials [first, first + n) of a list, and the axes along which they all do the same first; 0: one with nothing to share. */
typedef struct NAME(trial_group) {
    uint32_t first, n, axes;
} NAME(trial_group);

/* What saves most, begun with one of the first n_begun of a list; n is 1 where there is nothing. */
static NAME(trial_group) NAME(best_group)(NAME(fmc_tx_trial) *const *list, uint32_t n, uint32_t n_begun, uint32_t *begun)
{
    NAME(trial_group) best = { 0, 1, 0 };
    uint32_t most = 0;

    *begun = 0;
    for (uint32_t i = 0; i < n_begun; i++)
        for (uint32_t a = 0; a < list[i]->plan.rank; a++) {
            const uint32_t axes = list[i]->axes >> a & 1 ? NAME(done_together)(list[i], a) : 0;
            const uint32_t shared = axes ? NAME(count_shared)(list[i], list, n, axes) : 1;
            uint32_t saved = 0;

            for (uint32_t left = axes; left; left &= left - 1)
                saved += shared - 1;
            if (saved > most) {
                most = saved;
                best = (NAME(trial_group)){ 0, shared, axes };
                *begun = i;
            }
        }
    return best;
}

/* Cut a list into groups, which it is ordered by; the first trial stays the first. @return how many */
static uint32_t NAME(cut_groups)(NAME(fmc_tx_trial) **list, uint32_t n, NAME(trial_group) *group)
{
    uint32_t n_groups = 0;

    for (uint32_t first = 0; first < n; n_groups++) {
        uint32_t begun, at = first;
        NAME(trial_group) g = NAME(best_group)(list + first, n - first, first ? n - first : 1, &begun);
        const NAME(fmc_tx_trial) *t = list[first + begun];

        for (uint32_t i = first; g.axes && i < n; i++)
            if (NAME(is_shared)(t, list[i], g.axes)) {
                NAME(fmc_tx_trial) *moved = list[i];

                memmove(&list[at + 1], &list[at], (i - at) * sizeof moved);
                list[at++] = moved;
            }
        g.first = first;
        first += g.n;
        group[n_groups] = g;
    }
    return n_groups;
}

typedef struct NAME(list_job) {
    const fmc_tx_search *s, *alone; /* with threads and without: groups beyond the first are tasks */
    NAME(fmc_tx_sample) *b;
    NAME(fmc_tx_trial) **list;
    NAME(trial_group)    group[FMC_TX_TRIED];
    const REAL          *data;
} NAME(list_job);

static fmc_status NAME(judge_groups)(const fmc_tx_search *s, const fmc_tx_search *alone, NAME(fmc_tx_sample) *b,
                                     NAME(fmc_tx_trial) **list, uint32_t n, const REAL *data);

/* What a group has in common is done once. */
static fmc_status NAME(judge_group)(const NAME(list_job) *j, const fmc_tx_search *s, const NAME(trial_group) *g)
{
    NAME(fmc_tx_trial) **list = j->list + g->first;
    REAL *work = NULL;
    fmc_status st = FMC_OK;

    if (!g->axes)
        return NAME(fmc_tx_judge_from)(s, j->b, &list[0]->plan, j->data, list[0]->axes, list[0]->c);
    FMC_TRY(FMC_ALLOC(s->ex->alloc, j->b->count, &work));
    memcpy(work, j->data, j->b->count * sizeof *work);
    FMC_TRY(NAME(fmc_tx_apply)(s, &list[0]->plan, g->axes, j->b->n_boxes, work));
    for (uint32_t k = 0; k < g->n; k++)
        list[k]->axes &= ~g->axes;
    FMC_TRY(NAME(judge_groups)(s, j->alone, j->b, list, g->n, work));
done:
    fmc_dealloc(s->ex->alloc, work);
    return st;
}

static fmc_status NAME(judge_later_group)(void *user, uint32_t i)
{
    const NAME(list_job) *j = user;

    return NAME(judge_group)(j, j->alone, &j->group[1 + i]);
}

/* The first group, which begins with the first trial and finds the step for all, then the others. */
static fmc_status NAME(judge_groups)(const fmc_tx_search *s, const fmc_tx_search *alone, NAME(fmc_tx_sample) *b,
                                     NAME(fmc_tx_trial) **list, uint32_t n, const REAL *data)
{
    NAME(list_job) j = { .s = s, .alone = alone, .b = b, .list = list, .data = data };
    const uint32_t n_groups = NAME(cut_groups)(list, n, j.group);
    fmc_status st = FMC_OK;

    if (n_groups == 0)
        return FMC_OK;
    FMC_TRY(NAME(judge_group)(&j, s, &j.group[0]));
    FMC_TRY(fmc_parallel_for(s->ex, n_groups - 1, NAME(judge_later_group), &j));
done:
    return st;
}

fmc_status NAME(fmc_tx_judge_list)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, NAME(fmc_tx_trial) *trial, uint32_t n)
{
    fmc_exec one = *s->ex;
    fmc_tx_search alone = *s;
    NAME(fmc_tx_trial) *list[FMC_TX_TRIED];

    one.n_threads = 1;
    one.parallel_for = NULL;
    alone.ex = &one;
    for (uint32_t i = 0; i < n; i++)
        list[i] = &trial[i];
    return NAME(judge_groups)(s, &alone, b, list, n, b->raw);
}
