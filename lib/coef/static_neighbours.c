/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows are around a row, what each weighs, and which ones the mean sees (docs/format.md 8.9). */
#include <string.h>

#include "coef/model.h"
#include "coef/static_model.h"

/* 64 * 2^(i / 4), i = -16..16 */
static const uint16_t gain_table[33] = { 4, 5, 6, 7, 8, 10, 11, 13, 16, 19, 23, 27, 32, 38, 45, 54, 64, 76, 91, 108, 128,
                                         152, 181, 215, 256, 304, 362, 431, 512, 609, 724, 861, 1024 };

/* Fitted on train fields by likelihood of a geometric distribution with that mean. */
const fmc_static_weights fmc_static_class_weights[11] = {
    { 2976, 3392, 1267, 819, 819, 819, 32178, 16 }, { 1626, 704, 723, 333, 461, 58, 31654, 16 },
    { 1254, 230, 397, 218, 70, 960, 31130, 16 },    { 1408, 0, 442, 0, 186, 557, 34865, 15 },
    { 1549, 659, 704, 550, 480, 262, 38076, 13 },   { 1107, 115, 422, 461, 429, 768, 37487, 14 },
    { 589, 0, 474, 64, 1325, 429, 43057, 11 },      { 2163, 1581, 1043, 486, 2240, 499, 42205, 12 },
    { 1562, 480, 646, 499, 1581, 678, 44237, 11 },  { 282, 0, 704, 0, 2707, 480, 55837, 5 },
    { 2413, 2234, 1376, 819, 819, 544, 25952, 20 }
};

/* Line of band i at (v0, v1, z, y), y counted in the block; SIZE_MAX where it is not one. */
static size_t line_at(const fmc_static *s, size_t i, const size_t at[4])
{
    const fmc_band *b = &s->job->band[i];
    const fmc_static_band *t = &s->band[i];

    if (at[2] >= b->dim[2] || at[3] >= t->rows)
        return SIZE_MAX;
    return t->offset + (((at[0] * b->dim[1] + at[1]) * b->dim[2] + at[2]) * t->rows + at[3]) * (b->dim[4] + 1);
}

/* The place in band `other` that corresponds to `at` of `band` (y in the block); its line, or SIZE_MAX. */
static size_t line_in(const fmc_static *s, size_t band, size_t other, unsigned half, const size_t at[4])
{
    const fmc_band *o = &s->job->band[other];
    const fmc_static_band *t = &s->band[other];
    size_t to[4];

    if (t->n_rows == 0)
        return SIZE_MAX;
    for (int k = 0; k < 4; k++) {
        to[k] = k == 3 ? at[k] + s->band[band].lo : at[k];
        to[k] = half >> k & 1 ? to[k] / 2 : to[k];
        to[k] = to[k] >= o->dim[k] ? o->dim[k] - 1 : to[k];
    }
    to[3] = to[3] < t->lo ? 0 : to[3] - t->lo;
    to[3] = to[3] >= t->rows ? t->rows - 1 : to[3];
    return line_at(s, other, to);
}

static void add_row(fmc_static_row *r, const int16_t *line, uint32_t weight)
{
    if (weight == 0)
        return;
    r->row[r->n_rows] = line;
    r->is_line[r->n_rows] = 1;
    r->weight[r->n_rows++] = (int16_t)(weight > 32767 ? 32767 : weight);
}

/* A row that is made for this one. */
static void add_made(fmc_static_row *r, const int16_t *row, uint32_t weight)
{
    const size_t n = r->n_rows;

    add_row(r, row, weight);
    if (r->n_rows > n)
        r->is_line[n] = 0;
}

static const int16_t *mag_line(const fmc_static *s, size_t line)
{
    return (const int16_t *)(s->mag + line); /* at most 1023 */
}

/* dst[x] = (2 src + its neighbours)[min(x >> half, n_src - 1)] */
static void spread(int16_t *restrict dst, const int16_t *restrict src, size_t n, size_t n_src, unsigned half)
{
    const size_t whole = half ? 2 * n_src : n_src, m = n < whole ? n : whole;

    if (half)
        for (size_t i = 0; i < (m + 1) / 2; i++)
            dst[2 * i] = dst[2 * i + 1] = (int16_t)(2 * src[i] + src[(ptrdiff_t)i - 1] + src[i + 1]);
    else
        for (size_t i = 0; i < m; i++)
            dst[i] = (int16_t)(2 * src[i] + src[(ptrdiff_t)i - 1] + src[i + 1]);
    for (size_t x = m; x < n; x++)
        dst[x] = dst[m - 1];
}

static void make_spread(const fmc_static *s, size_t n, size_t other, size_t line, unsigned half, int16_t *row,
                        const int16_t **made_from)
{
    const int16_t *src = mag_line(s, line);

    if (*made_from != src)
        spread(row, src, n, s->job->band[other].dim[4], half >> 4 & 1);
    *made_from = src;
}

