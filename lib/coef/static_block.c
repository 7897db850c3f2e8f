/* SPDX-License-Identifier: Apache-2.0 */
/* One block of tier STATIC (docs/format.md 8.9). */
#include <string.h>

#include "coef/static_code.h"
#include "core/status.h"

static fmc_status open_encoder(const fmc_static *s, fmc_static_encoder *e, fmc_out *rest)
{
    const fmc_allocator *a = s->job->ex->alloc;
    size_t n_codes = 0, n_groups = 0;
    fmc_status st;

    memset(e, 0, sizeof *e);
    e->rest.out = rest;
    fmc_static_costs_init(&e->costs);
    for (size_t i = 0; i < s->job->n_bands; i++) {
        const size_t n = s->job->band[i].dim[4];

        n_codes += s->band[i].n_rows * (n + n / 16 + 1);
        n_groups += s->band[i].n_rows * 3;
    }
    FMC_TRY(FMC_ALLOC(a, n_codes + 1, &e->code));
    FMC_TRY(FMC_ALLOC(a, n_groups + 1, &e->group));
    FMC_TRY(FMC_ALLOC_ZERO(a, 2, &e->count));
done:
    return st;
}

static void close_encoder(const fmc_static *s, fmc_static_encoder *e)
{
    const fmc_allocator *a = s->job->ex->alloc;

    fmc_dealloc(a, e->code);
    fmc_dealloc(a, e->group);
    fmc_dealloc(a, e->count);
}

static fmc_status encode_bands(fmc_static *s, fmc_static_encoder *e)
{
    fmc_static_row r = { 0 };
    size_t at[4];

    for (size_t i = 0; i < s->job->n_bands; i++) {
        if (fmc_is_cancelled(s->job->ex))
            return FMC_ERR_CANCELLED;
        if (s->band[i].n_rows == 0)
            continue;
        fmc_static_fit_band(s, &e->costs, i);
        fmc_static_band_open(s, i);
        memset(at, 0, sizeof at);
        r.band = NULL;
        for (size_t k = 0; k < s->band[i].n_rows; k++) {
            fmc_static_row_open(s, i, k, at, &r);
            fmc_static_encode_row(e, s, &r);
            fmc_static_row_next(s, i, at);
        }
    }
    return FMC_OK;
}

static fmc_status write_codes(fmc_static *s, fmc_static_encoder *e, fmc_out *out)
{
    fmc_rans_symbol(*symbol)[32] = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(s->job->ex->alloc, FMC_STATIC_TABLES, &symbol));
    for (size_t t = 0; t < FMC_STATIC_TABLES; t++) {
        for (size_t i = 32 * t; i < 32 * (t + 1); i++)
            e->count[0][i] += e->count[1][i];
        fmc_static_fit_shape(&e->costs, e->count[0] + 32 * t, t, &s->shape[t]);
        fmc_static_table(&s->shape[t], t, &s->table[t]);
        fmc_rans_symbols(&s->table[t], symbol[t]);
    }
    fmc_static_head_write(s, out);
    fmc_rans_encode(s->job->ex->alloc, e->code, e->n_codes, e->group, e->n_groups, symbol[0], out);
    st = out->st;
done:
    fmc_dealloc(s->job->ex->alloc, symbol);
    return st;
}

fmc_status fmc_static_encode(const fmc_static_job *j, fmc_out *out)
{
    fmc_out rest = fmc_out_make(j->ex->alloc);
    fmc_static_encoder e = { 0 };
    fmc_static s;
    fmc_status st;

    FMC_TRY(fmc_static_open(j, &s));
    FMC_TRY(open_encoder(&s, &e, &rest));
    FMC_TRY(encode_bands(&s, &e));
    fmc_static_end_bits(&e.rest);
    FMC_TRY(rest.st);
    FMC_TRY(write_codes(&s, &e, out));
    fmc_out_bytes(out, rest.data, rest.size);
    st = out->st;
done:
    close_encoder(&s, &e);
    fmc_static_close(&s);
    fmc_out_fini(&rest);
    return st;
}

static fmc_status decode_bands(fmc_static *s, fmc_static_decoder *d)
{
    fmc_static_row r = { 0 };
    size_t at[4];
    fmc_status st = FMC_OK;

    for (size_t i = 0; i < s->job->n_coded; i++) {
        if (fmc_is_cancelled(s->job->ex))
            FMC_TRY(FMC_ERR_CANCELLED);
        fmc_static_band_open(s, i);
        memset(at, 0, sizeof at);
        r.band = NULL;
        for (size_t k = 0; k < s->band[i].n_rows; k++) {
            fmc_static_row_open(s, i, k, at, &r);
            fmc_static_decode_row(d, s, &r);
            fmc_static_row_next(s, i, at);
        }
        FMC_TRY(fmc_rans_check(&d->rans)); /* no long work on a stream that has ended */
        FMC_TRY(fmc_static_check_bits(&d->rest));
    }
done:
    return st;
}

fmc_status fmc_static_decode(const fmc_static_job *j, fmc_in *in)
{
    fmc_static_decoder d = { 0 };
    fmc_static s;
    fmc_status st;

    FMC_TRY(fmc_static_open(j, &s));
    FMC_TRY(fmc_static_head_read(&s, in));
    for (size_t t = 0; t < FMC_STATIC_TABLES; t++)
        fmc_static_table(&s.shape[t], t, &s.table[t]);
    FMC_TRY(fmc_rans_open(in, &d.rans));
    fmc_static_open_bits(&d.rest, in);
    FMC_TRY(decode_bands(&s, &d));
    if (j->n_coded == j->n_bands) {
        FMC_TRY(fmc_rans_close(&d.rans));
        FMC_TRY(fmc_static_close_bits(&d.rest));
    }
done:
    fmc_static_close(&s);
    return st;
}
