/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and the low band around the row coder (docs/format.md 8.1). */
#include "coef/coef.h"

#include <string.h>

#include "coef/block.h"
#include "coef/static.h"
#include "core/status.h"

enum { BLOCK_LOG2 = 20, MAX_BLOCKS = 64 };

/* One call: both directions share it. */
typedef struct job {
    const fmc_exec  *ex;
    const fmc_band  *band;
    size_t           n_bands;
    size_t           n_coded;  /* leading bands that are coded at all */
    size_t           count;
    size_t           max_row;
    int32_t         *q;        /* the caller's, or a copy with the low band differenced */
    uint8_t         *mag;
    int16_t         *log;      /* tier PRIOR: fmc_prior_log of q as far as it is known */
    const fmc_prior *prior;
    uint32_t         tier;
    uint32_t         n_blocks;
    uint32_t         order[MAX_BLOCKS]; /* in which blocks are worked on */
    fmc_out          out[MAX_BLOCKS];
    fmc_in           in[MAX_BLOCKS];
    int              dec;
} job;

static uint32_t count_blocks(const job *j)
{
    size_t rows = 1, n = j->count >> BLOCK_LOG2;

    for (size_t i = 0; i < j->n_bands; i++)
        rows = j->band[i].dim[3] > rows ? j->band[i].dim[3] : rows;
    n = n > rows / 8 ? rows / 8 : n;
    return n < 1 ? 1 : n > MAX_BLOCKS ? MAX_BLOCKS : (uint32_t)n;
}

/*
 * Gradient prediction in the lowest band, W + N - NW: a difference along the row of the differences from the row above.
 * Modulo 2^32, so that no stream can overflow it: what leaves the range on the way is out of range then, too.
 */
static void difference_rows(uint32_t *restrict q, const uint32_t *restrict north, size_t n, int sign)
{
    if (sign > 0)
        for (size_t x = 0; x < n; x++)
            q[x] += north[x];
    else
        for (size_t x = 0; x < n; x++)
            q[x] -= north[x];
}

static void difference_along(uint32_t *q, size_t n, int sign)
{
    if (sign > 0)
        for (size_t x = 1; x < n; x++)
            q[x] += q[x - 1];
    else
        for (size_t x = n; x-- > 1;)
            q[x] -= q[x - 1];
}

static int is_in_range(const uint32_t *q, size_t n)
{
    uint32_t out = 0;

    for (size_t x = 0; x < n; x++)
        out |= q[x] + FMC_COEF_MAX > 2u * FMC_COEF_MAX;
    return !out;
}

/* sign -1: values to differences (last first); +1: differences to values. */
static fmc_status difference_low(const fmc_band *band, int32_t *q, int sign)
{
    const size_t n = band->dim[4], rows = band->dim[3], n_rows = n ? band->count / n : 0;
    uint32_t *base = (uint32_t *)(q + band->start);

    for (size_t k = 0; k < n_rows; k++) {
        const size_t r = sign > 0 ? k : n_rows - 1 - k;
        uint32_t *row = base + r * n, first = 0;

        if (r && r % rows == 0)
            first = row[-(ptrdiff_t)(rows * n)];
        if (sign > 0) {
            row[0] += first;
            difference_along(row, n, sign);
        }
        if (r % rows)
            difference_rows(row, row - n, n, sign);
        if (sign < 0) {
            difference_along(row, n, sign);
            row[0] -= first;
        }
        if (!is_in_range(row, n))
            return FMC_ERR_CORRUPT;
    }
    return FMC_OK;
}

static void code_band(fmc_coef_block *b, size_t i)
{
    const fmc_band *band = &b->band[i];
    const size_t lo = band->dim[3] * b->index / b->n_blocks, hi = band->dim[3] * (b->index + 1) / b->n_blocks;
    size_t at[4];
    fmc_coef_row row;

    fmc_mean_reset(&b->model->own);
    for (at[0] = 0; at[0] < band->dim[0]; at[0]++)
        for (at[1] = 0; at[1] < band->dim[1]; at[1]++)
            for (at[2] = 0; at[2] < band->dim[2]; at[2]++)
                for (at[3] = lo; at[3] < hi; at[3]++) {
                    fmc_coef_prepare_row(b, i, at, &row);
                    fmc_coef_code_row(b, &row);
                }
}

static fmc_status code_bands(const job *j, fmc_coef_block *b)
{
    fmc_status st = FMC_OK;

    for (size_t i = 0; i < j->n_coded; i++) {
        if (fmc_is_cancelled(j->ex))
            FMC_TRY(FMC_ERR_CANCELLED);
        if (j->band[i].count == 0)
            continue;
        code_band(b, i);
        if (b->dec)
            FMC_TRY(fmc_dec_finish(b->dec)); /* no long work on a stream that has ended */
    }
done:
    return st;
}

