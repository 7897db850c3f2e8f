/* SPDX-License-Identifier: Apache-2.0 */
/* fmc verify: decompress a stream, compare it with its original, and say whether the bound holds. */
#include "input.h"
#include "stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The two arrays to compare and the memory behind them. */
typedef struct comparison {
    cli_pair pair;
    fmc_info info;
    void *packed;  /* C-order copy of the original, or NULL */
    void *decoded; /* owned by the context */
} comparison;

static bool check_same_shape(const cli_options *o, const fmc_array *original, const fmc_array *decoded)
{
    char a[128], b[128];
    const bool is_same = original->dtype == decoded->dtype && original->rank == decoded->rank &&
                         memcmp(original->dim, decoded->dim, original->rank * sizeof original->dim[0]) == 0;
    if (is_same)
        return true;
    return cli_error("%s is %s of %s, %s is %s of %s: not the original of this stream", o->input[0],
                     cli_format_dims(original->rank, original->dim, a, sizeof a), cli_dtype_name(original->dtype),
                     o->input[1], cli_format_dims(decoded->rank, decoded->dim, b, sizeof b),
                     cli_dtype_name(decoded->dtype));
}

static bool make_pair(const fmc_array *original, const fmc_array *decoded, comparison *c)
{
    cli_pair *p = &c->pair;
    *p = (cli_pair){ .dtype = original->dtype, .rank = original->rank, .n = 1 };
    for (uint32_t a = 0; a < p->rank; a++) {
        p->dim[a] = original->dim[a];
        p->n *= p->dim[a];
    }
    p->original = cli_array_pack(original, &c->packed);
    p->decoded = p->n ? decoded->data : p->original;
    p->has_fill = c->info.has_fill != 0;
    p->fill = c->info.fill_value;
    return p->original || cli_error("out of memory");
}

static bool decode(const cli_options *o, fmc_ctx *ctx, const cli_bytes *stream, fmc_array *decoded, comparison *c)
{
    c->info = (fmc_info){ .struct_size = sizeof c->info };
    fmc_status st = fmc_inspect(ctx, stream->data, stream->size, &c->info);
    if (st == FMC_OK)
        st = fmc_decompress_alloc(ctx, stream->data, stream->size, o->n_threads, decoded);
    if (st != FMC_OK)
        return cli_error_status(o->input[1], ctx, st);
    c->decoded = decoded->data;
    return true;
}

static void print_counts(const cli_errors *e)
{
    printf("samples             %" PRIu64 " valid, range %.9g .. %.9g\n", e->n_valid, e->min, e->max);
    printf("non-finite or fill  %" PRIu64 ", ", e->n_special);
    if (e->n_special_changed)
        printf("%" PRIu64 " CHANGED\n", e->n_special_changed);
    else
        puts("all bit-equal");
    if (e->n_became_fill)
        printf("note                %" PRIu64 " valid samples now equal the fill value\n", e->n_became_fill);
}

/* "3,17,40": where sample i is. */
static const char *format_index(const cli_pair *pair, uint64_t i, char *text, size_t size)
{
    uint64_t at[FMC_MAX_RANK] = { 0 };
    size_t used = 0;
    for (uint32_t a = pair->rank; a-- > 0; i /= pair->dim[a])
        at[a] = i % pair->dim[a];
    for (uint32_t a = 0; a < pair->rank && used < size; a++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, a ? "," : "", at[a]);
    return text;
}

static void print_errors(const cli_pair *pair, const cli_errors *e)
{
    char at[128];
    printf("max abs error       %.9g", e->max_abs);
    if (e->max_abs > 0.0)
        printf(" at %s", format_index(pair, e->worst, at, sizeof at));
    putchar('\n');
    if (e->range > 0.0)
        printf("max error / range   %.9g\n", e->max_abs / e->range);
    printf("max rel error       %.9g\n", e->max_rel);
    printf("RMSE                %.9g\n", e->rmse);
    printf("NRMSE               %.9g\n", e->nrmse);
    printf("PSNR                %.4f dB\n", e->psnr);
}

static void print_likeness(const cli_pair *pair, const cli_errors *e)
{
    const double ssim = cli_ssim(pair, e->range);
    cli_spectrum spectrum;
    if (isnan(ssim))
        puts("mean SSIM           n/a (planes are smaller than 7 x 7 or have no range)");
    else
        printf("mean SSIM           %.8f\n", ssim);
    if (!cli_spectrum_measure(pair, &spectrum) || spectrum.n_planes == 0) {
        puts("power spectrum      n/a (fewer than 8 samples along the last axis)");
        return;
    }
    printf("power spectrum      wavelength       decoded / original   error / original   (%u planes)\n",
           spectrum.n_planes);
    for (int bin = CLI_SPECTRUM_BINS - 1; bin >= 0; bin--) {
        const double original = spectrum.original[bin];
        if (original > 0.0 && isfinite(spectrum.decoded[bin]))
            printf("                    %5d - %-5d    %18.6f   %16.3g\n", 1 << bin, 2 << bin,
                   spectrum.decoded[bin] / original, spectrum.error[bin] / original);
    }
}

static void print_verdict(const fmc_info *info, const cli_errors *e, bool holds)
{
    printf("bound               %s", cli_bound_name(info->bound_kind));
    if (info->bound_kind != FMC_BOUND_LOSSLESS)
        printf(" %.9g", info->bound);
    if (info->bound_kind == FMC_BOUND_REL)
        printf(" (%.9g absolute)", e->tolerance);
    puts(holds ? ": holds" : ": DOES NOT HOLD");
    if (e->n_over)
        printf("                    %" PRIu64 " samples are beyond it\n", e->n_over);
}

/* enum cli_exit */
static int compare(const comparison *c)
{
    cli_errors errors;
    cli_errors_measure(&c->pair, &c->info, &errors);
    const bool holds = cli_errors_holds(&errors, &c->info);
    size_t size = 0;
    (void)cli_array_size(c->pair.dtype, c->pair.rank, c->pair.dim, &size); /* it is in memory already */
    printf("size                %zu -> %" PRIu64 " bytes, ratio %.3f\n", size, c->info.stream_size,
           (double)size / (double)c->info.stream_size);
    print_counts(&errors);
    print_errors(&c->pair, &errors);
    print_likeness(&c->pair, &errors);
    print_verdict(&c->info, &errors, holds);
    return holds ? CLI_OK : CLI_FAILURE;
}

static int verify(const cli_options *o, const cli_input *input, const cli_bytes *stream, fmc_ctx *ctx)
{
    comparison c = { 0 };
    fmc_array decoded = { 0 };
    int result = CLI_FAILURE;
    const bool is_good = decode(o, ctx, stream, &decoded, &c) && check_same_shape(o, &input->array, &decoded) &&
                         make_pair(&input->array, &decoded, &c);
    if (is_good)
        result = compare(&c);
    fmc_free(ctx, c.decoded);
    free(c.packed);
    return result;
}

int cli_verify(const cli_options *o)
{
    cli_input input;
    cli_bytes stream = { 0 };
    cli_models models = { 0 };
    fmc_ctx *ctx = NULL;
    int result = CLI_FAILURE;
    if (!cli_input_open(o->input[0], o, &input))
        return CLI_FAILURE;
    if (cli_bytes_open(o->input[1], &stream) && cli_context_create(o, NULL, &ctx) && cli_models_open(o, ctx, &models))
        result = verify(o, &input, &stream, ctx);
    fmc_ctx_destroy(ctx);
    cli_models_close(&models);
    cli_bytes_close(&stream);
    cli_input_close(&input);
    return result;
}
