/* SPDX-License-Identifier: Apache-2.0 */
/* Body of trellis.c for one real type: REAL, NAME(x). Included twice. */

typedef struct NAME(trellis_job) {
    fmc_exec inner; /* a task's own */
    const fmc_slice *slice;
    const REAL *c;
    const size_t *pitch;
    double step;
    fmc_trellis_rates *rates;
    int32_t *q;
    slice_sums *sums; /* one a slice */
} NAME(trellis_job);

/* times |c| / step of a row beside, shifted by dx, into w->around; what is outside adds nothing. */
static void NAME(add_near)(row_work *w, const REAL *c, float inverse, float times, ptrdiff_t dx, size_t n)
{
    const size_t lo = dx < 0 ? (size_t)-dx : 0, hi = dx > 0 ? (n > (size_t)dx ? n - (size_t)dx : 0) : n;

    for (size_t x = lo; x < hi; x++)
        w->around[x] += times * fabsf((float)c[(ptrdiff_t)x + dx]) * inverse;
}

/* Classes of neighbourhood: by the mean of the magnitudes around, in the band's plane and in the one before. */
static void NAME(classify)(const NAME(trellis_job) *j, const fmc_band *band, size_t row, const REAL *c, size_t n, row_work *w)
{
    const float inverse = (float)(1 / j->step);
    const size_t y = row % band->dim[3], z = row / band->dim[3] % band->dim[2];
    float total = 5;

    for (size_t x = 0; x < n; x++) {
        w->u[x] = fmin(fabs((double)c[x]) / j->step, FMC_COEF_MAX - 4);
        w->around[x] = 0;
    }
    NAME(add_near)(w, c, inverse, 2, -1, n);
    NAME(add_near)(w, c, inverse, 1, -2, n);
    NAME(add_near)(w, c, inverse, 2, 1, n);
    if (y > 0) {
        const REAL *north = c - j->pitch[3];

        NAME(add_near)(w, north, inverse, 2, 0, n);
        NAME(add_near)(w, north, inverse, 1, -1, n);
        NAME(add_near)(w, north, inverse, 1, 1, n);
        total += 4;
    }
    if (y + 1 < band->dim[3]) {
        NAME(add_near)(w, c + j->pitch[3], inverse, 1, 0, n);
        total += 1;
    }
    if (z > 0) {
        NAME(add_near)(w, c - j->pitch[2], inverse, 2, 0, n);
        total += 2;
    }
    for (size_t x = 0; x < n; x++) {
        const float ends = (float)(2 * (x == 0) + (x < 2) + 2 * (x + 1 == n));

        w->busy[x] = busy_class(w->around[x] / (total - ends > 0 ? total - ends : 1));
    }
}

static void NAME(put_row)(const REAL *c, size_t n, const row_work *w, int32_t *q, slice_sums *sums)
{
    for (size_t x = 0; x < n; x++) {
        const int32_t k = w->integer[x * STATES], z = w->from[x * STATES], m = k ? 2 * k - z : 0;
        const double d = w->u[x] - (double)m;

        q[x] = c[x] < 0 ? -m : m;
        sums->count[w->busy[x]][z][k < SIZES ? k : SIZES - 1]++;
        sums->n[m < 3 ? m : 3]++;
        sums->sum[m < 3 ? m : 3] += d;
        sums->square += d * d;
    }
}

/* Low bands: the nearest even multiple. */
static void NAME(plain_row)(const REAL *c, size_t n, double step, int32_t *q, slice_sums *sums)
{
    for (size_t x = 0; x < n; x++) {
        const double u = (double)c[x] / step, v = nearbyint(u * 0.5), most = FMC_COEF_MAX / 2;
        const int32_t k = (int32_t)(v > most ? most : v < -most ? -most : v);

        q[x] = 2 * k;
        sums->square += (u - 2 * (double)k) * (u - 2 * (double)k);
    }
}

static fmc_status NAME(trellis_slice)(void *user, uint32_t i)
{
    const NAME(trellis_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    const unsigned band_class = fmc_coef_class(s->band);
    const size_t n = s->band->dim[4];
    row_work w;
    fmc_status st;

    FMC_TRY(row_work_init(j->inner.alloc, n, &w));
    for (size_t r = s->row; r < s->row + s->n_rows; r++) {
        const REAL *c = j->c + fmc_slices_row_start(s->band, r, j->pitch);
        int32_t *q = j->q + s->band->start + r * n;

        if (s->band->is_low) {
            NAME(plain_row)(c, n, j->step, q, &j->sums[i]);
            continue;
        }
        NAME(classify)(j, s->band, r, c, n, &w);
        search_row(j->rates->bits[band_class], n, &w);
        NAME(put_row)(c, n, &w, q, &j->sums[i]);
    }
done:
    row_work_fini(j->inner.alloc, &w);
    return st;
}

fmc_status NAME(fmc_trellis)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const REAL *c, const size_t *pitch,
                             const fmc_quantiser *z, fmc_trellis_rates *rates, int32_t *q, double *error2)
{
    NAME(trellis_job) j = { .inner = *ex, .c = c, .pitch = pitch, .step = z->step, .rates = rates, .q = q };
    slice_sums total = { 0 };
    count_table *count = NULL;
    fmc_slice *slice = NULL;
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &j.sums));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, FMC_COEF_CLASSES, &count));
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(trellis_slice), &j));
    for (size_t i = 0; i < n; i++) {
        add_sums(&j.sums[i], &total, z->gain ? (double)z->gain[slice[i].band - band] : 1);
        add_counts(j.sums[i].count, count[fmc_coef_class(slice[i].band)]);
    }
    if (rates->rounds < MOST_ROUNDS) {
        measured_rates(count, rates->bits);
        rates->rounds++;
    }
    *error2 = squared_error(&total) * z->step * z->step;
done:
    fmc_dealloc(ex->alloc, slice);
    fmc_dealloc(ex->alloc, j.sums);
    fmc_dealloc(ex->alloc, count);
    return st;
}
