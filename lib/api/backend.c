/* SPDX-License-Identifier: Apache-2.0 */
#include <fmc/backend.h>

#include <inttypes.h>

#include "api/context.h"
#include "api/unpack.h"
#include "core/status.h"

fmc_status fmc_backend_count(fmc_ctx *ctx, uint32_t *count)
{
    if (count)
        *count = 0;
    if (!ctx || !count)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    return fmc_ctx_leave(ctx, fmc_backends_count(&ctx->backends, count));
}

fmc_status fmc_backend_describe(fmc_ctx *ctx, uint32_t i, fmc_backend_info *info)
{
    fmc_backend_info own;
    fmc_status st;

    if (!ctx)
        return FMC_ERR_ARG;
    (void)fmc_ctx_enter(ctx, 1);
    st = fmc_backends_describe(&ctx->backends, ctx->kernels, i, &own);
    if (st == FMC_ERR_ARG)
        (void)fmc_fail(ctx, st, "there is no backend %" PRIu32 "; fmc_backend_count tells how many there are", i);
    if (st == FMC_OK)
        st = fmc_info_give(ctx, &own, sizeof own, info);
    return fmc_ctx_leave(ctx, st);
}
