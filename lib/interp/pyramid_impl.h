/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included once per sample type: the pyramid (docs/format.md 7.2 to 7.4). One array w holds the samples band-major, as
 * q does, so that every tap of a row is a contiguous row of another coset; once a level is complete its cosets are
 * woven into the grid of the next finer one, at the front of w. Encoding and decoding share everything but one line.
 */

typedef struct {
    fmc_level        level;
    uint32_t         coset;
    uint32_t         n_pairs;
    fmc_pairs        pairs;
    REAL             weight[FMC_INTERP_MAX_PAIRS];
    fmc_reach        reach[2 * FMC_INTERP_MAX_PAIRS];
    size_t           low[RANK], high[RANK]; /* indices [low, high) of the slow axes have all taps */
    REAL            *w;      /* band-major: originals in, decoded samples out (encoding) */
    int32_t         *q;      /* band-major */
    double           step;
    int              encode;
    const fmc_exec    *ex;
    const fmc_kernels *k;
    size_t           segments; /* per row */
    size_t           items;    /* segments of all rows */
    uint32_t         n_tasks;
} NAME(coset_job);

/* One tap of a stretch of a row: sample i of the tapped row is row[i - low]. */
typedef struct {
    const REAL *row;
    size_t      low;
    size_t      n;     /* extent of the tapped row */
    ptrdiff_t   shift; /* the tap of target i is sample i + shift */
} NAME(tap);

static inline REAL NAME(tap_at)(const NAME(tap) *t, size_t i)
{
    const ptrdiff_t at = (ptrdiff_t)i + t->shift;
    const REAL *row = t->row - t->low;
    const size_t edge = at < 0 ? 0 : t->n - 1, next = at < 0 ? 1 : t->n - 2;

    if ((size_t)at < t->n) /* and not negative */
        return row[at];
    if (t->n < 2)
        return row[edge];
    return row[edge] + (REAL)(at < 0 ? -at : at - (ptrdiff_t)edge) * (row[edge] - row[next]);
}

/* Rows of a tap that leaves its coset in slow axes: whole-number factors of up to 16 (linear extrapolation). */
static unsigned NAME(tap_rows)(const NAME(coset_job) *job, const size_t *at, const fmc_reach *reach, size_t *row,
                               REAL *factor)
{
    const size_t *dim = job->level.dim[reach->source];
    size_t pitch = dim[X];
    unsigned n = 1;

    row[0] = job->level.start[reach->source];
    factor[0] = 1;
    for (unsigned a = X; a-- > 0; pitch *= dim[a]) {
        const ptrdiff_t i = (ptrdiff_t)at[a] + reach->shift[a];
        const int below = i < 0, above = i >= (ptrdiff_t)dim[a];
        const size_t edge = below ? 0 : above ? dim[a] - 1 : (size_t)i;
        const size_t next = dim[a] < 2 ? edge : below ? 1 : edge - 1;
        const REAL past = (REAL)(below ? -i : i - (ptrdiff_t)(dim[a] - 1));
        const unsigned n_old = n;

        for (unsigned j = 0; (below || above) && dim[a] > 1 && j < n_old; j++, n++) {
            row[n] = row[j] + next * pitch;
            factor[n] = -past * factor[j];
            factor[j] *= 1 + past;
        }
        for (unsigned j = 0; j < n_old; j++)
            row[j] += edge * pitch;
    }
    return n;
}

/* Make the row that a tap of targets [x0, x1) reads. `room`: SEGMENT + 8 samples. */
static void NAME(tap_make)(const NAME(coset_job) *job, const size_t *at, const fmc_reach *reach, size_t x0, size_t x1,
                           REAL *restrict room, NAME(tap) *t)
{
    size_t row[16];
    REAL factor[16];
    const unsigned n = NAME(tap_rows)(job, at, reach, row, factor);
    size_t high;

    t->low = 0;
    t->row = job->w + row[0];
    if (n == 1)
        return;
    t->low = x0 > 3 ? x0 - 3 : 0;
    high = x1 + 3 < t->n ? x1 + 3 : t->n;
    for (unsigned j = 0; j < n; j++) {
        const REAL *restrict from = job->w + row[j] + t->low;

        for (size_t i = 0; i < high - t->low; i++)
            room[i] = j == 0 ? factor[0] * from[i] : room[i] + factor[j] * from[i];
    }
    t->row = room;
}

/* Does a tap leave its coset along one of the n axes? */
static int NAME(is_beyond)(const NAME(coset_job) *job, const size_t *at, const fmc_reach *reach, const unsigned *axis,
                           unsigned n)
{
    const size_t *dim = job->level.dim[reach->source];
    int beyond = 0;

    for (unsigned k = 0; k < n; k++)
        beyond |= at[axis[k]] + (size_t)reach->shift[axis[k]] >= dim[axis[k]]; /* negative ones wrap */
    return beyond;
}

