/* SPDX-License-Identifier: Apache-2.0 */
#include "bound/check.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "array/view.h"
#include "core/status.h"
#include "ops/kernels.h"

/* Samples of one piece of parallel work; also the leaf of the error sum's tree. */
#define BLOCK ((size_t)1 << 16)
/* Samples judged together by the fast test. */
#define RUN 256
/* Products and splits of the exact test neither overflow nor lose bits between these magnitudes. */
#define TINY 0x1p-400
#define LARGE 0x1p+900
#define RESCALE 0x1p+512

static uint64_t bits_of(double v)
{
    uint64_t u;

    memcpy(&u, &v, sizeof u);
    return u;
}

/* a * b = *hi + *lo exactly (Dekker and Veltkamp); needs |a|, |b| < 2^990 and |a * b| > 2^-960. */
static void two_product(double a, double b, double *hi, double *lo)
{
    const double split = 134217729.0; /* 2^27 + 1 */
    const double ca = split * a, cb = split * b;
    const double a1 = ca - (ca - a), a2 = a - a1;
    const double b1 = cb - (cb - b), b2 = b - b1;

    *hi = a * b;
    *lo = ((a1 * b1 - *hi) + a1 * b2 + a2 * b1) + a2 * b2;
}

/* |x - y| = *d + *e exactly with |e| <= ulp(d) / 2; needs a finite difference. (TwoDiff, numerics: bound.) */
static void exact_distance(double x, double y, double *d, double *e)
{
    const double diff = x - y;
    const double yv = x - diff;
    const double xv = diff + yv;
    const double err = (x - xv) + (yv - y);

    *d = diff < 0 ? -diff : diff;
    *e = diff < 0 ? -err : err;
}

static int is_within(double x, double y, double limit_hi, double limit_lo)
{
    double d, e;

    exact_distance(x, y, &d, &e);
    /* d is the f64 nearest to the distance, limit_hi nearest to the limit: only a tie needs the remainders. */
    return d < limit_hi || (d == limit_hi && e <= limit_lo);
}

static int check_relative(double x, double y, double limit)
{
    double ax = fabs(x), hi, lo;

    if (x == 0 || (bits_of(x) ^ bits_of(y)) >> 63)
        return 0;
    if (limit > 0x1p+60)
        limit = 0x1p+60;
    if (ax < TINY && fabs(y) < TINY) { /* exact: no bits are lost by growing */
        x *= RESCALE;
        y *= RESCALE;
    } else if (ax > LARGE || fabs(y) > LARGE) { /* a y or x lost here only makes the distance larger */
        x = ax < TINY ? 0 : x / RESCALE;
        y = fabs(y) < TINY ? 0 : y / RESCALE;
    }
    ax = fabs(x);
    two_product(limit, ax, &hi, &lo);
    return hi > 0x1p-900 && is_within(x, y, hi, lo);
}

int fmc_check_pair(double x, double y, uint32_t kind, double limit)
{
    if (bits_of(x) == bits_of(y))
        return 1;
    if (!(limit >= DBL_MIN && limit <= DBL_MAX) || !(fabs(x - y) <= DBL_MAX))
        return 0;
    if (kind == FMC_BOUND_ABS)
        return fabs(x) < 0x1p+1023 && fabs(y) < 0x1p+1023 && is_within(x, y, limit, 0.0);
    return kind == FMC_BOUND_PW_REL && check_relative(x, y, limit);
}

/* --------------------------------------------------------------------------------------------- whole arrays -- */

typedef struct check_job {
    const fmc_exec *ex;
    uint32_t        dtype;
    uint32_t        kind;
    double          limit;
    double          safe; /* a little below limit: what passes this passes the exact test */
    size_t          n;
    const void     *x, *y;
    const uint8_t  *mask;
    size_t         *found; /* failures per block */
    size_t         *bad;
    size_t          cap;
} check_job;

