/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/bits.h"

#include "core/status.h"
#include "entropy/binary.h"
#include "entropy/mixer.h"

enum { N_STATE = 65536 };

typedef struct io {
    fmc_enc enc;
    fmc_dec dec;
    bool encoding;
} io;

static inline unsigned code(io *c, fmc_prob *p, unsigned bit)
{
    const uint32_t q = fmc_prob_p16(*p);

    if (c->encoding)
        fmc_enc_bit(&c->enc, bit, q);
    else
        bit = fmc_dec_bit(&c->dec, q);
    fmc_prob_update(p, bit, 250);
    return bit;
}

/* Run `body` with a fresh coder and table; sizes written and read around it. */
typedef void body_fn(io *c, fmc_prob *t, void *user);

static fmc_status with_table(const fmc_exec *ex, io *c, body_fn *body, void *user)
{
    fmc_prob *t = NULL;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, N_STATE, &t));
    for (uint32_t i = 0; i < N_STATE; i++)
        t[i] = FMC_PROB_INIT;
    body(c, t, user);
done:
    fmc_dealloc(ex->alloc, t);
    return st;
}

static fmc_status encode(const fmc_exec *ex, body_fn *body, void *user, fmc_out *out)
{
    io c = { .encoding = true };
    fmc_out tmp = fmc_out_make(ex->alloc);
    fmc_status st;

    fmc_enc_init(&c.enc, &tmp);
    FMC_TRY(with_table(ex, &c, body, user));
    fmc_enc_finish(&c.enc);
    FMC_TRY(tmp.st);
    fmc_out_varint(out, tmp.size);
    fmc_out_bytes(out, tmp.data, tmp.size);
    st = out->st;
done:
    fmc_out_fini(&tmp);
    return st;
}

static fmc_status decode(const fmc_exec *ex, body_fn *body, void *user, fmc_in *in)
{
    io c = { .encoding = false };
    const uint64_t size = fmc_in_varint(in);
    const uint8_t *p = fmc_in_bytes(in, size);
    fmc_status st = fmc_in_status(in);

    if (st != FMC_OK)
        return st;
    fmc_dec_init(&c.dec, p, (size_t)size);
    FMC_TRY(with_table(ex, &c, body, user));
    st = fmc_dec_finish(&c.dec);
done:
    return st;
}

typedef struct symbols {
    const uint8_t *src;
    uint8_t *dst;
    size_t n;
    uint32_t width;
} symbols;

static void symbols_body(io *c, fmc_prob *t, void *user)
{
    const symbols *s = user;
    const uint32_t n_ctx = 1u << (s->width < 2 ? 7 : 8);
    uint32_t history = 0;

    for (size_t i = 0; i < s->n; i++) {
        const uint32_t v = s->src ? s->src[i] : 0;
        uint32_t node = 1;

        for (uint32_t b = s->width; b-- > 0;)
            node = node << 1 | code(c, &t[(history & (n_ctx - 1)) * 256 + node], v >> b & 1);
        node -= 1u << s->width;
        if (s->dst)
            s->dst[i] = (uint8_t)node;
        history = s->width < 3 ? history << s->width | node : (history & 15) << 4 | (node & 15);
    }
}

fmc_status fmc_bits_encode(const fmc_exec *ex, const uint8_t *v, size_t n, uint32_t width, fmc_out *out)
{
    symbols s = { v, NULL, n, width };

    return encode(ex, symbols_body, &s, out);
}

fmc_status fmc_bits_decode(const fmc_exec *ex, fmc_in *in, size_t n, uint32_t width, uint8_t *v)
{
    symbols s = { NULL, v, n, width };

    return decode(ex, symbols_body, &s, in);
}

typedef struct plane {
    const uint8_t *src;
    uint8_t *dst;
    size_t n, nx, ny;
} plane;

static void mask_body(io *c, fmc_prob *t, void *user)
{
    const plane *s = user;
    const uint8_t *m = s->src ? s->src : s->dst;
    const size_t nx = s->nx, np = s->nx * s->ny;

    for (size_t i = 0; i < s->n; i++) {
        const size_t x = i % nx;
        const uint32_t w = x ? m[i - 1] : 0, ww = x > 1 ? m[i - 2] : w;
        const uint32_t n = i >= nx ? m[i - nx] : 0, nw = i >= nx && x ? m[i - nx - 1] : n;
        const uint32_t ne = i >= nx && x + 1 < nx ? m[i - nx + 1] : n, nn = i >= 2 * nx ? m[i - 2 * nx] : n;
        const uint32_t u = i >= np ? m[i - np] : 2, ue = i >= np ? m[i - np + (x + 1 < nx)] : 0;
        const uint32_t us = i >= np ? m[i - np + (i - np + nx < i ? nx : 0)] : 0;
        const uint32_t ctx = (w | ww << 1 | n << 2 | nw << 3 | ne << 4 | nn << 5 | ue << 6 | us << 7) * 3 + u;
        const unsigned bit = code(c, &t[ctx], s->src ? s->src[i] : 0);

        if (s->dst)
            s->dst[i] = (uint8_t)bit;
    }
}

fmc_status fmc_bits_encode_mask(const fmc_exec *ex, const uint8_t *mask, size_t n, size_t nx, size_t ny, fmc_out *out)
{
    plane s = { mask, NULL, n, nx, ny };

    return encode(ex, mask_body, &s, out);
}

fmc_status fmc_bits_decode_mask(const fmc_exec *ex, fmc_in *in, size_t n, size_t nx, size_t ny, uint8_t *mask)
{
    plane s = { NULL, mask, n, nx, ny };

    return decode(ex, mask_body, &s, in);
}