/* All taps of the targets [x0, x1) of the row at `at`. `room`: n_taps rows of SEGMENT + 8. */
static void NAME(find_taps)(const NAME(coset_job) *job, const size_t *at, size_t x0, size_t x1, REAL *room,
                            NAME(tap) *tap)
{
    size_t row[FMC_INTERP_COSETS];
    unsigned axis[RANK], n = 0; /* along which some taps may leave */

    for (unsigned a = 0; a < X; a++)
        if (at[a] < job->low[a] || at[a] >= job->high[a])
            axis[n++] = a;
    for (uint32_t c = 0; c < job->coset; c++)
        row[c] = fmc_coset_row(&job->level, c, at);
    for (uint32_t j = 0; j < 2 * job->n_pairs; j++) {
        const fmc_reach *reach = &job->reach[j];

        tap[j].n = job->level.dim[reach->source][X];
        tap[j].shift = reach->shift[X];
        tap[j].low = 0;
        if (n > 0 && NAME(is_beyond)(job, at, reach, axis, n))
            NAME(tap_make)(job, at, reach, x0, x1, room + j * (SEGMENT + 8), &tap[j]);
        else
            tap[j].row = job->w + ((ptrdiff_t)row[reach->source] + reach->offset);
    }
}

/* Tabulate where the taps of the job's coset lead. */
static void NAME(aim)(NAME(coset_job) *job)
{
    const size_t *own = job->level.dim[job->coset];

    for (unsigned a = 0; a < RANK; a++) {
        job->low[a] = 0;
        job->high[a] = own[a];
    }
    for (uint32_t j = 0; j < 2 * job->n_pairs; j++) {
        const fmc_reach *reach = &job->reach[j];
        const size_t *dim = job->level.dim[fmc_reach_make(&job->level, job->coset, job->pairs.delta[j / 2],
                                                           j & 1 ? 1 : -1, &job->reach[j])];

        for (unsigned a = 0; a < RANK; a++) {
            const ptrdiff_t first = -reach->shift[a], last = (ptrdiff_t)dim[a] - reach->shift[a];

            if (first > (ptrdiff_t)job->low[a])
                job->low[a] = (size_t)first;
            if (last < (ptrdiff_t)job->high[a])
                job->high[a] = last > 0 ? (size_t)last : 0;
        }
    }
}

/* Predict targets [x0, x1), near the ends of a row, whose taps may lie beyond it. */
static void NAME(predict_ends)(const NAME(coset_job) *job, const NAME(tap) *tap, size_t x0, size_t x1, REAL *p)
{
    for (; x0 < x1; x0 += ENDS, p += ENDS) {
        const size_t n = x1 - x0 < ENDS ? x1 - x0 : ENDS;
        REAL sum[ENDS] = { 0 };

        for (uint32_t j = 0; j < job->n_pairs; j++)
            for (size_t i = 0; i < n; i++)
                sum[i] = sum[i] + job->weight[j] * (NAME(tap_at)(&tap[2 * j], x0 + i) +
                                                    NAME(tap_at)(&tap[2 * j + 1], x0 + i));
        memcpy(p, sum, n * sizeof *p);
    }
}

/* Predict targets [x0, x1) of the row at `at` into p. `room`: 2 * FMC_INTERP_MAX_PAIRS rows of SEGMENT + 8. */
static void NAME(predict)(const NAME(coset_job) *job, const size_t *at, size_t x0, size_t x1, REAL *room, REAL *p)
{
    NAME(tap) tap[2 * FMC_INTERP_MAX_PAIRS];
    const REAL *a[FMC_INTERP_MAX_PAIRS], *b[FMC_INTERP_MAX_PAIRS];
    const size_t lo = job->low[X] < x0 ? x0 : job->low[X] < x1 ? job->low[X] : x1;
    const size_t hi = job->high[X] > x1 ? x1 : job->high[X] > lo ? job->high[X] : lo;

    NAME(find_taps)(job, at, x0, x1, room, tap);
    NAME(predict_ends)(job, tap, x0, lo, p);
    NAME(predict_ends)(job, tap, hi, x1, p + (hi - x0));
    if (lo >= hi)
        return;
    for (uint32_t j = 0; j < job->n_pairs; j++) {
        a[j] = tap[2 * j].row + ((ptrdiff_t)lo + tap[2 * j].shift - (ptrdiff_t)tap[2 * j].low);
        b[j] = tap[2 * j + 1].row + ((ptrdiff_t)lo + tap[2 * j + 1].shift - (ptrdiff_t)tap[2 * j + 1].low);
    }
    KERNEL(job->k, predict_pairs)(p + (lo - x0), hi - lo, a, b, job->weight, job->n_pairs);
}

