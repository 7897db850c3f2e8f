/* SPDX-License-Identifier: Apache-2.0 */
/* From a quantised signal to a payload that keeps the goal (docs/format.md 5). */
#include <math.h>
#include <string.h>

#include "bound/check.h"
#include "bound/correct.h"
#include "codec/coder.h"
#include "codec/estimate.h"
#include "codec/payload.h"
#include "codec/samples.h"
#include "coef/coef.h"
#include "core/status.h"
#include "nn/model.h"

/* A residual correction is worth its overhead from here on; a few samples are cheaper stored exactly. */
enum { MIN_CORRECTIONS = 12, SMALL_BODY = 8192 };
/* Estimating corrections: samples of a piece, and how many pieces. */
enum { PROBE = 1 << 12, PROBES = 32, SMALL_PROBE = 1 << 10 };

void fmc_quantised_fini(const fmc_exec *ex, fmc_quantised *z)
{
    if (z->head.alloc)
        fmc_out_fini(&z->head);
    fmc_dealloc(ex->alloc, z->band);
    fmc_dealloc(ex->alloc, z->q);
    fmc_dealloc(ex->alloc, z->recon);
    fmc_dealloc(ex->alloc, z->samples);
    memset(z, 0, sizeof *z);
}

void fmc_candidate_fini(const fmc_exec *ex, fmc_candidate *c)
{
    (void)ex;
    if (c->payload.alloc)
        fmc_out_fini(&c->payload);
    memset(c, 0, sizeof *c);
}

