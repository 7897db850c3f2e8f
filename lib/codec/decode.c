/* SPDX-License-Identifier: Apache-2.0 */
/* Payload to samples, in the order of docs/format.md 5. Untrusted bytes. */
#include <math.h>
#include <string.h>

#include "array/mask.h"
#include "bound/correct.h"
#include "codec/codec.h"
#include "codec/grid_payload.h"
#include "codec/lossy.h"
#include "codec/payload.h"
#include "coef/coef.h"
#include "core/status.h"
#include "exact/exact.h"

/* The first bytes of a payload. */
typedef struct payload_head {
    uint32_t coder;
    uint32_t flags;
    uint32_t hash;
} payload_head;

static fmc_status parse_head(fmc_in *in, payload_head *h)
{
    const uint32_t first = fmc_in_u8(in);

    h->coder = first & FMC_PAYLOAD_CODER;
    h->flags = first & ~(uint32_t)FMC_PAYLOAD_CODER;
    h->hash = fmc_in_u32(in);
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    if (h->coder < FMC_CODER_TRANSFORM || h->coder > FMC_CODER_EXACT)
        return FMC_ERR_UNSUPPORTED;
    if (h->coder == FMC_CODER_EXACT && h->flags)
        return FMC_ERR_CORRUPT;
    if (h->coder == FMC_CODER_GRID && h->flags & ~(uint32_t)FMC_PAYLOAD_MASK)
        return FMC_ERR_CORRUPT;
    return FMC_OK;
}

static fmc_status decode_mask(const fmc_exec *ex, const fmc_block *block, const fmc_signal *s, uint32_t flags,
                              fmc_in *in, fmc_masked *mask)
{
    fmc_in section;

    if (!(flags & FMC_PAYLOAD_MASK))
        return FMC_OK;
    section = fmc_section_read(in);
    if (section.short_read)
        return FMC_ERR_TRUNCATED;
    return fmc_mask_decode(ex, block->dtype, s->rank, s->dim, &section, mask);
}

static fmc_status decode_signal(const fmc_exec *ex, const fmc_signal *s, uint32_t coder, fmc_in *in, void *recon)
{
    fmc_in body = fmc_section_read(in);

    if (body.short_read)
        return FMC_ERR_TRUNCATED;
    return coder == FMC_CODER_TRANSFORM ? fmc_transform_decode(ex, s, &body, recon)
                                        : fmc_predict_decode(ex, s, &body, recon);
}

static fmc_status decode_correction(const fmc_exec *ex, const fmc_block *block, const fmc_signal *s, fmc_in *in,
                                    void *data)
{
    fmc_in section = fmc_section_read(in);
    const double step = fmc_in_f64(&section);
    const uint32_t tier = fmc_in_u8(&section);
    fmc_band band;
    int32_t *r = NULL;
    fmc_status st;

    FMC_TRY(fmc_in_status(&section));
    if (!fmc_correct_step_is_valid(step))
        FMC_TRY(FMC_ERR_CORRUPT);
    if (tier > FMC_COEF_BEST)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, s->count, &r));
    fmc_correct_band(s->rank, s->dim, &band);
    FMC_TRY(fmc_coef_decode(ex, &band, 1, r, tier, NULL, &section));
    FMC_TRY(fmc_correct_apply(ex, block->dtype, s->count, r, step, data));
done:
    fmc_dealloc(ex->alloc, r);
    return st;
}

/* Norm, signs, coder's body: samples as the coder left them. */
static fmc_status decode_samples(const fmc_exec *ex, const fmc_block *block, const fmc_signal *s,
                                 const payload_head *h, const uint8_t *masked, fmc_in *in, void *data)
{
    uint8_t *sign = NULL;
    void *recon = NULL;
    fmc_norm norm;
    fmc_status st;

    FMC_TRY(fmc_norm_parse(in, &norm));
    if (h->flags & FMC_PAYLOAD_LOG) {
        fmc_in section = fmc_section_read(in);

        FMC_TRY(fmc_in_status(&section));
        FMC_TRY(fmc_signs_decode(ex, s->rank, s->dim, masked, &section, &sign));
    }
    FMC_TRY(fmc_signal_alloc(ex, s, &recon));
    FMC_TRY(decode_signal(ex, s, h->coder, in, recon));
    if (h->flags & FMC_PAYLOAD_LOG)
        FMC_TRY(fmc_log_inverse(ex, &norm, s->count, s->dtype, recon, sign, block->dtype, data));
    else
        FMC_TRY(fmc_norm_inverse(ex, &norm, s->count, s->dtype, recon, block->dtype, data));
done:
    fmc_dealloc(ex->alloc, recon);
    fmc_dealloc(ex->alloc, sign);
    return st;
}

