/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbourhoods: which rows a row looks at, and the part of its contexts that they determine (docs/format.md 8.2). */
#include <string.h>

#include "coef/block.h"
#include "core/status.h"

enum { PAD = 32, N_ROWS = 15, N_BYTE_ROWS = 5 };

fmc_status fmc_coef_scratch_create(const fmc_allocator *a, size_t max_row, fmc_coef_scratch *s)
{
    const size_t stride = (max_row + PAD + 31) / 32 * 32;
    uint16_t **const row[N_ROWS] = { &s->rows.north, &s->rows.north2, &s->rows.up, &s->rows.parent, &s->rows.sibling,
                                     &s->rows.time, &s->rows.energy, &s->half, &s->pair[0], &s->pair[1], &s->pair[2],
                                     &s->pair[3], &s->pair[4], &s->symbols.pair[0], &s->symbols.pair[1] };
    uint8_t **const byte_row[N_BYTE_ROWS] = { &s->zero, &s->quiet, &s->symbols.energy, &s->symbols.shift,
                                              &s->symbols.symbol };
    fmc_status st;

    memset(s, 0, sizeof *s);
    FMC_TRY(FMC_ALLOC_ZERO(a, stride * (N_ROWS + 1 + (N_BYTE_ROWS + 1) / 2), &s->memory));
    for (size_t i = 0; i < N_ROWS; i++)
        *row[i] = s->memory + i * stride;
    s->error = s->memory + N_ROWS * stride + 2;
    for (size_t i = 0; i < N_BYTE_ROWS; i++)
        *byte_row[i] = (uint8_t *)(s->memory + (N_ROWS + 1) * stride) + i * stride;
done:
    return st;
}

void fmc_coef_scratch_destroy(const fmc_allocator *a, fmc_coef_scratch *s)
{
    fmc_dealloc(a, s->memory);
    memset(s, 0, sizeof *s);
}

/* Rows of `band` that belong to this block: [*lo, *hi). */
static void block_rows(const fmc_coef_block *b, const fmc_band *band, size_t *lo, size_t *hi)
{
    *lo = band->dim[3] * b->index / b->n_blocks;
    *hi = band->dim[3] * (b->index + 1) / b->n_blocks;
}

static size_t row_offset(const fmc_band *band, const size_t at[4])
{
    const size_t *d = band->dim;

    return band->start + (((at[0] * d[1] + at[1]) * d[2] + at[2]) * d[3] + at[3]) * d[4];
}

/* Magnitudes of the row `dz` slices and `dy` rows away, or zeros if it is not in this block. */
static const uint8_t *near_row(const fmc_coef_block *b, const fmc_band *band, const size_t at[4], int dz, int dy)
{
    size_t lo, hi;
    size_t to[4] = { at[0], at[1], at[2] + (size_t)dz, at[3] + (size_t)dy };

    block_rows(b, band, &lo, &hi);
    if (to[2] >= band->dim[2] || to[3] < lo || to[3] >= hi)
        return b->scratch.zero;
    return b->mag + row_offset(band, to);
}

/* The place in `other` that corresponds to `at` in `band`; false if this block has no rows there. */
static int map_row(const fmc_coef_block *b, const fmc_band *other, unsigned half, const size_t at[4], size_t to[4])
{
    size_t lo, hi;

    for (int i = 0; i < 4; i++) {
        to[i] = half >> i & 1 ? at[i] / 2 : at[i];
        if (to[i] >= other->dim[i])
            to[i] = other->dim[i] - 1;
    }
    block_rows(b, other, &lo, &hi);
    if (hi <= lo)
        return 0;
    to[3] = to[3] < lo ? lo : to[3] >= hi ? hi - 1 : to[3];
    return 1;
}

/* A row that is not there adds nothing. */
static void add_row(const fmc_coef_block *b, uint16_t *dst, const uint8_t *src, size_t n, unsigned times)
{
    if (src != b->scratch.zero)
        b->kernels->row_add(dst, src, n, times);
}

static void sum_parent(fmc_coef_block *b, const fmc_band *band, const size_t at[4])
{
    fmc_coef_scratch *s = &b->scratch;
    const size_t n = band->dim[4];
    const fmc_band *p;
    size_t to[4];

    if (band->parent < 0 || !map_row(b, &b->band[band->parent], band->parent_half, at, to)) {
        memset(s->rows.parent, 0, n * sizeof *s->rows.parent);
        return;
    }
    p = &b->band[band->parent];
    b->kernels->row_sum3(s->half, near_row(b, p, to, 0, 0), p->dim[4], 4, 1);
    for (int d = -1; d <= 1; d += 2) {
        add_row(b, s->half, near_row(b, p, to, 0, d), p->dim[4], 1);
        add_row(b, s->half, near_row(b, p, to, d, 0), p->dim[4], 1);
    }
    fmc_rows_spread(s->rows.parent, s->half, n, p->dim[4], band->parent_half >> 4 & 1);
}

