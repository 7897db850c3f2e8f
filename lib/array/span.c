/* SPDX-License-Identifier: Apache-2.0 */
#include "array/span.h"

#include <float.h>
#include <math.h>
#include "core/status.h"
#include "ops/kernels.h"

/* Samples of one piece of parallel work. */
#define BLOCK ((size_t)1 << 16)

fmc_span fmc_span_none(void)
{
    return (fmc_span){ 0 };
}

fmc_span fmc_span_join(fmc_span a, fmc_span b)
{
    if (a.n_valid == 0)
        return b;
    if (b.n_valid == 0)
        return a;
    a.n_valid += b.n_valid;
    a.min = b.min < a.min ? b.min : a.min;
    a.max = b.max > a.max ? b.max : a.max;
    return a;
}

double fmc_span_width(const fmc_span *r)
{
    return r->max - r->min;
}

/* Eight running extremes side by side, for vector units. A NaN fill value equals nothing: no fill. */
#define DEFINE_SPAN(T, BIGGEST, ABS, SUFFIX)                                                                          \
    static fmc_span span_##SUFFIX(const T *v, size_t n, T fill)                                                      \
    {                                                                                                                  \
        fmc_span r = { 0 };                                                                                           \
        T low[8], high[8];                                                                                             \
        unsigned count[8] = { 0 };                                                                                     \
        size_t i = 0;                                                                                                  \
                                                                                                                       \
        for (int k = 0; k < 8; k++) {                                                                                  \
            low[k] = BIGGEST;                                                                                          \
            high[k] = -BIGGEST;                                                                                        \
        }                                                                                                              \
        for (; i + 8 <= n; i += 8) {                                                                                   \
            for (int k = 0; k < 8; k++) {                                                                              \
                const T x = v[i + k];                                                                                  \
                const int ok = (ABS(x) <= BIGGEST) & (x != fill);                                                      \
                const T lo = ok ? x : BIGGEST, hi = ok ? x : -BIGGEST;                                                 \
                                                                                                                       \
                low[k] = lo < low[k] ? lo : low[k];                                                                    \
                high[k] = hi > high[k] ? hi : high[k];                                                                 \
                count[k] += (unsigned)ok;                                                                              \
            }                                                                                                          \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const T x = v[i];                                                                                          \
                                                                                                                       \
            if ((ABS(x) <= BIGGEST) & (x != fill)) {                                                                   \
                low[0] = x < low[0] ? x : low[0];                                                                      \
                high[0] = x > high[0] ? x : high[0];                                                                   \
                count[0]++;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        for (int k = 0; k < 8; k++) {                                                                                  \
            const fmc_span part = { count[k], (double)low[k], (double)high[k] };                                      \
                                                                                                                       \
            r = fmc_span_join(r, part);                                                                               \
        }                                                                                                              \
        return r;                                                                                                      \
    }

DEFINE_SPAN(float, FLT_MAX, fabsf, f32)
DEFINE_SPAN(double, DBL_MAX, fabs, f64)

/* Without a fill value and infinities one fast look is enough; else sample by sample. */
#define DEFINE_FAST_SPAN(T, SUFFIX)                                                                                    \
    static fmc_span fast_span_##SUFFIX(const fmc_exec *ex, const T *v, size_t n, T fill)                               \
    {                                                                                                                  \
        T edge[2];                                                                                                     \
        size_t n_nan;                                                                                                  \
                                                                                                                       \
        if (fill == fill)                                                                                              \
            return span_##SUFFIX(v, n, fill);                                                                          \
        n_nan = fmc_kernels_get(ex)->extremes_##SUFFIX(v, n, edge);                                                    \
        if (!isfinite(edge[0]) || !isfinite(edge[1]))                                                                  \
            return span_##SUFFIX(v, n, fill);                                                                          \
        return (fmc_span){ n - n_nan, (double)edge[0], (double)edge[1] };                                              \
    }

DEFINE_FAST_SPAN(float, f32)
DEFINE_FAST_SPAN(double, f64)

typedef struct span_job {
    const fmc_exec *ex;
    uint32_t        dtype;
    size_t          n;
    const void     *data;
    double          fill; /* NaN: none */
    fmc_span      *part;
} span_job;

static fmc_status measure_block(void *user, uint32_t i)
{
    const span_job *j = user;
    const size_t first = i * BLOCK, n = j->n - first < BLOCK ? j->n - first : BLOCK;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    if (j->dtype == FMC_F32)
        j->part[i] = fast_span_f32(j->ex, (const float *)j->data + first, n, (float)j->fill);
    else
        j->part[i] = fast_span_f64(j->ex, (const double *)j->data + first, n, j->fill);
    return FMC_OK;
}

fmc_status fmc_span_measure(const fmc_exec *ex, uint32_t dtype, size_t n, const void *data, uint32_t has_fill,
                             double fill_value, fmc_span *out)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    span_job j = { ex, dtype, n, data, has_fill ? fill_value : (double)NAN, NULL };
    fmc_status st = FMC_OK;

    *out = fmc_span_none();
    if (n == 0)
        return FMC_OK;
    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &j.part));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n_blocks, measure_block, &j));
    for (size_t i = 0; i < n_blocks; i++)
        *out = fmc_span_join(*out, j.part[i]);
done:
    fmc_dealloc(ex->alloc, j.part);
    return st;
}