/* How many of n samples the fast test cannot accept. Written so that compilers vectorise it. */
#define DEFINE_DOUBTFUL(T, U, SUFFIX)                                                                                  \
    static size_t doubtful_abs_##SUFFIX(const T *x, const T *y, size_t n, double safe)                                 \
    {                                                                                                                  \
        size_t doubt = 0;                                                                                              \
                                                                                                                       \
        for (size_t i = 0; i < n; i++)                                                                                 \
            doubt += !(fabs((double)x[i] - (double)y[i]) < safe);                                                      \
        return doubt;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static size_t doubtful_rel_##SUFFIX(const T *x, const T *y, size_t n, double safe)                                 \
    {                                                                                                                  \
        size_t doubt = 0;                                                                                              \
                                                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const double a = (double)x[i], b = (double)y[i], room = safe * fabs(a);                                    \
            const int same_sign = (a > 0) == (b > 0) && b != 0;                                                        \
                                                                                                                       \
            doubt += !((fabs(a - b) < room) & (room > 0x1p-900) & same_sign);                                          \
        }                                                                                                              \
        return doubt;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static size_t differing_##SUFFIX(const T *x, const T *y, size_t n)                                                 \
    {                                                                                                                  \
        size_t differ = 0;                                                                                             \
                                                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                               \
            U a, b;                                                                                                    \
                                                                                                                       \
            memcpy(&a, x + i, sizeof a);                                                                               \
            memcpy(&b, y + i, sizeof b);                                                                               \
            differ += a != b;                                                                                          \
        }                                                                                                              \
        return differ;                                                                                                 \
    }

DEFINE_DOUBTFUL(float, uint32_t, f32)
DEFINE_DOUBTFUL(double, uint64_t, f64)

static int run_is_good(const check_job *j, size_t first, size_t n)
{
    if (j->dtype == FMC_F32) {
        const float *x = (const float *)j->x + first, *y = (const float *)j->y + first;

        if (j->kind == FMC_BOUND_ABS)
            return doubtful_abs_f32(x, y, n, j->safe) == 0;
        if (j->kind == FMC_BOUND_PW_REL)
            return doubtful_rel_f32(x, y, n, j->safe) == 0;
        return differing_f32(x, y, n) == 0;
    } else {
        const double *x = (const double *)j->x + first, *y = (const double *)j->y + first;

        if (j->kind == FMC_BOUND_ABS)
            return doubtful_abs_f64(x, y, n, j->safe) == 0;
        if (j->kind == FMC_BOUND_PW_REL)
            return doubtful_rel_f64(x, y, n, j->safe) == 0;
        return differing_f64(x, y, n) == 0;
    }
}

static int sample_is_good(const check_job *j, size_t i)
{
    const size_t size = fmc_dtype_size(j->dtype);

    if (j->mask && j->mask[i] != FMC_SAMPLE_CODED)
        return 1;
    /* Bits first: promotion makes signalling NaNs quiet, so that different ones would look equal. */
    if (memcmp((const char *)j->x + i * size, (const char *)j->y + i * size, size) == 0)
        return 1;
    if (j->kind == FMC_BOUND_LOSSLESS)
        return 0;
    if (j->dtype == FMC_F32) {
        const float a = ((const float *)j->x)[i], b = ((const float *)j->y)[i];

        return a == a && fmc_check_pair((double)a, (double)b, j->kind, j->limit);
    }
    return fmc_check_pair(((const double *)j->x)[i], ((const double *)j->y)[i], j->kind, j->limit);
}

/* Failures of block i; lists those whose rank, counted from `rank`, is below cap. */
static size_t check_block(const check_job *j, size_t i, size_t rank, size_t cap)
{
    const size_t end = j->n - i * BLOCK < BLOCK ? j->n : (i + 1) * BLOCK;
    size_t found = 0;

    for (size_t first = i * BLOCK; first < end; first += RUN) {
        const size_t stop = end - first < RUN ? end : first + RUN;

        if (run_is_good(j, first, stop - first))
            continue;
        for (size_t k = first; k < stop; k++) {
            if (sample_is_good(j, k))
                continue;
            if (rank + found < cap)
                j->bad[rank + found] = k;
            found++;
        }
    }
    return found;
}

