/* SPDX-License-Identifier: Apache-2.0 */
/* Body of quantise.c for one real type: REAL, NAME(x). Included twice. */

typedef struct NAME(quant_job) {
    fmc_exec inner;    /* a task's own */
    const fmc_kernels *kernels;
    const fmc_slice *slice;
    const REAL *c;
    const size_t *pitch;
    const fmc_quantiser *z;
    int32_t *q;
    bin_stats *stats;  /* one a slice */
    uint32_t sampling; /* one of so many rows of the larger bands */
} NAME(quant_job);

static fmc_status NAME(quantise_slice)(void *user, uint32_t i)
{
    const NAME(quant_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    const size_t n = s->band->dim[4], every = s->band->count > SMALL_BAND ? j->sampling : 1;
    const fmc_quant_step step = { j->z->step, j->z->lambda };
    fmc_quant_sums sums = { 0 };
    int32_t *local = NULL;
    size_t n_read = 0;
    fmc_status st = FMC_OK;

    if (!j->q)
        FMC_TRY(FMC_ALLOC(j->inner.alloc, n, &local));
    for (size_t k = 0, r = 0; r < s->n_rows; r = sampled_row(++k, every), n_read++) {
        const near_rows at = coefficients_at(s->band, s->row + r, j->pitch);
        int32_t *q = j->q ? j->q + s->band->start + (s->row + r) * n : local;

        KERNEL(j->kernels, quantise_row)(q, j->c + at.own, j->c + at.north, j->c + at.south, n, &step, &sums);
    }
    add_quant_sums(&j->stats[i], &sums, (double)s->n_rows / (double)n_read);
done:
    fmc_dealloc(j->inner.alloc, local);
    return st;
}

fmc_status NAME(fmc_quantise)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const REAL *c,
                              const size_t *pitch, const fmc_quantiser *z, uint32_t sampling, int32_t *q, double *error2)
{
    NAME(quant_job) j = { .inner = *ex, .kernels = fmc_kernels_get(ex), .c = c, .pitch = pitch, .z = z, .q = q,
                          .sampling = q ? 1 : sampling };
    fmc_slice *slice = NULL;
    bin_stats total = { 0 };
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &j.stats));
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(quantise_slice), &j));
    for (size_t i = 0; i < n; i++)
        add_stats(&total, &j.stats[i], 1, z->gain ? (double)z->gain[slice[i].band - band] : 1);
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
    const size_t every = centre_sampling(s->band);
    fmc_centre_sums sums = { 0 };

    for (size_t r = s->row; r < s->row + s->n_rows; r += every) {
        const near_rows at = rows_at(s->band, r);
        const size_t c = j->pitch ? coefficients_at(s->band, r, j->pitch).own : at.own;

        KERNEL(j->kernels, centre_row)(j->q + at.own, j->q + at.north, j->q + at.south, j->c + c,
                                       s->band->dim[4], j->z->step, &sums);
    }
    add_centre_sums(&j->stats[i], &sums, (double)every);
    return FMC_OK;
}

fmc_status NAME(fmc_quantise_centres)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const REAL *c,
                                      const size_t *pitch, const int32_t *q, fmc_quantiser *z)
{
    NAME(quant_job) j = { .inner = *ex, .kernels = fmc_kernels_get(ex), .c = c, .pitch = pitch, .z = z,
                          .q = (int32_t *)(uintptr_t)q };
    fmc_slice *slice = NULL;
    bin_stats total = { 0 };
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &j.stats));
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, NAME(centre_slice), &j));
    add_stats(&total, j.stats, n, 1);
    set_centres(&total, z);
done:
    fmc_dealloc(ex->alloc, slice);
    fmc_dealloc(ex->alloc, j.stats);
    return st;
}

typedef struct NAME(dequant_job) {
    const fmc_kernels *kernels;
    const fmc_slice *slice;
    const int32_t *q;
    const fmc_quantiser *z;
    const size_t *pitch;
    REAL *c;
} NAME(dequant_job);

static fmc_status NAME(dequantise_slice)(void *user, uint32_t i)
{
    const NAME(dequant_job) *j = user;
    const fmc_slice *s = &j->slice[i];
    REAL centre[4 * FMC_QUANT_CLASSES];

    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < 4; m++)
            centre[4 * k + m] = m ? (REAL)j->z->centre[k][m - 1] * (REAL)0.00390625 : (REAL)0;
    for (size_t r = s->row; r < s->row + s->n_rows; r++) {
        const near_rows at = rows_at(s->band, r);
        const size_t c = j->pitch ? coefficients_at(s->band, r, j->pitch).own : at.own;

        KERNEL(j->kernels, dequantise_row)(j->c + c, j->q + at.own, j->q + at.north, j->q + at.south,
                                           s->band->dim[4], j->z->step, centre);
    }
    return FMC_OK;
}

fmc_status NAME(fmc_dequantise)(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                                const fmc_quantiser *z, const size_t *pitch, REAL *c)
{
    NAME(dequant_job) j = { .kernels = fmc_kernels_get(ex), .q = q, .z = z, .pitch = pitch, .c = c };
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
