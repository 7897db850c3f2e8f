/* SPDX-License-Identifier: Apache-2.0 */
#include "api/params.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "container/layout.h"
#include "nn/model.h"
#include "core/status.h"

enum { PARAMS_SIZE_MIN = 8, PARAMS_SIZE_MAX = 1024 };

static void set_defaults(fmc_params *p)
{
    memset(p, 0, sizeof *p);
    p->struct_size = sizeof *p;
    p->bound_kind = FMC_BOUND_REL;
    p->bound = 1e-3;
    p->effort = 5;
}

fmc_status fmc_params_init(fmc_params *params, size_t size)
{
    fmc_params p;

    if (!params || size < PARAMS_SIZE_MIN || size > PARAMS_SIZE_MAX)
        return FMC_ERR_ARG;
    set_defaults(&p);
    p.struct_size = (uint32_t)size;
    memset(params, 0, size);
    memcpy(params, &p, size < sizeof p ? size : sizeof p);
    return FMC_OK;
}

static fmc_status check_bound(fmc_ctx *ctx, const fmc_params *p)
{
    if (p->bound_kind > FMC_BOUND_SIZE)
        return fmc_fail(ctx, FMC_ERR_ARG, "bound_kind %u is unknown; see enum fmc_bound_kind", p->bound_kind);
    if (p->bound_kind == FMC_BOUND_LOSSLESS)
        return FMC_OK;
    if (!(p->bound > 0) || !isfinite(p->bound))
        return fmc_fail(ctx, FMC_ERR_ARG,
                        "the bound must be positive and finite, not %g; to keep every bit ask for lossless", p->bound);
    return FMC_OK;
}

static int is_coder(uint32_t coder)
{
    const uint32_t plain = coder & ~(uint32_t)FMC_CODER_VAE;

    return plain == FMC_CODER_PCA || (coder == plain ? plain <= FMC_CODER_EXACT : plain <= FMC_CODER_INTERP);
}

static fmc_status check_choices(fmc_ctx *ctx, const fmc_params *p)
{
    if (p->effort < 1 || p->effort > 9)
        return fmc_fail(ctx, FMC_ERR_ARG, "effort must be 1 (fast) to 9 (smallest), not %u", p->effort);
    if (!is_coder(p->coder))
        return fmc_fail(ctx, FMC_ERR_ARG, "coder %u is unknown; see enum fmc_coder", p->coder);
    for (int a = 0; a < FMC_MAX_RANK; a++)
        if (p->axis[a] > FMC_AXIS_PERIODIC)
            return fmc_fail(ctx, FMC_ERR_ARG, "axis[%d] = %u is unknown; see enum fmc_axis_kind", a, p->axis[a]);
    if (p->has_fill > 1)
        return fmc_fail(ctx, FMC_ERR_ARG, "has_fill must be 0 or 1, not %u", p->has_fill);
    if (p->no_model > 1)
        return fmc_fail(ctx, FMC_ERR_ARG, "no_model must be 0 or 1, not %u", p->no_model);
    if (p->embed > 1 || p->reserved)
        return fmc_fail(ctx, FMC_ERR_ARG, "embed must be 0 or 1 and reserved 0, not %u and %u", p->embed, p->reserved);
    if (p->embed && (p->no_model || !p->model))
        return fmc_fail(ctx, FMC_ERR_ARG, "embedding needs a model to store");
    if (p->coder & FMC_CODER_VAE && p->no_model)
        return fmc_fail(ctx, FMC_ERR_ARG, "the coder predicts with a model, but none is to be used; allow one or choose another coder");
    if (p->coder & FMC_CODER_VAE && p->bound_kind == FMC_BOUND_LOSSLESS)
        return fmc_fail(ctx, FMC_ERR_ARG, "a model predicts nothing that is to be lossless; use another coder or a bound");
    return FMC_OK;
}

int fmc_params_want_vae(const fmc_params *p)
{
    return !p->no_model && p->bound_kind != FMC_BOUND_LOSSLESS && (p->coder & FMC_CODER_VAE || p->effort >= 9);
}

