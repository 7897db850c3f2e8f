/* SPDX-License-Identifier: Apache-2.0 */
/* Which choices of transforms are tried: what is sensible, what is close to the best, the long menu. */
#include <math.h>
#include <string.h>

#include "transform/select_search.h"

enum {
    MIN_WAVELET = 8,   /* shortest axis of 9/7 halvings and of a DFT */
    LONGEST_KLT = 100, /* axis for which a K basis is made, */
    KLT_SIZE = 2,      /* for arrays of so many times its cube */
    N_CLOSE = 6,       /* choices compared beside those that always are */
    ALL_AXES = (1 << FMC_MAX_RANK) - 1
};

/* What takes so many times the bits of the best is given up after the sweep. */
#define FAR 1.12

void fmc_tx_find_allowed(fmc_tx_search *s, uint32_t axis, uint32_t axis_kind, int is_periodic)
{
    const size_t n = s->dim[axis];
    uint8_t *allowed = s->allowed[axis];

    allowed[FMC_TX_NONE] = 1;
    if (axis_kind == FMC_AXIS_UNLIKE || n < 2)
        return;
    allowed[FMC_TX_DYADIC] = allowed[FMC_TX_PACKET] = n >= MIN_WAVELET;
    allowed[FMC_TX_DCT] = (uint8_t)fmc_tx_is_possible(FMC_TX_DCT, n);
    allowed[FMC_TX_DFT] = is_periodic && n >= MIN_WAVELET && fmc_tx_is_possible(FMC_TX_DFT, n);
    allowed[FMC_TX_KLT] = n <= LONGEST_KLT && s->count / n >= 4 * n &&
                          (s->effort >= 9 || (double)s->count >= KLT_SIZE * (double)(n * n * n));
}

static size_t count_wavelets(const fmc_tx_search *s, const fmc_tx_choice *c)
{
    return fmc_tx_count_kind(s, c, FMC_TX_DYADIC) + fmc_tx_count_kind(s, c, FMC_TX_PACKET);
}

static uint8_t wavelet_mask(const fmc_tx_search *s, const fmc_tx_choice *c)
{
    uint8_t mask = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        if (c->kind[a] == FMC_TX_DYADIC || c->kind[a] == FMC_TX_PACKET)
            mask |= (uint8_t)(1u << a);
    return mask;
}

int fmc_tx_is_same(const fmc_tx_search *s, const fmc_tx_choice *a, const fmc_tx_choice *b)
{
    return !memcmp(a->kind, b->kind, s->rank) && a->extra_level == b->extra_level &&
           !((a->long_axes ^ b->long_axes) & wavelet_mask(s, a));
}

size_t fmc_tx_count_kind(const fmc_tx_search *s, const fmc_tx_choice *c, uint8_t kind)
{
    size_t n = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        n += c->kind[a] == kind;
    return n;
}

/* One P and one K axis at most: more P axes make too many bands, more K axes have never paid. */
static int is_sensible(const fmc_tx_search *s, const fmc_tx_choice *c)
{
    for (uint32_t a = 0; a < s->rank; a++)
        if (!s->allowed[a][c->kind[a]])
            return 0;
    return fmc_tx_count_kind(s, c, FMC_TX_PACKET) <= 1 && fmc_tx_count_kind(s, c, FMC_TX_KLT) <= 1;
}

/* P alone is the same as W alone; along the last axis it has never paid. */
int fmc_tx_is_worth_trying(const fmc_tx_search *s, const fmc_tx_choice *c, uint32_t axis)
{
    const uint8_t kind = c->kind[axis];

    if (!is_sensible(s, c))
        return 0;
    if (kind == FMC_TX_PACKET && (axis + 1 == s->rank || fmc_tx_count_kind(s, c, FMC_TX_DYADIC) == 0))
        return 0;
    return 1;
}

