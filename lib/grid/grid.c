/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/grid.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include "core/status.h"
#include "grid/grid_fit.h"
#include "grid/lattice.h"
#include "grid/sort.h"

enum {
    SAMPLES = FMC_FIT_SAMPLES,
    SLICE_SAMPLES = 8192,
    FEW_SAMPLES = 4096,
    GLANCE = 4096,
    SLICE_GLANCE = 1024,
    N_GLANCES = 3,
    MAX_FIX_RANGE = 1 << 22,
    MAX_SLICES = 1 << 16,
    MAX_REFINED = 4096
};

void fmc_grid_fini(fmc_grid *g)
{
    if (g->alloc) {
        fmc_dealloc(g->alloc, g->scale);
        fmc_dealloc(g->alloc, g->offset);
        fmc_dealloc(g->alloc, g->fix);
    }
    memset(g, 0, sizeof *g);
}

double fmc_grid_step(const fmc_grid *g, uint32_t slice)
{
    const double s = g->scale[g->n_slices > 1 ? slice : 0];

    return g->kind == FMC_GRID_DIV || g->kind == FMC_GRID_DIV32 ? 1.0 / s : s;
}

/* Samples as [outer][slice][inner]. */
typedef struct cut {
    size_t outer, n, inner;
} cut;

static cut cut_at(uint32_t rank, const size_t *dim, const fmc_grid *g)
{
    cut c = { 1, 1, 1 };

    if (g->n_slices == 1) {
        for (uint32_t i = 0; i < rank; i++)
            c.inner *= dim[i];
        return c;
    }
    for (uint32_t i = 0; i < rank; i++) {
        if (i < g->axis)
            c.outer *= dim[i];
        else if (i > g->axis)
            c.inner *= dim[i];
    }
    c.n = dim[g->axis];
    return c;
}

static double value_at(const void *data, bool single, size_t i)
{
    return single ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

/* Sorted distinct values of a slice, from about `limit` samples spread over it. */
static size_t distinct(const cut *c, size_t slice, bool single, const void *data, const uint8_t *mask, size_t limit,
                       double *u, double *work)
{
    const size_t n = c->outer * c->inner, count = n < limit ? n : limit;
    size_t m = 0, w = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t j = (size_t)((double)i * ((double)n / (double)count));
        const size_t at = (j / c->inner * c->n + slice) * c->inner + j % c->inner;

        if (!mask || !mask[at])
            u[m++] = value_at(data, single, at);
    }
    fmc_sort_f64(u, m, work);
    for (size_t i = 0; i < m; i++)
        if (w == 0 || u[i] != u[w - 1])
            u[w++] = u[i];
    return w;
}

typedef struct finder {
    const fmc_exec *ex;
    fmc_grid *g;
    bool single;
    uint32_t rank;
    const size_t *dim;
    const void *data;
    const uint8_t *mask;
    bool no_minus_zero; /* known */
    double least_step;  /* finer grids are not wanted */
    bool is_too_fine;   /* known */
    double *u;    /* [SAMPLES] */
    double *work; /* [FMC_FIT_WORK] */
} finder;

static int64_t order(bool single, double v)
{
    return single ? fmc_order_f32((float)v) : fmc_order_f64(v);
}

static double unorder(bool single, int64_t x)
{
    return single ? (double)fmc_unorder_f32(x) : fmc_unorder_f64(x);
}

/* Samples of a piece of parallel work. */
#define PIECE ((size_t)1 << 16)

/* Samples that follow each other in one slice, of those up to `end`. */
typedef struct stretch {
    size_t slice, end;
} stretch;

static stretch stretch_at(const cut *c, size_t i, size_t end)
{
    const size_t row = i / c->inner, next = (row + 1) * c->inner;

    return (stretch){ row % c->n, next < end ? next : end };
}

/* What is found in a piece of the samples. */
typedef struct seen {
    int32_t lo, hi;
    size_t  n_missed;
    bool    is_far; /* some are no integers of ours */
} seen;

