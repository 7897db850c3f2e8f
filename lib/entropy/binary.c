/* SPDX-License-Identifier: Apache-2.0 */
#include "entropy/binary.h"

/* The decoder is 8 bytes ahead of what the encoder has shifted out; zeros at the end may be left out on top. */
enum { MAX_DROPPED = 4, MAX_PAST = 8 + MAX_DROPPED };

void fmc_enc_init(fmc_enc *e, fmc_out *out)
{
    e->low = 0;
    e->range = UINT64_MAX;
    e->out = out;
    e->begin = out->size;
}

void fmc_enc_carry(const fmc_enc *e)
{
    size_t i = e->out->size;

    if (e->out->st != FMC_OK)
        return;
    while (i > e->begin && ++e->out->data[--i] == 0)
        ;
}

void fmc_enc_shift(fmc_enc *e)
{
    uint8_t *p = fmc_out_reserve(e->out, 4);

    if (p) {
        p[0] = (uint8_t)(e->low >> 56);
        p[1] = (uint8_t)(e->low >> 48);
        p[2] = (uint8_t)(e->low >> 40);
        p[3] = (uint8_t)(e->low >> 32);
        e->out->size += 4;
    }
    e->low <<= 32;
    e->range <<= 32;
}

void fmc_enc_finish(fmc_enc *e)
{
    /* Any value in [low, low + range) will do: take the one with the most trailing zeros. */
    for (unsigned keep = 0; keep <= 64; keep += 8) {
        const uint64_t tail = keep == 64 ? 0 : UINT64_MAX >> keep;
        const uint64_t v = (e->low + tail) & ~tail;
        const bool wrapped = v < e->low;

        if (v - e->low >= e->range)
            continue;
        if (wrapped)
            fmc_enc_carry(e);
        for (unsigned i = 0; i < keep / 8; i++)
            fmc_out_u8(e->out, (uint8_t)(v >> (56 - 8 * i)));
        break;
    }
    for (unsigned i = 0; i < MAX_DROPPED && e->out->size > e->begin && e->out->data[e->out->size - 1] == 0; i++)
        e->out->size--;
}

static uint32_t next32(fmc_dec *d)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        v <<= 8;
        if (d->p < d->end)
            v |= *d->p++;
        else
            d->n_past += d->n_past < UINT32_MAX;
    }
    return v;
}

void fmc_dec_init(fmc_dec *d, const uint8_t *data, size_t size)
{
    d->p = data;
    d->end = data + size;
    d->n_past = 0;
    d->range = UINT64_MAX;
    d->code = (uint64_t)next32(d) << 32;
    d->code |= next32(d);
}

void fmc_dec_shift(fmc_dec *d)
{
    d->range <<= 32;
    d->code = d->code << 32 | next32(d);
}

fmc_status fmc_dec_finish(const fmc_dec *d)
{
    return d->n_past > MAX_PAST ? FMC_ERR_TRUNCATED : FMC_OK;
}
