/* SPDX-License-Identifier: Apache-2.0 */
/* Grids as bytes: docs/format.md 9.1. */
#include "grid/grid.h"

#include <string.h>
#include "core/status.h"
#include "grid/bits.h"

enum { MAX_FIX_RANGE = 1 << 22 };

static void write_constants(const double *v, size_t n, fmc_out *out)
{
    for (size_t i = 0; i < n; i++) {
        const bool same = i > 0 && memcmp(v + i, v + i - 1, sizeof *v) == 0;
        const bool single = v[i] == (double)(float)v[i];

        fmc_out_u8(out, same ? 0 : single ? 1 : 2);
        if (!same && single)
            fmc_out_f32(out, (float)v[i]);
        else if (!same)
            fmc_out_f64(out, v[i]);
    }
}

static fmc_status parse_constants(fmc_in *in, size_t n, double *v)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t how = fmc_in_u8(in);

        if (how > 2 || (how == 0 && i == 0))
            return in->short_read ? FMC_ERR_TRUNCATED : FMC_ERR_CORRUPT;
        v[i] = how == 0 ? v[i - 1] : how == 1 ? (double)fmc_in_f32(in) : fmc_in_f64(in);
        if (fmc_in_status(in) != FMC_OK)
            return fmc_in_status(in);
        if (!(v[i] - v[i] == 0.0))
            return FMC_ERR_CORRUPT;
    }
    return FMC_OK;
}

void fmc_grid_write(const fmc_grid *g, fmc_out *out)
{
    const fmc_exec ex = { .alloc = out->alloc, .n_threads = 1 };

    fmc_out_u8(out, (uint8_t)(g->kind | (g->n_slices > 1 ? 8 : 0) | (g->fix ? 16 : 0)));
    if (g->n_slices > 1)
        fmc_out_u8(out, (uint8_t)g->axis);
    write_constants(g->scale, g->n_slices, out);
    write_constants(g->offset, g->n_slices, out);
    fmc_out_svarint(out, g->k_min);
    fmc_out_varint(out, (uint64_t)((int64_t)g->k_max - g->k_min));
    if (g->fix) {
        const size_t n = (size_t)((int64_t)g->k_max - g->k_min + 1);
        uint8_t *u = NULL;

        if (FMC_ALLOC(out->alloc, n, &u) != FMC_OK) {
            out->st = FMC_ERR_NO_MEMORY;
            return;
        }
        for (size_t i = 0; i < n; i++) /* zigzag */
            u[i] = (uint8_t)(g->fix[i] < 0 ? -2 * g->fix[i] - 1 : 2 * g->fix[i]);
        if (out->st == FMC_OK) {
            const fmc_status st = fmc_bits_encode(&ex, u, n, 8, out);

            if (st != FMC_OK)
                out->st = st;
        }
        fmc_dealloc(out->alloc, u);
    }
}

static fmc_status parse_fixes(const fmc_exec *ex, fmc_in *in, fmc_grid *g)
{
    const size_t n = (size_t)((int64_t)g->k_max - g->k_min + 1);
    uint8_t *u = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, n, &g->fix));
    FMC_TRY(FMC_ALLOC(ex->alloc, n, &u));
    FMC_TRY(fmc_bits_decode(ex, in, n, 8, u));
    for (size_t i = 0; i < n; i++)
        g->fix[i] = (int8_t)(u[i] & 1 ? -(u[i] >> 1) - 1 : u[i] >> 1);
done:
    fmc_dealloc(ex->alloc, u);
    return st;
}

fmc_status fmc_grid_parse(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in, fmc_grid *g)
{
    const uint8_t head = fmc_in_u8(in);
    size_t n_samples = 1;
    int64_t lo, span;
    fmc_status st;

    memset(g, 0, sizeof *g);
    g->alloc = ex->alloc;
    g->dtype = dtype;
    g->kind = head & 7;
    g->n_slices = 1;
    FMC_TRY(fmc_in_status(in));
    st = FMC_ERR_CORRUPT;
    if (head >> 5 || g->kind < FMC_GRID_MUL || g->kind > FMC_GRID_DIV32 ||
        (dtype != FMC_F32 && g->kind >= FMC_GRID_MUL32) || ((head & 8) && (head & 16)))
        goto done;
    for (uint32_t i = 0; i < rank; i++)
        n_samples *= dim[i];
    if (head & 8) {
        g->axis = fmc_in_u8(in);
        if (g->axis >= rank || dim[g->axis] < 2 || dim[g->axis] > UINT32_MAX)
            goto done;
        g->n_slices = (uint32_t)dim[g->axis];
        if (fmc_in_left(in) < g->n_slices) {
            st = FMC_ERR_TRUNCATED;
            goto done;
        }
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, g->n_slices, &g->scale));
    FMC_TRY(FMC_ALLOC(ex->alloc, g->n_slices, &g->offset));
    FMC_TRY(parse_constants(in, g->n_slices, g->scale));
    FMC_TRY(parse_constants(in, g->n_slices, g->offset));
    lo = fmc_in_svarint(in);
    span = (int64_t)fmc_in_varint(in);
    FMC_TRY(fmc_in_status(in));
    st = FMC_ERR_CORRUPT;
    if (lo < INT32_MIN || lo > INT32_MAX || span < 0 || span > UINT32_MAX || lo + span > INT32_MAX)
        goto done;
    for (uint32_t i = 0; i < g->n_slices; i++)
        if (!(g->scale[i] > 0))
            goto done;
    g->k_min = (int32_t)lo;
    g->k_max = (int32_t)(lo + span);
    st = FMC_OK;
    if (head & 16) {
        if (span >= MAX_FIX_RANGE || (uint64_t)span >= n_samples)
            st = FMC_ERR_CORRUPT;
        else
            st = parse_fixes(ex, in, g);
    }
done:
    if (st != FMC_OK)
        fmc_grid_fini(g);
    return st;
}
