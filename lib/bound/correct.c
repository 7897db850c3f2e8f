/* SPDX-License-Identifier: Apache-2.0 */
#include "bound/correct.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "core/status.h"

/* Samples of one piece of parallel work. */
#define BLOCK ((size_t)1 << 16)

static uint64_t bits_of(double v)
{
    uint64_t u;

    memcpy(&u, &v, sizeof u);
    return u;
}

/* Keep the leading 32 of 53 significant bits: rounds towards zero. */
static double round_down_32(double v)
{
    const uint64_t u = bits_of(v) & ~(uint64_t)0x1fffff;

    memcpy(&v, &u, sizeof v);
    return v;
}

double fmc_correct_step(double limit, uint32_t dtype, double max_abs)
{
    /* Half a unit in the last place of the largest sample. */
    const double cast = max_abs * (dtype == FMC_F32 ? 0x1p-24 : 0x1p-53);
    const double half = (limit - cast) * (1 - 0x1p-20);
    double step;

    if (!(half > limit / 4) || !(limit <= DBL_MAX / 4))
        return 0;
    step = round_down_32(2 * half);
    return step >= DBL_MIN ? step : 0;
}

int fmc_correct_step_is_valid(double step)
{
    return step >= DBL_MIN && step <= DBL_MAX && (bits_of(step) & 0x1fffff) == 0;
}

typedef struct correct_job {
    const fmc_exec *ex;
    uint32_t        dtype;
    size_t          n;
    const void     *x;
    const void     *y;
    void           *fixed;
    const uint8_t  *state;
    double          limit, step;
    int32_t        *r;
    const int32_t  *given;
    size_t         *used; /* per block */
} correct_job;

static int32_t correction(double x, double y, double limit, double step)
{
    const double e = x - y;
    double r;

    if (fabs(e) <= limit || !(fabs(e) <= DBL_MAX))
        return 0;
    r = rint(e / step);
    return fabs(r) <= FMC_CORRECT_MAX ? (int32_t)r : 0; /* too far: an exact sample */
}

static size_t block_end(const correct_job *j, size_t first)
{
    return j->n - first < BLOCK ? j->n : first + BLOCK;
}

static double get(uint32_t dtype, const void *data, size_t i)
{
    return dtype == FMC_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static fmc_status find_block(void *user, uint32_t i)
{
    const correct_job *j = user;
    const size_t first = i * BLOCK, end = block_end(j, first);
    size_t used = 0;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t k = first; k < end; k++) {
        const int32_t r = correction(get(j->dtype, j->x, k), get(j->dtype, j->y, k), j->limit, j->step);

        j->r[k] = j->state && j->state[k] ? 0 : r;
        used += j->r[k] != 0;
    }
    j->used[i] = used;
    return FMC_OK;
}

static fmc_status apply_block(void *user, uint32_t i)
{
    const correct_job *j = user;
    const size_t first = i * BLOCK, end = block_end(j, first);

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    if (j->dtype == FMC_F32) {
        float *y = j->fixed;

        for (size_t k = first; k < end; k++)
            y[k] = (float)((double)y[k] + (double)j->given[k] * j->step);
    } else {
        double *y = j->fixed;

        for (size_t k = first; k < end; k++)
            y[k] = y[k] + (double)j->given[k] * j->step;
    }
    return FMC_OK;
}

fmc_status fmc_correct_find(const fmc_exec *ex, uint32_t dtype, size_t n, const void *x, const void *y,
                            const uint8_t *state, double limit, double step, int32_t *r, size_t *n_used)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    correct_job j = { .ex = ex, .dtype = dtype, .n = n, .x = x, .y = y, .state = state, .limit = limit, .step = step,
                      .r = r };
    fmc_status st = FMC_OK;

    *n_used = 0;
    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &j.used));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n_blocks, find_block, &j));
    for (size_t i = 0; i < n_blocks; i++)
        *n_used += j.used[i];
done:
    fmc_dealloc(ex->alloc, j.used);
    return st;
}

fmc_status fmc_correct_apply(const fmc_exec *ex, uint32_t dtype, size_t n, const int32_t *r, double step, void *y)
{
    const size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    correct_job j = { .ex = ex, .dtype = dtype, .n = n, .fixed = y, .step = step, .given = r };

    if (n_blocks > UINT32_MAX)
        return FMC_ERR_LIMIT;
    return fmc_parallel_for(ex, (uint32_t)n_blocks, apply_block, &j);
}

void fmc_correct_band(uint32_t rank, const size_t *dim, fmc_band *band)
{
    *band = (fmc_band){ .count = 1, .parent = -1, .time_parent = -1 };
    for (uint32_t i = 0; i < FMC_MAX_RANK; i++) {
        const uint32_t lead = FMC_MAX_RANK - rank;

        band->dim[i] = i < lead ? 1 : dim[i - lead];
        band->count *= band->dim[i];
    }
}
