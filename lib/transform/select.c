/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transform along which axis. A sweep changes one axis at a time, judged on small boxes that have the whole of
 * that axis and a crop of the others. Transforms along different axes commute, wavelets of several axes apart: what the
 * other axes do is done once, then each kind for the axis in question. What is close then, is compared on a larger box,
 * and what still is, on one that is larger still. Axes along which a field is smooth at the scale of the error are seen
 * through means of neighbours. The highest effort compares whole arrays.
 */
#include "transform/select.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "ops/kernels.h"
#include "transform/cost.h"
#include "transform/klt.h"

enum {
    N_KINDS = FMC_TX_KLT + 1,
    MIN_WAVELET = 8,       /* shortest axis of 9/7 halvings and of a DFT */
    N_PLACES = 32,         /* looked at for samples */
    MOST_ROOM = 1 << 18,   /* samples of a sweep */
    MAX_LEFT = 3,          /* choices of the last comparison */
    MAX_SHIFT = 4,         /* long axes may be judged by means of 2^MAX_SHIFT neighbours */
    MIN_SEEN = 32,         /* if so many of them are left */
    N_DETAILS = 512,       /* pieces of lines that tell how smooth an axis is */
    N_BOXES = 3,           /* of a sample */
    LONGEST = 1024,        /* extent of a box, twice that if the axis may be periodic */
    MAX_MENU_TRIED = 40    /* 2 + 6 x 3, and 5 axes of 5 changes */
};

/* Odd, so that multiples modulo a power of 2 spread places along every axis in another order. */
static const size_t place_step[FMC_MAX_RANK] = { 1, 7, 11, 5, 13 };

/* Of the mean square error aimed at, what the means may lose along one axis and along all of them. */
static const double most_lost = 0.3, most_lost_all = 0.6;

/* What takes so many times the bits of the best is given up: after the sweep, and after the first comparison. */
#define FAR 1.12
#define STILL_CLOSE 1.04

/* What a squared error of one step^2 costs: the slope of a fine quantiser's rate, 6 / ln 2. */
static const double bits_per_error = 8.66;

/* What an effort may cost. */
typedef struct limits {
    size_t first;        /* samples judged for every kind of an axis, at least */
    double first_part;   /* and as part of the array */
    size_t last;         /* samples on which the best choices are compared */
    size_t last_parts;   /* before that, on one of so many parts of them */
    size_t n_close;      /* choices compared beside those that always are */
    double klt_size;     /* a K basis of n is made for arrays of so many times n^3 */
} limits;

static const limits quick = { 8192, 0.01, 65536, 4, 5, 6 };
static const limits usual = { 24576, 0.02, 163840, 2, 6, 2 };

/* What is being chosen: one kind per axis, and one more halving of P axes. */
typedef struct choice {
    uint8_t kind[FMC_MAX_RANK];
    uint8_t extra_level;
    double  bits;   /* what it is judged by: size and the cost of errors */
} choice;

typedef struct search {
    const fmc_exec *ex;
    uint32_t        rank;
    size_t          dim[FMC_MAX_RANK], count;       /* of the array */
    size_t          shift[FMC_MAX_RANK];            /* samples are judged as means of blocks of 2^shift along an axis */
    size_t          seen[FMC_MAX_RANK], n_seen;     /* of the array as it is judged */
    uint32_t        effort;
    const limits   *limits;
    double          rmse, rmse_seen;                /* aimed at; the same for the means, scaled like orthonormal ones */
    uint8_t         allowed[FMC_MAX_RANK][N_KINDS];
    fmc_tx_klt     *klt;                            /* [rank], from the whole array; n is 0: none yet */
    void           *rotation[FMC_MAX_RANK];         /* owned: their vectors before rounding, [n][n] of the real type */
    double          side_bits[FMC_MAX_RANK];        /* what they take in the stream */
    choice          best, second;
    choice          plain;                          /* the best with transforms along at most one axis */
    double          bits_of[FMC_MAX_RANK][N_KINDS]; /* of every kind of an axis relative to the best, 0: not judged */
    size_t          place[N_PLACES][FMC_MAX_RANK];  /* in the array, the ones where most happens first */
    double          step;                           /* for comparing whole arrays; 0: not yet found */
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
                          (s->effort >= 9 || (double)s->count >= s->limits->klt_size * (double)(n * n * n));
}

/* Halvings of a part of an axis: as many as the whole gets, if it is long enough for that. */
static uint8_t crop_levels(size_t n, size_t part)
{
    uint8_t levels = 0;

    for (; part > 1 && levels < fmc_tx_default_levels(n); part /= 2)
        levels++;
    return levels;
}