static void NAME(coset_segment)(const NAME(coset_job) *job, size_t item, REAL *room, REAL *p)
{
    const size_t *dim = job->level.dim[job->coset];
    const size_t x0 = item % job->segments * SEGMENT;
    const size_t x1 = x0 + SEGMENT < dim[X] ? x0 + SEGMENT : dim[X];
    const size_t row = item / job->segments;
    const size_t first = job->level.start[job->coset] + row * dim[X] + x0;
    size_t at[RANK] = { 0 }, rest = row;

    for (unsigned a = X; a-- > 0; rest /= dim[a])
        at[a] = rest % dim[a];
    NAME(predict)(job, at, x0, x1, room, p);
    if (job->encode)
        KERNEL(job->k, predict_encode)(p, job->step, x1 - x0, job->w + first, job->q + first);
    else
        KERNEL(job->k, predict_decode)(p, job->step, x1 - x0, job->q + first, job->w + first);
}

static fmc_status NAME(coset_task)(void *user, uint32_t task)
{
    const NAME(coset_job) *job = user;
    const size_t end = fmc_share_begin(job->items, task + 1, job->n_tasks);
    REAL *room;
    fmc_status st = FMC_ALLOC(job->ex->alloc, (2 * job->n_pairs + 1) * (SEGMENT + 8), &room);

    if (st != FMC_OK)
        return st;
    for (size_t i = fmc_share_begin(job->items, task, job->n_tasks); i < end; i++)
        NAME(coset_segment)(job, i, room + SEGMENT + 8, room);
    fmc_dealloc(job->ex->alloc, room);
    return FMC_OK;
}

/* Code all cosets of level l, whose coarser grid is complete at the front of w. */
static fmc_status NAME(code_level)(const fmc_exec *ex, const fmc_interp_plan *plan, uint32_t l, NAME(coset_job) *job)
{
    const fmc_level *level = &job->level;
    int32_t weight[FMC_INTERP_MAX_PAIRS];

    for (uint32_t c = 1; c < level->n_cosets; c++) {
        const size_t count = fmc_interp_count(level->dim[c]);
        fmc_status st;

        job->coset = c;
        fmc_interp_pairs(plan, level, c, &job->pairs);
        job->n_pairs = fmc_interp_weights(plan, l, c, &job->pairs, weight);
        NAME(aim)(job);
        for (uint32_t j = 0; j < job->n_pairs; j++)
            job->weight[j] = (REAL)weight[j] / FMC_INTERP_ONE;
        job->segments = (level->dim[c][X] + SEGMENT - 1) / SEGMENT;
        job->items = count / level->dim[c][X] * job->segments;
        job->n_tasks = fmc_n_tasks(ex, job->items, count);
        if (fmc_is_cancelled(ex))
            return FMC_ERR_CANCELLED;
        st = fmc_parallel_for(ex, job->n_tasks, NAME(coset_task), job);
        if (st != FMC_OK)
            return st;
    }
    return FMC_OK;
}

/* The coarsest grid: first-order Lorenzo within each slice of unlike axes. */
static void NAME(code_top)(const fmc_interp_plan *plan, NAME(coset_job) *job)
{
    const size_t *grid = job->level.grid;
    size_t at[RANK] = { 0 };
    size_t count;

    fmc_interp_level(plan, plan->levels, &job->level);
    count = fmc_interp_count(grid);
    for (size_t i = 0; i < count; i++) {
        const REAL p = NAME(lorenzo)(plan, grid, at, job->w + i);

        NAME(code_one)(p, job->step, job->encode, job->q + i, job->w + i);
        fmc_next(grid, at);
    }
}

static fmc_status NAME(pyramid)(const fmc_exec *ex, const fmc_interp_plan *plan, NAME(coset_job) *job, REAL *recon)
{
    fmc_level *level = &job->level;

    NAME(code_top)(plan, job);
    if (plan->levels == 0)
        memcpy(recon, job->w, fmc_interp_count(plan->dim) * sizeof *recon);
    for (uint32_t l = plan->levels; l-- > 0;) {
        fmc_status st;

        fmc_interp_level(plan, l, level);
        st = NAME(code_level)(ex, plan, l, job);
        if (st == FMC_OK)
            st = NAME(move)(ex, level, recon, job->w, 0);
        if (st != FMC_OK)
            return st;
        if (l > 0)
            memcpy(job->w, recon, fmc_interp_count(level->grid) * sizeof *recon);
    }
    return FMC_OK;
}

/* x is NULL when decoding; q is then only read. */
static fmc_status NAME(pyramid_code)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, double step,
                                     int32_t *q, REAL *recon)
{
    NAME(coset_job) *job = NULL;
    REAL *w = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &job));
    FMC_TRY(FMC_ALLOC(ex->alloc, fmc_interp_count(plan->dim), &w));
    job->ex = ex;
    job->k = fmc_kernels_get(ex);
    job->w = w;
    job->q = q;
    job->step = step;
    job->encode = x != NULL;
    if (x)
        FMC_TRY(NAME(split_all)(ex, plan, x, w, recon));
    FMC_TRY(NAME(pyramid)(ex, plan, job, recon));
done:
    fmc_dealloc(ex->alloc, w);
    fmc_dealloc(ex->alloc, job);
    return st;
}
