/* SPDX-License-Identifier: Apache-2.0 */
/* Judging choices for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

typedef struct NAME(proxy_job) {
    const fmc_kernels *k;
    const REAL        *x;
    size_t             count;
    double             inv_unit;
    double            *bits; /* one sum per piece */
} NAME(proxy_job);

/* Products are taken over 128 samples, then log2 of the product of their mantissas. */
static fmc_status NAME(proxy_piece)(void *user, uint32_t piece)
{
    const NAME(proxy_job) *job = user;
    const size_t first = (size_t)piece * PROXY_PIECE;
    const size_t end = job->count - first < PROXY_PIECE ? job->count : first + PROXY_PIECE;
    double bits = 0;

    for (size_t i = first; i < end; i += 128) {
        double product[8] = { 1, 1, 1, 1, 1, 1, 1, 1 }, mantissas = 1;
        const size_t n = end - i < 128 ? end - i : 128;

        bits += (double)KERNEL(job->k, proxy_terms)(product, job->x + i, (REAL)job->inv_unit, n);
        for (size_t j = 0; j < 8; j++) {
            int exponent;

            mantissas *= frexp(product[j], &exponent);
            bits += 0.5 * exponent;
        }
        bits += 0.5 * log2(mantissas);
    }
    job->bits[piece] = bits;
    return FMC_OK;
}

static fmc_status NAME(proxy)(const search *s, const REAL *x, size_t count, double *bits)
{
    NAME(proxy_job) job = { .k = fmc_kernels_get(s->ex), .x = x, .count = count, .inv_unit = 1 / (3 * s->rmse) };
    const size_t n_pieces = (count + PROXY_PIECE - 1) / PROXY_PIECE;
    fmc_status st = FMC_OK;

    *bits = 0;
    FMC_TRY(FMC_ALLOC(s->ex->alloc, n_pieces, &job.bits));
    FMC_TRY(fmc_parallel_for(s->ex, (uint32_t)n_pieces, NAME(proxy_piece), &job));
    for (size_t i = 0; i < n_pieces; i++)
        *bits += job.bits[i];
done:
    fmc_dealloc(s->ex->alloc, job.bits);
    return st;
}

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

