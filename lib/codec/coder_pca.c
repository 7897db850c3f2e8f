/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coder `pca` (docs/format.md 5.9): the error control of arXiv 2412.17184. A basis of 8 x 8 patches made from the data; of every
 * patch so many of its largest coefficients that its error meets the goal.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/coder.h"
#include "codec/samples.h"
#include "core/status.h"
#include "transform/patches.h"

enum { MAX_SEARCH = 12, MAX_ROUNDS = 10 };

/* Step of the coefficients in units of what a patch may err, root mean square (docs/decisions.md). */
static const double step_per_error = 5.0;
/* What most samples may err where a pointwise bound is the goal, root mean square in units of the bound. */
static const double error_per_bound = 0.45;
/* Where a search aims, and what is good enough. */
static const double aim = 0.997, good = 0.985;

/* A signal of patches: [outer][rows][cols][64], the last axis to be transformed. */
static fmc_status patch_signal(const fmc_signal *s, fmc_patches *p, fmc_signal *inner)
{
    *p = fmc_patches_of(s->rank, s->dim);
    *inner = (fmc_signal){ .dtype = s->dtype, .rank = 4, .dim = { p->outer, p->rows, p->cols, FMC_PATCH },
                           .count = fmc_patches_count(p) };
    return inner->count ? FMC_OK : FMC_ERR_LIMIT;
}

/* Patches being quantised. */
typedef struct attempt {
    fmc_lossy    *l;
    fmc_quantised *z;
    fmc_patches   patches;
    fmc_signal    signal;  /* of the patches */
    fmc_tx_plan   plan;
    fmc_tx_klt   *klt;     /* owned */
    void         *c;       /* coefficients, patch by patch; owned */
    void         *kept;    /* those that are kept, the others 0; owned */
    uint8_t      *order;   /* of the coefficients of each patch, largest first; owned */
    fmc_quantiser quant;
} attempt;

static void attempt_fini(const fmc_exec *ex, attempt *t)
{
    fmc_dealloc(ex->alloc, t->klt);
    fmc_dealloc(ex->alloc, t->c);
    fmc_dealloc(ex->alloc, t->kept);
    fmc_dealloc(ex->alloc, t->order);
}

static double value(const fmc_signal *s, const void *c, size_t i)
{
    return s->dtype == FMC_F64 ? ((const double *)c)[i] : (double)((const float *)c)[i];
}

/* Indices of a patch's coefficients by falling magnitude. */
static fmc_status sort_patch(void *user, uint32_t i)
{
    attempt *t = user;
    uint8_t *order = t->order + (size_t)i * FMC_PATCH;
    double size[FMC_PATCH];

    for (int k = 0; k < FMC_PATCH; k++) {
        const double v = fabs(value(&t->signal, t->c, (size_t)i * FMC_PATCH + (size_t)k));
        int at = k;

        for (; at > 0 && size[at - 1] < v; at--) {
            size[at] = size[at - 1];
            order[at] = order[at - 1];
        }
        size[at] = v;
        order[at] = (uint8_t)k;
    }
    return FMC_OK;
}

/* Gather, make the basis, transform. Uses l->x up. */
static fmc_status attempt_init(const fmc_exec *ex, attempt *t, double rmse)
{
    fmc_lossy *l = t->l;
    const size_t sample = fmc_signal_sample(&l->signal);
    fmc_status st;

    FMC_TRY(patch_signal(&l->signal, &t->patches, &t->signal));
    FMC_TRY(t->signal.count / FMC_PATCH > UINT32_MAX ? FMC_ERR_UNSUPPORTED : FMC_OK);
    FMC_TRY(fmc_lossy_make_signal(ex, l));
    FMC_TRY(fmc_signal_alloc(ex, &t->signal, &t->c));
    FMC_TRY(fmc_patches_gather(ex, &t->patches, sample, l->x, t->c));
    t->z->recon = l->x;
    l->x = NULL;
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &t->klt));
    t->plan = (fmc_tx_plan){ .rank = 4, .kind = { [3] = FMC_TX_KLT } };
    memcpy(t->plan.dim, t->signal.dim, sizeof t->plan.dim);
    FMC_TRY(t->signal.dtype == FMC_F64 ? fmc_tx_klt_make_f64(ex, &t->plan, 3, t->c, rmse, t->klt)
                                       : fmc_tx_klt_make_f32(ex, &t->plan, 3, t->c, rmse, t->klt));
    t->plan.klt[3] = t->klt;
    FMC_TRY(fmc_signal_forward(ex, &t->signal, &t->plan, t->c));
    FMC_TRY(FMC_ALLOC(ex->alloc, t->signal.count, &t->order));
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)(t->signal.count / FMC_PATCH), sort_patch, t));
    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_BANDS, &t->z->band));
    t->z->n_bands = fmc_tx_bands(&t->plan, t->z->band);
    FMC_TRY(fmc_signal_alloc(ex, &t->signal, &t->kept));
    st = FMC_ALLOC(ex->alloc, t->signal.count, &t->z->q);
