/* SPDX-License-Identifier: Apache-2.0 */
/* Spectral transforms for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

/* What all blocks share. */
typedef struct NAME(spectral_job) {
    const fmc_kernels *k;
    const fmc_lines   *lines;
    REAL              *data;
    uint32_t           kind;
    size_t             n;
    fft_passes         passes;
    REAL               first, gain;
    REAL              *root;   /* [n] cosine, -sine of 2 pi k / n; NULL: dense */
    REAL              *turn;   /* DCT: [n / 2 + 1] */
    REAL              *matrix; /* dense: [n][n], the way that is asked for */
} NAME(spectral_job);

static size_t NAME(pair_size)(size_t n)
{
    return n * FMC_LANES;
}

/* Lines into the lanes of one half of a complex block; DCT lines with even samples first, odd ones backwards. */
static void NAME(load_half)(const NAME(spectral_job) *job, REAL *x, const size_t *off, size_t count, int is_permuted)
{
    const size_t n = job->n, stride = job->lines->stride, n_low = (n + 1) / 2, n_high = n / 2;

    if (count < FMC_LANES)
        memset(x, 0, NAME(pair_size)(n) * sizeof *x);
    if (count == 0)
        return;
    if (!is_permuted) {
        KERNEL(job->k, load_lanes)(x, FMC_LANES, job->data, off, count, stride, n);
        return;
    }
    KERNEL(job->k, load_lanes)(x, FMC_LANES, job->data, off, count, 2 * stride, n_low);
    if (n_high > 0)
        KERNEL(job->k, load_lanes)(x + n_low * FMC_LANES, FMC_LANES, job->data + (2 * n_high - 1) * stride, off, count,
                                   (size_t)0 - 2 * stride, n_high);
}

static void NAME(store_half)(const NAME(spectral_job) *job, const REAL *x, const size_t *off, size_t count,
                             int is_permuted)
{
    const size_t n = job->n, stride = job->lines->stride, n_low = (n + 1) / 2, n_high = n / 2;

    if (count == 0)
        return;
    if (!is_permuted) {
        KERNEL(job->k, store_lanes)(x, FMC_LANES, job->data, off, count, stride, n);
        return;
    }
    KERNEL(job->k, store_lanes)(x, FMC_LANES, job->data, off, count, 2 * stride, n_low);
    if (n_high > 0)
        KERNEL(job->k, store_lanes)(x + n_low * FMC_LANES, FMC_LANES, job->data + (2 * n_high - 1) * stride, off, count,
                                    (size_t)0 - 2 * stride, n_high);
}

/* The complex transform of buf[0] (re, im behind each other); the result is in the buffer that is returned. */
static REAL *NAME(run_passes)(const NAME(spectral_job) *job, REAL *buf[2], int is_swapped)
{
    const size_t size = NAME(pair_size)(job->n);
    size_t from = 0;

    for (uint32_t i = 0; i < job->passes.n; i++, from = 1 - from) {
        REAL *in = buf[from], *out = buf[1 - from];

        if (is_swapped)
            KERNEL(job->k, fft_pass)(&job->passes.pass[i], job->root, in + size, in, out + size, out);
        else
            KERNEL(job->k, fft_pass)(&job->passes.pass[i], job->root, in, in + size, out, out + size);
    }
    return buf[from];
}

static fmc_status NAME(forward_block)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(spectral_job) *job = user;
    const size_t n = job->n, size = NAME(pair_size)(n);
    const size_t n_a = count < FMC_LANES ? count : FMC_LANES, n_b = count - n_a;
    REAL *buf[2] = { scratch, (REAL *)scratch + 2 * size };
    const int is_dct = job->kind == FMC_TX_DCT;
    REAL *z, *out;

    NAME(load_half)(job, buf[0], off, n_a, is_dct);
    NAME(load_half)(job, buf[0] + size, off + n_a, n_b, is_dct);
    z = NAME(run_passes)(job, buf, 0);
    out = z == buf[0] ? buf[1] : buf[0];
    if (is_dct)
        KERNEL(job->k, dct_tail)(n, job->first, job->turn, z, z + size, out, out + size);
    else
        KERNEL(job->k, dft_tail)(n, job->first, job->gain, z, z + size, out, out + size);
    NAME(store_half)(job, out, off, n_a, 0);
    NAME(store_half)(job, out + size, off + n_a, n_b, 0);
    return FMC_OK;
}

