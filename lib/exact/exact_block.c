/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_block.h"

#include <math.h>
#include <stdlib.h>
#include "core/status.h"
#include "exact/exact_bits.h"
#include "grid/grid.h"
#include "grid/pcm_view.h"

enum { PROBE = 8192, MAX_TABLE = 1 << 22 };

typedef struct block {
    const fmc_exec *ex;
    bool single;
    uint32_t rank;
    const size_t *dim;
    size_t n;
    const void *data;
    const uint8_t *mask;
    uint32_t effort;
} block;

static double value_at(const block *b, size_t i)
{
    return b->single ? (double)((const float *)b->data)[i] : ((const double *)b->data)[i];
}

static int64_t symbol_at(const block *b, size_t i)
{
    return b->single ? fmc_order_f32(((const float *)b->data)[i]) : fmc_order_f64(((const double *)b->data)[i]);
}

/* Power of two that brings f64 numbers near 1, so that their squares neither overflow nor vanish. */
static int32_t scale_for(const block *b)
{
    double big = 0;
    int e = 0;

    if (b->single)
        return 0;
    for (size_t i = 0; i < b->n; i++)
        if (!b->mask || !b->mask[i])
            big = fabs(value_at(b, i)) > big ? fabs(value_at(b, i)) : big;
    if (big > 0)
        (void)frexp(big, &e);
    return e > 1000 ? -1000 : e < -1000 ? 1000 : -e;
}

static void write_head(const fmc_pcm_params *p, uint32_t code, fmc_out *out)
{
    fmc_out_u8(out, (uint8_t)code);
    fmc_out_u8(out, (uint8_t)p->flags);
    fmc_out_svarint(out, p->scale_log2);
    fmc_out_svarint(out, p->lattice.lo);
    fmc_out_svarint(out, p->lattice.hi);
}

static fmc_status parse_head(fmc_in *in, uint32_t allowed, fmc_pcm_params *p, uint32_t *code)
{
    int64_t scale;

    *code = fmc_in_u8(in);
    p->flags = fmc_in_u8(in);
    scale = fmc_in_svarint(in);
    p->lattice.lo = fmc_in_svarint(in);
    p->lattice.hi = fmc_in_svarint(in);
    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    if ((p->flags & ~allowed) || !fmc_lattice_is_sound(&p->lattice) || scale < -1000 || scale > 1000)
        return FMC_ERR_CORRUPT;
    p->scale_log2 = (int32_t)scale;
    return FMC_OK;
}

/* One way to code a block: what, how, and about how large. */
typedef struct plan {
    const void *src;
    fmc_pcm_params params;
    uint32_t code;
    size_t size;
} plan;

static fmc_status choose(const block *b, plan *p, size_t elem_size, uint32_t allowed)
{
    return fmc_view_choose(b->ex, b->rank, b->dim, p->src, elem_size, b->mask, 0, allowed, b->effort, &p->params,
                           &p->code, &p->size);
}

/* Head and body of one pcm stream. */
static fmc_status encode_pcm(const block *b, const plan *p, fmc_out *out)
{
    fmc_out body = fmc_out_make(b->ex->alloc);
    fmc_pcm_view view;
    fmc_status st;

    FMC_TRY(fmc_view_make(p->code, b->rank, b->dim, &view));
    write_head(&p->params, p->code, out);
    FMC_TRY(fmc_pcm_encode(b->ex, &view, &p->params, p->src, b->mask, &body));
    fmc_out_varint(out, body.size);
    fmc_out_bytes(out, body.data, body.size);
    st = out->st;
done:
    fmc_out_fini(&body);
    return st;
}

static fmc_status decode_pcm(const block *b, fmc_in *in, const fmc_pcm_params *p, uint32_t code, void *dst)
{
    const uint64_t size = fmc_in_varint(in);
    const uint8_t *body = fmc_in_bytes(in, size);
    fmc_pcm_view view;
    fmc_status st = fmc_in_status(in);

    if (st == FMC_OK)
        st = fmc_view_make(code, b->rank, b->dim, &view);
    if (st == FMC_OK)
        st = fmc_pcm_decode(b->ex, &view, p, body, (size_t)size, b->mask, dst);
    return st;
}

/* ---- floats and decimals ---- */

