/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/encoding.h"

#include <math.h>
#include <string.h>

#include "codec/coder.h"
#include "codec/payload.h"
#include "core/status.h"

/* Samples up to which a grid of our own is tried beside the transform. */
#define SMALL_COUNT ((size_t)1 << 18)
/* Steps of a trellis beyond the first, in one direction. */
#define MOST_TRELLISES 4

/* Runs of samples that are searched for plateaus. */
enum { RUNS = 256, RUN = 64 };
static const double few_repeats = 0.1, many_repeats = 0.3;

void fmc_encoding_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                       const fmc_effort *effort, fmc_encoding *e)
{
    *e = (fmc_encoding){ .ex = ex, .block = block, .data = data, .goal = goal, .effort = effort,
                         .transform_bytes = HUGE_VAL, .interp_bytes = HUGE_VAL, .grid_bytes = HUGE_VAL };
}

void fmc_encoding_fini(fmc_encoding *e)
{
    fmc_candidate_fini(e->ex, &e->best);
    fmc_quantised_fini(e->ex, &e->transform);
    fmc_grid_work_fini(e->ex, &e->grid);
    fmc_lossy_fini(e->ex, &e->lossy);
}

int fmc_encoding_keep(fmc_encoding *e, fmc_candidate *c)
{
    fmc_candidate *best = &e->best;

    if (c->coder != FMC_CODER_AUTO && (best->coder == FMC_CODER_AUTO || c->payload.size < best->payload.size)) {
        fmc_candidate_fini(e->ex, best);
        *best = *c;
        *c = (fmc_candidate){ 0 };
        e->best_step = 0;
        return 1;
    }
    fmc_candidate_fini(e->ex, c);
    return 0;
}

int fmc_encoding_may_use(const fmc_encoding *e, uint32_t coder)
{
    return e->effort->coder == FMC_CODER_AUTO || e->effort->coder == coder;
}

