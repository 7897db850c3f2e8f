/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk through the lossless coder, and whether that may pay. */
#include <math.h>
#include <string.h>

#include "codec/encoding.h"
#include "codec/payload.h"
#include "core/status.h"
#include "exact/exact.h"

/* Samples from which a size is estimated. */
#define ESTIMATE_COUNT ((size_t)1 << 15)

static fmc_status code_exact(fmc_encoding *e)
{
    const fmc_block *b = e->block;
    fmc_candidate c = { .payload = fmc_out_make(e->ex->alloc) };
    fmc_status st;

    fmc_out_u8(&c.payload, FMC_CODER_EXACT);
    fmc_out_u32(&c.payload, fmc_block_hash(b, e->data));
    FMC_TRY(fmc_exact_encode(e->ex, b->dtype, b->rank, b->dim, e->data, e->effort->effort, &c.payload));
    FMC_TRY(c.payload.st);
    c.coder = FMC_CODER_EXACT;
done:
    if (st == FMC_OK)
        fmc_encoding_keep(e, &c);
    else
        fmc_candidate_fini(e->ex, &c);
    return st;
}

/* Bytes of lossless coding in proportion to a slab from the middle. */
static fmc_status estimate_exact(const fmc_encoding *e, double *bytes)
{
    const fmc_block *b = e->block;
    const size_t sample = b->dtype == FMC_F64 ? 8 : 4, all = fmc_block_count(b);
    fmc_out out = fmc_out_make(e->ex->alloc);
    size_t dim[FMC_MAX_RANK], count = all, first = 0;
    fmc_status st;

    memcpy(dim, b->dim, sizeof dim);
    for (uint32_t a = 0; a < b->rank && count > ESTIMATE_COUNT; a++) {
        const size_t inner = count / dim[a], wanted = ESTIMATE_COUNT / inner, steps = wanted < 1 ? 1 : wanted;

        first += (dim[a] - steps) / 2 * inner;
        dim[a] = steps;
        count = steps * inner;
    }
    FMC_TRY(fmc_exact_encode(e->ex, b->dtype, b->rank, dim, (const uint8_t *)e->data + first * sample, 1, &out));
    FMC_TRY(out.st);
    *bytes = (double)out.size * (double)all / (double)count;
done:
    fmc_out_fini(&out);
    return st;
}

/* Lossless coding competes where the payload is not much smaller than the data, and where it is larger anyway. */
fmc_status fmc_encoding_exact(fmc_encoding *e)
{
    const double raw = (double)fmc_block_count(e->block) * (e->block->dtype == FMC_F64 ? 8 : 4);
    const double size = e->best.coder == FMC_CODER_AUTO ? HUGE_VAL : (double)e->best.payload.size;
    double bytes = 0;
    fmc_status st = FMC_OK;

    if (size <= raw && (size < raw / 4 || !fmc_encoding_may_use(e, FMC_CODER_EXACT)))
        return FMC_OK;
    if (size <= raw)
        FMC_TRY(estimate_exact(e, &bytes));
    if (bytes < 1.05 * size)
        FMC_TRY(code_exact(e));
done:
    return st;
}
