/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/frame.h"

#include <string.h>

#include "array/logmap.h"
#include "codec/lossy.h"
#include "core/status.h"

fmc_status fmc_frame_head(const fmc_block *block, fmc_in *in, fmc_frame *f)
{
    const uint32_t first = fmc_in_u8(in);

    memset(f, 0, sizeof *f);
    f->coder = first & FMC_PAYLOAD_CODER;
    f->flags = first & ~(uint32_t)FMC_PAYLOAD_CODER;
    f->hash = fmc_in_u32(in);
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    if (f->coder > FMC_CODER_EXACT && f->coder != FMC_CODER_PCA) { /* 5 and 6: coders 1 and 2 above a base */
        f->coder &= ~(uint32_t)FMC_PAYLOAD_BASE;
        f->flags |= FMC_PAYLOAD_BASE;
    }
    if (f->coder == FMC_CODER_GRID && f->flags & FMC_PAYLOAD_BASE)
        return FMC_ERR_UNSUPPORTED;
    if (f->coder < FMC_CODER_TRANSFORM || (f->coder > FMC_CODER_EXACT && f->coder != FMC_CODER_PCA))
        return FMC_ERR_UNSUPPORTED;
    if (f->coder == FMC_CODER_EXACT && f->flags)
        return FMC_ERR_CORRUPT;
    if (f->coder == FMC_CODER_GRID && f->flags & ~(uint32_t)FMC_PAYLOAD_MASK)
        return FMC_ERR_CORRUPT;
    fmc_signal_of_block(block, f->flags & FMC_PAYLOAD_F64 ? FMC_F64 : FMC_F32, &f->plain);
    f->signal = f->plain;
    return FMC_OK;
}

fmc_status fmc_frame_norm(fmc_in *in, fmc_frame *f)
{
    const fmc_status st = fmc_norm_parse(in, &f->norm);
    const uint8_t code = fmc_in_u8(in);

    if (st != FMC_OK)
        return st;
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    if (!fmc_axis_order_parse(f->plain.rank, code, &f->order))
        return FMC_ERR_CORRUPT;
    f->signal = fmc_axis_order_apply(&f->order, &f->plain);
    return FMC_OK;
}

fmc_status fmc_frame_read(const fmc_exec *ex, const fmc_block *block, fmc_in *in, fmc_frame *f)
{
    const fmc_signal *s = &f->plain;
    fmc_in section;
    fmc_status st = FMC_OK;

    if (f->flags & FMC_PAYLOAD_MASK) {
        section = fmc_section_read(in);
        FMC_TRY(fmc_in_status(in));
        FMC_TRY(fmc_mask_decode(ex, block->dtype, s->rank, s->dim, &section, &f->mask));
        FMC_TRY(fmc_section_end(&section));
    }
    if (f->coder == FMC_CODER_GRID)
        return FMC_OK;
    FMC_TRY(fmc_frame_norm(in, f));
    if (f->flags & FMC_PAYLOAD_LOG) {
        section = fmc_section_read(in);
        FMC_TRY(fmc_in_status(in));
        FMC_TRY(fmc_signs_decode(ex, s->rank, s->dim, f->mask.cls, &section, &f->sign));
        FMC_TRY(fmc_section_end(&section));
    }
    if (f->flags & FMC_PAYLOAD_BASE || f->coder == FMC_CODER_PCA) {
        section = fmc_section_read(in);
        FMC_TRY(fmc_in_status(in));
        if (fmc_in_left(&section) > 0 || f->coder != FMC_CODER_PCA) {
            f->flags |= FMC_PAYLOAD_BASE;
            FMC_TRY(fmc_base_read(ex, &f->signal, &section, &f->base));
        }
    }
done:
    return st;
}

void fmc_frame_fini(const fmc_exec *ex, fmc_frame *f)
{
    fmc_masked_fini(ex, &f->mask);
    fmc_base_fini(ex, &f->base);
    fmc_dealloc(ex->alloc, f->sign);
    f->sign = NULL;
}
