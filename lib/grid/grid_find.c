/* SPDX-License-Identifier: Apache-2.0 */
/* The search for a grid: step and constants from a few samples, of the whole array or slice by slice. */
#include "grid/grid_find.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "grid/grid_fit.h"
#include "grid/sort.h"

enum {
    SAMPLES = FMC_FIT_SAMPLES,
    SLICE_SAMPLES = 8192,
    FEW_SAMPLES = 4096,
    GLANCE = 4096,
    SLICE_GLANCE = 1024,
    N_GLANCES = 3,
    MAX_SLICES = 1 << 16,
    MAX_REFINED = 4096,
    ZERO_PIECE = 1 << 18
};

typedef struct zero_search {
    const fmc_grid_finder *f;
    size_t n;
} zero_search;

/* Sorted distinct values of a slice, from about `limit` samples spread over it. */
static size_t distinct(const fmc_grid_cut *c, size_t slice, bool single, const void *data, const uint8_t *mask,
                       size_t limit, double *u, double *work)
{
    const size_t n = c->outer * c->inner, count = n < limit ? n : limit;
    size_t m = 0, w = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t j = (size_t)((double)i * ((double)n / (double)count));
        const size_t at = (j / c->inner * c->n + slice) * c->inner + j % c->inner;

        if (!mask || !mask[at])
            u[m++] = fmc_grid_value_at(data, single, at);
    }
    fmc_sort_f64(u, m, work);
    for (size_t i = 0; i < m; i++)
        if (w == 0 || u[i] != u[w - 1])
            u[w++] = u[i];
    return w;
}

static const uint32_t kinds[] = { FMC_GRID_DIV, FMC_GRID_MUL, FMC_GRID_MUL32, FMC_GRID_DIV32 };

/* Is there a -0.0 among n samples? Every one is looked at: a loop for vectors. */
static bool has_minus_zero_f32(const uint8_t *data, size_t n)
{
    uint32_t found = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, data + 4 * i, sizeof bits);
        found |= bits == UINT32_C(1) << 31;
    }
    return found != 0;
}

static bool has_minus_zero_f64(const uint8_t *data, size_t n)
{
    uint64_t found = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t bits;

        memcpy(&bits, data + 8 * i, sizeof bits);
        found |= bits == UINT64_C(1) << 63;
    }
    return found != 0;
}

/* The same of samples that are not masked, in pieces of a chunk. */
static fmc_status look_for_minus_zero(void *user, uint32_t i)
{
    const zero_search *z = user;
    const fmc_grid_finder *f = z->f;
    const size_t first = (size_t)i * ZERO_PIECE, end = z->n - first < ZERO_PIECE ? z->n : first + ZERO_PIECE;
    const uint8_t *data = (const uint8_t *)f->data + first * (f->single ? 4 : 8);

    if (!(f->single ? has_minus_zero_f32 : has_minus_zero_f64)(data, end - first))
        return FMC_OK;
    for (size_t k = first; k < end; k++) {
        const double v = fmc_grid_value_at(f->data, f->single, k);

        if (v == 0 && signbit(v) && !(f->mask && f->mask[k]))
            return FMC_ERR_UNSUPPORTED; /* ends the search for all */
    }
    return FMC_OK;
}

/* -0.0 is on no grid: then all the search is in vain. */
static fmc_status has_minus_zero(const fmc_grid_finder *f, bool *found)
{
    zero_search z = { .f = f, .n = 1 };
    fmc_status st;

    for (uint32_t i = 0; i < f->rank; i++)
        z.n *= f->dim[i];
    st = fmc_parallel_for(f->ex, (uint32_t)((z.n + ZERO_PIECE - 1) / ZERO_PIECE), look_for_minus_zero, &z);
    *found = st == FMC_ERR_UNSUPPORTED;
    return *found ? FMC_OK : st;
}

