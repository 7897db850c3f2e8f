/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transform along which axis. A search that changes one axis at a time, judged on a sample that has the whole of
 * that axis and a crop of the others; then, depending on the effort, whole-array comparisons.
 */
#include "transform/select.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "ops/kernels.h"
#include "transform/klt.h"
#include "transform/size.h"

enum {
    N_KINDS = FMC_TX_KLT + 1,
    MIN_WAVELET = 8,       /* shortest axis of 9/7 halvings and of a DFT */
    N_PLACES = 16,         /* looked at for samples */
    MAX_MENU_TRIED = 40    /* 2 + 6 x 3, and 5 axes of 5 changes */
};

/* Odd, so that multiples modulo a power of 2 spread places along every axis in another order. */
static const size_t place_step[FMC_MAX_RANK] = { 1, 7, 11, 5, 13 };

/* What a squared error of one step^2 costs: the slope of a fine quantiser's rate, 6 / ln 2. */
static const double bits_per_error = 8.66;

/* What is being chosen: one kind per axis, and one more halving of P axes. */
typedef struct choice {
    uint8_t kind[FMC_MAX_RANK];
    uint8_t extra_level;
    double  bits;   /* what it is judged by */
    double  size;   /* as bits, without the cost of errors */
    double  step;   /* of the quantiser that it was judged with */
} choice;

typedef struct search {
    const fmc_exec *ex;
    uint32_t        rank;
    size_t          dim[FMC_MAX_RANK];
    size_t          count;
    uint32_t        effort;
    double          rmse;
    uint8_t         allowed[FMC_MAX_RANK][N_KINDS];
    fmc_tx_klt     *klt;                            /* [rank], from the whole array; n is 0: none yet */
    choice          best, second;
    choice          plain;                          /* the best with transforms along at most one axis */
    uint8_t         runner[FMC_MAX_RANK];           /* the second best kind of an axis */
    double          runner_bits[FMC_MAX_RANK];      /* how many more bits it takes, part of the whole */
} search;

/* Longest axis for which a K basis is made. */
static size_t klt_limit(uint32_t effort)
{
    return effort >= 5 ? 100 : 64;
}

static void find_allowed(search *s, uint32_t axis, uint32_t axis_kind, int is_periodic)
{
    const size_t n = s->dim[axis];
    uint8_t *allowed = s->allowed[axis];

    allowed[FMC_TX_NONE] = 1;
    if (axis_kind == FMC_AXIS_UNLIKE || n < 2)
        return;
    allowed[FMC_TX_DYADIC] = allowed[FMC_TX_PACKET] = n >= MIN_WAVELET;
    allowed[FMC_TX_DCT] = (uint8_t)fmc_tx_is_possible(FMC_TX_DCT, n);
    allowed[FMC_TX_DFT] = is_periodic && n >= MIN_WAVELET && fmc_tx_is_possible(FMC_TX_DFT, n);
    allowed[FMC_TX_KLT] = n <= klt_limit(s->effort) && s->count / n >= 4 * n &&
                          (s->effort >= 9 || s->count / n >= n * n / (s->effort >= 5 ? 4 : 1)); /* it costs n^3 */
}

/* The plan of a choice for a box; K and F axes that the box has only a part of get a DCT, which is the next best. */
static fmc_tx_plan plan_of(const search *s, const choice *c, const size_t *box, fmc_tx_klt *klt)
{
    fmc_tx_plan p = { .rank = s->rank };

    for (uint32_t a = 0; a < s->rank; a++) {
        const int is_whole = box[a] == s->dim[a];

        p.dim[a] = box[a];
        p.kind[a] = c->kind[a];
        if (p.kind[a] == FMC_TX_DFT && !is_whole)
            p.kind[a] = FMC_TX_DCT;
        if (p.kind[a] == FMC_TX_KLT && !(is_whole && klt && klt[a].n == box[a]))
            p.kind[a] = FMC_TX_DCT;
        if (p.kind[a] == FMC_TX_DCT && !fmc_tx_is_possible(FMC_TX_DCT, box[a]))
            p.kind[a] = FMC_TX_DYADIC;
        if (p.kind[a] == FMC_TX_KLT)
            p.klt[a] = &klt[a];
        if (p.kind[a] == FMC_TX_DYADIC || p.kind[a] == FMC_TX_PACKET)
            p.levels[a] = fmc_tx_default_levels(box[a]);
        if (p.kind[a] == FMC_TX_PACKET)
            p.levels[a] = (uint8_t)(p.levels[a] + c->extra_level);
    }
    return p;
}

static int is_same(const search *s, const choice *a, const choice *b)
{
    return !memcmp(a->kind, b->kind, s->rank) && a->extra_level == b->extra_level;
}

static size_t count_kind(const search *s, const choice *c, uint8_t kind)
{
    size_t n = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        n += c->kind[a] == kind;
    return n;
}

/* One P and one K axis at most: more P axes make too many bands, more K axes have never paid. */
static int is_sensible(const search *s, const choice *c)
{
    for (uint32_t a = 0; a < s->rank; a++)
        if (!s->allowed[a][c->kind[a]])
            return 0;
    return count_kind(s, c, FMC_TX_PACKET) <= 1 && count_kind(s, c, FMC_TX_KLT) <= 1;
}

/* At low effort the second sweep asks only about nothing and the two best; P alone is the same as W alone. */
static int is_worth_trying(const search *s, const choice *c, uint32_t axis, int sweep)
{
    const uint8_t kind = c->kind[axis];

    if (!is_sensible(s, c) || (kind == FMC_TX_PACKET && count_kind(s, c, FMC_TX_DYADIC) == 0))
        return 0;
    return sweep == 0 || s->effort >= 5 || kind == FMC_TX_NONE || kind == s->best.kind[axis] || kind == s->runner[axis];
}