/* Put a choice where it belongs among the n best. */
size_t fmc_tx_insert_choice(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, size_t n_max, const fmc_tx_choice *c)
{
    size_t at = n;

    for (size_t i = 0; i < n; i++)
        if (fmc_tx_is_same(s, &list[i], c))
            return n;
    while (at > 0 && list[at - 1].bits > c->bits)
        at--;
    if (at == n_max)
        return n;
    n = n < n_max ? n + 1 : n;
    memmove(&list[at + 1], &list[at], (n - 1 - at) * sizeof *list);
    list[at] = *c;
    return n;
}

/* Add the best choice with other kinds instead of some; `n_list` grows if that is something new. */
static size_t add_variant(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, uint32_t from_kinds, uint8_t to,
                          int is_long)
{
    fmc_tx_choice c = s->best;

    c.bits = INFINITY;
    c.long_axes = is_long ? ALL_AXES : 0;
    for (uint32_t a = 0; a < s->rank; a++)
        if (from_kinds >> c.kind[a] & 1)
            c.kind[a] = s->allowed[a][to] ? to : c.kind[a];
    return is_sensible(s, &c) ? fmc_tx_insert_choice(s, list, n, n + 1, &c) : n;
}

/* The one axis of a kind that only one may have is the first that gained by it: let others have it instead. */
static size_t add_moved(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, uint8_t kind)
{
    for (uint32_t pair = 0; pair < s->rank * s->rank; pair++) {
        const uint32_t from = pair / s->rank, to = pair % s->rank;
        fmc_tx_choice c = s->best;

        if (to <= from || s->best.kind[from] != kind || !(s->runner_bits[from] > 0))
            continue;
        c.bits = INFINITY;
        c.kind[from] = s->runner[from];
        c.kind[to] = kind;
        if (fmc_tx_is_worth_trying(s, &c, to))
            n = fmc_tx_insert_choice(s, list, n, n + 1, &c);
    }
    return n;
}

/* W along all axes that may have it. */
static fmc_tx_choice all_wavelets(const fmc_tx_search *s)
{
    fmc_tx_choice c = { .bits = INFINITY, .long_axes = s->best.long_axes };

    for (uint32_t a = 0; a < s->rank; a++)
        c.kind[a] = s->allowed[a][FMC_TX_DYADIC] ? FMC_TX_DYADIC : FMC_TX_NONE;
    return c;
}

/* A choice with the other filter along some axes. */
static size_t add_other_filter(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, const fmc_tx_choice *from, uint32_t axes)
{
    fmc_tx_choice c = *from;

    c.long_axes ^= (uint8_t)axes;
    c.bits = INFINITY;
    return wavelet_mask(s, &c) & axes ? fmc_tx_insert_choice(s, list, n, n + 1, &c) : n;
}

/* K among wavelets along the axes where it was not judged, because another had it. */
static size_t add_bases_among_wavelets(const fmc_tx_search *s, fmc_tx_choice *list, size_t n)
{
    for (uint32_t a = 0; a < s->rank; a++) {
        fmc_tx_choice c = all_wavelets(s);

        if (!s->allowed[a][FMC_TX_KLT] || s->bits_of[a][FMC_TX_KLT] > 0)
            continue;
        c.kind[a] = FMC_TX_KLT;
        n = fmc_tx_insert_choice(s, list, n, n + 1, &c);
    }
    return n;
}

/*
 * The best choice, the changes of one axis that may be as good, and what small boxes are unfair to: where they are long
 * and thin, P looks better than W; where they are a part of an axis, D looks better than W and F is not tried.
 */
