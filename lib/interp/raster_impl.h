/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included once per sample type: prediction from earlier samples in C order (docs/format.md 7.5). Taps in earlier rows
 * are summed for a whole row at once, those in the same row sample by sample.
 */

typedef struct {
    fmc_causal causal;
    REAL       weight[FMC_INTERP_MAX_CAUSAL];
    ptrdiff_t  offset[FMC_INTERP_MAX_CAUSAL];
    size_t     low[RANK], high[RANK]; /* targets in [low, high) along every axis have all taps */
} NAME(stencil);

static void NAME(stencil_init)(const fmc_interp_plan *plan, NAME(stencil) *s)
{
    fmc_interp_causal(plan, &s->causal);
    for (unsigned a = 0; a < RANK; a++) {
        s->low[a] = 0;
        s->high[a] = s->causal.n > 0 ? plan->dim[a] : 0;
    }
    for (uint32_t j = 0; j < s->causal.n; j++) {
        const int8_t *d = s->causal.delta[j];
        ptrdiff_t offset = 0;

        for (unsigned a = 0; a < RANK; a++) {
            const ptrdiff_t last = (ptrdiff_t)plan->dim[a] - d[a];

            offset = offset * (ptrdiff_t)plan->dim[a] + d[a];
            if (-d[a] > (ptrdiff_t)s->low[a])
                s->low[a] = (size_t)-d[a];
            if (last < (ptrdiff_t)s->high[a])
                s->high[a] = last > 0 ? (size_t)last : 0;
        }
        s->offset[j] = offset;
        s->weight[j] = (REAL)s->causal.weight[j] / FMC_INTERP_ONE;
    }
}

/* Do all taps of the row at `at` exist? */
static int NAME(is_inner_row)(const NAME(stencil) *s, const size_t *at)
{
    int inner = s->low[X] < s->high[X];

    for (unsigned a = 0; a < X; a++)
        inner &= at[a] >= s->low[a] && at[a] < s->high[a];
    return inner;
}

static void NAME(raster_edge)(const fmc_interp_plan *plan, size_t *at, size_t x0, size_t x1, double step, int32_t *q,
                              const REAL *x, REAL *r)
{
    for (size_t i = x0; i < x1; i++) {
        REAL p;

        at[X] = i;
        p = NAME(lorenzo)(plan, plan->dim, at, r + i);
        if (x)
            r[i] = x[i];
        NAME(code_one)(p, step, x != NULL, q + i, r + i);
    }
    at[X] = 0;
}

/*
 * Add the taps in the same row to p. before[d] is the sample d back; the one just decoded comes last, for what follows
 * it is the critical path.
 */
static inline REAL NAME(add_row_taps)(REAL p, const REAL *weight, uint32_t n, const REAL *before)
{
    for (uint32_t j = 0; j + 1 < n; j++)
        p = p + weight[j] * before[j + 2];
    return n > 0 ? p + weight[n - 1] * before[1] : p;
}

/*
 * Predict and code n samples at r whose n_row taps lie 2, 3, ... and then 1 back; far: the sums of the other taps. x is
 * NULL when decoding. Inlined for each n_row, so that the latest samples stay in registers.
 */
static inline void NAME(run)(const REAL *weight, uint32_t n_row, const REAL *far, size_t n, double step, int32_t *q,
                             const REAL *x, REAL *r)
{
    const double inverse = 1 / step;
    REAL before[FMC_RUN_TAPS + 1] = { 0 };

    for (uint32_t j = 1; j <= n_row; j++)
        before[j] = *(r - j);
    for (size_t i = 0; i < n; i++) {
        const REAL p = NAME(add_row_taps)(far[i], weight, n_row, before);

        if (x)
            q[i] = NAME(integer)(x[i], p, inverse);
        for (uint32_t j = n_row; j > 1; j--)
            before[j] = before[j - 1];
        before[1] = r[i] = NAME(sample)(p, q[i], step);
    }
}

static void NAME(run_of)(const REAL *weight, uint32_t n_row, const REAL *far, size_t n, double step, int32_t *q,
                         const REAL *x, REAL *r)
{
    switch (n_row) {
    case 1:
        x ? NAME(run)(weight, 1, far, n, step, q, x, r) : NAME(run)(weight, 1, far, n, step, q, NULL, r);
        break;
    case 2:
        x ? NAME(run)(weight, 2, far, n, step, q, x, r) : NAME(run)(weight, 2, far, n, step, q, NULL, r);
        break;
    case 3:
        x ? NAME(run)(weight, 3, far, n, step, q, x, r) : NAME(run)(weight, 3, far, n, step, q, NULL, r);
        break;
    default:
        x ? NAME(run)(weight, 4, far, n, step, q, x, r) : NAME(run)(weight, 4, far, n, step, q, NULL, r);
    }
}

/* Taps in earlier rows are summed for all samples at once. */
static void NAME(raster_segment)(const fmc_kernels *k, const NAME(stencil) *s, size_t n, double step, int32_t *q,
                                 const REAL *x, REAL *r)
{
    const uint32_t n_row = s->causal.n_row, n_far = s->causal.n - n_row;
    REAL far[SEGMENT];

    KERNEL(k, predict_taps)(far, n, r, s->offset, s->weight, n_far);
    if (n_row > 0) {
        NAME(run_of)(s->weight + n_far, n_row, far, n, step, q, x, r);
    } else if (x) {
        memcpy(r, x, n * sizeof *r);
        KERNEL(k, predict_encode)(far, step, n, r, q);
    } else {
        KERNEL(k, predict_decode)(far, step, n, q, r);
    }
}

static fmc_status NAME(raster)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, double step, int32_t *q,
                               REAL *r)
{
    const fmc_kernels *k = fmc_kernels_get(ex);
    const size_t n = plan->dim[X];
    const size_t rows = fmc_interp_count(plan->dim) / n;
    size_t at[RANK] = { 0 };
    NAME(stencil) s;

    NAME(stencil_init)(plan, &s);
    for (size_t row = 0; row < rows; row++) {
        const REAL *from = x ? x + row * n : NULL;
        size_t i = 0;

        if ((row & 63) == 0 && fmc_is_cancelled(ex))
            return FMC_ERR_CANCELLED;
        if (NAME(is_inner_row)(&s, at)) {
            NAME(raster_edge)(plan, at, 0, s.low[X], step, q + row * n, from, r + row * n);
            for (i = s.low[X]; i < s.high[X];) {
                const size_t end = i + SEGMENT < s.high[X] ? i + SEGMENT : s.high[X];

                NAME(raster_segment)(k, &s, end - i, step, q + row * n + i, from ? from + i : NULL, r + row * n + i);
                i = end;
            }
        }
        NAME(raster_edge)(plan, at, i, n, step, q + row * n, from, r + row * n);
        fmc_next_row(plan->dim, at);
    }
    return FMC_OK;
}
