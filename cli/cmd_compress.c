/* SPDX-License-Identifier: Apache-2.0 */
/* fmc compress: one array in, one stream out. */
#include "input.h"

#include <stdio.h>

static void summarize(const cli_options *o, const cli_input *input, size_t stream_size)
{
    size_t size = 0;
    if (!cli_is_terminal(2))
        return;
    if (!cli_array_size(input->array.dtype, input->array.rank, input->array.dim, &size))
        return;
    fprintf(stderr, "%s: %zu -> %zu bytes, ratio %.2f\n", o->output, size, stream_size,
            (double)size / (double)stream_size);
}

static bool write_stream(const cli_options *o, const void *data, size_t size)
{
    cli_output output;
    if (!cli_output_open(o->output, &output))
        return false;
    const bool is_good = cli_output_write(&output, data, size);
    return cli_output_close(&output, is_good);
}

/* Who asked for a model in the stream should know whether it is there, and the file of weights need not be kept. */
static void tell_of_model(const cli_options *o, fmc_ctx *ctx, const void *data, size_t size)
{
    fmc_info info = { .struct_size = sizeof info };
    if (!o->embed || fmc_inspect(ctx, data, size, &info) != FMC_OK)
        return;
    if (info.model)
        fprintf(stderr, "%s: holds the model, in %llu bytes\n", o->output, (unsigned long long)info.model_size);
    else
        fprintf(stderr, "%s: made without the model, which would save less than it takes\n", o->output);
}

static bool compress(const cli_options *o, const cli_input *input, fmc_ctx *ctx, cli_models *models, cli_progress *progress)
{
    fmc_params params;
    void *data = NULL;
    size_t size = 0;
    if (!cli_params_fill(o, input->array.rank, &params) || !cli_models_open(o, ctx, models))
        return false;
    params.model = models->model[0];
    params.has_fill = o->has_fill || input->has_fill;
    params.fill_value = o->has_fill ? o->fill : input->fill;
    const fmc_status st = fmc_compress_alloc(ctx, &input->array, &params, &data, &size);
    cli_progress_fini(progress);
    if (st != FMC_OK)
        return cli_error_status(o->input[0], ctx, st);
    const bool is_good = write_stream(o, data, size);
    if (is_good) {
        summarize(o, input, size);
        tell_of_model(o, ctx, data, size);
    }
    fmc_free(ctx, data);
    return is_good;
}

int cli_compress(const cli_options *o)
{
    cli_input input;
    cli_progress progress;
    cli_models models = { 0 };
    fmc_ctx *ctx = NULL;
    if (!cli_input_open(o->input[0], o, &input))
        return CLI_FAILURE;
    cli_progress_init(&progress, "compress");
    const bool is_good = cli_context_create(o, &progress, &ctx) && compress(o, &input, ctx, &models, &progress);
    fmc_ctx_destroy(ctx);
    cli_models_close(&models);
    cli_input_close(&input);
    return is_good ? CLI_OK : CLI_FAILURE;
}
