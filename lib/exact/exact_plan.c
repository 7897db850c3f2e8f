/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_plan.h"

#include <math.h>
#include "core/status.h"

int32_t fmc_plan_scale(const fmc_plan_block *b)
{
    double big = 0;
    int e = 0;

    if (b->single)
        return 0;
    for (size_t i = 0; i < b->n; i++)
        if (!b->mask || !b->mask[i])
            big = fabs(fmc_plan_value(b, i)) > big ? fabs(fmc_plan_value(b, i)) : big;
    if (big > 0)
        (void)frexp(big, &e);
    return e > 1000 ? -1000 : e < -1000 ? 1000 : -e;
}

static void write_head(const fmc_pcm_params *p, uint32_t code, fmc_out *out)
{
    fmc_out_u8(out, (uint8_t)code);
    fmc_out_u8(out, (uint8_t)p->flags);
    fmc_out_svarint(out, p->scale_log2);
    fmc_out_svarint(out, p->lattice.lo);
    fmc_out_svarint(out, p->lattice.hi);
}

fmc_status fmc_plan_parse_head(fmc_in *in, uint32_t allowed, fmc_pcm_params *p, uint32_t *code)
{
    int64_t scale;

    *code = fmc_in_u8(in);
    p->flags = fmc_in_u8(in);
    scale = fmc_in_svarint(in);
    p->lattice.lo = fmc_in_svarint(in);
    p->lattice.hi = fmc_in_svarint(in);
    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    if (!fmc_pcm_flags_are_sound(p->flags, allowed) || !fmc_lattice_is_sound(&p->lattice) || scale < -1000 || scale > 1000)
        return FMC_ERR_CORRUPT;
    p->scale_log2 = (int32_t)scale;
    return FMC_OK;
}

fmc_status fmc_plan_choose(const fmc_plan_block *b, fmc_plan *p, size_t elem_size, uint32_t allowed)
{
    return fmc_view_choose(b->ex, b->rank, b->dim, p->src, elem_size, b->mask, 0, allowed, b->effort, &p->params,
                           &p->code, &p->size);
}

fmc_status fmc_plan_encode(const fmc_plan_block *b, const fmc_plan *p, fmc_out *out)
{
    fmc_out body = fmc_out_make(b->ex->alloc);
    fmc_pcm_view view;
    fmc_status st;

    FMC_TRY(fmc_view_make(p->code, b->rank, b->dim, &view));
    write_head(&p->params, p->code, out);
    FMC_TRY(fmc_pcm_encode(b->ex, &view, &p->params, p->src, b->mask, &body));
    fmc_out_varint(out, body.size);
    fmc_out_bytes(out, body.data, body.size);
    st = out->st;
done:
    fmc_out_fini(&body);
    return st;
}

fmc_status fmc_plan_decode(const fmc_plan_block *b, fmc_in *in, const fmc_pcm_params *p, uint32_t code, void *dst)
{
    const uint64_t size = fmc_in_varint(in);
    const uint8_t *body = fmc_in_bytes(in, size);
    fmc_pcm_view view;
    fmc_status st = fmc_in_status(in);

    if (st == FMC_OK)
        st = fmc_view_make(code, b->rank, b->dim, &view);
    if (st == FMC_OK)
        st = fmc_pcm_decode(b->ex, &view, p, body, (size_t)size, b->mask, dst);
    return st;
}
