/* SPDX-License-Identifier: Apache-2.0 */
/* Body of quantise.c for one real type: REAL, NAME(x). Included twice. */

typedef struct NAME(quant_job) {
    const fmc_slice *slice;
    const REAL *c;
    const fmc_quantiser *z;
    int32_t *q;
    bin_stats *stats;  /* one a slice */
    uint32_t sampling; /* every so many rows of the larger bands */
} NAME(quant_job);

/*
 * Nearest integers with a dead zone: the rarer a nonzero is around here (mean magnitude of the four neighbours), the
 * further a value must be from 0 to count. log2 is read off the float's bits. Free to differ: encoder only.
 */
static inline int32_t NAME(quantise_one)(REAL c, REAL west, REAL east, REAL north, REAL south, REAL inverse,
                                         float scale, float half_lambda)
{
    const float sum = (fabsf((float)west) + fabsf((float)east) + fabsf((float)north) + fabsf((float)south)) * scale;
    const float log2_mean = 128.4f - (float)float_bits(sum + 0.02f) * 1.1920929e-7f; /* 1.4 - log2(mean) */
    const float rare = log2_mean < 0.3f ? 0.3f : log2_mean < 8.0f ? log2_mean : 8.0f;
    const REAL u = (c < 0 ? -c : c) * inverse, most = (REAL)FMC_COEF_MAX;
    const REAL limited = u < most ? u : most; /* NaN, where the step is beyond the type's range, gives most */
    const REAL cut = (REAL)half_lambda * (limited < (REAL)1.5 ? (REAL)rare : (REAL)1);
    const int32_t a = (int32_t)(limited + (REAL)0.5 - cut);

    return c < 0 ? -a : a;
}

static void NAME(quantise_row)(const REAL *restrict c, const REAL *restrict north, const REAL *restrict south,
                               size_t n, const fmc_quantiser *z, int32_t *restrict q)
{
    const REAL inverse = (REAL)(1.0 / z->step);
    const float scale = (float)(0.25 / z->step), half = 0.5f * z->lambda;

    q[0] = NAME(quantise_one)(c[0], c[0], c[n > 1], north[0], south[0], inverse, scale, half);
    for (size_t x = 1; x + 1 < n; x++)
        q[x] = NAME(quantise_one)(c[x], c[x - 1], c[x + 1], north[x], south[x], inverse, scale, half);
    if (n > 1)
        q[n - 1] = NAME(quantise_one)(c[n - 1], c[n - 2], c[n - 1], north[n - 1], south[n - 1], inverse, scale, half);
}

static void NAME(count_row)(lane_sums *s, const REAL *restrict c, const int32_t *restrict q, size_t n, REAL inverse)
{
    float rest[ROW_PART];
    int32_t size[ROW_PART];

    for (size_t x = 0; x < n; x++) {
        size[x] = q[x] < 0 ? -q[x] : q[x];
        rest[x] = (float)((c[x] < 0 ? -c[x] : c[x]) * inverse - (REAL)size[x]);
    }
    for (size_t x = n; x % LANES; x++) { /* zeros change no sum that is used */
        size[x] = 0;
        rest[x] = 0;
    }
    count_lanes(s, rest, size, n);
}

static fmc_status NAME(quantise_slice)(void *user, uint32_t i)
{
    const NAME(quant_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    const size_t n = s->band->dim[4], height = s->band->dim[3];
    const size_t every = s->band->count > SMALL_BAND ? j->sampling : 1;
    const REAL inverse = (REAL)(1.0 / j->z->step);
    lane_sums sums = { 0 };
    int32_t local[ROW_PART];

    for (size_t r = s->row; r < s->row + s->n_rows; r += every) {
        const REAL *c = j->c + s->band->start + r * n;
        const REAL *north = r % height ? c - n : c, *south = (r + 1) % height ? c + n : c;

        for (size_t x = 0; x < n; x += ROW_PART) {
            const size_t part = n - x < ROW_PART ? n - x : ROW_PART;
            int32_t *q = j->q ? j->q + s->band->start + r * n + x : local;

            NAME(quantise_row)(c + x, north + x, south + x, part, j->z, q);
            NAME(count_row)(&sums, c + x, q, part, inverse);
        }
    }
    add_lanes(&j->stats[i], &sums, (double)every);
    return FMC_OK;
}

fmc_status NAME(fmc_quantise)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const REAL *c,
                              const fmc_quantiser *z, uint32_t sampling, int32_t *q, double *error2)
{
    NAME(quant_job) j = { .c = c, .z = z, .q = q, .sampling = q ? 1 : sampling };
    fmc_slice *slice = NULL;
    bin_stats total = { 0 };
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &j.stats));
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(quantise_slice), &j));
    add_stats(&total, j.stats, n);
    *error2 = squared_error(&total) * z->step * z->step;
