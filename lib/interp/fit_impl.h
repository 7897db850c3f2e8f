/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included once per sample type: least-squares weights, encoder only. Short stretches of targets, spread over the
 * chunk, are looked at in the original samples where they lie, so that the work does not grow with the chunk.
 */

typedef struct {
    NAME(coset_job) job;                     /* level, coset, taps and where they lead */
    const REAL     *x;
    const uint8_t  *masked;                  /* of x: non-zero is no target; NULL: none is */
    size_t          step[RANK];              /* in x, per index of any coset */
    size_t          origin[FMC_INTERP_COSETS];
    ptrdiff_t       near[2 * FMC_INTERP_MAX_PAIRS]; /* of a tap from its target */
    size_t          begin, end;              /* targets of a row */
    double          noise;                   /* of one decoded sample */
    double          pair[FMC_INTERP_MAX_PAIRS][FIT_SEGMENT];
    double          target[FIT_SEGMENT], weight[FIT_SEGMENT];
    uint8_t         is_masked[FIT_SEGMENT]; /* targets */
    double          u[4][FMC_INTERP_MAX_CAUSAL];
    fmc_fit_room    fit;
} NAME(fit_site);

static void NAME(fit_place)(const fmc_interp_plan *plan, uint32_t l, const REAL *x, const uint8_t *masked,
                            NAME(fit_site) *s)
{
    const fmc_level *level = &s->job.level;
    size_t grid_step[RANK], pitch = 1;

    fmc_interp_level(plan, l, &s->job.level);
    s->x = x;
    s->masked = masked;
    for (unsigned a = RANK; a-- > 0; pitch *= plan->dim[a]) {
        const int active = level->active >> a & 1;

        grid_step[a] = active ? pitch << l : pitch;
        s->step[a] = active ? pitch << (l + 1) : pitch;
    }
    for (uint32_t c = 0; c < level->n_cosets; c++) {
        s->origin[c] = 0;
        for (unsigned a = 0; a < RANK; a++)
            s->origin[c] += level->mask[c] >> a & 1 ? grid_step[a] : 0;
    }
}

static void NAME(fit_aim)(const fmc_interp_plan *plan, uint32_t c, NAME(fit_site) *s)
{
    NAME(coset_job) *job = &s->job;
    int32_t fixed[FMC_INTERP_MAX_PAIRS] = { 0 };

    job->coset = c;
    fmc_interp_pairs(plan, &job->level, c, &job->pairs);
    job->n_pairs = job->pairs.n;
    NAME(aim)(job);
    fmc_interp_fixed(plan, &job->pairs, fixed);
    for (uint32_t j = 0; j < job->pairs.n_line; j++)
        job->weight[j] = (REAL)fixed[j] / FMC_INTERP_ONE;
    for (uint32_t j = 0; j < 2 * job->n_pairs; j++) {
        const fmc_reach *reach = &job->reach[j];

        s->near[j] = (ptrdiff_t)s->origin[reach->source] - (ptrdiff_t)s->origin[c];
        for (unsigned a = 0; a < RANK; a++)
            s->near[j] += reach->shift[a] * (ptrdiff_t)s->step[a];
    }
    s->begin = 0;
    s->end = job->level.dim[c][X];
    if (job->high[X] >= job->low[X] + 4) { /* the ends of long rows are few */
        s->begin = job->low[X];
        s->end = job->high[X];
    }
}

/* Sample i of a row of n, extrapolated where it does not exist. */
static double NAME(fit_sample)(const REAL *row, size_t step, size_t n, ptrdiff_t i)
{
    const size_t edge = i < 0 ? 0 : n - 1, next = i < 0 ? 1 : n - 2;
    const double past = (double)(i < 0 ? -i : i - (ptrdiff_t)(n - 1));

    if (i >= 0 && (size_t)i < n)
        return (double)row[(size_t)i * step];
    if (n < 2)
        return (double)row[edge * step];
    return (double)row[edge * step] + past * ((double)row[edge * step] - (double)row[next * step]);
}

