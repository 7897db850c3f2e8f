/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lifting for one real type; REAL, NAME(x) and KERNEL(k, x) defined. Two ways with the same bits: lines side by side in
 * lanes, and single lines split into their even and odd samples.
 */

static const REAL NAME(lift_weights)[6] = { (REAL)LIFT_0, (REAL)LIFT_1, (REAL)LIFT_2, (REAL)LIFT_3, (REAL)LOW_GAIN,
                                            (REAL)HIGH_GAIN };

static const REAL NAME(long_weights)[11] = { (REAL)LONG_0, (REAL)LONG_1, (REAL)LONG_2, (REAL)LONG_2_WIDE, (REAL)LONG_3,
                                             (REAL)LONG_4, (REAL)LONG_5, (REAL)LONG_6, (REAL)LONG_7, (REAL)LONG_LOW_GAIN,
                                             (REAL)LONG_HIGH_GAIN };

typedef struct NAME(lift_job) {
    const fmc_kernels *k;
    const fmc_lines   *lines;
    REAL              *data;
    int                is_long;
} NAME(lift_job);

static fmc_status NAME(forward_lanes)(void *user, void *scratch, const size_t *off, size_t lanes)
{
    const NAME(lift_job) *job = user;
    const fmc_kernels *k = job->k;
    const size_t n = job->lines->n, stride = job->lines->stride, n_low = (n + 1) / 2;
    REAL *x = scratch;

    KERNEL(k, load_lanes)(x, lanes, job->data, off, lanes, stride, n);
    if (job->is_long)
        KERNEL(k, lift_long_forward)(x, n, lanes, NAME(long_weights));
    else
        KERNEL(k, lift_forward)(x, n, lanes, NAME(lift_weights));
    KERNEL(k, store_lanes)(x, 2 * lanes, job->data, off, lanes, stride, n_low);
    KERNEL(k, store_lanes)(x + lanes, 2 * lanes, job->data + n_low * stride, off, lanes, stride, n - n_low);
    return FMC_OK;
}

static fmc_status NAME(inverse_lanes)(void *user, void *scratch, const size_t *off, size_t lanes)
{
    const NAME(lift_job) *job = user;
    const fmc_kernels *k = job->k;
    const size_t n = job->lines->n, stride = job->lines->stride, n_low = (n + 1) / 2;
    REAL *x = scratch;

    KERNEL(k, load_lanes)(x, 2 * lanes, job->data, off, lanes, stride, n_low);
    KERNEL(k, load_lanes)(x + lanes, 2 * lanes, job->data + n_low * stride, off, lanes, stride, n - n_low);
    if (job->is_long)
        KERNEL(k, lift_long_inverse)(x, n, lanes, NAME(long_weights));
    else
        KERNEL(k, lift_inverse)(x, n, lanes, NAME(lift_weights));
    KERNEL(k, store_lanes)(x, lanes, job->data, off, lanes, stride, n);
    return FMC_OK;
}

/* One step on a line split in two: even has n_low samples and room behind, odd has room before and behind. */
static void NAME(lift_split)(const fmc_kernels *k, REAL *even, REAL *odd, size_t n, size_t s, REAL a)
{
    const size_t n_low = (n + 1) / 2, n_high = n / 2;

    if (s % 2 == 0) {
        if (n_low == n_high)
            even[n_low] = even[n_low - 1];
        KERNEL(k, lift_line)(odd, even, a, n_high);
    } else {
        odd[-1] = odd[0];
        if (n_low > n_high)
            odd[n_high] = odd[n_high - 1];
        KERNEL(k, lift_line)(even, odd - 1, a, n_low);
    }
}