/* The plan of a choice for a box; K and F axes that the box has only a part of get a DCT, which is the next best. */
static fmc_tx_plan plan_of(const search *s, const choice *c, const size_t *box, const size_t *dim, fmc_tx_klt *klt)
{
    fmc_tx_plan p = { .rank = s->rank };

    for (uint32_t a = 0; a < s->rank; a++) {
        const int is_whole = box[a] == dim[a];

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
            p.levels[a] = is_whole ? fmc_tx_default_levels(box[a]) : crop_levels(dim[a], box[a]);
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

/* P alone is the same as W alone; along the last axis it has never paid. */
static int is_worth_trying(const search *s, const choice *c, uint32_t axis)
{
    const uint8_t kind = c->kind[axis];

    if (!is_sensible(s, c))
        return 0;
    if (kind == FMC_TX_PACKET && (axis + 1 == s->rank || count_kind(s, c, FMC_TX_DYADIC) == 0))
        return 0;
    return 1;
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

/* Double the extents of a box, the least one first, except along fixed axes, up to at most budget samples. */
static void grow_box(const search *s, uint32_t fixed, size_t budget, size_t *box)
{
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        count *= box[a];
    for (;;) {
        uint32_t least = s->rank;

        for (uint32_t a = s->rank; a-- > 0;)
            if (!(fixed >> a & 1) && box[a] < s->seen[a] && (least == s->rank || box[a] < box[least]))
                least = a;
        if (least == s->rank || count / box[least] * (2 * box[least]) > budget)
            return;
        count /= box[least];
        box[least] = 2 * box[least] < s->seen[least] ? 2 * box[least] : s->seen[least];
        count *= box[least];
    }
}

/*
 * A box with all of one axis (at most `most` of it), of K and F axes too if they fit, and about budget samples: the
 * other extents are doubled, the least one first, as long as they fit.
 */
static void sample_box(const search *s, uint32_t axis, size_t budget, size_t *box)
{
    const size_t most = s->allowed[axis][FMC_TX_DFT] && s->seen[axis] < 2 * LONGEST ? 2 * LONGEST : LONGEST;
    size_t count = s->seen[axis] < most ? s->seen[axis] : most;

    for (uint32_t a = 0; a < s->rank; a++)
        box[a] = a == axis ? count : 1;
    for (uint32_t a = 0; a < s->rank; a++) /* K and F mean nothing on a part of an axis */
        if (a != axis && s->best.kind[a] >= FMC_TX_DFT && count * s->seen[a] <= budget / 2) {
            box[a] = s->seen[a];
            count *= box[a];
        }
    grow_box(s, 1u << axis, budget, box);
}

/*
 * A box of about budget samples, with all of the axes that have another transform than W in one of the choices, K axes
 * first: without all of the axis there is no K at all.
 */
static void common_box(const search *s, const choice *list, size_t n, size_t budget, size_t *box)
{
    size_t count = 1;

    for (uint32_t a = 0; a < s->rank; a++)
        box[a] = 1;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t a = 0; a < s->rank; a++)
            for (size_t i = 0; i < n; i++) {
                const int is_wanted = list[i].kind[a] >= (pass ? FMC_TX_DCT : FMC_TX_KLT);

                if (is_wanted && box[a] == 1 && count * s->seen[a] <= budget) {
                    box[a] = s->seen[a];
                    count *= box[a];
                }
            }
    grow_box(s, 0, budget, box);
}

/* Add the best choice with other kinds instead of some; `n_list` grows if that is something new. */
static size_t add_variant(const search *s, choice *list, size_t n, uint32_t from_kinds, uint8_t to)
{
    choice c = s->best;

    c.bits = INFINITY;
    for (uint32_t a = 0; a < s->rank; a++)
        if (from_kinds >> c.kind[a] & 1)
            c.kind[a] = s->allowed[a][to] ? to : c.kind[a];
    return is_sensible(s, &c) ? insert_choice(s, list, n, n + 1, &c) : n;
}

/* The one axis of a kind that only one may have is the first that gained by it: let others have it instead. */
static size_t add_moved(const search *s, choice *list, size_t n, uint8_t kind)
{
    for (uint32_t pair = 0; pair < s->rank * s->rank; pair++) {
        const uint32_t from = pair / s->rank, to = pair % s->rank;
        choice c = s->best;

        if (to <= from || s->best.kind[from] != kind || !(s->runner_bits[from] > 0))
            continue;
        c.bits = INFINITY;
        c.kind[from] = s->runner[from];
        c.kind[to] = kind;
        if (is_worth_trying(s, &c, to))
            n = insert_choice(s, list, n, n + 1, &c);
    }
    return n;
}

/* W along all axes that may have it. */
static choice all_wavelets(const search *s)
{
    choice c = { .bits = INFINITY };

    for (uint32_t a = 0; a < s->rank; a++)
        c.kind[a] = s->allowed[a][FMC_TX_DYADIC] ? FMC_TX_DYADIC : FMC_TX_NONE;
    return c;
}

/* K among wavelets along the axes where it was not judged, because another had it. */
static size_t add_bases_among_wavelets(const search *s, choice *list, size_t n)
{
    for (uint32_t a = 0; a < s->rank; a++) {
        choice c = all_wavelets(s);

        if (!s->allowed[a][FMC_TX_KLT] || s->bits_of[a][FMC_TX_KLT] > 0)
            continue;
        c.kind[a] = FMC_TX_KLT;
        n = insert_choice(s, list, n, n + 1, &c);
    }
    return n;
}

/*
 * The best choice, the changes of one axis that may be as good, and what small boxes are unfair to: where they are long
 * and thin, P looks better than W; where they are a part of an axis, D looks better than W and F is not tried.
 */
static size_t close_choices(const search *s, choice *list)
{
    enum { D = 1u << FMC_TX_DCT, F = 1u << FMC_TX_DFT, P = 1u << FMC_TX_PACKET };
    choice c;
    size_t n = 0;

    list[n++] = s->best;
    for (uint32_t a = 0; a < s->rank; a++)
        for (uint8_t kind = 0; kind < N_KINDS; kind++) {
            c = s->best;
            c.kind[a] = kind;
            c.bits = s->best.bits * s->bits_of[a][kind];
            if (kind != s->best.kind[a] && s->bits_of[a][kind] > 0 && s->bits_of[a][kind] < FAR && is_sensible(s, &c))
                n = insert_choice(s, list, n, s->limits->n_close, &c);
        }
    n = add_variant(s, list, n, D, FMC_TX_DFT);
    n = add_variant(s, list, n, P, FMC_TX_DYADIC);
    n = add_variant(s, list, n, D | F, FMC_TX_DYADIC);
    if (s->effort >= 5) {
        n = add_moved(s, list, n, FMC_TX_KLT);
        n = add_moved(s, list, n, FMC_TX_PACKET);
        n = add_bases_among_wavelets(s, list, n);
    }
    if (s->plain.bits < INFINITY)
        n = insert_choice(s, list, n, n + 1, &s->plain);
    c = all_wavelets(s);
    return insert_choice(s, list, n, n + 1, &c);
}

/* What is left of the mean square error when some is lost by taking means: in units of the means times sqrt(block). */
static void set_seen(search *s, double lost)
{
    double block = 1;

    s->n_seen = 1;
    for (uint32_t a = 0; a < s->rank; a++) {
        s->n_seen *= s->seen[a] = s->dim[a] >> s->shift[a];
        block *= (double)((size_t)1 << s->shift[a]);
    }
    s->rmse_seen = s->rmse * sqrt(block * (1 - lost));
}

/* Samples of a sweep: more where each costs less, along two axes, and where boxes are thin. */
static size_t first_room(const search *s)
{
    const double part = s->limits->first_part * (double)s->n_seen * (s->rank < 3 ? 2 : 1);
    const size_t least = s->limits->first * (s->rank == 2 || s->rank > 3 ? 2 : 1);

    return part < (double)least ? least : part > (double)MOST_ROOM ? MOST_ROOM : (size_t)part;
}

/* Boxes of a plan's extents one after another: an axis more. */
static fmc_tx_plan stack_boxes(const fmc_tx_plan *p, size_t n_boxes)
{
    fmc_tx_plan all = { .rank = p->rank + 1, .dim = { n_boxes } };

    if (n_boxes == 1)
        return *p;
    for (uint32_t a = 0; a < p->rank; a++) {
        all.dim[a + 1] = p->dim[a];
        all.kind[a + 1] = p->kind[a];
        all.levels[a + 1] = p->levels[a];
        all.klt[a + 1] = p->klt[a];
    }
    return all;
}

/* The axes of a plan that have a W, and those that have another transform. */
static uint32_t axes_with(const fmc_tx_plan *p, int is_w)
{
    uint32_t mask = 0;

    for (uint32_t a = 0; a < p->rank; a++)
        if (p->kind[a] != FMC_TX_NONE && (p->kind[a] == FMC_TX_DYADIC) == is_w)
            mask |= 1u << a;
    return mask;
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
    double second = INFINITY, unit;
    uint8_t best = FMC_TX_NONE;

    for (uint8_t k = 1; k < N_KINDS; k++)
        if (tried[k].bits < tried[best].bits)
            best = k;
    unit = tried[best].bits > 1 ? tried[best].bits : 1;
    for (uint8_t k = 0; k < N_KINDS; k++) {
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
        menu->plan[i] = plan_of(s, &top[i], s->dim, s->dim, menu->klt);
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
