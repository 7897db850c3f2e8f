/* SPDX-License-Identifier: Apache-2.0 */
/* Payload to samples, in the order of docs/format.md 5. Untrusted bytes. */
#include <stdio.h>
#include <string.h>

#include "bound/correct.h"
#include "codec/coder.h"
#include "codec/frame.h"
#include "codec/grid_payload.h"
#include "coef/coef.h"
#include "core/status.h"
#include "exact/exact.h"

static fmc_status decode_body(const fmc_exec *ex, const fmc_frame *f, fmc_in *in, void *recon)
{
    fmc_in body = fmc_section_read(in);
    const fmc_status st = fmc_in_status(in);

    if (st != FMC_OK)
        return st;
    return f->coder == FMC_CODER_TRANSFORM ? fmc_transform_decode(ex, &f->signal, &body, recon)
           : f->coder == FMC_CODER_PCA     ? fmc_pca_decode(ex, &f->signal, &body, recon)
                                           : fmc_predict_decode(ex, &f->signal, &body, recon);
}

static fmc_status decode_correction(const fmc_exec *ex, const fmc_block *block, const fmc_frame *f, fmc_in *in,
                                    void *data)
{
    fmc_in section = fmc_section_read(in);
    const double step = fmc_in_f64(&section);
    const uint32_t tier = fmc_in_u8(&section);
    fmc_band band;
    int32_t *r = NULL;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    FMC_TRY(fmc_in_status(&section));
    if (!fmc_correct_step_is_valid(step))
        FMC_TRY(FMC_ERR_CORRUPT);
    if (tier > FMC_COEF_STATIC)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, f->signal.count, &r));
    fmc_correct_band(f->signal.rank, f->signal.dim, &band);
    FMC_TRY(fmc_coef_decode(ex, &band, 1, r, tier, NULL, &section));
    FMC_TRY(fmc_axis_order_move_in(ex, &f->order, &f->plain, sizeof *r, r, 1));
    FMC_TRY(fmc_correct_apply(ex, block->dtype, f->signal.count, r, step, data));
done:
    fmc_dealloc(ex->alloc, r);
    return st;
}

/* Samples as the coder left them. Where types agree it decodes in place. */
static fmc_status decode_samples(const fmc_exec *ex, const fmc_block *block, const fmc_frame *f, fmc_in *in, void *data)
{
    const fmc_signal *s = &f->signal;
    void *own = NULL, *recon = data;
    fmc_status st = FMC_OK;

    if (s->dtype != block->dtype) {
        FMC_TRY(fmc_signal_alloc(ex, s, &own));
        recon = own;
    }
    FMC_TRY(decode_body(ex, f, in, recon));
    if (f->flags & FMC_PAYLOAD_BASE)
        FMC_TRY(fmc_base_add(ex, s, &f->base, recon));
    FMC_TRY(fmc_axis_order_move_in(ex, &f->order, &f->plain, fmc_signal_sample(s), recon, 1));
    if (f->flags & FMC_PAYLOAD_LOG)
        FMC_TRY(fmc_log_inverse(ex, &f->norm, s->count, s->dtype, recon, f->sign, block->dtype, data));
    else
        FMC_TRY(fmc_norm_inverse(ex, &f->norm, s->count, s->dtype, recon, block->dtype, data));
done:
    fmc_dealloc(ex->alloc, own);
    return st;
}

static fmc_status decode_lossy(const fmc_exec *ex, const fmc_block *block, fmc_frame *f, fmc_in *in, void *data)
{
    const size_t count = f->plain.count;
    fmc_status st;

    FMC_TRY(fmc_frame_read(ex, block, in, f));
    if (f->coder == FMC_CODER_GRID) {
        FMC_TRY(fmc_grid_payload_decode(ex, block, f->mask.cls, in, data));
    } else {
        FMC_TRY(decode_samples(ex, block, f, in, data));
        fmc_masked_apply(&f->mask, block->dtype, count, data);
        if (f->flags & FMC_PAYLOAD_CORRECT)
            FMC_TRY(decode_correction(ex, block, f, in, data));
        if (f->flags & FMC_PAYLOAD_EXACT) {
            fmc_in section = fmc_section_read(in);

            FMC_TRY(fmc_in_status(in));
            FMC_TRY(fmc_exact_samples_decode(ex, block->dtype, count, &section, data));
            FMC_TRY(fmc_section_end(&section));
        }
    }
    fmc_masked_apply(&f->mask, block->dtype, count, data);
    st = fmc_section_end(in);
done:
    return st;
}

