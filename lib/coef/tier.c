/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "coef/coef.h"
#include "coef/static.h"
#include "core/status.h"

/* Values of the piece that is coded with several tiers: a part of all, but a number between limits; values worth it. */
enum { TRIAL_PART = 48, TRIAL_MOST = 1 << 15, QUICK_LEAST = 1 << 15, USUAL_LEAST = 1 << 14, LEAST = 1 << 16, PIECE = 1 << 16, NO_TIER = 99 };
/* Values for one that is not zero: sparse at effort 1, at effort 5; too sparse for a trial. */
enum { QUICK_SPARSE = 5, USUAL_SPARSE = 10, TOO_SPARSE = 50 };
/* Bytes of a sparse piece that say something, at least, and what tier STATIC writes once, about. */
enum { SPARSE_LEAST = 700, USUAL_SPARSE_LEAST = 2100, STATIC_ONCE = 60 };
/* A slower tier's bytes, as a part of a faster one's, below which it is taken; above the last two it is not certain, or left for STATIC. */
#define QUICK_WORTH 0.94
#define SPARSE_WORTH 0.985
#define USUAL_WORTH 0.98
#define USUAL_GAIN 1.03
#define USUAL_DOUBT 0.995

/* The axis along which a piece of about `trial` values is cut out, leading axes to single indices, and its extent there. */
static uint32_t crop(const fmc_band *whole, size_t trial, fmc_band *piece)
{
    uint32_t axis = 0;

    *piece = (fmc_band){ .count = whole->count, .parent = -1, .time_parent = -1, .is_low = whole->is_low };
    memcpy(piece->dim, whole->dim, sizeof piece->dim);
    for (uint32_t a = 0; a < FMC_MAX_RANK && piece->count > trial; a++) {
        const size_t each = piece->count / piece->dim[a], n = each < trial ? trial / each : 1;

        if (n < piece->dim[a]) {
            axis = a;
            piece->dim[a] = n;
            piece->count = n * each;
        }
    }
    return axis;
}

/* Two runs of indices along the axis, from a third and two thirds of it; the middle of the axes before. */
static void copy_piece(const fmc_band *whole, const fmc_band *piece, uint32_t axis, const int32_t *q, int32_t *to)
{
    const size_t n = piece->dim[axis], each = piece->count / n, first = n / 2, second = n - first;
    const size_t gap = whole->dim[axis] - n;
    const int32_t *from = q + whole->start;
    size_t block = whole->count;

    for (uint32_t a = 0; a < axis; a++) {
        block /= whole->dim[a];
        from += (whole->dim[a] - piece->dim[a]) / 2 * block;
    }
    memcpy(to, from + gap / 3 * each, first * each * sizeof *to);
    memcpy(to + first * each, from + (gap - gap / 3 + first) * each, second * each * sizeof *to);
}

static fmc_status size_with(const fmc_exec *ex, const fmc_band *band, int32_t *q, uint32_t tier, size_t *size)
{
    fmc_out out = fmc_out_make(ex->alloc);
    fmc_status st;

    FMC_TRY(fmc_coef_encode(ex, band, 1, q, tier, NULL, &out));
    *size = out.size;
done:
    fmc_out_fini(&out);
    return st;
}

/* The same with tier STATIC alone, without a try of tier AVERAGE where that is small; low bands are never coded with it. */
static fmc_status size_static(const fmc_exec *ex, const fmc_band *band, int32_t *q, size_t *size)
{
    const fmc_static_job j = { .ex = ex, .band = band, .n_bands = 1, .n_coded = 1, .q = q, .n_blocks = 1 };
    fmc_out out = fmc_out_make(ex->alloc);
    fmc_status st;

    if (band->is_low)
        return size_with(ex, band, q, FMC_COEF_STATIC, size);
    FMC_TRY(fmc_static_encode(&j, &out));
    *size = 1 + out.size;
done:
    fmc_out_fini(&out);
    return st;
}

/* Bytes of a piece with another tier, as multiple of those with tier STATIC but for what that takes once. */
static double gain_of_static(size_t fixed, size_t other)
{
    return (double)other / fmax((double)fixed - STATIC_ONCE, 1);
}

/* Effort 1: tier STATIC, if it is not much larger than AVERAGE. */
static fmc_status try_quick(const fmc_exec *ex, const fmc_band *piece, int32_t *q, int is_sparse, uint32_t *tier)
{
    size_t fast, slow;
    fmc_status st;

    FMC_TRY(size_static(ex, piece, q, &fast));
    *tier = is_sparse ? FMC_COEF_AVERAGE : FMC_COEF_STATIC;
    /* a sparse piece says nothing, and a block as small as this has the better of both anyway */
    if (fast < (is_sparse ? SPARSE_LEAST : FMC_STATIC_SMALL))
        return FMC_OK;
    FMC_TRY(size_with(ex, piece, q, FMC_COEF_AVERAGE, &slow));
    if (is_sparse)
        *tier = slow >= SPARSE_LEAST && gain_of_static(fast, slow) >= SPARSE_WORTH ? FMC_COEF_STATIC : FMC_COEF_AVERAGE;
    else
        *tier = (double)slow < QUICK_WORTH * (double)fast ? FMC_COEF_AVERAGE : FMC_COEF_STATIC;
done:
    return st;
}

