/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_block.h"

#include "core/status.h"
#include "exact/exact_flat.h"
#include "exact/exact_plan.h"
#include "grid/grid.h"

enum { PROBE = 8192 };

/* ---- floats and decimals ---- */

/* Smallest and largest ordered bits; 0 if all is masked. */
static void find_bounds(const fmc_plan_block *b, int64_t *lo, int64_t *hi)
{
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (size_t i = 0; i < b->n; i++) {
        const int64_t x = fmc_plan_symbol(b, i);

        if (b->mask && b->mask[i])
            continue;
        *lo = x < *lo ? x : *lo;
        *hi = x > *hi ? x : *hi;
    }
    if (*lo > *hi)
        *lo = *hi = 0;
}

static fmc_status plan_float(const fmc_plan_block *b, fmc_plan *p)
{
    const fmc_pcm_params params = {
        .lattice = { .kind = b->single ? FMC_LATTICE_F32 : FMC_LATTICE_F64, .lo = INT64_MAX, .hi = INT64_MIN },
        .scale_log2 = fmc_plan_scale(b)
    };
    fmc_lattice *l = &p->params.lattice;

    p->src = b->data;
    p->params = params;
    find_bounds(b, &l->lo, &l->hi);
    return fmc_plan_choose(b, p, b->single ? 4 : 8, FMC_PCM_EQ | FMC_PCM_LOW | FMC_PCM_ORDINAL);
}

/* Fewest digits (up to 6 or 14) with which every sample is a decimal number; 0 if there is none. */
static uint32_t find_digits(const fmc_plan_block *b, int64_t *lo, int64_t *hi)
{
    const uint32_t most = b->single ? 6 : 14;
    const size_t stride = b->n / PROBE + 1;
    uint32_t d = 1;
    int64_t x;

    for (size_t i = 0; i < b->n; i += stride) {
        if (b->mask && b->mask[i])
            continue;
        while (!fmc_decimal_symbol(d, b->single, fmc_plan_value(b, i), &x))
            if (++d > most)
                return 0;
    }
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (size_t i = 0; i < b->n; i++) {
        if (b->mask && b->mask[i])
            continue;
        if (!fmc_decimal_symbol(d, b->single, fmc_plan_value(b, i), &x)) {
            if (++d > most)
                return 0;
            *lo = INT64_MAX;
            *hi = INT64_MIN;
            i = (size_t)-1; /* again, with one digit more */
            continue;
        }
        *lo = x < *lo ? x : *lo;
        *hi = x > *hi ? x : *hi;
    }
    return *lo <= *hi ? d : 0;
}

static fmc_status plan_decimal(const fmc_plan_block *b, uint32_t digits, int64_t lo, int64_t hi, fmc_plan *p)
{
    const fmc_pcm_params params = {
        .lattice = { .kind = b->single ? FMC_LATTICE_DEC32 : FMC_LATTICE_DEC64, .digits = digits, .lo = lo, .hi = hi },
        .scale_log2 = fmc_plan_scale(b)
    };

    p->src = b->data;
    p->params = params;
    return fmc_plan_choose(b, p, b->single ? 4 : 8, FMC_PCM_EQ | FMC_PCM_ORDINAL);
}

/* ---- grids ---- */

static fmc_status encode_grid(const fmc_plan_block *b, const fmc_grid *g, fmc_out *out)
{
    int32_t *k = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &k));
    FMC_TRY(fmc_grid_to_ints(b->ex, g, b->rank, b->dim, b->data, b->mask, 0, b->n, k));
    fmc_out_u8(out, FMC_EXACT_GRID);
    fmc_grid_write(g, out);
    FMC_TRY(fmc_grid_encode(b->ex, g, b->rank, b->dim, k, b->mask, b->effort, out));
done:
    fmc_dealloc(b->ex->alloc, k);
    return st;
}

static fmc_status decode_grid(const fmc_plan_block *b, fmc_in *in, void *data)
{
    fmc_grid g = { 0 };
    int32_t *k = NULL;
    fmc_status st;

    FMC_TRY(fmc_grid_parse(b->ex, b->single ? FMC_F32 : FMC_F64, b->rank, b->dim, in, &g));
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &k));
    FMC_TRY(fmc_grid_decode(b->ex, &g, b->rank, b->dim, in, b->mask, k));
    FMC_TRY(fmc_grid_from_ints(b->ex, &g, b->rank, b->dim, k, b->mask, data));
done:
    fmc_dealloc(b->ex->alloc, k);
    fmc_grid_fini(&g);
    return st;
}

/* ---- block ---- */

/* True if a plan is to be coded whole: clearly the best, or its rival is near. */
static bool is_worth(const fmc_plan_block *b, size_t own, size_t other)
{
    return b->effort < 5 ? own <= other : own <= other || own - other < other;
}

