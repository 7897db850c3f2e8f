/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_BACKEND_H
#define FMC_OPS_BACKEND_H

#include <pthread.h>
#include <fmc/backend.h>
#include "core/exec.h"

/* Loadable backends (<fmc/backend.h>, docs/backends.md): found, opened, tested, chosen, and their convolutions kept. */

enum { FMC_BACKEND_NAME = 32, FMC_BACKEND_TEXT = 160, FMC_BACKEND_PATH = 512 };

/* ------------------------------------------------------------------------------ backend_find.c: files, opening -- */

/** A module that lies somewhere: fmc_backend_NAME.so */
typedef struct fmc_module_file {
    char name[FMC_BACKEND_NAME];
    char path[FMC_BACKEND_PATH];
} fmc_module_file;

/**
 * List the modules of the folders of `search` (with ':' between, may be NULL), of the folder fmc beside libfmc, and of the
 * folder that the build installs to, in this order; the first of a name counts. Sorted by name.
 * @param out  owned by the caller, FMC_ALLOC.
 * @return FMC_OK, FMC_ERR_NO_MEMORY. A folder that cannot be read has none.
 */
fmc_status fmc_module_scan(const fmc_allocator *a, const char *search, fmc_module_file **out, uint32_t *count);

/** An opened backend. Immutable after the test. */
typedef struct fmc_remote {
    void              *library; /* of dlopen */
    const fmc_backend *table;
    void              *self;
    char               text[FMC_BACKEND_TEXT]; /* version of what computes; after a failure why */
} fmc_remote;

/** Load and open. @return FMC_OK, or FMC_ERR_BACKEND_UNAVAILABLE with r->text and nothing to close. */
fmc_status fmc_remote_open(const fmc_module_file *file, fmc_remote *r);
/** Accepts a zeroed one. The module stays in memory: libraries with threads of their own cannot be unloaded safely. */
void fmc_remote_close(fmc_remote *r);

/** A valid name: 1..31 of a-z, 0-9, '_', '-'. */
int fmc_backend_name_is_valid(const char *name);

/* -------------------------------------------------------------------------- backend_conv.c: one convolution -- */

typedef struct fmc_remote_conv fmc_remote_conv;

/**
 * Prepare a convolution on a backend. @param out NULL where the backend does not do it.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_BACKEND_FAILED.
 */
fmc_status fmc_remote_prepare(const fmc_allocator *a, const fmc_remote *r, const fmc_backend_conv *c, fmc_remote_conv **out);
/** Accepts NULL. */
void fmc_remote_release(fmc_remote_conv *c);
/** Floats of memory that a run needs. */
size_t fmc_remote_scratch(const fmc_remote_conv *c);
/** Run it, see fmc_backend.conv_run. Any thread. @return FMC_OK, FMC_ERR_BACKEND_FAILED. */
fmc_status fmc_remote_run(const fmc_remote_conv *c, const uint32_t in[3], const float *x, float *y, float *scratch);

/** Sites of the output along axis d. */
static inline uint32_t fmc_backend_conv_sites(const fmc_backend_conv *c, int d, uint32_t n)
{
    return (n + 2 * c->pad[d] - c->kernel[d]) / c->stride[d] + 1;
}

/* -------------------------------------------------------------------------------- backend_check.c: the test -- */

/**
 * Convolutions of several shapes whose sums come to the limit of what networks may have, compared exactly.
 * @param why  FMC_BACKEND_TEXT bytes: what was wrong
 * @return FMC_OK, FMC_ERR_BACKEND_UNAVAILABLE, FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_remote_test(const fmc_allocator *a, const fmc_remote *r, char *why);

/* ------------------------------------------------------------------ backend_choice.c: the backend of a context -- */

/** A convolution that a context keeps prepared, named by its contents. */
typedef struct fmc_remote_key {
    fmc_backend_conv conv;      /* weight and bias are NULL */
    const void *weight, *bias;  /* bytes that are the same if and only if the values are */
    size_t weight_size, bias_size;
} fmc_remote_key;

typedef struct fmc_remote_entry fmc_remote_entry;

/** What a context knows of backends. */
typedef struct fmc_backends {
    const fmc_allocator *alloc;
    char   name[FMC_BACKEND_NAME];   /* asked for; "": free choice */
    int    is_bad_name;              /* something was asked for that cannot be a name */
    char  *search;                   /* folders to look in first; owned; NULL: none */
    pthread_mutex_t lock;            /* of what follows */
    int    is_decided;
    fmc_status decision;
    fmc_remote remote;               /* table NULL: own kernels */
    char   why[FMC_BACKEND_TEXT + FMC_BACKEND_NAME + 64]; /* why not; "" if all is well */
    fmc_module_file *file;           /* NULL until looked for */
    uint32_t n_files;
    fmc_remote_entry *entry;         /* list */
    uint32_t n_entries;
} fmc_backends;

/**
 * What the caller and the environment (FMC_BACKEND, FMC_BACKEND_PATH; not in programs with raised privileges) ask for;
 * nothing is loaded before it is needed. @param alloc must live as long.
 * @param name, search  the caller's, NULL or "": the environment's
 * @return FMC_OK, FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_backends_init(fmc_backends *b, const fmc_allocator *alloc, const char *name, const char *search);
/** Accepts a zeroed one. */
void fmc_backends_fini(fmc_backends *b);

/** True if plain C was asked for. */
int fmc_backends_wants_ref(const fmc_backends *b);

/**
 * The backend to run networks with; decides at the first call. Any thread.
 * @param out  NULL: the kernels of lib/ops
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_BACKEND_UNAVAILABLE with b->why if the one asked for cannot be used.
 */
fmc_status fmc_backends_get(fmc_backends *b, const fmc_remote **out);

/**
 * The prepared convolution of these contents, if there is one. Any thread. Give it back with fmc_backends_put.
 * @return NULL if there is none.
 */
fmc_remote_entry *fmc_backends_find(fmc_backends *b, const fmc_remote_key *key);
/** Prepare one and keep it. @param conv with weights. @param out as found; NULL on failure. */
fmc_status fmc_backends_add(fmc_backends *b, const fmc_remote_key *key, const fmc_backend_conv *conv, fmc_remote_entry **out);
/** Accepts NULL. */
void fmc_backends_put(fmc_backends *b, fmc_remote_entry *entry);
/** NULL: the backend does not do it. */
const fmc_remote_conv *fmc_remote_entry_conv(const fmc_remote_entry *entry);

/** How many there are: 2 built in, then modules. */
fmc_status fmc_backends_count(fmc_backends *b, uint32_t *count);
/** Fill *info for i < count. */
fmc_status fmc_backends_describe(fmc_backends *b, const struct fmc_kernels *kernels, uint32_t i, fmc_backend_info *info);

#endif
