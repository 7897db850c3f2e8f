/* SPDX-License-Identifier: Apache-2.0 */
/* Coarse versions: from the coarse bands where there are such, else every 2^s-th sample (docs/format.md 5.6). */
#include <string.h>

#include "codec/coder.h"
#include "codec/frame.h"
#include "core/status.h"

/* A walk over the samples whose index is a multiple of step[a] along every axis, in raster order. */
typedef struct walk {
    uint32_t rank;
    size_t   dim[FMC_MAX_RANK];
    size_t   step[FMC_MAX_RANK];
    size_t   at[FMC_MAX_RANK];
    size_t   from; /* place of the present sample in the whole array */
} walk;

static walk walk_start(const fmc_signal *s, uint32_t scale)
{
    walk w = { .rank = s->rank };

    for (uint32_t a = 0; a < s->rank; a++) {
        w.dim[a] = s->dim[a];
        w.step[a] = s->dim[a] > 1 ? (size_t)1 << scale : 1;
    }
    return w;
}

/* @return 0 after the last sample. */
static int walk_next(walk *w)
{
    size_t from = 0;
    uint32_t a = w->rank;

    while (a-- > 0) {
        w->at[a] += w->step[a];
        if (w->at[a] < w->dim[a])
            break;
        w->at[a] = 0;
        if (a == 0)
            return 0;
    }
    for (uint32_t i = 0; i < w->rank; i++)
        from = from * w->dim[i] + w->at[i];
    w->from = from;
    return 1;
}

static void subsample(walk w, size_t sample, const uint8_t *src, uint8_t *dst)
{
    do {
        memcpy(dst, src + w.from * sample, sample);
        dst += sample;
    } while (walk_next(&w));
}

static void put_bits(uint32_t dtype, uint64_t bits, uint8_t *to)
{
    const uint32_t half = (uint32_t)bits;

    if (dtype == FMC_F64)
        memcpy(to, &bits, sizeof bits);
    else
        memcpy(to, &half, sizeof half);
}

/* Overwrite the coarse samples that stand at masked ones. */
static void apply_mask(walk w, const fmc_masked *m, uint32_t dtype, uint8_t *data)
{
    const size_t sample = dtype == FMC_F64 ? 8 : 4;
    size_t seen = 0, n_other = 0;

    if (!m->cls)
        return;
    do {
        const uint8_t k = m->cls[w.from];

        for (; seen < w.from; seen++)
            n_other += m->cls[seen] > m->n_layers;
        if (k > 0) {
            uint64_t bits = k <= m->n_layers ? m->pattern[k - 1] : 0;

            for (size_t b = 0; k > m->n_layers && b < sample; b++)
                bits |= (uint64_t)m->other[b * m->n_other + n_other] << (8 * b);
            put_bits(dtype, bits, data);
        }
        data += sample;
    } while (walk_next(&w));
}

/* From the transform's coarse array, in the coders' order, to coarse samples of the chunk in the working type. */
static fmc_status gather(const fmc_exec *ex, const fmc_frame *f, const fmc_signal *c, uint32_t scale, void *coarse,
                         void *y)
{
    const size_t sample = fmc_signal_sample(c);
    fmc_signal plain = *c; /* the chunk's order */
    walk w;
    fmc_status st;

    for (uint32_t i = 0; i < c->rank; i++)
        plain.dim[f->order.axis[i]] = c->dim[i];
    FMC_TRY(fmc_axis_order_move_in(ex, &f->order, &plain, sample, coarse, 1));
    w = walk_start(&plain, scale);
    for (uint32_t a = 0; a < c->rank; a++) /* what the transform has made coarse is done */
        w.step[a] = plain.dim[a] == f->plain.dim[a] ? w.step[a] : 1;
    subsample(w, sample, coarse, y);
done:
    return st;
}

static fmc_status preview_transform(const fmc_exec *ex, const fmc_block *block, fmc_frame *f, fmc_in *in,
                                    uint32_t scale, void *data)
{
    fmc_signal c;
    void *coarse = NULL, *y = NULL;
    uint8_t *sign = NULL;
    size_t count = 1;
    fmc_in body;
    fmc_status st;

    FMC_TRY(fmc_frame_read(ex, block, in, f));
    body = fmc_section_read(in);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(fmc_transform_preview(ex, &f->signal, &body, scale, &c, &coarse));
    for (uint32_t a = 0; a < f->plain.rank; a++)
        count *= f->plain.dim[a] > 1 ? ((f->plain.dim[a] - 1) >> scale) + 1 : 1;
    FMC_TRY(fmc_alloc(ex->alloc, count, fmc_signal_sample(&c), &y));
    FMC_TRY(gather(ex, f, &c, scale, coarse, y));
    if (f->sign) {
        FMC_TRY(FMC_ALLOC(ex->alloc, count, &sign));
        subsample(walk_start(&f->plain, scale), 1, f->sign, sign);
    }
    if (f->flags & FMC_PAYLOAD_LOG)
        FMC_TRY(fmc_log_inverse(ex, &f->norm, count, c.dtype, y, sign, block->dtype, data));
    else
        FMC_TRY(fmc_norm_inverse(ex, &f->norm, count, c.dtype, y, block->dtype, data));
    apply_mask(walk_start(&f->plain, scale), &f->mask, block->dtype, data);
done:
    fmc_dealloc(ex->alloc, coarse);
    fmc_dealloc(ex->alloc, y);
    fmc_dealloc(ex->alloc, sign);
    return st;
}

fmc_status fmc_chunk_preview(const fmc_exec *ex, const fmc_block *block, fmc_in payload, uint32_t scale_log2,
                             void *data)
{
    const size_t sample = block->dtype == FMC_F64 ? 8 : 4;
    fmc_in in = payload;
    fmc_frame f = { 0 };
    void *whole = NULL;
    fmc_status st;

    if (scale_log2 == 0)
        return fmc_chunk_decode(ex, block, payload, data);
    FMC_TRY(fmc_frame_head(block, &in, &f));
    if (f.coder == FMC_CODER_TRANSFORM && !(f.flags & FMC_PAYLOAD_BASE)) {
        st = preview_transform(ex, block, &f, &in, scale_log2, data);
        if (st != FMC_ERR_UNSUPPORTED)
            goto done;
    }
    FMC_TRY(fmc_alloc(ex->alloc, f.plain.count, sample, &whole));
    FMC_TRY(fmc_chunk_decode(ex, block, payload, whole));
    subsample(walk_start(&f.plain, scale_log2), sample, whole, data);
done:
    fmc_dealloc(ex->alloc, whole);
    fmc_frame_fini(ex, &f);
    return st;
}
