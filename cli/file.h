/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CLI_FILE_H
#define FMC_CLI_FILE_H

#include <fmc/fmc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The only part of the command line that talks to the operating system. Functions return false after a message. */

/** A whole input in memory: mapped where that works, read where it does not (pipes). */
typedef struct cli_bytes {
    const uint8_t *data;
    size_t size;
    void *owned; /**< what to free or unmap; NULL: nothing */
    bool is_mapped;
} cli_bytes;

/** @param path "-": standard input */
bool cli_bytes_open(const char *path, cli_bytes *out);
void cli_bytes_close(cli_bytes *bytes);

/** A stream to be read piecewise: a file, or memory if the input is a pipe. */
typedef struct cli_stream {
    int fd; /**< -1: bytes holds the stream */
    uint64_t size;
    cli_bytes bytes;
} cli_stream;

/** Open and fill *io with callbacks on *out, which must stay where it is until cli_stream_close. */
bool cli_stream_open(const char *path, cli_stream *out, fmc_io *io);
void cli_stream_close(cli_stream *stream);

/** An output that appears under its name only when it is whole: a temporary file beside it, renamed by commit. */
typedef struct cli_output {
    const char *path; /**< borrowed */
    char *temp;       /**< NULL: written directly (standard output, devices) */
    int fd;
} cli_output;

/** @param path "-": standard output, refused if that is a terminal */
bool cli_output_open(const char *path, cli_output *out);
bool cli_output_write(cli_output *output, const void *data, size_t size);
/** Close and give the file its name. @param is_good false: remove what was written instead. */
bool cli_output_close(cli_output *output, bool is_good);

bool cli_file_exists(const char *path);
/** A file's size, or UINT64_MAX if it has none to tell. */
uint64_t cli_file_size(const char *path);
bool cli_is_terminal(int fd);
/** Seconds of a clock that never goes back. */
double cli_seconds(void);

#endif
