/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options: the parser and the help texts are both made from it. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    READS_ARRAY = CLI_COMPRESS | CLI_VERIFY | CLI_BENCH,
    MAKES_STREAM = CLI_COMPRESS | CLI_BENCH,
    USES_CORES = CLI_COMPRESS | CLI_DECOMPRESS | CLI_VERIFY | CLI_BENCH
};

/* set returns NULL, or what the value should have been. arg tells options with one setter apart. */
typedef struct option_spec {
    const char *name;  /* without "--" */
    char letter;       /* 0: none */
    int verbs;         /* enum cli_verb bits */
    const char *value; /* NULL: a flag */
    const char *(*set)(cli_options *o, uint32_t arg, const char *text);
    uint32_t arg;
    const char *help;
} option_spec;

static const char *set_output(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    o->output = text;
    return text[0] != '\0' ? NULL : "a file name";
}

static const char *set_bound(cli_options *o, uint32_t kind, const char *text)
{
    if (o->has_bound)
        return "the only bound; give one of --abs, --rel, --pw-rel, --nrmse, --psnr, --size, --lossless";
    o->has_bound = true;
    o->bound_kind = kind;
    if (kind == FMC_BOUND_LOSSLESS)
        return NULL;
    if (kind == FMC_BOUND_SIZE)
        return cli_parse_size(text, &o->bound) ? NULL : "a size in bytes such as 200000 or 10M";
    const bool is_good = cli_parse_number(text, &o->bound) && isfinite(o->bound) && o->bound > 0.0;
    return is_good ? NULL : "a number above 0 such as 1e-3";
}

static const char *set_effort(cli_options *o, uint32_t arg, const char *text)
{
    uint64_t value = 0;
    (void)arg;
    if (!cli_parse_count(text, 9, &value) || value < 1)
        return "a number from 1 (fast) to 9 (smallest)";
    o->effort = (uint32_t)value;
    return NULL;
}

static const char *set_count(cli_options *o, uint32_t arg, const char *text)
{
    uint64_t value = 0;
    if (!cli_parse_count(text, 4096, &value) || value < arg)
        return arg == 0 ? "a number from 0 to 4096" : "a number from 1 to 4096";
    if (arg == 0)
        o->n_threads = (uint32_t)value;
    else
        o->n_runs = (uint32_t)value;
    return NULL;
}

static const char *set_coder(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_coder(text, &o->coder) ? NULL : "auto, transform, interp, grid, exact, pca, vae, or vae+ transform, interp or pca";
}

static const char *set_model(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    if (strcmp(text, "none") == 0)
        o->no_model = true;
    else if (o->n_models < sizeof o->model / sizeof o->model[0])
        o->model[o->n_models++] = text;
    else
        return "given at most eight times";
    return NULL;
}

static const char *set_fill(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    if (o->has_fill)
        return "given once; one value can mark missing data, beside NaN";
    o->has_fill = true;
    return cli_parse_number(text, &o->fill) ? NULL : "a number such as -9999 or 1e20";
}

static const char *set_chunk(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_counts(text, o->chunk, &o->n_chunk) ? NULL : "1 to 5 extents such as 64,128,128 (0: chosen)";
}

static const char *set_axis(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_axes(text, o->axis, &o->n_axis) ? NULL : "1 to 5 of auto, smooth, unlike, periodic, with commas";
}

static const char *set_dims(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_counts(text, o->dim, &o->n_dims) ? NULL : "1 to 5 extents, slowest axis first, such as 8,256,256";
}

static const char *set_dtype(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    if (strcmp(text, "f32") == 0)
        o->dtype = FMC_F32;
    if (strcmp(text, "f64") == 0)
        o->dtype = FMC_F64;
    return o->dtype ? NULL : "f32 or f64 (in this machine's byte order)";
}

static const char *set_format(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    if (strcmp(text, "npy") == 0)
        o->format = CLI_FORMAT_NPY;
    if (strcmp(text, "raw") == 0)
        o->format = CLI_FORMAT_RAW;
    return o->format ? NULL : "npy or raw";
}

static const char *set_region(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_region(text, o->region, &o->n_region)
               ? NULL
               : "START:STOP per axis such as 0:8,100:200,: with STOP > START";
}

static const char *set_scale(cli_options *o, uint32_t arg, const char *text)
{
    (void)arg;
    return cli_parse_scale(text, &o->scale_log2) ? NULL : "1, 1/2, 1/4 or 1/8";
}

static const char *set_backend(cli_options *o, uint32_t arg, const char *text)
{
    const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    (void)arg;
    o->backend = text;
    return n > 0 && n < 32 && text[n] == '\0' ? NULL : "a name that 'fmc backends' lists";
}

static const char *set_flag(cli_options *o, uint32_t arg, const char *text)
{
    (void)text;
    bool *const flag[] = { &o->tiles, &o->partial, &o->embed };
    *flag[arg] = true;
    return NULL;
}

