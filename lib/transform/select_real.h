/* SPDX-License-Identifier: Apache-2.0 */
/* The search for one real type; REAL and NAME(x) defined. */

/*
 * The best kind of one axis, the others as they are. All choices are judged with the same step, the one that the best
 * so far needs, and by bits and error together: how much of the error a box gets depends on the rest.
 */
static fmc_status NAME(search_axis)(fmc_tx_search *s, uint32_t axis, const REAL *x, NAME(fmc_tx_sample) *b)
{
    fmc_tx_choice others = s->best, tried[FMC_TX_KINDS];
    NAME(fmc_tx_trial) trial[FMC_TX_KINDS];
    uint32_t n_trials = 0;
    const uint8_t was = s->best.kind[axis];
    fmc_status st = FMC_OK;
    uint32_t w_axes;
    fmc_tx_plan p;

    others.kind[axis] = FMC_TX_NONE;
    p = fmc_tx_plan_of(s, &others, b->box, s->seen, s->klt);
    w_axes = fmc_tx_axes_with(&p, 1);
    memcpy(b->base, b->raw, b->count * sizeof *b->base);
    FMC_TRY(NAME(fmc_tx_apply)(s, &p, fmc_tx_axes_with(&p, 0), b->n_boxes, b->base));
    memcpy(b->rest, b->base, b->count * sizeof *b->rest);
    if (w_axes)
        FMC_TRY(NAME(fmc_tx_apply)(s, &p, w_axes, b->n_boxes, b->rest));
    for (uint8_t i = 0; i < FMC_TX_KINDS; i++)
        tried[i].bits = INFINITY;
    for (uint8_t i = 0; i <= FMC_TX_KINDS; i++) { /* the one that is there first: it sets the step */
        const uint8_t kind = i == 0 ? was : i - 1;
        fmc_tx_choice *c = &tried[kind];
        int is_w;

        if (i > 0 && kind == was)
            continue;
        *c = s->best;
        c->kind[axis] = kind;
        c->bits = INFINITY;
        if (kind != was && !fmc_tx_is_worth_trying(s, c, axis))
            continue;
        if (kind != was && kind == FMC_TX_DFT && b->box[axis] < s->seen[axis] && s->allowed[axis][FMC_TX_DCT])
            continue; /* would be a DCT again */
        FMC_TRY(NAME(fmc_tx_add_bases)(s, c, x));
        p = fmc_tx_plan_of(s, c, b->box, s->seen, s->klt);
        is_w = p.kind[axis] == FMC_TX_DYADIC;
        if (fmc_tx_is_valid(&p))
            trial[n_trials++] = (NAME(fmc_tx_trial)){
                c, p, is_w ? b->base : b->rest, is_w ? w_axes | 1u << axis : kind == FMC_TX_NONE ? 0 : 1u << axis
            };
    }
    FMC_TRY(NAME(fmc_tx_judge_all)(s, b, trial, n_trials));
    fmc_tx_settle(s, axis, tried);
done:
    return st;
}

/* Compare the best so far, on the same boxes, with what has transforms along at most one axis. */
static fmc_status NAME(judge_plain)(fmc_tx_search *s, NAME(fmc_tx_sample) *b)
{
    fmc_status st = FMC_OK;

    s->plain.bits = INFINITY;
    for (uint32_t a = 0; a <= s->rank; a++) {
        fmc_tx_choice c = { .long_axes = s->best.long_axes };
        fmc_tx_plan p;

        if (a < s->rank)
            c.kind[a] = s->best.kind[a] == FMC_TX_PACKET ? FMC_TX_DYADIC : s->best.kind[a];
        if (fmc_tx_is_same(s, &c, &s->best) || (a < s->rank && c.kind[a] == FMC_TX_NONE))
            continue;
        p = fmc_tx_plan_of(s, &c, b->box, s->seen, s->klt);
        FMC_TRY(NAME(fmc_tx_judge_from)(s, b, &p, b->raw, fmc_tx_axes_with(&p, 0) | fmc_tx_axes_with(&p, 1), &c));
        if (c.bits < s->plain.bits)
            s->plain = c;
    }
done:
    return st;
}

/* All axes one after another on small boxes, then what is plain. */
static fmc_status NAME(sweep)(fmc_tx_search *s, const REAL *x, size_t room)
{
    const size_t n_boxes = s->rank < FMC_MAX_RANK ? FMC_TX_BOXES : 1;
    NAME(fmc_tx_sample) b = { .n_boxes = 0 };
    fmc_status st = FMC_OK;
    REAL *all = NULL;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, 3 * room, &all));
    b.raw = all;
    b.base = all + room;
    b.rest = all + 2 * room;
    for (uint32_t axis = 0; axis < s->rank; axis++) {
        if (!s->allowed[axis][FMC_TX_DCT] && !s->allowed[axis][FMC_TX_DYADIC])
            continue;
        if (b.n_boxes != 1 || b.count < s->n_seen) {
            fmc_tx_sample_box(s, axis, room / n_boxes, b.box);
            FMC_TRY(NAME(fmc_tx_take_sample)(s, x, n_boxes, room, &b));
        }
        FMC_TRY(NAME(search_axis)(s, axis, x, &b));
    }
    s->plain.bits = INFINITY;
    if (b.n_boxes > 0)
        FMC_TRY(NAME(judge_plain)(s, &b));
    if (s->plain.bits < s->best.bits)
        s->best = s->plain;