/* Floats, decimals or a table, whichever takes fewer bytes; coded whole where the estimates are not far apart. */
static fmc_status encode_best(const fmc_plan_block *b, fmc_out *out)
{
    fmc_out first = fmc_out_make(b->ex->alloc), second = first, third = first;
    const fmc_out *best;
    fmc_plan by_table = { .size = SIZE_MAX }, direct = { .size = SIZE_MAX };
    double *table = NULL;
    int32_t *ranks = NULL;
    size_t n_table = 0;
    int64_t lo, hi;
    uint32_t digits;
    fmc_flat flat = { b->single, b->n, b->mask, 0, 0 };
    bool with_table = false, with_direct = true;
    size_t flat_size = SIZE_MAX;
    fmc_status st;

    FMC_TRY(fmc_table_find(b, &table, &n_table));
    digits = find_digits(b, &lo, &hi);
    if (!digits)
        find_bounds(b, &flat.lo, &flat.hi);
    FMC_TRY(digits ? plan_decimal(b, digits, lo, hi, &direct) : plan_float(b, &direct));
    if (n_table) {
        fmc_out_u8(&first, FMC_EXACT_TABLE);
        FMC_TRY(fmc_table_encode_values(b, table, n_table, &first));
        FMC_TRY(fmc_table_plan(b, table, n_table, &ranks, &by_table));
        by_table.size += by_table.size < SIZE_MAX / 2 ? first.size : 0;
        with_table = is_worth(b, by_table.size, direct.size);
        with_direct = !with_table || is_worth(b, direct.size, by_table.size + 1);
    }
    if (!digits)
        FMC_TRY(fmc_exact_flat_estimate(b->ex, &flat, b->data, &flat_size));
    if (flat_size < direct.size && flat_size < by_table.size) { /* perhaps nothing predicts them */
        fmc_out_u8(&third, FMC_EXACT_FLAT);
        FMC_TRY(fmc_exact_flat_encode(b->ex, &flat, b->data, &third));
        /* small trials learn little: only a large difference can be trusted */
        if (third.size < direct.size - direct.size / (b->effort < 5 ? 12 : 4))
            with_table = with_direct = false;
    }
    if (with_table)
        FMC_TRY(fmc_plan_encode(b, &by_table, &first));
    if (with_direct) {
        fmc_out_u8(&second, digits ? FMC_EXACT_DECIMAL : FMC_EXACT_FLOAT);
        if (digits)
            fmc_out_u8(&second, (uint8_t)digits);
        FMC_TRY(fmc_plan_encode(b, &direct, &second));
    }
    best = with_table ? &first : with_direct ? &second : &third;
    if (with_direct && second.size < best->size)
        best = &second;
    if (third.size && third.size < best->size)
        best = &third;
    fmc_out_bytes(out, best->data, best->size);
    st = out->st;
done:
    fmc_out_fini(&first);
    fmc_out_fini(&second);
    fmc_out_fini(&third);
    fmc_dealloc(b->ex->alloc, table);
    fmc_dealloc(b->ex->alloc, ranks);
    return st;
}

fmc_status fmc_exact_block_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim,
                                  const void *data, const uint8_t *mask, uint32_t effort, fmc_out *out)
{
    const fmc_plan_block b = { ex, dtype == FMC_F32, rank, dim, fmc_exact_count(rank, dim), data, mask, effort };
    fmc_grid g = { 0 };
    fmc_status st;

    FMC_TRY(fmc_grid_detect(ex, dtype, rank, dim, data, mask, 0, &g));
    st = g.kind != FMC_GRID_NONE ? encode_grid(&b, &g, out) : encode_best(&b, out);
done:
    fmc_grid_fini(&g);
    return st;
}

fmc_status fmc_exact_block_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                                  const uint8_t *mask, void *data)
{
    const fmc_plan_block b = { ex, dtype == FMC_F32, rank, dim, fmc_exact_count(rank, dim), NULL, mask, 0 };
    fmc_pcm_params p = { .flags = 0 };
    const uint8_t kind = fmc_in_u8(in);
    uint32_t code;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    switch (kind) {
    case FMC_EXACT_GRID:
        st = decode_grid(&b, in, data);
        break;
    case FMC_EXACT_TABLE:
        st = fmc_table_decode(&b, in, data);
        break;
    case FMC_EXACT_FLOAT:
        p.lattice.kind = b.single ? FMC_LATTICE_F32 : FMC_LATTICE_F64;
        FMC_TRY(fmc_plan_parse_head(in, FMC_PCM_EQ | FMC_PCM_LOW | FMC_PCM_ORDINAL, &p, &code));
        st = fmc_plan_decode(&b, in, &p, code, data);
        break;
    case FMC_EXACT_DECIMAL:
        p.lattice.kind = b.single ? FMC_LATTICE_DEC32 : FMC_LATTICE_DEC64;
        p.lattice.digits = fmc_in_u8(in);
        FMC_TRY(fmc_in_status(in));
        FMC_TRY(fmc_plan_parse_head(in, FMC_PCM_EQ | FMC_PCM_ORDINAL, &p, &code));
        st = fmc_plan_decode(&b, in, &p, code, data);
        break;
    case FMC_EXACT_FLAT: {
        const fmc_flat flat = { b.single, b.n, mask, 0, 0 };

        st = fmc_exact_flat_decode(ex, &flat, in, data);
        break;
    }
    default:
        st = FMC_ERR_CORRUPT;
    }
done:
    return st;
}
