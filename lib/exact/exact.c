/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact.h"

#include <string.h>
#include <zstd.h>
#include "core/status.h"
#include "exact/exact_bits.h"
#include "exact/exact_block.h"
#include "exact/exact_special.h"

enum { MODE_RAW = 0, MODE_CONSTANT = 1, MODE_ZSTD = 2, MODE_BLOCKS = 3 };
enum { HAS_MASK = 16, IS_NARROW = 32 };
enum { BLOCK_SAMPLES = 1 << 20 };

/* Samples per block along axis 0: a function of the shape, known to both sides. */
static size_t rows_per_block(uint32_t rank, const size_t *dim)
{
    const size_t n = fmc_exact_count(rank, dim), row = n / dim[0];
    size_t rows = (BLOCK_SAMPLES + row - 1) / row;
    const size_t n_blocks = rows < dim[0] ? dim[0] / rows : 1;

    rows = (dim[0] + n_blocks - 1) / n_blocks;
    return rows;
}

/* ---- blocks in parallel ---- */

typedef struct work {
    fmc_exec ex; /* one thread each */
    uint32_t dtype, rank;
    const size_t *dim;
    size_t rows, row; /* per block; samples per index of axis 0 */
    const uint8_t *src;
    uint8_t *dst;
    const uint8_t *mask;
    uint32_t effort;
    fmc_out *out; /* [n_blocks] */
    fmc_in *in;
} work;

static void block_dims(const work *w, uint32_t i, size_t *dim)
{
    const size_t first = i * w->rows;

    for (uint32_t d = 0; d < w->rank; d++)
        dim[d] = w->dim[d];
    dim[0] = w->dim[0] - first < w->rows ? w->dim[0] - first : w->rows;
}

static fmc_status encode_task(void *user, uint32_t i)
{
    work *w = user;
    const size_t at = i * w->rows * w->row;
    size_t dim[FMC_MAX_RANK];

    block_dims(w, i, dim);
    return fmc_exact_block_encode(&w->ex, w->dtype, w->rank, dim, w->src + at * (w->dtype == FMC_F32 ? 4 : 8),
                                  w->mask ? w->mask + at : NULL, w->effort, w->out + i);
}

static fmc_status decode_task(void *user, uint32_t i)
{
    work *w = user;
    const size_t at = i * w->rows * w->row;
    size_t dim[FMC_MAX_RANK];
    fmc_status st;

    block_dims(w, i, dim);
    st = fmc_exact_block_decode(&w->ex, w->dtype, w->rank, dim, w->in + i, w->mask ? w->mask + at : NULL,
                                w->dst + at * (w->dtype == FMC_F32 ? 4 : 8));
    return st == FMC_OK && fmc_in_left(w->in + i) ? FMC_ERR_CORRUPT : st;
}

static void fill_work(work *w, const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim,
                      const uint8_t *mask)
{
    memset(w, 0, sizeof *w);
    w->ex = *ex;
    w->ex.n_threads = 1;
    w->ex.parallel_for = NULL;
    w->dtype = dtype;
    w->rank = rank;
    w->dim = dim;
    w->rows = rows_per_block(rank, dim);
    w->row = fmc_exact_count(rank, dim) / dim[0];
    w->mask = mask;
}

static fmc_status encode_blocks(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                                const uint8_t *mask, uint32_t effort, fmc_out *out)
{
    work w;
    uint32_t n_blocks;
    fmc_status st;

    fill_work(&w, ex, dtype, rank, dim, mask);
    n_blocks = (uint32_t)((dim[0] + w.rows - 1) / w.rows);
    w.src = data;
    w.effort = effort;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &w.out));
    for (uint32_t i = 0; i < n_blocks; i++)
        w.out[i] = fmc_out_make(ex->alloc);
    st = fmc_parallel_for(ex, n_blocks, encode_task, &w);
    for (uint32_t i = 0; i < n_blocks; i++) {
        fmc_out_varint(out, w.out[i].size);
        fmc_out_bytes(out, w.out[i].data, w.out[i].size);
        fmc_out_fini(w.out + i);
    }
    if (st == FMC_OK)
        st = out->st;
done:
    fmc_dealloc(ex->alloc, w.out);
    return st;
}

