/* SPDX-License-Identifier: Apache-2.0 */
#include "array/mask.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "array/view.h"
#include "core/status.h"

/*
 * Which samples a coder does not see. Encoder only: any choice gives a sound stream, so the rules aim at what pays.
 *
 * - Huge: among the binary exponents of all samples, the topmost group above a gap of GAP_OCTAVES is exact if it is
 *   rare or has few distinct values (1e20 beside 1.0). A steep spectrum of magnitudes has no gap and stays.
 * - Apart: the least or the largest value, if it is frequent and as far from all others as they are from each other
 *   (zeros around a picture, -9999 not declared as fill).
 */
enum { N_EXPONENTS = 2048, MAX_VALUES = 8 };
#define GAP_OCTAVES 24
#define RARE(n) ((n) / 4096 + 4)
#define FREQUENT(n) ((n) / 256 + 16)
#define ALWAYS_EXACT 0x1p+1000
/* Samples looked at to see whether the whole search is worth while. */
#define PROBES 4096
/* Samples of a piece of parallel work. */
#define PIECE ((size_t)1 << 16)

typedef struct find_job {
    uint32_t    dtype;
    size_t      n;
    const void *data;
    double      fill;     /* NaN: none */
    double      limit;    /* |x| above this is exact */
    double      apart;    /* a value that is exact; NaN: none */
    unsigned    zeros;    /* 1: zeros are exact */
} find_job;

static double sample(const find_job *j, size_t i)
{
    return j->dtype == FMC_F32 ? (double)((const float *)j->data)[i] : ((const double *)j->data)[i];
}

static int is_missing(const find_job *j, double x)
{
    return !(fabs(x) <= DBL_MAX) || x == j->fill;
}

static int is_left(const find_job *j, double x)
{
    return !is_missing(j, x) && fabs(x) <= j->limit;
}

static unsigned exponent(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    return (unsigned)(u >> 52) & (N_EXPONENTS - 1);
}