static void sum_time(fmc_coef_block *b, const fmc_band *band, const size_t at[4], const size_t *earlier_volume)
{
    fmc_coef_scratch *s = &b->scratch;
    const size_t n = band->dim[4];
    const fmc_band *t = band;
    size_t to[4];

    if (band->time_parent >= 0 && map_row(b, &b->band[band->time_parent], band->time_half, at, to)) {
        t = &b->band[band->time_parent];
    } else if (earlier_volume) {
        memcpy(to, earlier_volume, sizeof to);
    } else {
        memset(s->rows.time, 0, n * sizeof *s->rows.time);
        return;
    }
    b->kernels->row_sum3(s->half, near_row(b, t, to, 0, 0), t->dim[4], 2, 1);
    add_row(b, s->half, near_row(b, t, to, 0, -1), t->dim[4], 1);
    add_row(b, s->half, near_row(b, t, to, 0, 1), t->dim[4], 1);
    fmc_rows_spread(s->rows.time, s->half, n, t->dim[4], t == band ? 0 : band->time_half >> 4 & 1);
}

static void sum_siblings(fmc_coef_block *b, const fmc_band *band, const size_t at[4])
{
    uint16_t *row = b->scratch.rows.sibling;

    memset(row, 0, band->dim[4] * sizeof *row);
    for (int i = 0; i < band->n_siblings; i++) {
        const fmc_band *t = &b->band[band->sibling[i]];
        const size_t n = band->dim[4] < t->dim[4] ? band->dim[4] : t->dim[4];
        size_t to[4];

        if (!map_row(b, t, 0, at, to))
            continue;
        add_row(b, row, near_row(b, t, to, 0, 0), n, 2);
        add_row(b, row, near_row(b, t, to, 0, -1), n, 1);
        add_row(b, row, near_row(b, t, to, 0, 1), n, 1);
    }
}

static void sum_near(fmc_coef_block *b, const fmc_band *band, const size_t at[4], const size_t *earlier_volume)
{
    fmc_coef_scratch *s = &b->scratch;
    const size_t n = band->dim[4];
    const uint8_t *north2 = near_row(b, band, at, 0, -2);
    size_t up[4] = { at[0], at[1], at[2] - 1, at[3] };

    b->kernels->row_sum3(s->rows.north, near_row(b, band, at, 0, -1), n, 2, 1);
    for (size_t x = 0; x < n; x++)
        s->rows.north2[x] = north2[x];
    if (at[2] == 0 && !earlier_volume) {
        memset(s->rows.up, 0, n * sizeof *s->rows.up);
        return;
    }
    if (at[2] == 0)
        memcpy(up, earlier_volume, sizeof up);
    b->kernels->row_sum3(s->rows.up, near_row(b, band, up, 0, 0), n, 2, 1);
    add_row(b, s->rows.up, near_row(b, band, up, 0, -1), n, 1);
    add_row(b, s->rows.up, near_row(b, band, up, 0, 1), n, 1);
}

static unsigned level_of(const fmc_coef_model *m, uint32_t v)
{
    return m->log_class[v < FMC_COEF_LOG_MAX ? v : FMC_COEF_LOG_MAX - 1] / 2u;
}

/* Bases of the pair contexts: the second coordinate and the flag of each (docs/format.md 8.3). */
static void pair_bases(fmc_coef_block *b, const fmc_band *band)
{
    const fmc_coef_rows *r = &b->scratch.rows;
    const fmc_coef_model *m = b->model;
    const unsigned place = (band->level > 0) * 8 + (band->high >> 2 & 7);
    uint16_t *const *p = b->scratch.pair;

    if (m->n_pairs == 0)
        return;
    b->kernels->row_pairs(p, r, band->dim[4]);
    if (m->n_pairs == 2)
        return;
    for (size_t x = 0; x < band->dim[4]; x++) {
        p[2][x] = (uint16_t)(level_of(m, 3u * r->sibling[x]) * 2 + (r->time[x] > 0));
        p[3][x] = (uint16_t)(place * 2 + (r->parent[x] > 0));
        p[4][x] = (uint16_t)(level_of(m, 8u * r->north2[x]) * 2 + (r->north[x] > 0));
    }
}