typedef struct scan_job {
    const finder *f;
    cut           c;
    bool          exact;
    atomic_int    has_failed; /* nothing else is of interest then */
    seen         *part;       /* a piece each */
} scan_job;

static void scan_stretch(const finder *f, size_t slice, size_t first, size_t end, bool exact, seen *s)
{
    const fmc_grid *g = f->g;
    const double scale = g->scale[slice], offset = g->offset[slice];

    for (size_t i = first; i < end; i++) {
        double v;
        int32_t k;

        if (f->mask && f->mask[i])
            continue;
        v = value_at(f->data, f->single, i);
        if (!fmc_fit_integer(g->kind, scale, offset, v, &k)) {
            s->is_far = true;
            return;
        }
        if (order(f->single, fmc_fit_value(g->kind, f->single, scale, offset, k)) != order(f->single, v)) {
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
    const size_t all = j->c.outer * j->c.n * j->c.inner, first = piece * PIECE;
    const size_t end = all - first < PIECE ? all : first + PIECE;
    seen *s = &j->part[piece];

    *s = (seen){ .lo = INT32_MAX, .hi = INT32_MIN };
    for (size_t i = first; i < end && !atomic_load_explicit(&j->has_failed, memory_order_relaxed);) {
        const stretch t = stretch_at(&j->c, i, end);

        scan_stretch(j->f, t.slice, i, t.end, j->exact, s);
        if (s->is_far || (j->exact && s->n_missed))
            atomic_store(&j->has_failed, 1);
        i = t.end;
    }
    return FMC_OK;
}

/* Range of k over all samples; *ok is false if any is too far off or misses while `exact`. */
static fmc_status scan(finder *f, bool exact, size_t *n_missed, bool *ok)
{
    fmc_grid *g = f->g;
    scan_job j = { .f = f, .c = cut_at(f->rank, f->dim, g), .exact = exact };
    const size_t n = (j.c.outer * j.c.n * j.c.inner + PIECE - 1) / PIECE;
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

/* Fill g->fix; false if two samples of one k differ, or a correction does not fit. */
static fmc_status find_fixes(finder *f, bool *found)
{
    fmc_grid *g = f->g;
    const int64_t range = (int64_t)g->k_max - g->k_min + 1;
    const size_t n = cut_at(f->rank, f->dim, g).inner;
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
        v = value_at(f->data, f->single, i);
        (void)fmc_fit_integer(g->kind, g->scale[0], g->offset[0], v, &k);
        d = places_between(order(f->single, v),
                           order(f->single, fmc_fit_value(g->kind, f->single, g->scale[0], g->offset[0], k)));
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

static const uint32_t kinds[] = { FMC_GRID_DIV, FMC_GRID_MUL, FMC_GRID_MUL32, FMC_GRID_DIV32 };

/* -0.0 is on no grid: then all the search is in vain. */
static bool has_minus_zero(const finder *f)
{
    size_t n = 1;

    for (uint32_t i = 0; i < f->rank; i++)
        n *= f->dim[i];
    for (size_t i = 0; i < n; i++) {
        const double v = value_at(f->data, f->single, i);

        if (v == 0 && signbit(v) && !(f->mask && f->mask[i]))
            return true;
    }
    return false;
}

/* False if a few samples of a slice already show that they share no step; else *step is one, 0: not known. */
static bool may_have_step(finder *f, const cut *c, size_t slice, size_t limit, double *step)
{
    const size_t n = distinct(c, slice, f->single, f->data, f->mask, limit, f->u, f->work);

    *step = n >= 32 ? fmc_fit_step(f->u, n, f->single, f->work) : 0;
    if (n >= 32 && *step == 0)
        return false;
    if (!f->no_minus_zero && has_minus_zero(f))
        return false;
    f->no_minus_zero = true;
    return true;
}

/* A few samples share this step, and so do all, if not a finer one; slices may still have one that is wanted. */
static bool is_too_fine(finder *f, double step)
{
    const fmc_grid slices = { .n_slices = (uint32_t)f->dim[0], .axis = 0 };
    cut c;

    if (!(step > 0) || step >= f->least_step)
        return false;
    if (f->rank < 2 || f->dim[0] < 2 || f->dim[0] > MAX_REFINED)
        return true;
    c = cut_at(f->rank, f->dim, &slices);
    for (size_t i = 0; i < N_GLANCES; i++) {
        const size_t s = c.n * (i + 1) / (N_GLANCES + 1);
        const size_t n = distinct(&c, s, f->single, f->data, f->mask, SLICE_GLANCE, f->u, f->work);

        if (n >= 32 && fmc_fit_step(f->u, n, f->single, f->work) >= f->least_step)
            return false;
    }
    return true;
}

static fmc_status find_whole(finder *f, bool *found)
{
    fmc_grid *g = f->g;
    cut c;
    size_t n, best = SIZE_MAX, missed;
    double step;
    uint32_t best_kind = 0;
    fmc_fit best_fit = { 1, 0 };
    fmc_status st;
    bool is_near;

    *found = false;
    g->n_slices = 1;
    c = cut_at(f->rank, f->dim, g);
    if (!may_have_step(f, &c, 0, GLANCE, &step))
        return FMC_OK;
    f->is_too_fine = is_too_fine(f, step);
    if (f->is_too_fine)
        return FMC_OK;
    n = distinct(&c, 0, f->single, f->data, f->mask, SAMPLES, f->u, f->work);
    if (n < 2)
        return FMC_OK;
    step = fmc_fit_step(f->u, n, f->single, f->work);
    if (step == 0)
        return FMC_OK;
    for (uint32_t i = 0; i < (f->single ? 4 : 2) && best; i++) {
        fmc_fit t = { 1, 0 };
        const size_t bad = fmc_fit_constants(kinds[i], f->single, step, f->u, n, &t);

        if (bad < best) {
            best = bad;
            best_kind = kinds[i];
            best_fit = t;
        }
    }
    g->kind = best_kind;
    g->scale[0] = best_fit.scale;
    g->offset[0] = best_fit.offset;
    FMC_TRY(scan(f, false, &missed, &is_near));
    if (is_near && missed)
        return find_fixes(f, found);
    *found = is_near;
done:
    return st;
}

/* Constants per slice under one kind; steps[] are known. */
static fmc_status fit_slices(finder *f, const cut *c, uint32_t kind, const double *steps, size_t limit, bool *found)
{
    fmc_grid *g = f->g;
    size_t missed;

    *found = false;
    g->kind = kind;
    for (size_t s = 0; s < c->n; s++) {
        const size_t n = distinct(c, s, f->single, f->data, f->mask, limit, f->u, f->work);
        fmc_fit t = { 1, 0 };

        if (s > 0 && fabs(steps[s] - steps[s - 1]) < 1e-4 * steps[s]) {
            t.scale = g->scale[s - 1];
            t.offset = g->offset[s - 1];
            if (fmc_fit_misses(kind, f->single, &t, f->u, n, 1) == 0) {
                g->scale[s] = t.scale;
                g->offset[s] = t.offset;
                continue;
            }
        }
        if (n < 2) {
            t.scale = steps[s];
            t.offset = n ? f->u[0] : 0;
        } else if (fmc_fit_constants(kind, f->single, steps[s], f->u, n, &t) != 0) {
            return FMC_OK;
        }
        g->scale[s] = t.scale;
        g->offset[s] = t.offset;
    }
    return scan(f, true, &missed, found);
}

/* A step and constants for every slice from `limit` samples of each. Leaves steps[0] at 0 if there are no steps. */
static fmc_status slices_from(finder *f, const cut *c, size_t limit, double *steps, bool *found)
{
    double largest = 0;
    fmc_status st = FMC_OK;

    memset(steps, 0, c->n * sizeof *steps);
    for (size_t s = 0; s < c->n; s++) {
        const size_t n = distinct(c, s, f->single, f->data, f->mask, limit, f->u, f->work);

        if (n < 2)
            continue;
        steps[s] = fmc_fit_step(f->u, n, f->single, f->work);
        if (steps[s] == 0) {
            steps[0] = 0;
            return FMC_OK;
        }
        largest = steps[s] > largest ? steps[s] : largest;
    }
    for (size_t s = 0; s < c->n; s++)
        if (steps[s] == 0)
            steps[s] = largest;
    for (uint32_t i = 0; i < (f->single ? 4 : 2) && largest > 0 && !*found; i++)
        FMC_TRY(fit_slices(f, c, kinds[i], steps, limit, found));
done:
    return st;
}

static fmc_status find_slices(finder *f, uint32_t axis, bool *found)
{
    fmc_grid *g = f->g;
    const fmc_allocator *al = f->ex->alloc;
    double *steps = NULL, step;
    fmc_status st = FMC_OK;
    cut c;

    *found = false;
    if (f->dim[axis] < 2 || f->dim[axis] > MAX_SLICES)
        return FMC_OK;
    g->axis = axis;
    g->n_slices = (uint32_t)f->dim[axis];
    c = cut_at(f->rank, f->dim, g);
    if (c.outer * c.inner < 256 || !may_have_step(f, &c, c.n / 2, SLICE_GLANCE, &step))
        return FMC_OK;
    if (step > 0 && step < f->least_step)
        return FMC_OK;
    fmc_dealloc(al, g->scale);
    fmc_dealloc(al, g->offset);
    g->scale = g->offset = NULL;
    FMC_TRY(FMC_ALLOC(al, c.n, &g->scale));
    FMC_TRY(FMC_ALLOC(al, c.n, &g->offset));
    FMC_TRY(FMC_ALLOC_ZERO(al, c.n, &steps));
    /* Few samples of a slice are mostly enough: what they say is proved on all. */
    FMC_TRY(slices_from(f, &c, FEW_SAMPLES, steps, found));
    if (!*found && steps[0] > 0 && c.outer * c.inner > FEW_SAMPLES)
        FMC_TRY(slices_from(f, &c, SLICE_SAMPLES, steps, found));
done:
    fmc_dealloc(al, steps);
    return st;
}

/* A whole-array grid is refined where some slices use only every m-th of its values. */
static bool worth_slicing(finder *f)
{
    const fmc_grid *g = f->g;
    const double step = fmc_grid_step(g, 0);
    fmc_grid t = { .n_slices = (uint32_t)f->dim[0], .axis = 0 };
    cut c;

    if (f->rank < 2 || f->dim[0] < 2 || f->dim[0] > MAX_REFINED)
        return false;
    c = cut_at(f->rank, f->dim, &t);
    if (c.inner < 1024)
        return false;
    for (size_t s = 0; s < c.n; s++) {
        const size_t n = distinct(&c, s, f->single, f->data, f->mask, 2048, f->u, f->work);

        if (n > 32) {
            const double own = fmc_fit_step(f->u, n, f->single, f->work);

            if (own > 1.5 * step && own * (double)(2 * n) > f->u[n - 1] - f->u[0])
                return true;
        }
    }
    return false;
}

fmc_status fmc_grid_detect(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                           const uint8_t *mask, double least_step, fmc_grid *g)
{
    finder f = { .ex = ex, .g = g, .single = dtype == FMC_F32, .rank = rank, .dim = dim, .data = data, .mask = mask,
                 .least_step = least_step };
    fmc_status st;
    bool found = false;

    memset(g, 0, sizeof *g);
    g->alloc = ex->alloc;
    g->dtype = dtype;
    FMC_TRY(FMC_ALLOC(ex->alloc, SAMPLES, &f.u));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_FIT_WORK, &f.work));
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &g->scale));
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &g->offset));
    FMC_TRY(find_whole(&f, &found));
    if (found && worth_slicing(&f)) {
        fmc_grid whole = *g;

        g->scale = g->offset = NULL;
        g->fix = NULL;
        FMC_TRY(find_slices(&f, 0, &found));
        if (found) {
            fmc_grid_fini(&whole);
        } else {
            fmc_grid_fini(g);
            *g = whole;
            found = true;
        }
    }
    for (uint32_t a = 0; a < rank && rank > 1 && !found && !f.is_too_fine; a++) {
        if (fmc_is_cancelled(ex)) {
            st = FMC_ERR_CANCELLED;
            goto done;
        }
        FMC_TRY(find_slices(&f, a, &found));
    }