/* A few samples say whether there is a gap between magnitudes: those of all samples are no wider. */
static int may_have_huge(const find_job *j, const fmc_span *valid)
{
    const double top = fabs(valid->max) > fabs(valid->min) ? fabs(valid->max) : fabs(valid->min);
    const size_t step = j->n / PROBES + 1;
    uint8_t has[N_EXPONENTS] = { 0 };
    unsigned last = exponent(top);

    for (size_t i = 0; i < j->n; i += step) {
        const double x = sample(j, i);

        if (x != 0 && !is_missing(j, x))
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
static unsigned count_values(const find_job *j, double from)
{
    double seen[MAX_VALUES];
    unsigned n_seen = 0;

    for (size_t i = 0; i < j->n; i++) {
        const double x = fabs(sample(j, i));
        unsigned k = 0;

        if (x < from || !is_left(j, sample(j, i)))
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
static void cut_huge(find_job *j, const size_t *hist, size_t n_left)
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

static fmc_status find_huge(const fmc_exec *ex, find_job *j)
{
    fmc_status st = FMC_OK;
    size_t *hist = NULL, n_left = 0;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, N_EXPONENTS, &hist));
    for (size_t i = 0; i < j->n; i++) {
        const double x = sample(j, i);

        if (x != 0 && is_left(j, x)) {
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
    edges    e;
    size_t   n_equal, n_missing, n_exact;
    fmc_span coded;
} part;

/* A look at all samples, piece by piece on several threads. */
typedef struct scan {
    const find_job *j;
    edges           e;     /* extremes, to look for what is next to them */
    double          value; /* to be counted */
    uint8_t        *state; /* to be filled */
    part           *part;  /* one a piece */
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
    static void edges_##SUFFIX(const T *v, size_t n, const find_job *j, edges *e)                                      \
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

static size_t piece_count(const find_job *j)
{
    return j->n / PIECE + (j->n % PIECE != 0);
}

static size_t piece_size(const find_job *j, size_t first)
{
    return j->n - first < PIECE ? j->n - first : PIECE;
}

static fmc_status scan_pieces(const fmc_exec *ex, scan *s, fmc_task_fn task)
{
    const size_t n = piece_count(s->j);

    return n > UINT32_MAX ? FMC_ERR_LIMIT : fmc_parallel_for(ex, (uint32_t)n, task, s);
}

static fmc_status edges_task(void *user, uint32_t i)
{
    const scan *s = user;
    const size_t first = i * PIECE, n = piece_size(s->j, first);
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
    const size_t first = i * PIECE, n = piece_size(s->j, first);

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
    for (size_t i = 0; i < piece_count(s->j); i++) {
        s->e.min2 = fmin(s->e.min2, s->part[i].e.min2);
        s->e.max2 = fmax(s->e.max2, s->part[i].e.max2);
    }
done:
    return st;
}

/* Take `value` out if it is frequent. */
static fmc_status take_frequent(const fmc_exec *ex, scan *s, find_job *j, double value, size_t n_left)
{
    size_t count = 0;
    fmc_status st;

    s->value = value;
    FMC_TRY(scan_pieces(ex, s, count_task));
    for (size_t i = 0; i < piece_count(j); i++)
        count += s->part[i].n_equal;
    if (count >= FREQUENT(n_left))
        j->apart = value;
done:
    return st;
}

static fmc_span left_span(const find_job *j)
{
    fmc_span r = { 0 };

    for (size_t i = 0; i < j->n; i++) {
        const double x = sample(j, i);

        if (!is_left(j, x))
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
static int may_be_apart(const find_job *j, const fmc_span *left)
{
    const size_t step = j->n / PROBES + 1;
    int near_max = 0, near_min = 0, has_max = 0, has_min = 0;

    for (size_t i = 0; i < j->n && !(near_max && near_min); i += step) {
        const double x = sample(j, i);

        has_max |= x == left->max;
        has_min |= x == left->min;
        if (x > left->min && x < left->max && is_left(j, x)) {
            near_max |= !(left->max - x > x - left->min);
            near_min |= !(x - left->min > left->max - x);
        }
    }
    return (has_max && !near_max) || (has_min && !near_min);
}

static fmc_status find_apart(const fmc_exec *ex, find_job *j, const fmc_span *left)
{
    scan s = { .j = j, .e = { .min = left->min, .max = left->max } };
    const edges *e = &s.e;
    fmc_status st = FMC_OK;

    if (left->n_valid == 0 || !(left->max > left->min) || !may_be_apart(j, left))
        return FMC_OK;
    FMC_TRY(FMC_ALLOC(ex->alloc, piece_count(j), &s.part));
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

/* Samples of a run whose states are found together. */
enum { RUN = 64 };

/* The states of a run, whose samples and states are as wide as each other, for vector units, and the range left. */
#define DEFINE_STATES(T, INT, BIGGEST, ABS, SUFFIX)                                                                    \
    static void run_##SUFFIX(const T *restrict v, const find_job *j, INT *restrict state, T *low, T *high)             \
    {                                                                                                                  \
        const T fill = (T)j->fill, limit = (T)j->limit, apart = (T)j->apart, zero = j->zeros ? 0 : (T)NAN;             \
                                                                                                                       \
        for (int k = 0; k < RUN; k++) {                                                                                \
            const T x = v[k];                                                                                          \
            const INT exact = ABS(x) > limit || x == apart || x == zero ? FMC_SAMPLE_EXACT : FMC_SAMPLE_CODED;         \
                                                                                                                       \
            state[k] = !(ABS(x) <= BIGGEST) || x == fill ? FMC_SAMPLE_MISSING : exact;                                 \
        }                                                                                                              \
        for (int i = 0; i < RUN; i += 8)                                                                               \
            for (int k = 0; k < 8; k++) {                                                                              \
                const T lo = state[i + k] ? BIGGEST : v[i + k], hi = state[i + k] ? -BIGGEST : v[i + k];               \
                                                                                                                       \
                low[k] = lo < low[k] ? lo : low[k];                                                                    \
                high[k] = hi > high[k] ? hi : high[k];                                                                 \
            }                                                                                                          \
    }                                                                                                                  \
                                                                                                                       \
    static void states_##SUFFIX(const T *v, size_t n, const find_job *j, uint8_t *state, part *out)                    \
    {                                                                                                                  \
        T low[8], high[8], last[RUN];                                                                                  \
        INT s[RUN];                                                                                                    \
        size_t coded = 0;                                                                                              \
                                                                                                                       \
        for (int k = 0; k < 8; k++) {                                                                                  \
            low[k] = BIGGEST;                                                                                          \
            high[k] = -BIGGEST;                                                                                        \
        }                                                                                                              \
        for (size_t i = 0; i < n; i += RUN) {                                                                          \
            const size_t m = n - i < RUN ? n - i : RUN;                                                                \
            uint32_t missing = 0, exact = 0;                                                                           \
                                                                                                                       \
            for (size_t k = 0; m < RUN && k < RUN; k++) /* the rest repeats the last one, which changes no range */    \
                last[k] = v[i + (k < m ? k : m - 1)];                                                                  \
            run_##SUFFIX(m < RUN ? last : v + i, j, s, low, high);                                                     \
            for (size_t k = 0; k < m; k++) {                                                                           \
                state[i + k] = (uint8_t)s[k];                                                                          \
                missing += s[k] == FMC_SAMPLE_MISSING;                                                                 \
                exact += s[k] == FMC_SAMPLE_EXACT;                                                                     \
            }                                                                                                          \
            out->n_missing += missing;                                                                                 \
            out->n_exact += exact;                                                                                     \
            coded += m - missing - exact;                                                                              \
        }                                                                                                              \
        for (int k = 1; k < 8; k++) {                                                                                  \
            low[0] = low[k] < low[0] ? low[k] : low[0];                                                                \
            high[0] = high[k] > high[0] ? high[k] : high[0];                                                           \
        }                                                                                                              \
        out->coded = coded ? (fmc_span){ coded, (double)low[0], (double)high[0] } : fmc_span_none();                   \
    }

DEFINE_STATES(float, int32_t, FLT_MAX, fabsf, f32)
DEFINE_STATES(double, int64_t, DBL_MAX, fabs, f64)

static fmc_status states_task(void *user, uint32_t i)
{
    const scan *s = user;
    const size_t first = i * PIECE, n = piece_size(s->j, first);

    if (s->j->dtype == FMC_F32)
        states_f32((const float *)s->j->data + first, n, s->j, s->state + first, &s->part[i]);
    else
        states_f64((const double *)s->j->data + first, n, s->j, s->state + first, &s->part[i]);
    return FMC_OK;
}

static fmc_status find_states(const fmc_exec *ex, const find_job *j, fmc_mask *out)
{
    scan s = { .j = j, .state = out->state };
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, piece_count(j), &s.part));
    FMC_TRY(scan_pieces(ex, &s, states_task));
    out->coded = fmc_span_none();
    for (size_t i = 0; i < piece_count(j); i++) {
        out->n_missing += s.part[i].n_missing;
        out->n_exact += s.part[i].n_exact;
        out->coded = fmc_span_join(out->coded, s.part[i].coded);
    }
done:
    fmc_dealloc(ex->alloc, s.part);
    return st;
}

/* Is there anything to mask beyond missing samples? */
static int has_exact(const find_job *j, const fmc_span *valid)
{
    return j->limit < valid->max || -j->limit > valid->min || j->apart == j->apart ||
           (j->zeros && valid->min <= 0 && valid->max >= 0);
}

fmc_status fmc_mask_find(const fmc_exec *ex, uint32_t dtype, size_t n, const void *data, uint32_t has_fill,
                         double fill_value, unsigned also, fmc_mask *out)
{
    find_job j = { .dtype = dtype, .n = n, .data = data, .fill = has_fill ? fill_value : (double)NAN,
                   .limit = dtype == FMC_F32 ? (double)FLT_MAX : ALWAYS_EXACT, .apart = (double)NAN,
                   .zeros = (also & FMC_MASK_ZEROS) != 0 };
    fmc_status st = FMC_OK;

    *out = (fmc_mask){ 0 };
    FMC_TRY(fmc_span_measure(ex, dtype, n, data, has_fill, fill_value, &out->valid));
    if ((also & FMC_MASK_OUTLIERS) && out->valid.n_valid > 0) {
        fmc_span left = out->valid;

        if (may_have_huge(&j, &out->valid))
            FMC_TRY(find_huge(ex, &j));
        if (j.limit < left.max || -j.limit > left.min)
            left = left_span(&j);
        FMC_TRY(find_apart(ex, &j, &left));
    }
    out->coded = out->valid;
    if (out->valid.n_valid == n && !has_exact(&j, &out->valid))
        goto done;
    if (fmc_is_cancelled(ex)) {
        st = FMC_ERR_CANCELLED;
        goto done;
    }
    FMC_TRY(FMC_ALLOC(ex->alloc, n, &out->state));
    FMC_TRY(find_states(ex, &j, out));
    if (out->n_missing + out->n_exact == 0) {
        fmc_dealloc(ex->alloc, out->state);
        out->state = NULL;
    }
done:
    return st;
}

void fmc_mask_fini(const fmc_exec *ex, fmc_mask *mask)
{
    fmc_dealloc(ex->alloc, mask->state);
    *mask = (fmc_mask){ 0 };
}
