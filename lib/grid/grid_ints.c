/* SPDX-License-Identifier: Apache-2.0 */
/* The integers of a grid as bytes: docs/format.md 9.2. */
#include "core/status.h"
#include "grid/bits.h"
#include "grid/grid.h"
#include "grid/pcm_view.h"

enum { MAX_TABLE_RANGE = 1 << 22 };
enum { INTS_NONE = 0, INTS_PLAIN = 1, INTS_TABLE = 2 };

/* Numbers of a sliced grid in units of its smallest step: k * step[i] + origin[i]. */
static fmc_status common_units(const fmc_exec *ex, const fmc_grid *g, double **step, double **origin)
{
    double least = 1e300;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, g->n_slices, step));
    FMC_TRY(FMC_ALLOC(ex->alloc, g->n_slices, origin));
    for (uint32_t i = 0; i < g->n_slices; i++)
        least = fmc_grid_step(g, i) < least ? fmc_grid_step(g, i) : least;
    for (uint32_t i = 0; i < g->n_slices; i++) {
        (*step)[i] = fmc_grid_step(g, i) / least;
        (*origin)[i] = (g->offset[i] - g->offset[0]) / least;
        if (!((*step)[i] >= 1) || !((*step)[i] < 1e30) || !((*origin)[i] > -1e30) || !((*origin)[i] < 1e30)) {
            (*step)[i] = 1;
            (*origin)[i] = 0;
        }
    }
done:
    return st;
}

static bool has_slices(const fmc_grid *g, uint32_t rank, const size_t *dim)
{
    return g && g->n_slices > 1 && fmc_view_dim(0, rank, dim, g->axis) < 4;
}

static bool find_range(const int32_t *k, const uint8_t *mask, size_t n, int64_t *lo, int64_t *hi)
{
    *lo = INT32_MAX;
    *hi = INT32_MIN;
    for (size_t i = 0; i < n; i++) {
        if (mask && mask[i])
            continue;
        *lo = k[i] < *lo ? k[i] : *lo;
        *hi = k[i] > *hi ? k[i] : *hi;
    }
    return *lo <= *hi;
}

/* used[k - lo] and the number of different integers; 0 if a table is no use. */
static fmc_status find_used(const fmc_exec *ex, const int32_t *k, const uint8_t *mask, size_t n, int64_t lo, int64_t hi,
                            uint8_t **used, size_t *n_used)
{
    const size_t range = (size_t)(hi - lo + 1);
    fmc_status st;

    *n_used = 0;
    if (hi - lo >= MAX_TABLE_RANGE || range / 4 > n)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, range, used));
    for (size_t i = 0; i < n; i++)
        if (!mask || !mask[i])
            (*used)[k[i] - lo] = 1;
    for (size_t i = 0; i < range; i++)
        *n_used += (*used)[i];
    if (*n_used > range - range / 8)
        *n_used = 0;
done:
    return st;
}

static fmc_status make_table(const fmc_exec *ex, const uint8_t *used, size_t range, size_t n_used, int64_t lo,
                             double **table)
{
    size_t w = 0;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, n_used, table));
    for (size_t i = 0; i < range && w < n_used; i++)
        if (used[i])
            (*table)[w++] = (double)(lo + (int64_t)i);
done:
    return st;
}

static fmc_status to_ranks(const fmc_exec *ex, const int32_t *k, const uint8_t *mask, size_t n, const uint8_t *used,
                           size_t range, int64_t lo, int32_t **ranks)
{
    int32_t *rank_of = NULL, r = 0;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, range, &rank_of));
    FMC_TRY(FMC_ALLOC(ex->alloc, n, ranks));
    for (size_t i = 0; i < range; i++) {
        rank_of[i] = r;
        r += used[i];
    }
    for (size_t i = 0; i < n; i++)
        (*ranks)[i] = mask && mask[i] ? 0 : rank_of[k[i] - lo];
done:
    fmc_dealloc(ex->alloc, rank_of);
    return st;
}

static size_t count(uint32_t rank, const size_t *dim)
{
    size_t n = 1;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    return n;
}

