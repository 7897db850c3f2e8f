/* SPDX-License-Identifier: Apache-2.0 */
/* Judging choices for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

/* Sum in eight parts. */
static double NAME(sum_of)(const REAL *x, size_t n)
{
    double p[8] = { 0 };
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            p[k] += (double)x[i + k];
    for (; i < n; i++)
        p[0] += (double)x[i];
    return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

/* Add to n sums of 2^shift neighbours each. */
static void NAME(add_row)(const REAL *restrict x, size_t n, size_t shift, REAL *restrict sum)
{
    if (shift == 0)
        for (size_t i = 0; i < n; i++)
            sum[i] += x[i];
    else
        for (size_t i = 0; i < n; i++) {
            REAL v = 0;

            for (size_t k = 0; k < (size_t)1 << shift; k++)
                v += x[(i << shift) + k];
            sum[i] += v;
        }
}

/* One row of a box of means: the sum over all rows of the block that begins at x. @param rows  of a block. */
static void NAME(crop_row)(const search *s, const fmc_lines *rows, const REAL *x, size_t n, REAL *to)
{
    const size_t shift = s->shift[s->rank - 1];

    if (rows->count == 1 && shift == 0) {
        memcpy(to, x, n * sizeof *to);
        return;
    }
    memset(to, 0, n * sizeof *to);
    for (size_t r = 0; r < rows->count; r++) {
        size_t off;

        fmc_lines_offsets(rows, r, 1, &off);
        NAME(add_row)(x + off, n, shift, to);
    }
}

/* Copy a box of x as it is judged that begins at `at`, less the mean of the copy. */
static void NAME(crop)(const search *s, const REAL *x, const size_t *at, const size_t *box, REAL *to)
{
    const uint32_t last = s->rank - 1;
    const fmc_lines rows = fmc_lines_make(s->rank, s->seen, box, last);
    double sum = 0, gain = 1;
    size_t n = 0, block[FMC_MAX_RANK];
    fmc_lines within;
    REAL mean;

    for (uint32_t a = 0; a < s->rank; a++) {
        block[a] = (size_t)1 << s->shift[a];
        gain *= sqrt(1 / (double)block[a]);
    }
    within = fmc_lines_make(s->rank, s->dim, block, last);
    for (size_t r = 0; r < rows.count; r++, n += rows.n) {
        size_t base = 0, left = r, index[FMC_MAX_RANK] = { 0 };

        for (uint32_t a = last; a-- > 0; left /= box[a])
            index[a] = left % box[a];
        for (uint32_t a = 0; a < s->rank; a++)
            base = base * s->dim[a] + ((at[a] + index[a]) << s->shift[a]);
        NAME(crop_row)(s, &within, x + base, rows.n, to + n);
        sum += NAME(sum_of)(to + n, rows.n);
    }
    mean = (REAL)(sum / (double)n);
    for (size_t i = 0; i < n; i++)
        to[i] = (to[i] - mean) * (REAL)gain;
}

/* Mean square distance of samples from the means of blocks of 2^shift along an axis, over some pieces of lines. */
static double NAME(detail)(const search *s, const REAL *x, uint32_t axis, size_t shift)
{
    const fmc_lines lines = fmc_lines_make(s->rank, s->dim, s->dim, axis);
    const size_t block = (size_t)1 << shift, n_blocks = lines.n >> shift;
    double sum = 0;

    for (size_t i = 0; i < N_DETAILS; i++) {
        const size_t line = (size_t)(((uint64_t)i * 2654435761u) % lines.count), k = i * 7919 % n_blocks;
        double mean = 0, square = 0;
        const REAL *v;
        size_t off;

        fmc_lines_offsets(&lines, line, 1, &off);
        v = x + off + k * block * lines.stride;
        for (size_t j = 0; j < block; j++)
            mean += (double)v[j * lines.stride] / (double)block;
        for (size_t j = 0; j < block; j++) {
            const double d = (double)v[j * lines.stride] - mean;

            square += d * d;
        }
        sum += square / (double)block;
    }
    return sum / N_DETAILS;
}

/* Judge long axes by means of neighbours, as long as what that loses is far below the error aimed at. */
static void NAME(find_shifts)(search *s, const REAL *x)
{
    double lost = 0;

    for (uint32_t a = 0; a < s->rank; a++) {
        double here = 0;

        for (size_t shift = 1; shift <= MAX_SHIFT && s->dim[a] >> shift >= MIN_SEEN; shift++) {
            const double d = NAME(detail)(s, x, a, shift) / (s->rmse * s->rmse);

            if (!(d < most_lost && lost + d < most_lost_all))
                break;
            s->allowed[a][FMC_TX_KLT] = 0; /* neighbours are alike: D does as well */
            s->shift[a] = shift;
            here = d;
        }
        lost += here;
    }
    set_seen(s, lost);
}

/* Neighbours across the ends resemble each other as much as others: second differences, over some lines. */
static int NAME(is_periodic)(const search *s, uint32_t axis, const REAL *x)
{
    const fmc_lines lines = fmc_lines_make(s->rank, s->dim, s->dim, axis);
    const size_t n = lines.n, wanted = lines.count < 256 ? lines.count : 256;
    double across = 0, inside = 0;

    if (n < 16)
        return 0;
    for (size_t l = 0; l < wanted; l++) {
        size_t off;
        const REAL *v;

        fmc_lines_offsets(&lines, lines.count * l / wanted, 1, &off);
        v = x + off;
        across += fabs((double)v[0] - 2 * (double)v[(n - 1) * lines.stride] + (double)v[(n - 2) * lines.stride]);
        for (size_t i = 1; i <= 8; i++) {
            const REAL *w = v + (1 + (n - 3) * i / 9 + (n > 32 ? l % 3 : 0)) * lines.stride;

            inside += fabs((double)w[lines.stride] - 2 * (double)w[0] + (double)*(w - lines.stride)) / 8;
        }
    }
    return across < 1.5 * inside;
}

/* Boxes of the array as one array, and what choices have in common. */
typedef struct NAME(sample) {
    size_t box[FMC_MAX_RANK];
    size_t n_boxes, count;                    /* samples of all boxes */
    double scale;                             /* samples of the array as it is judged for one of the boxes' */
    double step;                              /* of the quantiser that all choices are judged with */
    REAL  *raw, *base, *rest;                 /* samples; transformed along other axes than W; along all others */
} NAME(sample);

/* Basis of an axis from all of the samples, and what it takes. */
static fmc_status NAME(make_basis)(search *s, uint32_t axis, const REAL *x)
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
static fmc_status NAME(add_bases)(search *s, const choice *c, const REAL *x)
{
    fmc_status st = FMC_OK;

    for (uint32_t a = 0; a < s->rank && st == FMC_OK; a++)
        if (c->kind[a] == FMC_TX_KLT && s->klt[a].n == 0)
            st = NAME(make_basis)(s, a, x);
    return st;
}

/* Transform boxes along some axes, a mask of them. */
static fmc_status NAME(apply)(const search *s, const fmc_tx_plan *plan, uint32_t axes, size_t n_boxes, REAL *data)
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
static fmc_status NAME(judge)(const search *s, NAME(sample) *b, const fmc_tx_plan *plan, const REAL *data, choice *c)
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
    FMC_TRY(NAME(fmc_tx_cost)(s->ex, &all, data, b->step, &cost));
    c->bits = (cost.bits + bits_per_error * cost.error) * b->scale;
    for (uint32_t a = 0; a < s->rank; a++)
        if (plan->kind[a] == FMC_TX_KLT)
            c->bits += s->side_bits[a];
done:
    return st;
}