/* The library's own models where none is given and one is needed. ctx NULL: bytes are counted, nothing is compressed. */
static fmc_status choose_model(fmc_ctx *ctx, fmc_params *p)
{
    const fmc_model *own = NULL;
    fmc_status st = FMC_OK;

    if (p->no_model)
        p->model = NULL;
    if (!ctx || p->no_model || p->bound_kind == FMC_BOUND_LOSSLESS)
        return FMC_OK;
    if (p->effort >= 5)
        FMC_TRY(fmc_ctx_open_own_prior(ctx, &own)); /* used unless p->model is one */
    if ((p->model && !fmc_model_is_prior(p->model)) || !fmc_params_want_vae(p))
        return FMC_OK;
    FMC_TRY(fmc_ctx_open_own(ctx, &own));
    if (!p->model)
        p->model = own;
    if (!own && p->coder & FMC_CODER_VAE)
        st = fmc_fail(ctx, FMC_ERR_MODEL_MISSING, "this library was built without a model of its own; give one");
done:
    return st;
}

/* NaN and infinities are missing data anyway, and no sample equals a value outside the type. */
static void normalise_fill(fmc_params *p, uint32_t dtype)
{
    if (p->has_fill && dtype == FMC_F32 && fabs(p->fill_value) <= (double)FLT_MAX)
        p->fill_value = (double)(float)p->fill_value;
    else if (!isfinite(p->fill_value) || dtype == FMC_F32)
        p->has_fill = 0;
    if (!p->has_fill)
        p->fill_value = 0;
}

fmc_status fmc_params_take(fmc_ctx *ctx, const fmc_params *theirs, uint32_t dtype, fmc_params *out)
{
    fmc_status st;

    set_defaults(out);
    if (theirs && fmc_struct_take(theirs, out, sizeof *out) != FMC_OK)
        return fmc_fail(ctx, FMC_ERR_ARG,
                        "params.struct_size is %u, or fields that this library does not know are set; call "
                        "fmc_params_init(&params, sizeof params) first",
                        theirs->struct_size);
    st = check_bound(ctx, out);
    if (st == FMC_OK)
        st = check_choices(ctx, out);
    out->effort = out->effort < 5 ? 1 : out->effort < 7 ? 5 : out->effort < 9 ? 7 : 9;
    normalise_fill(out, dtype);
    return st == FMC_OK ? choose_model(ctx, out) : st;
}

fmc_status fmc_array_take(fmc_ctx *ctx, const fmc_array *a, enum fmc_view_use use, const char *name)
{
    if (!a)
        return fmc_fail(ctx, FMC_ERR_ARG, "%s is NULL", name);
    if (fmc_view_check(a, use) == FMC_OK)
        return FMC_OK;
    if (a->struct_size < sizeof *a)
        return fmc_fail(ctx, FMC_ERR_ARG, "%s.struct_size is %u; fill it with fmc_array_init", name, a->struct_size);
    if (fmc_dtype_size(a->dtype) == 0)
        return fmc_fail(ctx, FMC_ERR_ARG, "%s.dtype is %u; it must be FMC_F32 or FMC_F64", name, a->dtype);
    if (a->rank < 1 || a->rank > FMC_MAX_RANK)
        return fmc_fail(ctx, FMC_ERR_ARG, "%s.rank is %u; it must be 1 to %d", name, a->rank, FMC_MAX_RANK);
    if (!a->data)
        return fmc_fail(ctx, FMC_ERR_ARG, "%s.data is NULL", name);
    return fmc_fail(ctx, FMC_ERR_ARG,
                    "%s has extents or strides that do not fit the address space%s, or unknown fields set", name,
                    use == FMC_VIEW_OUTPUT ? " or make samples overlap" : "");
}

fmc_status fmc_params_header(fmc_ctx *ctx, const fmc_params *params, const fmc_array *shape, uint32_t is_streamed,
                             fmc_header *out)
{
    fmc_header h = { .dtype = shape->dtype,
                     .rank = shape->rank,
                     .is_streamed = is_streamed,
                     .bound_kind = params->bound_kind,
                     .bound = params->bound_kind == FMC_BOUND_LOSSLESS ? 0 : params->bound,
                     .effort = params->effort,
                     .has_fill = params->has_fill,
                     .fill_value = params->fill_value };

    for (uint32_t a = is_streamed; a < h.rank; a++)
        h.dim[a] = shape->dim[a];
    fmc_layout_choose(&h, params->chunk);
    if (fmc_layout_count(&h) > FMC_MAX_CHUNKS)
        return fmc_fail(ctx, FMC_ERR_ARG, "chunks of these extents are more than 2^28; ask for larger ones");
    if (fmc_header_check(&h) != FMC_OK)
        return fmc_fail(ctx, FMC_ERR_ARG, "the array, or one chunk of it, has 2^63 bytes or more");
    *out = h;
    return FMC_OK;
}
