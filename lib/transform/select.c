/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transform along which axis. A sweep changes one axis at a time, judged on small boxes that have the whole of
 * that axis and a crop of the others. Transforms along different axes commute, wavelets of several axes apart: what the
 * other axes do is done once, then each kind for the axis in question. What is close then, is compared on a larger box,
 * and what still is, on one that is larger still. Axes along which a field is smooth at the scale of the error are seen
 * through means of neighbours. The highest effort compares whole arrays.
 */
#include "transform/select.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "transform/select_search.h"

enum {
    LEAST_ROOM = 24576,  /* samples of a sweep that are judged for every kind of an axis */
    MOST_ROOM = 1 << 18,
    LAST_ROOM = 655360,  /* samples on which the best choices are compared, half of them at first */
    MAX_LEFT = 3,        /* choices of the last comparison */
    MAX_CLOSE = 2        /* that stay on the menu beside the best */
};

/* What takes so many times the bits of the best is given up after the first comparison. */
#define STILL_CLOSE 1.04
/* What takes no more stays on the menu. */
#define STILL_NEAR 1.12

/* Of the array, samples of a sweep. */
static const double room_part = 0.02;

/* Samples of a sweep: more where each costs less, along two axes, and where boxes are thin. */
static size_t first_room(const fmc_tx_search *s)
{
    const double part = room_part * (double)s->n_seen * (s->rank < 3 ? 2 : 1);
    const size_t least = LEAST_ROOM * (s->rank == 2 || s->rank > 3 ? 2 : 1);

    return part < (double)least ? least : part > (double)MOST_ROOM ? MOST_ROOM : (size_t)part;
}

#define REAL float
#define NAME(x) x##_f32
#include "transform/select_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/select_real.h"
#undef REAL
#undef NAME

void fmc_tx_menu_fini(const fmc_allocator *alloc, fmc_tx_menu *menu)
{
    fmc_dealloc(alloc, menu->klt);
    menu->klt = NULL;
}