/* Add tap j of n targets from x0 on to v; the general case, with extrapolation. */
static void NAME(fit_tap)(const NAME(fit_site) *s, const size_t *at, uint32_t j, size_t x0, size_t n, double *v)
{
    const fmc_reach *reach = &s->job.reach[j];
    const size_t *dim = s->job.level.dim[reach->source];
    size_t row[16] = { s->origin[reach->source] };
    double factor[16] = { 1 };
    unsigned n_rows = 1;

    for (unsigned a = X; a-- > 0;) {
        const ptrdiff_t i = (ptrdiff_t)at[a] + reach->shift[a];
        const int below = i < 0, above = i >= (ptrdiff_t)dim[a];
        const size_t edge = below ? 0 : above ? dim[a] - 1 : (size_t)i;
        const unsigned n_old = n_rows;

        for (unsigned k = 0; (below || above) && dim[a] > 1 && k < n_old; k++, n_rows++) {
            const double past = (double)(below ? -i : i - (ptrdiff_t)(dim[a] - 1));

            row[n_rows] = row[k] + (below ? 1 : edge - 1) * s->step[a];
            factor[n_rows] = -past * factor[k];
            factor[k] *= 1 + past;
        }
        for (unsigned k = 0; k < n_old; k++)
            row[k] += edge * s->step[a];
    }
    for (unsigned k = 0; k < n_rows; k++)
        for (size_t i = 0; i < n; i++) {
            const ptrdiff_t at_x = (ptrdiff_t)(x0 + i) + reach->shift[X];

            v[i] += factor[k] * NAME(fit_sample)(s->x + row[k], s->step[X], dim[X], at_x);
        }
}

/* Sums of pairs of n targets from x0 of the row at `at` on. */
static void NAME(fit_pairs)(NAME(fit_site) *s, const size_t *at, size_t x0, size_t n)
{
    const NAME(coset_job) *job = &s->job;
    const REAL *p = s->x + s->origin[job->coset] + x0 * s->step[X];
    const int inner = x0 >= job->low[X] && x0 + n <= job->high[X];
    const size_t step = s->step[X];
    unsigned axis[RANK], n_axes = 0;

    for (unsigned a = 0; a < X; a++) {
        p += at[a] * s->step[a];
        if (at[a] < job->low[a] || at[a] >= job->high[a])
            axis[n_axes++] = a;
    }
    for (size_t i = 0; i < n; i++)
        s->target[i] = (double)p[i * step];
    memset(s->is_masked, 0, sizeof s->is_masked);
    for (size_t i = 0; s->masked && i < n && i < FIT_SEGMENT; i++)
        s->is_masked[i] = s->masked[(size_t)(p - s->x) + i * step];
    for (uint32_t j = 0; j < job->n_pairs; j++) {
        const fmc_reach *reach = &job->reach[2 * j];
        const REAL *one = p + s->near[2 * j], *other = p + s->near[2 * j + 1];
        double *v = s->pair[j];

        if (inner && (n_axes == 0 || (!NAME(is_beyond)(job, at, reach, axis, n_axes) &&
                                      !NAME(is_beyond)(job, at, reach + 1, axis, n_axes)))) {
            for (size_t i = 0; i < n; i++)
                v[i] = (double)one[i * step] + (double)other[i * step];
            continue;
        }
        for (size_t i = 0; i < n; i++)
            v[i] = 0;
        NAME(fit_tap)(s, at, 2 * j, x0, n, v);
        NAME(fit_tap)(s, at, 2 * j + 1, x0, n, v);
    }
}

/* Weights of the targets from the squared error of the fixed weights around them. */
static void NAME(fit_weigh)(NAME(fit_site) *s, size_t n)
{
    for (size_t begin = 0; begin < n; begin += 8) {
        const size_t end = begin + 8 < n ? begin + 8 : n;
        double sum = 0, weight;

        for (size_t i = begin; i < end; i++) {
            double e = s->target[i];

            for (uint32_t j = 0; j < s->job.pairs.n_line; j++)
                e -= (double)s->job.weight[j] * s->pair[j][i];
            sum += e * e;
        }
        weight = fmc_fit_weight(sum / (double)(end - begin), s->noise);
        for (size_t i = begin; i < end; i++)
            s->weight[i] = weight;
    }
}