done:
    fmc_dealloc(s->ex->alloc, all);
    return st;
}

/* The trial with the same plan for the sample: where that has a part of an axis, different choices make one. NULL: none. */
static const NAME(fmc_tx_trial) *NAME(find_twin)(const NAME(fmc_tx_trial) *trial, uint32_t n, const fmc_tx_plan *p)
{
    for (uint32_t i = 0; i < n; i++) {
        const fmc_tx_plan *q = &trial[i].plan;

        if (!memcmp(p->kind, q->kind, sizeof p->kind) && !memcmp(p->levels, q->levels, sizeof p->levels) &&
            !memcmp(p->is_long, q->is_long, sizeof p->is_long))
            return &trial[i];
    }
    return NULL;
}

/* Judge choices on a common sample: they come back in the order of their bits. */
static fmc_status NAME(judge_list)(fmc_tx_search *s, const REAL *x, size_t room, fmc_tx_choice *list, size_t *n_list)
{
    const size_t n = *n_list;
    NAME(fmc_tx_sample) b = { .n_boxes = 0 };
    fmc_tx_choice sorted[FMC_TX_TRIED];
    const NAME(fmc_tx_trial) *twin[FMC_TX_TRIED] = { NULL };
    NAME(fmc_tx_trial) *trial = NULL;
    uint32_t n_trials = 0;
    fmc_status st = FMC_OK;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, n, &trial));
    FMC_TRY(FMC_ALLOC(s->ex->alloc, room, &b.raw));
    fmc_tx_common_box(s, list, n, room, b.box);
    FMC_TRY(NAME(fmc_tx_take_sample)(s, x, 1, room, &b));
    for (size_t i = 0; i < n; i++) {
        fmc_tx_plan p;

        FMC_TRY(NAME(fmc_tx_add_bases)(s, &list[i], x));
        p = fmc_tx_plan_of(s, &list[i], b.box, s->seen, s->klt);
        list[i].bits = INFINITY;
        twin[i] = NAME(find_twin)(trial, n_trials, &p);
        if (fmc_tx_is_valid(&p) && !twin[i])
            trial[n_trials++] =
                (NAME(fmc_tx_trial)){ &list[i], p, b.raw, fmc_tx_axes_with(&p, 0) | fmc_tx_axes_with(&p, 1) };
    }
    FMC_TRY(NAME(fmc_tx_judge_list)(s, &b, trial, n_trials));
    *n_list = 0;
    for (size_t i = 0; i < n; i++) {
        if (twin[i])
            list[i].bits = twin[i]->c->bits;
        if (list[i].bits < INFINITY)
            *n_list = fmc_tx_insert_choice(s, sorted, *n_list, FMC_TX_TRIED, &list[i]);
    }
    memcpy(list, sorted, *n_list * sizeof *list);
done:
    fmc_dealloc(s->ex->alloc, b.raw);
    fmc_dealloc(s->ex->alloc, trial);
    return st;
}

/* Judge the best choices on a larger sample, and those that are still close on a larger one. */
static fmc_status NAME(verify)(fmc_tx_search *s, const REAL *x, size_t room)
{
    fmc_tx_choice list[FMC_TX_TRIED], left[2 * MAX_LEFT + 2];
    size_t n = fmc_tx_close_choices(s, list), n_close = 1, n_left;
    fmc_status st = FMC_OK;

    if (n < 2)
        return FMC_OK;
    FMC_TRY(NAME(judge_list)(s, x, room / 2, list, &n));
    while (n_close < n && n_close < MAX_LEFT && list[n_close].bits < STILL_CLOSE * list[0].bits)
        n_close++;
    memcpy(left, list, n_close * sizeof *left);
    n_left = fmc_tx_add_wavelets(s, left, n_close, list, n, STILL_NEAR);
    n_left = fmc_tx_add_filters(s, left, n_left, s->effort < 5 ? 1 : n_left);
    if (n_left > n_close || (n_close > 1 && s->n_seen > room / 2)) {
        FMC_TRY(NAME(judge_list)(s, x, room, left, &n_left));
        n = fmc_tx_put_before(s, list, n, left, n_left);
    }
    if (n > 0)
        s->best = list[0];
    for (size_t i = 1; i < n && s->n_close < MAX_CLOSE && list[i].bits < STILL_NEAR * list[0].bits; i++)
        s->close[s->n_close++] = list[i];
    fmc_tx_keep_wavelets(s, list, n, STILL_NEAR);
done:
    return st;
}