/* A block with adaptive models (8.2 to 8.5). */
static fmc_status run_adaptive(job *j, uint32_t index, uint32_t tier, fmc_out *out, const fmc_in *in)
{
    fmc_coef_block b = { .ex = j->ex, .kernels = fmc_kernels_get(j->ex), .band = j->band, .n_bands = j->n_bands,
                         .q = j->q, .mag = j->mag, .log = j->log, .index = index, .n_blocks = j->n_blocks };
    fmc_enc enc;
    fmc_dec dec;
    fmc_status st;

    FMC_TRY(fmc_coef_model_create(j->ex->alloc, tier, j->prior, &b.model));
    FMC_TRY(fmc_coef_scratch_create(j->ex->alloc, j->max_row, &b.scratch));
    if (tier != FMC_COEF_AVERAGE)
        b.scratch.symbols.pair[0] = NULL;
    if (j->dec) {
        fmc_dec_init(&dec, in->data + in->pos, fmc_in_left(in));
        b.dec = &dec;
    } else {
        fmc_enc_init(&enc, out);
        b.enc = &enc;
    }
    FMC_TRY(code_bands(j, &b));
    if (!j->dec) {
        fmc_enc_finish(&enc);
        st = out->st;
    }
    if (b.model->prior && j->prior->watch && j->prior->watch->block)
        j->prior->watch->block(j->prior->watch->user, b.model);
done:
    fmc_coef_scratch_destroy(j->ex->alloc, &b.scratch);
    fmc_coef_model_destroy(j->ex->alloc, b.model);
    return st;
}

/* Tier STATIC: a byte says whether the block is one of tier AVERAGE after all, which small blocks may be. */
static fmc_status encode_static(job *j, uint32_t index, const fmc_static_job *s)
{
    fmc_out *out = &j->out[index], small = fmc_out_make(j->ex->alloc);
    fmc_status st;

    fmc_out_u8(out, 0);
    FMC_TRY(fmc_static_encode(s, out));
    if (out->size < FMC_STATIC_SMALL) {
        fmc_out_u8(&small, 1);
        FMC_TRY(run_adaptive(j, index, FMC_COEF_AVERAGE, &small, NULL));
        if (small.size < out->size) {
            out->size = 0;
            fmc_out_bytes(out, small.data, small.size);
        }
    }
    st = out->st;
done:
    fmc_out_fini(&small);
    return st;
}

static fmc_status decode_static(job *j, uint32_t index, const fmc_static_job *s)
{
    fmc_in *in = &j->in[index];
    const unsigned kind = fmc_in_u8(in);

    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    if (kind > 1)
        return FMC_ERR_CORRUPT;
    return kind ? run_adaptive(j, index, FMC_COEF_AVERAGE, NULL, in) : fmc_static_decode(s, in);
}

static fmc_status run_block(void *user, uint32_t i)
{
    job *j = user;
    const uint32_t index = j->order[i];
    const fmc_static_job s = { j->ex, j->band, j->n_bands, j->n_coded, j->q, index, j->n_blocks };

    if (j->tier != FMC_COEF_STATIC)
        return run_adaptive(j, index, j->tier, &j->out[index], &j->in[index]);
    return j->dec ? decode_static(j, index, &s) : encode_static(j, index, &s);
}

/* The most work first: the last blocks are what threads wait for. */
static void order_blocks(job *j, const uint64_t *work)
{
    for (uint32_t i = 0; i < j->n_blocks; i++) {
        uint32_t at = i;

        for (; at > 0 && work[j->order[at - 1]] < work[i]; at--)
            j->order[at] = j->order[at - 1];
        j->order[at] = i;
    }
}

/* Values of a block that are not 0, from one in eight slices of the bands that hold most values. */
static uint64_t count_work(const job *j, uint32_t index)
{
    enum { EVERY = 8, LARGE = 64 };
    uint64_t work = 0;

    for (size_t b = 0; b < j->n_bands; b++) {
        const fmc_band *band = &j->band[b];
        const size_t first = band->dim[3] * index / j->n_blocks, end = band->dim[3] * (index + 1) / j->n_blocks;
        const size_t slice = band->dim[3] * band->dim[4], n = (end - first) * band->dim[4];

        for (size_t at = 0; band->count >= j->count / LARGE && at < band->count; at += EVERY * slice) {
            const int32_t *q = j->q + band->start + at + first * band->dim[4];

            for (size_t i = 0; i < n; i++)
                work += q[i] != 0;
        }
    }
    return work;
}