size_t fmc_tx_close_choices(const fmc_tx_search *s, fmc_tx_choice *list)
{
    enum { D = 1u << FMC_TX_DCT, F = 1u << FMC_TX_DFT, P = 1u << FMC_TX_PACKET };
    fmc_tx_choice c;
    size_t n = 0;

    list[n++] = s->best;
    for (uint32_t a = 0; a < s->rank; a++)
        for (uint8_t kind = 0; kind < FMC_TX_KINDS; kind++) {
            c = s->best;
            c.kind[a] = kind;
            c.bits = s->best.bits * s->bits_of[a][kind];
            if (kind != s->best.kind[a] && s->bits_of[a][kind] > 0 && s->bits_of[a][kind] < FAR &&
                is_sensible(s, &c))
                n = fmc_tx_insert_choice(s, list, n, N_CLOSE, &c);
        }
    n = add_variant(s, list, n, D, FMC_TX_DFT, 0);
    n = add_variant(s, list, n, P, FMC_TX_DYADIC, 0);
    n = add_variant(s, list, n, D | F, FMC_TX_DYADIC, 0);
    n = add_moved(s, list, n, FMC_TX_KLT);
    n = add_moved(s, list, n, FMC_TX_PACKET);
    n = add_bases_among_wavelets(s, list, n);
    if (s->plain.bits < INFINITY)
        n = fmc_tx_insert_choice(s, list, n, n + 1, &s->plain);
    c = all_wavelets(s);
    n = fmc_tx_insert_choice(s, list, n, n + 1, &c);
    n = add_other_filter(s, list, n, &c, ALL_AXES);
    n = add_other_filter(s, list, n, &s->best, ALL_AXES);
    n = add_variant(s, list, n, P, FMC_TX_DYADIC, 1);
    return add_variant(s, list, n, D | F, FMC_TX_DYADIC, 1);
}

/* The long menu: the search's result, every kind of first axis with wavelets, DCT or DFT on the others. */
size_t fmc_tx_long_menu(const fmc_tx_search *s, fmc_tx_choice *list)
{
    static const uint8_t firsts[] = { FMC_TX_DYADIC, FMC_TX_PACKET, FMC_TX_NONE, FMC_TX_DCT, FMC_TX_KLT, FMC_TX_DFT };
    static const uint8_t others[] = { FMC_TX_DYADIC, FMC_TX_DCT, FMC_TX_DFT };
    size_t n = 0;

    list[n++] = s->best;
    list[n++] = s->second;
    for (size_t f = 0; f < sizeof firsts; f++)
        for (size_t o = 0; o < sizeof others; o++) {
            fmc_tx_choice c = { .long_axes = s->best.long_axes };
            int first = 1;

            for (uint32_t a = 0; a < s->rank; a++) {
                if (s->allowed[a][FMC_TX_DCT] || s->allowed[a][FMC_TX_DYADIC]) {
                    c.kind[a] = first ? firsts[f] : others[o];
                    first = 0;
                }
                if (!s->allowed[a][c.kind[a]] && c.kind[a] == FMC_TX_DFT)
                    c.kind[a] = FMC_TX_DCT;
                if (!s->allowed[a][c.kind[a]])
                    c.kind[a] = FMC_TX_NONE;
            }
            if (is_sensible(s, &c))
                list[n++] = c;
        }
    return n;
}

void fmc_tx_keep_wavelets(fmc_tx_search *s, const fmc_tx_choice *list, size_t n, double near)
{
    const size_t has = n ? count_wavelets(s, &list[0]) : 0;

    for (size_t i = 0; i < s->n_close; i++)
        if (count_wavelets(s, &s->close[i]) > has)
            return;
    for (size_t i = 1 + s->n_close; i < n && s->n_close > 0 && list[i].bits < near * list[0].bits; i++)
        if (count_wavelets(s, &list[i]) > has) {
            s->close[s->n_close - 1] = list[i];
            return;
        }
}

size_t fmc_tx_add_wavelets(const fmc_tx_search *s, fmc_tx_choice *left, size_t n_left, const fmc_tx_choice *list, size_t n,
                           double near)
{
    const fmc_tx_choice all = all_wavelets(s);
    const size_t most = count_wavelets(s, &all);

    for (size_t i = 0; i < n && (i < n_left || list[i].bits < near * list[0].bits); i++)
        if (count_wavelets(s, &list[i]) >= most) {
            if (i >= n_left)
                left[n_left++] = list[i];
            break;
        }
    return n_left;
}