static double NAME(side_bits)(const search *s, const fmc_tx_klt *klt)
{
    fmc_out out = fmc_out_make(s->ex->alloc);
    double bits;

    fmc_tx_klt_write(klt, &out);
    bits = 8 * (double)out.size;
    fmc_out_fini(&out);
    return bits;
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

/* Judge a choice on a box whose samples are in `src`; `work` is as large. */
static fmc_status NAME(judge)(search *s, const size_t *box, const REAL *src, REAL *work, fmc_tx_klt *klt, choice *c)
{
    const fmc_tx_plan plan = plan_of(s, c, box, klt);
    fmc_status st = FMC_OK;
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        count *= box[a];
    if (!fmc_tx_is_valid(&plan)) {
        c->bits = INFINITY;
        return FMC_OK;
    }
    memcpy(work, src, count * sizeof *work);
    FMC_TRY(NAME(fmc_tx_forward)(s->ex, &plan, work));
    FMC_TRY(NAME(proxy)(s, work, count, &c->bits));
    c->bits *= (double)s->count / (double)count;
    for (uint32_t a = 0; a < s->rank; a++)
        if (plan.kind[a] == FMC_TX_KLT)
            c->bits += NAME(side_bits)(s, plan.klt[a]);
done:
    return st;
}

static fmc_status NAME(make_basis)(search *s, uint32_t axis, const size_t *box, const REAL *x, fmc_tx_klt *klt)
{
    fmc_tx_plan all = { .rank = s->rank };

    memcpy(all.dim, box, s->rank * sizeof *box);
    return NAME(fmc_tx_klt_make)(s->ex, &all, axis, x, s->rmse, &klt[axis]);
}

/* The best kind of one axis, the others as they are; the sample has two boxes of `budget` samples. */
static fmc_status NAME(search_axis)(search *s, uint32_t axis, int sweep, const REAL *x, size_t budget, REAL *work)
{
    size_t box[FMC_MAX_RANK], at[2][FMC_MAX_RANK], count = 1;
    REAL *crop[2] = { work, work };
    fmc_status st = FMC_OK;
    choice tried[N_KINDS];
    int n_boxes = 1;

    sample_box(s, axis, budget, box);
    for (uint32_t a = 0; a < s->rank; a++) {
        at[0][a] = (s->dim[a] - box[a]) / 3;
        at[1][a] = (s->dim[a] - box[a]) - at[0][a];
        count *= box[a];
        n_boxes = at[1][a] != at[0][a] ? 2 : n_boxes;
    }
    for (int b = 0; b < n_boxes; b++) {
        crop[b] = work + (size_t)b * count;
        NAME(crop)(s, x, at[b], box, crop[b]);
    }
    for (uint8_t kind = 0; kind < N_KINDS; kind++) {
        double bits = 0;

        tried[kind] = s->best;
        tried[kind].kind[axis] = kind;
        tried[kind].bits = INFINITY;
        if (!is_worth_trying(s, &tried[kind], axis, sweep))
            continue;
        for (int b = 0; b < n_boxes; b++) {
            if (kind == FMC_TX_KLT && b == 0 && s->dim[axis] == box[axis])
                FMC_TRY(NAME(make_basis)(s, axis, box, crop[b], s->sample_klt));
            FMC_TRY(NAME(judge)(s, box, crop[b], work + 2 * count, s->sample_klt, &tried[kind]));
            bits += tried[kind].bits / n_boxes;
        }
        tried[kind].bits = bits;
    }
    settle(s, axis, tried);
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

/* Bases of the K axes of a choice, from all of the samples. */
static fmc_status NAME(add_bases)(search *s, const choice *c, const REAL *x)
{
    fmc_status st = FMC_OK;

    for (uint32_t a = 0; a < s->rank && st == FMC_OK; a++)
        if (c->kind[a] == FMC_TX_KLT && s->klt[a].n == 0)
            st = NAME(make_basis)(s, a, s->dim, x, s->klt);
    return st;
}

/* Judge choices on all samples; the best few go to `top`. */
static fmc_status NAME(compare_whole)(search *s, const REAL *x, choice *list, size_t n, choice *top, size_t *n_top)
{
    const size_t start[FMC_MAX_RANK] = { 0 };
    fmc_status st = FMC_OK;
    REAL *src = NULL, *work = NULL;

    FMC_TRY(FMC_ALLOC(s->ex->alloc, s->count, &src));
    FMC_TRY(FMC_ALLOC(s->ex->alloc, s->count, &work));
    NAME(crop)(s, x, start, s->dim, src);
    for (size_t i = 0; i < n; i++) {
        FMC_TRY(NAME(add_bases)(s, &list[i], src));
        FMC_TRY(NAME(judge)(s, s->dim, src, work, s->klt, &list[i]));
        *n_top = insert_choice(s, top, *n_top, FMC_TX_MENU_MAX, &list[i]);
    }
done:
    fmc_dealloc(s->ex->alloc, src);
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
    choice two[2];

    FMC_TRY(NAME(search_axes)(s, x, s->effort >= 5 ? 32768 : 16384));
    find_second(s);
    if (s->effort >= 9) {
        FMC_TRY(NAME(compare_menu)(s, x, top, n_top));
    } else if (s->effort >= 5 && !is_same(s, &s->best, &s->second) && s->second.bits < 1.05 * s->best.bits) {
        two[0] = s->best;
        two[1] = s->second;
        FMC_TRY(NAME(compare_whole)(s, x, two, 2, top, n_top));
    } else {
        FMC_TRY(NAME(add_bases)(s, &s->best, x));
        top[(*n_top)++] = s->best;
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
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 2 * rank, &s.klt));
    s.sample_klt = s.klt + rank;
    FMC_TRY(NAME(choose)(&s, x, top, &n_top));
    fill_menu(&s, top, n_top, menu);
done:
    fmc_dealloc(ex->alloc, s.klt);
    return st;
}