static fmc_status plan_float(const block *b, plan *p)
{
    const fmc_pcm_params params = {
        .lattice = { .kind = b->single ? FMC_LATTICE_F32 : FMC_LATTICE_F64, .lo = INT64_MAX, .hi = INT64_MIN },
        .scale_log2 = scale_for(b)
    };
    fmc_lattice *l = &p->params.lattice;

    p->src = b->data;
    p->params = params;
    for (size_t i = 0; i < b->n; i++) {
        if (b->mask && b->mask[i])
            continue;
        l->lo = symbol_at(b, i) < l->lo ? symbol_at(b, i) : l->lo;
        l->hi = symbol_at(b, i) > l->hi ? symbol_at(b, i) : l->hi;
    }
    if (l->lo > l->hi)
        l->lo = l->hi = 0;
    return choose(b, p, b->single ? 4 : 8, FMC_PCM_EQ | FMC_PCM_LOW | FMC_PCM_ORDINAL);
}

/* Fewest digits (up to 6 or 14) with which every sample is a decimal number; 0 if there is none. */
static uint32_t find_digits(const block *b, int64_t *lo, int64_t *hi)
{
    const uint32_t most = b->single ? 6 : 14;
    const size_t stride = b->n / PROBE + 1;
    uint32_t d = 1;
    int64_t x;

    for (size_t i = 0; i < b->n; i += stride) {
        if (b->mask && b->mask[i])
            continue;
        while (!fmc_dec_symbol(d, b->single, value_at(b, i), &x))
            if (++d > most)
                return 0;
    }
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (size_t i = 0; i < b->n; i++) {
        if (b->mask && b->mask[i])
            continue;
        if (!fmc_dec_symbol(d, b->single, value_at(b, i), &x)) {
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

static fmc_status plan_decimal(const block *b, uint32_t digits, int64_t lo, int64_t hi, plan *p)
{
    const fmc_pcm_params params = {
        .lattice = { .kind = b->single ? FMC_LATTICE_DEC32 : FMC_LATTICE_DEC64, .digits = digits, .lo = lo, .hi = hi },
        .scale_log2 = scale_for(b)
    };

    p->src = b->data;
    p->params = params;
    return choose(b, p, b->single ? 4 : 8, FMC_PCM_EQ | FMC_PCM_ORDINAL);
}

/* ---- tables ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Sorted distinct values into *table if there are few enough of them to be worth it, else *n_table = 0. */
static fmc_status find_table(const block *b, double **table, size_t *n_table)
{
    const size_t stride = b->n / PROBE + 1;
    double *u = NULL;
    size_t m = 0, w = 0;
    fmc_status st;

    *n_table = 0;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &u));
    for (uint32_t pass = 0; pass < 2; pass++) {
        m = w = 0;
        for (size_t i = 0; i < b->n; i += pass ? 1 : stride) {
            if (b->mask && b->mask[i])
                continue;
            if (symbol_at(b, i) == -1) /* -0 equals 0 */
                goto done;
            u[m++] = value_at(b, i);
        }
        qsort(u, m, sizeof *u, compare);
        for (size_t i = 0; i < m; i++)
            if (w == 0 || u[i] != u[w - 1])
                u[w++] = u[i];
        if (w > (pass ? m / 3 : m - m / 4) || w < 2)
            goto done;
    }
    if (w > MAX_TABLE)
        goto done;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, w, table));
    for (size_t i = 0; i < w; i++)
        (*table)[i] = u[i];
    *n_table = w;
done:
    fmc_dealloc(b->ex->alloc, u);
    return st;
}

/* The table as one row of floats. */
static fmc_pcm_params table_params(const block *b, size_t n, fmc_pcm_view *view)
{
    const fmc_pcm_view row = { { 1, 1, 1, n }, { n, n, n, 1 } };
    const fmc_pcm_params p = { .lattice = { .kind = b->single ? FMC_LATTICE_F32 : FMC_LATTICE_F64 },
                               .flags = FMC_PCM_ORDINAL };

    *view = row;
    return p;
}

