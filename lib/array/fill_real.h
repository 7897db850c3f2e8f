/* SPDX-License-Identifier: Apache-2.0 */
/* Body of fill.c for one sample type T; NAME(x) appends its suffix. Included twice, so there is no guard. */

typedef struct NAME(fill_job) {
    const fmc_exec *ex;
    fmc_fill_plan   plan;
    const uint8_t  *state;
    T              *x;
    uint8_t        *has_known; /* per plane */
    size_t          per_piece;
} NAME(fill_job);

/* Mean of the known samples of one cell at the edge of an odd plane; *n gets their number. */
static T NAME(edge_cell)(const level *fine, const T *x, const uint8_t *masked, size_t i, size_t j, unsigned *n)
{
    T sum = 0;

    *n = 0;
    for (size_t a = 2 * i; a < 2 * i + 2 && a < fine->h; a++) {
        for (size_t b = 2 * j; b < 2 * j + 2 && b < fine->w; b++) {
            const unsigned known = !masked[a * fine->w + b];

            sum += known ? x[a * fine->w + b] : 0;
            *n += known;
        }
    }
    return sum;
}

/* Means of the known samples of each 2 x 2; a cell without any stays masked. Masked samples of level 0 hold 0. */
static void NAME(pull)(const level *fine, const level *coarse, T *x, uint8_t *masked)
{
    static const T share[5] = { 0, 1, (T)0.5, (T)(1.0 / 3), (T)0.25 };
    const size_t w = fine->w;
    const T *xf = x + fine->start;
    const uint8_t *mf = masked + fine->start;

    for (size_t i = 0; i < coarse->h; i++) {
        for (size_t j = 0; j < coarse->w; j++) {
            const size_t to = coarse->start + i * coarse->w + j, at = 2 * i * w + 2 * j;
            unsigned n;
            T sum;

            if (2 * i + 1 < fine->h && 2 * j + 1 < w) {
                n = 4u - mf[at] - mf[at + 1] - mf[at + w] - mf[at + w + 1];
                sum = (xf[at] + xf[at + 1]) + (xf[at + w] + xf[at + w + 1]);
            } else {
                sum = NAME(edge_cell)(fine, xf, mf, i, j, &n);
            }
            masked[to] = n == 0;
            x[to] = sum * share[n];
        }
    }
}

/* Bilinear interpolation of the coarser level where the finer one is masked: 9, 3, 3, 1 of the nearest four cells. */
static void NAME(push)(const level *fine, const level *coarse, T *x, const run *list, size_t n)
{
    const T *xc = x + coarse->start;

    for (size_t k = 0; k < n; k++) {
        const size_t i = list[k].row, a = i / 2, up = i & 1 ? a + 1 < coarse->h ? a + 1 : a : a ? a - 1 : 0;
        const T *own = xc + a * coarse->w, *other = xc + up * coarse->w;
        T *row = x + fine->start + i * fine->w;

        for (size_t j = list[k].first; j < list[k].end; j++) {
            const size_t b = j / 2, side = j & 1 ? b + 1 < coarse->w ? b + 1 : b : b ? b - 1 : 0;

            row[j] = (T)0.5625 * own[b] + (T)0.1875 * own[side] + (T)0.1875 * other[b] + (T)0.0625 * other[side];
        }
    }
}

/* Mean of the up to four neighbours. */
static T NAME(neighbours)(const T *x, size_t h, size_t w, size_t i, size_t j)
{
    const T *p = x + i * w + j;
    T sum = 0;
    unsigned n = 0;

    if (i > 0 && i + 1 < h && j > 0 && j + 1 < w)
        return ((p[-1] + p[1]) + (p[-(ptrdiff_t)w] + p[w])) * (T)0.25;
    if (i > 0) {
        sum += p[-(ptrdiff_t)w];
        n++;
    }
    if (i + 1 < h) {
        sum += p[w];
        n++;
    }
    if (j > 0) {
        sum += p[-1];
        n++;
    }
    if (j + 1 < w) {
        sum += p[1];
        n++;
    }
    return n ? sum / (T)n : *p;
}

/* Every other sample of [first, end) of row i. */
static void NAME(relax_run)(const level *l, T *v, size_t i, size_t first, size_t end)
{
    const size_t w = l->w;
    T *p = v + i * w;
    size_t j = first;

    if (i == 0 || i + 1 == l->h) {
        for (; j < end; j += 2)
            p[j] = NAME(neighbours)(v, l->h, w, i, j);
        return;
    }
    if (j == 0 && j < end) {
        p[0] = NAME(neighbours)(v, l->h, w, i, 0);
        j = 2;
    }
    for (; j < end && j + 1 < w; j += 2)
        p[j] = ((p[j - 1] + p[j + 1]) + (p[j + w] + *(p + j - w))) * (T)0.25;
    if (j < end)
        p[j] = NAME(neighbours)(v, l->h, w, i, j);
}

/* Gauss-Seidel sweeps over the squares of one colour of a chessboard, then the other: nothing waits for anything. */
static void NAME(relax)(const level *l, T *x, const run *list, size_t n, unsigned sweeps)
{
    for (unsigned s = 0; s < 2 * sweeps; s++)
        for (size_t k = 0; k < n; k++) {
            const run *r = &list[k];

            NAME(relax_run)(l, x + l->start, r->row, r->first + ((r->first + r->row + s) & 1), r->end);
        }
}