static fmc_status NAME(judge_from)(const search *s, NAME(sample) *b, const fmc_tx_plan *plan, const REAL *from,
                                   uint32_t axes, choice *c)
{
    fmc_status st = FMC_OK;
    const REAL *data = from;
    REAL *work = NULL;

    if (axes) {
        FMC_TRY(FMC_ALLOC(s->ex->alloc, b->count, &work));
        memcpy(work, from, b->count * sizeof *from);
        FMC_TRY(NAME(apply)(s, plan, axes, b->n_boxes, work));
        data = work;
    }
    FMC_TRY(NAME(judge)(s, b, plan, data, c));
done:
    fmc_dealloc(s->ex->alloc, work);
    return st;
}

/* One choice to be judged: its plan for the boxes, what it begins with, and the axes still to be transformed. */
typedef struct NAME(trial) {
    choice     *c;
    fmc_tx_plan plan;
    const REAL *from;
    uint32_t    axes;
} NAME(trial);

typedef struct NAME(trial_job) {
    const search *s; /* without threads within */
    NAME(sample) *b;
    NAME(trial)  *trial;
} NAME(trial_job);

static fmc_status NAME(trial_task)(void *user, uint32_t i)
{
    const NAME(trial_job) *j = user;
    NAME(trial) *t = &j->trial[i];

    return NAME(judge_from)(j->s, j->b, &t->plan, t->from, t->axes, t->c);
}

