/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a block, and what follows from the rows around a row for all of it (docs/format.md 8.9). */
#include <string.h>

#include "coef/static_model.h"
#include "core/status.h"
#include "ops/kernels.h"

static size_t round_up(size_t n)
{
    return (n + FMC_STATIC_MARGIN - 1) / FMC_STATIC_MARGIN * FMC_STATIC_MARGIN + FMC_STATIC_MARGIN;
}

/* Offsets of the lines of all bands; the last one's end in *size, the largest band's lines in *max_band. */
static void place_lines(fmc_static *s, size_t *size, size_t *max_band, size_t *max_row)
{
    const fmc_static_job *j = s->job;

    *size = FMC_STATIC_MARGIN;
    *max_band = 0;
    *max_row = 1;
    for (size_t i = 0; i < j->n_bands; i++) {
        const fmc_band *b = &j->band[i];
        const size_t hi = b->dim[3] * (j->index + 1) / j->n_blocks;
        size_t lines;

        s->band[i].lo = b->dim[3] * j->index / j->n_blocks;
        s->band[i].rows = b->count ? hi - s->band[i].lo : 0;
        s->band[i].n_rows = b->dim[0] * b->dim[1] * b->dim[2] * s->band[i].rows;
        s->band[i].offset = *size;
        lines = s->band[i].n_rows * (b->dim[4] + 1);
        *size += lines;
        *max_band = lines > *max_band ? lines : *max_band;
        *max_row = s->band[i].n_rows && b->dim[4] > *max_row ? b->dim[4] : *max_row;
    }
    *size += FMC_STATIC_MARGIN;
}

fmc_status fmc_static_open(const fmc_static_job *j, fmc_static *s)
{
    const fmc_allocator *a = j->ex->alloc;
    size_t size, max_band, max_row, stride;
    uint8_t *p;
    fmc_status st;

    memset(s, 0, sizeof *s);
    s->job = j;
    memcpy(s->shape, fmc_static_default, sizeof s->shape);
    FMC_TRY(FMC_ALLOC_ZERO(a, j->n_bands + 1, &s->band));
    place_lines(s, &size, &max_band, &max_row);
    FMC_TRY(FMC_ALLOC(a, size, &s->mag));
    FMC_TRY(FMC_ALLOC(a, max_band + 2 * FMC_STATIC_MARGIN, &s->value));
    stride = round_up(max_row + 2);
    FMC_TRY(fmc_alloc_zero(a, stride, 53, &s->memory));
    p = s->memory;
    s->none = (const int32_t *)(const void *)p, p += 4 * stride;
    s->sum = (int32_t *)(void *)p, p += 4 * stride;
    for (int k = 0; k < 2; k++) {
        s->base[k] = (int32_t *)(void *)p, p += 4 * stride;
        s->q[k] = (int32_t *)(void *)p, p += 4 * stride;
    }
    s->energy = (uint16_t *)(void *)p, p += 2 * stride;
    for (int k = 0; k < 2; k++) {
        s->e[k] = (uint16_t *)(void *)p, p += 2 * stride;
        s->m[k] = (uint16_t *)(void *)p, p += 2 * stride;
        s->v[k] = (int16_t *)(void *)p, p += 2 * stride;
    }
    s->zero = (int16_t *)(void *)p + FMC_STATIC_MARGIN / 2, p += 2 * stride;
    s->parent = (int16_t *)(void *)p, p += 2 * stride;
    s->time = (int16_t *)(void *)p, p += 2 * stride;
    for (int k = 0; k < 2; k++) {
        s->fine[k] = p, p += stride;
        s->ctx[k] = p, p += stride;
        s->sym[k] = p, p += stride;
    }
    s->packed_ctx = p, p += stride;
    s->packed_sym = p, p += stride;
    s->active = p;
done:
    return st;
}

void fmc_static_close(fmc_static *s)
{
    const fmc_allocator *a = s->job->ex->alloc;

    fmc_dealloc(a, s->band);
    fmc_dealloc(a, s->mag);
    fmc_dealloc(a, s->value);
    fmc_dealloc(a, s->memory);
}

void fmc_static_row_find(const fmc_static *s, size_t i, size_t index, size_t at[4])
{
    const fmc_band *b = &s->job->band[i];
    const size_t rows = s->band[i].rows;

    at[3] = index % rows;
    at[2] = index / rows % b->dim[2];
    at[1] = index / rows / b->dim[2] % b->dim[1];
    at[0] = index / rows / b->dim[2] / b->dim[1];
}

void fmc_static_row_next(const fmc_static *s, size_t i, size_t at[4])
{
    const fmc_band *b = &s->job->band[i];

    if (++at[3] < s->band[i].rows)
        return;
    at[3] = 0;
    if (++at[2] < b->dim[2])
        return;
    at[2] = 0;
    if (++at[1] < b->dim[1])
        return;
    at[1] = 0;
    at[0]++;
}

/* Sums of the taps that lie in other rows: one pass for both parities. */
static void sum_taps(fmc_static *s, const fmc_static_row *r)
{
    fmc_kernels_get(s->job->ex)->static_sum(s->sum, r->taps.row, (const int16_t(*)[FMC_COEF_TAPS])r->taps.weight, r->taps.n_even,
                                            r->n);
}

void fmc_static_row_energy(fmc_static *s, const fmc_static_row *r)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);

    k->static_energy(s->energy, r->row, r->weight, r->n_rows, r->n);
    k->static_split(s->e[0], s->e[1], s->energy, r->n);
    if (r->s->has_mean)
        sum_taps(s, r);
}

void fmc_static_row_mean(fmc_static *s, const fmc_static_row *r, size_t phase)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    const fmc_static_phase *p = &r->s->phase[phase];

    k->static_mean(s->base[phase], s->fine[phase], s->sum, phase, phase ? s->v[0] : NULL, p->tap[FMC_STATIC_TAPS - 2],
                 p->tap[FMC_STATIC_TAPS - 1], (r->n + 1 - phase) / 2);
}

void fmc_static_row_context(fmc_static *s, const fmc_static_row *r, size_t phase)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);
    const size_t n = (r->n + 1 - phase) / 2;

    if (phase)
        k->static_between(s->e[1], s->m[0], r->s->share, r->s->near, n);
    k->static_context(s->ctx[phase], s->e[phase], r->s->phase[phase].has_mean ? s->fine[phase] : NULL, n);
}

void fmc_static_row_close(fmc_static *s, const fmc_static_row *r)
{
    const fmc_kernels *k = fmc_kernels_get(s->job->ex);

    k->static_join(r->mag, s->m[0], s->m[1], r->n);
    if (r->s->has_mean)
        k->static_join((uint16_t *)r->value, (const uint16_t *)s->v[0], (const uint16_t *)s->v[1], r->n);
}
