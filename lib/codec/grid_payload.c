/* SPDX-License-Identifier: Apache-2.0 */
/* Values on a grid as integers, thinned out where the goal allows it (docs/format.md 5.5, 9). */
#include "codec/grid_payload.h"

#include <math.h>
#include <string.h>

#include "array/mask.h"
#include "bound/check.h"
#include "codec/payload.h"
#include "core/status.h"
#include "grid/grid.h"

/* How often a grid laid is made finer. */
enum { MOST_ROUNDS = 6 };

/* Integers from which the size is estimated. */
#define ESTIMATE_COUNT ((size_t)1 << 16)

static void grid_work_drop(const fmc_exec *ex, fmc_grid_work *w)
{
    fmc_dealloc(ex->alloc, w->k);
    fmc_dealloc(ex->alloc, w->samples);
    w->k = NULL;
    w->samples = NULL;
}

void fmc_grid_work_fini(const fmc_exec *ex, fmc_grid_work *w)
{
    fmc_mask_fini(ex, &w->mask);
    fmc_grid_fini(&w->grid);
    grid_work_drop(ex, w);
}

static double most_step(const fmc_grid_work *w)
{
    double step = 0;

    for (uint32_t i = 0; i < w->grid.n_slices; i++)
        step = fmax(step, fmc_grid_step(&w->grid, i));
    return step;
}

/* Largest odd m for which multiples of m steps may keep the goal. */
static uint32_t widest_thinning(const fmc_grid_work *w)
{
    double m;

    if (w->goal->kind != FMC_BOUND_ABS && w->goal->kind != FMC_BOUND_NRMSE)
        return 1;
    m = w->goal->limit / most_step(w);
    m = w->goal->kind == FMC_BOUND_ABS ? 2 * floor(m * 1.0000001) + 1 : sqrt(12 * m * m + 1);
    if (!(m >= 1))
        return 1;
    return m > FMC_GRID_MAX_THINNING ? 0 : ((uint32_t)m - 1) / 2 * 2 + 1;
}

/* Steps of grids that would have to be thinned out more than that, with room for a step known from few samples. */
static double least_step(const fmc_goal *goal)
{
    const uint32_t most = FMC_GRID_MAX_THINNING;
    const double m = goal->kind == FMC_BOUND_NRMSE ? sqrt((most * most - 1) / 12.0) : most / 2 + 1;

    return goal->kind == FMC_BOUND_ABS || goal->kind == FMC_BOUND_NRMSE ? 0.99 * goal->limit / m : 0;
}

static inline void thin_by(int32_t *k, size_t n, const int64_t m)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t v = k[i], half = m / 2;

        k[i] = (int32_t)(v >= 0 ? (v + half) / m : -((-v + half) / m));
    }
}

/* m odd, so no ties. */
void fmc_grid_thin(int32_t *k, size_t n, uint32_t m)
{
    switch (m) { /* by constants, which are no divisions */
    case 1:
        return;
    case 3:
        thin_by(k, n, 3);
        return;
    case 5:
        thin_by(k, n, 5);
        return;
    case 7:
        thin_by(k, n, 7);
        return;
    default:
        thin_by(k, n, m);
    }
}

static int multiply(int32_t *k, size_t n, int32_t m)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t v = (int64_t)k[i] * m;

        if (v > INT32_MAX || v < INT32_MIN)
            return 0;
        k[i] = (int32_t)v;
    }
    return 1;
}

static void put_masked(const fmc_grid_work *w)
{
    const size_t sample = w->block->dtype == FMC_F64 ? 8 : 4;

    for (size_t i = 0; w->mask.state && i < w->count; i++)
        if (w->mask.state[i])
            memcpy((uint8_t *)w->samples + i * sample, (const uint8_t *)w->data + i * sample, sample);
}

/* *ok: the samples keep the goal. *ratio: a mean-square error in units of its limit. */
static fmc_status keeps_goal(const fmc_exec *ex, const fmc_grid_work *w, int *ok, double *ratio)
{
    const fmc_block *b = w->block;
    size_t n_bad;
    fmc_errors e;
    fmc_status st;

    if (w->goal->kind == FMC_BOUND_NRMSE) {
        FMC_TRY(fmc_errors_measure(ex, b->dtype, w->count, w->data, w->samples, w->mask.state, &e));
        *ratio = fmc_errors_rmse(&e) / w->goal->limit;
        *ok = fmc_errors_rmse(&e) <= w->goal->limit; /* a quotient may be rounded to 1 */
        return FMC_OK;
    }
    FMC_TRY(fmc_check_samples(ex, b->dtype, w->count, w->data, w->samples, w->mask.state, w->goal->kind,
                              w->goal->limit, NULL, 0, &n_bad));
    *ok = n_bad == 0;
    *ratio = *ok ? 1 : 2;
done:
    return st;
}