size_t fmc_tx_add_filters(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, size_t n_twice)
{
    for (size_t i = 0; i < n_twice; i++)
        n = add_other_filter(s, list, n, &list[i], ALL_AXES);
    return n;
}

size_t fmc_tx_put_before(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, const fmc_tx_choice *head, size_t n_head)
{
    fmc_tx_choice rest[FMC_TX_TRIED];
    size_t n_all = n_head;
    double ratio = 1;

    for (size_t i = 0; i < n_head; i++)
        if (fmc_tx_is_same(s, &head[i], &list[0]) && list[0].bits > 0)
            ratio = head[i].bits / list[0].bits;
    memcpy(rest, list, n * sizeof *rest);
    memcpy(list, head, n_head * sizeof *list);
    for (size_t i = 0; i < n && n_all < FMC_TX_TRIED; i++) {
        size_t k = 0;

        while (k < n_head && !fmc_tx_is_same(s, &rest[i], &list[k]))
            k++;
        if (k < n_head)
            continue;
        rest[i].bits *= ratio;
        list[n_all++] = rest[i];
    }
    return n_all;
}

/* Take the best kind of an axis and remember the next. */
void fmc_tx_settle(fmc_tx_search *s, uint32_t axis, const fmc_tx_choice *tried)
{
    double second = INFINITY, unit;
    uint8_t best = FMC_TX_NONE;

    for (uint8_t k = 1; k < FMC_TX_KINDS; k++)
        if (tried[k].bits < tried[best].bits)
            best = k;
    unit = tried[best].bits > 1 ? tried[best].bits : 1;
    for (uint8_t k = 0; k < FMC_TX_KINDS; k++) {
        if (tried[k].bits < INFINITY)
            s->bits_of[axis][k] = tried[k].bits / unit;
        if (k != best && tried[k].bits < second) {
            second = tried[k].bits;
            s->runner[axis] = k;
        }
    }
    s->runner_bits[axis] = second / unit - 1;
    if (tried[best].bits < INFINITY)
        s->best = tried[best];
}

/* The change of one axis that loses least. */
void fmc_tx_find_second(fmc_tx_search *s)
{
    double least = INFINITY;

    s->second = s->best;
    for (uint32_t a = 0; a < s->rank; a++) {
        fmc_tx_choice c = s->best;

        c.kind[a] = s->runner[a];
        if (s->runner_bits[a] > 0 && s->runner_bits[a] < least && is_sensible(s, &c)) {
            least = s->runner_bits[a];
            c.bits = s->best.bits * (1 + least);
            s->second = c;
        }
    }
}

/* Every change of one axis, and the other filter along one or all. */
size_t fmc_tx_changes_of(const fmc_tx_search *s, const fmc_tx_choice *from, fmc_tx_choice *list)
{
    size_t n = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        for (uint8_t kind = 0; kind < FMC_TX_KINDS; kind++) {
            list[n] = *from;
            list[n].kind[a] = kind;
            n += is_sensible(s, &list[n]) && kind != from->kind[a];
        }
    for (uint32_t a = 0; a < s->rank; a++)
        n = add_other_filter(s, list, n, from, 1u << a);
    return add_other_filter(s, list, n, from, ALL_AXES);
}

void fmc_tx_fill_menu(fmc_tx_search *s, const fmc_tx_choice *top, size_t n_top, fmc_tx_menu *menu)
{
    menu->klt = s->klt;
    s->klt = NULL;
    menu->n = n_top;
    for (size_t i = 0; i < menu->n; i++) {
        menu->plan[i] = fmc_tx_plan_of(s, &top[i], s->dim, s->dim, menu->klt);
        menu->bits[i] = top[i].bits;
    }
}