/* Fill level 0 of a pyramid whose arrays have room for all levels. */
static void NAME(fill_pyramid)(const level *l, unsigned n_levels, T *x, uint8_t *masked, run *list)
{
    unsigned k = 0;

    while (k + 1 < n_levels && memchr(masked + l[k].start, 1, l[k].h * l[k].w)) {
        NAME(pull)(&l[k], &l[k + 1], x, masked);
        k++;
    }
    for (; k > 0; k--) {
        const size_t n = find_runs(&l[k - 1], masked, list);

        NAME(push)(&l[k - 1], &l[k], x, list, n);
        NAME(relax)(&l[k - 1], x, list, n, SWEEPS);
    }
}

/* Copy a row of known samples and zeros, and its states as 0 and 1. @return how many are masked. */
static inline size_t NAME(take_row)(const T *x, const uint8_t *state, size_t n, size_t step, T *restrict to,
                                    uint8_t *restrict masked)
{
    uint32_t n_masked = 0;

    for (size_t i = 0; i < n; i++) {
        const uint8_t is_masked = state[i * step] != 0;

        masked[i] = is_masked;
        n_masked += is_masked;
        to[i] = is_masked ? 0 : x[i * step];
    }
    return n_masked;
}

/* Planes [first, end), each copied out, filled, and its masked samples copied back. */
static fmc_status NAME(fill_piece)(void *user, uint32_t piece)
{
    const NAME(fill_job) *j = user;
    const fmc_fill_plan *p = &j->plan;
    const size_t first = piece * j->per_piece;
    const size_t end = p->n_planes - first < j->per_piece ? p->n_planes : first + j->per_piece;
    fmc_status st = FMC_OK;
    level l[MAX_LEVELS];
    size_t total;
    const unsigned n_levels = make_levels(p->h, p->w, l, &total);
    T *x = NULL;
    uint8_t *masked = NULL;
    run *list = NULL;

    FMC_TRY(FMC_ALLOC(j->ex->alloc, total, &x));
    FMC_TRY(FMC_ALLOC(j->ex->alloc, total, &masked));
    for (size_t k = first; k < end; k++) {
        const size_t start = fmc_fill_plan_start(p, k);
        size_t n_masked = 0, n;

        if (fmc_is_cancelled(j->ex)) {
            st = FMC_ERR_CANCELLED;
            goto done;
        }
        for (size_t a = 0; a < p->h; a++) {
            const size_t at = start + a * p->h_step, to = a * p->w;

            n_masked += p->w_step == 1 ? NAME(take_row)(j->x + at, j->state + at, p->w, 1, x + to, masked + to)
                                       : NAME(take_row)(j->x + at, j->state + at, p->w, p->w_step, x + to, masked + to);
        }
        j->has_known[k] = n_masked < p->h * p->w;
        if (n_masked == 0 || !j->has_known[k])
            continue;
        FMC_TRY(FMC_ALLOC(j->ex->alloc, count_runs(masked, p->h, p->w), &list));
        NAME(fill_pyramid)(l, n_levels, x, masked, list);
        n = find_runs(&l[0], masked, list);
        for (size_t i = 0; i < n; i++)
            for (size_t b = list[i].first; b < list[i].end; b++)
                j->x[start + list[i].row * p->h_step + b * p->w_step] = x[list[i].row * p->w + b];
        fmc_dealloc(j->ex->alloc, list);
        list = NULL;
    }
done:
    fmc_dealloc(j->ex->alloc, x);
    fmc_dealloc(j->ex->alloc, masked);
    fmc_dealloc(j->ex->alloc, list);
    return st;
}

/* Planes without known samples repeat the nearest plane that has some. */
static void NAME(fill_empty)(const NAME(fill_job) *j)
{
    const fmc_fill_plan *p = &j->plan;

    for (size_t k = 0; k < p->n_planes; k++) {
        size_t from, to, source;

        if (j->has_known[k])
            continue;
        source = nearest_known(j->has_known, p->n_planes, k);
        to = fmc_fill_plan_start(p, k);
        from = source < p->n_planes ? fmc_fill_plan_start(p, source) : to;
        for (size_t a = 0; a < p->h; a++)
            for (size_t b = 0; b < p->w; b++) {
                const size_t at = a * p->h_step + b * p->w_step;

                j->x[to + at] = source < p->n_planes ? j->x[from + at] : 0;
            }
    }
}

fmc_status NAME(fmc_fill)(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint32_t unlike, const uint8_t *state,
                          T *x)
{
    NAME(fill_job) j = { .ex = ex, .plan = fmc_fill_plan_make(rank, dim, unlike), .state = state, .x = x };
    fmc_status st = FMC_OK;
    size_t pieces;

    if (!state)
        return FMC_OK;
    j.per_piece = (j.plan.n_planes + MAX_PIECES - 1) / MAX_PIECES;
    pieces = (j.plan.n_planes + j.per_piece - 1) / j.per_piece;
    FMC_TRY(FMC_ALLOC(ex->alloc, j.plan.n_planes, &j.has_known));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)pieces, NAME(fill_piece), &j));
    NAME(fill_empty)(&j);
done:
    fmc_dealloc(ex->alloc, j.has_known);
    return st;
}
