/* SPDX-License-Identifier: Apache-2.0 */
#include "array/fill.h"

#include <string.h>
#include "array/fill_plan.h"
#include "core/status.h"

/* Pieces of parallel work per array at most; halvings of any size_t and one; sweeps per level. */
enum { MAX_PIECES = 256, MAX_LEVELS = 65, SWEEPS = 4 };

fmc_fill_plan fmc_fill_plan_make(uint32_t rank, const size_t *dim, uint32_t unlike)
{
    fmc_fill_plan p = { .h = 1, .w = 1, .n_planes = 1 };
    size_t step[FMC_MAX_RANK], s = 1;
    uint32_t found = 0, used = 0;

    for (uint32_t i = rank; i-- > 0;) {
        step[i] = s;
        s *= dim[i];
        if (dim[i] == 1 || (unlike >> i & 1) || found == 2)
            continue;
        used |= 1u << i;
        if (found++ == 0) {
            p.w = dim[i];
            p.w_step = step[i];
        } else {
            p.h = dim[i];
            p.h_step = step[i];
        }
    }
    for (uint32_t i = 0; i < rank; i++) {
        if ((used >> i & 1) || dim[i] == 1)
            continue;
        p.lead_dim[p.n_lead] = dim[i];
        p.lead_step[p.n_lead++] = step[i];
        p.n_planes *= dim[i];
    }
    return p;
}

size_t fmc_fill_plan_start(const fmc_fill_plan *plan, size_t p)
{
    size_t start = 0;

    for (uint32_t i = plan->n_lead; i-- > 0;) {
        start += p % plan->lead_dim[i] * plan->lead_step[i];
        p /= plan->lead_dim[i];
    }
    return start;
}

/* One level of a pyramid: h x w samples and states at `start` of its arrays. */
typedef struct level {
    size_t h, w, start;
} level;

/* Level 0 is the plane; each further one halves both axes, rounding up, down to one sample, which is always known. */
static unsigned make_levels(size_t h, size_t w, level *l, size_t *total)
{
    unsigned n = 0;

    *total = 0;
    for (;;) {
        l[n] = (level){ h, w, *total };
        *total += h * w;
        n++;
        if (h == 1 && w == 1)
            return n;
        h = (h + 1) / 2;
        w = (w + 1) / 2;
    }
}

/* A run of masked samples of a row of a level. */
typedef struct run {
    uint32_t row, first, end;
} run;

/* Room for the runs of all levels of a plane: coarser ones have no more than it has. */
static size_t count_runs(const uint8_t *masked, size_t h, size_t w)
{
    size_t n = 0;

    for (size_t i = 0; i < h; i++, masked += w) {
        uint32_t here = masked[0];

        for (size_t j = 1; j < w; j++)
            here += masked[j] > masked[j - 1];
        n += here;
    }
    return n;
}

/* All runs of a level, in order. @param list  room for count_runs. */
static size_t find_runs(const level *l, const uint8_t *masked, run *list)
{
    size_t n = 0;

    for (size_t i = 0; i < l->h; i++) {
        const uint8_t *row = masked + l->start + i * l->w, *stop = row + l->w, *at = row;

        while (at < stop && (at = memchr(at, 1, (size_t)(stop - at))) != NULL) {
            const uint8_t *next = memchr(at, 0, (size_t)(stop - at));

            next = next ? next : stop;
            list[n++] = (run){ (uint32_t)i, (uint32_t)(at - row), (uint32_t)(next - row) };
            at = next;
        }
    }
    return n;
}

static size_t nearest_known(const uint8_t *has_known, size_t n, size_t p)
{
    for (size_t d = 1; d < n; d++) {
        if (d <= p && has_known[p - d])
            return p - d;
        if (d < n - p && has_known[p + d])
            return p + d;
    }
    return n;
}

/* The next masked samples from `from` on. @return where they begin, n: there are none. */
static size_t next_masked(const uint8_t *state, size_t n, size_t from, size_t *end)
{
    const uint8_t *stop;
    uint64_t eight = 0;

    while (from + 8 <= n && (memcpy(&eight, state + from, 8), eight == 0))
        from += 8;
    while (from < n && !state[from])
        from++;
    stop = memchr(state + from, 0, n - from);
    *end = stop ? (size_t)(stop - state) : n;
    return from;
}

void fmc_fill_keep(size_t n, size_t sample, const uint8_t *state, const void *x, void *kept)
{
    uint8_t *to = kept;

    for (size_t end, i = next_masked(state, n, 0, &end); i < n; i = next_masked(state, n, end, &end)) {
        memcpy(to, (const uint8_t *)x + i * sample, (end - i) * sample);
        to += (end - i) * sample;
    }
}

void fmc_fill_again(size_t n, size_t sample, const uint8_t *state, const void *kept, void *x)
{
    const uint8_t *from = kept;

    for (size_t end, i = next_masked(state, n, 0, &end); i < n; i = next_masked(state, n, end, &end)) {
        memcpy((uint8_t *)x + i * sample, from, (end - i) * sample);
        from += (end - i) * sample;
    }
}

#define T float
#define NAME(x) x##_f32
#include "array/fill_real.h"
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include "array/fill_real.h"
#undef T
#undef NAME
