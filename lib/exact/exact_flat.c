/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_flat.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "entropy/binary.h"
#include "entropy/mixer.h"
#include "grid/lattice.h"

enum { TREE_BITS = 12, TREE = 1 << TREE_BITS, PROBE = 65536 };

static uint64_t offset_at(const fmc_flat *f, const void *data, size_t i)
{
    const int64_t x = f->single ? fmc_order_f32(((const float *)data)[i]) : fmc_order_f64(((const double *)data)[i]);

    return (uint64_t)x - (uint64_t)f->lo;
}

/* Number of raw bits: what is left of the span after TREE_BITS. */
static unsigned raw_bits(const fmc_flat *f)
{
    const uint64_t span = (uint64_t)f->hi - (uint64_t)f->lo;
    unsigned n = 0;

    while (span >> n >= TREE)
        n++;
    return n;
}

fmc_status fmc_exact_flat_estimate(const fmc_exec *ex, const fmc_flat *f, const void *data, size_t *size)
{
    const unsigned raw = raw_bits(f);
    const size_t stride = f->n / PROBE + 1;
    uint32_t *count = NULL;
    size_t seen = 0, n = 0;
    double bits = 0;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, TREE, &count));
    for (size_t i = 0; i < f->n; i += stride) {
        n++;
        if (f->mask && f->mask[i])
            continue;
        count[offset_at(f, data, i) >> raw]++;
        seen++;
    }
    for (size_t i = 0; i < TREE; i++)
        if (count[i])
            bits += count[i] * log2((double)seen / count[i]) + 4; /* 4: to learn it */
    bits += (double)seen * (raw + 0.03);
    *size = (size_t)(bits / 8 * ((double)f->n / (double)(n ? n : 1))) + 32;
done:
    fmc_dealloc(ex->alloc, count);
    return st;
}

static fmc_status make_tree(const fmc_exec *ex, fmc_prob **tree)
{
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, TREE, tree));
    for (size_t i = 0; i < TREE; i++)
        (*tree)[i] = FMC_PROB_INIT;
done:
    return st;
}

fmc_status fmc_exact_flat_encode(const fmc_exec *ex, const fmc_flat *f, const void *data, fmc_out *out)
{
    const unsigned raw = raw_bits(f);
    fmc_out body = fmc_out_make(ex->alloc);
    fmc_prob *tree = NULL;
    fmc_enc enc;
    fmc_status st;

    FMC_TRY(make_tree(ex, &tree));
    fmc_enc_init(&enc, &body);
    for (size_t i = 0; i < f->n; i++) {
        const uint64_t u = offset_at(f, data, i);
        uint32_t node = 1;

        if (f->mask && f->mask[i])
            continue;
        for (unsigned b = TREE_BITS; b-- > 0;) {
            const unsigned bit = (unsigned)(u >> (raw + b)) & 1;

            fmc_enc_bit(&enc, bit, fmc_prob_p16(tree[node]));
            fmc_prob_update(&tree[node], bit, 255);
            node = node << 1 | bit;
        }
        for (unsigned left = raw; left;) {
            const unsigned k = left > 16 ? 16 : left;

            left -= k;
            fmc_enc_raw(&enc, (uint32_t)(u >> left) & ((1u << k) - 1), k);
        }
    }
    fmc_enc_finish(&enc);
    FMC_TRY(body.st);
    fmc_out_svarint(out, f->lo);
    fmc_out_svarint(out, f->hi);
    fmc_out_varint(out, body.size);
    fmc_out_bytes(out, body.data, body.size);
    st = out->st;
done:
    fmc_out_fini(&body);
    fmc_dealloc(ex->alloc, tree);
    return st;
}

static uint64_t read_offset(fmc_dec *dec, fmc_prob *tree, unsigned raw)
{
    uint64_t u;
    uint32_t node = 1;

    for (unsigned b = 0; b < TREE_BITS; b++) {
        const unsigned bit = fmc_dec_bit(dec, fmc_prob_p16(tree[node]));

        fmc_prob_update(&tree[node], bit, 255);
        node = node << 1 | bit;
    }
    u = (uint64_t)(node - TREE) << raw;
    while (raw) {
        const unsigned k = raw > 16 ? 16 : raw;

        raw -= k;
        u |= (uint64_t)fmc_dec_raw(dec, k) << raw;
    }
    return u;
}

fmc_status fmc_exact_flat_decode(const fmc_exec *ex, const fmc_flat *flat, fmc_in *in, void *data)
{
    fmc_flat f = *flat;
    fmc_lattice range = { .kind = f.single ? FMC_LATTICE_F32 : FMC_LATTICE_F64 };
    fmc_prob *tree = NULL;
    const uint8_t *body;
    uint64_t size, span;
    unsigned raw;
    fmc_dec dec;
    fmc_status st;

    f.lo = range.lo = fmc_in_svarint(in);
    f.hi = range.hi = fmc_in_svarint(in);
    size = fmc_in_varint(in);
    body = fmc_in_bytes(in, size);
    FMC_TRY(fmc_in_status(in));
    if (!fmc_lattice_is_sound(&range))
        return FMC_ERR_CORRUPT;
    span = (uint64_t)f.hi - (uint64_t)f.lo;
    raw = raw_bits(&f);
    FMC_TRY(make_tree(ex, &tree));
    fmc_dec_init(&dec, body, (size_t)size);
    for (size_t i = 0; i < f.n; i++) {
        uint64_t u;
        int64_t x;

        if (f.mask && f.mask[i])
            continue;
        u = read_offset(&dec, tree, raw);
        x = (int64_t)((uint64_t)f.lo + (u > span ? span : u));
        if (f.single)
            ((float *)data)[i] = fmc_unorder_f32(x);
        else
            ((double *)data)[i] = fmc_unorder_f64(x);
    }
    st = fmc_dec_finish(&dec);
done:
    fmc_dealloc(ex->alloc, tree);
    return st;
}