fmc_status fmc_encoding_finish(fmc_encoding *e, fmc_quantised *z)
{
    const double step = z->is_trellis ? 0 : z->quant.step;
    fmc_candidate c;
    const fmc_status st = fmc_lossy_finish(e->ex, &e->lossy, z, &c);

    if (st == FMC_OK && fmc_encoding_keep(e, &c)) {
        e->best_step = step;
        e->best_choice = e->choice;
    }
    if (st != FMC_OK)
        fmc_candidate_fini(e->ex, &c);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_transform(fmc_encoding *e, size_t choice)
{
    fmc_quantised z;
    fmc_status st = fmc_transform_quantise(e->ex, &e->lossy, choice, HUGE_VAL, &z);

    e->choice = choice;
    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

static fmc_status code_trellis(fmc_encoding *e, size_t choice, double step)
{
    fmc_quantised z;
    const fmc_status st = fmc_transform_trellis(e->ex, &e->lossy, choice, step, &z);

    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_trellis(fmc_encoding *e)
{
    /* Under a pointwise bound nothing but size tells how many corrections are best: smaller steps, or larger ones, while that helps. */
    static const double factors[] = { 0.92, 1.06 };
    const double step = e->best_step;
    const size_t choice = e->best_choice;
    size_t least;
    fmc_status st = FMC_OK;

    if (!(step > 0))
        return FMC_OK;
    FMC_TRY(code_trellis(e, choice, step));
    least = e->best.payload.size;
    for (size_t way = 0; way < 2 && e->goal->kind == FMC_BOUND_ABS && e->best.payload.size == least; way++) {
        double part = 1;

        for (int i = 0; i < MOST_TRELLISES; i++) {
            const size_t before = e->best.payload.size;

            part *= factors[way];
            FMC_TRY(code_trellis(e, choice, part * step));
            if (e->best.payload.size >= before)
                break;
        }
    }
done:
    e->best_step = 0;
    return st;
}

fmc_status fmc_encoding_interp(fmc_encoding *e)
{
    fmc_quantised z;
    fmc_status st = fmc_predict_quantise(e->ex, &e->lossy, &z);

    if (st == FMC_OK)
        return fmc_encoding_finish(e, &z);
    fmc_quantised_fini(e->ex, &z);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_pca(fmc_encoding *e)
{
    fmc_quantised z;
    fmc_status st;

    FMC_TRY(fmc_lossy_init(e->ex, e->block, e->data, e->goal, e->effort, &e->lossy));
    e->lossy.base = e->base;
    st = fmc_pca_quantise(e->ex, &e->lossy, &z);
    if (st == FMC_OK)
        st = fmc_encoding_finish(e, &z);
    else
        fmc_quantised_fini(e->ex, &z);
done:
    fmc_lossy_fini(e->ex, &e->lossy);
    return fmc_unless_unsupported(st);
}

static fmc_status code_grid(fmc_encoding *e, uint32_t effort)
{
    fmc_candidate c;
    const fmc_status st = fmc_grid_finish(e->ex, &e->grid, effort, &c);

    if (st == FMC_OK)
        fmc_encoding_keep(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return fmc_unless_unsupported(st);
}

fmc_status fmc_encoding_grid(fmc_encoding *e)
{
    return code_grid(e, e->effort->effort);
}

/* The share of samples that repeat the one before, by runs from all over the array; masked ones do not count. */
static double plateaus(const fmc_encoding *e, const uint8_t *masked)
{
    const size_t sample = e->block->dtype == FMC_F64 ? 8 : 4, n = fmc_block_count(e->block), stride = n / RUNS;
    const uint8_t *x = e->data;
    size_t repeats = 0, seen = 0;

    for (size_t r = 0; stride >= RUN && r < RUNS; r++)
        for (size_t i = r * stride + 1; i < r * stride + RUN; i++) {
            if (masked && masked[i])
                continue;
            seen++;
            repeats += !memcmp(x + i * sample, x + (i - 1) * sample, sample);
        }
    return seen ? (double)repeats / (double)seen : 0;
}

/*
 * May a grid of our own be smaller than the best so far? It wins where prediction does, or comes near on small arrays and those with
 * plateaus: neither where the transform leaves it far behind, nor where most values are a small part of a bit.
 */
static int may_lay(const fmc_encoding *e, const uint8_t *masked)
{
    const uint32_t effort = e->effort->effort;
    const double count = (double)fmc_block_count(e->block), most_ratio = effort >= 9 ? 1.6 : 1.3;

    if (e->base || e->goal->kind == FMC_BOUND_LOSSLESS || !fmc_encoding_may_use(e, FMC_CODER_GRID))
        return 0;
    if (e->best.coder == FMC_CODER_AUTO)
        return 1;
    if (8 * (double)e->best.payload.size < 0.25 * count)
        return 0;
    if (e->best.coder == FMC_CODER_GRID || e->best.coder == FMC_CODER_INTERP)
        return 1;
    if (!(e->interp_bytes < most_ratio * e->transform_bytes))
        return 0;
    return effort >= 9 || count <= SMALL_COUNT || plateaus(e, masked) > (effort >= 5 ? few_repeats : many_repeats);
}

/* Part of the best so far that a grid of our own must promise: coding it takes longer, unless the best is one as well. */
static double lay_below(const fmc_encoding *e)
{
    if (e->effort->effort >= 7)
        return 1.4;
    return e->effort->effort >= 5 || e->best.coder == FMC_CODER_GRID ? 0.97 : 0.88;
}

fmc_status fmc_encoding_lay(fmc_encoding *e, fmc_mask *mask)
{
    const uint32_t effort = e->effort->effort;
    fmc_grid_work own = e->grid;
    fmc_status st = FMC_OK;

    if (!may_lay(e, mask->state))
        return FMC_OK;
    FMC_TRY(fmc_grid_lay(e->ex, e->block, e->data, e->goal, mask, own.grid.kind != FMC_GRID_NONE ? &own.grid : NULL,
                         &e->grid));
    if (!e->grid.thinning || (e->best.coder != FMC_CODER_AUTO && !(e->grid.bytes < lay_below(e) * (double)e->best.payload.size)))
        goto done;
    FMC_TRY(code_grid(e, effort < 7 ? 1 : effort < 9 ? 5 : 9));
    if (effort == 7) /* as the default does: what learns is not always smaller */
        FMC_TRY(code_grid(e, 1));
done:
    fmc_grid_work_fini(e->ex, &own);
    return st;
}