static fmc_status NAME(inverse_block)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(spectral_job) *job = user;
    const size_t n = job->n, size = NAME(pair_size)(n);
    const size_t n_a = count < FMC_LANES ? count : FMC_LANES, n_b = count - n_a;
    REAL *buf[2] = { scratch, (REAL *)scratch + 2 * size };
    const int is_dct = job->kind == FMC_TX_DCT;
    REAL *x;

    NAME(load_half)(job, buf[1], off, n_a, 0);
    NAME(load_half)(job, buf[1] + size, off + n_a, n_b, 0);
    if (is_dct)
        KERNEL(job->k, dct_head)(n, job->first, job->turn, buf[1], buf[1] + size, buf[0], buf[0] + size);
    else
        KERNEL(job->k, dft_head)(n, job->first, job->gain, buf[1], buf[1] + size, buf[0], buf[0] + size);
    x = NAME(run_passes)(job, buf, 1);
    NAME(store_half)(job, x, off, n_a, is_dct);
    NAME(store_half)(job, x + size, off + n_a, n_b, is_dct);
    return FMC_OK;
}

static fmc_status NAME(dense_block)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(spectral_job) *job = user;
    const size_t n = job->n;
    REAL *x = scratch, *y = x + n * count;

    KERNEL(job->k, load_lanes)(x, count, job->data, off, count, job->lines->stride, n);
    KERNEL(job->k, mat_rows)(y, job->matrix, x, n, n, count);
    KERNEL(job->k, store_lanes)(y, count, job->data, off, count, job->lines->stride, n);
    return FMC_OK;
}

static fmc_status NAME(make_matrix)(NAME(spectral_job) *job, const fmc_allocator *alloc, int is_inverse)
{
    const size_t n = job->n;
    fmc_status st = FMC_OK;
    double *wave = NULL;

    FMC_TRY(FMC_ALLOC(alloc, n * n, &job->matrix));
    FMC_TRY(FMC_ALLOC(alloc, 8 * n, &wave));
    make_waves(n, wave);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            job->matrix[is_inverse ? i * n + k : k * n + i] = (REAL)basis_value(job->kind, n, k, i, wave);
done:
    fmc_dealloc(alloc, wave);
    return st;
}

static fmc_status NAME(make_tables)(NAME(spectral_job) *job, const fmc_allocator *alloc)
{
    const size_t n = job->n;
    const double gain = sqrt(1.0 / (double)(2 * n));
    fmc_status st = FMC_OK;

    job->first = (REAL)sqrt(1.0 / (double)n);
    job->gain = (REAL)gain;
    FMC_TRY(FMC_ALLOC(alloc, 2 * n, &job->root));
    FMC_TRY(FMC_ALLOC(alloc, n + 2, &job->turn));
    for (size_t k = 0; k < n; k++) {
        double c, s;

        fmc_trig((uint32_t)k, (uint32_t)n, &c, &s);
        job->root[2 * k] = (REAL)c;
        job->root[2 * k + 1] = (REAL)-s;
    }
    for (size_t k = 0; k <= n / 2; k++) {
        double c, s;

        fmc_trig((uint32_t)k, (uint32_t)(4 * n), &c, &s);
        job->turn[2 * k] = (REAL)(gain * c);
        job->turn[2 * k + 1] = (REAL)(gain * s);
    }
done:
    return st;
}

fmc_status NAME(fmc_spectral)(const fmc_exec *ex, const fmc_lines *lines, uint32_t kind, REAL *data, int is_inverse)
{
    NAME(spectral_job) job = { .k = fmc_kernels_get(ex), .lines = lines, .data = data, .kind = kind, .n = lines->n };
    fmc_lines_work work = { .ex = ex, .lines = lines, .user = &job, .lanes = 2 * FMC_LANES };
    fmc_status st = FMC_OK;

    if (is_dense(lines->n)) {
        FMC_TRY(NAME(make_matrix)(&job, ex->alloc, is_inverse));
        work.block = NAME(dense_block);
        work.scratch_size = 2 * job.n * work.lanes * sizeof(REAL);
    } else {
        job.passes = make_passes(job.n);
        FMC_TRY(NAME(make_tables)(&job, ex->alloc));
        work.block = is_inverse ? NAME(inverse_block) : NAME(forward_block);
        work.scratch_size = 4 * NAME(pair_size)(job.n) * sizeof(REAL);
    }
    FMC_TRY(fmc_lines_run(&work));
done:
    fmc_dealloc(ex->alloc, job.root);
    fmc_dealloc(ex->alloc, job.turn);
    fmc_dealloc(ex->alloc, job.matrix);
    return st;
}
