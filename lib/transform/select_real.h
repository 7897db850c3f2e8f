/* SPDX-License-Identifier: Apache-2.0 */
/* Judging choices for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

/* Copy a box of x that begins at `at`, less the mean of the copy. */
static void NAME(crop)(const search *s, const REAL *x, const size_t *at, const size_t *box, REAL *to)
{
    const fmc_lines rows = fmc_lines_make(s->rank, s->dim, box, s->rank - 1);
    size_t base = 0, n = 0;
    double sum = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        base = base * s->dim[a] + at[a];
    for (size_t r = 0; r < rows.count; r++, n += rows.n) {
        size_t off;

        fmc_lines_offsets(&rows, r, 1, &off);
        memcpy(to + n, x + base + off, rows.n * sizeof *to);
        for (size_t i = 0; i < rows.n; i++)
            sum += (double)to[n + i];
    }
    sum /= (double)n;
    for (size_t i = 0; i < n; i++)
        to[i] = (REAL)((double)to[i] - sum);
}

static fmc_status NAME(add_side_bits)(const search *s, const fmc_tx_klt *klt, double *bits)
{
    fmc_out out = fmc_out_make(s->ex->alloc);
    fmc_status st;

    fmc_tx_klt_write(klt, &out);
    st = out.st;
    *bits += 8 * (double)out.size;
    fmc_out_fini(&out);
    return st;
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

/* Judge a choice on a box whose samples are in `src`; `work` is as large. step 0: at the error aimed at. */
static fmc_status NAME(judge)(search *s, const size_t *box, const REAL *src, REAL *work, fmc_tx_klt *klt, double step,
                              choice *c)
{
    const fmc_tx_plan plan = plan_of(s, c, box, klt);
    fmc_status st = FMC_OK;
    fmc_tx_size size;
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        count *= box[a];
    if (!fmc_tx_is_valid(&plan)) {
        c->bits = INFINITY;
        return FMC_OK;
    }
    memcpy(work, src, count * sizeof *work);
    FMC_TRY(NAME(fmc_tx_forward)(s->ex, &plan, work));
    FMC_TRY(NAME(fmc_tx_size)(s->ex, &plan, work, s->rmse, step, &size));
    c->step = size.step;
    c->size = size.bits * (double)s->count / (double)count + size.learn;
    if (step > 0)
        size.bits += bits_per_error * size.error;
    c->bits = size.bits * (double)s->count / (double)count + size.learn;
    for (uint32_t a = 0; a < s->rank; a++)
        if (plan.kind[a] == FMC_TX_KLT)
            FMC_TRY(NAME(add_side_bits)(s, plan.klt[a], &c->bits));
done:
    return st;
}

static fmc_status NAME(make_basis)(search *s, uint32_t axis, const size_t *box, const REAL *x, fmc_tx_klt *klt)
{
    fmc_tx_plan all = { .rank = s->rank };

    memcpy(all.dim, box, s->rank * sizeof *box);
    return NAME(fmc_tx_klt_make)(s->ex, &all, axis, x, s->rmse, &klt[axis]);
}

/* Bases of the K axes of a choice, from all of the samples. */
static fmc_status NAME(add_bases)(search *s, const choice *c, const REAL *x)
{
    fmc_status st = FMC_OK;

    for (uint32_t a = 0; a < s->rank && st == FMC_OK; a++)
        if (c->kind[a] == FMC_TX_KLT && s->klt[a].n == 0)
            st = NAME(make_basis)(s, a, s->dim, x, s->klt);
    return st;
}

/* Compare the best so far, on the same boxes, with what has transforms along at most one axis. */
static fmc_status NAME(judge_plain)(search *s, const size_t *box, REAL *const *crop, int n_boxes, REAL *work,
                                    double step)
{
    fmc_status st = FMC_OK;

    s->plain.bits = INFINITY;
    for (uint32_t a = 0; a <= s->rank; a++) {
        choice c = { .kind = { 0 } };
        double bits = 0;

        if (a < s->rank)
            c.kind[a] = s->best.kind[a] == FMC_TX_PACKET ? FMC_TX_DYADIC : s->best.kind[a];
        if (is_same(s, &c, &s->best) || (a < s->rank && c.kind[a] == FMC_TX_NONE))
            continue;
        for (int b = 0; b < n_boxes; b++) {
            FMC_TRY(NAME(judge)(s, box, crop[b], work, s->klt, step, &c));
            bits += c.bits / n_boxes;
        }
        c.bits = bits;
        if (bits < s->plain.bits)
            s->plain = c;
    }
done:
    return st;
}

/* How much happens in a box: differences along some of its rows. */
static double NAME(activity)(const search *s, const REAL *x, const size_t *at, const size_t *box)
{
    const fmc_lines rows = fmc_lines_make(s->rank, s->dim, box, s->rank - 1);
    const size_t across = s->rank > 1 ? s->dim[s->rank - 1] : 0; /* to the next row of the array, if there is one */
    const size_t every = rows.count * rows.n / 4096 + 1;
    size_t base = 0;
    double sum = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        base = base * s->dim[a] + at[a];
    for (size_t r = 0; r < rows.count; r += every) {
        size_t off;
        const REAL *v;

        fmc_lines_offsets(&rows, r, 1, &off);
        v = x + base + off;
        for (size_t i = 0; i + 1 < rows.n; i++)
            sum += fabs((double)v[i + 1] - (double)v[i]);
        for (size_t i = 0; i < rows.n && base + off + across + i < s->count; i++)
            sum += fabs((double)v[across + i] - (double)v[i]);
    }
    return sum;
}

/* Of some places, the one where most happens and one that is like the average. @return the number of boxes. */
static int NAME(place_boxes)(const search *s, const REAL *x, const size_t *box, size_t at[2][FMC_MAX_RANK])
{
    size_t place[N_PLACES][FMC_MAX_RANK] = { { 0 } };
    double happens[N_PLACES], mean = 0;
    size_t most = 0, usual = 0;

    for (size_t i = 0; i < N_PLACES; i++) {
        for (uint32_t a = 0; a < s->rank; a++)
            place[i][a] = (s->dim[a] - box[a]) * ((2 * i + 1) * place_step[a] % (2 * N_PLACES)) / (2 * N_PLACES - 1);
        happens[i] = NAME(activity)(s, x, place[i], box);
        mean += happens[i] / N_PLACES;
        most = happens[i] > happens[most] ? i : most;
    }
    for (size_t i = 1; i < N_PLACES; i++)
        usual = usual == most || (i != most && fabs(happens[i] - mean) < fabs(happens[usual] - mean)) ? i : usual;
    memcpy(at[0], place[most], sizeof place[most]);
    memcpy(at[1], place[usual], sizeof place[usual]);
    return memcmp(at[0], at[1], sizeof at[0]) ? 2 : 1;
}

/*
 * The best kind of one axis, the others as they are; the sample has two boxes of `budget` samples. All choices are
 * judged with the same step, and by bits and error together: how much of the error a box gets depends on the rest.
 */
static fmc_status NAME(search_axis)(search *s, uint32_t axis, int sweep, const REAL *x, size_t budget, REAL *work)
{
    size_t box[FMC_MAX_RANK], at[2][FMC_MAX_RANK], count = 1;
    REAL *crop[2] = { work, work };
    fmc_status st = FMC_OK;
    choice tried[N_KINDS];
    double step = 6 * s->rmse;
    int n_boxes = 1;

    sample_box(s, axis, budget, box);
    for (uint32_t a = 0; a < s->rank; a++)
        count *= box[a];
    n_boxes = NAME(place_boxes)(s, x, box, at);
    for (int b = 0; b < n_boxes; b++) {
        crop[b] = work + (size_t)b * count;
        NAME(crop)(s, x, at[b], box, crop[b]);
    }
    for (int b = 0; b < n_boxes; b++) {
        choice c = s->best;

        FMC_TRY(NAME(judge)(s, box, crop[b], work + 2 * count, s->klt, 0, &c));
        step = c.step < step ? c.step : step;
    }
    for (uint8_t kind = 0; kind < N_KINDS; kind++) {
        double bits = 0;

        tried[kind] = s->best;
        tried[kind].kind[axis] = kind;
        tried[kind].bits = INFINITY;
        if (!is_worth_trying(s, &tried[kind], axis, sweep))
            continue;
        for (int b = 0; b < n_boxes; b++) {
            if (kind == FMC_TX_KLT && b == 0)
                FMC_TRY(NAME(add_bases)(s, &tried[kind], x));
            FMC_TRY(NAME(judge)(s, box, crop[b], work + 2 * count, s->klt, step, &tried[kind]));
            bits += tried[kind].bits / n_boxes;
        }
        tried[kind].bits = bits;
    }
    settle(s, axis, tried);
    if (axis + 1 == s->rank)
        st = NAME(judge_plain)(s, box, crop, n_boxes, work + 2 * count, step);
done:
    return st;
}

/* Axis after axis, twice unless nothing changes. */
static fmc_status NAME(search_axes)(search *s, const REAL *x, size_t budget)
{
    fmc_status st = FMC_OK;
    REAL *work = NULL;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, 3 * budget, &work));
    for (int sweep = 0; sweep < 2; sweep++) {
        const choice before = s->best;

        s->plain.bits = INFINITY;

        for (uint32_t a = 0; a < s->rank; a++)
            if (s->allowed[a][FMC_TX_DCT] || s->allowed[a][FMC_TX_DYADIC])
                FMC_TRY(NAME(search_axis)(s, a, sweep, x, budget, work));
        if (is_same(s, &before, &s->best))
            break;
    }