/* The rows of the parent and of the time parent for this row; whether there are any. */
static int make_parent(fmc_static *s, size_t i, const size_t at[4])
{
    const fmc_band *b = &s->job->band[i];
    const size_t t = b->parent < 0 ? SIZE_MAX : line_in(s, i, (size_t)b->parent, b->parent_half, at);

    if (t != SIZE_MAX)
        make_spread(s, b->dim[4], (size_t)b->parent, t, b->parent_half, s->parent, &s->parent_of);
    return t != SIZE_MAX;
}

static int make_time(fmc_static *s, size_t i, const size_t at[4])
{
    const fmc_band *b = &s->job->band[i];
    const size_t t = b->time_parent < 0 ? SIZE_MAX : line_in(s, i, (size_t)b->time_parent, b->time_half, at);

    if (t != SIZE_MAX)
        make_spread(s, b->dim[4], (size_t)b->time_parent, t, b->time_half, s->time, &s->time_of);
    return t != SIZE_MAX;
}

static void add_three(fmc_static_row *r, const int16_t *line, uint32_t weight)
{
    add_row(r, line, 2 * weight);
    add_row(r, line - 1, weight);
    add_row(r, line + 1, weight);
}

/* First value of the row at `at` (y in the block). */
static size_t place(const fmc_static *s, size_t i, const size_t at[4])
{
    const fmc_band *b = &s->job->band[i];

    return b->start + (((at[0] * b->dim[1] + at[1]) * b->dim[2] + at[2]) * b->dim[3] + s->band[i].lo + at[3]) * b->dim[4];
}

static void add_up(fmc_static_row *r, const fmc_static *s, size_t up, size_t y, uint32_t weight)
{
    const size_t stride = r->n + 1;

    add_three(r, mag_line(s, up), weight);
    if (y > 0)
        add_row(r, mag_line(s, up - stride), weight);
    if (y + 1 < r->s->rows)
        add_row(r, mag_line(s, up + stride), weight);
}

/* Lines before this one, SIZE_MAX where there is none. Lines of a band follow each other like its rows. */
typedef struct lines_before {
    size_t north, north2, up, up2, volume;
} lines_before;

static lines_before find_before(const fmc_static_row *r, size_t line, size_t index, const size_t at[4])
{
    const size_t stride = r->n + 1, slice = r->s->rows * stride, per_volume = r->band->dim[2] * r->s->rows;
    lines_before l;

    l.north = at[3] > 0 ? line - stride : SIZE_MAX;
    l.north2 = at[3] > 1 ? line - 2 * stride : SIZE_MAX;
    l.volume = index >= per_volume ? line - per_volume * stride : SIZE_MAX;
    l.up = at[2] > 0 ? line - slice : l.volume;
    l.up2 = at[2] > 1 ? line - 2 * slice : SIZE_MAX;
    return l;
}

/* d: elements from the line. */
static void add_tap(const fmc_static *s, fmc_static_row *r, size_t line, ptrdiff_t d, int tap)
{
    fmc_static_tap_rows *t = &r->taps;

    t->row[t->n] = s->value + (line - r->s->offset + FMC_STATIC_MARGIN) + d;
    t->weight[0][t->n] = r->s->phase[0].tap[tap];
    t->weight[1][t->n] = r->s->phase[1].tap[tap];
    t->tap[t->n++] = (uint8_t)tap;
}

static void add_taps(fmc_static_row *r, const fmc_static *s, const size_t at[4], const lines_before *l)
{
    const size_t stride = r->n + 1;
    fmc_static_tap_rows *t = &r->taps;

    t->n = 0;
    if (l->north != SIZE_MAX) {
        add_tap(s, r, l->north, 0, 0);
        add_tap(s, r, l->north, -1, 2);
        add_tap(s, r, l->north, 1, 3);
    }
    if (l->north2 != SIZE_MAX)
        add_tap(s, r, l->north2, 0, 4);
    if (l->up2 != SIZE_MAX)
        add_tap(s, r, l->up2, 0, 5);
    if (l->up != SIZE_MAX) {
        add_tap(s, r, l->up, 0, 1);
        add_tap(s, r, l->up, -1, 6);
        add_tap(s, r, l->up, 1, 7);
        if (at[3] > 0)
            add_tap(s, r, l->up - stride, 0, 8);
        if (at[3] + 1 < r->s->rows)
            add_tap(s, r, l->up + stride, 0, 9);
    }
    t->n_even = t->n + (t->n & 1);
    if (t->n < t->n_even) {
        t->row[t->n] = s->zero;
        t->weight[0][t->n] = t->weight[1][t->n] = 0;
    }
}