static fmc_status count_block(void *user, uint32_t i)
{
    const check_job *j = user;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    j->found[i] = check_block(j, i, 0, 0);
    return FMC_OK;
}

static fmc_status list_block(void *user, uint32_t i)
{
    const check_job *j = user;
    const size_t rank = i ? j->found[i - 1] : 0; /* running totals by now */

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    if (j->found[i] > rank && rank < j->cap)
        check_block(j, i, rank, j->cap);
    return FMC_OK;
}

fmc_status fmc_check_samples(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                             const uint8_t *mask, uint32_t kind, double limit, size_t *bad, size_t cap, size_t *n_bad)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    check_job j = { .ex = ex, .dtype = dtype, .kind = kind, .limit = limit, .n = n, .x = x, .y = y, .mask = mask,
                    .bad = bad, .cap = cap };
    fmc_status st = FMC_OK;

    *n_bad = 0;
    if (n == 0)
        return FMC_OK;
    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    if (!(limit >= DBL_MIN && limit <= DBL_MAX))
        j.kind = FMC_BOUND_LOSSLESS;
    /* The rounded difference is off by 2^-53 of itself at most, room by as much: 2^-40 is plenty. */
    j.safe = limit * (1 - 0x1p-40);
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &j.found));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n_blocks, count_block, &j));
    for (size_t i = 1; i < n_blocks; i++)
        j.found[i] += j.found[i - 1];
    *n_bad = j.found[n_blocks - 1];
    if (cap > 0 && *n_bad > 0)
        FMC_TRY(fmc_parallel_for(ex, (uint32_t)n_blocks, list_block, &j));
done:
    fmc_dealloc(ex->alloc, j.found);
    return st;
}

/* -------------------------------------------------------------------------------------------------- errors -- */

typedef struct block_errors {
    double sum_sq;
    double max_abs;
    size_t n;
} block_errors;

typedef struct errors_job {
    const fmc_exec *ex;
    uint32_t        dtype;
    size_t          n;
    const void     *x, *y;
    const uint8_t  *mask;
    double          per_unit; /* 1 / unit */
    block_errors   *block;
} errors_job;

/* Eight sums side by side, added up pairwise: one order for every vector width. */
#define DEFINE_ERRORS(T, SUFFIX)                                                                                       \
    static block_errors errors_##SUFFIX(const T *x, const T *y, const uint8_t *mask, size_t n, double per_unit)        \
    {                                                                                                                  \
        double sum[8] = { 0 }, top[8] = { 0 };                                                                         \
        block_errors e = { 0 };                                                                                        \
                                                                                                                       \
        for (size_t i = 0; i < n; i += 8) {                                                                            \
            const size_t m = n - i < 8 ? n - i : 8;                                                                    \
                                                                                                                       \
            for (size_t k = 0; k < m; k++) {                                                                           \
                const int counts = !mask || mask[i + k] != FMC_SAMPLE_MISSING;                                         \
                double d = counts ? fabs((double)x[i + k] - (double)y[i + k]) : 0.0;                                   \
                                                                                                                       \
                d = d <= DBL_MAX ? d : HUGE_VAL;                                                                       \
                top[k] = d > top[k] ? d : top[k];                                                                      \
                d *= per_unit;                                                                                         \
                sum[k] += d * d;                                                                                       \
                e.n += (size_t)counts;                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t k = 0; k < 8; k++)                                                                                 \
            e.max_abs = top[k] > e.max_abs ? top[k] : e.max_abs;                                                       \
        e.sum_sq = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));                  \
        return e;                                                                                                      \
    }

DEFINE_ERRORS(float, f32)
DEFINE_ERRORS(double, f64)

