/* SPDX-License-Identifier: Apache-2.0 */
/* The optional integer prediction below a lossy coder (docs/format.md 5.7). */
#include "codec/base.h"

#include <math.h>

#include "bound/correct.h"
#include "coef/coef.h"
#include "core/status.h"

enum { MAX_EXPONENT = 900 };

/* Samples of a task. */
#define PIECE ((size_t)1 << 16)

fmc_status fmc_base_write(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, uint32_t tier, fmc_out *out)
{
    fmc_band band;

    fmc_out_u8(out, (uint8_t)base->kind);
    fmc_out_svarint(out, base->exponent);
    fmc_out_u8(out, (uint8_t)tier);
    fmc_correct_band(s->rank, s->dim, &band);
    return fmc_coef_encode(ex, &band, 1, base->value, tier, NULL, out);
}

fmc_status fmc_base_read(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, fmc_base *base)
{
    const uint32_t kind = fmc_in_u8(in);
    const int64_t exponent = fmc_in_svarint(in);
    const uint32_t tier = fmc_in_u8(in);
    fmc_band band;
    fmc_status st;

    *base = (fmc_base){ .kind = kind };
    FMC_TRY(fmc_in_status(in));
    if (kind != FMC_BASE_STORED || tier > FMC_COEF_STATIC)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    if (exponent < -MAX_EXPONENT || exponent > MAX_EXPONENT)
        FMC_TRY(FMC_ERR_CORRUPT);
    base->exponent = (int32_t)exponent;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, s->count, &base->value));
    fmc_correct_band(s->rank, s->dim, &band);
    st = fmc_coef_decode(ex, &band, 1, base->value, tier, NULL, in);
done:
    return st;
}

void fmc_base_fini(const fmc_exec *ex, fmc_base *base)
{
    fmc_dealloc(ex->alloc, base->value);
    base->value = NULL;
}

typedef struct add_job {
    const fmc_signal *s;
    const int32_t *value;
    double scale; /* with the sign */
    void *y;
} add_job;

/* A product by a power of two is exact in f64: one rounding to the working type, then one addition in it. */
static fmc_status add_piece(void *user, uint32_t i)
{
    const add_job *j = user;
    const size_t first = i * PIECE, end = first + PIECE < j->s->count ? first + PIECE : j->s->count;

    if (j->s->dtype == FMC_F64) {
        double *y = j->y;

        for (size_t k = first; k < end; k++)
            y[k] = y[k] + (double)j->value[k] * j->scale;
    } else {
        float *y = j->y;

        for (size_t k = first; k < end; k++) {
            const float b = (float)((double)j->value[k] * j->scale);

            y[k] = y[k] + b;
        }
    }
    return FMC_OK;
}

static fmc_status add(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, double sign, void *y)
{
    add_job j = { s, base->value, ldexp(sign, base->exponent), y };

    return fmc_parallel_for(ex, (uint32_t)((s->count + PIECE - 1) / PIECE), add_piece, &j);
}

fmc_status fmc_base_add(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y)
{
    return add(ex, s, base, 1, y);
}

fmc_status fmc_base_subtract(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y)
{
    return add(ex, s, base, -1, y);
}
