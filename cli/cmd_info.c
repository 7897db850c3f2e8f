/* SPDX-License-Identifier: Apache-2.0 */
/* fmc info: what a stream or a model says about itself, without decoding samples. */
#include "input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_SIZE = 128,
    MAX_NEEDS = 8,      /* models that are listed */
    LOOK_SIZE = 1 << 28 /* bytes of chunks that are read to find out which models they need */
};

static double ratio(uint32_t dtype, uint32_t rank, const uint64_t *dim, uint64_t stored)
{
    size_t size = 0;
    if (stored == 0 || !cli_array_size(dtype, rank, dim, &size))
        return 0.0;
    return (double)size / (double)stored;
}

static void print_bound(const fmc_info *info)
{
    printf("bound       %s", cli_bound_name(info->bound_kind));
    if (info->bound_kind != FMC_BOUND_LOSSLESS)
        printf(" %.10g", info->bound);
    if (info->bound_kind == FMC_BOUND_PSNR)
        fputs(" dB", stdout);
    if (info->bound_kind == FMC_BOUND_SIZE)
        fputs(" bytes", stdout);
    putchar('\n');
}

static void print_header(const cli_options *o, const fmc_info *info)
{
    char text[TEXT_SIZE];
    printf("file        %s\n", o->input[0]);
    printf("format      %" PRIu32 "\n", info->format_version);
    printf("type        %s\n", cli_dtype_name(info->dtype));
    printf("shape       %s\n", cli_format_dims(info->rank, info->dim, text, sizeof text));
    printf("chunks      %" PRIu64 " of %s\n", info->n_chunks,
           cli_format_dims(info->rank, info->chunk, text, sizeof text));
    print_bound(info);
    printf("effort      %" PRIu32 "\n", info->effort);
    if (info->has_fill)
        printf("fill        %.17g\n", info->fill_value);
    if (info->model)
        printf("model       %016" PRIx64 " in %" PRIu64 " bytes of the stream", info->model, info->model_size);
    if (info->model && info->model_base)
        printf(", a difference from %016" PRIx64, info->model_base);
    if (info->model)
        putchar('\n');
    printf("size        %" PRIu64 " bytes\n", info->stream_size);
    printf("ratio       %.3f\n", ratio(info->dtype, info->rank, info->dim, info->stream_size));
    if (!info->is_complete)
        puts("complete    no: the stream was cut off; the steps of 'shape' are readable");
}

static void print_chunk(uint64_t i, const fmc_info *info, const fmc_chunk_info *c)
{
    char start[TEXT_SIZE], dim[TEXT_SIZE], bound[32] = "-";
    if (c->abs_bound >= 0.0)
        snprintf(bound, sizeof bound, "%.4g", c->abs_bound);
    printf("%6" PRIu64 "  %-10s %-20s %-20s %10" PRIu64 " %9.2f %10s  %.63s\n", i, cli_coder_name(c->coder),
           cli_format_dims(info->rank, c->start, start, sizeof start),
           cli_format_dims(info->rank, c->dim, dim, sizeof dim), c->size,
           ratio(info->dtype, info->rank, c->dim, c->size), bound, c->detail);
}

static bool print_chunks(const cli_options *o, fmc_ctx *ctx, fmc_reader *reader, const fmc_info *info)
{
    printf("\n%6s  %-10s %-20s %-20s %10s %9s %10s  %s\n", "chunk", "coder", "start", "extents", "bytes", "ratio",
           "abs bound", "detail");
    for (uint64_t i = 0; i < info->n_chunks; i++) {
        fmc_chunk_info chunk = { .struct_size = sizeof chunk };
        const fmc_status st = fmc_reader_chunk_info(reader, i, &chunk);
        if (st != FMC_OK)
            return cli_error_status(o->input[0], ctx, st);
        print_chunk(i, info, &chunk);
    }
    return true;
}

static void add_need(uint64_t hash, uint64_t *needs, uint32_t *n)
{
    uint32_t i = 0;
    while (i < *n && needs[i] != hash)
        i++;
    if (i == *n && i < MAX_NEEDS)
        needs[(*n)++] = hash;
}

