/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_ROWS_H
#define FMC_INTERP_ROWS_H

#include <string.h>
#include "coef/coef.h"
#include "interp/plan.h"

/* Walking over boxes, and sharing rows among threads; used by the files included per sample type. */

enum {
    RANK = FMC_MAX_RANK,
    X = FMC_MAX_RANK - 1, /* the fastest axis */
    SEGMENT = 256,        /* samples predicted at a time */
    FIT_SEGMENT = 16,     /* samples fitted at a time: short, so that many places are seen */
    ENDS = 8,             /* samples predicted at a time near the ends of rows */
    TASK_SAMPLES = 8192   /* not worth a thread below this */
};

/** Largest integer: 28 bits of q and a step of at most 24 significant bits make q * step exact. */
#define Q_MAX ((double)FMC_COEF_MAX)

/** Most taps of a raster predictor in the sample's own row; they lie 2, 3, ... and then 1 back (plan.c). */
#define FMC_RUN_TAPS 4

/** First of the items that belong to task i of n. */
static inline size_t fmc_share_begin(size_t items, uint32_t i, uint32_t n)
{
    return items / n * i + (i < items % n ? i : items % n);
}

static inline uint32_t fmc_n_tasks(const fmc_exec *ex, size_t items, size_t samples)
{
    size_t n = ex->n_threads > 1 || ex->parallel_for ? 4 * (size_t)ex->n_threads : 1;

    if (n > samples / TASK_SAMPLES + 1)
        n = samples / TASK_SAMPLES + 1;
    return (uint32_t)(n > items ? items : n);
}

/**
 * The k-th of places spread over n: one of each `every`, at random within it so that no period of the data or of the
 * rows is hit again and again. May be n or more at the end.
 */
static inline size_t fmc_spread(size_t k, size_t every)
{
    return k * every + ((uint32_t)k * 2654435761u >> 8) % every;
}

/** Index of the first sample of the row at `at` (slow axes only) of a coset. */
static inline size_t fmc_coset_row(const fmc_level *level, uint32_t coset, const size_t *at)
{
    const size_t *dim = level->dim[coset];
    size_t i = 0;

    for (unsigned a = 0; a < X; a++)
        i = i * dim[a] + at[a];
    return level->start[coset] + i * dim[X];
}

/** How far a tap `delta` grid steps from a sample of parity mask `from` is in the index of the coset with mask `to`. */
static inline ptrdiff_t fmc_coset_shift(uint32_t from, uint32_t to, unsigned axis, int delta)
{
    const int parity = (int)(from >> axis & 1) - (int)(to >> axis & 1);

    return (delta + parity) / 2; /* the sum is even */
}

/** Where one tap of a coset leads. */
typedef struct fmc_reach {
    uint32_t  source;         /* coset */
    ptrdiff_t shift[FMC_MAX_RANK]; /* index in the source minus index of the target */
    ptrdiff_t offset;         /* of the source's row from the row at the target's own index */
} fmc_reach;

/** @return the source. */
static inline uint32_t fmc_reach_make(const fmc_level *level, uint32_t coset, const int8_t *delta, int sign,
                                      fmc_reach *reach)
{
    uint32_t odd = level->mask[coset];

    for (unsigned a = 0; a < FMC_MAX_RANK; a++)
        odd ^= (uint32_t)(delta[a] & 1) << a;
    reach->source = level->coset[odd];
    reach->offset = 0;
    for (unsigned a = 0; a < FMC_MAX_RANK; a++) {
        reach->shift[a] = fmc_coset_shift(level->mask[coset], odd, a, sign * delta[a]);
        reach->offset = reach->offset * (ptrdiff_t)level->dim[reach->source][a] + (a < X ? reach->shift[a] : 0);
    }
    return reach->source;
}

/** Step to the next row in C order; at[X] stays. */
static inline void fmc_next_row(const size_t *dim, size_t *at)
{
    for (unsigned a = X; a-- > 0;) {
        if (++at[a] < dim[a])
            return;
        at[a] = 0;
    }
}

/** Step to the next sample in C order. */
static inline void fmc_next(const size_t *dim, size_t *at)
{
    if (++at[X] < dim[X])
        return;
    at[X] = 0;
    fmc_next_row(dim, at);
}

#endif
