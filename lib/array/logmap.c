/* SPDX-License-Identifier: Apache-2.0 */
#include "array/logmap.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "array/bitmap.h"
#include "array/view.h"
#include "core/status.h"

/* Samples of one piece of parallel work. */
#define BLOCK ((size_t)1 << 14)
enum { LOG_TERMS = 12, EXP_TERMS = 14, MASKED = 1, NEGATIVE = 2 };

/* 2 / (ln 2 * (2 k + 1)): log2(m) = sum of c[k] * s^(2 k + 1), s = (m - 1) / (m + 1). */
static const double log_coefficient[LOG_TERMS] = {
    0x1.71547652b82fep+1, 0x1.ec709dc3a03fdp-1, 0x1.2776c50ef9bfep-1, 0x1.a61762a7aded9p-2,
    0x1.484b13d7c02a9p-2, 0x1.0c9a84994022dp-2, 0x1.c68f568d31760p-3, 0x1.89f3b1694cffep-3,
    0x1.5b9ac9b743f0dp-3, 0x1.3703c1f4d0ffep-3, 0x1.1964ec6fc9491p-3, 0x1.00ecd7e080215p-3
};

/* (ln 2)^k / k!, k = 0..13. Format constants: docs/format.md 5.4. */
static const double exp_coefficient[EXP_TERMS] = {
    0x1.0000000000000p+0,  0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,  0x1.c6b08d704a0c0p-5,  0x1.3b2ab6fba4e77p-7,
    0x1.5d87fe78a6731p-10, 0x1.430912f86c787p-13, 0x1.ffcbfc588b0c7p-17, 0x1.62c0223a5c824p-20, 0x1.b5253d395e7c4p-24,
    0x1.e4cf5158b8ecap-28, 0x1.e8cac7351bb25p-32, 0x1.c3bd650fc2986p-36, 0x1.816193166d0f9p-40
};

static double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* 2^e, -1022 <= e <= 1023. */
static double power_of_two(int e)
{
    return from_bits((uint64_t)(e + 1023) << 52);
}

double fmc_log2(double x)
{
    double s, s2, sum, m;
    uint64_t bits;
    int e = 0;

    if (x < DBL_MIN) {
        x *= 0x1p+54;
        e = -54;
    }
    memcpy(&bits, &x, sizeof bits);
    e += (int)(bits >> 52) - 1023;
    m = from_bits((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    if (m > 1.4142135623730951) { /* 0.707 .. 1.414: the series is shortest around 1 */
        m *= 0.5;
        e++;
    }
    s = (m - 1) / (m + 1);
    s2 = s * s;
    sum = log_coefficient[LOG_TERMS - 1];
    for (int k = LOG_TERMS - 2; k >= 0; k--)
        sum = sum * s2 + log_coefficient[k];
    return (double)e + sum * s;
}

double fmc_exp2(double v)
{
    double f, sum;
    int n, half;

    if (!(v >= -1100))
        return 0;
    if (v >= 1024)
        return DBL_MAX;
    n = (int)(v + 1100.5) - 1100; /* nearest integer; the truncated value is positive */
    f = v - (double)n;
    sum = exp_coefficient[EXP_TERMS - 1];
    for (int k = EXP_TERMS - 2; k >= 0; k--)
        sum = sum * f + exp_coefficient[k];
    half = (n + 1100) / 2 - 550; /* two steps, so that neither factor leaves the normal numbers */
    return sum * power_of_two(half) * power_of_two(n - half);
}

fmc_log_bound fmc_log_bound_make(double r, uint32_t dtype)
{
    /* Rounding of the sample itself and of both maps; 1.4427 = 1 / ln 2. */
    const double slack = (dtype == FMC_F32 ? 0x1p-24 * 1.4427 : 0x1p-53 * 1.4427) + 0x1p-42;
    fmc_log_bound b = { 0 };
    double up, down;

    if (!(r > 0))
        return b;
    if (r > 0x1p+60)
        r = 0x1p+60;
    up = r < 0x1p-20 ? r * (1 - r / 2) * 1.4426950408889634 : fmc_log2(1 + r);
    if (r < 0.75) { /* the interval of v is [-down, up]: code its middle */
        down = r < 0x1p-20 ? r * (1 + r / 2) * 1.4426950408889634 : -fmc_log2(1 - r);
        b.centre = (up - down) / 2;
        up = (up + down) / 2;
    }
    b.limit = up * (1 - 0x1p-24) - slack;
    if (b.limit < up / 2)
        b = (fmc_log_bound){ 0 };
    return b;
}

/* --------------------------------------------------------------------------------------------- whole arrays -- */

typedef struct log_job {
    const fmc_exec *ex;
    size_t          n;
    uint32_t        from_type, to_type;
    const void     *from;
    void           *to;
    const uint8_t  *state; /* masked samples forwards, signs backwards */
    double          centre, scale, shift;
    fmc_span       *span;
} log_job;

static double get(uint32_t dtype, const void *data, size_t i)
{
    return dtype == FMC_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void put(uint32_t dtype, void *data, size_t i, double v)
{
    if (dtype == FMC_F32)
        ((float *)data)[i] = (float)v;
    else
        ((double *)data)[i] = v;
}

static int has_log(const log_job *j, size_t i, double *x)
{
    if (j->state && j->state[i])
        return 0;
    *x = fabs(get(j->from_type, j->from, i));
    return *x > 0 && *x <= DBL_MAX;
}

static size_t block_end(const log_job *j, size_t first)
{
    return j->n - first < BLOCK ? j->n : first + BLOCK;
}

/* Extremes of |x| first, so that only two logarithms are needed. */
static fmc_status span_block(void *user, uint32_t i)
{
    const log_job *j = user;
    const size_t first = i * BLOCK, end = block_end(j, first);
    fmc_span s = fmc_span_none();
    double x;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t k = first; k < end; k++) {
        if (!has_log(j, k, &x))
            continue;
        s.min = s.n_valid && s.min <= x ? s.min : x;
        s.max = s.n_valid && s.max >= x ? s.max : x;
        s.n_valid++;
    }
    j->span[i] = s;
    return FMC_OK;
}

static fmc_status forward_block(void *user, uint32_t i)
{
    const log_job *j = user;
    const size_t first = i * BLOCK, end = block_end(j, first);
    double x;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t k = first; k < end; k++)
        put(j->to_type, j->to, k, has_log(j, k, &x) ? (fmc_log2(x) + j->centre) * j->scale - j->shift : 0);
    return FMC_OK;
}

static fmc_status inverse_block(void *user, uint32_t i)
{
    const log_job *j = user;
    const size_t first = i * BLOCK, end = block_end(j, first);

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t k = first; k < end; k++) {
        const double v = fmc_exp2((get(j->from_type, j->from, k) + j->shift) * j->scale);

        put(j->to_type, j->to, k, j->state && j->state[k] == NEGATIVE ? -v : v);
    }
    return FMC_OK;
}