/* Judge n choices, the first one alone if it is to find the step for all. */
static fmc_status NAME(judge_all)(const search *s, NAME(sample) *b, NAME(trial) *trial, uint32_t n)
{
    fmc_exec one = *s->ex;
    search own = *s;
    NAME(trial_job) j = { &own, b, trial };
    fmc_status st = FMC_OK;

    if (n > 0 && !(b->step > 0)) {
        FMC_TRY(NAME(judge_from)(s, b, &trial->plan, trial->from, trial->axes, trial->c));
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

/* Compare the best so far, on the same boxes, with what has transforms along at most one axis. */
static fmc_status NAME(judge_plain)(search *s, NAME(sample) *b)
{
    fmc_status st = FMC_OK;

    s->plain.bits = INFINITY;
    for (uint32_t a = 0; a <= s->rank; a++) {
        choice c = { .kind = { 0 } };
        fmc_tx_plan p;

        if (a < s->rank)
            c.kind[a] = s->best.kind[a] == FMC_TX_PACKET ? FMC_TX_DYADIC : s->best.kind[a];
        if (is_same(s, &c, &s->best) || (a < s->rank && c.kind[a] == FMC_TX_NONE))
            continue;
        p = plan_of(s, &c, b->box, s->seen, s->klt);
        FMC_TRY(NAME(judge_from)(s, b, &p, b->raw, axes_with(&p, 0) | axes_with(&p, 1), &c));
        if (c.bits < s->plain.bits)
            s->plain = c;
    }
done:
    return st;
}

/* How much happens in a box: squared differences along some of its rows, and to the next ones of the array. */
static double NAME(activity)(const search *s, const REAL *x, const size_t *at, const size_t *box)
{
    const fmc_lines rows = fmc_lines_make(s->rank, s->dim, box, s->rank - 1);
    const size_t n = rows.n, across = s->rank > 1 ? s->dim[s->rank - 1] : 0;
    const fmc_kernels *k = fmc_kernels_get(s->ex);
    size_t base = 0;
    double sum = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        base = base * s->dim[a] + at[a];
    for (size_t r = 0; r < rows.count; r++) {
        size_t off;
        const REAL *v;

        fmc_lines_offsets(&rows, r, 1, &off);
        v = x + base + off;
        sum += KERNEL(k, error_sum)(v + 1, v, n - 1);
        if (base + off + across + n <= s->count)
            sum += KERNEL(k, error_sum)(v + across, v, n);
    }
    return sum;
}

/* Places all over the array, the ones where most happens first. */
static void NAME(find_places)(search *s, const REAL *x)
{
    double happens[N_PLACES];
    size_t box[FMC_MAX_RANK];

    for (uint32_t a = 0; a < s->rank; a++) {
        const size_t wanted = a + 1 == s->rank ? 32 : a + 3 >= s->rank ? 4 : 1;

        box[a] = s->dim[a] < wanted ? s->dim[a] : wanted;
    }
    for (size_t i = 0; i < N_PLACES; i++) {
        size_t at[FMC_MAX_RANK], k = i;
        double here;

        for (uint32_t a = 0; a < s->rank; a++)
            at[a] = (s->dim[a] - box[a]) * ((2 * i + 1) * place_step[a] % (2 * N_PLACES)) / (2 * N_PLACES - 1);
        here = NAME(activity)(s, x, at, box);
        for (; k > 0 && happens[k - 1] < here; k--) {
            happens[k] = happens[k - 1];
            memcpy(s->place[k], s->place[k - 1], sizeof at);
        }
        happens[k] = here;
        for (uint32_t a = 0; a < s->rank; a++)
            s->place[k][a] = at[a] + box[a] / 2;
    }
}

/* Where n boxes begin that have places at equal distances in the order of activity in their middle. */
static void NAME(place_boxes)(const search *s, const size_t *box, size_t n, size_t at[N_BOXES][FMC_MAX_RANK])
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t a = 0; a < s->rank; a++) {
            const size_t middle = s->place[i * N_PLACES / n][a] >> s->shift[a];
            const size_t half = box[a] / 2, last = s->seen[a] - box[a];

            at[i][a] = middle < half ? 0 : middle - half > last ? last : middle - half;
        }
}

