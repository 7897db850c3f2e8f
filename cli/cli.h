/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CLI_H
#define FMC_CLI_H

#include <fmc/fmc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the process returns. */
enum cli_exit { CLI_OK = 0, CLI_FAILURE = 1, CLI_USAGE = 2 };

/** Verbs as bits, so that one table row can say which verbs take an option. */
enum cli_verb { CLI_COMPRESS = 1, CLI_DECOMPRESS = 2, CLI_INFO = 4, CLI_VERIFY = 8, CLI_BENCH = 16, CLI_BACKENDS = 32 };

/** What a file of samples looks like. */
enum cli_format { CLI_FORMAT_AUTO = 0, CLI_FORMAT_NPY, CLI_FORMAT_RAW };

/** One axis of --region: samples [start, stop); UINT64_MAX as stop means the axis's end. */
typedef struct cli_range {
    uint64_t start, stop;
} cli_range;

/** Everything a command line can say. Strings are borrowed from argv. */
typedef struct cli_options {
    const char *input[2]; /**< operands; NULL where not given */
    uint32_t n_inputs;
    const char *output; /**< NULL: not given; "-": standard output */
    bool has_bound;
    uint32_t bound_kind; /**< enum fmc_bound_kind */
    double bound;
    uint32_t effort;    /**< 0: not given */
    uint32_t n_threads; /**< 0: one per core */
    uint32_t coder;     /**< enum fmc_coder */
    const char *model[8]; /**< files of weights */
    uint32_t n_models;
    bool no_model;
    bool embed;
    bool has_fill;
    double fill;
    uint32_t n_chunk; /**< entries of chunk */
    uint64_t chunk[FMC_MAX_RANK];
    uint32_t n_axis; /**< entries of axis */
    uint32_t axis[FMC_MAX_RANK];
    uint32_t n_dims; /**< 0: not raw samples */
    uint64_t dim[FMC_MAX_RANK];
    uint32_t dtype;         /**< enum fmc_dtype of raw samples; 0: not given */
    enum cli_format format; /**< of the output of decompress */
    uint32_t n_region;
    cli_range region[FMC_MAX_RANK];
    uint32_t scale_log2;
    uint32_t n_runs; /**< of bench; 0: not given */
    bool tiles, partial;
    const char *backend; /**< NULL: not given */
} cli_options;

/** A verb: its name, synopsis and body; the body returns enum cli_exit after printing what went wrong. */
typedef struct cli_command {
    const char *name;
    enum cli_verb verb;
    uint32_t n_inputs; /**< operands it takes */
    bool needs_output;
    const char *synopsis, *summary;
    int (*run)(const cli_options *options);
} cli_command;

int cli_compress(const cli_options *options);
int cli_decompress(const cli_options *options);
int cli_info(const cli_options *options);
int cli_verify(const cli_options *options);
int cli_bench(const cli_options *options);
int cli_backends(const cli_options *options);

/** Parse argv[2..]. @return CLI_OK, or CLI_USAGE after a message. */
int cli_options_parse(const cli_command *command, int argc, char **argv, cli_options *out);

/** Print the options that a verb takes to standard output. */
void cli_options_help(enum cli_verb verb);

/** Fill *p from the options for an array of this rank. @return false after a message. */
bool cli_params_fill(const cli_options *options, uint32_t rank, fmc_params *p);

/** Values of options; each returns false, silently, if the text is not what it should be. */
bool cli_parse_number(const char *text, double *out);
bool cli_parse_count(const char *text, uint64_t max, uint64_t *out);
bool cli_parse_size(const char *text, double *out);
bool cli_parse_counts(const char *text, uint64_t *out, uint32_t *n);
bool cli_parse_axes(const char *text, uint32_t *out, uint32_t *n);
bool cli_parse_region(const char *text, cli_range *out, uint32_t *n);
bool cli_parse_scale(const char *text, uint32_t *scale_log2);
bool cli_parse_coder(const char *text, uint32_t *out);

/** Names for people; static storage. */
const char *cli_coder_name(uint32_t coder);
const char *cli_bound_name(uint32_t bound_kind);
const char *cli_dtype_name(uint32_t dtype);

/** "8 x 256 x 256" into text[size]; returns text. */
const char *cli_format_dims(uint32_t rank, const uint64_t *dim, char *text, size_t size);

#if defined(__GNUC__)
#define CLI_PRINTF __attribute__((format(printf, 1, 2)))
#else
#define CLI_PRINTF
#endif

/** One line on standard error, after "fmc: ". Always returns false, so that a failing function can return it. */
bool cli_error(const char *format, ...) CLI_PRINTF;

/** The same for a failed library call on the named file: the context's message, or the status's sentence. */
bool cli_error_status(const char *name, const fmc_ctx *ctx, fmc_status status);

/** A progress bar on standard error; does nothing unless that is a terminal. */
typedef struct cli_progress {
    const char *label;
    bool is_shown;
    int percent; /**< last drawn; -1 before the first */
} cli_progress;

void cli_progress_init(cli_progress *progress, const char *label);
void cli_progress_fini(cli_progress *progress);

/** The files of weights that --model names, opened. */
typedef struct cli_models {
    fmc_model *model[8];
    uint32_t n;
} cli_models;

/** Open them and make them known to ctx. Close after ctx is destroyed, also after a failure. @return false after a message. */
bool cli_models_open(const cli_options *options, fmc_ctx *ctx, cli_models *models);
void cli_models_close(cli_models *models);

/** "vae" or "prior" for the hash of a model that is part of the library, NULL for any other. */
const char *cli_own_model_name(uint64_t hash);

/** Create a context with o's backend that reports to progress (NULL: to nobody). @return false after a message. */
bool cli_context_create(const cli_options *o, cli_progress *progress, fmc_ctx **out);

#endif
