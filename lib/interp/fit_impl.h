/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type: least-squares weights, encoder only. */

/* Mean squared error of the fixed weights over targets [x0, x1). */
static double NAME(fixed_energy)(const NAME(coset_job) *job, const NAME(tap) *tap, const REAL *x, size_t x0, size_t x1)
{
    double sum = 0;

    for (size_t i = x0; i < x1; i++) {
        double p = 0;

        for (uint32_t j = 0; j < job->pairs.n_line; j++)
            p += (double)job->weight[j] * ((double)NAME(tap_at)(&tap[2 * j], i) + (double)NAME(tap_at)(&tap[2 * j + 1], i));
        sum += ((double)x[i] - p) * ((double)x[i] - p);
    }
    return sum / (double)(x1 - x0);
}

/* Sums of pairs of a sampled segment as unknowns: u[j] = pair j+1 - pair 0, t = sample - pair 0 / 2. */
static void NAME(fit_segment)(const NAME(coset_job) *job, size_t item, double floor_error, REAL *room,
                              fmc_lsq *lsq)
{
    const size_t *dim = job->level.dim[job->coset];
    const size_t x0 = item % job->segments * FIT_SEGMENT;
    const size_t x1 = x0 + FIT_SEGMENT < dim[X] ? x0 + FIT_SEGMENT : dim[X];
    const REAL *x = job->w + job->level.start[job->coset] + item / job->segments * dim[X];
    size_t at[RANK] = { 0 }, rest = item / job->segments;
    NAME(tap) tap[2 * FMC_INTERP_MAX_PAIRS];
    double u[FMC_INTERP_MAX_PAIRS], weight = 0;

    for (unsigned a = X; a-- > 0; rest /= dim[a])
        at[a] = rest % dim[a];
    NAME(find_taps)(job, at, x0, x1, room, tap);
    for (size_t i = x0; i < x1; i++) {
        const double first = (double)NAME(tap_at)(&tap[0], i) + (double)NAME(tap_at)(&tap[1], i);

        if ((i - x0) % 8 == 0)
            weight = fmc_fit_weight(NAME(fixed_energy)(job, tap, x, i, i + 8 < x1 ? i + 8 : x1), floor_error);
        for (uint32_t j = 1; j < job->n_pairs; j++)
            u[j - 1] = (double)NAME(tap_at)(&tap[2 * j], i) + (double)NAME(tap_at)(&tap[2 * j + 1], i) - first;
        fmc_lsq_add(lsq, u, (double)x[i] - first / 2, weight);
    }
}

/* Normal equations of coset job->coset with the noise of decoded neighbours. */
static void NAME(fit_coset)(const fmc_interp_plan *plan, NAME(coset_job) *job, double bound, size_t most, REAL *room, fmc_lsq *lsq)
{
    const size_t count = fmc_interp_count(job->level.dim[job->coset]);
    const size_t every = count / most | 1; /* odd: rows of even length are met at all places */
    const double noise = bound * bound / 3; /* of one decoded sample, errors uniform in +-bound */
    int32_t fixed[FMC_INTERP_MAX_PAIRS];

    NAME(aim)(job);
    fmc_interp_fixed(plan, &job->pairs, fixed);
    for (uint32_t j = 0; j < job->pairs.n_line; j++)
        job->weight[j] = (REAL)fixed[j] / FMC_INTERP_ONE;
    fmc_lsq_init(lsq, job->n_pairs - 1);
    for (size_t i = every / 2; i < job->items; i += every)
        NAME(fit_segment)(job, i, noise, room, lsq);
    fmc_lsq_noise(lsq, 2 * noise, 2 * noise, noise, noise / 2);
}

static fmc_status NAME(fit_level)(const fmc_exec *ex, fmc_interp_plan *plan, const fmc_level *level, uint32_t l,
                                  REAL *w, double bound, size_t most, fmc_fit_room *fit)
{
    NAME(coset_job) *job = NULL;
    REAL *room = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &job));
    FMC_TRY(FMC_ALLOC(ex->alloc, 2 * FMC_INTERP_MAX_PAIRS * (SEGMENT + 8), &room));
    job->level = *level;
    job->w = w;
    for (uint32_t c = 1; c < level->n_cosets; c++) {
        job->coset = c;
        fmc_interp_pairs(plan, level, c, &job->pairs);
        job->n_pairs = job->pairs.n;
        job->segments = (level->dim[c][X] + FIT_SEGMENT - 1) / FIT_SEGMENT;
        job->items = fmc_interp_count(level->dim[c]) / level->dim[c][X] * job->segments;
        NAME(fit_coset)(plan, job, bound, most, room, &fit->lsq);
        fmc_fit_take(plan, l, c, level, &job->pairs, bound, fit);
    }
    st = fmc_is_cancelled(ex) ? FMC_ERR_CANCELLED : FMC_OK;