/* Unknowns of the equations: u[j - 1] = pair j - pair 0, t = sample - pair 0 / 2. */
static void NAME(fit_segment)(NAME(fit_site) *s, const size_t *at, size_t x0, size_t n)
{
    const uint32_t n_pairs = s->job.n_pairs;

    NAME(fit_pairs)(s, at, x0, n);
    NAME(fit_weigh)(s, n);
    for (size_t i = 0; i < n; i += 4) {
        double t[4] = { 0 }, weight[4] = { 0 };
        const size_t some = n - i < 4 ? n - i : 4;
        uint32_t count = 0;

        for (size_t k = 0; k < some; k++) {
            t[k] = s->target[i + k] - s->pair[0][i + k] / 2;
            weight[k] = s->is_masked[i + k] ? 0 : s->weight[i + k];
            count += !s->is_masked[i + k];
            for (uint32_t j = 1; j < n_pairs; j++)
                s->u[k][j - 1] = s->pair[j][i + k] - s->pair[0][i + k];
        }
        fmc_lsq_add(&s->fit.lsq, (const double (*)[FMC_INTERP_MAX_CAUSAL])s->u, t, weight, count);
    }
}

/* Normal equations of coset c from about `most` targets, with the noise of decoded neighbours. */
static void NAME(fit_coset)(const fmc_interp_plan *plan, uint32_t c, size_t most, NAME(fit_site) *s)
{
    const size_t *dim = s->job.level.dim[c];
    const size_t rows = fmc_interp_count(dim) / dim[X];
    const size_t enough = rows * dim[X] / 3 + 256; /* of a small coset */
    size_t segments, items, every;

    most = most < enough ? most : enough;
    NAME(fit_aim)(plan, c, s);
    segments = (s->end - s->begin + FIT_SEGMENT - 1) / FIT_SEGMENT;
    items = rows * segments;
    every = rows * (s->end - s->begin) / most + 1;
    memset(s->u, 0, sizeof s->u);
    fmc_lsq_init(&s->fit.lsq, s->job.n_pairs - 1);
    for (size_t k = 0, i; (i = fmc_spread(k, every)) < items || k == 0; k++) {
        const size_t x0 = s->begin + i % segments * FIT_SEGMENT;
        size_t at[RANK] = { 0 }, rest = i / segments % rows;

        for (unsigned a = X; a-- > 0; rest /= dim[a])
            at[a] = rest % dim[a];
        NAME(fit_segment)(s, at, x0, x0 + FIT_SEGMENT < s->end ? FIT_SEGMENT : s->end - x0);
    }
    fmc_lsq_noise(&s->fit.lsq, 2 * s->noise, 2 * s->noise, s->noise, s->noise / 2);
}

/* How far to trust each axis in fixed weights: how well cubic interpolation along it alone does on the finest level. */
static void NAME(fit_shares)(fmc_interp_plan *plan, size_t most, NAME(fit_site) *s)
{
    const fmc_level *level = &s->job.level;
    double error[RANK] = { 0 }, least = 0;

    for (unsigned a = 0; a < RANK; a++) {
        if (!(level->active >> a & 1))
            continue;
        NAME(fit_coset)(plan, level->coset[1u << a], most, s);
        error[a] = fmc_fit_fixed_error(plan, &s->job.pairs, &s->fit);
        least = least > 0 && least < error[a] ? least : error[a];
    }
    for (unsigned a = 0; a < RANK; a++) {
        const double worse = error[a] > 0 && least > 0 ? fmc_interp_log2(error[a] / least) + 0.5 : 0;

        plan->share[a] = (uint8_t)(worse < FMC_INTERP_MAX_SHARE ? FMC_INTERP_MAX_SHARE - (int)worse : 0);
    }
}

