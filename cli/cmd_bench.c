/* SPDX-License-Identifier: Apache-2.0 */
/* fmc bench: speed, ratio and errors on one array, at efforts 1, 5 and 9 or the one asked for. */
#include "input.h"
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>

/* What one effort gave. */
typedef struct measurement {
    size_t stream_size;
    double compress_s, decompress_s;
    cli_errors errors;
    bool holds;
} measurement;

typedef struct bench {
    const cli_options *options;
    fmc_ctx *ctx;
    cli_pair pair; /* decoded points to buffer */
    fmc_array original, decoded;
    fmc_params params;
    size_t size; /* of the samples */
    uint32_t n_runs;
} bench;

static void keep_least(double *least, double value)
{
    if (*least == 0.0 || value < *least)
        *least = value;
}

/* One round trip; errors are measured by the caller. */
static fmc_status run_once(bench *b, bool is_last, measurement *m)
{
    void *stream = NULL;
    size_t size = 0;
    fmc_info info = { .struct_size = sizeof info };
    const double begin = cli_seconds();
    fmc_status st = fmc_compress_alloc(b->ctx, &b->original, &b->params, &stream, &size);
    const double middle = cli_seconds();
    if (st != FMC_OK)
        return st;
    st = fmc_decompress(b->ctx, stream, size, b->params.n_threads, &b->decoded);
    const double end = cli_seconds();
    keep_least(&m->compress_s, middle - begin);
    keep_least(&m->decompress_s, end - middle);
    m->stream_size = size;
    if (st == FMC_OK && is_last)
        st = fmc_inspect(b->ctx, stream, size, &info);
    if (st == FMC_OK && is_last) {
        cli_errors_measure(&b->pair, &info, &m->errors);
        m->holds = cli_errors_holds(&m->errors, &info);
    }
    fmc_free(b->ctx, stream);
    return st;
}

static double speed(size_t size, double seconds)
{
    return seconds > 0.0 ? (double)size / seconds * 1e-6 : 0.0;
}

static bool run_effort(bench *b, uint32_t effort)
{
    measurement m = { 0 };
    b->params.effort = effort;
    for (uint32_t i = 0; i < b->n_runs; i++) {
        const fmc_status st = run_once(b, i + 1 == b->n_runs, &m);
        if (st != FMC_OK)
            return cli_error_status(b->options->input[0], b->ctx, st);
    }
    const double range = m.errors.range > 0.0 ? m.errors.range : 1.0;
    printf("%6u %12zu %9.3f %13.1f %15.1f %14.4g %12.4g  %s\n", effort, m.stream_size,
           (double)b->size / (double)m.stream_size, speed(b->size, m.compress_s), speed(b->size, m.decompress_s),
           m.errors.max_abs / range, m.errors.nrmse, m.holds ? "holds" : "DOES NOT HOLD");
    fflush(stdout);
    return m.holds;
}

static void print_title(const bench *b)
{
    char dims[128];
    printf("%s: %s of %s, %zu bytes, bound %s", b->options->input[0],
           cli_format_dims(b->pair.rank, b->pair.dim, dims, sizeof dims), cli_dtype_name(b->pair.dtype), b->size,
           cli_bound_name(b->params.bound_kind));
    if (b->params.bound_kind != FMC_BOUND_LOSSLESS)
        printf(" %.9g", b->params.bound);
    printf(", fastest of %u, MB = 10^6 bytes of samples\n", b->n_runs);
    printf("%6s %12s %9s %13s %15s %14s %12s  %s\n", "effort", "bytes", "ratio", "compress MB/s", "decompress MB/s",
           "max err/range", "NRMSE", "bound");
}

/* Fill b for the array in input; *packed and *decoded are what to free. */
static bool prepare(const cli_options *o, const cli_input *input, bench *b, void **packed, void **decoded)
{
    const fmc_array *a = &input->array;
    b->options = o;
    b->n_runs = o->n_runs ? o->n_runs : 3;
    if (!cli_params_fill(o, a->rank, &b->params) || !cli_array_size(a->dtype, a->rank, a->dim, &b->size))
        return false;
    b->params.has_fill = o->has_fill || input->has_fill;
    b->params.fill_value = o->has_fill ? o->fill : input->fill;
    b->pair = (cli_pair){ .dtype = a->dtype, .rank = a->rank, .n = b->size / cli_dtype_size(a->dtype) };
    for (uint32_t i = 0; i < a->rank; i++)
        b->pair.dim[i] = a->dim[i];
    b->pair.has_fill = b->params.has_fill != 0;
    b->pair.fill = b->params.fill_value;
    b->pair.original = cli_array_pack(a, packed);
    b->pair.decoded = *decoded = malloc(b->size ? b->size : 1);
    if (!b->pair.original || !b->pair.decoded)
        return cli_error("out of memory");
    fmc_array_init(&b->original, a->dtype, a->rank, a->dim, (void *)(uintptr_t)b->pair.original); /* read only */
    fmc_array_init(&b->decoded, a->dtype, a->rank, a->dim, *decoded);
    return true;
}

static bool run_efforts(bench *b, const cli_models *models)
{
    static const uint32_t efforts[] = { 1, 5, 9 };
    bool is_good = true;
    b->params.model = models->model[0];
    print_title(b);
    if (b->options->effort)
        return run_effort(b, b->options->effort);
    for (size_t i = 0; i < sizeof efforts / sizeof efforts[0]; i++)
        is_good = run_effort(b, efforts[i]) && is_good;
    return is_good;
}

int cli_bench(const cli_options *o)
{
    cli_input input;
    bench b = { 0 };
    cli_models models = { 0 };
    void *packed = NULL, *decoded = NULL;
    if (!cli_input_open(o->input[0], o, &input))
        return CLI_FAILURE;
    const bool is_good =
        prepare(o, &input, &b, &packed, &decoded) && cli_context_create(o, NULL, &b.ctx) &&
        cli_models_open(o, b.ctx, &models) && run_efforts(&b, &models);
    fmc_ctx_destroy(b.ctx);
    cli_models_close(&models);
    free(packed);
    free(decoded);
    cli_input_close(&input);
    return is_good ? CLI_OK : CLI_FAILURE;
}