static uint32_t scaled(uint32_t weight, int gain)
{
    return weight * gain_table[gain + 16] >> 6;
}

void fmc_static_band_open(fmc_static *s, size_t i)
{
    fmc_static_band *t = &s->band[i];
    const fmc_static_weights *k = &fmc_static_class_weights[fmc_coef_class(&s->job->band[i])];
    const int gain = t->phase[0].gain;
    fmc_static_weights *w = &t->weights;

    w->north = (uint16_t)scaled(k->north, gain);
    w->north2 = (uint16_t)scaled(k->north2, gain);
    w->up = (uint16_t)scaled(k->up, gain);
    w->parent = (uint16_t)scaled(k->parent, gain);
    w->sibling = (uint16_t)scaled(k->sibling, gain);
    w->time = (uint16_t)scaled(k->time, gain);
    t->share = scaled(k->share, t->phase[1].gain - gain);
    t->share = t->share > 65535 ? 65535 : t->share;
    t->near = scaled(k->near, t->phase[1].gain);
    t->near = t->near > 32 ? 32 : t->near;
    t->has_mean = t->phase[0].has_mean | t->phase[1].has_mean;
    s->parent_of = s->time_of = NULL;
    t->alike = 0;
    for (int m = 0; m < s->job->band[i].n_siblings; m++)
        if (!memcmp(s->job->band[s->job->band[i].sibling[m]].dim, s->job->band[i].dim, sizeof s->job->band[i].dim))
            t->alike |= 1u << m;
    for (size_t r = 0; r <= t->n_rows; r++) {
        const size_t end = r * (s->job->band[i].dim[4] + 1);

        s->mag[t->offset + end - 1] = 0;
        if (t->has_mean)
            s->value[FMC_STATIC_MARGIN + end - 1] = 0;
    }
}

static void add_rows(fmc_static *s, fmc_static_row *r, size_t i, size_t index, const size_t at[4], const lines_before *l)
{
    const fmc_band *b = r->band;
    const fmc_static_weights *k = &r->s->weights;

    if (l->north != SIZE_MAX)
        add_three(r, mag_line(s, l->north), k->north);
    if (l->north2 != SIZE_MAX)
        add_row(r, mag_line(s, l->north2), k->north2);
    if (l->up != SIZE_MAX)
        add_up(r, s, l->up, at[3], k->up);
    if (make_parent(s, i, at))
        add_made(r, s->parent, k->parent);
    if (make_time(s, i, at))
        add_made(r, s->time, k->time);
    else if (l->volume != SIZE_MAX)
        add_three(r, mag_line(s, l->volume), k->time);
    r->moves = 1;
    for (int m = 0; m < b->n_siblings; m++) {
        const size_t j = (size_t)b->sibling[m];
        const int alike = r->s->alike >> m & 1;
        const size_t t = alike ? s->band[j].offset + index * (r->n + 1) : line_in(s, i, j, 0, at);

        r->moves &= alike;
        if (t != SIZE_MAX)
            add_row(r, mag_line(s, t), k->sibling);
    }
    if (r->n_rows & 1) {
        r->row[r->n_rows] = s->zero;
        r->is_line[r->n_rows] = 0;
        r->weight[r->n_rows++] = 0;
    }
}

/* From a row to the next one of its slice, where both have all neighbours. */
static void move_on(fmc_static *s, fmc_static_row *r, size_t i, const size_t at[4])
{
    const size_t stride = r->n + 1;

    r->q += r->n;
    r->mag += stride;
    r->value += stride;
    for (size_t k = 0; k < r->n_rows; k++)
        r->row[k] += r->is_line[k] ? stride : 0;
    for (size_t k = 0; r->s->has_mean && k < r->taps.n; k++)
        r->taps.row[k] += stride;
    make_parent(s, i, at);
    make_time(s, i, at);
}

void fmc_static_row_open(fmc_static *s, size_t i, size_t index, const size_t at[4], fmc_static_row *r)
{
    lines_before before;
    size_t line;

    if (r->band == &s->job->band[i] && r->moves && index == r->index + 1 && at[3] > 2 && at[3] + 1 < r->s->rows) {
        r->index = index;
        move_on(s, r, i, at);
        return;
    }
    r->index = index;
    r->band = &s->job->band[i];
    r->s = &s->band[i];
    r->n = r->band->dim[4];
    r->n_rows = 0;
    r->q = s->job->q + place(s, i, at);
    line = r->s->offset + index * (r->n + 1);
    r->mag = s->mag + line;
    r->value = s->value + (line - r->s->offset) + FMC_STATIC_MARGIN;
    before = find_before(r, line, index, at);
    add_rows(s, r, i, index, at, &before);
    if (r->s->has_mean)
        add_taps(r, s, at, &before);
}
