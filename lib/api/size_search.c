/* SPDX-License-Identifier: Apache-2.0 */
#include "api/compress.h"

#include <math.h>
#include "api/goal.h"
#include "array/view.h"
#include "core/status.h"

/* Quality is counted in octaves of NRMSE: 0 is the coarsest (NRMSE 1), lossless is above all. */
enum { MAX_TRIALS = FMC_SIZE_TRIALS, MAX_OCTAVES = 60 };
static const double good_enough = 0.985; /* of the size asked for */
static const double lossless_bits = 1.5; /* per sample: from here on lossless may fit (packed or constant data) */
static const double narrow = 0.01;       /* octaves between what fits and what does not */

typedef struct search {
    fmc_ctx *ctx;
    const fmc_exec *ex;
    const fmc_array *src;
    const fmc_params *params;
    const fmc_header *h;
    double width;
    double budget;      /* bytes */
    fmc_out *best;      /* the finest that fits */
    double fits, fails; /* octaves; fails < fits: not yet known */
    double fits_size, fails_size;
    uint32_t n_trials;
} search;

static fmc_status encode(search *s, const fmc_goal *goal, int *does_fit, double *size)
{
    fmc_out out = fmc_out_make(s->ex->alloc);
    fmc_sink sink = { .out = &out };
    fmc_status st;

    s->n_trials++;
    FMC_TRY(fmc_compress_once(s->ctx, s->ex, s->src, s->params, s->h, goal, &sink));
    *size = (double)out.size;
    *does_fit = *size <= s->budget;
    if (*does_fit) {
        fmc_out_fini(s->best);
        *s->best = out;
        out.data = NULL;
    }
done:
    fmc_out_fini(&out);
    return st;
}

static fmc_status try_lossless(search *s, int *does_fit)
{
    const fmc_goal goal = { FMC_BOUND_LOSSLESS, 0 };
    double size;

    return encode(s, &goal, does_fit, &size);
}

static fmc_status try_octaves(search *s, double octaves)
{
    const fmc_goal goal = fmc_goal_make(FMC_BOUND_NRMSE, exp2(-octaves), s->width);
    double size;
    int does_fit;
    const fmc_status st = encode(s, &goal, &does_fit, &size);

    if (st != FMC_OK)
        return st;
    if (does_fit) {
        s->fits = octaves;
        s->fits_size = size;
    } else {
        s->fails = octaves;
        s->fails_size = size;
    }
    return FMC_OK;
}

/* Where to look next: log size grows nearly linearly with the octaves, a little less fast at high rates. */
static double next_octaves(const search *s)
{
    double share;

    if (s->fails < 0)
        return fmin(s->fits + fmax(1, 1.5 * log2(s->budget / s->fits_size)), MAX_OCTAVES);
    if (s->fits < 0)
        return fmax(s->fails - fmax(1, 1.5 * log2(s->fails_size / s->budget)), 0);
    share = log2(s->budget * (1 + good_enough) / 2 / s->fits_size) / log2(s->fails_size / s->fits_size);
    share = fmin(fmax(share, 0.1), 0.9);
    return s->fits + share * (s->fails - s->fits);
}

static int is_done(const search *s)
{
    if (s->n_trials >= MAX_TRIALS)
        return 1;
    if (s->fits < 0)
        return s->fails == 0; /* not even the coarsest */
    if (s->fits_size >= good_enough * s->budget || s->fits >= MAX_OCTAVES)
        return 1;
    return s->fails >= 0 && s->fails - s->fits < narrow;
}

fmc_status fmc_compress_to_size(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *params,
                                const fmc_header *h, double width, fmc_out *best, double *quality)
{
    search s = { .ctx = ctx,
                 .ex = ex,
                 .src = src,
                 .params = params,
                 .h = h,
                 .width = width,
                 .budget = h->bound,
                 .best = best,
                 .fits = -1,
                 .fails = -1 };
    const double count = (double)fmc_view_count(src);
    const double bits = 8 * s.budget / fmax(count, 1);
    int does_fit = 0;
    fmc_status st = FMC_OK;

    *quality = INFINITY;
    if (!(width > 0) || bits > lossless_bits)
        FMC_TRY(try_lossless(&s, &does_fit));
    if (does_fit)
        return FMC_OK;
    if (width > 0)
        FMC_TRY(try_octaves(&s, fmin(bits + 2, MAX_OCTAVES / 2)));
    while (width > 0 && !is_done(&s)) {
        const int is_last = s.n_trials == MAX_TRIALS - 1 && s.fits < 0;

        FMC_TRY(try_octaves(&s, is_last ? 0 : next_octaves(&s)));
    }
    if (s.fits < 0)
        st = fmc_fail(ctx, FMC_ERR_UNREACHABLE_SIZE, "even the coarsest stream has more than %.0f bytes; ask for more",
                      s.budget);
    *quality = s.fits;
done:
    return st;
}