/* Segments whose neighbourhood is all zeros: one flag can code 16 values. */
static void find_quiet(fmc_coef_block *b, size_t n)
{
    const uint16_t *e = b->scratch.rows.energy;

    size_t x = 0;

    for (; x + FMC_COEF_SEGMENT <= n; x += FMC_COEF_SEGMENT) {
        uint64_t v[FMC_COEF_SEGMENT / 4];

        memcpy(v, e + x, sizeof v);
        b->scratch.quiet[x / FMC_COEF_SEGMENT] = !(v[0] | v[1] | v[2] | v[3]);
    }
    if (x < n) {
        uint16_t any = 0;

        for (size_t i = x; i < n; i++)
            any |= e[i];
        b->scratch.quiet[x / FMC_COEF_SEGMENT] = !any;
    }
}

/* Values of a row of this band and block, or NULL. */
static const int32_t *value_row(const fmc_coef_block *b, const fmc_band *band, const size_t at[4], int dz, int dy)
{
    const uint8_t *m = near_row(b, band, at, dz, dy);

    return m == b->scratch.zero ? NULL : b->q + (m - b->mag);
}

static const int16_t *log_row(const fmc_coef_block *b, const int32_t *q)
{
    return q ? b->log + (q - b->q) : NULL;
}

/* The row of another band at this place, NULL: none; *n gets its length. */
static const int32_t *other_row(const fmc_coef_block *b, int band, unsigned half, const size_t at[4], size_t *n)
{
    size_t to[4];

    *n = 0;
    if (band < 0 || b->band[band].count == 0 || !map_row(b, &b->band[band], half, at, to))
        return NULL;
    *n = b->band[band].dim[4];
    return b->q + row_offset(&b->band[band], to);
}

static void find_prior_rows(const fmc_coef_block *b, const size_t at[4], fmc_coef_row *row)
{
    const fmc_band *band = row->band;
    fmc_prior_rows *p = &row->prior;

    p->own = b->log + (row->q - b->q);
    p->north = log_row(b, row->q_north);
    p->north2 = log_row(b, row->q_north2);
    p->up = log_row(b, row->q_up);
    p->up_north = log_row(b, row->q_up_north);
    p->up_south = log_row(b, row->q_up_south);
    p->up2 = log_row(b, row->q_up2);
    p->parent = log_row(b, other_row(b, band->parent, band->parent_half, at, &p->n_parent));
    p->parent_half = band->parent_half >> 4 & 1;
    p->time = log_row(b, other_row(b, band->time_parent, band->time_half, at, &p->n_time));
    p->time_half = band->time_half >> 4 & 1;
    for (int k = 0; k < 3; k++) {
        const int i = k < band->n_siblings ? band->sibling[band->n_siblings - 1 - k] : -1;
        const int32_t *q = other_row(b, i, 0, at, &p->n_sibling[k]);

        p->sibling[k] = log_row(b, q);
        if (k == 0)
            p->sibling_value = q;
    }
    p->place = row->band_class * 8 + (band->high >> 2 & 7);
    p->y = at[3];
    p->z = at[2];
}

void fmc_coef_prepare_row(fmc_coef_block *b, size_t i, const size_t at[4], fmc_coef_row *row)
{
    const fmc_band *band = &b->band[i];
    const size_t offset = row_offset(band, at);
    size_t earlier[4] = { at[0], at[1] - 1, at[2], at[3] };
    const size_t *volume = at[0] || at[1] ? earlier : NULL;

    if (at[1] == 0) {
        earlier[0] = at[0] - 1;
        earlier[1] = band->dim[1] - 1;
    }
    row->band = band;
    row->band_class = fmc_coef_class(band);
    row->n = band->dim[4];
    row->q = b->q + offset;
    row->mag = b->mag + offset;
    row->q_north = value_row(b, band, at, 0, -1);
    row->q_north2 = value_row(b, band, at, 0, -2);
    row->q_up = value_row(b, band, at, -1, 0);
    row->q_up_north = value_row(b, band, at, -1, -1);
    row->q_up_south = value_row(b, band, at, -1, 1);
    row->q_up2 = value_row(b, band, at, -2, 0);
    if (b->log)
        find_prior_rows(b, at, row);
    sum_near(b, band, at, volume);
    sum_parent(b, band, at);
    sum_time(b, band, at, volume);
    sum_siblings(b, band, at);
    b->kernels->row_energy(&b->scratch.rows, fmc_coef_class_weights(row->band_class), row->n);
    pair_bases(b, band);
    find_quiet(b, row->n);
}