fmc_status fmc_chunk_decode(const fmc_exec *ex, const fmc_block *block, fmc_in payload, void *data)
{
    fmc_frame f = { 0 };
    fmc_status st;

    FMC_TRY(fmc_frame_head(block, &payload, &f));
    if (f.coder == FMC_CODER_EXACT)
        FMC_TRY(fmc_exact_decode(ex, block->dtype, block->rank, block->dim, &payload, data));
    else
        FMC_TRY(decode_lossy(ex, block, &f, &payload, data));
    if (fmc_block_hash(block, data) != f.hash)
        st = FMC_ERR_CORRUPT;
done:
    fmc_frame_fini(ex, &f);
    return st;
}

/* Integers that are not thinned give every bit back. */
static fmc_status describe_grid(const fmc_exec *ex, const fmc_block *block, const fmc_frame *f, fmc_in *in, fmc_chunk_facts *facts)
{
    fmc_grid grid = { 0 };
    uint64_t thinning;
    fmc_status st;

    if (f->flags & FMC_PAYLOAD_MASK)
        (void)fmc_section_read(in);
    thinning = fmc_in_varint(in);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(fmc_grid_parse(ex, block->dtype, f->plain.rank, f->plain.dim, in, &grid));
    if (thinning == 1)
        facts->abs_bound = 0;
    (void)snprintf(facts->detail, sizeof facts->detail, grid.n_slices > 1 ? "steps from %.4g" : "step %.4g",
                   (double)thinning * fmc_grid_step(&grid, 0));
done:
    fmc_grid_fini(&grid);
    return st;
}

static fmc_status describe_base(fmc_in *in, fmc_chunk_facts *facts)
{
    fmc_in section = fmc_section_read(in);
    fmc_base_head head;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    if (fmc_in_left(&section) == 0)
        goto done;
    FMC_TRY(fmc_base_read_head(&section, &head));
    facts->model = head.model;
    if (head.kind == FMC_BASE_VAE)
        (void)snprintf(facts->detail, sizeof facts->detail, "vae L%u + ", head.level);
    else
        (void)snprintf(facts->detail, sizeof facts->detail, "base + ");
done:
    return st;
}

static fmc_status describe_tier(fmc_in body, fmc_chunk_facts *facts, int *is_trellis)
{
    uint32_t tier;
    const fmc_status st = fmc_tier_read(&body, &tier, &facts->prior);

    *is_trellis = (tier & FMC_COEF_TRELLIS) != 0;
    facts->model = facts->model ? facts->model : facts->prior;
    return st;
}

static void append(fmc_chunk_facts *facts, const char *text)
{
    const size_t used = strlen(facts->detail);

    (void)snprintf(facts->detail + used, sizeof facts->detail - used, "%s", text);
}

/* Name what the coder of a lossy payload did. */
static fmc_status describe_body(const fmc_exec *ex, fmc_frame *f, fmc_in *in, fmc_chunk_facts *facts)
{
    char *detail = facts->detail;
    size_t room = sizeof facts->detail;
    fmc_in body;
    int is_trellis;
    fmc_status st;

    if (f->flags & FMC_PAYLOAD_MASK)
        (void)fmc_section_read(in);
    FMC_TRY(fmc_frame_norm(in, f));
    if (f->flags & FMC_PAYLOAD_LOG)
        (void)fmc_section_read(in);
    if (f->flags & FMC_PAYLOAD_BASE || f->coder == FMC_CODER_PCA) {
        FMC_TRY(describe_base(in, facts));
        room -= strlen(detail);
        detail += strlen(detail);
    }
    body = fmc_section_read(in);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(describe_tier(body, facts, &is_trellis));
    if (f->coder == FMC_CODER_TRANSFORM)
        FMC_TRY(fmc_transform_describe(ex, &f->signal, &body, detail, room));
    else if (f->coder == FMC_CODER_PCA)
        FMC_TRY(fmc_pca_describe(ex, &f->signal, &body, detail, room));
    else
        FMC_TRY(fmc_predict_describe(ex, &f->signal, &body, detail, room));
    if (is_trellis)
        append(facts, ", trellis");
    if (facts->prior)
        append(facts, ", prior");
done:
    return st;
}

fmc_status fmc_chunk_describe(const fmc_exec *ex, const fmc_block *block, fmc_in payload, fmc_chunk_facts *facts)
{
    fmc_frame f;
    fmc_status st;

    memset(facts, 0, sizeof *facts);
    facts->abs_bound = -1;
    FMC_TRY(fmc_frame_head(block, &payload, &f));
    facts->coder = f.coder;
    if (f.coder == FMC_CODER_EXACT)
        facts->abs_bound = 0;
    else
        FMC_TRY(f.coder == FMC_CODER_GRID ? describe_grid(ex, block, &f, &payload, facts)
                                          : describe_body(ex, &f, &payload, facts));
done:
    return st;
}