/* The models that must be at hand to decode. Only the chunks know; --tiles reports those that cannot be read. */
static void print_needs(fmc_reader *reader, const fmc_info *info)
{
    uint64_t needs[MAX_NEEDS], size = 0, i = 0;
    uint32_t n = 0;
    bool has_second = false;
    for (; i < info->n_chunks && size < LOOK_SIZE; i++) {
        fmc_chunk_info c = { .struct_size = sizeof c };
        if (fmc_reader_chunk_info(reader, i, &c) != FMC_OK)
            continue;
        size += c.size;
        const uint64_t hash = c.model == info->model ? info->model_base : c.model;
        if (hash)
            add_need(hash, needs, &n);
        has_second = has_second || (strncmp(c.detail, "vae", 3) == 0 && strstr(c.detail, ", prior"));
    }
    for (uint32_t k = 0; k < n; k++) {
        const char *own = cli_own_model_name(needs[k]);
        if (own)
            printf("needs       model %016" PRIx64 " (%s, part of this fmc)\n", needs[k], own);
        else
            printf("needs       model %016" PRIx64 " (not part of this fmc: --model FILE)\n", needs[k]);
    }
    if (has_second)
        puts("needs       a prior beside it ('fmc decompress' names it if it is missing)");
    if (i < info->n_chunks)
        printf("needs       perhaps more: only the first %" PRIu64 " chunks were looked at\n", i);
}

static bool describe(const cli_options *o, fmc_ctx *ctx, const fmc_io *io)
{
    fmc_reader *reader = NULL;
    fmc_info info = { .struct_size = sizeof info };
    fmc_status st = fmc_reader_open(ctx, io, &reader);
    if (st == FMC_OK)
        st = fmc_reader_info(reader, &info);
    bool is_good = st == FMC_OK || cli_error_status(o->input[0], ctx, st);
    if (is_good)
        print_header(o, &info);
    if (is_good)
        print_needs(reader, &info);
    if (is_good && o->tiles)
        is_good = print_chunks(o, ctx, reader, &info);
    fmc_reader_close(reader);
    return is_good;
}

/* Is it a file of weights? Reads its first bytes. */
static bool is_model(const fmc_io *io)
{
    char magic[4];
    uint64_t size = 0;
    return io->size(io->user, &size) == 0 && size >= sizeof magic && io->read_at(io->user, 0, magic, sizeof magic) == 0 &&
           memcmp(magic, "FMCW", sizeof magic) == 0;
}

/* Text of a file: nothing in it may steer a terminal. */
static void print_text(const char *text)
{
    fputs("record      ", stdout);
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' && *text != '\n' ? '?' : *text == 127 ? '?' : *text);
    putchar('\n');
}

static void print_model(const cli_options *o, const fmc_model_info *info)
{
    printf("file        %s\n", o->input[0]);
    printf("model       %s\n", info->architecture);
    printf("hash        %016" PRIx64 "\n", info->hash);
    if (info->n_levels > 0) { /* a prior has none of these */
        printf("levels      %" PRIu32 "\n", info->n_levels);
        printf("latents     %" PRIu32 " per %" PRIu32 " x %" PRIu32 " x %" PRIu32 " samples\n", info->latent_channels,
               info->patch[0], info->patch[1], info->patch[2]);
        printf("hyper       %" PRIu32 "\n", info->hyper_channels);
    }
    printf("parameters  %" PRIu64 "\n", info->n_parameters);
    printf("size        %" PRIu64 " bytes\n", info->file_size);
    if (info->record)
        print_text(info->record);
}

static bool describe_model(const cli_options *o, fmc_ctx *ctx, const fmc_io *io)
{
    fmc_model *model = NULL;
    fmc_model_info info = { .struct_size = sizeof info };
    fmc_status st = FMC_ERR_IO;
    uint64_t size = 0;
    if (o->tiles)
        return cli_error("%s: is a model, which has no chunks; leave out --tiles", o->input[0]);
    void *bytes = io->size(io->user, &size) == 0 && size <= SIZE_MAX ? malloc((size_t)size) : NULL;
    if (bytes && io->read_at(io->user, 0, bytes, (size_t)size) == 0)
        st = fmc_model_open_buffer(ctx, bytes, (size_t)size, &model);
    if (st == FMC_OK)
        st = fmc_model_describe(model, &info);
    const bool is_good = st == FMC_OK || cli_error_status(o->input[0], ctx, st);
    if (is_good)
        print_model(o, &info);
    fmc_model_close(model);
    free(bytes);
    return is_good;
}

int cli_info(const cli_options *o)
{
    cli_stream stream;
    fmc_io io;
    fmc_ctx *ctx = NULL;
    if (!cli_stream_open(o->input[0], &stream, &io))
        return CLI_FAILURE;
    const bool is_good = cli_context_create(o, NULL, &ctx) && (is_model(&io) ? describe_model : describe)(o, ctx, &io);
    fmc_ctx_destroy(ctx);
    cli_stream_close(&stream);
    return is_good ? CLI_OK : CLI_FAILURE;
}