/*
 * A box with all of one axis (at most `budget` of it), of K and F axes too if they fit, and about budget samples: the
 * other extents are doubled, the least one first, as long as they fit.
 */
static void sample_box(const search *s, uint32_t axis, size_t budget, size_t *box)
{
    size_t count = s->dim[axis] < budget ? s->dim[axis] : budget;

    for (uint32_t a = 0; a < s->rank; a++)
        box[a] = a == axis ? count : 1;
    for (uint32_t a = 0; a < s->rank; a++) /* K and F mean nothing on a part of an axis */
        if (a != axis && s->best.kind[a] >= FMC_TX_DFT && count * s->dim[a] <= budget / 2) {
            box[a] = s->dim[a];
            count *= box[a];
        }
    for (;;) {
        uint32_t least = s->rank;

        for (uint32_t a = s->rank; a-- > 0;)
            if (a != axis && box[a] < s->dim[a] && (least == s->rank || box[a] < box[least]))
                least = a;
        if (least == s->rank || count / box[least] * (2 * box[least]) > budget)
            return;
        count /= box[least];
        box[least] = 2 * box[least] < s->dim[least] ? 2 * box[least] : s->dim[least];
        count *= box[least];
    }
}

/* Put a choice where it belongs among the n best. */
static size_t insert_choice(const search *s, choice *list, size_t n, size_t n_max, const choice *c)
{
    size_t at = n;

    for (size_t i = 0; i < n; i++)
        if (is_same(s, &list[i], c))
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

/* The long menu: the search's result, every kind of first axis with wavelets, DCT or DFT on the others. */
static size_t long_menu(const search *s, choice *list)
{
    static const uint8_t firsts[] = { FMC_TX_DYADIC, FMC_TX_PACKET, FMC_TX_NONE, FMC_TX_DCT, FMC_TX_KLT, FMC_TX_DFT };
    static const uint8_t others[] = { FMC_TX_DYADIC, FMC_TX_DCT, FMC_TX_DFT };
    size_t n = 0;

    list[n++] = s->best;
    list[n++] = s->second;
    for (size_t f = 0; f < sizeof firsts; f++)
        for (size_t o = 0; o < sizeof others; o++) {
            choice c = { .extra_level = 0 };
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

/* Take the best kind of an axis and remember the next. */
static void settle(search *s, uint32_t axis, const choice *tried)
{
    double second = INFINITY;
    uint8_t best = FMC_TX_NONE;

    for (uint8_t k = 1; k < N_KINDS; k++)
        if (tried[k].bits < tried[best].bits)
            best = k;
    for (uint8_t k = 0; k < N_KINDS; k++)
        if (k != best && tried[k].bits < second) {
            second = tried[k].bits;
            s->runner[axis] = k;
        }
    s->runner_bits[axis] = second / tried[best].bits - 1;
    s->best = tried[best];
}

/* The change of one axis that loses least. */
static void find_second(search *s)
{
    double least = INFINITY;

    s->second = s->best;
    for (uint32_t a = 0; a < s->rank; a++) {
        choice c = s->best;

        c.kind[a] = s->runner[a];
        if (s->runner_bits[a] > 0 && s->runner_bits[a] < least && is_sensible(s, &c)) {
            least = s->runner_bits[a];
            c.bits = s->best.bits * (1 + least);
            s->second = c;
        }
    }
}

/*
 * The best choices of the search that are worth comparing on the whole array, best first; n <= 3. Wavelets along all
 * axes, which are never far off, are among them in case the samples were not like the rest.
 */
static size_t close_choices(const search *s, choice *list)
{
    choice wavelets = { .bits = INFINITY };
    const choice *all[] = { &s->best, &s->second, &s->plain };
    const double limit = 1.12 * (s->plain.bits < s->best.bits ? s->plain.bits : s->best.bits);
    size_t n = 0;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->bits <= limit)
            n = insert_choice(s, list, n, 3, all[i]);
    if (n == 0) /* nothing could be judged */
        list[n++] = s->best;
    for (uint32_t a = 0; a < s->rank; a++)
        wavelets.kind[a] = s->allowed[a][FMC_TX_DYADIC] ? FMC_TX_DYADIC : FMC_TX_NONE;
    if (s->effort >= 5)
        n = insert_choice(s, list, n < 3 ? n : 2, 3, &wavelets);
    return n;
}

/* Every change of one axis. */
static size_t changes_of(const search *s, const choice *from, choice *list)
{
    size_t n = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        for (uint8_t kind = 0; kind < N_KINDS; kind++) {
            list[n] = *from;
            list[n].kind[a] = kind;
            n += is_sensible(s, &list[n]) && kind != from->kind[a];
        }
    return n;
}

static void fill_menu(search *s, const choice *top, size_t n_top, fmc_tx_menu *menu)
{
    const size_t most = s->effort >= 9 ? 3 : s->effort >= 5 ? 2 : 1;

    menu->klt = s->klt;
    s->klt = NULL;
    menu->n = n_top < most ? n_top : most;
    for (size_t i = 0; i < menu->n; i++) {
        menu->plan[i] = plan_of(s, &top[i], s->dim, menu->klt);
        menu->bits[i] = top[i].bits;
    }
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/select_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/select_real.h"
#undef REAL
#undef NAME
#undef KERNEL

void fmc_tx_menu_fini(const fmc_allocator *alloc, fmc_tx_menu *menu)
{
    fmc_dealloc(alloc, menu->klt);
    menu->klt = NULL;
}
