/* SPDX-License-Identifier: Apache-2.0 */
/* Grids, and both ways between values and integers (docs/format.md 9.1). */
#include "grid/grid.h"

#include <string.h>
#include "core/status.h"
#include "grid/grid_cut.h"
#include "grid/grid_fit.h"

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

/* Pieces of the array, values to integers or back. */
typedef struct ints_job {
    const fmc_exec *ex;
    const fmc_grid *g;
    fmc_grid_cut    c;
    size_t          first, count;
    const void     *data;  /* values to integers */
    const int32_t  *from;  /* or integers to values */
    const uint8_t  *mask;
    int32_t        *k;     /* [count] */
    void           *values;
} ints_job;

/* fmc_fit_integer of multiples, without branches, for vector units. */
#define DEFINE_MULTIPLES(T, SUFFIX)                                                                                    \
    static void multiples_##SUFFIX(const T *restrict v, size_t n, double scale, double offset, int32_t *restrict k)    \
    {                                                                                                                  \
        const double most = 1073741824.0;                                                                              \
                                                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const double d = ((double)v[i] - offset) / scale + 0.5;                                                    \
            const double t = d < most ? (d > -most ? d : -most) : most; /* NaN too */                                  \
            int32_t q = (int32_t)t;                                                                                    \
                                                                                                                       \
            q -= (double)q > t;                                                                                        \
            k[i] = q > -1073741824 && q < 1073741824 ? q : 0;                                                          \
        }                                                                                                              \
    }

DEFINE_MULTIPLES(float, f32)
DEFINE_MULTIPLES(double, f64)

static void ints_of_stretch(const ints_job *j, size_t slice, size_t first, size_t end)
{
    const fmc_grid *g = j->g;
    const bool single = g->dtype == FMC_F32;

    if (g->kind == FMC_GRID_MUL || g->kind == FMC_GRID_MUL32) {
        int32_t *k = j->k + (first - j->first);

        if (single)
            multiples_f32((const float *)j->data + first, end - first, g->scale[slice], g->offset[slice], k);
        else
            multiples_f64((const double *)j->data + first, end - first, g->scale[slice], g->offset[slice], k);
        for (size_t i = first; j->mask && i < end; i++)
            k[i - first] = j->mask[i] ? 0 : k[i - first];
        return;
    }
    for (size_t i = first; i < end; i++) {
        int32_t *k = &j->k[i - j->first];

        *k = 0;
        if (!j->mask || !j->mask[i])
            (void)fmc_fit_integer(g->kind, g->scale[slice], g->offset[slice], fmc_grid_value_at(j->data, single, i), k);
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
            v = fmc_grid_unorder(single, fmc_grid_order(single, v) + g->fix[(int64_t)k - g->k_min]);
        if (single)
            ((float *)j->values)[i] = (float)v;
        else
            ((double *)j->values)[i] = v;
    }
}

static fmc_status ints_piece(void *user, uint32_t piece)
{
    const ints_job *j = user;
    const size_t first = j->first + piece * FMC_GRID_PIECE, all = j->first + j->count;
    const size_t end = all - first < FMC_GRID_PIECE ? all : first + FMC_GRID_PIECE;

    if (fmc_is_cancelled(j->ex))
        return FMC_ERR_CANCELLED;
    for (size_t i = first; i < end;) {
        const fmc_grid_stretch t = fmc_grid_stretch_at(&j->c, i, end);

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
    ints_job j = { .ex = ex, .g = g, .c = fmc_grid_cut_at(rank, dim, g), .first = first, .count = count, .data = data,
                   .mask = mask, .k = k };

    return fmc_parallel_for(ex, (uint32_t)((count + FMC_GRID_PIECE - 1) / FMC_GRID_PIECE), ints_piece, &j);
}

fmc_status fmc_grid_from_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                              const uint8_t *mask, void *data)
{
    ints_job j = { .ex = ex, .g = g, .c = fmc_grid_cut_at(rank, dim, g), .from = k, .mask = mask, .values = data };

    j.count = j.c.outer * j.c.n * j.c.inner;
    return fmc_parallel_for(ex, (uint32_t)((j.count + FMC_GRID_PIECE - 1) / FMC_GRID_PIECE), ints_piece, &j);
}
