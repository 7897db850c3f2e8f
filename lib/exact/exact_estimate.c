/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>
#include "core/status.h"
#include "exact/exact.h"
#include "exact/exact_bits.h"
#include "exact/exact_flat.h"
#include "exact/exact_special.h"
#include "grid/grid.h"
#include "grid/pcm_view.h"

static const fmc_grid_trial trial = { 8, false };

static fmc_status estimate_grid(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim,
                                const void *data, const uint8_t *mask, double *bytes)
{
    int32_t *k = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, fmc_exact_count(rank, dim), &k));
    FMC_TRY(fmc_grid_to_ints(ex, g, rank, dim, data, mask, 0, fmc_exact_count(rank, dim), k));
    FMC_TRY(fmc_grid_estimate(ex, g, rank, dim, k, mask, &trial, bytes));
    *bytes += g->fix ? (double)((int64_t)g->k_max - g->k_min) / 8 : 0;
done:
    fmc_dealloc(ex->alloc, k);
    return st;
}

/* Bounds of the ordered bits and the power of two for f64 numbers. */
static void set_lattice(const void *data, bool single, const uint8_t *mask, size_t n, fmc_pcm_params *p)
{
    fmc_lattice *l = &p->lattice;
    double big;
    int e = 0;

    l->kind = single ? FMC_LATTICE_F32 : FMC_LATTICE_F64;
    l->lo = INT64_MAX;
    l->hi = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        const int64_t x = single ? fmc_order_f32(((const float *)data)[i]) : fmc_order_f64(((const double *)data)[i]);

        if (mask && mask[i])
            continue;
        l->lo = x < l->lo ? x : l->lo;
        l->hi = x > l->hi ? x : l->hi;
    }
    if (l->lo > l->hi)
        l->lo = l->hi = 0;
    if (single)
        return;
    big = fmax(fabs(fmc_unorder_f64(l->lo)), fabs(fmc_unorder_f64(l->hi)));
    if (big > 0)
        (void)frexp(big, &e);
    p->scale_log2 = e > 1000 ? -1000 : e < -1000 ? 1000 : -e;
}

static fmc_status estimate_floats(const fmc_exec *ex, bool single, uint32_t rank, const size_t *dim, const void *data,
                                  const uint8_t *mask, double *bytes)
{
    fmc_pcm_params p = { .flags = 0 };
    fmc_flat flat = { single, fmc_exact_count(rank, dim), mask, 0, 0 };
    size_t size;
    fmc_status st;

    set_lattice(data, single, mask, flat.n, &p);
    flat.lo = p.lattice.lo;
    flat.hi = p.lattice.hi;
    FMC_TRY(fmc_exact_flat_estimate(ex, &flat, data, &size));
    FMC_TRY(fmc_view_estimate(ex, rank, dim, data, single ? 4 : 8, mask, 0, FMC_PCM_EQ | FMC_PCM_LOW, &trial, &p, bytes));
    *bytes = fmin(*bytes, (double)size);
done:
    return st;
}

fmc_status fmc_exact_estimate(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                              double *bytes)
{
    const size_t n = fmc_exact_count(rank, dim);
    const uint32_t size = dtype == FMC_F32 ? 4 : 8;
    fmc_grid g = { 0 };
    uint8_t *mask = NULL;
    bool any;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, n, &mask));
    fmc_exact_special_find(data, size, n, mask, &any);
    FMC_TRY(fmc_grid_detect(ex, dtype, rank, dim, data, any ? mask : NULL, 0, &g));
    if (g.kind != FMC_GRID_NONE)
        st = estimate_grid(ex, &g, rank, dim, data, any ? mask : NULL, bytes);
    else
        st = estimate_floats(ex, dtype == FMC_F32, rank, dim, data, any ? mask : NULL, bytes);
done:
    fmc_grid_fini(&g);
    fmc_dealloc(ex->alloc, mask);
    return st;
}