static fmc_status run_blocks(log_job *j, fmc_task_fn task)
{
    const size_t n_blocks = j->n / BLOCK + (j->n % BLOCK != 0);

    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    return n_blocks ? fmc_parallel_for(j->ex, (uint32_t)n_blocks, task, j) : FMC_OK;
}

fmc_status fmc_log_span(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const uint8_t *state,
                        double centre, fmc_span *out)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    log_job j = { .ex = ex, .n = n, .from_type = dtype, .from = x, .state = state };
    fmc_status st = FMC_OK;

    *out = fmc_span_none();
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &j.span));
    FMC_TRY(run_blocks(&j, span_block));
    for (size_t i = 0; i < n_blocks; i++)
        *out = fmc_span_join(*out, j.span[i]);
    if (out->n_valid) {
        out->min = fmc_log2(out->min) + centre;
        out->max = fmc_log2(out->max) + centre;
    }
done:
    fmc_dealloc(ex->alloc, j.span);
    return st;
}

fmc_status fmc_log_forward(const fmc_exec *ex, const fmc_norm *norm, double centre, size_t n, uint32_t dtype,
                           const void *x, const uint8_t *state, uint32_t work, void *y)
{
    log_job j = { .ex = ex, .n = n, .from_type = dtype, .to_type = work, .from = x, .to = y, .state = state,
                  .centre = centre, .scale = ldexp(1.0, -norm->exponent), .shift = (double)norm->shift };

    return run_blocks(&j, forward_block);
}

fmc_status fmc_log_inverse(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t work, const void *y,
                           const uint8_t *sign, uint32_t dtype, void *x)
{
    log_job j = { .ex = ex, .n = n, .from_type = work, .to_type = dtype, .from = y, .to = x, .state = sign,
                  .scale = fmc_norm_scale(norm), .shift = (double)norm->shift };

    return run_blocks(&j, inverse_block);
}

/* --------------------------------------------------------------------------------------------------- signs -- */

static size_t count_samples(uint32_t rank, const size_t *dim)
{
    size_t n = 1;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    return n;
}

fmc_status fmc_signs_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *x,
                            const uint8_t *state, fmc_out *out)
{
    const size_t n = count_samples(rank, dim), size = fmc_dtype_size(dtype);
    const uint8_t *bytes = x;
    fmc_status st = FMC_OK;
    uint8_t *cls = NULL;

    FMC_TRY(FMC_ALLOC(ex->alloc, n, &cls));
    for (size_t i = 0; i < n; i++) {
        uint32_t low;
        uint64_t bits;

        if (size == 4) {
            memcpy(&low, bytes + 4 * i, 4);
            bits = (uint64_t)low << 32;
        } else {
            memcpy(&bits, bytes + 8 * i, 8);
        }
        cls[i] = state && state[i] ? MASKED : bits >> 63 ? NEGATIVE : 0;
    }
    st = fmc_bitmap_encode(ex, rank, dim, cls, NEGATIVE, out);
done:
    fmc_dealloc(ex->alloc, cls);
    return st;
}

fmc_status fmc_signs_decode(const fmc_exec *ex, uint32_t rank, const size_t *dim, const uint8_t *masked, fmc_in *in,
                            uint8_t **out)
{
    const size_t n = count_samples(rank, dim);
    fmc_status st = FMC_OK;
    uint8_t *cls = NULL;

    *out = NULL;
    FMC_TRY(FMC_ALLOC(ex->alloc, n, &cls));
    for (size_t i = 0; i < n; i++)
        cls[i] = masked && masked[i] ? MASKED : 0;
    FMC_TRY(fmc_bitmap_decode(ex, rank, dim, cls, NEGATIVE, in));
    *out = cls;
    cls = NULL;
done:
    fmc_dealloc(ex->alloc, cls);
    return st;
}
