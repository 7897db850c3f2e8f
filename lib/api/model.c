/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "core/bytes_out.h"
#include "core/status.h"
#include "nn/model.h"

enum { READ_SIZE = 1 << 16 };

static fmc_status open_bytes(fmc_ctx *ctx, const void *data, size_t size, fmc_model **out)
{
    char why[FMC_WHY_SIZE];
    const fmc_status st = fmc_model_make(&ctx->alloc, data, size, why, out);

    return st == FMC_OK || !why[0] ? st : fmc_fail(ctx, st, "%s", why);
}

fmc_status fmc_model_open_buffer(fmc_ctx *ctx, const void *data, size_t size, fmc_model **out)
{
    fmc_status st;

    if (out)
        *out = NULL;
    if (!ctx || !out)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    st = data ? open_bytes(ctx, data, size, out) : fmc_fail(ctx, FMC_ERR_ARG, "data is NULL");
    return fmc_ctx_leave(ctx, st);
}

/* All of a file; pipes too. */
static fmc_status read_file(fmc_ctx *ctx, const char *path, fmc_out *bytes)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return fmc_fail(ctx, FMC_ERR_IO, "cannot open %.160s: %s", path, strerror(errno));
    do {
        uint8_t *to = fmc_out_reserve(bytes, READ_SIZE);

        n = to ? fread(to, 1, READ_SIZE, f) : 0;
        bytes->size += n;
    } while (n > 0);
    if (ferror(f))
        bytes->st = fmc_fail(ctx, FMC_ERR_IO, "cannot read %.160s", path);
    fclose(f);
    return bytes->st;
}

fmc_status fmc_model_open_file(fmc_ctx *ctx, const char *path, fmc_model **out)
{
    fmc_out bytes;
    fmc_status st;

    if (out)
        *out = NULL;
    if (!ctx || !out)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    bytes = fmc_out_make(&ctx->alloc);
    if (!path)
        FMC_TRY(fmc_fail(ctx, FMC_ERR_ARG, "path is NULL"));
    FMC_TRY(read_file(ctx, path, &bytes));
    FMC_TRY(open_bytes(ctx, bytes.data, bytes.size, out));
done:
    fmc_out_fini(&bytes);
    return fmc_ctx_leave(ctx, st);
}

fmc_status fmc_model_describe(const fmc_model *m, fmc_model_info *info)
{
    fmc_model_info own = { .struct_size = sizeof own };

    if (!m || !info)
        return FMC_ERR_ARG;
    own.n_levels = m->n.levels;
    own.hash = m->weights.hash;
    own.file_size = m->size;
    for (uint32_t i = 0; i < m->weights.n_arrays; i++)
        own.n_parameters += m->weights.array[i].count;
    own.latent_channels = m->n.latent;
    own.hyper_channels = m->n.hyper;
    memcpy(own.patch, m->n.patch, sizeof own.patch);
    memcpy(own.architecture, m->architecture, sizeof own.architecture - 1);
    own.record = m->record;
    return fmc_struct_give(&own, sizeof own, info);
}

void fmc_model_close(fmc_model *model)
{
    fmc_model_free(model);
}