/* Integers thinned by m, and the samples that they give. */
static fmc_status make_samples(const fmc_exec *ex, fmc_grid_work *w, uint32_t m)
{
    const size_t *dim = w->shape.dim;
    fmc_status st;

    if (!w->k)
        FMC_TRY(FMC_ALLOC(ex->alloc, w->count, &w->k));
    if (!w->samples)
        FMC_TRY(fmc_alloc_zero(ex->alloc, w->count, w->block->dtype == FMC_F64 ? 8 : 4, &w->samples));
    FMC_TRY(fmc_grid_to_ints(ex, &w->grid, w->shape.rank, dim, w->data, w->mask.state, 0, w->count, w->k));
    fmc_grid_thin(w->k, w->count, m);
    multiply(w->k, w->count, (int32_t)m);
    FMC_TRY(fmc_grid_from_ints(ex, &w->grid, w->shape.rank, dim, w->k, w->mask.state, w->samples));
    put_masked(w);
done:
    return st;
}

/* Samples and integers of the widest thinning up to w->thinning, or of the coarsest grid laid, that keep the goal. */
static fmc_status settle_thinning(const fmc_exec *ex, fmc_grid_work *w)
{
    fmc_status st = FMC_OK;
    double ratio;
    int ok = 0;

    for (int i = 0;; i++) {
        FMC_TRY(make_samples(ex, w, w->thinning));
        FMC_TRY(keeps_goal(ex, w, &ok, &ratio));
        if (ok)
            break;
        if (w->is_laid) { /* the error of its step was a guess */
            if (i >= MOST_ROUNDS || !fmc_grid_lay_finer(w, fmin(0.9995 / ratio, 0.9995)))
                return FMC_ERR_UNSUPPORTED;
            continue;
        }
        if (w->thinning == 1)
            return FMC_ERR_UNSUPPORTED;
        w->thinning -= 2;
    }
done:
    return st;
}

/* Part of the integers, contiguous and in proportion to the whole. */
typedef struct slab {
    uint32_t rank;
    size_t   dim[FMC_MAX_RANK], first, count;
} slab;

/* Cut along the first axis that is long enough, from the middle. */
static slab cut_slab(const fmc_grid_work *w)
{
    fmc_signal s = w->shape;
    uint32_t a = 0;
    size_t steps, inner;
    slab out = { 0 };

    while (a + 1 < s.rank && s.count / s.dim[a] > ESTIMATE_COUNT)
        s.count /= s.dim[a++];
    inner = s.count / s.dim[a];
    steps = ESTIMATE_COUNT / inner;
    steps = steps < 1 ? 1 : steps > s.dim[a] ? s.dim[a] : steps;
    out.first = (s.dim[a] - steps) / 2 * inner + (a ? w->count / 2 / s.count * s.count : 0);
    s.dim[a] = steps;
    out.rank = s.rank - a;
    memcpy(out.dim, s.dim + a, out.rank * sizeof *out.dim);
    out.count = steps * inner;
    return out;
}

/* Root mean square of what thinning by m takes from integers. */
static double thinning_error(const int32_t *k, size_t n, const uint8_t *mask, uint32_t m)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < n; i++) {
        int32_t v = k[i];

        if (mask && mask[i])
            continue;
        fmc_grid_thin(&v, 1, m);
        sum += ((double)k[i] - (double)v * (double)m) * ((double)k[i] - (double)v * (double)m);
        count++;
    }
    return count > 0 ? sqrt(sum / count) : 0;
}

/* Bytes of coding a slab of the integers, in proportion; w->thinning becomes what is likely to keep the goal. */
static fmc_status estimate(const fmc_exec *ex, fmc_grid_work *w, double *bytes)
{
    const slab s = cut_slab(w);
    const uint8_t *mask = w->mask.state ? w->mask.state + s.first : NULL;
    const double limit = w->goal->limit / most_step(w);
    fmc_out out = fmc_out_make(ex->alloc);
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, s.count, &w->k));
    FMC_TRY(fmc_grid_to_ints(ex, &w->grid, w->shape.rank, w->shape.dim, w->data, w->mask.state, s.first, s.count, w->k));
    while (w->goal->kind == FMC_BOUND_NRMSE && w->thinning > 1 &&
           thinning_error(w->k, s.count, mask, w->thinning) > 1.01 * limit)
        w->thinning -= 2;
    fmc_grid_thin(w->k, s.count, w->thinning);
    FMC_TRY(fmc_grid_encode(ex, NULL, s.rank, s.dim, w->k, mask, 1, &out));
    FMC_TRY(out.st);
    *bytes = (double)out.size * (double)w->count / (double)s.count;