/* What the integers are coded as. */
typedef struct coded_ints {
    fmc_pcm_params params;
    const int32_t *k; /* the caller's, or ranks */
    size_t n, range, n_used;
    int64_t lo;
    uint32_t slice_axis; /* + 1, 0: none */
    uint8_t *used;
    double *table, *step, *origin;
    int32_t *ranks;
} coded_ints;

static void ints_fini(const fmc_exec *ex, coded_ints *c)
{
    fmc_dealloc(ex->alloc, c->used);
    fmc_dealloc(ex->alloc, c->table);
    fmc_dealloc(ex->alloc, c->step);
    fmc_dealloc(ex->alloc, c->origin);
    fmc_dealloc(ex->alloc, c->ranks);
}

/* c->range is 0 if all integers are c->lo. *c is zeroed by the caller and released by it, also on error. */
static fmc_status prepare_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim,
                               const int32_t *k, const uint8_t *mask, coded_ints *c)
{
    fmc_lattice *l = &c->params.lattice;
    fmc_status st = FMC_OK;

    c->k = k;
    c->n = count(rank, dim);
    l->kind = FMC_LATTICE_INT;
    if (!find_range(k, mask, c->n, &l->lo, &l->hi))
        l->lo = l->hi = 0;
    c->lo = l->lo;
    if (l->lo == l->hi)
        return FMC_OK;
    c->range = (size_t)(l->hi - l->lo + 1);
    if (has_slices(g, rank, dim)) {
        c->slice_axis = g->axis + 1;
        FMC_TRY(common_units(ex, g, &c->step, &c->origin));
        l->step = c->step;
        l->origin = c->origin;
        return FMC_OK;
    }
    FMC_TRY(find_used(ex, k, mask, c->n, l->lo, l->hi, &c->used, &c->n_used));
    if (c->n_used == 0)
        return FMC_OK;
    FMC_TRY(make_table(ex, c->used, c->range, c->n_used, l->lo, &c->table));
    FMC_TRY(to_ranks(ex, k, mask, c->n, c->used, c->range, l->lo, &c->ranks));
    l->kind = FMC_LATTICE_TABLE;
    l->lo = 0;
    l->hi = (int64_t)c->n_used - 1;
    l->table = c->table;
    c->k = c->ranks;
done:
    return st;
}

fmc_status fmc_grid_encode(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                           const uint8_t *mask, uint32_t effort, fmc_out *out)
{
    fmc_out body = fmc_out_make(ex->alloc);
    coded_ints c = { .n = 0 };
    fmc_pcm_view view;
    uint32_t code;
    fmc_status st;

    FMC_TRY(prepare_ints(ex, g, rank, dim, k, mask, &c));
    fmc_out_u8(out, c.range == 0 ? INTS_NONE : c.n_used ? INTS_TABLE : INTS_PLAIN);
    fmc_out_svarint(out, c.lo);
    if (c.range) {
        fmc_out_varint(out, c.range - 1);
        if (c.n_used) {
            fmc_out_varint(out, c.n_used);
            FMC_TRY(fmc_bits_encode(ex, c.used, c.range, 1, out));
        }
        FMC_TRY(fmc_view_choose(ex, rank, dim, c.k, sizeof *k, mask, c.slice_axis, FMC_PCM_EQ, effort, &c.params, &code,
                                NULL));
        FMC_TRY(fmc_view_make(code, rank, dim, &view));
        fmc_out_u8(out, (uint8_t)code);
        fmc_out_u8(out, (uint8_t)c.params.flags);
        FMC_TRY(fmc_pcm_encode(ex, &view, &c.params, c.k, mask, &body));
        fmc_out_varint(out, body.size);
        fmc_out_bytes(out, body.data, body.size);
    }
    st = out->st;
done:
    fmc_out_fini(&body);
    ints_fini(ex, &c);
    return st;
}

fmc_status fmc_grid_estimate(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                             const uint8_t *mask, const fmc_grid_trial *how, double *bytes)
{
    coded_ints c = { .n = 0 };
    fmc_status st;

    *bytes = 8;
    FMC_TRY(prepare_ints(ex, g, rank, dim, k, mask, &c));
    if (c.range) {
        FMC_TRY(fmc_view_estimate(ex, rank, dim, c.k, sizeof *k, mask, c.slice_axis, FMC_PCM_EQ, how, &c.params, bytes));
        *bytes += 16 + (c.n_used ? (double)c.range / 12 : 0);
    }
done:
    ints_fini(ex, &c);
    return st;
}