done:
    fmc_dealloc(ex->alloc, room);
    fmc_dealloc(ex->alloc, job);
    return st;
}

/* How far to trust each axis in fixed weights: how well cubic interpolation along it alone does on the finest level. */
static fmc_status NAME(fit_shares)(const fmc_exec *ex, fmc_interp_plan *plan, const fmc_level *level, REAL *w,
                                   double bound, fmc_fit_room *fit)
{
    NAME(coset_job) *job = NULL;
    double error[RANK] = { 0 }, least = 0;
    REAL *room = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &job));
    FMC_TRY(FMC_ALLOC(ex->alloc, 2 * FMC_INTERP_MAX_PAIRS * (SEGMENT + 8), &room));
    job->level = *level;
    job->w = w;
    for (unsigned a = 0; a < RANK; a++) {
        if (!(level->active >> a & 1))
            continue;
        job->coset = level->coset[1u << a];
        fmc_interp_pairs(plan, level, job->coset, &job->pairs);
        job->n_pairs = job->pairs.n_line;
        job->segments = (level->dim[job->coset][X] + FIT_SEGMENT - 1) / FIT_SEGMENT;
        job->items = fmc_interp_count(level->dim[job->coset]) / level->dim[job->coset][X] * job->segments;
        NAME(fit_coset)(plan, job, bound, 4096, room, &fit->lsq);
        error[a] = fmc_fit_fixed_error(plan, &job->pairs, fit);
        least = least > 0 && least < error[a] ? least : error[a];
    }
    for (unsigned a = 0; a < RANK; a++) {
        const double worse = error[a] > 0 && least > 0 ? fmc_interp_log2(error[a] / least) + 0.5 : 0;

        plan->share[a] = (uint8_t)(worse < FMC_INTERP_MAX_SHARE ? FMC_INTERP_MAX_SHARE - (int)worse : 0);
    }
done:
    fmc_dealloc(ex->alloc, room);
    fmc_dealloc(ex->alloc, job);
    return st;
}

/* Weights of the finest levels from the original samples; about `most` of them per coset. */
static fmc_status NAME(fit_pyramid)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, double bound, size_t most)
{
    const size_t count = fmc_interp_count(plan->dim);
    fmc_fit_room *fit = NULL;
    REAL *w = NULL, *spare = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &fit));
    FMC_TRY(FMC_ALLOC(ex->alloc, count, &w));
    fmc_interp_level(plan, 1, &fit->level);
    FMC_TRY(FMC_ALLOC(ex->alloc, fmc_interp_count(fit->level.grid), &spare));
    for (uint32_t l = 0; l < plan->levels && l < FMC_INTERP_FIT_LEVELS; l++) {
        fmc_interp_level(plan, l, &fit->level);
        FMC_TRY(NAME(split_level)(ex, &fit->level, l, x, w, spare));
        if (l == 0)
            FMC_TRY(NAME(fit_shares)(ex, plan, &fit->level, w, bound, fit));
        FMC_TRY(NAME(fit_level)(ex, plan, &fit->level, l, w, bound, most, fit));
    }
done:
    fmc_dealloc(ex->alloc, spare);
    fmc_dealloc(ex->alloc, w);
    fmc_dealloc(ex->alloc, fit);
    return st;
}

/* Weights of FMC_PREDICT_CAUSAL. */
static fmc_status NAME(fit_causal)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, double bound, size_t most)
{
    const size_t n = plan->dim[X], rows = fmc_interp_count(plan->dim) / n, every = rows * n / most + 1;
    const double noise = bound * bound / 3;
    fmc_fit_room *fit = NULL;
    size_t at[RANK] = { 0 };
    NAME(stencil) s;
    fmc_status st = FMC_ALLOC(ex->alloc, 1, &fit);

    if (st != FMC_OK)
        return st;
    NAME(stencil_init)(plan, &s);
    fmc_lsq_init(&fit->lsq, s.causal.n > 0 ? s.causal.n - 1 : 0);
    for (size_t row = 0; row < rows; row++) {
        const size_t begin = s.x_low + row % every;

        for (size_t i = begin; NAME(is_inner_row)(plan, &s, at) && i + s.x_high < n; i += every) {
            const REAL *p = x + row * n + i;
            const double near = *(p + s.offset[s.causal.n - 1]);

            for (uint32_t j = 0; j + 1 < s.causal.n; j++)
                fit->w[j] = (double)*(p + s.offset[j]) - near;
            fmc_lsq_add(&fit->lsq, fit->w, (double)*p - near, 1);
        }
        fmc_next_row(plan->dim, at);
    }
    fmc_lsq_noise(&fit->lsq, noise, noise, noise, noise);
    fmc_fit_take_causal(plan, fit);
    fmc_dealloc(ex->alloc, fit);
    return st;
}
