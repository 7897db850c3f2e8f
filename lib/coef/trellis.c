/* SPDX-License-Identifier: Apache-2.0 */
/* Between the integers of a trellis and the multiples of its step (docs/format.md 8.6). */
#include "coef/trellis.h"

#include "coef/slices.h"
#include "core/status.h"

enum { SLICE = 1 << 16 }; /* values a task works on */

static void expand_row(int32_t *q, size_t n, int is_low)
{
    unsigned state = 0;

    for (size_t x = 0; x < n; x++) {
        const int32_t v = q[x];
        const uint32_t size = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
        const int32_t half = is_low || !v ? 0 : (int32_t)fmc_trellis_quantiser(state);

        q[x] = 2 * v + (v < 0 ? half : -half);
        state = fmc_trellis_next(state, size);
    }
}

static void collapse_row(int32_t *q, size_t n, int is_low)
{
    unsigned state = 0;

    for (size_t x = 0; x < n; x++) {
        const int32_t v = q[x];
        const int32_t half = is_low || !v ? 0 : (int32_t)fmc_trellis_quantiser(state);
        const int32_t size = ((v < 0 ? -v : v) + half) / 2;

        q[x] = v < 0 ? -size : size;
        state = fmc_trellis_next(state, (uint32_t)size);
    }
}

typedef struct map_job {
    const fmc_slice *slice;
    int32_t *q;
    void (*row)(int32_t *q, size_t n, int is_low);
} map_job;

static fmc_status map_slice(void *user, uint32_t i)
{
    const map_job *j = user;
    const fmc_slice *s = &j->slice[i];
    const size_t n = s->band->dim[4];

    for (size_t r = s->row; r < s->row + s->n_rows; r++)
        j->row(j->q + s->band->start + r * n, n, s->band->is_low);
    return FMC_OK;
}

static fmc_status map_rows(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q,
                           void (*row)(int32_t *q, size_t n, int is_low))
{
    map_job j = { .q = q, .row = row };
    fmc_slice *slice = NULL;
    fmc_status st;
    size_t n;

    FMC_TRY(FMC_ALLOC(ex->alloc, FMC_MAX_SLICES, &slice));
    n = fmc_slices_cut(band, n_bands, SLICE, slice);
    j.slice = slice;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, map_slice, &j));
done:
    fmc_dealloc(ex->alloc, slice);
    return st;
}

fmc_status fmc_trellis_expand(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q)
{
    return map_rows(ex, band, n_bands, q, expand_row);
}

fmc_status fmc_trellis_collapse(const fmc_exec *ex, const fmc_band *band, size_t n_bands, int32_t *q)
{
    return map_rows(ex, band, n_bands, q, collapse_row);
}