static fmc_status decode_lossy(const fmc_exec *ex, const fmc_block *block, const payload_head *h, fmc_in *in,
                               void *data)
{
    fmc_masked mask = { 0 };
    fmc_signal s;
    fmc_status st;

    fmc_signal_of_block(block, h->flags & FMC_PAYLOAD_F64 ? FMC_F64 : FMC_F32, &s);
    FMC_TRY(decode_mask(ex, block, &s, h->flags, in, &mask));
    if (h->coder == FMC_CODER_GRID) {
        FMC_TRY(fmc_grid_payload_decode(ex, block, mask.cls, in, data));
    } else {
        FMC_TRY(decode_samples(ex, block, &s, h, mask.cls, in, data));
        fmc_masked_apply(&mask, block->dtype, s.count, data);
        if (h->flags & FMC_PAYLOAD_CORRECT)
            FMC_TRY(decode_correction(ex, block, &s, in, data));
        if (h->flags & FMC_PAYLOAD_EXACT) {
            fmc_in section = fmc_section_read(in);

            FMC_TRY(fmc_in_status(&section));
            FMC_TRY(fmc_exact_samples_decode(ex, block->dtype, s.count, &section, data));
        }
    }
    fmc_masked_apply(&mask, block->dtype, s.count, data);
    st = fmc_in_left(in) ? FMC_ERR_CORRUPT : FMC_OK;
done:
    fmc_masked_fini(ex, &mask);
    return st;
}

fmc_status fmc_chunk_decode(const fmc_exec *ex, const fmc_block *block, fmc_in payload, void *data)
{
    payload_head h;
    fmc_status st;

    FMC_TRY(parse_head(&payload, &h));
    if (h.coder == FMC_CODER_EXACT)
        FMC_TRY(fmc_exact_decode(ex, block->dtype, block->rank, block->dim, &payload, data));
    else
        FMC_TRY(decode_lossy(ex, block, &h, &payload, data));
    if (fmc_block_hash(block, data) != h.hash)
        st = FMC_ERR_CORRUPT;
done:
    return st;
}

fmc_status fmc_chunk_describe(const fmc_exec *ex, const fmc_block *block, fmc_in payload, fmc_chunk_facts *facts)
{
    payload_head h;
    fmc_signal s;
    fmc_in body;
    fmc_norm norm;
    fmc_status st;

    memset(facts, 0, sizeof *facts);
    facts->abs_bound = -1;
    FMC_TRY(parse_head(&payload, &h));
    facts->coder = h.coder;
    if (h.coder == FMC_CODER_EXACT || h.coder == FMC_CODER_GRID) {
        facts->abs_bound = h.coder == FMC_CODER_EXACT ? 0 : -1;
        goto done;
    }
    fmc_signal_of_block(block, h.flags & FMC_PAYLOAD_F64 ? FMC_F64 : FMC_F32, &s);
    if (h.flags & FMC_PAYLOAD_MASK)
        (void)fmc_section_read(&payload);
    FMC_TRY(fmc_norm_parse(&payload, &norm));
    if (h.flags & FMC_PAYLOAD_LOG)
        (void)fmc_section_read(&payload);
    body = fmc_section_read(&payload);
    FMC_TRY(fmc_in_status(&payload));
    if (h.coder == FMC_CODER_TRANSFORM)
        FMC_TRY(fmc_transform_describe(ex, &s, &body, facts->detail, sizeof facts->detail));
    else
        FMC_TRY(fmc_predict_describe(ex, &s, &body, facts->detail, sizeof facts->detail));
done:
    return st;
}