static fmc_status parse_range(fmc_in *in, fmc_lattice *lat, size_t *range)
{
    const int64_t lo = fmc_in_svarint(in);
    const uint64_t span = fmc_in_varint(in);

    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    if (lo < INT32_MIN || lo > INT32_MAX || span > UINT32_MAX || lo + (int64_t)span > INT32_MAX)
        return FMC_ERR_CORRUPT;
    lat->lo = lo;
    lat->hi = lo + (int64_t)span;
    *range = (size_t)span + 1;
    return FMC_OK;
}

/* The table of the integers in use, and lattice from it. */
static fmc_status parse_table(const fmc_exec *ex, fmc_in *in, size_t n, size_t range, fmc_lattice *lat, double **table)
{
    const uint64_t n_used = fmc_in_varint(in);
    uint8_t *used = NULL;
    size_t found = 0;
    fmc_status st = fmc_in_status(in);

    if (st != FMC_OK)
        return st;
    if (range > MAX_TABLE_RANGE || range / 4 > n || n_used < 1 || n_used > range)
        return FMC_ERR_CORRUPT;
    FMC_TRY(FMC_ALLOC(ex->alloc, range, &used));
    FMC_TRY(fmc_bits_decode(ex, in, range, 1, used));
    for (size_t i = 0; i < range; i++)
        found += used[i];
    if (found != n_used) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    FMC_TRY(make_table(ex, used, range, found, lat->lo, table));
    lat->kind = FMC_LATTICE_TABLE;
    lat->table = *table;
    lat->lo = 0;
    lat->hi = (int64_t)found - 1;
done:
    fmc_dealloc(ex->alloc, used);
    return st;
}

fmc_status fmc_grid_decode(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, fmc_in *in,
                           const uint8_t *mask, int32_t *k)
{
    const size_t n = count(rank, dim);
    fmc_pcm_params p = { .lattice = { .kind = FMC_LATTICE_INT } };
    fmc_pcm_view view;
    double *table = NULL, *step = NULL, *origin = NULL;
    const uint8_t mode = fmc_in_u8(in);
    const uint8_t *body;
    uint32_t code;
    uint64_t size;
    size_t range = 0;
    fmc_status st;

    if (mode == INTS_NONE) {
        const int64_t v = fmc_in_svarint(in);

        FMC_TRY(fmc_in_status(in));
        if (v < INT32_MIN || v > INT32_MAX)
            return FMC_ERR_CORRUPT;
        for (size_t i = 0; i < n; i++)
            k[i] = mask && mask[i] ? 0 : (int32_t)v;
        return FMC_OK;
    }
    FMC_TRY(parse_range(in, &p.lattice, &range));
    if (mode > INTS_TABLE) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    if (mode == INTS_TABLE)
        FMC_TRY(parse_table(ex, in, n, range, &p.lattice, &table));
    code = fmc_in_u8(in);
    p.flags = fmc_in_u8(in);
    size = fmc_in_varint(in);
    body = fmc_in_bytes(in, size);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(fmc_view_make(code, rank, dim, &view));
    if (!fmc_pcm_flags_are_sound(p.flags, FMC_PCM_EQ)) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    if (mode == INTS_PLAIN && has_slices(g, rank, dim)) {
        FMC_TRY(common_units(ex, g, &step, &origin));
        p.lattice.step = step;
        p.lattice.origin = origin;
        p.lattice.step_dim = fmc_view_dim(code, rank, dim, g->axis);
        if (p.lattice.step_dim > 2) {
            st = FMC_ERR_CORRUPT;
            goto done;
        }
    }
    FMC_TRY(fmc_pcm_decode(ex, &view, &p, body, (size_t)size, mask, k));
    for (size_t i = 0; i < n; i++)
        k[i] = mask && mask[i] ? 0 : table ? (int32_t)table[k[i]] : k[i];
done:
    fmc_dealloc(ex->alloc, table);
    fmc_dealloc(ex->alloc, step);
    fmc_dealloc(ex->alloc, origin);
    return st;
}