done:
    fmc_dealloc(ex->alloc, slice);
    fmc_dealloc(ex->alloc, j.stats);
    return st;
}

static fmc_status NAME(centre_slice)(void *user, uint32_t i)
{
    const NAME(quant_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    const REAL inverse = (REAL)(1.0 / j->z->step);
    const size_t n = s->band->dim[4];
    uint8_t busy[ROW_PART];

    for (size_t r = s->row; r < s->row + s->n_rows; r++)
        for (size_t x = 0; x < n; x += ROW_PART) {
            const size_t part = n - x < ROW_PART ? n - x : ROW_PART, at = s->band->start + r * n + x;

            classify_row(s->band, j->q, r, x, part, busy);
            for (size_t k = 0; k < part; k++) {
                const int32_t a = j->q[at + k] < 0 ? -j->q[at + k] : j->q[at + k];

                if (a) {
                    const REAL u = (j->c[at + k] < 0 ? -j->c[at + k] : j->c[at + k]) * inverse;
                    const int m = a > 3 ? 2 : a - 1;

                    j->stats[i].n[busy[k] >> 2][m + 1] += 1;
                    j->stats[i].sum[busy[k] >> 2][m + 1] += (double)u - a;
                }
            }
        }
    return FMC_OK;
}

fmc_status NAME(fmc_quantise_centres)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const REAL *c,
                                      const int32_t *q, fmc_quantiser *z)
{
    NAME(quant_job) j = { .c = c, .z = z, .q = (int32_t *)(uintptr_t)q };
    fmc_slice *slice = NULL;
    bin_stats total = { 0 };
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &j.stats));
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(centre_slice), &j));
    add_stats(&total, j.stats, n);
    set_centres(&total, z);
done:
    fmc_dealloc(ex->alloc, slice);
    fmc_dealloc(ex->alloc, j.stats);
    return st;
}

typedef struct NAME(dequant_job) {
    const fmc_slice *slice;
    const int32_t *q;
    const fmc_quantiser *z;
    REAL *c;
} NAME(dequant_job);

static void NAME(dequantise_part)(const int32_t *restrict q, const REAL *restrict centre, size_t n, REAL step,
                                  REAL *restrict c)
{
    for (size_t k = 0; k < n; k++) {
        const int32_t a = q[k] < 0 ? -q[k] : q[k];
        const REAL m = ((REAL)a + centre[k]) * step;

        c[k] = q[k] < 0 ? -m : m;
    }
}

static fmc_status NAME(dequantise_slice)(void *user, uint32_t i)
{
    const NAME(dequant_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    const size_t n = s->band->dim[4];
    uint8_t busy[ROW_PART];
    REAL value[4 * FMC_QUANT_CLASSES], centre[ROW_PART];
    const REAL step = (REAL)j->z->step;

    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < 4; m++)
            value[4 * k + m] = m ? (REAL)j->z->centre[k][m - 1] * (REAL)0.00390625 : (REAL)0;
    for (size_t r = s->row; r < s->row + s->n_rows; r++)
        for (size_t x = 0; x < n; x += ROW_PART) {
            const size_t part = n - x < ROW_PART ? n - x : ROW_PART, at = s->band->start + r * n + x;

            classify_row(s->band, j->q, r, x, part, busy);
            for (size_t k = 0; k < part; k++)
                centre[k] = value[busy[k]];
            NAME(dequantise_part)(j->q + at, centre, part, step, j->c + at);
        }
    return FMC_OK;
}

fmc_status NAME(fmc_dequantise)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                                const fmc_quantiser *z, REAL *c)
{
    NAME(dequant_job) j = { .q = q, .z = z, .c = c };
    fmc_slice *slice = NULL;
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(dequantise_slice), &j));
done:
    fmc_dealloc(ex->alloc, slice);
    return st;
}
