/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples that are better stored exactly; the rules aim at what pays.
 *
 * - Huge: among the binary exponents of all samples, the topmost group above a gap of GAP_OCTAVES is exact if it is
 *   rare or has few distinct values (1e20 beside 1.0). A steep spectrum of magnitudes has no gap and stays.
 * - Apart: the least or the largest value, if it is frequent and as far from all others as they are from each other
 *   (zeros around a picture, -9999 not declared as fill).
 */
#include <string.h>

#include "array/mask_rules.h"
#include "core/status.h"

enum { N_EXPONENTS = 2048, MAX_VALUES = 8 };
#define GAP_OCTAVES 24
#define RARE(n) ((n) / 4096 + 4)
#define FREQUENT(n) ((n) / 256 + 16)
/* Samples looked at to see whether the whole search is worth while. */
#define PROBES 4096

static unsigned exponent(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    return (unsigned)(u >> 52) & (N_EXPONENTS - 1);
}

/* A few samples say whether there is a gap between magnitudes: those of all samples are no wider. */
static int may_have_huge(const fmc_mask_rules *j, const fmc_span *valid)
{
    const double top = fabs(valid->max) > fabs(valid->min) ? fabs(valid->max) : fabs(valid->min);
    const size_t step = j->n / PROBES + 1;
    uint8_t has[N_EXPONENTS] = { 0 };
    unsigned last = exponent(top);

    for (size_t i = 0; i < j->n; i += step) {
        const double x = fmc_mask_sample(j, i);

        if (x != 0 && !fmc_mask_is_missing(j, x))
            has[exponent(x)] = 1;
    }
    for (unsigned e = last; e-- > 0;) {
        if (has[e] && last - e >= GAP_OCTAVES)
            return 1;
        last = has[e] ? e : last;
    }
    return 0;
}

/* Number of different magnitudes at or above `from`, up to MAX_VALUES + 1. */
static unsigned count_values(const fmc_mask_rules *j, double from)
{
    double seen[MAX_VALUES];
    unsigned n_seen = 0;

    for (size_t i = 0; i < j->n; i++) {
        const double x = fabs(fmc_mask_sample(j, i));
        unsigned k = 0;

        if (x < from || !fmc_mask_is_left(j, fmc_mask_sample(j, i)))
            continue;
        while (k < n_seen && seen[k] != x)
            k++;
        if (k < n_seen)
            continue;
        if (n_seen == MAX_VALUES)
            return MAX_VALUES + 1;
        seen[n_seen++] = x;
    }
    return n_seen;
}

/* Lower j->limit below groups of huge samples. hist[e]: samples with binary exponent e. */
static void cut_huge(fmc_mask_rules *j, const size_t *hist, size_t n_left)
{
    unsigned top = N_EXPONENTS - 1;

    for (;;) {
        size_t group = 0;
        unsigned e, next;

        while (top > 1 && hist[top] == 0)
            top--;
        /* The group: from `top` down to the first gap. */
        for (e = top, next = top; e > 0 && next - e < GAP_OCTAVES; e--) {
            if (hist[e]) {
                group += hist[e];
                next = e;
            }
        }
        if (e == 0 || group == n_left)
            return;
        if (group > RARE(n_left) && count_values(j, ldexp(1.0, (int)next - 1023)) > MAX_VALUES)
            return;
        j->limit = ldexp(1.0, (int)next - 1023) * (1 - (j->dtype == FMC_F32 ? FLT_EPSILON : DBL_EPSILON) / 2);
        n_left -= group;
        top = e;
    }
}

static fmc_status find_huge(const fmc_exec *ex, fmc_mask_rules *j)
{
    fmc_status st = FMC_OK;
    size_t *hist = NULL, n_left = 0;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, N_EXPONENTS, &hist));
    for (size_t i = 0; i < j->n; i++) {
        const double x = fmc_mask_sample(j, i);

        if (x != 0 && fmc_mask_is_left(j, x)) {
            hist[exponent(x)]++;
            n_left++;
        }
    }
    if (n_left > 0)
        cut_huge(j, hist, n_left);
