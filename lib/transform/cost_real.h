/* SPDX-License-Identifier: Apache-2.0 */
/* Costs for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

typedef struct NAME(cost_job) {
    const fmc_kernels *k;
    const fmc_tx_plan *plan;
    const REAL        *layout;
    REAL               inv_step;
    size_t             width, height, n_slices; /* the two fastest axes; all others together */
    size_t             every;                   /* of pairs of rows, one is looked at */
    size_t             low[FMC_MAX_RANK];
    int                has_low;
    row_parts          parts;
    uint32_t           n_tasks;
    row_sums          *sums;                    /* one a task */
} NAME(cost_job);

/* Rounded to whole steps. */
static void NAME(round_values)(const REAL *restrict v, REAL inverse, size_t n, REAL *restrict out)
{
    const REAL limit = (REAL)(1 << 20), half = (REAL)0.5;

    for (size_t i = 0; i < n; i++) {
        const REAL u = v[i] * inverse, size = u < 0 ? -u : u;
        const REAL q = (REAL)(int32_t)((size < limit ? size : limit) + half);

        out[i] = u < 0 ? -q : q;
    }
}

/*
 * Values from..to-1 of a row of the lowest band as it is coded, less the gradient of those before: they come back in
 * room_north. NULL: not there. Both pieces of room are for to - from + 1 values.
 */
static void NAME(difference)(const NAME(cost_job) *j, const REAL *row, const REAL *north, const REAL *up, size_t from,
                             size_t to, REAL *restrict room, REAL *restrict room_north)
{
    const size_t n = to - from, before = from > 0;
    REAL *restrict r = room + 1 - before, *restrict s = room_north + 1 - before;

    /* value i of the piece is at [i + 1] */
    NAME(round_values)(row + from - before, j->inv_step, n + before, r);
    if (!before)
        room[0] = 0;
    if (north) {
        NAME(round_values)(north + from - before, j->inv_step, n + before, s);
        if (!before)
            room_north[0] = 0;
        for (size_t i = 0; i <= n; i++)
            room[i] -= room_north[i];
    } else if (up && !before) {
        NAME(round_values)(up, j->inv_step, 1, room);
    }
    for (size_t i = 0; i < n; i++)
        room_north[i] = room[i + 1] - room[i];
}

/* What a stretch of two rows costs, its error weighed by what it is worth in the signal. */
static void NAME(add_cost)(uint64_t *sum, uint64_t *here, double gain)
{
    here[FMC_COST_ERROR] = here[FMC_COST_ERROR] * (uint64_t)(gain * GAIN_ONE + 0.5) / GAIN_ONE;
    for (int i = 0; i < FMC_COST_SUMS; i++) {
        sum[i] += here[i];
        here[i] = 0;
    }
}

/* Rows y and `next` of the lowest band, which are the same where there is no next one. */
static void NAME(low_rows)(const NAME(cost_job) *j, const REAL *slice, size_t y, size_t next, int has_up, double gain,
                           uint64_t *sum)
{
    const size_t width = j->width, n = j->low[j->plan->rank - 1];
    const REAL *row[2] = { slice + y * width, slice + next * width };
    REAL room[DIFFERENCES + 1], d[2][DIFFERENCES + 1];

    for (size_t x = 0; x < n; x += DIFFERENCES) {
        const size_t end = n - x < DIFFERENCES ? n : x + DIFFERENCES;
        uint64_t whole[FMC_COST_SUMS] = { 0 }, changes[FMC_COST_SUMS] = { 0 };

        for (int i = 0; i < 2; i++)
            NAME(difference)(j, row[i], (i ? next : y) ? row[i] - width : NULL,
                             has_up ? row[i] - j->height * width : NULL, x, end, room, d[i]);
        KERNEL(j->k, pair_cost)(whole, row[0] + x, row[1] + x, j->inv_step, end - x);
        KERNEL(j->k, pair_cost)(changes, d[0], d[1], 1, end - x);
        changes[FMC_COST_ERROR] = whole[FMC_COST_ERROR];
        NAME(add_cost)(sum, changes, gain * j->parts.gain[0]);
    }
}

/* Rows [from, to) of a slice, two at a time; the first `n_low` values of each belong to the lowest band. */
static void NAME(row_pairs)(const NAME(cost_job) *j, const REAL *slice, size_t from, size_t to, size_t n_low,
                            int has_up, double slice_gain, row_sums *s)
{
    for (size_t y = from; y < to; y += 2) {
        const size_t next = y + 1 < to ? y + 1 : y;
        const double gain = j->plan->rank > 1 ? slice_gain * fmc_tx_filter_gain(j->plan, j->plan->rank - 2, y) : 1;
        uint64_t *sum = next > y ? s->pair : s->single, here[FMC_COST_SUMS] = { 0 };
        size_t x = n_low;

        if (n_low > 0)
            NAME(low_rows)(j, slice, y, next, has_up, gain, sum);
        for (uint32_t i = 0; i < j->parts.n; i++) {
            const size_t end = j->parts.end[i] > x ? j->parts.end[i] : x;

            KERNEL(j->k, pair_cost)(here, slice + y * j->width + x, slice + next * j->width + x, j->inv_step, end - x);
            NAME(add_cost)(sum, here, gain * j->parts.gain[i]);
            x = end;
        }
    }
}

