/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs: written beside their place, given their name when whole, removed when anything (a signal too) ends it. */
#include "cli.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The temporary file that a signal must remove; the process writes one output at a time. */
static char pending[4096];
static volatile sig_atomic_t has_pending;

static void remove_pending(int number)
{
    if (has_pending)
        unlink(pending);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_signals(const char *temp)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    if (strlen(temp) >= sizeof pending)
        return;
    strcpy(pending, temp);
    has_pending = 1;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (signal(numbers[i], remove_pending) == SIG_IGN)
            signal(numbers[i], SIG_IGN);
}

static const char *write_error(void)
{
    return errno == EFBIG ? "the file would be larger than the limit ('ulimit -f') or the file system allows" : strerror(errno);
}

static bool open_standard(cli_output *out)
{
    if (cli_is_terminal(1))
        return cli_error("standard output is a terminal; redirect it or give -o FILE");
    out->fd = 1;
    return true;
}

/* Devices, pipes and links, such as /dev/stdout, keep their name: what they stand for is written as it is. */
static bool is_special_file(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool open_direct(const char *path, cli_output *out)
{
    out->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return out->fd >= 0 || cli_error("%s: cannot be written: %s", path, strerror(errno));
}

bool cli_output_open(const char *path, cli_output *out)
{
    static const char suffix[] = ".tmpXXXXXX";
    *out = (cli_output){ .path = path, .fd = -1 };
    signal(SIGXFSZ, SIG_IGN); /* beyond the limit of file sizes writing fails, as on a full disk, and does not end the process */
    if (strcmp(path, "-") == 0)
        return open_standard(out);
    if (is_special_file(path))
        return open_direct(path, out);
    const size_t size = strlen(path) + sizeof suffix;
    out->temp = malloc(size);
    if (!out->temp)
        return cli_error("out of memory");
    snprintf(out->temp, size, "%s%s", path, suffix);
    out->fd = mkstemp(out->temp);
    if (out->fd >= 0) {
        watch_signals(out->temp);
        return true;
    }
    cli_error("%s: cannot be written: %s", path, strerror(errno));
    free(out->temp);
    out->temp = NULL;
    return false;
}

bool cli_output_write(cli_output *output, const void *data, size_t size)
{
    const char *p = data;
    while (size > 0) {
        const ssize_t n = write(output->fd, p, size < (1u << 30) ? size : (1u << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cli_error("%s: cannot be written: %s", output->path, n < 0 ? write_error() : "no progress");
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* mkstemp makes private files; the result gets what the user's umask allows, or what the replaced file had. */
static void set_mode(const cli_output *output)
{
    struct stat status;
    const mode_t mask = umask(0);
    umask(mask);
    const mode_t mode = stat(output->path, &status) == 0 ? status.st_mode & 0777 : 0666 & ~mask;
    if (fchmod(output->fd, mode) != 0)
        errno = 0; /* not every file system has modes */
}

bool cli_output_close(cli_output *output, bool is_good)
{
    if (output->fd < 0)
        return is_good;
    if (output->temp)
        set_mode(output);
    if (output->fd != 1 && close(output->fd) != 0 && is_good)
        is_good = cli_error("%s: cannot be written: %s", output->path, strerror(errno));
    output->fd = -1;
    if (!output->temp)
        return is_good;
    if (is_good && rename(output->temp, output->path) != 0)
        is_good = cli_error("%s: cannot be written: %s", output->path, strerror(errno));
    if (!is_good)
        unlink(output->temp);
    has_pending = 0;
    free(output->temp);
    output->temp = NULL;
    return is_good;
}