static fmc_status decode_blocks(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                                const uint8_t *mask, void *data)
{
    work w;
    uint32_t n_blocks;
    fmc_status st;

    fill_work(&w, ex, dtype, rank, dim, mask);
    n_blocks = (uint32_t)((dim[0] + w.rows - 1) / w.rows);
    w.dst = data;
    if (fmc_in_left(in) < n_blocks)
        return FMC_ERR_TRUNCATED;
    FMC_TRY(FMC_ALLOC(ex->alloc, n_blocks, &w.in));
    for (uint32_t i = 0; i < n_blocks; i++)
        w.in[i] = fmc_in_sub(in, fmc_in_varint(in));
    FMC_TRY(fmc_in_status(in));
    st = fmc_parallel_for(ex, n_blocks, decode_task, &w);
done:
    fmc_dealloc(ex->alloc, w.in);
    return st;
}

/* ---- the record ---- */

static bool is_constant(const void *data, uint32_t size, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (bits_at(data, size, i) != bits_at(data, size, 0))
            return false;
    return true;
}

/* True if every f64 is an f32, bit for bit. */
static bool is_narrow(const double *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double back = (double)(float)data[i];

        if (memcmp(&back, data + i, sizeof back) != 0)
            return false;
    }
    return true;
}

static fmc_status encode_coded(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                               uint32_t effort, fmc_out *out)
{
    const size_t n = fmc_exact_count(rank, dim);
    float *narrow = NULL;
    uint8_t *mask = NULL;
    uint32_t size = dtype == FMC_F32 ? 4 : 8;
    bool any;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, n, &mask));
    if (dtype == FMC_F64 && is_narrow(data, n)) {
        FMC_TRY(FMC_ALLOC(ex->alloc, n, &narrow));
        for (size_t i = 0; i < n; i++)
            narrow[i] = (float)((const double *)data)[i];
        data = narrow;
        dtype = FMC_F32;
        size = 4;
    }
    fmc_exact_special_find(data, size, n, mask, &any);
    fmc_out_u8(out, (uint8_t)(MODE_BLOCKS | (any ? HAS_MASK : 0) | (narrow ? IS_NARROW : 0)));
    if (any)
        FMC_TRY(fmc_exact_special_encode(ex, size, rank, dim, data, mask, out));
    FMC_TRY(encode_blocks(ex, dtype, rank, dim, data, any ? mask : NULL, effort, out));
done:
    fmc_dealloc(ex->alloc, narrow);
    fmc_dealloc(ex->alloc, mask);
    return st;
}

static fmc_status decode_coded(const fmc_exec *ex, uint8_t head, uint32_t dtype, uint32_t rank, const size_t *dim,
                               fmc_in *in, void *data)
{
    const size_t n = fmc_exact_count(rank, dim);
    float *narrow = NULL;
    uint8_t *mask = NULL;
    fmc_status st = FMC_OK;

    if ((head & IS_NARROW) && dtype != FMC_F64)
        return FMC_ERR_CORRUPT;
    if (head & IS_NARROW)
        FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, n, &narrow));
    if (head & HAS_MASK) {
        FMC_TRY(FMC_ALLOC(ex->alloc, n, &mask));
        FMC_TRY(fmc_exact_special_decode(ex, dtype == FMC_F32 || narrow ? 4 : 8, rank, dim, in, mask,
                                         narrow ? narrow : data));
    }
    FMC_TRY(decode_blocks(ex, narrow ? FMC_F32 : dtype, rank, dim, in, mask, narrow ? narrow : data));
    for (size_t i = 0; narrow && i < n; i++)
        ((double *)data)[i] = (double)narrow[i];
done:
    fmc_dealloc(ex->alloc, narrow);
    fmc_dealloc(ex->alloc, mask);
    return st;
}

/* Bytes of equal significance together, little-endian; then zstd. */
static fmc_status encode_zstd(const fmc_exec *ex, uint32_t size, size_t n, const void *data, int level, fmc_out *out)
{
    const size_t total = n * size, cap = ZSTD_compressBound(total);
    uint8_t *planes = NULL, *packed = NULL;
    size_t got;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, total, &planes));
    FMC_TRY(FMC_ALLOC(ex->alloc, cap, &packed));
    for (size_t i = 0; i < n; i++) {
        const uint64_t v = bits_at(data, size, i);

        for (uint32_t b = 0; b < size; b++)
            planes[b * n + i] = (uint8_t)(v >> (8 * b));
    }
    got = ZSTD_compress(packed, cap, planes, total, level);
    if (ZSTD_isError(got)) {
        st = FMC_ERR_NO_MEMORY;
        goto done;
    }
    fmc_out_u8(out, MODE_ZSTD);
    fmc_out_varint(out, got);
    fmc_out_bytes(out, packed, got);
    st = out->st;
done:
    fmc_dealloc(ex->alloc, planes);
    fmc_dealloc(ex->alloc, packed);
    return st;
}