static fmc_status prepare(job *j)
{
    fmc_status st;

    for (size_t i = 0; i < j->n_bands; i++) {
        j->count += j->band[i].count;
        j->max_row = j->band[i].dim[4] > j->max_row ? j->band[i].dim[4] : j->max_row;
    }
    j->n_blocks = count_blocks(j);
    FMC_TRY(FMC_ALLOC(j->ex->alloc, j->count, &j->mag));
    if (j->prior)
        FMC_TRY(FMC_ALLOC_ZERO(j->ex->alloc, j->count, &j->log));
done:
    return st;
}

static void finish(job *j)
{
    for (uint32_t i = 0; i < MAX_BLOCKS; i++)
        if (!j->dec)
            fmc_out_fini(&j->out[i]);
    fmc_dealloc(j->ex->alloc, j->mag);
    fmc_dealloc(j->ex->alloc, j->log);
    fmc_dealloc(j->ex->alloc, j);
}

/* Undo difference_low; used by both sides, since the encoder works in the caller's array. */
static fmc_status restore_low(job *j)
{
    for (size_t i = 0; i < j->n_bands; i++)
        if (j->band[i].is_low)
            return difference_low(&j->band[i], j->q, 1);
    return FMC_OK;
}

fmc_status fmc_coef_encode(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q, uint32_t tier,
                           const fmc_prior *prior, fmc_out *out)
{
    uint64_t size[MAX_BLOCKS];
    fmc_status st;
    job *j;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &j));
    *j = (job){ .ex = ex, .band = band, .n_bands = n_bands, .n_coded = n_bands, .q = q, .tier = tier,
                 .prior = fmc_coef_kind(tier) == FMC_COEF_PRIOR ? prior : NULL };
    for (uint32_t i = 0; i < MAX_BLOCKS; i++)
        j->out[i] = fmc_out_make(ex->alloc);
    FMC_TRY(prepare(j));
    for (size_t i = 0; i < n_bands; i++)
        if (band[i].is_low)
            FMC_TRY(difference_low(&band[i], q, -1) == FMC_OK ? FMC_OK : FMC_ERR_UNSUPPORTED);
    for (uint32_t i = 0; i < j->n_blocks; i++)
        size[i] = j->n_blocks > 1 && (ex->n_threads > 1 || ex->parallel_for) ? count_work(j, i) : 0;
    order_blocks(j, size);
    st = fmc_parallel_for(ex, j->n_blocks, run_block, j);
    if (st == FMC_OK)
        st = restore_low(j);
    for (uint32_t i = 0; st == FMC_OK && i < j->n_blocks; i++)
        if (i + 1 < j->n_blocks)
            fmc_out_varint(out, j->out[i].size);
    for (uint32_t i = 0; st == FMC_OK && i < j->n_blocks; i++)
        fmc_out_bytes(out, j->out[i].data, j->out[i].size);
    if (st == FMC_OK)
        st = out->st;
done:
    if (j)
        finish(j);
    return st;
}

fmc_status fmc_coef_decode(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q, uint32_t tier,
                           const fmc_prior *prior, fmc_in *in)
{
    return fmc_coef_decode_first(ex, band, n_bands, n_bands, q, tier, prior, in);
}

fmc_status fmc_coef_decode_first(const fmc_exec *ex, const fmc_band *band, size_t n_bands, size_t n_decode, int32_t *q,
                                 uint32_t tier, const fmc_prior *prior, fmc_in *in)
{
    uint64_t size[MAX_BLOCKS];
    fmc_status st;
    job *j;

    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, 1, &j));
    *j = (job){ .ex = ex, .band = band, .n_bands = n_bands, .n_coded = n_decode, .q = q, .tier = tier,
                 .prior = fmc_coef_kind(tier) == FMC_COEF_PRIOR ? prior : NULL, .dec = 1 };
    FMC_TRY(prepare(j));
    for (uint32_t i = 0; i + 1 < j->n_blocks; i++)
        size[i] = fmc_in_varint(in);
    for (uint32_t i = 0; i + 1 < j->n_blocks; i++)
        j->in[i] = fmc_in_sub(in, size[i]);
    size[j->n_blocks - 1] = fmc_in_left(in);
    j->in[j->n_blocks - 1] = fmc_in_sub(in, size[j->n_blocks - 1]);
    FMC_TRY(fmc_in_status(in));
    order_blocks(j, size);
    FMC_TRY(fmc_parallel_for(ex, j->n_blocks, run_block, j));
    FMC_TRY(restore_low(j));
done:
    if (j)
        finish(j);
    return st;
}