done:
    return st;
}

/* Squared error of a coefficient rounded to the step. */
static double rounded_error(double c, double step)
{
    const double e = c - step * floor(c / step + 0.5);

    return e * e;
}

/* How many of a patch's coefficients, largest first, bring its squared error below `most`. @return the error then. */
static double choose(const attempt *t, size_t patch, double step, double most, int *n)
{
    const uint8_t *order = t->order + patch * FMC_PATCH;
    double energy = 0;

    for (int k = FMC_PATCH; k-- > 0;) {
        const double c = value(&t->signal, t->c, patch * FMC_PATCH + order[k]);

        energy += c * c;
    }
    for (*n = 0; *n < FMC_PATCH && energy > most; ++*n) {
        const double c = value(&t->signal, t->c, patch * FMC_PATCH + order[*n]);

        if (2 * fabs(c) < step)
            break; /* it and all that follow round to 0 */
        energy += rounded_error(c, step) - c * c;
    }
    return fmax(energy, 0);
}

/* Squared error of all patches where each may err by `error`, from every stride-th of them. */
static double total_error(const attempt *t, double error, size_t stride)
{
    const size_t n = t->signal.count / FMC_PATCH;
    double sum = 0, seen = 0;
    int kept;

    for (size_t i = 0; i < n; i += stride) {
        sum += choose(t, i, step_per_error * error, error * error * FMC_PATCH, &kept);
        seen++;
    }
    return sum / seen * (double)n;
}

/* What each patch may err so that all together err by `rmse`: patches with little in them err less. */
static double find_error(const attempt *t, double rmse)
{
    const double wanted = rmse * rmse * (double)t->signal.count;
    const size_t stride = t->signal.count / FMC_PATCH / 2048 + 1;
    double error = rmse;

    for (int i = 0; i < MAX_SEARCH; i++) {
        const double got = total_error(t, error, stride);
        const double ratio = got > 0 ? sqrt(wanted / got) : 4;

        if (fabs(ratio - 1) < 0.004)
            break;
        error *= ratio > 4 ? 4 : ratio;
        if (error > 64 * rmse)
            break; /* all zero: nothing more to lose */
    }
    return error;
}

/* Keep the coefficients that patches need at this error, quantise them, rebuild. */
static fmc_status rebuild(const fmc_exec *ex, attempt *t, double error)
{
    const fmc_signal *s = &t->signal;
    const size_t sample = fmc_signal_sample(s);
    fmc_quantised *z = t->z;
    double error2;
    fmc_status st;

    if (z->samples)
        fmc_samples_drop(ex, z);
    t->quant.step = fmc_quantise_round_step(step_per_error * error);
    memset(t->kept, 0, s->count * sample);
    for (size_t i = 0; i < s->count / FMC_PATCH; i++) {
        int n;

        (void)choose(t, i, t->quant.step, error * error * FMC_PATCH, &n);
        while (n-- > 0) {
            const size_t at = (i * FMC_PATCH + t->order[i * FMC_PATCH + (size_t)n]) * sample;

            memcpy((uint8_t *)t->kept + at, (const uint8_t *)t->c + at, sample);
        }
    }
    FMC_TRY(fmc_signal_quantise(ex, s, &t->plan, z->band, z->n_bands, t->kept, &t->quant, 1, z->q, &error2));
    FMC_TRY(fmc_signal_centres(ex, s, &t->plan, z->band, z->n_bands, t->kept, z->q, &t->quant));
    FMC_TRY(fmc_signal_dequantise(ex, s, &t->plan, z->band, z->n_bands, z->q, &t->quant, t->kept));
    FMC_TRY(fmc_signal_inverse(ex, s, &t->plan, t->kept));
    FMC_TRY(fmc_patches_scatter(ex, &t->patches, sample, t->kept, z->recon));
done:
    return st;
}