static void NAME(forward_line)(const NAME(lift_job) *job, REAL *even, REAL *line)
{
    const fmc_kernels *k = job->k;
    const size_t n = job->lines->n, n_low = (n + 1) / 2, stride = job->lines->stride;
    REAL *odd = even + n_low + 2;

    if (stride == 1) {
        KERNEL(k, split)(even, odd, line, n);
    } else {
        KERNEL(k, load_lanes)(even, 1, line, &(size_t){ 0 }, 1, 2 * stride, n_low);
        KERNEL(k, load_lanes)(odd, 1, line + stride, &(size_t){ 0 }, 1, 2 * stride, n - n_low);
    }
    for (size_t s = 0; s < 4; s++)
        NAME(lift_split)(k, even, odd, n, s, NAME(lift_weights)[s]);
    if (stride == 1) {
        KERNEL(k, scale)(line, even, (REAL)LOW_GAIN, n_low);
        KERNEL(k, scale)(line + n_low, odd, (REAL)HIGH_GAIN, n - n_low);
    } else {
        KERNEL(k, scale)(even, even, (REAL)LOW_GAIN, n_low);
        KERNEL(k, scale)(odd, odd, (REAL)HIGH_GAIN, n - n_low);
        KERNEL(k, store_lanes)(even, 1, line, &(size_t){ 0 }, 1, stride, n_low);
        KERNEL(k, store_lanes)(odd, 1, line + n_low * stride, &(size_t){ 0 }, 1, stride, n - n_low);
    }
}

static void NAME(inverse_line)(const NAME(lift_job) *job, REAL *even, REAL *line)
{
    const fmc_kernels *k = job->k;
    const size_t n = job->lines->n, n_low = (n + 1) / 2, stride = job->lines->stride;
    REAL *odd = even + n_low + 2;

    if (stride == 1) {
        KERNEL(k, scale)(even, line, (REAL)HIGH_GAIN, n_low);
        KERNEL(k, scale)(odd, line + n_low, (REAL)LOW_GAIN, n - n_low);
    } else {
        KERNEL(k, load_lanes)(even, 1, line, &(size_t){ 0 }, 1, stride, n_low);
        KERNEL(k, load_lanes)(odd, 1, line + n_low * stride, &(size_t){ 0 }, 1, stride, n - n_low);
        KERNEL(k, scale)(even, even, (REAL)HIGH_GAIN, n_low);
        KERNEL(k, scale)(odd, odd, (REAL)LOW_GAIN, n - n_low);
    }
    for (size_t s = 4; s-- > 0;)
        NAME(lift_split)(k, even, odd, n, s, -NAME(lift_weights)[s]);
    if (stride == 1) {
        KERNEL(k, merge)(line, even, odd, n);
    } else {
        KERNEL(k, store_lanes)(even, 1, line, &(size_t){ 0 }, 1, 2 * stride, n_low);
        KERNEL(k, store_lanes)(odd, 1, line + stride, &(size_t){ 0 }, 1, 2 * stride, n - n_low);
    }
}

static fmc_status NAME(forward_lines)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(lift_job) *job = user;

    for (size_t j = 0; j < count; j++)
        NAME(forward_line)(job, scratch, job->data + off[j]);
    return FMC_OK;
}

static fmc_status NAME(inverse_lines)(void *user, void *scratch, const size_t *off, size_t count)
{
    const NAME(lift_job) *job = user;

    for (size_t j = 0; j < count; j++)
        NAME(inverse_line)(job, scratch, job->data + off[j]);
    return FMC_OK;
}

static fmc_status NAME(lift)(const fmc_exec *ex, const fmc_lines *lines, int is_long, REAL *data, int is_inverse)
{
    NAME(lift_job) job = { .k = fmc_kernels_get(ex), .lines = lines, .data = data, .is_long = is_long };
    const size_t lanes = is_long ? long_lanes_for(lines) : lanes_for(lines);
    fmc_lines_work work = { .ex = ex, .lines = lines, .user = &job };

    if (lines->n < 2)
        return FMC_OK;
    work.scratch_size = (lines->n + 4) * lanes * sizeof(REAL);
    if (is_long || lanes > 1) {
        work.lanes = lanes;
        work.block = is_inverse ? NAME(inverse_lanes) : NAME(forward_lanes);
    } else {
        work.lanes = lines->n < 4096 ? 16 : 1;
        work.block = is_inverse ? NAME(inverse_lines) : NAME(forward_lines);
    }
    return fmc_lines_run(&work);
}

fmc_status NAME(fmc_lift_forward)(const fmc_exec *ex, const fmc_lines *lines, int is_long, REAL *data)
{
    return NAME(lift)(ex, lines, is_long, data, 0);
}

fmc_status NAME(fmc_lift_inverse)(const fmc_exec *ex, const fmc_lines *lines, int is_long, REAL *data)
{
    return NAME(lift)(ex, lines, is_long, data, 1);
}
