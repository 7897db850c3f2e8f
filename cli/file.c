/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs: whole files in memory, and streams read piecewise. */
#include "file.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *display_name(const char *path)
{
    return is_standard(path) ? "standard input" : path;
}

/* A file descriptor for reading, -1 after a message. */
static int open_input(const char *path)
{
    struct stat status;
    if (is_standard(path)) {
        if (!cli_is_terminal(0))
            return 0;
        cli_error("standard input is a terminal; pipe a file into it or name one");
        return -1;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        return fd;
    cli_error("%s: cannot be read: %s", path, fd >= 0 ? "is a directory" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void close_input(int fd)
{
    if (fd > 0)
        close(fd);
}

/* Read up to size bytes, fewer only at the end; -1 on failure. */
static ssize_t read_up_to(int fd, uint8_t *data, size_t size)
{
    size_t got = 0;
    while (got < size) {
        const size_t left = size - got;
        const ssize_t n = read(fd, data + got, left < (1u << 30) ? left : (1u << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* Read to the end; the buffer doubles, so that the work stays linear. */
static bool read_all(int fd, const char *name, cli_bytes *out)
{
    size_t capacity = 1u << 16;
    uint8_t *data = malloc(capacity);
    size_t size = 0;
    while (data) {
        const ssize_t n = read_up_to(fd, data + size, capacity - size);
        if (n < 0) {
            free(data);
            return cli_error("%s: cannot be read: %s", name, strerror(errno));
        }
        size += (size_t)n;
        if (size < capacity)
            break;
        uint8_t *larger = capacity <= SIZE_MAX / 2 ? realloc(data, capacity * 2) : NULL;
        if (!larger)
            free(data);
        data = larger;
        capacity *= 2;
    }
    if (!data)
        return cli_error("%s: does not fit in memory", name);
    *out = (cli_bytes){ .data = data, .size = size, .owned = data };
    return true;
}

static bool map(int fd, size_t size, cli_bytes *out)
{
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (data == MAP_FAILED)
        return false;
    *out = (cli_bytes){ .data = data, .size = size, .owned = data, .is_mapped = true };
    return true;
}

/* Size of a regular file read from its beginning, 0 for anything else. */
static uint64_t regular_size(int fd)
{
    struct stat status;
    const bool is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    return is_regular && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

bool cli_bytes_open(const char *path, cli_bytes *out)
{
    *out = (cli_bytes){ 0 };
    const int fd = open_input(path);
    if (fd < 0)
        return false;
    const uint64_t size = regular_size(fd);
    const bool is_good = (size <= SIZE_MAX && map(fd, (size_t)size, out)) || read_all(fd, display_name(path), out);
    close_input(fd);
    return is_good;
}

void cli_bytes_close(cli_bytes *bytes)
{
    if (bytes->owned && bytes->is_mapped)
        munmap(bytes->owned, bytes->size);
    else
        free(bytes->owned);
    *bytes = (cli_bytes){ 0 };
}

static int stream_read_at(void *user, uint64_t offset, void *data, size_t size)
{
    const cli_stream *stream = user;
    size_t got = 0;
    if (offset > stream->size || size > stream->size - offset)
        return -1;
    if (stream->fd < 0) {
        if (size)
            memcpy(data, stream->bytes.data + offset, size);
        return 0;
    }
    while (got < size) {
        const ssize_t n = pread(stream->fd, (uint8_t *)data + got, size - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        got += (size_t)n;
    }
    return 0;
}

static int stream_size(void *user, uint64_t *size)
{
    const cli_stream *stream = user;
    *size = stream->size;
    return 0;
}

bool cli_stream_open(const char *path, cli_stream *out, fmc_io *io)
{
    *out = (cli_stream){ .fd = open_input(path) };
    if (out->fd < 0)
        return false;
    out->size = regular_size(out->fd);
    if (out->size == 0) {
        const bool is_good = read_all(out->fd, display_name(path), &out->bytes);
        close_input(out->fd);
        out->fd = -1;
        if (!is_good)
            return false;
        out->size = out->bytes.size;
    }
    *io = (fmc_io){ .struct_size = sizeof *io, .user = out, .read_at = stream_read_at, .size = stream_size };
    return true;
}

void cli_stream_close(cli_stream *stream)
{
    close_input(stream->fd);
    cli_bytes_close(&stream->bytes);
    stream->fd = -1;
}

bool cli_file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

uint64_t cli_file_size(const char *path)
{
    struct stat status;
    const bool is_regular = !is_standard(path) && stat(path, &status) == 0 && S_ISREG(status.st_mode);
    return is_regular ? (uint64_t)status.st_size : UINT64_MAX;
}

bool cli_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

double cli_seconds(void)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