done:
    fmc_dealloc(s->ex->alloc, work);
    return st;
}

/* Judge choices on all samples; the best few go to `top`. */
static fmc_status NAME(compare_whole)(search *s, const REAL *x, choice *list, size_t n, choice *top, size_t *n_top)
{
    fmc_status st = FMC_OK;
    REAL *work = NULL;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, s->count, &work));
    for (size_t i = 0; i < n; i++) {
        FMC_TRY(NAME(add_bases)(s, &list[i], x));
        FMC_TRY(NAME(judge)(s, s->dim, x, work, s->klt, 0, &list[i]));
        *n_top = insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &list[i]);
    }
done:
    fmc_dealloc(s->ex->alloc, work);
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
    choice close[3];
    size_t n;

    FMC_TRY(NAME(search_axes)(s, x, s->effort >= 5 ? 32768 : 16384));
    find_second(s);
    n = close_choices(s, close);
    if (s->effort >= 9) {
        FMC_TRY(NAME(compare_menu)(s, x, top, n_top));
    } else if (s->effort >= 5 && n > 1) {
        FMC_TRY(NAME(compare_whole)(s, x, close, n, top, n_top));
    } else {
        FMC_TRY(NAME(add_bases)(s, &close[0], x));
        close[0].bits = close[0].size;
        top[(*n_top)++] = close[0];
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
    fmc_dealloc(ex->alloc, s.klt);
    return st;
}