done:
    fmc_out_fini(&out);
    return st;
}

fmc_status fmc_grid_prepare(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                            fmc_grid_work *w)
{
    fmc_status st;

    *w = (fmc_grid_work){ .block = block, .goal = goal, .data = data, .count = fmc_block_count(block) };
    fmc_signal_of_block(block, block->dtype, &w->shape);
    FMC_TRY(fmc_mask_find(ex, block->dtype, w->count, data, block->has_fill, block->fill_value, 0, &w->mask));
    if (w->mask.coded.n_valid == 0)
        goto done;
    FMC_TRY(fmc_grid_detect(ex, block->dtype, w->shape.rank, w->shape.dim, data, w->mask.state,
                            least_step(goal), &w->grid));
    if (w->grid.kind == FMC_GRID_NONE)
        goto done;
    w->thinning = widest_thinning(w);
    if (w->thinning >= 1)
        FMC_TRY(estimate(ex, w, &w->bytes));
    grid_work_drop(ex, w);
done:
    return st;
}

fmc_status fmc_grid_finish(const fmc_exec *ex, fmc_grid_work *w, uint32_t effort, fmc_candidate *out)
{
    const int has_mask = w->mask.n_missing + w->mask.n_exact > 0;
    fmc_out section = fmc_out_make(ex->alloc);
    fmc_status st;

    memset(out, 0, sizeof *out);
    out->payload = fmc_out_make(ex->alloc);
    FMC_TRY(settle_thinning(ex, w));
    fmc_out_u8(&out->payload, (uint8_t)(FMC_CODER_GRID | (has_mask ? FMC_PAYLOAD_MASK : 0)));
    fmc_out_u32(&out->payload, fmc_block_hash(w->block, w->samples));
    fmc_dealloc(ex->alloc, w->samples);
    w->samples = NULL;
    if (has_mask) {
        FMC_TRY(fmc_mask_encode(ex, w->block->dtype, w->shape.rank, w->shape.dim, w->data, w->mask.state, &section));
        fmc_section_write(&out->payload, &section);
    }
    fmc_out_varint(&out->payload, w->thinning);
    fmc_grid_write(&w->grid, &out->payload);
    fmc_grid_thin(w->k, w->count, w->thinning);
    FMC_TRY(fmc_grid_encode(ex, w->thinning == 1 ? &w->grid : NULL, w->shape.rank, w->shape.dim, w->k, w->mask.state,
                            effort, &out->payload));
    FMC_TRY(out->payload.st);
    out->coder = FMC_CODER_GRID;
done:
    grid_work_drop(ex, w);
    fmc_out_fini(&section);
    return st;
}

fmc_status fmc_grid_payload_decode(const fmc_exec *ex, const fmc_block *block, const uint8_t *mask, fmc_in *in,
                                   void *data)
{
    const uint64_t m = fmc_in_varint(in);
    fmc_signal shape;
    fmc_grid grid = { 0 };
    int32_t *k = NULL;
    fmc_status st;

    fmc_signal_of_block(block, block->dtype, &shape);
    FMC_TRY(fmc_in_status(in));
    if (m > FMC_GRID_MAX_THINNING || m % 2 == 0)
        FMC_TRY(FMC_ERR_CORRUPT);
    FMC_TRY(fmc_grid_parse(ex, block->dtype, shape.rank, shape.dim, in, &grid));
    FMC_TRY(FMC_ALLOC(ex->alloc, shape.count, &k));
    FMC_TRY(fmc_grid_decode(ex, m == 1 ? &grid : NULL, shape.rank, shape.dim, in, mask, k));
    if (!multiply(k, shape.count, (int32_t)m))
        FMC_TRY(FMC_ERR_CORRUPT);
    FMC_TRY(fmc_grid_from_ints(ex, &grid, shape.rank, shape.dim, k, mask, data));
done:
    fmc_grid_fini(&grid);
    fmc_dealloc(ex->alloc, k);
    return st;
}