done:
    fmc_dealloc(ex->alloc, hist);
    return st;
}

/* The values next to the extremes. */
typedef struct edges {
    double min, min2, max, max2;
} edges;

/* What is found in a piece of the samples. */
typedef struct part {
    edges  e;
    size_t n_equal;
} part;

/* A look at all samples, piece by piece on several threads. */
typedef struct scan {
    const fmc_mask_rules *j;
    edges                 e;     /* extremes, to look for what is next to them */
    double                value; /* to be counted */
    part                 *part;  /* one a piece */
} scan;

/* Eight running values side by side, for vector units; the last eight of a piece may be seen twice. */
#define DEFINE_EDGES(T, ABS, SUFFIX)                                                                                   \
    static inline void eight_##SUFFIX(const T *p, T fill, T limit, T min, T max, T *min2, T *max2)                     \
    {                                                                                                                  \
        for (int k = 0; k < 8; k++) {                                                                                  \
            const T x = p[k];                                                                                          \
            const T up = ABS(x) <= limit && x != fill && x > min ? x : max;                                            \
            const T down = ABS(x) <= limit && x != fill && x < max ? x : min;                                          \
                                                                                                                       \
            min2[k] = up < min2[k] ? up : min2[k];                                                                     \
            max2[k] = down > max2[k] ? down : max2[k];                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void edges_##SUFFIX(const T *v, size_t n, const fmc_mask_rules *j, edges *e)                                \
    {                                                                                                                  \
        const T fill = (T)j->fill, limit = (T)j->limit, min = (T)e->min, max = (T)e->max;                              \
        T min2[8], max2[8], few[8];                                                                                    \
                                                                                                                       \
        for (int k = 0; k < 8; k++) {                                                                                  \
            min2[k] = max;                                                                                             \
            max2[k] = min;                                                                                             \
            few[k] = v[(size_t)k < n ? (size_t)k : 0];                                                                 \
        }                                                                                                              \
        for (size_t i = 0; i + 8 <= n; i += 8)                                                                         \
            eight_##SUFFIX(v + i, fill, limit, min, max, min2, max2);                                                  \
        eight_##SUFFIX(n < 8 ? few : v + n - 8, fill, limit, min, max, min2, max2);                                    \
        for (int k = 1; k < 8; k++) {                                                                                  \
            min2[0] = min2[k] < min2[0] ? min2[k] : min2[0];                                                           \
            max2[0] = max2[k] > max2[0] ? max2[k] : max2[0];                                                           \
        }                                                                                                              \
        e->min2 = (double)min2[0];                                                                                     \
        e->max2 = (double)max2[0];                                                                                     \
    }                                                                                                                  \
                                                                                                                       \
    static size_t count_equal_##SUFFIX(const T *v, size_t n, T value)                                                  \
    {                                                                                                                  \
        size_t count = 0;                                                                                              \
                                                                                                                       \
        for (size_t i = 0; i < n; i++)                                                                                 \
            count += v[i] == value;                                                                                    \
        return count;                                                                                                  \
    }

DEFINE_EDGES(float, fabsf, f32)
DEFINE_EDGES(double, fabs, f64)

static fmc_status scan_pieces(const fmc_exec *ex, scan *s, fmc_task_fn task)
{
    const size_t n = fmc_mask_piece_count(s->j);

    return n > UINT32_MAX ? FMC_ERR_LIMIT : fmc_parallel_for(ex, (uint32_t)n, task, s);
}

static fmc_status edges_task(void *user, uint32_t i)
{
    const scan *s = user;
    const size_t first = i * FMC_MASK_PIECE, n = fmc_mask_piece_size(s->j, first);
    edges *e = &s->part[i].e;

    *e = s->e;
    if (s->j->dtype == FMC_F32)
        edges_f32((const float *)s->j->data + first, n, s->j, e);
    else
        edges_f64((const double *)s->j->data + first, n, s->j, e);
    return FMC_OK;
}

static fmc_status count_task(void *user, uint32_t i)
{
    const scan *s = user;
    const size_t first = i * FMC_MASK_PIECE, n = fmc_mask_piece_size(s->j, first);

    s->part[i].n_equal = s->j->dtype == FMC_F32
                             ? count_equal_f32((const float *)s->j->data + first, n, (float)s->value)
                             : count_equal_f64((const double *)s->j->data + first, n, s->value);
    return FMC_OK;
}

static fmc_status find_edges(const fmc_exec *ex, scan *s)
{
    fmc_status st;

    FMC_TRY(scan_pieces(ex, s, edges_task));
    s->e.min2 = s->e.max;
    s->e.max2 = s->e.min;
    for (size_t i = 0; i < fmc_mask_piece_count(s->j); i++) {
        s->e.min2 = fmin(s->e.min2, s->part[i].e.min2);
        s->e.max2 = fmax(s->e.max2, s->part[i].e.max2);
    }
done:
    return st;
}

/* Take `value` out if it is frequent. */
static fmc_status take_frequent(const fmc_exec *ex, scan *s, fmc_mask_rules *j, double value, size_t n_left)
{
    size_t count = 0;
    fmc_status st;

    s->value = value;
    FMC_TRY(scan_pieces(ex, s, count_task));
    for (size_t i = 0; i < fmc_mask_piece_count(j); i++)
        count += s->part[i].n_equal;
    if (count >= FREQUENT(n_left))
        j->apart = value;
done:
    return st;
}

static fmc_span left_span(const fmc_mask_rules *j)
{
    fmc_span r = { 0 };

    for (size_t i = 0; i < j->n; i++) {
        const double x = fmc_mask_sample(j, i);

        if (!fmc_mask_is_left(j, x))
            continue;
        r.min = r.n_valid && r.min <= x ? r.min : x;
        r.max = r.n_valid && r.max >= x ? r.max : x;
        r.n_valid++;
    }
    return r;
}

/*
 * A few samples show that neither extreme can be taken out: it lies no further from all others than those spread, or
 * none of the few is it. The usual case.
 */
static int may_be_apart(const fmc_mask_rules *j, const fmc_span *left)
{
    const size_t step = j->n / PROBES + 1;
    int near_max = 0, near_min = 0, has_max = 0, has_min = 0;

    for (size_t i = 0; i < j->n && !(near_max && near_min); i += step) {
        const double x = fmc_mask_sample(j, i);

        has_max |= x == left->max;
        has_min |= x == left->min;
        if (x > left->min && x < left->max && fmc_mask_is_left(j, x)) {
            near_max |= !(left->max - x > x - left->min);
            near_min |= !(x - left->min > left->max - x);
        }
    }
    return (has_max && !near_max) || (has_min && !near_min);
}

static fmc_status find_apart(const fmc_exec *ex, fmc_mask_rules *j, const fmc_span *left)
{
    scan s = { .j = j, .e = { .min = left->min, .max = left->max } };
    const edges *e = &s.e;
    fmc_status st = FMC_OK;

    if (left->n_valid == 0 || !(left->max > left->min) || !may_be_apart(j, left))
        return FMC_OK;
    FMC_TRY(FMC_ALLOC(ex->alloc, fmc_mask_piece_count(j), &s.part));
    FMC_TRY(find_edges(ex, &s));
    /* One side only: what is left after both might be nothing. */
    if (e->max - e->max2 > e->max2 - e->min)
        FMC_TRY(take_frequent(ex, &s, j, e->max, left->n_valid));
    if (j->apart != j->apart && e->min2 - e->min > e->max - e->min2)
        FMC_TRY(take_frequent(ex, &s, j, e->min, left->n_valid));
done:
    fmc_dealloc(ex->alloc, s.part);
    return st;
}

fmc_status fmc_mask_find_outliers(const fmc_exec *ex, fmc_mask_rules *j, const fmc_span *valid)
{
    fmc_span left = *valid;
    fmc_status st = FMC_OK;

    if (may_have_huge(j, valid))
        FMC_TRY(find_huge(ex, j));
    if (j->limit < left.max || -j->limit > left.min)
        left = left_span(j);
    FMC_TRY(find_apart(ex, j, &left));
done:
    return st;
}