/* Residual correction of what breaks an absolute bound; nothing is written if it does not pay. */
static fmc_status write_correction(const fmc_exec *ex, fmc_lossy *l, void *samples, fmc_out *out, int *used)
{
    fmc_out section = fmc_out_make(ex->alloc);
    const double step = fmc_correct_step(l->goal.limit, l->block->dtype, l->max_abs);
    fmc_band band;
    int32_t *r = NULL;
    size_t n = 0;
    uint32_t tier;
    fmc_status st = FMC_OK;

    *used = 0;
    if (l->goal.kind != FMC_BOUND_ABS || !(step > 0))
        goto done;
    FMC_TRY(FMC_ALLOC(ex->alloc, l->count, &r));
    FMC_TRY(fmc_correct_find(ex, l->block->dtype, l->count, l->data, samples, l->mask.state, l->goal.limit, step, r, &n));
    if (n < MIN_CORRECTIONS)
        goto done;
    FMC_TRY(fmc_correct_apply(ex, l->block->dtype, l->count, r, step, samples));
    FMC_TRY(fmc_axis_order_move_in(ex, &l->order, &l->plain, sizeof *r, r, 0));
    fmc_correct_band(l->signal.rank, l->signal.dim, &band);
    fmc_out_f64(&section, step);
    FMC_TRY(fmc_coef_choose_tier(ex, &band, 1, r, l->effort->effort, &tier, NULL));
    fmc_out_u8(&section, (uint8_t)tier);
    FMC_TRY(fmc_coef_encode(ex, &band, 1, r, tier, NULL, &section));
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

/* Mask, norm, order of axes, signs and base: what comes before the coder's body. */
static fmc_status write_front(const fmc_exec *ex, fmc_lossy *l, uint32_t coder, uint32_t *flags, fmc_out *out)
{
    fmc_out section = fmc_out_make(ex->alloc);
    const size_t *dim = l->plain.dim;
    fmc_status st = FMC_OK;

    if (l->mask.n_missing + l->mask.n_exact > 0) {
        *flags |= FMC_PAYLOAD_MASK;
        FMC_TRY(fmc_mask_encode(ex, l->block->dtype, l->plain.rank, dim, l->data, l->mask.state, &section));
        fmc_section_write(out, &section);
        section.size = 0;
    }
    fmc_norm_write(&l->norm, out);
    fmc_out_u8(out, fmc_axis_order_code(&l->order));
    if (l->is_log) {
        *flags |= FMC_PAYLOAD_LOG;
        FMC_TRY(fmc_signs_encode(ex, l->block->dtype, l->plain.rank, dim, l->data, l->mask.state, &section));
        fmc_section_write(out, &section);
        section.size = 0;
    }
    if (l->base) {
        *flags |= FMC_PAYLOAD_BASE;
        FMC_TRY(fmc_base_write(ex, &l->signal, l->base, fmc_coder_tier(l->effort->effort), &section));
        fmc_section_write(out, &section);
    } else if (coder == FMC_CODER_PCA) {
        fmc_section_write(out, &section); /* empty: none */
    }
    st = out->st;
done:
    fmc_out_fini(&section);
    return st;
}

/* A mean-square goal is kept by the coder: make sure of it in the end, unless these very samples were measured. */
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

/* Whatever the samples, those of *z, still lack for the goal. */
static fmc_status complete(const fmc_exec *ex, fmc_lossy *l, const fmc_quantised *z, uint32_t *flags, fmc_out *payload)
{
    int corrected, exact;
    fmc_status st = FMC_OK;

    if (z->is_measured)
        return FMC_OK;
    FMC_TRY(write_correction(ex, l, z->samples, payload, &corrected));
    FMC_TRY(write_exact(ex, l, z->samples, payload, &exact));
    fmc_samples_put_masked(l, 0, l->count, z->samples);
    FMC_TRY(check_rmse(ex, l, z->samples));
    *flags |= (corrected ? FMC_PAYLOAD_CORRECT : 0) | (exact ? FMC_PAYLOAD_EXACT : 0);
done:
    return st;
}

static fmc_status write_payload(const fmc_exec *ex, fmc_lossy *l, const fmc_out *body, const fmc_quantised *z,
                                fmc_out *payload)
{
    uint32_t flags = l->signal.dtype == FMC_F64 ? FMC_PAYLOAD_F64 : 0, hash;
    fmc_status st;

    fmc_out_u8(payload, 0);
    fmc_out_u32(payload, 0);
    FMC_TRY(write_front(ex, l, z->coder, &flags, payload));
    fmc_section_write(payload, body);
    FMC_TRY(complete(ex, l, z, &flags, payload));
    FMC_TRY(payload->st);
    hash = z->is_measured ? z->hash : fmc_block_hash(l->block, z->samples);
    payload->data[0] = (uint8_t)(z->coder | flags);
    for (int i = 0; i < 4; i++)
        payload->data[1 + i] = (uint8_t)(hash >> (8 * i));
done:
    return st;
}

/* The coder's body with one tier, whose number is the first byte of the head. */
static fmc_status write_body(const fmc_exec *ex, const fmc_lossy *l, const fmc_quantised *z, uint32_t tier, fmc_out *body)
{
    const fmc_model *prior = l->effort->prior;
    fmc_status st;

    FMC_TRY(fmc_tier_write(tier, prior, body));
    fmc_out_bytes(body, z->head.data + 1, z->head.size - 1);
    FMC_TRY(body->st);
    st = fmc_coef_encode(ex, z->band, z->n_bands, z->q, tier, prior ? &prior->prior : NULL, body);
done:
    return st;
}

/* Replace the body by one with another tier if that is smaller. */
static fmc_status try_tier(const fmc_exec *ex, const fmc_lossy *l, const fmc_quantised *z, uint32_t tier, fmc_out *body)
{
    fmc_out other = fmc_out_make(ex->alloc);
    fmc_status st;

    FMC_TRY(write_body(ex, l, z, tier, &other));
    if (other.size < body->size) {
        const fmc_out larger = *body;

        *body = other;
        other = larger;
    }
done:
    fmc_out_fini(&other);
    return st;
}

/*
 * Where the best tier was asked for, simpler ones may still be smaller: what it learns too slowly it never learns. A prior
 * is tried there, and below where it takes little time: a small body has few values that are not 0.
 */
static fmc_status write_smaller_body(const fmc_exec *ex, const fmc_lossy *l, const fmc_quantised *z, fmc_out *body)
{
    const fmc_model *prior = l->effort->prior;
    const uint32_t trellis = z->is_trellis ? FMC_COEF_TRELLIS : 0;
    const int is_best = z->tier == FMC_COEF_BEST, is_cheap = z->tier == FMC_COEF_MIX;
    fmc_status st;

    FMC_TRY(write_body(ex, l, z, z->tier | trellis, body));
    if (z->other_tier != z->tier)
        FMC_TRY(try_tier(ex, l, z, z->other_tier, body));
    if (is_best)
        FMC_TRY(try_tier(ex, l, z, FMC_COEF_MIX | trellis, body));
    for (uint32_t i = 0; is_best && !trellis && i < 2; i++)
        FMC_TRY(try_tier(ex, l, z, i ? FMC_COEF_STATIC : FMC_COEF_AVERAGE, body));
    if (prior && (is_best || (is_cheap && body->size < SMALL_BODY) || prior->prior.watch))
        FMC_TRY(try_tier(ex, l, z, FMC_COEF_PRIOR | trellis, body));
done:
    return st;
}

typedef struct finish_job {
    fmc_exec         inner; /* a task's own: no threads within */
    const fmc_lossy *l;
    fmc_quantised   *z;
} finish_job;

/* What comes before coding, all of it serial: the tier, and the hash of samples that are final. */
static fmc_status begin_finish(void *user, uint32_t i)
{
    const finish_job *j = user;
    fmc_quantised *z = j->z;

    if (i == 0)
        return fmc_coef_choose_tier(&j->inner, z->band, z->n_bands, z->q, j->l->effort->effort, &z->tier,
                                    &z->other_tier);
    if (z->is_measured)
        z->hash = fmc_block_hash(j->l->block, z->samples);
    return FMC_OK;
}

fmc_status fmc_lossy_finish(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z, fmc_candidate *out)
{
    finish_job j = { .inner = *ex, .l = l, .z = z };
    fmc_out body = fmc_out_make(ex->alloc);
    fmc_status st;

    memset(out, 0, sizeof *out);
    out->payload = fmc_out_make(ex->alloc);
    j.inner.n_threads = 1;
    j.inner.parallel_for = NULL;
    FMC_TRY(z->head.st);
    FMC_TRY(fmc_parallel_for(ex, 2, begin_finish, &j));
    FMC_TRY(write_smaller_body(ex, l, z, &body));
    fmc_dealloc(ex->alloc, z->q);
    z->q = NULL;
    if (!z->samples)
        FMC_TRY(fmc_samples_make(ex, l, z, NULL));
    FMC_TRY(write_payload(ex, l, &body, z, &out->payload));
    out->coder = z->coder;
done:
    fmc_out_fini(&body);
    fmc_quantised_fini(ex, z);
    return st;
}

/* Bits of correcting `bad` of n samples: where they are, their signs and sizes. */
static double correction_bits(double n, double bad)
{
    const double p = fmin(fmax(bad / n, 1e-9), 1 - 1e-9);

    return n * (-p * log2(p) - (1 - p) * log2(1 - p) + 1.05 * p);
}

/*
 * Bits of correcting what breaks an absolute bound, from the decoded signal in the chunk's order: pieces that stand for all, or all,
 * in small pieces, since what fails comes in crowds.
 */
static fmc_status probe_corrections(const fmc_exec *ex, const fmc_lossy *l, const uint8_t *recon, int everywhere, double *bits)
{
    const size_t sample = l->block->dtype == FMC_F64 ? 8 : 4, most = everywhere ? SMALL_PROBE : PROBE;
    const size_t n = l->count < most ? l->count : most;
    const size_t pieces = everywhere ? (l->count + n - 1) / n : l->count / n < PROBES ? l->count / n : PROBES;
    double bad = 0, apart = 0;
    void *y = NULL;
    fmc_status st;

    FMC_TRY(fmc_alloc(ex->alloc, n, sample, &y));
    for (size_t i = 0; i < pieces; i++) {
        const size_t last = l->count - n, first = !everywhere ? last / pieces * i : i * n < last ? i * n : last;
        const uint8_t *x = (const uint8_t *)l->data + first * sample, *state = l->mask.state;
        size_t n_bad;

        FMC_TRY(fmc_norm_inverse(ex, &l->norm, n, l->signal.dtype, recon + first * fmc_signal_sample(&l->signal),
                                 l->block->dtype, y));
        FMC_TRY(fmc_check_samples(ex, l->block->dtype, n, x, y, state ? state + first : NULL, FMC_BOUND_ABS,
                                  l->goal.limit, NULL, 0, &n_bad));
        bad += (double)n_bad;
        apart += correction_bits((double)n, (double)n_bad) + (n_bad ? 6 : 0);
    }
    *bits = correction_bits((double)l->count, bad / (double)(n * pieces) * (double)l->count);
    if (everywhere)
        *bits = fmin(*bits, apart);
done:
    fmc_dealloc(ex->alloc, y);
    return st;
}

/* Bits of what breaks a relative bound and goes exact: each sample as it is, and where it is. */
static fmc_status exact_bits(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z, double *bits)
{
    const double sample = l->block->dtype == FMC_F64 ? 64 : 32;
    size_t n_bad;
    fmc_status st;

    if (!z->samples)
        FMC_TRY(fmc_samples_make(ex, l, z, NULL));
    FMC_TRY(fmc_check_samples(ex, l->block->dtype, l->count, l->data, z->samples, l->mask.state, FMC_BOUND_PW_REL, l->goal.limit,
                              NULL, 0, &n_bad));
    *bits = (double)n_bad * sample + correction_bits((double)l->count, (double)n_bad);
done:
    return st;
}

fmc_status fmc_lossy_estimate(const fmc_exec *ex, fmc_lossy *l, fmc_quantised *z, double *corrections)
{
    const size_t sample = fmc_signal_sample(&l->signal);
    const void *recon = z->recon;
    double bits, correct = 0;
    void *moved = NULL;
    fmc_status st = FMC_OK;

    if (z->closer_bytes > 0 && !corrections)
        goto done;
    FMC_TRY(fmc_estimate_bits(ex, z->band, z->n_bands, z->q, corrections != NULL, &bits));
    if (l->goal.kind == FMC_BOUND_ABS && z->coder == FMC_CODER_TRANSFORM) {
        if (l->base || fmc_axis_order_code(&l->order) != 0) {
            FMC_TRY(fmc_alloc(ex->alloc, l->count, sample, &moved));
            memcpy(moved, recon, l->count * sample);
            if (l->base)
                FMC_TRY(fmc_base_add(ex, &l->signal, l->base, moved));
            FMC_TRY(fmc_axis_order_move_in(ex, &l->order, &l->plain, sample, moved, 1));
            recon = moved;
        }
        FMC_TRY(probe_corrections(ex, l, recon, corrections != NULL, &correct));
    }
    if (l->goal.kind == FMC_BOUND_PW_REL && z->coder == FMC_CODER_TRANSFORM)
        FMC_TRY(exact_bits(ex, l, z, &correct));
    z->closer_bytes = (bits + correct) / 8 + (double)z->head.size;
    if (corrections)
        *corrections = correct / (bits + correct + 1);
done:
    fmc_dealloc(ex->alloc, moved);
    return st;
}
