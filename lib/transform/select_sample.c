/* SPDX-License-Identifier: Apache-2.0 */
/* What choices are judged on: boxes at places where much happens, of samples or of means of neighbours. */
#include <math.h>
#include <string.h>

#include "core/status.h"
#include "ops/kernels.h"
#include "transform/select_search.h"

enum {
    MAX_SHIFT = 4,   /* long axes may be judged by means of 2^MAX_SHIFT neighbours */
    MIN_SEEN = 32,   /* if so many of them are left */
    N_DETAILS = 512, /* pieces of lines that tell how smooth an axis is */
    SEAM_PLACES = 48, /* along an axis that may be periodic, beside its ends */
    LONGEST = 1024,  /* extent of a box, twice that if the axis may be periodic */
    CROP_PIECE = 1 << 15, CROP_PIECES = 16 /* samples of a task of copying, and the most of them */
};

/* Odd, so that multiples modulo a power of 2 spread places along every axis in another order. */
static const size_t place_step[FMC_MAX_RANK] = { 1, 7, 11, 5, 13 };

/* Of the mean square error aimed at, what the means may lose along one axis and along all of them. */
static const double most_lost = 0.3, most_lost_all = 0.6;

/* What is left of the mean square error when some is lost by taking means: in units of the means times sqrt(block). */
void fmc_tx_set_seen(fmc_tx_search *s, double lost)
{
    double block = 1;

    s->n_seen = 1;
    for (uint32_t a = 0; a < s->rank; a++) {
        s->n_seen *= s->seen[a] = s->dim[a] >> s->shift[a];
        block *= (double)((size_t)1 << s->shift[a]);
    }
    s->rmse_seen = s->rmse * sqrt(block * (1 - lost));
}

/* Double the extents of a box, the least one first, except along fixed axes, up to at most budget samples. */
static void grow_box(const fmc_tx_search *s, uint32_t fixed, size_t budget, size_t *box)
{
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        count *= box[a];
    for (;;) {
        uint32_t least = s->rank;

        for (uint32_t a = s->rank; a-- > 0;)
            if (!(fixed >> a & 1) && box[a] < s->seen[a] && (least == s->rank || box[a] < box[least]))
                least = a;
        if (least == s->rank || count / box[least] * (2 * box[least]) > budget)
            return;
        count /= box[least];
        box[least] = 2 * box[least] < s->seen[least] ? 2 * box[least] : s->seen[least];
        count *= box[least];
    }
}

/*
 * A box with all of one axis (at most `most` of it), of K and F axes too if they fit, and about budget samples: the
 * other extents are doubled, the least one first, as long as they fit.
 */
void fmc_tx_sample_box(const fmc_tx_search *s, uint32_t axis, size_t budget, size_t *box)
{
    const size_t most = s->allowed[axis][FMC_TX_DFT] && s->seen[axis] < 2 * LONGEST ? 2 * LONGEST : LONGEST;
    size_t count = s->seen[axis] < most ? s->seen[axis] : most;

    for (uint32_t a = 0; a < s->rank; a++)
        box[a] = a == axis ? count : 1;
    for (uint32_t a = 0; a < s->rank; a++) /* K and F mean nothing on a part of an axis */
        if (a != axis && s->best.kind[a] >= FMC_TX_DFT && count * s->seen[a] <= budget / 2) {
            box[a] = s->seen[a];
            count *= box[a];
        }
    grow_box(s, 1u << axis, budget, box);
}

/*
 * A box of about budget samples, with all of the axes that have another transform than W in one of the choices, K axes
 * first: without all of the axis there is no K at all.
 */
void fmc_tx_common_box(const fmc_tx_search *s, const fmc_tx_choice *list, size_t n, size_t budget, size_t *box)
{
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        box[a] = 1;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t a = 0; a < s->rank; a++)
            for (size_t i = 0; i < n; i++) {
                const int is_wanted = list[i].kind[a] >= (pass ? FMC_TX_DCT : FMC_TX_KLT);

                if (is_wanted && box[a] == 1 && count * s->seen[a] <= budget) {
                    box[a] = s->seen[a];
                    count *= box[a];
                }
            }
    grow_box(s, 0, budget, box);
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/select_sample_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/select_sample_real.h"
#undef REAL
#undef NAME
#undef KERNEL
