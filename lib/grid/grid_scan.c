/* SPDX-License-Identifier: Apache-2.0 */
/* What a grid that was found in some samples is for all of them: proof, range, corrections. */
#include <stdatomic.h>
#include <string.h>

#include "core/status.h"
#include "grid/grid_find.h"
#include "grid/grid_fit.h"

enum { MAX_FIX_RANGE = 1 << 22 };

/* What is found in a piece of the samples. */
typedef struct seen {
    int32_t lo, hi;
    size_t  n_missed;
    bool    is_far; /* some are no integers of ours */
} seen;

typedef struct scan_job {
    const fmc_grid_finder *f;
    fmc_grid_cut           c;
    bool                   exact;
    atomic_int             has_failed; /* nothing else is of interest then */
    seen                  *part;       /* a piece each */
} scan_job;

static void scan_stretch(const fmc_grid_finder *f, size_t slice, size_t first, size_t end, bool exact, seen *s)
{
    const fmc_grid *g = f->g;
    const double scale = g->scale[slice], offset = g->offset[slice];

    for (size_t i = first; i < end; i++) {
        double v;
        int32_t k;

        if (f->mask && f->mask[i])
            continue;
        v = fmc_grid_value_at(f->data, f->single, i);
        if (!fmc_fit_integer(g->kind, scale, offset, v, &k)) {
            s->is_far = true;
            return;
        }
        if (fmc_grid_order(f->single, fmc_fit_value(g->kind, f->single, scale, offset, k)) !=
            fmc_grid_order(f->single, v)) {
            s->n_missed++;
            if (exact)
                return;
        }
        s->lo = k < s->lo ? k : s->lo;
        s->hi = k > s->hi ? k : s->hi;
    }
}

static fmc_status scan_piece(void *user, uint32_t piece)
{
    scan_job *j = user;
    const size_t all = j->c.outer * j->c.n * j->c.inner, first = piece * FMC_GRID_PIECE;
    const size_t end = all - first < FMC_GRID_PIECE ? all : first + FMC_GRID_PIECE;
    seen *s = &j->part[piece];

    *s = (seen){ .lo = INT32_MAX, .hi = INT32_MIN };
    for (size_t i = first; i < end && !atomic_load_explicit(&j->has_failed, memory_order_relaxed);) {
        const fmc_grid_stretch t = fmc_grid_stretch_at(&j->c, i, end);

        scan_stretch(j->f, t.slice, i, t.end, j->exact, s);
        if (s->is_far || (j->exact && s->n_missed))
            atomic_store(&j->has_failed, 1);
        i = t.end;
    }
    return FMC_OK;
}

fmc_status fmc_grid_scan(fmc_grid_finder *f, bool exact, size_t *n_missed, bool *ok)
{
    fmc_grid *g = f->g;
    scan_job j = { .f = f, .c = fmc_grid_cut_at(f->rank, f->dim, g), .exact = exact };
    const size_t n = (j.c.outer * j.c.n * j.c.inner + FMC_GRID_PIECE - 1) / FMC_GRID_PIECE;
    seen all = { .lo = INT32_MAX, .hi = INT32_MIN };
    fmc_status st;

    *ok = false;
    atomic_init(&j.has_failed, 0);
    FMC_TRY(FMC_ALLOC(f->ex->alloc, n, &j.part));
    FMC_TRY(fmc_parallel_for(f->ex, (uint32_t)n, scan_piece, &j));
    if (atomic_load(&j.has_failed))
        goto done;
    for (size_t i = 0; i < n; i++) {
        all.lo = j.part[i].lo < all.lo ? j.part[i].lo : all.lo;
        all.hi = j.part[i].hi > all.hi ? j.part[i].hi : all.hi;
        all.n_missed += j.part[i].n_missed;
    }
    *n_missed = all.n_missed;
    *ok = true;
    g->k_min = all.lo > all.hi ? 0 : all.lo;
    g->k_max = all.lo > all.hi ? 0 : all.hi;
done:
    fmc_dealloc(f->ex->alloc, j.part);
    return st;
}

/* Units in the last place from b to a; a number too far away for a correction where that is no int64_t. */
static int64_t places_between(int64_t a, int64_t b)
{
    if (b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b)
        return INT64_MAX;
    return a - b;
}

fmc_status fmc_grid_find_fixes(fmc_grid_finder *f, bool *found)
{
    fmc_grid *g = f->g;
    const int64_t range = (int64_t)g->k_max - g->k_min + 1;
    const size_t n = fmc_grid_cut_at(f->rank, f->dim, g).inner;
    fmc_status st = FMC_OK;

    *found = false;
    if (range > MAX_FIX_RANGE || (size_t)range > n)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC(g->alloc, (size_t)range, &g->fix));
    memset(g->fix, 127, (size_t)range);
    for (size_t i = 0; i < n; i++) {
        int32_t k;
        int64_t d;
        double v;

        if (f->mask && f->mask[i])
            continue;
        v = fmc_grid_value_at(f->data, f->single, i);
        (void)fmc_fit_integer(g->kind, g->scale[0], g->offset[0], v, &k);
        d = places_between(fmc_grid_order(f->single, v),
                           fmc_grid_order(f->single, fmc_fit_value(g->kind, f->single, g->scale[0], g->offset[0], k)));
        k -= g->k_min;
        if (d < -100 || d > 100 || (g->fix[k] != 127 && g->fix[k] != d))
            goto done;
        g->fix[k] = (int8_t)d;
    }
    for (int64_t i = 0; i < range; i++)
        if (g->fix[i] == 127)
            g->fix[i] = 0;
    *found = true;
done:
    if (!*found) {
        fmc_dealloc(g->alloc, g->fix);
        g->fix = NULL;
    }
    return st;
}