static const option_spec specs[] = {
    { "output", 'o', CLI_COMPRESS | CLI_DECOMPRESS, "OUT", set_output, 0, "write to OUT; - is standard output" },
    { "abs", 0, MAKES_STREAM, "E", set_bound, FMC_BOUND_ABS, "every error at most E, in data units" },
    { "rel", 0, MAKES_STREAM, "E", set_bound, FMC_BOUND_REL, "every error at most E times (max - min)" },
    { "pw-rel", 0, MAKES_STREAM, "E", set_bound, FMC_BOUND_PW_REL, "every error at most E times the sample itself" },
    { "nrmse", 0, MAKES_STREAM, "E", set_bound, FMC_BOUND_NRMSE, "root mean square error at most E times (max - min)" },
    { "psnr", 0, MAKES_STREAM, "DB", set_bound, FMC_BOUND_PSNR, "peak signal-to-noise ratio at least DB" },
    { "size", 0, MAKES_STREAM, "BYTES", set_bound, FMC_BOUND_SIZE,
      "best quality in at most BYTES (k, M, G, Ki, Mi, Gi)" },
    { "lossless", 0, MAKES_STREAM, NULL, set_bound, FMC_BOUND_LOSSLESS, "every bit as it was" },
    { "effort", 0, MAKES_STREAM, "N", set_effort, 0, "1 fast, 5 default, 7, 9 smallest" },
    { "chunk", 0, MAKES_STREAM, "N,N,..", set_chunk, 0, "extents of the pieces that can be read alone; 0: chosen" },
    { "axis", 0, MAKES_STREAM, "KIND,..", set_axis, 0, "per axis: auto, smooth, unlike (members), periodic" },
    { "coder", 0, MAKES_STREAM, "NAME", set_coder, 0, "auto, transform, interp, grid, exact, pca; vae, vae+pca, .." },
    { "model", 0, USES_CORES, "FILE|none", set_model, 0, "learned weights to use (none: to make streams); to read them, also more than once" },
    { "embed", 0, CLI_COMPRESS, NULL, set_flag, 2, "store the model of --model in OUT if it saves more than it takes" },
    { "fill", 0, MAKES_STREAM, "V", set_fill, 0, "samples equal to V are missing data" },
    { "dims", 'd', READS_ARRAY, "N,N,..", set_dims, 0, "the input is raw samples of this shape, slowest axis first" },
    { "type", 't', READS_ARRAY, "f32|f64", set_dtype, 0, "type of raw samples" },
    { "format", 't', CLI_DECOMPRESS, "npy|raw", set_format, 0, "of OUT; default npy for .npy and -, else raw" },
    { "region", 0, CLI_DECOMPRESS, "A:B,..", set_region, 0, "only this box; : is a whole axis, N one sample" },
    { "scale", 0, CLI_DECOMPRESS, "1/2|1/4|1/8", set_scale, 0, "a coarse preview (no bound is promised for it)" },
    { "partial", 0, CLI_DECOMPRESS, NULL, set_flag, 1, "accept a stream that was cut off: write its complete steps" },
    { "tiles", 0, CLI_INFO, NULL, set_flag, 0, "also list every chunk" },
    { "threads", 0, USES_CORES, "N", set_count, 0, "0: one per core (default); never changes the result" },
    { "backend", 0, USES_CORES | CLI_BACKENDS, "NAME", set_backend, 0, "who runs networks; 'fmc backends' lists them" },
    { "runs", 0, CLI_BENCH, "N", set_count, 1, "time each step N times and report the fastest (default 3)" },
};

enum { N_SPECS = sizeof specs / sizeof specs[0] };

void cli_options_help(enum cli_verb verb)
{
    for (int i = 0; i < N_SPECS; i++) {
        const option_spec *s = &specs[i];
        char text[64];
        if (!(s->verbs & (int)verb))
            continue;
        const char before[] = { s->letter ? '-' : ' ', s->letter ? s->letter : ' ', s->letter ? ',' : ' ', '\0' };
        snprintf(text, sizeof text, "%s --%s %s", before, s->name, s->value ? s->value : "");
        printf("  %-26s %s\n", text, s->help);
    }
}

/* The spec of argument "--name", "--name=value" or "-x"; *value points behind "=" or is NULL. */
static const option_spec *find_spec(enum cli_verb verb, const char *argument, const char **value)
{
    const char *name = argument + 2;
    const size_t length = argument[1] == '-' ? strcspn(name, "=") : 0;
    *value = NULL;
    for (int i = 0; i < N_SPECS; i++) {
        const option_spec *s = &specs[i];
        if (!(s->verbs & (int)verb))
            continue;
        if (length == 0 && s->letter && argument[1] == s->letter && argument[2] == '\0')
            return s;
        if (length == 0 || strlen(s->name) != length || memcmp(s->name, name, length) != 0)
            continue;
        if (name[length] == '=')
            *value = name + length + 1;
        return s;
    }
    return NULL;
}

