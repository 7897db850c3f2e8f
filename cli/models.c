/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

bool cli_models_open(const cli_options *o, fmc_ctx *ctx, cli_models *models)
{
    for (uint32_t i = 0; i < o->n_models; i++) {
        fmc_status st = fmc_model_open_file(ctx, o->model[i], &models->model[models->n]);
        if (st == FMC_OK)
            st = fmc_ctx_add_model(ctx, models->model[models->n++]);
        if (st != FMC_OK)
            return cli_error_status(o->model[i], ctx, st);
    }
    return true;
}

const char *cli_own_model_name(uint64_t hash)
{
    static const struct {
        uint64_t hash;
        const char *name;
    } own[] = { CLI_OWN_MODELS{ 0, NULL } }; /* meson.build makes it */
    uint32_t i = 0;
    while (own[i].name && own[i].hash != hash)
        i++;
    return own[i].name;
}

void cli_models_close(cli_models *models)
{
    while (models->n > 0)
        fmc_model_close(models->model[--models->n]);
}
