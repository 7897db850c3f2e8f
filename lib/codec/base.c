/* SPDX-License-Identifier: Apache-2.0 */
/* The optional integer prediction below a lossy coder (docs/format.md 5.7). */
#include "codec/base.h"

#include <math.h>

#include "bound/correct.h"
#include "coef/coef.h"
#include "core/status.h"
#include "nn/vae.h"

enum { MAX_EXPONENT = 900, MAX_EXTENT = 1 << 30 };

/* Samples of a task. */
#define PIECE ((size_t)1 << 16)

fmc_status fmc_base_write(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, uint32_t tier, fmc_out *out)
{
    fmc_band band;

    fmc_out_u8(out, (uint8_t)base->kind);
    fmc_out_svarint(out, base->exponent);
    if (base->kind == FMC_BASE_VAE) {
        fmc_out_bytes(out, base->made_of.data, base->made_of.size);
        return out->st;
    }
    fmc_out_u8(out, (uint8_t)tier);
    fmc_correct_band(s->rank, s->dim, &band);
    return fmc_coef_encode(ex, &band, 1, base->value, tier, NULL, out);
}

static fmc_status read_vae_head(fmc_in *in, fmc_base_head *head)
{
    int64_t offset;

    head->model = fmc_in_u64(in);
    head->level = fmc_in_u8(in);
    head->multiplier = fmc_in_u16(in);
    offset = fmc_in_svarint(in);
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    if (in->bad || head->multiplier < 1 << 15 || offset < -FMC_BASE_MAX_OFFSET || offset > FMC_BASE_MAX_OFFSET)
        return FMC_ERR_CORRUPT;
    head->offset = (int32_t)offset;
    return FMC_OK;
}

fmc_status fmc_base_read_head(fmc_in *in, fmc_base_head *head)
{
    int64_t exponent;
    fmc_status st;

    *head = (fmc_base_head){ .kind = fmc_in_u8(in) };
    exponent = fmc_in_svarint(in);
    FMC_TRY(fmc_in_status(in));
    if (exponent < -MAX_EXPONENT || exponent > MAX_EXPONENT)
        FMC_TRY(FMC_ERR_CORRUPT);
    head->exponent = (int32_t)exponent;
    if (head->kind == FMC_BASE_VAE)
        return read_vae_head(in, head);
    if (head->kind != FMC_BASE_STORED)
        FMC_TRY(FMC_ERR_UNSUPPORTED);
    head->tier = fmc_in_u8(in);
    FMC_TRY(fmc_in_status(in));
    if (head->tier > FMC_COEF_STATIC)
        st = FMC_ERR_UNSUPPORTED;
done:
    return st;
}

int fmc_base_extents(const fmc_signal *s, uint32_t dim[3])
{
    uint64_t time = 1;

    for (uint32_t a = 0; a + 2 < s->rank; a++)
        time *= s->dim[a]; /* no more than the count */
    dim[0] = (uint32_t)time;
    dim[1] = s->rank > 1 ? (uint32_t)s->dim[s->rank - 2] : 1;
    dim[2] = (uint32_t)s->dim[s->rank - 1];
    return time < MAX_EXTENT && (s->rank < 2 || s->dim[s->rank - 2] < MAX_EXTENT) && s->dim[s->rank - 1] < MAX_EXTENT;
}

void fmc_base_scale(const fmc_base_head *head, size_t n, int32_t *value)
{
    for (size_t i = 0; i < n; i++) /* |value| < 2^23, so that the product and the sum have room */
        value[i] = (int32_t)(((int64_t)value[i] * head->multiplier + (1 << 14)) >> 15) + head->offset;
}

static fmc_status read_vae(const fmc_exec *ex, const fmc_signal *s, const fmc_base_head *head, fmc_in *in, int32_t *value)
{
    const fmc_model *m = ex->find_model ? ex->find_model(ex->find_model_user, head->model) : NULL;
    fmc_vae_shape shape;
    uint32_t dim[3];
    fmc_status st;

    if (!m)
        return FMC_ERR_MODEL_MISSING;
    if (head->level >= m->n.levels)
        return FMC_ERR_CORRUPT;
    if (!fmc_base_extents(s, dim))
        return FMC_ERR_LIMIT;
    FMC_TRY(fmc_vae_shape_make(m, dim, &shape));
    FMC_TRY(fmc_vae_read(ex, m, head->level, &shape, in, value));
    fmc_base_scale(head, s->count, value);
    st = fmc_in_left(in) ? FMC_ERR_CORRUPT : FMC_OK;
done:
    return st;
}

fmc_status fmc_base_read(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, fmc_base *base)
{
    fmc_base_head head;
    fmc_band band;
    fmc_status st;

    *base = (fmc_base){ 0 };
    FMC_TRY(fmc_base_read_head(in, &head));
    base->kind = head.kind;
    base->exponent = head.exponent;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, s->count, &base->value));
    if (head.kind == FMC_BASE_VAE)
        FMC_TRY(read_vae(ex, s, &head, in, base->value));
    else {
        fmc_correct_band(s->rank, s->dim, &band);
        st = fmc_coef_decode(ex, &band, 1, base->value, head.tier, NULL, in);
    }
done:
    return st;
}

void fmc_base_fini(const fmc_exec *ex, fmc_base *base)
{
    fmc_dealloc(ex->alloc, base->value);
    base->value = NULL;
    if (base->made_of.alloc)
        fmc_out_fini(&base->made_of);
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
