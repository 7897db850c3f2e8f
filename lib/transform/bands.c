/* SPDX-License-Identifier: Apache-2.0 */
/* The boxes of the Mallat layout and how they are related: docs/format.md 6.7. */
#include "transform/transform.h"

#include <string.h>

/*
 * What the order and the relations depend on. Arrays are indexed like band->dim: right-aligned axes. Until a band's
 * siblings are filled in, this lives in their place, so that no memory is needed.
 */
typedef struct place {
    uint8_t depth[FMC_MAX_RANK]; /* halvings along a W or P axis that lead here */
    uint8_t w_high, p_high;      /* high axes of either kind */
    uint8_t w_level;             /* of the W axes, 0 = finest; W-low bands: the number of levels */
    uint8_t is_lowest;           /* in all W and P axes */
} place;

_Static_assert(sizeof(place) <= sizeof ((fmc_band *)0)->sibling, "a place fits where the siblings go");

typedef struct maker {
    const fmc_tx_plan *plan;
    uint32_t shift;               /* right-aligned axis = axis + shift */
    uint8_t  w_levels;            /* most levels of a W axis */
    uint8_t  has_w;
    uint8_t  has_other;           /* a D, F or K axis */
    fmc_band *out;                /* NULL: count only */
    size_t   n;
} maker;

/* A box on its way to a band. */
typedef struct cell {
    size_t origin[FMC_MAX_RANK], dim[FMC_MAX_RANK];
    place  at;
} cell;

static place place_of(const fmc_band *b)
{
    place p;

    memcpy(&p, b->sibling, sizeof p);
    return p;
}

static void emit(maker *m, const cell *c)
{
    place at = c->at;
    size_t count = 1;
    fmc_band *b;

    for (size_t a = 0; a < FMC_MAX_RANK; a++)
        count *= c->dim[a];
    if (count == 0)
        return;
    m->n++;
    if (!m->out)
        return;
    b = &m->out[m->n - 1];
    memset(b, 0, sizeof *b);
    memcpy(b->dim, c->dim, sizeof c->dim);
    memcpy(b->origin, c->origin, sizeof c->origin);
    b->count = count;
    b->high = at.w_high | at.p_high;
    at.is_lowest = !b->high;
    memcpy(b->sibling, &at, sizeof at);
}

/* All W bands of one P cell. */
static void emit_w(maker *m, const cell *base)
{
    size_t size[FMC_MAX_RANK];
    cell c = *base;

    memcpy(size, base->dim, sizeof size);
    for (uint8_t l = 0; l < m->w_levels; l++) {
        uint8_t active = 0;

        for (uint32_t a = 0; a < m->plan->rank; a++)
            if (m->plan->kind[a] == FMC_TX_DYADIC && m->plan->levels[a] > l)
                active |= (uint8_t)(1u << (a + m->shift));
        for (uint8_t high = 1; high < 1u << FMC_MAX_RANK; high++) {
            if (high & ~active)
                continue;
            c.at.w_high = high;
            c.at.w_level = l;
            for (size_t a = 0; a < FMC_MAX_RANK; a++) {
                const size_t low = active >> a & 1 ? (size[a] + 1) / 2 : size[a];
                const int is_high = high >> a & 1;

                c.origin[a] = is_high ? low : base->origin[a];
                c.dim[a] = is_high ? size[a] - low : low;
                c.at.depth[a] = active >> a & 1 ? (uint8_t)(l + 1) : c.at.depth[a];
            }
            emit(m, &c);
        }
        for (size_t a = 0; a < FMC_MAX_RANK; a++)
            size[a] = active >> a & 1 ? (size[a] + 1) / 2 : size[a];
    }
    memcpy(c.origin, base->origin, sizeof c.origin);
    memcpy(c.dim, size, sizeof c.dim);
    c.at.w_high = 0;
    c.at.w_level = m->w_levels;
    emit(m, &c);
}

