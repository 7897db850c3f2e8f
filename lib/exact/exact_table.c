/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_plan.h"

#include "core/status.h"
#include "grid/sort.h"

enum { PROBE = 8192, MAX_TABLE = 1 << 22 };

/* Sorted distinct values into *table if there are few enough of them to be worth it, else *n_table = 0. */
fmc_status fmc_table_find(const fmc_plan_block *b, double **table, size_t *n_table)
{
    const size_t stride = b->n / PROBE + 1;
    double *u = NULL, *spare = NULL;
    size_t m = 0, w = 0;
    fmc_status st;

    *n_table = 0;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &u));
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &spare));
    for (uint32_t pass = 0; pass < 2; pass++) {
        m = w = 0;
        for (size_t i = 0; i < b->n; i += pass ? 1 : stride) {
            if (b->mask && b->mask[i])
                continue;
            if (fmc_plan_symbol(b, i) == -1) /* -0 equals 0 */
                goto done;
            u[m++] = fmc_plan_value(b, i);
        }
        fmc_sort_f64(u, m, spare);
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
    fmc_dealloc(b->ex->alloc, spare);
    fmc_dealloc(b->ex->alloc, u);
    return st;
}

/* The table as one row of floats. */
static fmc_pcm_params table_params(const fmc_plan_block *b, size_t n, fmc_pcm_view *view)
{
    const fmc_pcm_view row = { { 1, 1, 1, n }, { n, n, n, 1 } };
    const fmc_pcm_params p = { .lattice = { .kind = b->single ? FMC_LATTICE_F32 : FMC_LATTICE_F64 },
                               .flags = FMC_PCM_ORDINAL };

    *view = row;
    return p;
}

/* The table itself, in the type of the data. */
fmc_status fmc_table_encode_values(const fmc_plan_block *b, const double *table, size_t n, fmc_out *out)
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

static fmc_status decode_table_values(const fmc_plan_block *b, fmc_in *in, double **table, size_t *n_table)
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
fmc_status fmc_table_plan(const fmc_plan_block *b, const double *table, size_t n, int32_t **ranks, fmc_plan *p)
{
    const fmc_pcm_params params = { .lattice = { .kind = FMC_LATTICE_TABLE, .table = table, .hi = (int64_t)n - 1 },
                                    .scale_log2 = fmc_plan_scale(b) };
    fmc_status st;

    p->params = params;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, ranks));
    for (size_t i = 0; i < b->n; i++) {
        const double v = fmc_plan_value(b, i);
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
    FMC_TRY(fmc_plan_choose(b, p, sizeof **ranks, FMC_PCM_EQ | FMC_PCM_ORDINAL));
done:
    return st;
}

fmc_status fmc_table_decode(const fmc_plan_block *b, fmc_in *in, void *data)
{
    fmc_pcm_params p = { .lattice = { .kind = FMC_LATTICE_TABLE } };
    double *table = NULL;
    int32_t *ranks = NULL;
    size_t n = 0;
    uint32_t code;
    fmc_status st;

    FMC_TRY(decode_table_values(b, in, &table, &n));
    FMC_TRY(fmc_plan_parse_head(in, FMC_PCM_EQ | FMC_PCM_ORDINAL, &p, &code));
    if (p.lattice.lo != 0 || p.lattice.hi != (int64_t)n - 1) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    p.lattice.table = table;
    FMC_TRY(FMC_ALLOC(b->ex->alloc, b->n, &ranks));
    FMC_TRY(fmc_plan_decode(b, in, &p, code, ranks));
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
