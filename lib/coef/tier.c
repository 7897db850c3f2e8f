/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "coef/coef.h"
#include "core/status.h"

/* Values of the piece that is coded with both tiers, and from how many values on in all. */
enum { TRIAL = 1 << 15, LEAST = 1 << 16 };

/* What an effort chooses from. */
typedef struct pair {
    uint32_t fast, slow;
    size_t   most_sparse; /* nonzeros in so many values at which the slow tier is taken untried */
    double   worth;       /* of the fast tier's bytes: below, the slow tier is taken */
} pair;

static const pair quick = { FMC_COEF_STATIC, FMC_COEF_AVERAGE, 5, 0.94 };
static const pair usual = { FMC_COEF_AVERAGE, FMC_COEF_MIX, 4, 0.995 };

static const fmc_band *largest(const fmc_band *band, size_t n_bands)
{
    const fmc_band *best = band;

    for (size_t i = 1; i < n_bands; i++)
        if (band[i].count > best->count)
            best = &band[i];
    return best;
}

/* The middle of a band along its slow axes, as a band of its own. @return where it begins in the band. */
static size_t crop(const fmc_band *whole, fmc_band *piece)
{
    size_t at = 0;

    *piece = (fmc_band){ .count = whole->count, .parent = -1, .time_parent = -1, .is_low = whole->is_low };
    memcpy(piece->dim, whole->dim, sizeof piece->dim);
    for (int a = 0; a < FMC_MAX_RANK && piece->count > TRIAL; a++) {
        const size_t each = piece->count / piece->dim[a], n = each < TRIAL ? TRIAL / each : 1;

        if (n < piece->dim[a]) {
            at += (piece->dim[a] - n) / 2 * each;
            piece->dim[a] = n;
            piece->count = n * each;
        }
    }
    return at;
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

static fmc_status try_both(const fmc_exec *ex, const fmc_band *whole, const int32_t *q, const pair *p, uint32_t *tier)
{
    size_t at, fast, slow;
    fmc_band piece;
    int32_t *copy = NULL;
    fmc_status st;

    at = crop(whole, &piece);
    FMC_TRY(FMC_ALLOC(ex->alloc, piece.count, &copy));
    memcpy(copy, q + whole->start + at, piece.count * sizeof *copy);
    FMC_TRY(size_with(ex, &piece, copy, p->fast, &fast));
    FMC_TRY(size_with(ex, &piece, copy, p->slow, &slow));
    *tier = (double)slow < p->worth * (double)fast ? p->slow : p->fast;
done:
    fmc_dealloc(ex->alloc, copy);
    return st;
}

fmc_status fmc_coef_choose_tier(const fmc_exec *ex, const fmc_band *band, size_t n_bands, const int32_t *q,
                                uint32_t effort, uint32_t *tier)
{
    const pair *p = effort < 5 ? &quick : &usual;
    size_t n = 0, n_nonzero = 0;

    *tier = FMC_COEF_BEST;
    if (effort >= 9)
        return FMC_OK;
    for (size_t i = 0; i < n_bands; i++)
        n += band[i].count;
    for (size_t i = 0; i < n; i++)
        n_nonzero += q[i] != 0;
    *tier = n_nonzero > n / p->most_sparse ? p->fast : p->slow;
    return *tier == p->fast && n >= LEAST ? try_both(ex, largest(band, n_bands), q, p, tier) : FMC_OK;
}