/* All cells of the P axes from `axis` on; recursion no deeper than the rank. */
static void emit_p(maker *m, const cell *base, uint32_t axis)
{
    cell c = *base;
    const uint32_t a = axis + m->shift;
    size_t size;

    if (m->n > FMC_MAX_BANDS) /* too many anyway */
        return;
    if (axis == m->plan->rank) {
        emit_w(m, base);
        return;
    }
    if (m->plan->kind[axis] != FMC_TX_PACKET) {
        emit_p(m, base, axis + 1);
        return;
    }
    size = m->plan->dim[axis];
    for (uint8_t l = 0; l < m->plan->levels[axis]; l++) {
        const size_t low = (size + 1) / 2;

        c.origin[a] = low;
        c.dim[a] = size - low;
        c.at.depth[a] = (uint8_t)(l + 1);
        c.at.p_high = (uint8_t)(base->at.p_high | 1u << a);
        if (c.dim[a] > 0)
            emit_p(m, &c, axis + 1);
        size = low;
    }
    c.origin[a] = 0;
    c.dim[a] = size;
    c.at.p_high = base->at.p_high;
    emit_p(m, &c, axis + 1);
}

static void make_places(maker *m)
{
    const fmc_tx_plan *plan = m->plan;
    cell all = { .dim = { 1, 1, 1, 1, 1 } };

    m->shift = FMC_MAX_RANK - plan->rank;
    for (uint32_t a = 0; a < plan->rank; a++) {
        all.dim[a + m->shift] = plan->dim[a];
        if (plan->kind[a] == FMC_TX_DYADIC) {
            m->has_w = 1;
            m->w_levels = plan->levels[a] > m->w_levels ? plan->levels[a] : m->w_levels;
        }
        m->has_other |= plan->kind[a] >= FMC_TX_DCT;
    }
    emit_p(m, &all, 0);
}

static uint32_t count_bits(uint32_t v)
{
    uint32_t n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

/* Negative: a comes first. A total order. */
static int compare(const fmc_band *band_a, const fmc_band *band_b)
{
    const place a = place_of(band_a), b = place_of(band_b);
    int sum_a = 0, sum_b = 0;

    if (a.is_lowest != b.is_lowest)
        return (int)b.is_lowest - (int)a.is_lowest;
    for (size_t i = 0; i < FMC_MAX_RANK; i++) {
        sum_a += a.depth[i];
        sum_b += b.depth[i];
    }
    if (sum_a != sum_b)
        return sum_b - sum_a;
    if (count_bits(band_a->high) != count_bits(band_b->high))
        return (int)count_bits(band_a->high) - (int)count_bits(band_b->high);
    for (size_t i = 0; i < FMC_MAX_RANK; i++)
        if (a.depth[i] != b.depth[i])
            return (int)b.depth[i] - (int)a.depth[i];
    return (int)band_a->high - (int)band_b->high;
}

/* By insertion: few bands, and qsort may allocate. */
static void sort_bands(fmc_band *band, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const fmc_band moved = band[i];
        size_t j = i;

        for (; j > 0 && compare(&moved, &band[j - 1]) < 0; j--)
            band[j] = band[j - 1];
        band[j] = moved;
    }
}

/* The same box along every P axis but `except`. */
static int is_same_p(const maker *m, const fmc_band *a, const fmc_band *b, uint32_t except)
{
    for (uint32_t i = 0; i < m->plan->rank; i++)
        if (m->plan->kind[i] == FMC_TX_PACKET && i + m->shift != except &&
            a->origin[i + m->shift] != b->origin[i + m->shift])
            return 0;
    return 1;
}

static int is_parent(const maker *m, const fmc_band *band, const fmc_band *parent)
{
    const place b = place_of(band), p = place_of(parent);

    return b.w_high && p.w_high == b.w_high && p.w_level == b.w_level + 1 &&
           is_same_p(m, band, parent, FMC_MAX_RANK);
}

