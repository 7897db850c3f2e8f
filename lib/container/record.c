/* SPDX-License-Identifier: Apache-2.0 */
#include "container/record.h"

#include "container/check.h"

void fmc_record_write(const fmc_record *r, fmc_out *out)
{
    const size_t begin = out->size;

    fmc_out_u8(out, FMC_TAG_CHUNK);
    fmc_out_varint(out, r->ordinal);
    if (r->steps)
        fmc_out_varint(out, r->steps);
    fmc_out_varint(out, r->payload_size);
    fmc_out_u32(out, r->payload_check);
    if (out->st == FMC_OK)
        fmc_out_u32(out, fmc_check32(out->data + begin, out->size - begin));
}

fmc_status fmc_record_parse(fmc_in *in, int has_steps, fmc_record *r)
{
    const size_t begin = in->pos;
    fmc_record p = { 0 };
    uint32_t check;

    if (fmc_in_u8(in) != FMC_TAG_CHUNK)
        return in->short_read ? FMC_ERR_TRUNCATED : FMC_ERR_CORRUPT;
    p.ordinal = fmc_in_varint(in);
    if (has_steps)
        p.steps = fmc_in_varint(in);
    p.payload_size = fmc_in_varint(in);
    p.payload_check = fmc_in_u32(in);
    p.head_size = (uint32_t)(in->pos - begin) + 4;
    check = fmc_in_u32(in);
    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    if (!fmc_check_ok(check, fmc_check32(in->data + begin, p.head_size - 4)))
        return FMC_ERR_CORRUPT;
    *r = p;
    return FMC_OK;
}
