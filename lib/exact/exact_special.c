/* SPDX-License-Identifier: Apache-2.0 */
#include "exact/exact_special.h"

#include "core/status.h"
#include "exact/exact_bits.h"
#include "grid/bits.h"

enum { MAX_PALETTE = 255 };

typedef struct extent {
    double lo, hi;
    uint64_t lo_bits, hi_bits;
    size_t n_lo, n_hi;
} extent;

/* Extremes of the unmasked samples, and of those without the two extreme patterns. */
static bool find_extent(const void *data, uint32_t size, size_t n, const uint8_t *mask, const extent *without,
                        extent *e)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        const uint64_t v = bits_at(data, size, i);
        const double d = number(v, size);

        if (mask[i] || (without && (v == without->lo_bits || v == without->hi_bits)))
            continue;
        if (!any || d < e->lo) {
            e->lo = d;
            e->lo_bits = v;
            e->n_lo = 0;
        }
        if (!any || d > e->hi) {
            e->hi = d;
            e->hi_bits = v;
            e->n_hi = 0;
        }
        e->n_lo += v == e->lo_bits;
        e->n_hi += v == e->hi_bits;
        any = true;
    }
    return any;
}

void fmc_exact_special_find(const void *data, uint32_t size, size_t n, uint8_t *mask, bool *any)
{
    extent all, rest = { 0 };
    const size_t least = n / 4096 + 2;
    uint64_t fill[2];
    uint32_t n_fill = 0;

    *any = false;
    for (size_t i = 0; i < n; i++) {
        const double d = number(bits_at(data, size, i), size);

        mask[i] = !(d - d == 0.0);
        *any = *any || mask[i];
    }
    if (!find_extent(data, size, n, mask, NULL, &all) || !find_extent(data, size, n, mask, &all, &rest))
        return;
    if (all.n_lo >= least && (rest.lo - all.lo) * 0.25 > rest.hi - rest.lo)
        fill[n_fill++] = all.lo_bits;
    if (all.n_hi >= least && (all.hi - rest.hi) * 0.25 > rest.hi - rest.lo)
        fill[n_fill++] = all.hi_bits;
    for (size_t i = 0; i < n && n_fill; i++) {
        const uint64_t v = bits_at(data, size, i);

        if (!mask[i] && (v == fill[0] || (n_fill > 1 && v == fill[1])))
            mask[i] = 1;
    }
    *any = *any || n_fill > 0;
}

fmc_status fmc_exact_special_encode(const fmc_exec *ex, uint32_t size, uint32_t rank, const size_t *dim,
                                    const void *data, const uint8_t *mask, fmc_out *out)
{
    const size_t n = fmc_exact_count(rank, dim);
    uint64_t palette[MAX_PALETTE];
    uint32_t n_palette = 0, j = 0;
    uint8_t *index = NULL;
    size_t m = 0;
    fmc_status st;

    FMC_TRY(fmc_bits_encode_mask(ex, mask, n, dim[rank - 1], rank > 1 ? dim[rank - 2] : 1, out));
    FMC_TRY(FMC_ALLOC(ex->alloc, n, &index));
    for (size_t i = 0; i < n && n_palette <= MAX_PALETTE; i++) {
        const uint64_t v = bits_at(data, size, i);

        if (!mask[i])
            continue;
        if (n_palette == 0 || palette[j] != v)
            for (j = 0; j < n_palette && palette[j] != v; j++)
                ;
        if (j == n_palette) {
            if (n_palette == MAX_PALETTE)
                n_palette++;
            else
                palette[n_palette++] = v;
        }
        index[m++] = (uint8_t)j;
    }
    if (n_palette > MAX_PALETTE) {
        fmc_out_u8(out, 0);
        for (size_t i = 0; i < n; i++)
            if (mask[i])
                out_bits(out, size, bits_at(data, size, i));
    } else {
        fmc_out_u8(out, (uint8_t)n_palette);
        for (uint32_t i = 0; i < n_palette; i++)
            out_bits(out, size, palette[i]);
        if (n_palette > 1)
            FMC_TRY(fmc_bits_encode(ex, index, m, 8, out));
    }
    st = out->st;
done:
    fmc_dealloc(ex->alloc, index);
    return st;
}

fmc_status fmc_exact_special_decode(const fmc_exec *ex, uint32_t size, uint32_t rank, const size_t *dim, fmc_in *in,
                                    uint8_t *mask, void *data)
{
    const size_t n = fmc_exact_count(rank, dim);
    uint64_t palette[MAX_PALETTE];
    uint32_t n_palette;
    uint8_t *index = NULL;
    size_t m = 0, j = 0;
    fmc_status st;

    FMC_TRY(fmc_bits_decode_mask(ex, in, n, dim[rank - 1], rank > 1 ? dim[rank - 2] : 1, mask));
    n_palette = fmc_in_u8(in);
    FMC_TRY(fmc_in_status(in));
    for (size_t i = 0; i < n; i++)
        m += mask[i];
    if (n_palette == 0) {
        if (m > fmc_in_left(in) / size) {
            st = FMC_ERR_TRUNCATED;
            goto done;
        }
        for (size_t i = 0; i < n; i++)
            if (mask[i])
                set_bits(data, size, i, in_bits(in, size));
        return fmc_in_status(in);
    }
    for (uint32_t i = 0; i < n_palette; i++)
        palette[i] = in_bits(in, size);
    FMC_TRY(fmc_in_status(in));
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, m, &index));
    if (n_palette > 1)
        FMC_TRY(fmc_bits_decode(ex, in, m, 8, index));
    for (size_t i = 0; i < n; i++) {
        if (!mask[i])
            continue;
        if (index[j] >= n_palette) {
            st = FMC_ERR_CORRUPT;
            goto done;
        }
        set_bits(data, size, i, palette[index[j++]]);
    }
done:
    fmc_dealloc(ex->alloc, index);
    return st;
}
