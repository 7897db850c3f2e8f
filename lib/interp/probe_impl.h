/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type: what prediction would cost, from scattered targets (scatter.h). Encoder only. */

#ifndef FMC_RASTER_BIAS
#define FMC_RASTER_BIAS
/* The coder finds less of use in the single band of a raster predictor (cost.c). */
static const double raster_bias = 1.03;
#endif

/* Note one segment of n residuals, those of masked targets left out. */
static void NAME(probe_note)(const float *residual, const uint8_t *masked, size_t n, int32_t level, double gain,
                             fmc_scatter *out)
{
    float *e = out->e + (size_t)out->n * FIT_SEGMENT;
    uint32_t kept = 0;

    for (size_t t = 0; t < n; t++)
        if (!(masked && masked[t]))
            e[kept++] = residual[t];
    if (kept > 0)
        out->segment[out->n++] = (fmc_scatter_segment){ kept, level, (float)gain, 0 };
}

/* Note the residuals of about `most` targets of coset c of level l under the plan's weights; the site is aimed at it. */
static void NAME(probe_coset)(const fmc_interp_plan *plan, uint32_t l, uint32_t c, size_t most, double boost,
                              NAME(fit_site) *s, fmc_scatter *out)
{
    NAME(coset_job) *job = &s->job;
    const size_t *dim = job->level.dim[c];
    const size_t rows = fmc_interp_count(dim) / dim[X];
    const size_t segments = (s->end - s->begin + FIT_SEGMENT - 1) / FIT_SEGMENT, items = rows * segments;
    const size_t every = rows * (s->end - s->begin) / most + 1;
    const uint32_t first = out->n, n_all = job->n_pairs;
    int32_t weight[FMC_INTERP_MAX_PAIRS];
    double gain = 0, looked = 0;

    job->n_pairs = fmc_interp_weights(plan, l, c, &job->pairs, weight);
    for (uint32_t j = 0; j < job->n_pairs; j++)
        gain += 2 * ((double)weight[j] / FMC_INTERP_ONE) * ((double)weight[j] / FMC_INTERP_ONE);
    for (size_t k = 0, i; ((i = fmc_spread(k, every)) < items || k == 0) && out->n < out->most; k++) {
        const size_t x0 = s->begin + i % segments * FIT_SEGMENT;
        const size_t n = x0 + FIT_SEGMENT < s->end ? FIT_SEGMENT : s->end - x0;
        float e[FIT_SEGMENT];
        size_t at[RANK] = { 0 }, rest = i / segments % rows;

        for (unsigned a = X; a-- > 0; rest /= dim[a])
            at[a] = rest % dim[a];
        NAME(fit_pairs)(s, at, x0, n);
        for (size_t t = 0; t < n; t++) {
            double r = s->target[t];

            for (uint32_t j = 0; j < job->n_pairs; j++)
                r -= s->pair[j][t] * weight[j] / FMC_INTERP_ONE;
            e[t] = (float)r;
        }
        NAME(probe_note)(e, s->is_masked, n, (int32_t)l, gain, out);
        looked += (double)n;
    }
    fmc_scatter_weigh(out, first, boost * (double)fmc_interp_count(dim), looked);
    job->n_pairs = n_all;
}

/* Fit and note the residuals of the levels that hold nearly all samples. */
static fmc_status NAME(probe_pyramid)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                      double bound, const fmc_probe_size *size, fmc_scatter *out)
{
    const size_t count = fmc_interp_count(plan->dim);
    NAME(fit_site) *s = NULL;
    size_t grid = count;
    fmc_status st = FMC_ALLOC_ZERO(ex->alloc, 1, &s);

    for (uint32_t l = 0; st == FMC_OK && l < plan->levels && l < FMC_INTERP_FIT_LEVELS && grid > count / 40; l++) {
        size_t here, left;
        double boost;

        NAME(fit_place)(plan, l, x, masked, s);
        left = fmc_interp_count(s->job.level.dim[0]);
        here = grid - left;
        boost = l + 1 < plan->levels && l + 1 < FMC_INTERP_FIT_LEVELS && left > count / 40 ? 1 : (double)grid / (double)here;
        s->noise = bound * bound / 3;
        if (l == 0)
            NAME(fit_shares)(plan, size->fit / 16 + 32, s);
        for (uint32_t c = 1; c < s->job.level.n_cosets; c++) {
            const double share = (double)fmc_interp_count(s->job.level.dim[c]) / (double)count;

            NAME(fit_coset)(plan, c, (size_t)(share * (double)size->fit) + 64, s);
            fmc_fit_take(plan, l, c, &s->job.level, &s->job.pairs, bound, &s->fit);
            NAME(probe_coset)(plan, l, c, (size_t)(share * (double)size->seen) + 32, boost, s, out);
        }
        grid = left;
    }
    fmc_dealloc(ex->alloc, s);
    return st;
}