/* Fill a sample with boxes of b->box, or with the whole array if `room` samples are enough for that. */
static void NAME(take_sample)(const search *s, const REAL *x, size_t n_boxes, size_t room, NAME(sample) *b)
{
    size_t at[N_BOXES][FMC_MAX_RANK] = { { 0 } }, each = 1;

    b->n_boxes = n_boxes;
    if (s->n_seen <= room) {
        memcpy(b->box, s->seen, sizeof b->box);
        b->n_boxes = 1;
    } else {
        NAME(place_boxes)(s, b->box, n_boxes, at);
    }
    for (uint32_t a = 0; a < s->rank; a++)
        each *= b->box[a];
    for (size_t i = 0; i < b->n_boxes; i++)
        NAME(crop)(s, x, at[i], b->box, b->raw + i * each);
    b->count = each * b->n_boxes;
    b->scale = (double)s->n_seen / (double)b->count;
    b->step = 0;
}

/*
 * The best kind of one axis, the others as they are. All choices are judged with the same step, the one that the best
 * so far needs, and by bits and error together: how much of the error a box gets depends on the rest.
 */
static fmc_status NAME(search_axis)(search *s, uint32_t axis, const REAL *x, NAME(sample) *b)
{
    choice others = s->best, tried[N_KINDS];
    NAME(trial) trial[N_KINDS];
    uint32_t n_trials = 0;
    const uint8_t was = s->best.kind[axis];
    fmc_status st = FMC_OK;
    uint32_t w_axes;
    fmc_tx_plan p;

    others.kind[axis] = FMC_TX_NONE;
    p = plan_of(s, &others, b->box, s->seen, s->klt);
    w_axes = axes_with(&p, 1);
    memcpy(b->base, b->raw, b->count * sizeof *b->base);
    FMC_TRY(NAME(apply)(s, &p, axes_with(&p, 0), b->n_boxes, b->base));
    memcpy(b->rest, b->base, b->count * sizeof *b->rest);
    if (w_axes)
        FMC_TRY(NAME(apply)(s, &p, w_axes, b->n_boxes, b->rest));
    for (uint8_t i = 0; i < N_KINDS; i++)
        tried[i].bits = INFINITY;
    for (uint8_t i = 0; i <= N_KINDS; i++) { /* the one that is there first: it sets the step */
        const uint8_t kind = i == 0 ? was : i - 1;
        choice *c = &tried[kind];
        int is_w;

        if (i > 0 && kind == was)
            continue;
        *c = s->best;
        c->kind[axis] = kind;
        c->bits = INFINITY;
        if (kind != was && !is_worth_trying(s, c, axis))
            continue;
        if (kind != was && kind == FMC_TX_DFT && b->box[axis] < s->seen[axis] && s->allowed[axis][FMC_TX_DCT])
            continue; /* would be a DCT again */
        FMC_TRY(NAME(add_bases)(s, c, x));
        p = plan_of(s, c, b->box, s->seen, s->klt);
        is_w = p.kind[axis] == FMC_TX_DYADIC;
        if (fmc_tx_is_valid(&p))
            trial[n_trials++] = (NAME(trial)){ c, p, is_w ? b->base : b->rest,
                                               is_w ? w_axes | 1u << axis : kind == FMC_TX_NONE ? 0 : 1u << axis };
    }
    FMC_TRY(NAME(judge_all)(s, b, trial, n_trials));
    settle(s, axis, tried);
done:
    return st;
}