/* Parse the option at argv[*i]; moves *i onto its value. */
static bool parse_option(const cli_command *command, int argc, char **argv, int *i, cli_options *out)
{
    const char *value = NULL;
    const char *argument = argv[*i];
    const option_spec *spec = find_spec(command->verb, argument, &value);
    if (!spec)
        return cli_error("'fmc %s' has no option '%s'", command->name, argument);
    if (!spec->value && value)
        return cli_error("--%s takes no value", spec->name);
    if (spec->value && !value) {
        if (*i + 1 >= argc)
            return cli_error("--%s needs a value: %s", spec->name, spec->help);
        value = argv[++*i];
    }
    const char *wanted = spec->set(out, spec->arg, value ? value : "");
    if (!wanted)
        return true;
    return cli_error("--%s%s%s: must be %s", spec->name, value ? " " : "", value ? value : "", wanted);
}

static bool add_input(const cli_command *command, const char *path, cli_options *out)
{
    if (out->n_inputs == command->n_inputs)
        return cli_error("'%s' is one file too many; fmc %s", path, command->synopsis);
    out->input[out->n_inputs++] = path;
    return true;
}

/* Of several models, or one where none can help, those that would not be used must not look as if they were. */
static bool check_models(const cli_command *command, const cli_options *o)
{
    const bool makes_stream = (command->verb & MAKES_STREAM) != 0;
    if (o->embed && (o->n_models == 0 || o->no_model))
        return cli_error("--embed needs --model FILE, the model to store");
    if (o->no_model && !makes_stream)
        return cli_error("--model none is for making streams; one that needs a model cannot be read without it");
    if (o->no_model && o->n_models)
        return cli_error("--model none and --model FILE contradict each other; give one of them");
    if (makes_stream && o->n_models > 1)
        return cli_error("a stream is made with one model; give --model once");
    if (makes_stream && o->n_models && o->bound_kind == FMC_BOUND_LOSSLESS)
        return cli_error("--lossless uses no model; leave out --model FILE");
    return true;
}

static bool check_operands(const cli_command *command, const cli_options *o)
{
    if (o->n_inputs < command->n_inputs)
        return cli_error("%s", command->n_inputs == 1 ? "name the input file ('-' for standard input)"
                                                      : "name the original and the compressed file");
    if (command->needs_output && !o->output)
        return cli_error("say where to write: -o OUT ('-' for standard output)");
    if (command->verb == CLI_COMPRESS && !o->has_bound)
        return cli_error("say how exact the result must be: --rel 1e-3, --abs E, --pw-rel E, --nrmse E, --psnr DB, "
                         "--size BYTES or --lossless");
    if (o->n_dims && !o->dtype)
        return cli_error("-d also needs the type of the samples: -t f32 or -t f64");
    if (o->dtype && !o->n_dims)
        return cli_error("-t also needs the shape of raw samples: -d 8,256,256");
    if (o->n_inputs == 2 && strcmp(o->input[0], "-") == 0 && strcmp(o->input[1], "-") == 0)
        return cli_error("only one of the two files can be standard input");
    return true;
}

int cli_options_parse(const cli_command *command, int argc, char **argv, cli_options *out)
{
    bool is_open = true; /* options may still come */
    *out = (cli_options){ .bound_kind = FMC_BOUND_REL, .bound = 1e-3 };
    for (int i = 2; i < argc; i++) {
        const bool is_option = is_open && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0)
            is_open = false;
        else if (!(is_option ? parse_option(command, argc, argv, &i, out) : add_input(command, argv[i], out)))
            return CLI_USAGE;
    }
    return check_operands(command, out) && check_models(command, out) ? CLI_OK : CLI_USAGE;
}

bool cli_params_fill(const cli_options *o, uint32_t rank, fmc_params *p)
{
    const fmc_status st = fmc_params_init(p, sizeof *p);
    if (st != FMC_OK)
        return cli_error_status("start", NULL, st);
    if (o->n_chunk > rank)
        return cli_error("--chunk names %u axes, the array has %u", o->n_chunk, rank);
    if (o->n_axis > rank)
        return cli_error("--axis names %u axes, the array has %u", o->n_axis, rank);
    p->bound_kind = o->bound_kind;
    p->bound = o->bound;
    if (o->effort)
        p->effort = o->effort;
    p->n_threads = o->n_threads;
    p->coder = o->coder;
    p->no_model = o->no_model;
    p->embed = o->embed;
    for (uint32_t a = 0; a < o->n_chunk; a++)
        p->chunk[a] = o->chunk[a];
    for (uint32_t a = 0; a < o->n_axis; a++)
        p->axis[a] = o->axis[a];
    return true;
}