/* Note n residuals of samples from x on, predicted by the taps of a stencil. */
static void NAME(probe_taps)(const fmc_kernels *k, const NAME(stencil) *s, const REAL *x, const uint8_t *masked,
                             size_t n, double gain, fmc_scatter *out)
{
    float e[FIT_SEGMENT];
    REAL p[FIT_SEGMENT];

    KERNEL(k, predict_taps)(p, n, x, s->offset, s->weight, s->causal.n);
    for (size_t i = 0; i < n; i++)
        e[i] = (float)((double)x[i] - (double)p[i]);
    NAME(probe_note)(e, masked, n, -1, gain, out);
}

/* Samples that have all taps, *looked of which are looked at. @return how many there are. */
static double NAME(probe_inner)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                size_t most, const NAME(stencil) *s, fmc_scatter *out, double *looked)
{
    const uint32_t first = out->n;
    size_t extent[RANK], segments, items = s->causal.n > 0, every;
    double count = (double)items, gain = 0;

    for (unsigned a = 0; a < RANK; a++) {
        extent[a] = s->high[a] > s->low[a] ? s->high[a] - s->low[a] : 0;
        items *= a == X ? (extent[a] + FIT_SEGMENT - 1) / FIT_SEGMENT : extent[a];
        count *= (double)extent[a];
    }
    for (uint32_t j = 0; j < s->causal.n; j++)
        gain += (double)s->weight[j] * (double)s->weight[j];
    segments = (extent[X] + FIT_SEGMENT - 1) / FIT_SEGMENT;
    every = items * FIT_SEGMENT / most + 1;
    for (size_t k = 0, i; (i = fmc_spread(k, every)) < items && out->n < out->most; k++) {
        const size_t x0 = s->low[X] + i % segments * FIT_SEGMENT;
        const size_t n = x0 + FIT_SEGMENT < s->high[X] ? FIT_SEGMENT : s->high[X] - x0;
        size_t rest = i / segments, pitch = plan->dim[X], from = x0;

        for (unsigned a = X; a-- > 0; pitch *= plan->dim[a]) {
            from += (s->low[a] + rest % extent[a]) * pitch;
            rest /= extent[a];
        }
        NAME(probe_taps)(fmc_kernels_get(ex), s, x + from, masked ? masked + from : NULL, n, gain, out);
        *looked += (double)n;
    }
    fmc_scatter_weigh(out, first, count, *looked);
    return count;
}

/* Rows some of whose taps do not exist, which have first-order Lorenzo instead. */
static void NAME(probe_edge)(const fmc_interp_plan *plan, const REAL *x, const uint8_t *masked, size_t most,
                             double count, const NAME(stencil) *s, fmc_scatter *out)
{
    const size_t *dim = plan->dim, segments = (dim[X] + FIT_SEGMENT - 1) / FIT_SEGMENT;
    const size_t items = fmc_interp_count(dim) / dim[X] * segments, every = items * FIT_SEGMENT / most + 1;
    const uint32_t first = out->n;
    double looked = 0;

    for (size_t k = 0, i; (i = fmc_spread(k, every)) < items && out->n < out->most; k++) {
        const size_t x0 = i % segments * FIT_SEGMENT, n = dim[X] - x0 < FIT_SEGMENT ? dim[X] - x0 : FIT_SEGMENT;
        const size_t from = i / segments * dim[X] + x0;
        float e[FIT_SEGMENT];
        size_t at[RANK] = { 0 }, rest = i / segments;

        for (unsigned a = X; a-- > 0; rest /= dim[a])
            at[a] = rest % dim[a];
        if (NAME(is_inner_row)(s, at))
            continue;
        for (size_t t = 0; t < n; t++) {
            const REAL *own = x + from + t;

            at[X] = x0 + t;
            e[t] = (float)((double)*own - (double)NAME(lorenzo)(plan, dim, at, own));
        }
        NAME(probe_note)(e, masked ? masked + from : NULL, n, -1, 3, out);
        looked += (double)n;
    }
    fmc_scatter_weigh(out, first, count, looked);
}