/* The table itself, in the type of the data. */
static fmc_status encode_table_values(const block *b, const double *table, size_t n, fmc_out *out)
{
    fmc_pcm_view view;
    fmc_pcm_params p = table_params(b, n, &view);
    fmc_out body = fmc_out_make(b->ex->alloc);
    float *narrow = NULL;
    fmc_status st;

    p.lattice.lo = b->single ? fmc_order_f32((float)table[0]) : fmc_order_f64(table[0]);
    p.lattice.hi = b->single ? fmc_order_f32((float)table[n - 1]) : fmc_order_f64(table[n - 1]);
    if (b->single) {
        FMC_TRY(FMC_ALLOC(b->ex->alloc, n, &narrow));
        for (size_t i = 0; i < n; i++)
            narrow[i] = (float)table[i];
    }
    fmc_out_varint(out, n);
    fmc_out_svarint(out, p.lattice.lo);
    fmc_out_svarint(out, p.lattice.hi);
    FMC_TRY(fmc_pcm_encode(b->ex, &view, &p, narrow ? (const void *)narrow : (const void *)table, NULL, &body));
    fmc_out_varint(out, body.size);
    fmc_out_bytes(out, body.data, body.size);
    st = out->st;
done:
    fmc_out_fini(&body);
    fmc_dealloc(b->ex->alloc, narrow);
    return st;
}

static fmc_status decode_table_values(const block *b, fmc_in *in, double **table, size_t *n_table)
{
    const uint64_t n = fmc_in_varint(in);
    const int64_t lo = fmc_in_svarint(in), hi = fmc_in_svarint(in);
    const uint64_t size = fmc_in_varint(in);
    const uint8_t *body = fmc_in_bytes(in, size);
    fmc_pcm_view view;
    fmc_pcm_params p = table_params(b, (size_t)n, &view);
    float *narrow = NULL;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    p.lattice.lo = lo;
    p.lattice.hi = hi;
    if (n < 2 || n > MAX_TABLE || n > b->n || !fmc_lattice_is_sound(&p.lattice))
        return FMC_ERR_CORRUPT;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, (size_t)n, table));
    if (b->single)
        FMC_TRY(FMC_ALLOC(b->ex->alloc, (size_t)n, &narrow));
    FMC_TRY(fmc_pcm_decode(b->ex, &view, &p, body, (size_t)size, NULL, narrow ? (void *)narrow : (void *)*table));
    for (size_t i = 0; i < n; i++) {
        if (narrow)
            (*table)[i] = (double)narrow[i];
        if (!((*table)[i] - (*table)[i] == 0.0) || (i && !((*table)[i] > (*table)[i - 1]))) {
            st = FMC_ERR_CORRUPT;
            goto done;
        }
    }
    *n_table = (size_t)n;
done:
    fmc_dealloc(b->ex->alloc, narrow);
    return st;
}

/* *ranks is the plan's source, owned by the caller. */
static fmc_status plan_table(const block *b, const double *table, size_t n, int32_t **ranks, plan *p)
{
    const fmc_pcm_params params = { .lattice = { .kind = FMC_LATTICE_TABLE, .table = table, .hi = (int64_t)n - 1 },
                                    .scale_log2 = scale_for(b) };
    fmc_status st;

    p->params = params;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, ranks));
    for (size_t i = 0; i < b->n; i++) {
        const double v = value_at(b, i);
        size_t lo = 0, hi = n - 1;

        while (lo < hi) {
            const size_t m = (lo + hi) / 2;

            if (table[m] < v)
                lo = m + 1;
            else
                hi = m;
        }
        (*ranks)[i] = (int32_t)lo;
    }
    p->src = *ranks;
    FMC_TRY(choose(b, p, sizeof **ranks, FMC_PCM_EQ | FMC_PCM_ORDINAL));
done:
    return st;
}

static fmc_status decode_table(const block *b, fmc_in *in, void *data)
{
    fmc_pcm_params p = { .lattice = { .kind = FMC_LATTICE_TABLE } };
    double *table = NULL;
    int32_t *ranks = NULL;
    size_t n = 0;
    uint32_t code;
    fmc_status st;

    FMC_TRY(decode_table_values(b, in, &table, &n));
    FMC_TRY(parse_head(in, FMC_PCM_EQ | FMC_PCM_ORDINAL, &p, &code));
    if (p.lattice.lo != 0 || p.lattice.hi != (int64_t)n - 1) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    p.lattice.table = table;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &ranks));
    FMC_TRY(decode_pcm(b, in, &p, code, ranks));
    for (size_t i = 0; i < b->n; i++) {
        if (b->mask && b->mask[i])
            continue;
        if (b->single)
            ((float *)data)[i] = (float)table[ranks[i]];
        else
            ((double *)data)[i] = table[ranks[i]];
    }
done:
    fmc_dealloc(b->ex->alloc, table);
    fmc_dealloc(b->ex->alloc, ranks);
    return st;
}

/* ---- grids ---- */

