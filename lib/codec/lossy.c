/* SPDX-License-Identifier: Apache-2.0 */
/* From samples to a signal, through one coder, and back under the bound (docs/format.md 5). */
#include "codec/lossy.h"

#include <math.h>
#include <string.h>

#include "array/fill.h"
#include "bound/check.h"
#include "bound/correct.h"
#include "codec/payload.h"
#include "coef/coef.h"
#include "core/status.h"

/* A residual correction is worth its overhead from here on; a few samples are cheaper stored exactly. */
enum { MIN_CORRECTIONS = 12 };

void fmc_signal_of_block(const fmc_block *block, uint32_t work, fmc_signal *s)
{
    memset(s, 0, sizeof *s);
    s->dtype = work;
    s->count = 1;
    for (uint32_t a = 0; a < block->rank; a++) {
        s->count *= block->dim[a];
        if (block->dim[a] > 1)
            s->dim[s->rank++] = block->dim[a];
    }
    if (s->rank == 0)
        s->dim[s->rank++] = 1;
}

static void copy_axis_kinds(const fmc_block *block, const fmc_effort *effort, fmc_signal *s)
{
    uint32_t k = 0;

    for (uint32_t a = 0; a < block->rank; a++)
        if (block->dim[a] > 1)
            s->axis[k++] = effort->axis[a];
}

static uint32_t unlike_axes(const fmc_signal *s)
{
    uint32_t bits = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        bits |= (uint32_t)(s->axis[a] == FMC_AXIS_UNLIKE) << a;
    return bits;
}

/* Normalisation and target for absolute and mean-square goals. */
static fmc_status plain_target(fmc_lossy *l, uint32_t *work)
{
    const double width = fmc_span_width(&l->mask.coded);

    if (!(width > 0) || !isfinite(width))
        return FMC_ERR_UNSUPPORTED;
    l->norm = fmc_norm_choose(&l->mask.coded);
    l->target.kind = l->goal.kind;
    l->target.limit = l->goal.limit / fmc_norm_scale(&l->norm);
    *work = fmc_norm_needs_f64(width, l->goal.limit) ? FMC_F64 : FMC_F32;
    return isnormal(l->target.limit) ? FMC_OK : FMC_ERR_UNSUPPORTED;
}

/* The same for a bound relative to each sample: the signal is a logarithm. */
static fmc_status log_target(const fmc_exec *ex, fmc_lossy *l, uint32_t *work)
{
    const fmc_log_bound bound = fmc_log_bound_make(l->goal.limit, l->block->dtype);
    fmc_span span;
    fmc_status st;

    if (!(bound.limit > 0))
        return FMC_ERR_UNSUPPORTED;
    FMC_TRY(fmc_log_span(ex, l->block->dtype, l->count, l->data, l->mask.state, bound.centre, &span));
    if (!(fmc_span_width(&span) > 0))
        return FMC_ERR_UNSUPPORTED;
    l->is_log = 1;
    l->centre = bound.centre;
    l->norm = fmc_norm_choose(&span);
    l->target.kind = FMC_BOUND_ABS;
    l->target.limit = bound.limit / fmc_norm_scale(&l->norm);
    *work = fmc_norm_needs_f64(fmc_span_width(&span), bound.limit) ? FMC_F64 : FMC_F32;
done:
    return st;
}

static fmc_status make_signal(const fmc_exec *ex, fmc_lossy *l, uint32_t work)
{
    fmc_status st;

    fmc_signal_of_block(l->block, work, &l->signal);
    copy_axis_kinds(l->block, l->effort, &l->signal);
    FMC_TRY(fmc_signal_alloc(ex, &l->signal, &l->x));
    FMC_TRY(fmc_signal_alloc(ex, &l->signal, &l->recon));
    if (l->is_log)
        FMC_TRY(fmc_log_forward(ex, &l->norm, l->centre, l->count, l->block->dtype, l->data, l->mask.state, work, l->x));
    else
        FMC_TRY(fmc_norm_forward(ex, &l->norm, l->count, l->block->dtype, l->data, l->mask.state, work, l->x));
    if (work == FMC_F64)
        st = fmc_fill_f64(ex, l->signal.rank, l->signal.dim, unlike_axes(&l->signal), l->mask.state, l->x);
    else
        st = fmc_fill_f32(ex, l->signal.rank, l->signal.dim, unlike_axes(&l->signal), l->mask.state, l->x);
done:
    return st;
}