static fmc_status NAME(probe_raster)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                     double bound, const fmc_probe_size *size, fmc_scatter *out)
{
    const double all = (double)fmc_interp_count(plan->dim);
    NAME(stencil) s;
    double inner, looked = 0;
    fmc_status st = FMC_OK;

    if (plan->predictor == FMC_PREDICT_CAUSAL)
        FMC_TRY(NAME(fit_causal)(ex, plan, x, masked, bound, size->fit));
    NAME(stencil_init)(plan, &s);
    inner = NAME(probe_inner)(ex, plan, x, masked, size->seen, &s, out, &looked);
    if (inner < 0.9 * all)
        NAME(probe_edge)(plan, x, masked, size->seen, all - inner, &s, out);
    else
        fmc_scatter_weigh(out, 0, all, looked);
done:
    return st;
}

/* Set plan->bits to what the whole would cost. *step: where to begin a search for one, and its result. */
static fmc_status NAME(probe_plan)(const fmc_exec *ex, fmc_interp_plan *plan, const REAL *x, const uint8_t *masked,
                                   const fmc_probe_goal *goal, const fmc_probe_size *size, double *step)
{
    const double bound = *step / 2;
    fmc_scatter s = { 0 };
    fmc_status st;

    FMC_TRY(fmc_scatter_init(ex, size->seen, &s));
    if (plan->predictor == FMC_PREDICT_PYRAMID)
        FMC_TRY(NAME(probe_pyramid)(ex, plan, x, masked, bound, size, &s));
    else
        FMC_TRY(NAME(probe_raster)(ex, plan, x, masked, bound, size, &s));
    FMC_TRY(fmc_scatter_bits(ex, &s, goal->is_rms ? goal->limit : 0, step, &plan->bits));
    if (plan->predictor != FMC_PREDICT_PYRAMID)
        plan->bits *= raster_bias;
    if (s.n == 0)
        plan->bits = HUGE_VAL;
    plan->step = *step;
done:
    fmc_scatter_fini(ex, &s);
    return st;
}

typedef struct {
    fmc_exec              inner; /* a task's own: no threads within */
    fmc_candidates       *list;
    const REAL           *x;
    const uint8_t        *masked;
    const fmc_probe_goal *goal;
    const fmc_probe_size *size;
    double                step;
} NAME(probe_job);

static fmc_status NAME(probe_task)(void *user, uint32_t i)
{
    const NAME(probe_job) *j = user;
    double step = j->step;

    return NAME(probe_plan)(&j->inner, &j->list->plan[i], j->x, j->masked, j->goal, j->size, &step);
}

fmc_status NAME(fmc_interp_probe)(const fmc_exec *ex, uint32_t rank, const size_t *dim, const REAL *x,
                                  const uint8_t *masked, const fmc_probe_goal *goal, uint32_t unlike, uint32_t effort, double *step,
                                  fmc_interp_plan *plan)
{
    const fmc_probe_size *size = fmc_probe_sizes(effort);
    NAME(probe_job) j = { .inner = *ex, .x = x, .masked = masked, .goal = goal, .step = *step };
    fmc_candidates *list = NULL;
    fmc_status st;

    j.inner.n_threads = 1;
    j.inner.parallel_for = NULL;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &list));
    j.list = list;
    fmc_candidates_make(rank, dim, unlike, effort < 5 ? 1 : 5, list);
    for (int round = 0; round < 2; round++) {
        j.size = &size[round];
        FMC_TRY(fmc_parallel_for(ex, list->n, NAME(probe_task), &j));
        fmc_candidates_keep(round > 0 ? 1 : effort < 5 ? 2 : 3, FMC_PROBE_FAR, list);
    }
    *plan = list->plan[0];
    *step = plan->step;
    plan->base = fmc_interp_count(plan->dim) > 0 ? (double)x[0] : 0;
done:
    fmc_dealloc(ex->alloc, list);
    return st;
}

fmc_status NAME(fmc_interp_look)(const fmc_exec *ex, const REAL *x, const uint8_t *masked, const fmc_probe_goal *goal,
                                 uint32_t effort, double *step, fmc_interp_plan *plan)
{
    return NAME(probe_plan)(ex, plan, x, masked, goal, &fmc_probe_sizes(effort)[2], step);
}
