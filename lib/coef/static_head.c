/* SPDX-License-Identifier: Apache-2.0 */
/* What a block of tier STATIC says before its symbols: parameters of bands, shapes of tables (docs/format.md 8.9). */
#include <string.h>

#include "coef/static_model.h"
#include "core/compiler.h"
#include "core/status.h"
#include "entropy/mixer.h"

enum { LIMIT = 30, MAX_BITS = 9 };

/* Counters of one kind of number. */
typedef struct number_model {
    fmc_prob longer[MAX_BITS];
} number_model;

/* One side of the binary coder, and the counters. */
typedef struct head_coder {
    fmc_enc     *enc; /* exactly one of both is set */
    fmc_dec     *dec;
    fmc_prob     has_mean[2], differs;
    number_model gain[2], tap, decision[3];
} head_coder;

static void init_coder(head_coder *c)
{
    fmc_prob *p = c->has_mean;

    for (size_t i = 0; i < 2; i++)
        p[i] = FMC_PROB_INIT;
    c->differs = FMC_PROB_INIT;
    for (size_t i = 0; i < MAX_BITS; i++)
        c->gain[0].longer[i] = c->gain[1].longer[i] = c->tap.longer[i] = c->decision[0].longer[i] =
            c->decision[1].longer[i] = c->decision[2].longer[i] = FMC_PROB_INIT;
}

static unsigned code_bit(head_coder *c, fmc_prob *p, unsigned bit)
{
    if (c->dec)
        bit = fmc_dec_bit(c->dec, fmc_prob_p16(*p));
    else
        fmc_enc_bit(c->enc, bit, fmc_prob_p16(*p));
    fmc_prob_update(p, bit, LIMIT);
    return bit;
}

static uint32_t code_raw(head_coder *c, uint32_t v, unsigned n)
{
    if (c->dec)
        return fmc_dec_raw(c->dec, n);
    fmc_enc_raw(c->enc, v, n);
    return v;
}

/* Number of bits of |v| in unary, sign, bits below the highest. |v| < 2^9. */
static int code_number(head_coder *c, number_model *m, int v)
{
    const uint32_t a = (uint32_t)(v < 0 ? -v : v);
    uint32_t low, n = 0;
    unsigned negative;

    while (n < MAX_BITS && code_bit(c, &m->longer[n], a >> n != 0))
        n++;
    if (n == 0)
        return 0;
    negative = code_raw(c, v < 0, 1);
    low = code_raw(c, a & ((1u << (n - 1)) - 1), n - 1);
    low |= 1u << (n - 1);
    return negative ? -(int)low : (int)low;
}

/* Sums that no encoder writes stay out of range. */
static int8_t sum_of(int a, int b)
{
    return (int8_t)(a + b > 127 ? 127 : a + b < -127 ? -127 : a + b);
}

static void code_band(head_coder *c, fmc_static_band *b)
{
    for (int k = 0; k < 2; k++) {
        fmc_static_phase *p = &b->phase[k];
        const size_t n_taps = k ? FMC_STATIC_TAPS : FMC_STATIC_TAPS - FMC_STATIC_NEAR_TAPS;
        const int gain = code_number(c, &c->gain[k], p->gain - (k ? b->phase[0].gain : 0));

        p->gain = sum_of(gain, k ? b->phase[0].gain : 0);
        p->has_mean = (uint8_t)code_bit(c, &c->has_mean[k], p->has_mean);
        for (size_t i = 0; p->has_mean && i < n_taps; i++)
            p->tap[i] = (int16_t)code_number(c, &c->tap, p->tap[i]);
    }
}

static void code_shape(head_coder *c, size_t index, fmc_static_shape *shape)
{
    const fmc_static_shape *standard = &fmc_static_default[index];
    const int differs = (int)code_bit(c, &c->differs, memcmp(shape, standard, sizeof *shape) != 0);

    for (int i = 0; differs && i < FMC_STATIC_DECISIONS; i++) {
        number_model *m = &c->decision[i == 0 ? 0 : i < FMC_STATIC_SIZES ? 1 : 2];

        if (fmc_static_has_decision(index, i))
            shape->d[i] = sum_of(standard->d[i], code_number(c, m, shape->d[i] - standard->d[i]));
    }
}

static void code_head(head_coder *c, fmc_static_band *band, size_t n_bands, fmc_static_shape *shape)
{
    init_coder(c);
    for (size_t i = 0; i < n_bands; i++)
        if (band[i].n_rows)
            code_band(c, &band[i]);
    for (size_t i = 0; i < FMC_STATIC_TABLES; i++)
        code_shape(c, i, &shape[i]);
}

void fmc_static_head_write(fmc_static *s, fmc_out *out)
{
    fmc_out head = fmc_out_make(s->job->ex->alloc);
    head_coder c = { 0 };
    fmc_enc enc;

    fmc_enc_init(&enc, &head);
    c.enc = &enc;
    code_head(&c, s->band, s->job->n_bands, s->shape);
    fmc_enc_finish(&enc);
    fmc_out_varint(out, head.size);
    fmc_out_bytes(out, head.data, head.size);
    if (out->st == FMC_OK)
        out->st = head.st;
    fmc_out_fini(&head);
}

static int is_sound(const fmc_static *s)
{
    for (size_t i = 0; i < s->job->n_bands; i++)
        for (int k = 0; k < 2; k++)
            if (s->band[i].phase[k].gain > FMC_STATIC_MAX_GAIN || s->band[i].phase[k].gain < -FMC_STATIC_MAX_GAIN)
                return 0;
    for (size_t i = 0; i < FMC_STATIC_TABLES; i++)
        for (int k = 0; k < FMC_STATIC_DECISIONS; k++)
            if (s->shape[i].d[k] > FMC_STATIC_STEPS || s->shape[i].d[k] < -FMC_STATIC_STEPS)
                return 0;
    return 1;
}

fmc_status fmc_static_head_read(fmc_static *s, fmc_in *in)
{
    const uint64_t size = fmc_in_varint(in);
    fmc_in head = fmc_in_sub(in, size);
    head_coder c = { 0 };
    fmc_dec dec;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    fmc_dec_init(&dec, head.data, head.size);
    c.dec = &dec;
    code_head(&c, s->band, s->job->n_bands, s->shape);
    FMC_TRY(fmc_dec_finish(&dec) == FMC_OK ? FMC_OK : FMC_ERR_CORRUPT);
    FMC_TRY(is_sound(s) ? FMC_OK : FMC_ERR_CORRUPT);
done:
    return st;
}