fmc_status fmc_lossy_init(const fmc_exec *ex, const fmc_block *block, const void *data, const fmc_goal *goal,
                          const fmc_effort *effort, fmc_lossy *l)
{
    const int relative = goal->kind == FMC_BOUND_PW_REL;
    uint32_t work = 0;
    fmc_status st;

    memset(l, 0, sizeof *l);
    l->block = block;
    l->data = data;
    l->goal = *goal;
    l->effort = effort;
    l->count = fmc_block_count(block);
    FMC_TRY(fmc_mask_find(ex, block->dtype, l->count, data, block->has_fill, block->fill_value,
                          relative ? FMC_MASK_ZEROS : FMC_MASK_OUTLIERS, &l->mask));
    if (l->mask.coded.n_valid == 0)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    l->max_abs = fmax(fabs(l->mask.coded.min), fabs(l->mask.coded.max));
    FMC_TRY(relative ? log_target(ex, l, &work) : plain_target(l, &work));
    FMC_TRY(make_signal(ex, l, work));
done:
    return st;
}

void fmc_lossy_fini(const fmc_exec *ex, fmc_lossy *l)
{
    fmc_mask_fini(ex, &l->mask);
    fmc_dealloc(ex->alloc, l->x);
    fmc_dealloc(ex->alloc, l->recon);
}

void fmc_candidate_fini(const fmc_exec *ex, fmc_candidate *c)
{
    if (c->payload.alloc)
        fmc_out_fini(&c->payload);
    fmc_dealloc(ex->alloc, c->samples);
    memset(c, 0, sizeof *c);
}

static void put_masked(const fmc_lossy *l, void *samples)
{
    const size_t sample = l->block->dtype == FMC_F64 ? 8 : 4;
    const uint8_t *state = l->mask.state;

    for (size_t i = 0; state && i < l->count; i++)
        if (state[i])
            memcpy((uint8_t *)samples + i * sample, (const uint8_t *)l->data + i * sample, sample);
}

/* The coder's own decoded signal as samples, masked ones put back. */
static fmc_status samples_from_recon(const fmc_exec *ex, fmc_lossy *l, void *samples)
{
    uint8_t *negative = NULL;
    fmc_status st;

    if (!l->is_log) {
        FMC_TRY(fmc_norm_inverse(ex, &l->norm, l->count, l->signal.dtype, l->recon, l->block->dtype, samples));
    } else {
        FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &negative));
        for (size_t i = 0; i < l->count; i++) {
            const double v = l->block->dtype == FMC_F64 ? ((const double *)l->data)[i] : ((const float *)l->data)[i];

            negative[i] = signbit(v) ? 2 : 0;
        }
        FMC_TRY(fmc_log_inverse(ex, &l->norm, l->count, l->signal.dtype, l->recon, negative, l->block->dtype, samples));
    }
    put_masked(l, samples);
done:
    fmc_dealloc(ex->alloc, negative);
    return st;
}

/* Residual correction of what breaks an absolute bound; nothing is written if it does not pay. */
static fmc_status write_correction(const fmc_exec *ex, fmc_lossy *l, void *samples, fmc_out *out, int *used)
{
    fmc_out section = fmc_out_make(ex->alloc);
    const double step = fmc_correct_step(l->goal.limit, l->block->dtype, l->max_abs);
    fmc_band band;
    int32_t *r = NULL;
    size_t n = 0;
    fmc_status st = FMC_OK;

    *used = 0;
    if (l->goal.kind != FMC_BOUND_ABS || !(step > 0))
        goto done;
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &r));
    FMC_TRY(fmc_correct_find(ex, l->block->dtype, l->count, l->data, samples, l->mask.state, l->goal.limit, step, r, &n));
    if (n < MIN_CORRECTIONS)
        goto done;
    fmc_correct_band(l->signal.rank, l->signal.dim, &band);
    FMC_TRY(fmc_correct_apply(ex, l->block->dtype, l->count, r, step, samples));
    fmc_out_f64(&section, step);
    fmc_out_u8(&section, (uint8_t)fmc_coder_tier(l->effort->effort));
    FMC_TRY(fmc_coef_encode(ex, &band, 1, r, fmc_coder_tier(l->effort->effort), NULL, &section));
    fmc_section_write(out, &section);
    *used = 1;
done:
    fmc_out_fini(&section);
    fmc_dealloc(ex->alloc, r);
    return st;
}

/* Whatever still fails goes exact. */
static fmc_status write_exact(const fmc_exec *ex, fmc_lossy *l, void *samples, fmc_out *out, int *used)
{
    fmc_out section = fmc_out_make(ex->alloc);
    const uint32_t kind = l->goal.kind == FMC_BOUND_NRMSE ? FMC_BOUND_ABS : l->goal.kind;
    const double limit = l->goal.kind == FMC_BOUND_NRMSE ? ldexp(1, 1000) : l->goal.limit;
    size_t *bad = NULL, n_bad = 0, again = 0;
    fmc_in in;
    fmc_status st;

    *used = 0;
    FMC_TRY(fmc_check_samples(ex, l->block->dtype, l->count, l->data, samples, l->mask.state, kind, limit, NULL, 0,
                              &n_bad));
    if (n_bad == 0)
        goto done;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_bad, &bad));
    FMC_TRY(fmc_check_samples(ex, l->block->dtype, l->count, l->data, samples, l->mask.state, kind, limit, bad, n_bad,
                              &again));
    FMC_TRY(fmc_exact_samples_encode(ex, l->block->dtype, l->count, bad, n_bad, l->data, samples, &section));
    in = fmc_in_make(section.data, section.size);
    FMC_TRY(fmc_exact_samples_decode(ex, l->block->dtype, l->count, &in, samples));
    fmc_section_write(out, &section);
    *used = 1;
