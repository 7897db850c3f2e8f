/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates for one real type; REAL and NAME(x) defined. */

typedef struct NAME(size_job) {
    const fmc_tx_plan *plan;
    const REAL        *layout;
    fmc_band          *band;
    piece             *pieces;
    size_t             n_bands, n_pieces;
    uint16_t          *mag;      /* band-major */
    double             inv_rmse, inv_step;
    uint16_t          *scratch;  /* 2 max_row for each piece */
    size_t             count, max_row;   /* samples; longest row of a band */
    level_counts      *levels;
    counts            *counts;   /* one a piece */
    totals            *total;
} NAME(size_job);

/* Of so many coefficients, one is counted: returned. */
static double NAME(count_levels)(const NAME(size_job) *j)
{
    const size_t every = j->count > 32768 ? 4 : 1;
    const REAL inverse = (REAL)j->inv_rmse;
    level_counts *h = j->levels;

    memset(h, 0, sizeof *h);
    for (size_t i = 0; i < j->count; i += 64 * every) {
        const size_t end = j->count - i < 64 ? j->count : i + 64;

        for (size_t k = i; k < end; k++)
            h->n[float_bits((float)(j->layout[k] * inverse)) >> 20 & (LEVELS - 1)]++;
    }
    return (double)every;
}

static void NAME(quantise_row)(const REAL *restrict c, REAL inverse, size_t n, uint16_t *restrict mag)
{
    for (size_t x = 0; x < n; x++) {
        const REAL u = (c[x] < 0 ? -c[x] : c[x]) * inverse + (REAL)(1 - DEAD_ZONE);

        mag[x] = (uint16_t)(int32_t)(u < (REAL)MAX_MAGNITUDE ? u : (REAL)MAX_MAGNITUDE);
    }
}

static size_t NAME(row_start)(const fmc_tx_plan *plan, const fmc_band *b, size_t row)
{
    size_t at = b->origin[FMC_MAX_RANK - 1], step = plan->dim[plan->rank - 1];

    for (uint32_t a = plan->rank - 1; a-- > 0;) {
        const size_t i = a + FMC_MAX_RANK - plan->rank;

        at += (b->origin[i] + row % b->dim[i]) * step;
        row /= b->dim[i];
        step *= plan->dim[a];
    }
    return at;
}

static fmc_status NAME(quantise_piece)(void *user, uint32_t i)
{
    const NAME(size_job) *j = user;
    const piece *p = &j->pieces[i];
    const fmc_band *b = &j->band[p->band];
    const size_t n = b->dim[FMC_MAX_RANK - 1];

    for (size_t r = p->row; r < p->row + p->n_rows; r++)
        NAME(quantise_row)(j->layout + NAME(row_start)(j->plan, b, r), (REAL)j->inv_step, n, j->mag + b->start + r * n);
    return FMC_OK;
}

static inline int32_t NAME(quantise_one)(REAL v, REAL inverse)
{
    const REAL u = (v < 0 ? -v : v) * inverse + (REAL)(1 - DEAD_ZONE);
    const int32_t a = (int32_t)(u < (REAL)(1 << 28) ? u : (REAL)(1 << 28));

    return v < 0 ? -a : a;
}

/* The lowest band is coded as differences from a gradient. */
static void NAME(difference_low)(const NAME(size_job) *j)
{
    const fmc_band *b = &j->band[0];
    const size_t n = b->dim[FMC_MAX_RANK - 1], height = b->dim[FMC_MAX_RANK - 2], rows = b->count / n;
    const REAL inverse = (REAL)j->inv_step;

    for (size_t r = 0; r < rows; r++) {
        const REAL *c = j->layout + NAME(row_start)(j->plan, b, r);
        const REAL *north = r % height ? j->layout + NAME(row_start)(j->plan, b, r - 1) : NULL;
        const REAL *up = r >= height ? j->layout + NAME(row_start)(j->plan, b, r - height) : NULL;

        for (size_t x = 0; x < n; x++) {
            int32_t d = NAME(quantise_one)(c[x], inverse);

            if (x > 0)
                d -= NAME(quantise_one)(c[x - 1], inverse);
            if (north)
                d -= NAME(quantise_one)(north[x], inverse) - (x > 0 ? NAME(quantise_one)(north[x - 1], inverse) : 0);
            if (x == 0 && !north && up)
                d -= NAME(quantise_one)(up[0], inverse);
            d = d < 0 ? -d : d;
            j->mag[b->start + r * n + x] = (uint16_t)(d < MAX_MAGNITUDE ? d : MAX_MAGNITUDE);
        }
    }
}

