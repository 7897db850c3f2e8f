/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included once per sample type: prediction from earlier samples in C order (docs/format.md 7.5). Taps in earlier rows
 * are summed for a whole row at once, those in the same row sample by sample.
 */

typedef struct {
    fmc_causal causal;
    REAL       weight[FMC_INTERP_MAX_CAUSAL];
    ptrdiff_t  offset[FMC_INTERP_MAX_CAUSAL];
    size_t     x_low, x_high; /* targets [x_low, dim - x_high) of an inner row have all taps */
} NAME(stencil);

static void NAME(stencil_init)(const fmc_interp_plan *plan, NAME(stencil) *s)
{
    fmc_interp_causal(plan, &s->causal);
    s->x_low = s->x_high = 0;
    for (uint32_t j = 0; j < s->causal.n; j++) {
        const int8_t *d = s->causal.delta[j];
        ptrdiff_t offset = 0;

        for (unsigned a = 0; a < RANK; a++)
            offset = offset * (ptrdiff_t)plan->dim[a] + d[a];
        s->offset[j] = offset;
        s->weight[j] = (REAL)s->causal.weight[j] / FMC_INTERP_ONE;
        if (d[X] < 0 && (size_t)-d[X] > s->x_low)
            s->x_low = (size_t)-d[X];
        if (d[X] > 0 && (size_t)d[X] > s->x_high)
            s->x_high = (size_t)d[X];
    }
}

/* Do all taps of the row at `at` exist? */
static int NAME(is_inner_row)(const fmc_interp_plan *plan, const NAME(stencil) *s, const size_t *at)
{
    for (uint32_t j = 0; j < s->causal.n; j++)
        for (unsigned a = 0; a < X; a++) {
            const ptrdiff_t i = (ptrdiff_t)at[a] + s->causal.delta[j][a];

            if (i < 0 || i >= (ptrdiff_t)plan->dim[a])
                return 0;
        }
    return s->causal.n > 0 && plan->dim[X] > s->x_low + s->x_high;
}

/* q, x and r point to the start of the row; x is NULL when decoding. */
static void NAME(raster_one)(const REAL *p, double step, int32_t *q, const REAL *x, REAL *r)
{
    if (x) {
        *r = *x;
        NAME(quantise)(p, step, 1, r, q);
    } else {
        *r = NAME(sample)(*p, *q, step);
    }
}

static void NAME(raster_edge)(const fmc_interp_plan *plan, size_t *at, size_t x0, size_t x1, double step, int32_t *q,
                              const REAL *x, REAL *r)
{
    for (size_t i = x0; i < x1; i++) {
        REAL p;

        at[X] = i;
        p = NAME(lorenzo)(plan, plan->dim, at, r + i);
        NAME(raster_one)(&p, step, q + i, x ? x + i : NULL, r + i);
    }
    at[X] = 0;
}

/* far[i] = sum of the taps in earlier rows, tap after tap; four at a time only to save loads and stores. */
static void NAME(add_far)(const NAME(stencil) *s, uint32_t n_far, const REAL *r, size_t n, REAL *restrict far)
{
    uint32_t j = 0;

    for (size_t i = 0; i < n; i++)
        far[i] = 0;
    for (; j + 4 <= n_far; j += 4) {
        const REAL *t0 = r + s->offset[j], *t1 = r + s->offset[j + 1];
        const REAL *t2 = r + s->offset[j + 2], *t3 = r + s->offset[j + 3];
        const REAL w0 = s->weight[j], w1 = s->weight[j + 1], w2 = s->weight[j + 2], w3 = s->weight[j + 3];

        for (size_t i = 0; i < n; i++)
            far[i] = (((far[i] + w0 * t0[i]) + w1 * t1[i]) + w2 * t2[i]) + w3 * t3[i];
    }
    for (; j < n_far; j++) {
        const REAL *t0 = r + s->offset[j];
        const REAL w0 = s->weight[j];

        for (size_t i = 0; i < n; i++)
            far[i] = far[i] + w0 * t0[i];
    }
}

static void NAME(raster_segment)(const NAME(stencil) *s, size_t x0, size_t x1, double step, int32_t *q, const REAL *x,
                                 REAL *r)
{
    const uint32_t n_far = s->causal.n - s->causal.n_row;
    REAL far[SEGMENT];

    NAME(add_far)(s, n_far, r + x0, x1 - x0, far);
    for (size_t i = x0; i < x1; i++) {
        REAL p = far[i - x0];

        for (uint32_t j = n_far; j < s->causal.n; j++)
            p = p + s->weight[j] * *(r + i + s->offset[j]);
        NAME(raster_one)(&p, step, q + i, x ? x + i : NULL, r + i);
    }
}

static fmc_status NAME(raster)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, double step, int32_t *q,
                               REAL *r)
{
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
        if (NAME(is_inner_row)(plan, &s, at)) {
            NAME(raster_edge)(plan, at, 0, s.x_low, step, q + row * n, from, r + row * n);
            for (i = s.x_low; i < n - s.x_high;) {
                const size_t end = i + SEGMENT < n - s.x_high ? i + SEGMENT : n - s.x_high;

                NAME(raster_segment)(&s, i, end, step, q + row * n, from, r + row * n);
                i = end;
            }
        }
        NAME(raster_edge)(plan, at, i, n, step, q + row * n, from, r + row * n);
        fmc_next_row(plan->dim, at);
    }
    return FMC_OK;
}