/* Weights of the finest levels from about `most` targets per coset. */
static fmc_status NAME(fit_pyramid)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                    double bound, size_t most)
{
    NAME(fit_site) *s = NULL;
    fmc_status st = FMC_ALLOC_ZERO(ex->alloc, 1, &s);

    for (uint32_t l = 0; st == FMC_OK && l < plan->levels && l < FMC_INTERP_FIT_LEVELS; l++) {
        NAME(fit_place)(plan, l, x, masked, s);
        s->noise = bound * bound / 3; /* errors uniform in +-bound */
        if (l == 0)
            NAME(fit_shares)(plan, most / 4, s);
        for (uint32_t c = 1; c < s->job.level.n_cosets; c++) {
            NAME(fit_coset)(plan, c, most, s);
            fmc_fit_take(plan, l, c, &s->job.level, &s->job.pairs, bound, &s->fit);
        }
        if (fmc_is_cancelled(ex))
            st = FMC_ERR_CANCELLED;
    }
    fmc_dealloc(ex->alloc, s);
    return st;
}

/* Four neighbouring targets at p: unknowns are taps minus the last one. @param masked  of the targets, or NULL. */
static void NAME(fit_four)(const NAME(stencil) *s, const REAL *p, const uint8_t *masked, uint32_t some,
                           NAME(fit_site) *site)
{
    const uint32_t n = s->causal.n - 1;
    double t[4] = { 0 }, weight[4] = { 0 };
    uint32_t count = 0;

    for (uint32_t k = 0; k < some; k++, p++) {
        const double near = (double)*(p + s->offset[n]);

        for (uint32_t j = 0; j < n; j++)
            site->u[k][j] = (double)*(p + s->offset[j]) - near;
        t[k] = (double)*p - near;
        weight[k] = !(masked && masked[k]);
        count += weight[k] > 0;
    }
    fmc_lsq_add(&site->fit.lsq, (const double (*)[FMC_INTERP_MAX_CAUSAL])site->u, t, weight, count);
}

/* Fours of targets that have all taps, spread evenly. */
static void NAME(fit_inner)(const fmc_interp_plan *plan, const NAME(stencil) *s, const REAL *x, const uint8_t *masked,
                            size_t most, NAME(fit_site) *site)
{
    const size_t across = s->high[X] > s->low[X] ? (s->high[X] - s->low[X] + 3) / 4 : 0;
    size_t items = across;

    for (unsigned a = 0; a < X; a++)
        items *= s->high[a] > s->low[a] ? s->high[a] - s->low[a] : 0;
    for (size_t k = 0, every = items * 4 / most + 1, i; (i = fmc_spread(k, every)) < items && s->causal.n > 1; k++) {
        const size_t x0 = s->low[X] + i % across * 4;
        size_t rest = i / across, pitch = plan->dim[X], from = x0;

        for (unsigned a = X; a-- > 0; pitch *= plan->dim[a]) {
            const size_t extent = s->high[a] - s->low[a];

            from += (s->low[a] + rest % extent) * pitch;
            rest /= extent;
        }
        NAME(fit_four)(s, x + from, masked ? masked + from : NULL, x0 + 4 < s->high[X] ? 4 : (uint32_t)(s->high[X] - x0), site);
    }
}

/* Weights of FMC_PREDICT_CAUSAL from about `most` targets. */
static fmc_status NAME(fit_causal)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                   double bound, size_t most)
{
    const double noise = bound * bound / 3;
    NAME(fit_site) *site = NULL;
    NAME(stencil) s;
    fmc_status st = FMC_ALLOC_ZERO(ex->alloc, 1, &site);

    if (st != FMC_OK)
        return st;
    NAME(stencil_init)(plan, &s);
    fmc_lsq_init(&site->fit.lsq, s.causal.n > 0 ? s.causal.n - 1 : 0);
    NAME(fit_inner)(plan, &s, x, masked, most, site);
    fmc_lsq_noise(&site->fit.lsq, noise, noise, noise, noise);
    fmc_fit_take_causal(plan, &site->fit);
    fmc_dealloc(ex->alloc, site);
    return st;
}