/* Judge choices on all samples; the best few go to `top`. */
static fmc_status NAME(compare_whole)(fmc_tx_search *s, const REAL *x, const fmc_tx_choice *list, size_t n,
                                      fmc_tx_choice *top, size_t *n_top)
{
    NAME(fmc_tx_sample) b = { .n_boxes = 1, .count = s->count, .scale = 1, .step = s->step };
    fmc_status st = FMC_OK;

    memcpy(b.box, s->dim, sizeof b.box);
    for (size_t i = 0; i < n; i++) {
        fmc_tx_choice c = list[i];
        fmc_tx_plan p;

        FMC_TRY(NAME(fmc_tx_add_bases)(s, &c, x));
        p = fmc_tx_plan_of(s, &c, s->dim, s->dim, s->klt);
        if (!fmc_tx_is_valid(&p))
            continue;
        FMC_TRY(NAME(fmc_tx_judge_from)(s, &b, &p, x, fmc_tx_axes_with(&p, 0) | fmc_tx_axes_with(&p, 1), &c));
        s->step = b.step;
        *n_top = fmc_tx_insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &c);
    }
done:
    return st;
}

/* From the long menu, with both filters, the best, then every change of one axis of it, and one more halving of a P axis. */
static fmc_status NAME(compare_menu)(fmc_tx_search *s, const REAL *x, fmc_tx_choice *top, size_t *n_top)
{
    fmc_tx_choice list[FMC_TX_TRIED];
    size_t n = fmc_tx_long_menu(s, list);
    fmc_status st = FMC_OK;

    n = fmc_tx_add_filters(s, list, n, n);
    FMC_TRY(NAME(compare_whole)(s, x, list, n, top, n_top));
    n = fmc_tx_changes_of(s, &top[0], list);
    FMC_TRY(NAME(compare_whole)(s, x, list, n, top, n_top));
    list[0] = top[0];
    list[0].extra_level = 1;
    if (fmc_tx_count_kind(s, &top[0], FMC_TX_PACKET))
        FMC_TRY(NAME(compare_whole)(s, x, list, 1, top, n_top));
done:
    return st;
}

static fmc_status NAME(choose)(fmc_tx_search *s, const REAL *x, fmc_tx_choice *top, size_t *n_top)
{
    fmc_status st = FMC_OK;

    if (s->effort < 9)
        NAME(fmc_tx_find_shifts)(s, x);
    NAME(fmc_tx_find_places)(s, x);
    FMC_TRY(NAME(sweep)(s, x, first_room(s)));
    FMC_TRY(NAME(verify)(s, x, s->rank < 3 ? 2 * LAST_ROOM : LAST_ROOM));
    fmc_tx_find_second(s);
    if (s->effort >= 9) {
        FMC_TRY(NAME(compare_menu)(s, x, top, n_top));
    } else {
        FMC_TRY(NAME(fmc_tx_add_bases)(s, &s->best, x));
        *n_top = fmc_tx_insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &s->best);
        for (size_t i = 0; i < s->n_close; i++) {
            FMC_TRY(NAME(fmc_tx_add_bases)(s, &s->close[i], x));
            *n_top = fmc_tx_insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &s->close[i]);
        }
    }
done:
    return st;
}

fmc_status NAME(fmc_tx_choose)(const fmc_exec *ex, uint32_t rank, const size_t *dim, const REAL *x, double rmse_target,
                               const uint32_t *axis_kind, uint32_t effort, fmc_tx_menu *menu)
{
    fmc_tx_search s = { .ex = ex, .rank = rank, .count = 1, .effort = effort, .rmse = rmse_target };
    fmc_tx_choice top[FMC_TX_MENU_MAX];
    size_t n_top = 0;
    fmc_status st = FMC_OK;

    memset(menu, 0, sizeof *menu);
    for (uint32_t a = 0; a < rank; a++)
        s.count *= s.dim[a] = dim[a];
    fmc_tx_set_seen(&s, 0);
    for (uint32_t a = 0; a < rank; a++) {
        const int is_periodic =
            axis_kind[a] == FMC_AXIS_PERIODIC || (axis_kind[a] == FMC_AXIS_AUTO && NAME(fmc_tx_is_periodic)(&s, a, x));

        fmc_tx_find_allowed(&s, a, axis_kind[a], is_periodic);
        s.best.kind[a] = s.allowed[a][FMC_TX_DYADIC] ? FMC_TX_DYADIC : FMC_TX_NONE;
    }
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, rank, &s.klt));
    FMC_TRY(NAME(choose)(&s, x, top, &n_top));
    fmc_tx_fill_menu(&s, top, n_top, menu);
done:
    for (uint32_t a = 0; a < rank; a++)
        fmc_dealloc(ex->alloc, s.rotation[a]);
    fmc_dealloc(ex->alloc, s.klt);
    return st;
}