done:
    fmc_dealloc(ex->alloc, f.u);
    fmc_dealloc(ex->alloc, f.work);
    if (st != FMC_OK || !found) {
        fmc_grid_fini(g);
        g->dtype = dtype;
    }
    return st;
}

/* Both ways between values and integers. */
typedef struct ints_job {
    const fmc_exec *ex;
    const fmc_grid *g;
    cut             c;
    size_t          first, count;
    const void     *data;  /* values to integers */
    const int32_t  *from;  /* or integers to values */
    const uint8_t  *mask;
    int32_t        *k;     /* [count] */
    void           *values;
} ints_job;

static void ints_of_stretch(const ints_job *j, size_t slice, size_t first, size_t end)
{
    const fmc_grid *g = j->g;
    const bool single = g->dtype == FMC_F32;

    for (size_t i = first; i < end; i++) {
        int32_t *k = &j->k[i - j->first];

        *k = 0;
        if (!j->mask || !j->mask[i])
            (void)fmc_fit_integer(g->kind, g->scale[slice], g->offset[slice], value_at(j->data, single, i), k);
    }
}

static void values_of_stretch(const ints_job *j, size_t slice, size_t first, size_t end)
{
    const fmc_grid *g = j->g;
    const bool single = g->dtype == FMC_F32;

    for (size_t i = first; i < end; i++) {
        const int32_t k = j->from[i];
        double v;

        if (j->mask && j->mask[i])
            continue;
        v = fmc_fit_value(g->kind, single, g->scale[slice], g->offset[slice], k);
        if (g->fix && k >= g->k_min && k <= g->k_max)
            v = unorder(single, order(single, v) + g->fix[(int64_t)k - g->k_min]);
        if (single)
            ((float *)j->values)[i] = (float)v;
        else
            ((double *)j->values)[i] = v;
    }
}

