/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded signal back to samples, and how far they are from the data (docs/format.md 5). Encoder's side. */
#include "codec/samples.h"

#include <math.h>
#include <string.h>

#include "bound/check.h"
#include "core/status.h"

/* Samples that one task turns back and compares: they stay in the cache between the two. */
#define PIECE ((size_t)1 << 15)

static size_t sample_size(const fmc_lossy *l)
{
    return l->block->dtype == FMC_F64 ? 8 : 4;
}

/* Without a branch, since states change often where they change at all, and for vectors; as integers: NaN keep their bits. */
static void put_u32(const uint8_t *restrict state, const uint8_t *restrict x, size_t n, uint8_t *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t drop = (uint32_t)(state[i] != 0) - 1; /* all bits where it is not masked */
        uint32_t from, to;

        memcpy(&from, x + 4 * i, sizeof from);
        memcpy(&to, y + 4 * i, sizeof to);
        to = (from & ~drop) | (to & drop);
        memcpy(y + 4 * i, &to, sizeof to);
    }
}

static void put_u64(const uint8_t *restrict state, const uint8_t *restrict x, size_t n, uint8_t *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t drop = (uint64_t)(state[i] != 0) - 1;
        uint64_t from, to;

        memcpy(&from, x + 8 * i, sizeof from);
        memcpy(&to, y + 8 * i, sizeof to);
        to = (from & ~drop) | (to & drop);
        memcpy(y + 8 * i, &to, sizeof to);
    }
}

void fmc_samples_put_masked(const fmc_lossy *l, size_t first, size_t n, void *samples)
{
    const size_t sample = sample_size(l);

    if (l->mask.state)
        (sample == 8 ? put_u64 : put_u32)(l->mask.state + first, (const uint8_t *)l->data + sample * first, n, samples);
}

/* Signs as the decoder has them: 2 is negative. */
static void find_signs(const fmc_lossy *l, uint8_t *sign)
{
    for (size_t i = 0; i < l->count; i++) {
        const double v = l->block->dtype == FMC_F64 ? ((const double *)l->data)[i] : ((const float *)l->data)[i];

        sign[i] = signbit(v) ? 2 : 0;
    }
}

static fmc_status inverse_log(const fmc_exec *ex, const fmc_lossy *l, const void *signal, void *samples)
{
    uint8_t *sign = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &sign));
    find_signs(l, sign);
    FMC_TRY(fmc_log_inverse(ex, &l->norm, l->count, l->signal.dtype, signal, sign, l->block->dtype, samples));
    fmc_samples_put_masked(l, 0, l->count, samples);
done:
    fmc_dealloc(ex->alloc, sign);
    return st;
}

typedef struct piece_job {
    fmc_exec         inner; /* a task's own: no threads within */
    const fmc_lossy *l;
    const uint8_t   *signal;  /* the chunk's order */
    uint8_t         *samples; /* may be the same */
    fmc_errors      *errors;  /* a piece each; NULL: not wanted */
} piece_job;

static fmc_status inverse_piece(void *user, uint32_t i)
{
    const piece_job *j = user;
    const fmc_lossy *l = j->l;
    const size_t first = i * PIECE, n = l->count - first < PIECE ? l->count - first : PIECE, sample = sample_size(l);
    uint8_t *y = j->samples + first * sample;
    fmc_status st;

    FMC_TRY(fmc_norm_inverse(&j->inner, &l->norm, n, l->signal.dtype, j->signal + first * fmc_signal_sample(&l->signal),
                             l->block->dtype, y));
    fmc_samples_put_masked(l, first, n, y);
    if (j->errors)
        FMC_TRY(fmc_errors_measure(&j->inner, l->block->dtype, n, (const uint8_t *)l->data + first * sample, y,
                                   l->mask.state ? l->mask.state + first : NULL, &j->errors[i]));
done:
    return st;
}

/* Root mean square error in units of the goal's limit; infinite where a difference is not finite. */
static double rmse_ratio(const fmc_errors *e, size_t n_pieces, double limit)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < n_pieces; i++) {
        const double unit = e[i].unit / limit;

        if (!e[i].is_finite)
            return HUGE_VAL;
        sum += e[i].sum_sq * unit * unit;
        count += (double)e[i].n;
    }
    return count > 0 ? sqrt(sum / count) : 0;
}

static fmc_status inverse_norm(const fmc_exec *ex, const fmc_lossy *l, const void *signal, void *samples, double *ratio)
{
    const size_t n = (l->count + PIECE - 1) / PIECE;
    piece_job j = { .inner = *ex, .l = l, .signal = signal, .samples = samples };
    fmc_status st;

    j.inner.n_threads = 1;
    j.inner.parallel_for = NULL;
    if (ratio)
        FMC_TRY(FMC_ALLOC(ex->alloc, n, &j.errors));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, inverse_piece, &j));
    if (ratio)
        *ratio = rmse_ratio(j.errors, n, l->goal.limit);
done:
    fmc_dealloc(ex->alloc, j.errors);
    return st;
}

fmc_status fmc_samples_make(const fmc_exec *ex, const fmc_lossy *l, fmc_quantised *z, double *ratio)
{
    const int is_same_type = l->signal.dtype == l->block->dtype;
    fmc_status st;

    if (l->base)
        FMC_TRY(fmc_base_add(ex, &l->signal, l->base, z->recon));
    FMC_TRY(fmc_axis_order_move_in(ex, &l->order, &l->plain, fmc_signal_sample(&l->signal), z->recon, 1));
    if (is_same_type) {
        z->samples = z->recon;
        z->recon = NULL;
    } else if (!z->samples) {
        FMC_TRY(fmc_alloc(ex->alloc, l->count, sample_size(l), &z->samples));
    }
    if (l->is_log)
        st = inverse_log(ex, l, is_same_type ? z->samples : z->recon, z->samples);
    else
        st = inverse_norm(ex, l, is_same_type ? z->samples : z->recon, z->samples, ratio);
    z->is_measured = st == FMC_OK && ratio && *ratio <= 1;
done:
    return st;
}

void fmc_samples_drop(const fmc_exec *ex, fmc_quantised *z)
{
    if (z->recon) {
        fmc_dealloc(ex->alloc, z->samples);
    } else {
        z->recon = z->samples;
    }
    z->samples = NULL;
    z->is_measured = 0;
}