/* All axes one after another on small boxes, then what is plain. */
static fmc_status NAME(sweep)(search *s, const REAL *x, size_t room)
{
    const size_t n_boxes = s->rank < FMC_MAX_RANK ? N_BOXES : 1;
    NAME(sample) b = { .n_boxes = 0 };
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
            sample_box(s, axis, room / n_boxes, b.box);
            NAME(take_sample)(s, x, n_boxes, room, &b);
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

/* Judge choices on a common sample: they come back in the order of their bits. */
static fmc_status NAME(judge_list)(search *s, const REAL *x, size_t room, choice *list, size_t *n_list)
{
    const size_t n = *n_list;
    NAME(sample) b = { .n_boxes = 0 };
    choice sorted[MAX_MENU_TRIED];
    NAME(trial) *trial = NULL;
    uint32_t n_trials = 0;
    fmc_status st = FMC_OK;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, n, &trial));
    FMC_TRY(FMC_ALLOC(s->ex->alloc, room, &b.raw));
    common_box(s, list, n, room, b.box);
    NAME(take_sample)(s, x, 1, room, &b);
    for (size_t i = 0; i < n; i++) {
        fmc_tx_plan p;

        FMC_TRY(NAME(add_bases)(s, &list[i], x));
        p = plan_of(s, &list[i], b.box, s->seen, s->klt);
        if (fmc_tx_is_valid(&p))
            trial[n_trials++] = (NAME(trial)){ &list[i], p, b.raw, axes_with(&p, 0) | axes_with(&p, 1) };
    }
    FMC_TRY(NAME(judge_all)(s, &b, trial, n_trials));
    *n_list = 0;
    for (uint32_t i = 0; i < n_trials; i++)
        *n_list = insert_choice(s, sorted, *n_list, MAX_MENU_TRIED, trial[i].c);
    memcpy(list, sorted, *n_list * sizeof *list);
done:
    fmc_dealloc(s->ex->alloc, b.raw);
    fmc_dealloc(s->ex->alloc, trial);
    return st;
}

/* Judge the best choices on a larger sample, and those that are still close on a larger one. */
static fmc_status NAME(verify)(search *s, const REAL *x, size_t room)
{
    choice list[MAX_MENU_TRIED];
    size_t n = close_choices(s, list), n_close = 1;
    fmc_status st = FMC_OK;

    if (n < 2)
        return FMC_OK;
    FMC_TRY(NAME(judge_list)(s, x, room / s->limits->last_parts, list, &n));
    while (n_close < n && n_close < MAX_LEFT && list[n_close].bits < STILL_CLOSE * list[0].bits)
        n_close++;
    if (n_close > 1 && s->n_seen > room / s->limits->last_parts)
        FMC_TRY(NAME(judge_list)(s, x, room, list, &n_close));
    if (n > 0)
        s->best = list[0];
done:
    return st;
}