/* Effort 5: MIX, where it is smaller than AVERAGE, or STATIC, if it is smaller yet; both, if a piece cannot tell. */
static fmc_status try_usual(const fmc_exec *ex, const fmc_band *piece, int32_t *q, int is_sparse, uint32_t *tier, uint32_t *also)
{
    double gain;
    size_t fixed, average, mixed, best;
    fmc_status st;

    *tier = FMC_COEF_MIX;
    FMC_TRY(size_static(ex, piece, q, &fixed));
    if (is_sparse && fixed < USUAL_SPARSE_LEAST)
        return FMC_OK;
    FMC_TRY(size_with(ex, piece, q, FMC_COEF_MIX, &mixed));
    best = mixed;
    if (!is_sparse) {
        FMC_TRY(size_with(ex, piece, q, FMC_COEF_AVERAGE, &average));
        if ((double)mixed >= USUAL_WORTH * (double)average) {
            *tier = FMC_COEF_AVERAGE;
            best = average;
        }
    }
    gain = gain_of_static(fixed, best);
    *also = gain >= USUAL_DOUBT ? FMC_COEF_STATIC : *tier;
    if (gain >= USUAL_GAIN)
        *tier = FMC_COEF_STATIC;
done:
    return st;
}

/* Tiers tried on a piece of a band. */
static fmc_status try_piece(const fmc_exec *ex, const fmc_band *whole, size_t n, const int32_t *q, uint32_t effort, int is_sparse,
                            uint32_t *tier, uint32_t *also)
{
    const size_t part = n / TRIAL_PART, most = part > TRIAL_MOST ? TRIAL_MOST : part;
    const size_t least = effort < 5 ? QUICK_LEAST : USUAL_LEAST;
    uint32_t axis;
    fmc_band piece;
    int32_t *copy = NULL;
    fmc_status st;

    axis = crop(whole, most < least ? least : most, &piece);
    FMC_TRY(FMC_ALLOC(ex->alloc, piece.count, &copy));
    copy_piece(whole, &piece, axis, q, copy);
    st = effort < 5 ? try_quick(ex, &piece, copy, is_sparse, tier) : try_usual(ex, &piece, copy, is_sparse, tier, also);
done:
    fmc_dealloc(ex->alloc, copy);
    return st;
}

/* Of at most PIECE values: narrow sums make wide vectors. */
static uint32_t count_nonzero(const int32_t *q, size_t n)
{
    uint32_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += q[i] != 0;
    return found;
}

/* Of bands that are nearly empty: the fullest, of others the largest. */
static const fmc_band *typical(const fmc_band *band, size_t n_bands, const uint32_t *n_nonzero, int is_sparse)
{
    size_t best = 0;

    for (size_t i = 1; i < n_bands; i++)
        if (is_sparse ? n_nonzero[i] > n_nonzero[best] : band[i].count > band[best].count)
            best = i;
    return &band[best];
}

static uint32_t count_in_band(const fmc_band *band, const int32_t *q)
{
    uint32_t found = 0;

    for (size_t i = 0; i < band->count; i += PIECE)
        found += count_nonzero(q + band->start + i, band->count - i < PIECE ? band->count - i : PIECE);
    return found;
}

fmc_status fmc_coef_choose_tier(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                                uint32_t effort, uint32_t *tier, uint32_t *also)
{
    size_t n = 0, n_nonzero = 0;
    uint32_t each[FMC_MAX_BANDS], other = NO_TIER;
    int is_sparse;
    fmc_status st = FMC_OK;

    *tier = FMC_COEF_BEST;
    if (effort >= 9)
        goto done;
    for (size_t i = 0; i < n_bands; i++) {
        each[i] = count_in_band(&band[i], q);
        n += band[i].count;
        n_nonzero += each[i];
    }
    is_sparse = n_nonzero <= n / (effort < 5 ? QUICK_SPARSE : USUAL_SPARSE);
    if (effort < 5)
        *tier = is_sparse ? FMC_COEF_AVERAGE : FMC_COEF_STATIC;
    else
        *tier = is_sparse ? FMC_COEF_MIX : FMC_COEF_AVERAGE;
    if (n >= LEAST && n_nonzero > n / TOO_SPARSE)
        st = try_piece(ex, typical(band, n_bands, each, is_sparse), n, q, effort, is_sparse, tier, &other);
done:
    if (also)
        *also = other == NO_TIER ? *tier : other;
    return st;
}