/* *may: false if a few samples of a slice already show that they share no step; else *step is one, 0: not known. */
static fmc_status may_have_step(fmc_grid_finder *f, const fmc_grid_cut *c, size_t slice, size_t limit, double *step, bool *may)
{
    const size_t n = distinct(c, slice, f->single, f->data, f->mask, limit, f->u, f->work);
    bool found = false;
    fmc_status st = FMC_OK;

    *may = false;
    *step = n >= 32 ? fmc_fit_step(f->u, n, f->single, f->work) : 0;
    if (n >= 32 && *step == 0)
        return FMC_OK;
    if (!f->no_minus_zero)
        FMC_TRY(has_minus_zero(f, &found));
    f->no_minus_zero = *may = !found;
done:
    return st;
}

/* A few samples share this step, and so do all, if not a finer one; slices may still have one that is wanted. */
static bool is_too_fine(fmc_grid_finder *f, double step)
{
    const fmc_grid slices = { .n_slices = (uint32_t)f->dim[0], .axis = 0 };
    fmc_grid_cut c;

    if (!(step > 0) || step >= f->least_step)
        return false;
    if (f->rank < 2 || f->dim[0] < 2 || f->dim[0] > MAX_REFINED)
        return true;
    c = fmc_grid_cut_at(f->rank, f->dim, &slices);
    for (size_t i = 0; i < N_GLANCES; i++) {
        const size_t s = c.n * (i + 1) / (N_GLANCES + 1);
        const size_t n = distinct(&c, s, f->single, f->data, f->mask, SLICE_GLANCE, f->u, f->work);

        if (n >= 32 && fmc_fit_step(f->u, n, f->single, f->work) >= f->least_step)
            return false;
    }
    return true;
}

static fmc_status find_whole(fmc_grid_finder *f, bool *found)
{
    fmc_grid *g = f->g;
    fmc_grid_cut c;
    size_t n, best = SIZE_MAX, missed;
    double step;
    uint32_t best_kind = 0;
    fmc_fit best_fit = { 1, 0 };
    fmc_status st;
    bool is_near, may;

    *found = false;
    g->n_slices = 1;
    c = fmc_grid_cut_at(f->rank, f->dim, g);
    FMC_TRY(may_have_step(f, &c, 0, GLANCE, &step, &may));
    if (!may)
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
    FMC_TRY(fmc_grid_scan(f, false, &missed, &is_near));
    if (is_near && missed)
        return fmc_grid_find_fixes(f, found);
    *found = is_near;
done:
    return st;
}

/* Constants per slice under one kind; steps[] are known. */
static fmc_status fit_slices(fmc_grid_finder *f, const fmc_grid_cut *c, uint32_t kind, const double *steps,
                             size_t limit, bool *found)
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
    return fmc_grid_scan(f, true, &missed, found);
}

/* A step and constants for every slice from `limit` samples of each. Leaves steps[0] at 0 if there are no steps. */
static fmc_status slices_from(fmc_grid_finder *f, const fmc_grid_cut *c, size_t limit, double *steps, bool *found)
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

static fmc_status find_slices(fmc_grid_finder *f, uint32_t axis, bool *found)
{
    fmc_grid *g = f->g;
    const fmc_allocator *al = f->ex->alloc;
    double *steps = NULL, step;
    fmc_status st = FMC_OK;
    fmc_grid_cut c;
    bool may;

    *found = false;
    if (f->dim[axis] < 2 || f->dim[axis] > MAX_SLICES)
        return FMC_OK;
    g->axis = axis;
    g->n_slices = (uint32_t)f->dim[axis];
    c = fmc_grid_cut_at(f->rank, f->dim, g);
    if (c.outer * c.inner < 256)
        return FMC_OK;
    FMC_TRY(may_have_step(f, &c, c.n / 2, SLICE_GLANCE, &step, &may));
    if (!may)
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
static bool worth_slicing(fmc_grid_finder *f)
{
    const fmc_grid *g = f->g;
    const double step = fmc_grid_step(g, 0);
    fmc_grid t = { .n_slices = (uint32_t)f->dim[0], .axis = 0 };
    fmc_grid_cut c;

    if (f->rank < 2 || f->dim[0] < 2 || f->dim[0] > MAX_REFINED)
        return false;
    c = fmc_grid_cut_at(f->rank, f->dim, &t);
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
    fmc_grid_finder f = { .ex = ex, .g = g, .single = dtype == FMC_F32, .rank = rank, .dim = dim, .data = data,
                          .mask = mask, .least_step = least_step };
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