static fmc_status ints_piece(void *user, uint32_t piece)
{
    const ints_job *j = user;
    const size_t first = j->first + piece * PIECE, all = j->first + j->count;
    const size_t end = all - first < PIECE ? all : first + PIECE;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t i = first; i < end;) {
        const stretch t = stretch_at(&j->c, i, end);

        if (j->k)
            ints_of_stretch(j, t.slice, i, t.end);
        else
            values_of_stretch(j, t.slice, i, t.end);
        i = t.end;
    }
    return FMC_OK;
}

fmc_status fmc_grid_to_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const void *data,
                            const uint8_t *mask, size_t first, size_t count, int32_t *k)
{
    ints_job j = { .ex = ex, .g = g, .c = cut_at(rank, dim, g), .first = first, .count = count, .data = data,
                   .mask = mask, .k = k };

    return fmc_parallel_for(ex, (uint32_t)((count + PIECE - 1) / PIECE), ints_piece, &j);
}

fmc_status fmc_grid_from_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                              const uint8_t *mask, void *data)
{
    ints_job j = { .ex = ex, .g = g, .c = cut_at(rank, dim, g), .from = k, .mask = mask, .values = data };

    j.count = j.c.outer * j.c.n * j.c.inner;
    return fmc_parallel_for(ex, (uint32_t)((j.count + PIECE - 1) / PIECE), ints_piece, &j);
}
