/* SPDX-License-Identifier: Apache-2.0 */
/* The models that a context knows. */
#include <string.h>

#include "api/context.h"
#include "core/status.h"
#include "nn/embedded.h"
#include "nn/model.h"

enum { MAX_MODELS = 256 };

fmc_status fmc_ctx_add_model(fmc_ctx *ctx, const fmc_model *model)
{
    const fmc_model **more = NULL;
    fmc_status st;

    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    if (!model)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "model is NULL"));
    for (uint32_t i = 0; i < ctx->n_models; i++)
        if (ctx->model[i]->weights.hash == model->weights.hash)
            return fmc_ctx_leave(ctx, FMC_OK);
    if (ctx->n_models == MAX_MODELS)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_LIMIT, "a context takes at most %d models", MAX_MODELS));
    FMC_TRY(FMC_ALLOC(&ctx->alloc, ctx->n_models + 1, &more));
    if (ctx->n_models)
        memcpy(more, ctx->model, ctx->n_models * sizeof *more);
    more[ctx->n_models++] = model;
    fmc_dealloc(&ctx->alloc, ctx->model);
    ctx->model = more;
done:
    return fmc_ctx_leave(ctx, st);
}

/* Opening takes some milliseconds and three times the file in memory: only when somebody asks. */
static fmc_status open_embedded(fmc_ctx *ctx, fmc_embedded weights, fmc_model **own, const fmc_model **out)
{
    char why[FMC_WHY_SIZE];
    fmc_status st = FMC_OK;

    *out = NULL;
    if (!weights.data)
        return FMC_OK;
    pthread_mutex_lock(&ctx->own_lock);
    if (!*own)
        st = fmc_model_make(&ctx->alloc, weights.data, weights.size, why, own);
    *out = *own;
    pthread_mutex_unlock(&ctx->own_lock);
    return st;
}

fmc_status fmc_ctx_open_own(fmc_ctx *ctx, const fmc_model **out)
{
    return open_embedded(ctx, fmc_embedded_weights(), &ctx->own_model, out);
}

fmc_status fmc_ctx_open_own_prior(fmc_ctx *ctx, const fmc_model **out)
{
    return open_embedded(ctx, fmc_embedded_prior(), &ctx->own_prior, out);
}

const fmc_model *fmc_ctx_own_model(fmc_ctx *ctx)
{
    const fmc_model *m = NULL;

    if (ctx) {
        (void)fmc_ctx_enter(ctx, 1);
        (void)fmc_ctx_leave(ctx, fmc_ctx_open_own(ctx, &m));
    }
    return m;
}

const fmc_model *fmc_ctx_find_model(void *user, uint64_t hash)
{
    fmc_ctx *ctx = user;
    const fmc_model *m = NULL;

    for (uint32_t i = 0; i < ctx->n_models; i++)
        if (ctx->model[i]->weights.hash == hash)
            return ctx->model[i];
    if (hash == fmc_embedded_weights().hash)
        (void)fmc_ctx_open_own(ctx, &m);
    else if (hash == fmc_embedded_prior().hash)
        (void)fmc_ctx_open_own_prior(ctx, &m);
    return m && m->weights.hash == hash ? m : NULL;
}

void fmc_ctx_drop_models(fmc_ctx *ctx)
{
    fmc_dealloc(&ctx->alloc, ctx->model);
    fmc_model_free(ctx->own_model);
    fmc_model_free(ctx->own_prior);
    pthread_mutex_destroy(&ctx->own_lock);
}
