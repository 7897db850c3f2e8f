/* SPDX-License-Identifier: Apache-2.0 */
/* fmc decompress: a stream, a box of it, or a coarse preview, to .npy or raw samples. */
#include "input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct box {
    uint64_t start[FMC_MAX_RANK], count[FMC_MAX_RANK];
} box;

/* A cut-off stream is opened by the reader up to its last complete chunk; taking that for the whole would be wrong. */
static bool check_complete(const cli_options *o, const fmc_info *info)
{
    if (info->is_complete)
        return true;
    if (info->dim[0] == 0)
        return cli_error("%s: the stream was cut off before its first chunk was complete: there is nothing to recover",
                         o->input[0]);
    if (o->partial)
        return true;
    return cli_error("%s: the stream was cut off; --partial writes the %" PRIu64 " steps that are complete",
                     o->input[0], info->dim[0]);
}

static bool make_box(const cli_options *o, const fmc_info *info, box *out)
{
    if (o->n_region > info->rank)
        return cli_error("%s: --region names %u axes, the array has %u", o->input[0], o->n_region, info->rank);
    for (uint32_t a = 0; a < info->rank; a++) {
        const cli_range whole = { .start = 0, .stop = UINT64_MAX };
        const cli_range range = a < o->n_region ? o->region[a] : whole;
        const uint64_t stop = range.stop == UINT64_MAX ? info->dim[a] : range.stop;
        if (stop > info->dim[a] || range.start > stop)
            return cli_error("%s: --region goes beyond axis %u, which has samples 0 to %" PRIu64, o->input[0], a,
                             info->dim[a]);
        out->start[a] = range.start;
        out->count[a] = stop - range.start;
    }
    return true;
}

static uint64_t coarse(uint64_t position, uint32_t scale_log2)
{
    return (position + (UINT64_C(1) << scale_log2) - 1) >> scale_log2;
}

/* The array that receives the box; extents as fmc_reader_read wants them. */
static bool make_array(const cli_options *o, const fmc_info *info, const box *b, fmc_array *out)
{
    uint64_t dim[FMC_MAX_RANK] = { 0 };
    size_t size = 0;
    for (uint32_t a = 0; a < info->rank; a++) {
        const uint32_t scale = info->dim[a] > 1 ? o->scale_log2 : 0;
        dim[a] = coarse(b->start[a] + b->count[a], scale) - coarse(b->start[a], scale);
        if (dim[a] == 0 && b->count[a] > 0)
            return cli_error("%s: the region has no sample left at this --scale; take a larger one", o->input[0]);
    }
    if (!cli_array_size(info->dtype, info->rank, dim, &size))
        size = SIZE_MAX;
    void *data = size < SIZE_MAX ? malloc(size ? size : 1) : NULL;
    if (!data)
        return cli_error("%s: does not fit in memory; read it in parts with --region", o->input[0]);
    fmc_array_init(out, info->dtype, info->rank, dim, data);
    return true;
}

static bool is_npy(const cli_options *o)
{
    const size_t length = strlen(o->output);
    if (o->format != CLI_FORMAT_AUTO)
        return o->format == CLI_FORMAT_NPY;
    return strcmp(o->output, "-") == 0 || (length >= 4 && strcmp(o->output + length - 4, ".npy") == 0);
}

static bool write_array(const cli_options *o, const fmc_array *array)
{
    cli_output output;
    size_t size = 0;
    if (!cli_array_size(array->dtype, array->rank, array->dim, &size))
        return false;
    if (!cli_output_open(o->output, &output))
        return false;
    const bool is_good = is_npy(o) ? cli_npy_write(&output, array) : cli_output_write(&output, array->data, size);
    return cli_output_close(&output, is_good);
}

static bool read_box(const cli_options *o, fmc_ctx *ctx, fmc_reader *reader, cli_progress *progress)
{
    fmc_info info = { .struct_size = sizeof info };
    fmc_array array = { 0 };
    box b = { 0 };
    fmc_status st = fmc_reader_info(reader, &info);
    if (st != FMC_OK)
        return cli_error_status(o->input[0], ctx, st);
    if (!check_complete(o, &info) || !make_box(o, &info, &b) || !make_array(o, &info, &b, &array))
        return false;
    st = fmc_reader_read(reader, b.start, b.count, o->scale_log2, o->n_threads, &array);
    cli_progress_fini(progress);
    const bool is_good = st == FMC_OK ? write_array(o, &array) : cli_error_status(o->input[0], ctx, st);
    free(array.data);
    return is_good;
}

static bool decompress(const cli_options *o, fmc_ctx *ctx, const fmc_io *io, cli_progress *progress)
{
    fmc_reader *reader = NULL;
    const fmc_status st = fmc_reader_open(ctx, io, &reader);
    if (st != FMC_OK)
        return cli_error_status(o->input[0], ctx, st);
    const bool is_good = read_box(o, ctx, reader, progress);
    fmc_reader_close(reader);
    return is_good;
}

int cli_decompress(const cli_options *o)
{
    cli_stream stream;
    cli_progress progress;
    cli_models models = { 0 };
    fmc_io io;
    fmc_ctx *ctx = NULL;
    if (!cli_stream_open(o->input[0], &stream, &io))
        return CLI_FAILURE;
    cli_progress_init(&progress, "decompress");
    const bool is_good = cli_context_create(o, &progress, &ctx) && cli_models_open(o, ctx, &models) &&
                         decompress(o, ctx, &io, &progress);
    fmc_ctx_destroy(ctx);
    cli_models_close(&models);
    cli_stream_close(&stream);
    return is_good ? CLI_OK : CLI_FAILURE;
}
