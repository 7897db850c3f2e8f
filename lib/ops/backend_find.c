/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* dladdr */
#include "ops/backend.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/status.h"

#define PREFIX "fmc_backend_"
#define SUFFIX ".so"
#ifndef RTLD_NODELETE
#define RTLD_NODELETE 0
#endif
enum { MAX_MODULES = 64 };

int fmc_backend_name_is_valid(const char *name)
{
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return n > 0 && n < FMC_BACKEND_NAME && !name[n];
}

/* NAME of a file fmc_backend_NAME.so, or 0. */
static int name_of_file(const char *file, char name[FMC_BACKEND_NAME])
{
    const size_t prefix = strlen(PREFIX), suffix = strlen(SUFFIX), size = strlen(file);

    if (size <= prefix + suffix || size - prefix - suffix >= FMC_BACKEND_NAME || strncmp(file, PREFIX, prefix) ||
        strcmp(file + size - suffix, SUFFIX))
        return 0;
    memcpy(name, file + prefix, size - prefix - suffix);
    name[size - prefix - suffix] = 0;
    return fmc_backend_name_is_valid(name);
}

static int is_known(const fmc_module_file *file, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(file[i].name, name))
            return 1;
    return 0;
}

static void scan_folder(const char *folder, size_t size, fmc_module_file *file, uint32_t *n)
{
    char path[FMC_BACKEND_PATH];
    struct dirent *entry;
    DIR *dir;

    if (size == 0 || size >= sizeof path)
        return;
    memcpy(path, folder, size);
    path[size] = 0;
    dir = opendir(path);
    while (dir && *n < MAX_MODULES && (entry = readdir(dir)) != NULL) {
        fmc_module_file f;

        if (!name_of_file(entry->d_name, f.name) || is_known(file, *n, f.name) ||
            (size_t)snprintf(f.path, sizeof f.path, "%s/%s", path, entry->d_name) >= sizeof f.path)
            continue;
        file[(*n)++] = f;
    }
    if (dir)
        closedir(dir);
}

/* Folders with ':' between. */
static void scan_list(const char *list, fmc_module_file *file, uint32_t *n)
{
    while (list && *list) {
        const size_t size = strcspn(list, ":");

        scan_folder(list, size, file, n);
        list += size + (list[size] == ':');
    }
}

/* The folder fmc beside the library (or the program) that this function is in. */
static void scan_beside(fmc_module_file *file, uint32_t *n)
{
    static const char here = 0;
    char folder[FMC_BACKEND_PATH];
    const char *slash;
    Dl_info info;

    if (!dladdr(&here, &info) || !info.dli_fname || !(slash = strrchr(info.dli_fname, '/')) ||
        (size_t)snprintf(folder, sizeof folder, "%.*s/fmc", (int)(slash - info.dli_fname), info.dli_fname) >= sizeof folder)
        return;
    scan_folder(folder, strlen(folder), file, n);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const fmc_module_file *)a)->name, ((const fmc_module_file *)b)->name);
}

fmc_status fmc_module_scan(const fmc_allocator *a, const char *search, fmc_module_file **out, uint32_t *count)
{
    fmc_module_file *file = NULL;
    uint32_t n = 0;
    fmc_status st;

    *out = NULL;
    *count = 0;
    FMC_TRY(FMC_ALLOC(a, MAX_MODULES, &file));
    scan_list(search, file, &n);
    scan_beside(file, &n);
#ifdef FMC_BACKEND_DIR
    scan_folder(FMC_BACKEND_DIR, strlen(FMC_BACKEND_DIR), file, &n);
#endif
    qsort(file, n, sizeof *file, by_name);
    *out = file;
    *count = n;
done:
    return st;
}

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
static fmc_status refuse(fmc_remote *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    if (r->library)
        dlclose(r->library);
    r->library = NULL;
    r->table = NULL;
    return FMC_ERR_BACKEND_UNAVAILABLE;
}

static int is_sound(const fmc_backend *t, const char *name)
{
    const int has_conv = t->conv_prepare && t->conv_run && t->conv_release;

    return t->struct_size >= sizeof *t && t->name && !strcmp(t->name, name) && t->open && t->close && (has_conv || t->gemm);
}

/* What dlerror says, without the path in front that the caller names anyway. */
static const char *short_error(const char *path)
{
    const char *text = dlerror();
    const size_t n = strlen(path);

    if (!text)
        return "it cannot be loaded";
    return strncmp(text, path, n) || strncmp(text + n, ": ", 2) ? text : text + n + 2;
}

fmc_status fmc_remote_open(const fmc_module_file *file, fmc_remote *r)
{
    union {
        void *object;
        fmc_backend_get_fn function;
    } entry;
    char text[FMC_BACKEND_TEXT] = "";

    *r = (fmc_remote){ .library = dlopen(file->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
    if (!r->library)
        return refuse(r, "%s", short_error(file->path));
    entry.object = dlsym(r->library, FMC_BACKEND_ENTRY);
    if (!entry.object)
        return refuse(r, "the file is no module: it has no function " FMC_BACKEND_ENTRY);
    r->table = entry.function();
    if (!r->table || r->table->abi != FMC_BACKEND_ABI)
        return refuse(r, "the module is for version %u of the interface, this library has %d",
                      r->table ? (unsigned)r->table->abi : 0u, FMC_BACKEND_ABI);
    if (!is_sound(r->table, file->name))
        return refuse(r, "the module's table is not complete");
    if (r->table->open(&r->self, text, sizeof text) != FMC_BACKEND_DONE)
        return refuse(r, "%.*s", (int)sizeof text - 1, text[0] ? text : "it cannot be opened");
    memcpy(r->text, text, sizeof text);
    r->text[sizeof text - 1] = 0;
    return FMC_OK;
}

void fmc_remote_close(fmc_remote *r)
{
    if (r->table)
        r->table->close(r->self);
    if (r->library)
        dlclose(r->library);
    *r = (fmc_remote){ 0 };
}
