/* SPDX-License-Identifier: Apache-2.0 */
#include "api/enclosed.h"

#include <inttypes.h>
#include "core/status.h"
#include "nn/difference.h"
#include "nn/embedded.h"

/* fmc_exec.find_model */
static const fmc_model *find(void *user, uint64_t hash)
{
    const fmc_enclosed *e = user;

    return e->model && e->model->weights.hash == hash ? e->model : fmc_ctx_find_model(e->ctx, hash);
}

/* *base NULL: it is not known. A lookup would hide that memory is short. */
static fmc_status find_base(fmc_ctx *ctx, uint64_t hash, const fmc_model **base)
{
    *base = NULL;
    if (hash && hash == fmc_embedded_prior().hash)
        return fmc_ctx_open_own_prior(ctx, base);
    if (hash && hash == fmc_embedded_weights().hash)
        return fmc_ctx_open_own(ctx, base);
    if (hash)
        *base = fmc_ctx_find_model(ctx, hash);
    return FMC_OK;
}

fmc_status fmc_enclosed_open(fmc_enclosed *e, fmc_ctx *ctx, const fmc_stream *stream, fmc_exec *ex)
{
    const fmc_header_model *m = &stream->header.model;
    const fmc_model *base = NULL;
    fmc_status st;

    e->ctx = ctx;
    ex->find_model = find;
    ex->find_model_user = e;
    if (!m->hash || e->model)
        return FMC_OK;
    FMC_TRY(find_base(ctx, m->base, &base));
    if (base || !m->base)
        FMC_TRY(fmc_difference_read(ex, m->difference, m->hash, m->size, base, &e->model));
done:
    return st == FMC_OK ? st : fmc_fail(ctx, st, "the model in the stream's header: %s", fmc_status_string(st));
}

void fmc_enclosed_close(fmc_enclosed *e)
{
    fmc_model_free(e->model);
    e->model = NULL;
}

int fmc_enclose_wanted(const fmc_params *p)
{
    return p->embed && p->bound_kind != FMC_BOUND_LOSSLESS && p->model->weights.hash != fmc_embedded_weights().hash &&
           p->model->weights.hash != fmc_embedded_prior().hash;
}

fmc_status fmc_enclose(fmc_ctx *ctx, const fmc_exec *ex, const fmc_params *params, fmc_out *bytes, fmc_header_model *out)
{
    const fmc_model *m = params->model, *base = NULL;
    fmc_out plain = fmc_out_make(ex->alloc);
    fmc_status st;

    if (m->size > FMC_HEADER_MODEL_MAX)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "a model of %zu bytes is too large for a stream: at most %d", m->size,
                         FMC_HEADER_MODEL_MAX));
    FMC_TRY(fmc_model_is_prior(m) ? fmc_ctx_open_own_prior(ctx, &base) : fmc_ctx_open_own(ctx, &base));
    FMC_TRY(fmc_difference_write(ex, m, NULL, &plain));
    if (base)
        FMC_TRY(fmc_difference_write(ex, m, base, bytes));
    if (!base || plain.size < bytes->size) {
        fmc_out_fini(bytes);
        *bytes = plain;
        plain = fmc_out_make(ex->alloc);
        base = NULL;
    }
    *out = (fmc_header_model){ .hash = m->weights.hash,
                               .base = base ? base->weights.hash : 0,
                               .size = (uint32_t)m->size,
                               .difference = fmc_in_make(bytes->data, bytes->size) };
done:
    fmc_out_fini(&plain);
    return st;
}