static fmc_status NAME(count_piece)(void *user, uint32_t i)
{
    const NAME(size_job) *j = user;
    const piece *p = &j->pieces[i];
    const fmc_band *b = &j->band[p->band];
    uint16_t *sum = j->scratch + (size_t)i * 2 * j->max_row;

    for (size_t r = p->row + p->every / 2; r < p->row + p->n_rows; r += p->every)
        count_row(j->band, b, j->mag, r, sum, (uint8_t *)(sum + j->max_row), &j->counts[i]);
    return FMC_OK;
}

static void NAME(free_job)(const fmc_exec *ex, NAME(size_job) *j)
{
    fmc_dealloc(ex->alloc, j->band);
    fmc_dealloc(ex->alloc, j->pieces);
    fmc_dealloc(ex->alloc, j->levels);
    fmc_dealloc(ex->alloc, j->mag);
    fmc_dealloc(ex->alloc, j->scratch);
    fmc_dealloc(ex->alloc, j->counts);
    fmc_dealloc(ex->alloc, j->total);
}

/* Bands, pieces and the memory for them. */
static fmc_status NAME(prepare)(const fmc_exec *ex, NAME(size_job) *j)
{
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &j->band));
    j->n_bands = fmc_tx_bands(j->plan, j->band);
    for (size_t i = 0; i < j->n_bands; i++) {
        const fmc_band *b = &j->band[i];

        j->n_pieces += parts_of(b);
        j->count += b->count;
        j->max_row = b->dim[FMC_MAX_RANK - 1] > j->max_row ? b->dim[FMC_MAX_RANK - 1] : j->max_row;
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, j->n_pieces, &j->pieces));
    cut_pieces(j->band, j->n_bands, j->count, j->pieces);
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &j->levels));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &j->total));
    FMC_TRY(FMC_ALLOC(ex->alloc, j->count, &j->mag));
    FMC_TRY(FMC_ALLOC(ex->alloc, 2 * j->n_pieces * j->max_row, &j->scratch));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, j->n_pieces, &j->counts));
done:
    return st;
}

fmc_status NAME(fmc_tx_size)(const fmc_exec *ex, const fmc_tx_plan *plan, const REAL *layout, double rmse, double step,
                             fmc_tx_size *size)
{
    NAME(size_job) j = { .plan = plan, .layout = layout, .inv_rmse = 1 / rmse };
    double every, ratio;
    fmc_status st;

    FMC_TRY(NAME(prepare)(ex, &j));
    every = NAME(count_levels)(&j);
    size->step = step > 0 ? step : find_step(j.levels) * rmse;
    ratio = size->step / rmse;
    size->error = every * error_at(j.levels, ratio) / (ratio * ratio);
    j.inv_step = 1 / size->step;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)j.n_pieces, NAME(quantise_piece), &j));
    if (j.band[0].is_low)
        NAME(difference_low)(&j);
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)j.n_pieces, NAME(count_piece), &j));
    for (size_t i = 0; i < j.n_pieces; i++)
        add_counts(&j.counts[i], &j.pieces[i], j.total);
    size->bits = entropy(j.total, &size->learn);
    size->bits *= correction(plan, size->bits / (double)j.count);
done:
    NAME(free_job)(ex, &j);
    return st;
}