/* The next coarser band along one P axis in which `band` is high, and the same otherwise. */
static int is_time_parent(const maker *m, const fmc_band *band, const fmc_band *parent, uint32_t axis)
{
    const place b = place_of(band), p = place_of(parent);

    if (p.is_lowest || p.w_high != b.w_high || p.w_level != b.w_level || !is_same_p(m, band, parent, axis))
        return 0;
    return p.p_high >> axis & 1 ? p.depth[axis] == b.depth[axis] + 1 : p.depth[axis] == b.depth[axis];
}

static int is_sibling(const maker *m, const fmc_band *band, const fmc_band *sibling)
{
    const place b = place_of(band), s = place_of(sibling);

    if (!b.w_high || !s.w_high || s.w_level != b.w_level || !is_same_p(m, band, sibling, FMC_MAX_RANK))
        return 0;
    for (size_t a = 0; a < FMC_MAX_RANK; a++)
        if (sibling->dim[a] > band->dim[a] + 1 || band->dim[a] > sibling->dim[a] + 1)
            return 0;
    return 1;
}

/* W axes that are halved again below this level. */
static uint8_t halved_axes(const maker *m, uint8_t w_level)
{
    uint8_t mask = 0;

    for (uint32_t a = 0; a < m->plan->rank; a++)
        if (m->plan->kind[a] == FMC_TX_DYADIC && m->plan->levels[a] > w_level + 1)
            mask |= (uint8_t)(1u << (a + m->shift));
    return mask;
}

/* Fill in what band i has to do with earlier ones, whose places are still there; its own place goes. */
static void relate(const maker *m, size_t i)
{
    fmc_band *b = &m->out[i];
    const place at = place_of(b);
    fmc_band done = *b;
    uint32_t axis = 0;

    memset(done.sibling, 0, sizeof done.sibling);
    done.parent = done.time_parent = -1;
    while (at.p_high && !(at.p_high >> axis & 1))
        axis++;
    for (size_t j = 0; j < i; j++) {
        const fmc_band *p = &m->out[j];

        if (is_parent(m, b, p)) {
            done.parent = (int16_t)j;
            done.parent_half = halved_axes(m, at.w_level);
        }
        if (at.p_high && is_time_parent(m, b, p, axis)) {
            done.time_parent = (int16_t)j;
            done.time_half = (uint8_t)(p->high & 1u << axis);
        }
        if (done.n_siblings < FMC_MAX_SIBLINGS && is_sibling(m, b, p))
            done.sibling[done.n_siblings++] = (int16_t)j;
    }
    *b = done;
}

/* The scale that a band's statistics go with: of the W axes, or of the finest P axis where there are none. */
static uint8_t level_of(const maker *m, const place *p)
{
    uint8_t level = UINT8_MAX;

    if (m->has_w)
        return p->w_level;
    for (size_t a = 0; a < FMC_MAX_RANK; a++) {
        const uint8_t here = (uint8_t)(p->depth[a] - (p->p_high >> a & 1));

        if (p->depth[a] > 0 && here < level)
            level = here;
    }
    return level == UINT8_MAX ? 0 : level;
}

size_t fmc_tx_count_bands(const fmc_tx_plan *plan)
{
    maker m = { .plan = plan };

    make_places(&m);
    return m.n;
}

size_t fmc_tx_bands(const fmc_tx_plan *plan, fmc_band *band)
{
    maker m = { .plan = plan, .out = band };
    size_t start = 0;

    if (fmc_tx_count_bands(plan) > FMC_MAX_BANDS)
        return 0;
    make_places(&m);
    sort_bands(band, m.n);
    for (size_t i = m.n; i-- > 0;) {
        const place at = place_of(&band[i]);

        band[i].level = level_of(&m, &at);
        band[i].is_low = at.is_lowest && !m.has_other;
        relate(&m, i);
    }
    for (size_t i = 0; i < m.n; start += band[i++].count)
        band[i].start = start;
    return m.n;
}
