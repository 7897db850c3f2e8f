/* SPDX-License-Identifier: Apache-2.0 */
#include "array/norm.h"

#include <math.h>
#include <string.h>
#include "core/status.h"

/* Samples of one piece of parallel work. */
#define BLOCK ((size_t)1 << 16)
enum { MIN_EXPONENT = -1022, MAX_EXPONENT = 1023 };
#define MAX_SHIFT ((int64_t)1 << 53)

double fmc_norm_scale(const fmc_norm *norm)
{
    const uint64_t bits = (uint64_t)(norm->exponent + 1023) << 52; /* no libm in a decoder */
    double scale;

    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

int fmc_norm_needs_f64(double width, double limit)
{
    return !(limit >= width * 0x1p-18);
}

static int clamp_exponent(int e)
{
    return e < MIN_EXPONENT ? MIN_EXPONENT : e > MAX_EXPONENT ? MAX_EXPONENT : e;
}

/* A single value: as an integer times a power of two, so that y = 0 gives it back. */
static fmc_norm norm_of_constant(double x)
{
    fmc_norm norm = { 0 };
    int e;
    double m = frexp(x, &e) * 0x1p+53;

    if (x == 0)
        return norm;
    e -= 53;
    while (e < MIN_EXPONENT || fmod(m, 2) == 0) {
        m /= 2;
        e++;
    }
    norm.exponent = clamp_exponent(e);
    norm.shift = (int64_t)m;
    return norm;
}

fmc_norm fmc_norm_choose(const fmc_span *span)
{
    const double width = span->max - span->min;
    const double middle = span->min + width / 2;
    fmc_norm norm = { 0 };
    int e;

    if (span->n_valid == 0)
        return norm;
    if (!(width > 0))
        return norm_of_constant(span->min);
    frexp(width, &e); /* width < 2^e */
    norm.exponent = clamp_exponent(e - 1);
    norm.shift = (int64_t)rint(middle / ldexp(1.0, norm.exponent)); /* below 2^53: width >= ulp(middle) / 2 */
    return norm;
}

void fmc_norm_write(const fmc_norm *norm, fmc_out *out)
{
    fmc_out_svarint(out, norm->exponent);
    fmc_out_svarint(out, norm->shift);
}

fmc_status fmc_norm_parse(fmc_in *in, fmc_norm *norm)
{
    const int64_t exponent = fmc_in_svarint(in), shift = fmc_in_svarint(in);
    const fmc_status st = fmc_in_status(in);

    *norm = (fmc_norm){ 0 };
    if (st != FMC_OK)
        return st;
    if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT || shift < -MAX_SHIFT || shift > MAX_SHIFT)
        return FMC_ERR_CORRUPT;
    *norm = (fmc_norm){ (int32_t)exponent, shift };
    return FMC_OK;
}

typedef struct norm_job {
    const fmc_exec *ex;
    size_t          n;
    uint32_t        from_type, to_type;
    const void     *from;
    void           *to;
    const uint8_t  *state;
    double          scale, shift;
} norm_job;

#define DEFINE_NORM(FROM, TO, SUFFIX)                                                                                  \
    static void forward_##SUFFIX(const norm_job *j, size_t first, size_t end)                                          \
    {                                                                                                                  \
        const FROM *x = j->from;                                                                                       \
        TO *y = j->to;                                                                                                 \
                                                                                                                       \
        if (!j->state) {                                                                                               \
            for (size_t i = first; i < end; i++)                                                                       \
                y[i] = (TO)((double)x[i] * j->scale - j->shift);                                                       \
            return;                                                                                                    \
        }                                                                                                              \
        for (size_t i = first; i < end; i++)                                                                           \
            y[i] = (TO)(j->state[i] ? 0.0 : (double)x[i] * j->scale - j->shift);                                       \
    }                                                                                                                  \
                                                                                                                       \
    static void inverse_##SUFFIX(const norm_job *j, size_t first, size_t end)                                          \
    {                                                                                                                  \
        const FROM *y = j->from;                                                                                       \
        TO *x = j->to;                                                                                                 \
                                                                                                                       \
        for (size_t i = first; i < end; i++)                                                                           \
            x[i] = (TO)(((double)y[i] + j->shift) * j->scale);                                                         \
    }

DEFINE_NORM(float, float, f32_f32)
DEFINE_NORM(float, double, f32_f64)
DEFINE_NORM(double, float, f64_f32)
DEFINE_NORM(double, double, f64_f64)

typedef void (*norm_fn)(const norm_job *j, size_t first, size_t end);

static norm_fn pick(const norm_job *j, norm_fn ff, norm_fn fd, norm_fn df, norm_fn dd)
{
    if (j->from_type == FMC_F32)
        return j->to_type == FMC_F32 ? ff : fd;
    return j->to_type == FMC_F32 ? df : dd;
}

static fmc_status forward_block(void *user, uint32_t i)
{
    const norm_job *j = user;
    const size_t first = i * BLOCK, end = j->n - first < BLOCK ? j->n : first + BLOCK;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    pick(j, forward_f32_f32, forward_f32_f64, forward_f64_f32, forward_f64_f64)(j, first, end);
    return FMC_OK;
}

static fmc_status inverse_block(void *user, uint32_t i)
{
    const norm_job *j = user;
    const size_t first = i * BLOCK, end = j->n - first < BLOCK ? j->n : first + BLOCK;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    pick(j, inverse_f32_f32, inverse_f32_f64, inverse_f64_f32, inverse_f64_f64)(j, first, end);
    return FMC_OK;
}

static fmc_status run_blocks(const norm_job *j, fmc_task_fn task)
{
    const size_t n_blocks = j->n / BLOCK + (j->n % BLOCK != 0);
    norm_job copy = *j;

    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    return n_blocks ? fmc_parallel_for(j->ex, (uint32_t)n_blocks, task, &copy) : FMC_OK;
}

fmc_status fmc_norm_forward(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t dtype, const void *x,
                            const uint8_t *state, uint32_t work, void *y)
{
    /* 2^-1023 is denormal yet exact, and so is the product where it matters. */
    const norm_job j = { ex, n, dtype, work, x, y, state, ldexp(1.0, -norm->exponent), (double)norm->shift };

    return run_blocks(&j, forward_block);
}

fmc_status fmc_norm_inverse(const fmc_exec *ex, const fmc_norm *norm, size_t n, uint32_t work, const void *y,
                            uint32_t dtype, void *x)
{
    const norm_job j = { ex, n, work, dtype, y, x, NULL, fmc_norm_scale(norm), (double)norm->shift };

    return run_blocks(&j, inverse_block);
}