static fmc_status decode_zstd(const fmc_exec *ex, uint32_t size, size_t n, fmc_in *in, void *data)
{
    const uint64_t packed = fmc_in_varint(in);
    const uint8_t *p = fmc_in_bytes(in, packed);
    uint8_t *planes = NULL;
    fmc_status st;

    FMC_TRY(fmc_in_status(in));
    FMC_TRY(FMC_ALLOC(ex->alloc, n * size, &planes));
    if (ZSTD_decompress(planes, n * size, p, (size_t)packed) != n * size) {
        st = FMC_ERR_CORRUPT;
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v = 0;

        for (uint32_t b = 0; b < size; b++)
            v |= (uint64_t)planes[b * n + i] << (8 * b);
        set_bits(data, size, i, v);
    }
done:
    fmc_dealloc(ex->alloc, planes);
    return st;
}

static void encode_raw(uint32_t size, size_t n, const void *data, fmc_out *out)
{
    fmc_out_u8(out, MODE_RAW);
    for (size_t i = 0; i < n && out->st == FMC_OK; i++)
        out_bits(out, size, bits_at(data, size, i));
}

/* zstd where a part of the data says that it may beat `coded` bytes; else out stays empty. */
static fmc_status try_zstd(const fmc_exec *ex, uint32_t size, size_t n, const void *data, uint32_t effort, size_t coded,
                           fmc_out *out)
{
    const size_t part = n <= 65536 ? n : n / 16 < 65536 ? 65536 : n / 16, at = (n - part) / 2;
    const double allowed = effort < 5 ? 1.0 : effort < 9 ? 1.12 : 1.3;
    fmc_status st;

    FMC_TRY(encode_zstd(ex, size, part, (const uint8_t *)data + at * size, 1, out));
    if ((double)out->size * ((double)n / (double)part) > allowed * (double)coded) {
        out->size = 0;
        return FMC_OK;
    }
    if (part == n && (effort < 5 || out->size <= 64))
        return FMC_OK;
    out->size = 0;
    st = encode_zstd(ex, size, n, data, effort >= 9 ? 19 : effort >= 5 ? 9 : 1, out);
done:
    return st;
}

fmc_status fmc_exact_encode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                            uint32_t effort, fmc_out *out)
{
    const size_t n = fmc_exact_count(rank, dim);
    const uint32_t size = dtype == FMC_F32 ? 4 : 8;
    fmc_out coded = fmc_out_make(ex->alloc), packed = fmc_out_make(ex->alloc);
    fmc_status st;

    if (is_constant(data, size, n)) {
        fmc_out_u8(out, MODE_CONSTANT);
        out_bits(out, size, bits_at(data, size, 0));
        st = out->st;
        goto done;
    }
    FMC_TRY(encode_coded(ex, dtype, rank, dim, data, effort, &coded));
    FMC_TRY(try_zstd(ex, size, n, data, effort, coded.size, &packed));
    if (coded.size > n * size && (!packed.size || packed.size > n * size))
        encode_raw(size, n, data, out);
    else if (packed.size && packed.size < coded.size)
        fmc_out_bytes(out, packed.data, packed.size);
    else
        fmc_out_bytes(out, coded.data, coded.size);
    st = out->st;
done:
    fmc_out_fini(&coded);
    fmc_out_fini(&packed);
    return st;
}

fmc_status fmc_exact_decode(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                            void *data)
{
    const size_t n = fmc_exact_count(rank, dim);
    const uint32_t size = dtype == FMC_F32 ? 4 : 8;
    const uint8_t head = fmc_in_u8(in);
    uint64_t v;
    fmc_status st = fmc_in_status(in);

    if (st != FMC_OK)
        return st;
    if ((head & 15) == MODE_BLOCKS && !(head & ~(MODE_BLOCKS | HAS_MASK | IS_NARROW)))
        return decode_coded(ex, head, dtype, rank, dim, in, data);
    switch (head) {
    case MODE_CONSTANT:
        v = in_bits(in, size);
        for (size_t i = 0; i < n; i++)
            set_bits(data, size, i, v);
        return fmc_in_status(in);
    case MODE_ZSTD:
        return decode_zstd(ex, size, n, in, data);
    case MODE_RAW:
        if (fmc_in_left(in) / size < n)
            return FMC_ERR_TRUNCATED;
        for (size_t i = 0; i < n; i++)
            set_bits(data, size, i, in_bits(in, size));
        return fmc_in_status(in);
    default:
        return FMC_ERR_CORRUPT;
    }
}
