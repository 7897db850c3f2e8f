/* SPDX-License-Identifier: Apache-2.0 */
/* KLT for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

typedef struct NAME(klt_job) {
    const fmc_kernels *k;
    const fmc_lines   *lines;
    REAL              *data;
    const REAL        *matrix; /* [n][n] */
} NAME(klt_job);

static fmc_status NAME(klt_block)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(klt_job) *job = user;
    const size_t n = job->lines->n;
    REAL *x = scratch, *y = x + n * count;

    KERNEL(job->k, load_lanes)(x, count, job->data, off, count, job->lines->stride, n);
    KERNEL(job->k, mat_rows)(y, job->matrix, x, n, n, count);
    KERNEL(job->k, store_lanes)(y, count, job->data, off, count, job->lines->stride, n);
    return FMC_OK;
}

fmc_status NAME(fmc_klt_rotate)(const fmc_exec *ex, const fmc_lines *lines, const REAL *matrix, REAL *data)
{
    NAME(klt_job) job = { .k = fmc_kernels_get(ex), .lines = lines, .data = data, .matrix = matrix };
    const fmc_lines_work work = { .ex = ex, .lines = lines, .user = &job, .block = NAME(klt_block), .lanes = 32,
                                  .scratch_size = 2 * lines->n * 32 * sizeof(REAL) };

    return fmc_lines_run(&work);
}

fmc_status NAME(fmc_klt)(const fmc_exec *ex, const fmc_lines *lines, const fmc_tx_klt *klt, REAL *data, int is_inverse)
{
    const size_t n = lines->n;
    fmc_status st = FMC_OK;
    double *basis = NULL, *inverse = NULL;
    REAL *matrix = NULL;

    FMC_TRY(FMC_ALLOC(ex->alloc, n * n, &basis));
    FMC_TRY(FMC_ALLOC(ex->alloc, n * n, &matrix));
    FMC_TRY(fmc_klt_complete(ex->alloc, klt, basis));
    if (is_inverse) { /* x[i] = sum over j of c[j] * basis[j][i] */
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < n; i++)
                matrix[i * n + j] = (REAL)basis[j * n + i];
    } else {
        FMC_TRY(FMC_ALLOC(ex->alloc, n * n, &inverse));
        FMC_TRY(fmc_klt_invert(n, basis, inverse));
        for (size_t j = 0; j < n; j++) /* c = x * basis^-1 */
            for (size_t i = 0; i < n; i++)
                matrix[j * n + i] = (REAL)inverse[i * n + j];
    }
    FMC_TRY(NAME(fmc_klt_rotate)(ex, lines, matrix, data));
done:
    fmc_dealloc(ex->alloc, basis);
    fmc_dealloc(ex->alloc, inverse);
    fmc_dealloc(ex->alloc, matrix);
    return st;
}

/* Lines `first` to first + count - 1 of `wanted` that are spread evenly, as columns and as rows; zeros for the rest. */
static void NAME(load_lines)(const fmc_lines *lines, const REAL *data, size_t first, size_t count, size_t wanted,
                             size_t pitch, double *columns, double *rows)
{
    memset(rows, 0, LINES * pitch * sizeof *rows);
    for (size_t l = 0; l < count; l++) {
        size_t off;

        fmc_lines_offsets(lines, lines->count * (first + l) / wanted, 1, &off);
        for (size_t i = 0; i < lines->n; i++)
            rows[l * pitch + i] = (double)data[off + i * lines->stride];
    }
    for (size_t i = 0; i < pitch; i++)
        for (size_t l = 0; l < LINES; l++)
            columns[i * LINES + l] = rows[l * pitch + i];
}

/* Mean product of every pair of places along the lines, over at most a fixed number of lines spread evenly. */
static fmc_status NAME(covariance)(const fmc_exec *ex, const fmc_lines *lines, const REAL *data, double *cov)
{
    const size_t n = lines->n, pitch = (n + PAD - 1) / PAD * PAD, wanted = sample_lines(lines);
    double *columns = NULL, *rows, *product;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, 2 * pitch * LINES + pitch * pitch, &columns));
    rows = columns + pitch * LINES;
    product = rows + pitch * LINES;
    for (size_t i = 0; i < n * n; i++)
        cov[i] = 0;
    for (size_t s = 0; s < wanted; s += LINES) {
        const size_t count = wanted - s < LINES ? wanted - s : LINES;

        NAME(load_lines)(lines, data, s, count, wanted, pitch, columns, rows);
        fmc_kernels_get(ex)->mat_rows_f64(product, columns, rows, pitch, LINES, pitch);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                cov[i * n + j] += product[i * pitch + j] / (double)wanted;
    }
done:
    fmc_dealloc(ex->alloc, columns);
    return st;
}

fmc_status NAME(fmc_klt_make)(const fmc_exec *ex, const fmc_lines *lines, const REAL *data, double rmse_target,
                              fmc_tx_klt *klt, REAL *rotation)
{
    const size_t n = lines->n;
    fmc_status st = FMC_OK;
    double *work = NULL;

    if (n > FMC_TX_MAX_KLT)
        return FMC_ERR_ARG;
    FMC_TRY(FMC_ALLOC(ex->alloc, 2 * n * n, &work));
    FMC_TRY(NAME(covariance)(ex, lines, data, work));
    fmc_klt_eigen(n, work, work + n * n);
    fmc_klt_round(n, work, work + n * n, lines->count, rmse_target, klt);
    for (size_t i = 0; rotation && i < n * n; i++)
        rotation[i] = (REAL)work[n * n + i];
done:
    fmc_dealloc(ex->alloc, work);
    return st;
}

fmc_status NAME(fmc_tx_klt_make)(const fmc_exec *ex, const fmc_tx_plan *plan, uint32_t axis, const REAL *data,
                                 double rmse_target, fmc_tx_klt *klt)
{
    const fmc_lines lines = fmc_lines_make(plan->rank, plan->dim, plan->dim, axis);

    return NAME(fmc_klt_make)(ex, &lines, data, rmse_target, klt, NULL);
}