done:
    fmc_out_fini(&section);
    fmc_dealloc(ex->alloc, bad);
    return st;
}

/* Mask, norm and signs: what comes before the coder's body. */
static fmc_status write_front(const fmc_exec *ex, fmc_lossy *l, uint32_t *flags, fmc_out *out)
{
    fmc_out section = fmc_out_make(ex->alloc);
    const size_t *dim = l->signal.dim;
    fmc_status st = FMC_OK;

    if (l->mask.n_missing + l->mask.n_exact > 0) {
        *flags |= FMC_PAYLOAD_MASK;
        FMC_TRY(fmc_mask_encode(ex, l->block->dtype, l->signal.rank, dim, l->data, l->mask.state, &section));
        fmc_section_write(out, &section);
        section.size = 0;
    }
    fmc_norm_write(&l->norm, out);
    if (l->is_log) {
        *flags |= FMC_PAYLOAD_LOG;
        FMC_TRY(fmc_signs_encode(ex, l->block->dtype, l->signal.rank, dim, l->data, l->mask.state, &section));
        fmc_section_write(out, &section);
    }
done:
    fmc_out_fini(&section);
    return st;
}

static fmc_status run_coder(const fmc_exec *ex, fmc_lossy *l, uint32_t coder, fmc_out *body)
{
    const fmc_coder_input in = { .signal = l->signal, .x = l->x, .mask = l->mask.state, .target = l->target,
                                 .effort = l->effort->effort };

    if (coder == FMC_CODER_TRANSFORM)
        return fmc_transform_encode(ex, &in, body, l->recon);
    return fmc_predict_encode(ex, &in, body, l->recon);
}

/* A mean-square goal is kept by the coder up to rounding: make sure of it in the units of the data. */
static fmc_status check_rmse(const fmc_exec *ex, const fmc_lossy *l, const void *samples)
{
    fmc_errors e;
    fmc_status st;

    if (l->goal.kind != FMC_BOUND_NRMSE)
        return FMC_OK;
    FMC_TRY(fmc_errors_measure(ex, l->block->dtype, l->count, l->data, samples, l->mask.state, &e));
    if (!(fmc_errors_rmse(&e) <= l->goal.limit))
        st = FMC_ERR_UNSUPPORTED;
done:
    return st;
}

static fmc_status write_payload(const fmc_exec *ex, fmc_lossy *l, uint32_t coder, const fmc_out *body,
                                fmc_candidate *c)
{
    uint32_t flags = l->signal.dtype == FMC_F64 ? FMC_PAYLOAD_F64 : 0, hash;
    int corrected, exact;
    fmc_status st;

    fmc_out_u8(&c->payload, 0);
    fmc_out_u32(&c->payload, 0);
    FMC_TRY(write_front(ex, l, &flags, &c->payload));
    fmc_section_write(&c->payload, body);
    FMC_TRY(write_correction(ex, l, c->samples, &c->payload, &corrected));
    FMC_TRY(write_exact(ex, l, c->samples, &c->payload, &exact));
    put_masked(l, c->samples);
    FMC_TRY(check_rmse(ex, l, c->samples));
    FMC_TRY(c->payload.st);
    flags |= (corrected ? FMC_PAYLOAD_CORRECT : 0) | (exact ? FMC_PAYLOAD_EXACT : 0);
    hash = fmc_block_hash(l->block, c->samples);
    c->payload.data[0] = (uint8_t)(coder | flags);
    for (int i = 0; i < 4; i++)
        c->payload.data[1 + i] = (uint8_t)(hash >> (8 * i));
    c->coder = coder;
done:
    return st;
}

fmc_status fmc_lossy_try(const fmc_exec *ex, fmc_lossy *l, uint32_t coder, fmc_candidate *out)
{
    fmc_out body = fmc_out_make(ex->alloc);
    fmc_status st;

    memset(out, 0, sizeof *out);
    out->payload = fmc_out_make(ex->alloc);
    FMC_TRY(run_coder(ex, l, coder, &body));
    FMC_TRY(fmc_alloc(ex->alloc, l->count, l->block->dtype == FMC_F64 ? 8 : 4, &out->samples));
    FMC_TRY(samples_from_recon(ex, l, out->samples));
    FMC_TRY(write_payload(ex, l, coder, &body, out));
done:
    fmc_out_fini(&body);
    return st;
}
