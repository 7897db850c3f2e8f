/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type with REAL and NAME(x) defined: a grid and its cosets (docs/format.md 7.2). */

typedef struct {
    const fmc_kernels *k;
    const fmc_level *level;
    REAL            *grid;   /* compact, level->grid */
    REAL            *cosets; /* band-major */
    int              split;  /* 1: grid to cosets, 0: back */
    size_t           rows;   /* of the grid */
    uint32_t         n_tasks;
} NAME(move_job);

static void NAME(move_row)(const NAME(move_job) *job, size_t row)
{
    const fmc_level *level = job->level;
    const int pairs = level->active >> X & 1;
    const size_t n = level->grid[X];
    REAL *grid = job->grid + row * n;
    size_t at[RANK];
    uint32_t odd = 0;
    REAL *even_row, *odd_row;

    for (unsigned a = X; a-- > 0; row /= level->grid[a]) {
        at[a] = row % level->grid[a];
        if (level->active >> a & 1) {
            odd |= (uint32_t)(at[a] & 1) << a;
            at[a] >>= 1;
        }
    }
    even_row = job->cosets + fmc_coset_row(level, level->coset[odd], at);
    if (!pairs) {
        memcpy(job->split ? even_row : grid, job->split ? grid : even_row, n * sizeof *grid);
        return;
    }
    odd_row = job->cosets + fmc_coset_row(level, level->coset[odd | 1u << X], at);
    if (job->split)
        KERNEL(job->k, split)(even_row, odd_row, grid, n);
    else
        KERNEL(job->k, merge)(grid, even_row, odd_row, n);
}

static fmc_status NAME(move_task)(void *user, uint32_t task)
{
    const NAME(move_job) *job = user;
    const size_t end = fmc_share_begin(job->rows, task + 1, job->n_tasks);

    for (size_t row = fmc_share_begin(job->rows, task, job->n_tasks); row < end; row++)
        NAME(move_row)(job, row);
    return FMC_OK;
}

static fmc_status NAME(move)(const fmc_exec *ex, const fmc_level *level, REAL *grid, REAL *cosets, int split)
{
    NAME(move_job) job = { .k = fmc_kernels_get(ex), .level = level, .grid = grid, .cosets = cosets, .split = split };
    const size_t count = fmc_interp_count(level->grid);

    if (fmc_is_cancelled(ex))
        return FMC_ERR_CANCELLED;
    job.rows = count / level->grid[X];
    job.n_tasks = fmc_n_tasks(ex, job.rows, count);
    return fmc_parallel_for(ex, job.n_tasks, NAME(move_task), &job);
}

/* Cut x, the grid of level l, or if l > 0 the one at the front of w, into cosets. `spare` holds the latter then. */
static fmc_status NAME(split_level)(const fmc_exec *ex, const fmc_level *level, uint32_t l, const REAL *x, REAL *w,
                                    REAL *spare)
{
    if (l == 0)
        return NAME(move)(ex, level, (REAL *)(uintptr_t)x, w, 1); /* x is only read */
    memcpy(spare, w, fmc_interp_count(level->grid) * sizeof *w);
    return NAME(move)(ex, level, spare, w, 1);
}

/* Cut the finest grid into band-major order. `spare`: as many samples as the grid of level 1. */
static fmc_status NAME(split_all)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, REAL *w, REAL *spare)
{
    fmc_level level;

    if (plan->levels == 0)
        memcpy(w, x, fmc_interp_count(plan->dim) * sizeof *w);
    for (uint32_t l = 0; l < plan->levels; l++) {
        fmc_status st;

        fmc_interp_level(plan, l, &level);
        st = NAME(split_level)(ex, &level, l, x, w, spare);
        if (st != FMC_OK)
            return st;
    }
    return FMC_OK;
}