/* What errors in slice i are worth. */
static double NAME(slice_gain)(const fmc_tx_plan *p, size_t i)
{
    double gain = 1;

    for (uint32_t a = p->rank > 2 ? p->rank - 2 : 0; a-- > 0; i /= p->dim[a])
        gain *= fmc_tx_filter_gain(p, a, i % p->dim[a]);
    return gain;
}

/* The same of rows without the lowest band, one pair in `every` standing for all; from slice to slice others. */
static void NAME(some_pairs)(const NAME(cost_job) *j, size_t i, size_t from, row_sums *s)
{
    const REAL *slice = j->layout + i * j->height * j->width;
    const double gain = NAME(slice_gain)(j->plan, i);
    row_sums here = { { 0 }, { 0 } };

    for (size_t y = from + 2 * ((i + j->every / 2) % j->every); y < j->height; y += 2 * j->every)
        NAME(row_pairs)(j, slice, y, y + 2 < j->height ? y + 2 : j->height, 0, 0, gain, &here);
    for (int k = 0; k < FMC_COST_SUMS; k++) {
        s->pair[k] += j->every * here.pair[k];
        s->single[k] += j->every * here.single[k];
    }
}

static void NAME(one_slice)(const NAME(cost_job) *j, size_t i, row_sums *s)
{
    const fmc_tx_plan *p = j->plan;
    const REAL *slice = j->layout + i * j->height * j->width;
    const size_t slice_index = i;
    size_t n_low = j->has_low ? j->low[p->rank - 1] : 0, height_low = 0;
    const size_t last = p->rank > 2 ? i % p->dim[p->rank - 3] : 0;

    for (uint32_t a = p->rank - (p->rank > 1 ? 2 : 1); n_low > 0 && a-- > 0; i /= p->dim[a])
        if (i % p->dim[a] >= j->low[a])
            n_low = 0;
    if (n_low > 0)
        height_low = p->rank > 1 ? j->low[p->rank - 2] : 1;
    NAME(row_pairs)(j, slice, 0, height_low, n_low, last > 0, NAME(slice_gain)(p, slice_index), s);
    NAME(some_pairs)(j, slice_index, height_low, s);
}

static fmc_status NAME(cost_task)(void *user, uint32_t i)
{
    const NAME(cost_job) *j = user;
    const size_t end = j->n_slices * (i + 1) / j->n_tasks;

    for (size_t k = j->n_slices * i / j->n_tasks; k < end; k++)
        NAME(one_slice)(j, k, &j->sums[i]);
    return FMC_OK;
}

fmc_status NAME(fmc_tx_cost)(const fmc_exec *ex, const fmc_tx_plan *plan, const REAL *layout, double step,
                             uint32_t every, fmc_tx_cost *cost)
{
    NAME(cost_job) j = { .k = fmc_kernels_get(ex), .plan = plan, .layout = layout, .inv_step = (REAL)(1 / step),
                         .width = plan->dim[plan->rank - 1], .n_slices = 1, .every = every };
    row_sums sums[MAX_TASKS] = { { { 0 }, { 0 } } };
    fmc_status st;
    size_t tasks;

    j.height = plan->rank > 1 ? plan->dim[plan->rank - 2] : 1;
    for (uint32_t a = 0; a + 2 < plan->rank; a++)
        j.n_slices *= plan->dim[a];
    j.has_low = find_low(plan, j.low);
    j.parts = parts_of(plan);
    tasks = 1 + j.n_slices * j.height * j.width / TASK_VALUES;
    tasks = tasks < j.n_slices ? tasks : j.n_slices;
    j.n_tasks = (uint32_t)(tasks < MAX_TASKS ? tasks : MAX_TASKS);
    j.sums = sums;
    FMC_TRY(fmc_parallel_for(ex, j.n_tasks, NAME(cost_task), &j));
    for (uint32_t i = 1; i < j.n_tasks; i++)
        for (int k = 0; k < FMC_COST_SUMS; k++) {
            sums[0].pair[k] += sums[i].pair[k];
            sums[0].single[k] += sums[i].single[k];
        }
    cost->bits = block_bits * total(sums, FMC_COST_BLOCKS) + octave_bits / 0x1p23 * total(sums, FMC_COST_OCTAVES) +
                 value_bits * total(sums, FMC_COST_NONZERO);
    cost->error = total(sums, FMC_COST_ERROR) / 0x1p16;
done:
    return st;
}

fmc_status NAME(fmc_tx_find_step)(const fmc_exec *ex, size_t count, const REAL *x, double rmse, double *step)
{
    const size_t every = count > 16384 ? 4 : 1; /* of blocks of 64 values, one is looked at */
    const REAL inverse = (REAL)(1 / rmse);
    level_counts *h = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &h));
    for (size_t i = 0; i < count; i += 64 * every) {
        const size_t end = count - i < 64 ? count : i + 64;

        for (size_t k = i; k < end; k++)
            h->n[float_bits((float)(x[k] * inverse)) >> 20 & (LEVELS - 1)]++;
    }
    *step = find_step(h) * rmse;
done:
    fmc_dealloc(ex->alloc, h);
    return st;
}
