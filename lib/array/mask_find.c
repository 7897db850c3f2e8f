/* SPDX-License-Identifier: Apache-2.0 */
/* Which samples a coder does not see: missing ones and outliers, each sample's state. */
#include "array/mask.h"

#include <string.h>

#include "array/mask_rules.h"
#include "core/status.h"

#define ALWAYS_EXACT 0x1p+1000

/* What is found in a piece of the samples. */
typedef struct part {
    size_t   n_missing, n_exact;
    fmc_span coded;
} part;

/* A look at all samples, piece by piece on several threads. */
typedef struct scan {
    const fmc_mask_rules *j;
    uint8_t              *state; /* to be filled */
    part                 *part;  /* one a piece */
} scan;

/* Samples of a run whose states are found together. */
enum { RUN = 64 };

/* The states of a run, whose samples and states are as wide as each other, for vector units, and the range left. */
#define DEFINE_STATES(T, INT, BIGGEST, ABS, SUFFIX)                                                                    \
    static void run_##SUFFIX(const T *restrict v, const fmc_mask_rules *j, INT *restrict state, T *low, T *high)       \
    {                                                                                                                  \
        const T fill = (T)j->fill, limit = (T)j->limit, apart = (T)j->apart, zero = j->zeros ? 0 : (T)NAN;             \
        const T top = BIGGEST, bottom = -BIGGEST;                                                                      \
        INT bits[RUN], lo_bits[RUN], hi_bits[RUN], up, down;                                                           \
        T lo[RUN], hi[RUN];                                                                                            \
                                                                                                                       \
        for (int k = 0; k < RUN; k++) {                                                                                \
            const T x = v[k], size = ABS(x);                                                                           \
            const INT exact = (size > limit) | (x == apart) | (x == zero), missing = !(size <= BIGGEST) | (x == fill); \
                                                                                                                       \
            state[k] = missing * FMC_SAMPLE_MISSING + (exact & ~missing) * FMC_SAMPLE_EXACT;                           \
        }                                                                                                              \
        memcpy(bits, v, sizeof bits);                                                                                  \
        memcpy(&up, &top, sizeof up);                                                                                  \
        memcpy(&down, &bottom, sizeof down);                                                                           \
        for (int k = 0; k < RUN; k++) { /* what is masked, out of the way */                                           \
            const INT keep = -(INT)(state[k] == 0);                                                                    \
                                                                                                                       \
            lo_bits[k] = (bits[k] & keep) | (up & ~keep);                                                              \
            hi_bits[k] = (bits[k] & keep) | (down & ~keep);                                                            \
        }                                                                                                              \
        memcpy(lo, lo_bits, sizeof lo);                                                                                \
        memcpy(hi, hi_bits, sizeof hi);                                                                                \
        for (int half = RUN / 2; half >= 8; half /= 2)                                                                 \
            for (int k = 0; k < half; k++) {                                                                           \
                lo[k] = lo[k + half] < lo[k] ? lo[k + half] : lo[k];                                                   \
                hi[k] = hi[k + half] > hi[k] ? hi[k + half] : hi[k];                                                   \
            }                                                                                                          \
        for (int k = 0; k < 8; k++) {                                                                                  \
            low[k] = lo[k] < low[k] ? lo[k] : low[k];                                                                  \
            high[k] = hi[k] > high[k] ? hi[k] : high[k];                                                               \
        }                                                                                                              \
    }                                                                                                                  \
    static void states_##SUFFIX(const T *v, size_t n, const fmc_mask_rules *j, uint8_t *state, part *out)              \
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
            for (size_t k = 0; m == RUN && k < RUN; k++)                                                               \
                state[i + k] = (uint8_t)s[k];                                                                          \
            for (size_t k = 0; m < RUN && k < RUN; k++)                                                                \
                s[k] = k < m ? state[i + k] = (uint8_t)s[k] : FMC_SAMPLE_CODED;                                        \
            for (size_t k = 0; k < RUN; k++) {                                                                         \
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
    const size_t first = i * FMC_MASK_PIECE, n = fmc_mask_piece_size(s->j, first);

    if (s->j->dtype == FMC_F32)
        states_f32((const float *)s->j->data + first, n, s->j, s->state + first, &s->part[i]);
    else
        states_f64((const double *)s->j->data + first, n, s->j, s->state + first, &s->part[i]);
    return FMC_OK;
}

static fmc_status find_states(const fmc_exec *ex, const fmc_mask_rules *j, fmc_mask *out)
{
    const size_t n = fmc_mask_piece_count(j);
    scan s = { .j = j, .state = out->state };
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &s.part));
    if (n > UINT32_MAX) {
        st = FMC_ERR_LIMIT;
        goto done;
    }
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, states_task, &s));
    out->coded = fmc_span_none();
    for (size_t i = 0; i < n; i++) {
        out->n_missing += s.part[i].n_missing;
        out->n_exact += s.part[i].n_exact;
        out->coded = fmc_span_join(out->coded, s.part[i].coded);
    }
done:
    fmc_dealloc(ex->alloc, s.part);
    return st;
}

/* Is there anything to mask beyond missing samples? */
static int has_exact(const fmc_mask_rules *j, const fmc_span *valid)
{
    return j->limit < valid->max || -j->limit > valid->min || j->apart == j->apart ||
           (j->zeros && valid->min <= 0 && valid->max >= 0);
}

fmc_status fmc_mask_find(const fmc_exec *ex, uint32_t dtype, size_t n, const void *data, uint32_t has_fill,
                         double fill_value, unsigned also, fmc_mask *out)
{
    fmc_mask_rules j = { .dtype = dtype, .n = n, .data = data, .fill = has_fill ? fill_value : (double)NAN,
                         .limit = dtype == FMC_F32 ? (double)FLT_MAX : ALWAYS_EXACT, .apart = (double)NAN,
                         .zeros = (also & FMC_MASK_ZEROS) != 0 };
    fmc_status st = FMC_OK;

    *out = (fmc_mask){ 0 };
    FMC_TRY(fmc_span_measure(ex, dtype, n, data, has_fill, fill_value, &out->valid));
    if ((also & FMC_MASK_OUTLIERS) && out->valid.n_valid > 0)
        FMC_TRY(fmc_mask_find_outliers(ex, &j, &out->valid));
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
