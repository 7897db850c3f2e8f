/* SPDX-License-Identifier: Apache-2.0 */
/* Run a fuzz target over files and folders: a corpus as a plain test, for every compiler. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static int run_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    uint8_t *copy;
    size_t size;

    if (!file)
        return -1;
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    copy = malloc(size ? size : 1); /* its own block: sanitizers see the first byte beyond */
    if (!copy)
        return -1;
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 1;
}

/* Number of files run, -1 on failure. */
static int run_path(const char *path)
{
    struct stat info;
    struct dirent *entry;
    DIR *dir;
    int n = 0;

    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return run_file(path);
    dir = opendir(path);
    while (dir && n >= 0 && (entry = readdir(dir)) != NULL) {
        char name[1200];

        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            n = run_file(name) < 0 ? -1 : n + 1;
    }
    if (dir)
        closedir(dir);
    return dir ? n : -1;
}

int main(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        const int m = run_path(argv[i]);

        if (m < 0) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        n += m;
    }
    printf("%d inputs\n", n);
    return n == 0;
}