static fmc_status encode_grid(const block *b, const fmc_grid *g, fmc_out *out)
{
    int32_t *k = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &k));
    FMC_TRY(fmc_grid_to_ints(b->ex, g, b->rank, b->dim, b->data, b->mask, k));
    fmc_out_u8(out, FMC_EXACT_GRID);
    fmc_grid_write(g, out);
    FMC_TRY(fmc_grid_encode(b->ex, g, b->rank, b->dim, k, b->mask, b->effort, out));
done:
    fmc_dealloc(b->ex->alloc, k);
    return st;
}

static fmc_status decode_grid(const block *b, fmc_in *in, void *data)
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

/* Floats, decimals or a table, whichever takes fewer bytes; coded whole where the estimates are not far apart. */
static fmc_status encode_best(const block *b, fmc_out *out)
{
    fmc_out first = fmc_out_make(b->ex->alloc), second = fmc_out_make(b->ex->alloc);
    plan by_table = { .size = SIZE_MAX }, direct = { .size = SIZE_MAX };
    double *table = NULL;
    int32_t *ranks = NULL;
    size_t n_table = 0;
    int64_t lo, hi;
    uint32_t digits;
    fmc_status st;

    FMC_TRY(find_table(b, &table, &n_table));
    digits = find_digits(b, &lo, &hi);
    FMC_TRY(digits ? plan_decimal(b, digits, lo, hi, &direct) : plan_float(b, &direct));
    if (n_table) {
        fmc_out_u8(&first, FMC_EXACT_TABLE);
        FMC_TRY(encode_table_values(b, table, n_table, &first));
        FMC_TRY(plan_table(b, table, n_table, &ranks, &by_table));
        by_table.size += by_table.size < SIZE_MAX / 2 ? first.size : 0;
        if (by_table.size / 2 < direct.size)
            FMC_TRY(encode_pcm(b, &by_table, &first));
    }
    if (direct.size / 2 <= by_table.size) {
        fmc_out_u8(&second, digits ? FMC_EXACT_DECIMAL : FMC_EXACT_FLOAT);
        if (digits)
            fmc_out_u8(&second, (uint8_t)digits);
        FMC_TRY(encode_pcm(b, &direct, &second));
    }
    if (second.size == 0 || (n_table && by_table.size / 2 < direct.size && first.size < second.size))
        fmc_out_bytes(out, first.data, first.size);
    else
        fmc_out_bytes(out, second.data, second.size);
    st = out->st;
done:
    fmc_out_fini(&first);
    fmc_out_fini(&second);
    fmc_dealloc(b->ex->alloc, table);
    fmc_dealloc(b->ex->alloc, ranks);
    return st;
}

fmc_status fmc_exact_block_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim,
                                  const void *data, const uint8_t *mask, uint32_t effort, fmc_out *out)
{
    const block b = { ex, dtype == FMC_F32, rank, dim, fmc_exact_count(rank, dim), data, mask, effort };
    fmc_grid g = { 0 };
    fmc_status st;

    FMC_TRY(fmc_grid_detect(ex, dtype, rank, dim, data, mask, &g));
    st = g.kind != FMC_GRID_NONE ? encode_grid(&b, &g, out) : encode_best(&b, out);
done:
    fmc_grid_fini(&g);
    return st;
}

fmc_status fmc_exact_block_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                                  const uint8_t *mask, void *data)
{
    const block b = { ex, dtype == FMC_F32, rank, dim, fmc_exact_count(rank, dim), NULL, mask, 0 };
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
        st = decode_table(&b, in, data);
        break;
    case FMC_EXACT_FLOAT:
        p.lattice.kind = b.single ? FMC_LATTICE_F32 : FMC_LATTICE_F64;
        FMC_TRY(parse_head(in, FMC_PCM_EQ | FMC_PCM_LOW | FMC_PCM_ORDINAL, &p, &code));
        st = decode_pcm(&b, in, &p, code, data);
        break;
    case FMC_EXACT_DECIMAL:
        p.lattice.kind = b.single ? FMC_LATTICE_DEC32 : FMC_LATTICE_DEC64;
        p.lattice.digits = fmc_in_u8(in);
        FMC_TRY(fmc_in_status(in));
        FMC_TRY(parse_head(in, FMC_PCM_EQ | FMC_PCM_ORDINAL, &p, &code));
        st = decode_pcm(&b, in, &p, code, data);
        break;
    default:
        st = FMC_ERR_CORRUPT;
    }
done:
    return st;
}