/* Judge choices on all samples; the best few go to `top`. */
static fmc_status NAME(compare_whole)(search *s, const REAL *x, const choice *list, size_t n, choice *top,
                                      size_t *n_top)
{
    NAME(sample) b = { .n_boxes = 1, .count = s->count, .scale = 1, .step = s->step };
    fmc_status st = FMC_OK;

    memcpy(b.box, s->dim, sizeof b.box);
    for (size_t i = 0; i < n; i++) {
        choice c = list[i];
        fmc_tx_plan p;

        FMC_TRY(NAME(add_bases)(s, &c, x));
        p = plan_of(s, &c, s->dim, s->dim, s->klt);
        if (!fmc_tx_is_valid(&p))
            continue;
        FMC_TRY(NAME(judge_from)(s, &b, &p, x, axes_with(&p, 0) | axes_with(&p, 1), &c));
        s->step = b.step;
        *n_top = insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &c);
    }
done:
    return st;
}

/* From the long menu the best, then every change of one axis of it, and one more halving of a P axis. */
static fmc_status NAME(compare_menu)(search *s, const REAL *x, choice *top, size_t *n_top)
{
    choice list[MAX_MENU_TRIED];
    size_t n = long_menu(s, list);
    fmc_status st = FMC_OK;

    FMC_TRY(NAME(compare_whole)(s, x, list, n, top, n_top));
    n = changes_of(s, &top[0], list);
    FMC_TRY(NAME(compare_whole)(s, x, list, n, top, n_top));
    list[0] = top[0];
    list[0].extra_level = 1;
    if (count_kind(s, &top[0], FMC_TX_PACKET))
        FMC_TRY(NAME(compare_whole)(s, x, list, 1, top, n_top));
done:
    return st;
}

static fmc_status NAME(choose)(search *s, const REAL *x, choice *top, size_t *n_top)
{
    fmc_status st = FMC_OK;

    if (s->effort < 9)
        NAME(find_shifts)(s, x);
    NAME(find_places)(s, x);
    FMC_TRY(NAME(sweep)(s, x, first_room(s)));
    FMC_TRY(NAME(verify)(s, x, s->rank == 3 ? s->limits->last : 2 * s->limits->last));
    find_second(s);
    if (s->effort >= 9) {
        FMC_TRY(NAME(compare_menu)(s, x, top, n_top));
    } else {
        FMC_TRY(NAME(add_bases)(s, &s->best, x));
        *n_top = insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &s->best);
    }
done:
    return st;
}

fmc_status NAME(fmc_tx_choose)(const fmc_exec *ex, uint32_t rank, const size_t *dim, const REAL *x, double rmse_target,
                               const uint32_t *axis_kind, uint32_t effort, fmc_tx_menu *menu)
{
    search s = { .ex = ex, .rank = rank, .count = 1, .effort = effort, .rmse = rmse_target };
    choice top[FMC_TX_MENU_MAX];
    size_t n_top = 0;
    fmc_status st = FMC_OK;

    memset(menu, 0, sizeof *menu);
    for (uint32_t a = 0; a < rank; a++)
        s.count *= s.dim[a] = dim[a];
    set_seen(&s, 0);
    s.limits = effort >= 5 ? &usual : &quick;
    for (uint32_t a = 0; a < rank; a++) {
        const int is_periodic = axis_kind[a] == FMC_AXIS_PERIODIC ||
                                (axis_kind[a] == FMC_AXIS_AUTO && NAME(is_periodic)(&s, a, x));

        find_allowed(&s, a, axis_kind[a], is_periodic);
        s.best.kind[a] = s.allowed[a][FMC_TX_DYADIC] ? FMC_TX_DYADIC : FMC_TX_NONE;
    }
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, rank, &s.klt));
    FMC_TRY(NAME(choose)(&s, x, top, &n_top));
    fill_menu(&s, top, n_top, menu);
done:
    for (uint32_t a = 0; a < rank; a++)
        fmc_dealloc(ex->alloc, s.rotation[a]);
    fmc_dealloc(ex->alloc, s.klt);
    return st;
}