static fmc_status measure_block(void *user, uint32_t i)
{
    const errors_job *j = user;
    const size_t first = i * BLOCK, n = j->n - first < BLOCK ? j->n - first : BLOCK;
    const uint8_t *mask = j->mask ? j->mask + first : NULL;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    if (j->dtype == FMC_F32)
        j->block[i] = errors_f32((const float *)j->x + first, (const float *)j->y + first, mask, n, j->per_unit);
    else
        j->block[i] = errors_f64((const double *)j->x + first, (const double *)j->y + first, mask, n, j->per_unit);
    return FMC_OK;
}

/* The sum alone, by vector code, from run to run of what is not missing. */
static fmc_status sum_block(void *user, uint32_t i)
{
    const errors_job *j = user;
    const fmc_kernels *k = fmc_kernels_get(j->ex);
    const size_t first = i * BLOCK, end = j->n - first < BLOCK ? j->n : first + BLOCK;
    const float *x = j->x, *y = j->y;
    const double *x64 = j->x, *y64 = j->y;
    block_errors *e = &j->block[i];

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    *e = (block_errors){ 0 };
    for (size_t at = first; at < end;) {
        const uint8_t *missing = j->mask ? memchr(j->mask + at, FMC_SAMPLE_MISSING, end - at) : NULL;
        const size_t run = missing ? (size_t)(missing - (j->mask + at)) : end - at;

        if (run > 0)
            e->sum_sq += j->dtype == FMC_F32 ? k->error_sum_f32(x + at, y + at, run) : k->error_sum_f64(x64 + at, y64 + at, run);
        e->n += run;
        for (at += run; at < end && j->mask && j->mask[at] == FMC_SAMPLE_MISSING;)
            at++;
    }
    return FMC_OK;
}

static fmc_status measure(errors_job *j, fmc_task_fn task, size_t n_blocks, fmc_errors *out, double *max_abs)
{
    const fmc_status st = fmc_parallel_for(j->ex, (uint32_t)n_blocks, task, j);

    out->n = 0;
    *max_abs = out->sum_sq = 0;
    for (size_t i = 0; st == FMC_OK && i < n_blocks; i++) {
        out->n += j->block[i].n;
        out->sum_sq += j->block[i].sum_sq;
        *max_abs = j->block[i].max_abs > *max_abs ? j->block[i].max_abs : *max_abs;
    }
    return st;
}

/* In the squares of f32's differences nothing overflows or vanishes, in those of f64 only if the sum is extreme. */
static int is_sum_exact(const errors_job *j, double sum)
{
    return isfinite(sum) && (j->dtype == FMC_F32 || (sum > 0x1p-800 && sum < 0x1p+800));
}

fmc_status fmc_errors_measure(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                              const uint8_t *mask, fmc_errors *out)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    errors_job j = { .ex = ex, .dtype = dtype, .n = n, .x = x, .y = y, .mask = mask, .per_unit = 1 };
    double max_abs;
    fmc_status st = FMC_OK;
    int e;

    *out = (fmc_errors){ .unit = 1, .is_finite = 1 };
    if (n == 0)
        return FMC_OK;
    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &j.block));
    FMC_TRY(measure(&j, sum_block, n_blocks, out, &max_abs));
    if (is_sum_exact(&j, out->sum_sq))
        goto done;
    FMC_TRY(measure(&j, measure_block, n_blocks, out, &max_abs));
    out->is_finite = max_abs <= DBL_MAX;
    if (max_abs > 0 && out->is_finite && (max_abs < 0x1p-400 || max_abs > 0x1p+400)) {
        frexp(max_abs, &e); /* squares would leave f64: once more in units of about the largest error */
        e = e > 1000 ? 1000 : e < -1000 ? -1000 : e;
        out->unit = ldexp(1.0, e);
        j.per_unit = ldexp(1.0, -e);
        FMC_TRY(measure(&j, measure_block, n_blocks, out, &max_abs));
    }
done:
    fmc_dealloc(ex->alloc, j.block);
    return st;
}

double fmc_errors_rmse(const fmc_errors *e)
{
    if (e->n == 0)
        return 0;
    if (!e->is_finite)
        return HUGE_VAL;
    return sqrt(e->sum_sq / (double)e->n) * e->unit;
}