/* A mean-square goal is met from below: the largest error of patches found that keeps it. */
static fmc_status reach_rmse(const fmc_exec *ex, attempt *t, double error)
{
    double keeps = 0, breaks = HUGE_VAL, ratio;
    fmc_status st;

    for (int i = 0;; i++) {
        FMC_TRY(rebuild(ex, t, error));
        FMC_TRY(fmc_samples_make(ex, t->l, t->z, &ratio));
        if (ratio <= 1)
            keeps = fmax(keeps, error);
        else
            breaks = fmin(breaks, error);
        if (ratio <= 1 && (ratio > good || i >= MAX_ROUNDS || breaks < 1.003 * keeps))
            return FMC_OK;
        if (i >= 3 * MAX_ROUNDS)
            return FMC_ERR_UNSUPPORTED;
        if (i >= MAX_ROUNDS && keeps > 0) {
            error = keeps;
            continue;
        }
        error *= !(ratio > 0.25) ? 4 : ratio < 100 ? aim / ratio : 0.01;
        if (error >= breaks || error <= keeps)
            error = keeps > 0 && breaks < HUGE_VAL ? sqrt(keeps * breaks) : keeps > 0 ? 1.2 * keeps : 0.8 * breaks;
        if (error > 1e3 * t->l->target.limit && keeps > 0)
            return FMC_OK; /* nothing is coded any more */
    }
done:
    return st;
}

fmc_status fmc_pca_quantise(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z)
{
    const int is_bound = l->target.kind == FMC_BOUND_ABS;
    const double rmse = is_bound ? error_per_bound * l->target.limit : l->target.limit;
    attempt t = { .l = l, .z = z };
    double error;
    fmc_status st;

    memset(z, 0, sizeof *z);
    z->coder = FMC_CODER_PCA;
    z->tier = fmc_coder_tier(l->effort->effort);
    z->head = fmc_out_make(ex->alloc);
    FMC_TRY(attempt_init(ex, &t, rmse));
    error = find_error(&t, aim * rmse);
    FMC_TRY(is_bound ? rebuild(ex, &t, error) : reach_rmse(ex, &t, error));
    st = fmc_transform_head_write(z->tier, &t.plan, &t.quant, &z->head);
done:
    attempt_fini(ex, &t);
    return st;
}

fmc_status fmc_pca_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon)
{
    fmc_patches p;
    fmc_signal inner;
    void *patches = NULL;
    fmc_status st;

    FMC_TRY(patch_signal(s, &p, &inner));
    FMC_TRY(fmc_signal_alloc(ex, &inner, &patches));
    FMC_TRY(fmc_transform_decode(ex, &inner, in, patches));
    FMC_TRY(fmc_patches_scatter(ex, &p, fmc_signal_sample(s), patches, recon));
done:
    fmc_dealloc(ex->alloc, patches);
    return st;
}

fmc_status fmc_pca_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size)
{
    fmc_tx_plan plan = { .rank = 4 };
    fmc_tx_klt *klt = NULL;
    fmc_patches p;
    fmc_signal inner;
    uint32_t tier;
    uint64_t model;
    fmc_status st;

    FMC_TRY(patch_signal(s, &p, &inner));
    memcpy(plan.dim, inner.dim, sizeof plan.dim);
    FMC_TRY(fmc_tier_read(in, &tier, &model));
    FMC_TRY(fmc_tx_plan_parse(in, ex->alloc, &plan, &klt));
    (void)snprintf(text, size, "pca %u of %d", klt ? klt->n_rows : 0, FMC_PATCH);
done:
    fmc_dealloc(ex->alloc, klt);
    return st;
}
