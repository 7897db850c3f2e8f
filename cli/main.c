/* SPDX-License-Identifier: Apache-2.0 */
/* The fmc command: finds the verb, has its options parsed, runs it. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const cli_command commands[] = {
    { "compress", CLI_COMPRESS, 1, true, "compress IN -o OUT BOUND [options]", "compress an array", cli_compress },
    { "decompress", CLI_DECOMPRESS, 1, true, "decompress IN -o OUT [options]",
      "decompress a stream, a box of it, or a preview", cli_decompress },
    { "info", CLI_INFO, 1, false, "info [--tiles] FILE", "describe a stream without decoding it", cli_info },
    { "verify", CLI_VERIFY, 2, false, "verify ORIGINAL FILE [options]",
      "decompress FILE, compare it with ORIGINAL, and check the bound", cli_verify },
    { "bench", CLI_BENCH, 1, false, "bench IN [BOUND] [options]", "measure speed, ratio and errors on an array",
      cli_bench },
    { "backends", CLI_BACKENDS, 0, false, "backends", "list what can run the networks, and why not", cli_backends },
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const cli_command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_overview(FILE *to)
{
    fputs("fmc: error-bounded lossy compression of floating-point arrays\n\n", to);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  fmc %-42s %s\n", commands[i].synopsis, commands[i].summary);
    fprintf(to, "  fmc %-42s what a verb takes\n  fmc --version\n\n", "help [VERB]");
    fputs("An array is an .npy file, raw samples (-d 8,256,256 -t f32) or a netCDF/HDF5 variable (file.nc:T);\n"
          "\"-\" is standard input or output.\n"
          "Start with:  fmc compress field.npy -o field.fmc --rel 1e-3 && fmc verify field.npy field.fmc\n",
          to);
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        print_overview(stdout);
        return CLI_OK;
    }
    const cli_command *command = find_command(argv[2]);
    if (!command) {
        cli_error("there is no verb '%s'; 'fmc help' lists them", argv[2]);
        return CLI_USAGE;
    }
    printf("usage: fmc %s\n%s\n\n", command->synopsis, command->summary);
    cli_options_help(command->verb);
    return CLI_OK;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_options options;
    if (wants_help(argc, argv))
        return help(3, (char *[]){ argv[0], argv[1], argv[1] });
    const int result = cli_options_parse(command, argc, argv, &options);
    if (result != CLI_OK) {
        fprintf(stderr, "usage: fmc %s   ('fmc help %s' tells more)\n", command->synopsis, command->name);
        return result;
    }
    return command->run(&options);
}

/* Output that could not be written (disk full, closed pipe) must not look like success. */
static int finish(int result)
{
    const bool has_failed = fflush(stdout) != 0 || ferror(stdout);
    if (!has_failed)
        return result;
    cli_error("standard output: could not be written; is the disk full?");
    return result == CLI_OK ? CLI_FAILURE : result;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return CLI_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("fmc %s (stream format %d)\n", fmc_version_string(), FMC_FORMAT_VERSION);
        return finish(CLI_OK);
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return finish(help(argc, argv));
    const cli_command *command = find_command(word);
    if (command)
        return finish(run(command, argc, argv));
    cli_error("there is no verb '%s'; 'fmc help' lists them", word);
    return CLI_USAGE;
}
