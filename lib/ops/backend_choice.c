/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* secure_getenv */
#include "ops/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/status.h"
#include "ops/kernels.h"

enum { N_BUILT_IN = 2, MAX_ENTRIES = 1024 /* prepared convolutions; a model has about a hundred */ };

struct fmc_remote_entry {
    fmc_remote_entry *next;
    fmc_remote_key    key;   /* weight and bias are in `bytes` */
    uint8_t          *bytes;
    fmc_remote_conv  *conv;  /* NULL: declined */
    uint32_t          n_users;
};

/* --------------------------------------------------------------------------------------------- what is asked -- */

/* Nothing in programs that run with more rights than their caller has. */
static const char *environment(const char *variable)
{
#ifdef FMC_HAVE_SECURE_GETENV
    const char *text = secure_getenv(variable);
#else
    const char *text = getuid() == geteuid() && getgid() == getegid() ? getenv(variable) : NULL;
#endif

    return text && *text ? text : NULL;
}

fmc_status fmc_backends_init(fmc_backends *b, const fmc_allocator *alloc, const char *name, const char *search)
{
    fmc_status st = FMC_OK;

    *b = (fmc_backends){ .alloc = alloc };
    if (!name || !*name)
        name = environment("FMC_BACKEND");
    if (!search || !*search)
        search = environment("FMC_BACKEND_PATH");
    if (name && strcmp(name, "auto")) {
        b->is_bad_name = !fmc_backend_name_is_valid(name);
        (void)snprintf(b->name, sizeof b->name, "%s", name);
    }
    if (search) {
        FMC_TRY(FMC_ALLOC(alloc, strlen(search) + 1, &b->search));
        memcpy(b->search, search, strlen(search) + 1);
    }
    if (pthread_mutex_init(&b->lock, NULL)) {
        fmc_dealloc(alloc, b->search);
        st = FMC_ERR_NO_MEMORY;
    }
done:
    if (st != FMC_OK)
        *b = (fmc_backends){ 0 };
    return st;
}

static void free_entry(const fmc_allocator *a, fmc_remote_entry *e)
{
    if (e) {
        fmc_remote_release(e->conv);
        fmc_dealloc(a, e->bytes);
        fmc_dealloc(a, e);
    }
}

void fmc_backends_fini(fmc_backends *b)
{
    if (!b->alloc)
        return;
    while (b->entry) {
        fmc_remote_entry *e = b->entry;

        b->entry = e->next;
        free_entry(b->alloc, e);
    }
    fmc_remote_close(&b->remote);
    fmc_dealloc(b->alloc, b->file);
    fmc_dealloc(b->alloc, b->search);
    (void)pthread_mutex_destroy(&b->lock);
    *b = (fmc_backends){ 0 };
}

int fmc_backends_wants_ref(const fmc_backends *b)
{
    return !strcmp(b->name, "ref");
}

/* ------------------------------------------------------------------------------------------------- the choice -- */

static fmc_status find_files(fmc_backends *b)
{
    return b->file ? FMC_OK : fmc_module_scan(b->alloc, b->search, &b->file, &b->n_files);
}

/* Open and test. r->text tells the version, after a failure why. */
static fmc_status open_tested(const fmc_backends *b, const fmc_module_file *file, fmc_remote *r)
{
    char why[FMC_BACKEND_TEXT];
    fmc_status st = fmc_remote_open(file, r);

    if (st != FMC_OK)
        return st;
    st = fmc_remote_test(b->alloc, r, why);
    if (st != FMC_OK) {
        fmc_remote_close(r);
        memcpy(r->text, why, sizeof why);
    }
    return st;
}

static fmc_status open_named(fmc_backends *b)
{
    fmc_status st = FMC_ERR_BACKEND_UNAVAILABLE;

    for (uint32_t i = 0; i < b->n_files; i++)
        if (!strcmp(b->file[i].name, b->name)) {
            st = open_tested(b, &b->file[i], &b->remote);
            if (st == FMC_ERR_BACKEND_UNAVAILABLE)
                (void)snprintf(b->why, sizeof b->why, "backend %s: %s", b->name, b->remote.text);
            return st;
        }
    (void)snprintf(b->why, sizeof b->why,
                   b->is_bad_name ? "a backend cannot be called '%s'"
                                  : "there is no backend '%s'; 'fmc backends' lists them, FMC_BACKEND_PATH tells where to look",
                   b->name);
    return st;
}

/* The usable module of lowest order; none is no failure. */
static fmc_status open_best(fmc_backends *b)
{
    for (uint32_t i = 0; i < b->n_files; i++) {
        fmc_remote r;
        const fmc_status st = open_tested(b, &b->file[i], &r);

        if (st == FMC_ERR_NO_MEMORY)
            return st;
        if (st == FMC_OK && (!b->remote.table || r.table->order < b->remote.table->order)) {
            fmc_remote_close(&b->remote);
            b->remote = r;
        } else if (st == FMC_OK) {
            fmc_remote_close(&r);
        }
    }
    return FMC_OK;
}

/* Own kernels are the fastest where there are any (bench/bench_nets.py). */
static fmc_status decide(fmc_backends *b)
{
    const int is_free = !b->name[0];
    fmc_status st;

    if (is_free ? fmc_kernels_has_fast() : !strcmp(b->name, "cpu") || fmc_backends_wants_ref(b))
        return FMC_OK;
    st = find_files(b);
    if (st != FMC_OK)
        return st;
    return is_free ? open_best(b) : open_named(b);
}

fmc_status fmc_backends_get(fmc_backends *b, const fmc_remote **out)
{
    fmc_status st;

    *out = NULL;
    if (!b)
        return FMC_OK;
    (void)pthread_mutex_lock(&b->lock);
    if (!b->is_decided)
        b->decision = decide(b);
    b->is_decided = b->decision != FMC_ERR_NO_MEMORY;
    st = b->decision;
    if (st == FMC_OK && b->remote.table)
        *out = &b->remote;
    (void)pthread_mutex_unlock(&b->lock);
    return st;
}

/* --------------------------------------------------------------------------------- prepared convolutions -- */

static int is_same(const fmc_remote_key *a, const fmc_remote_key *b)
{
    const fmc_backend_conv *x = &a->conv, *y = &b->conv;
    int same = x->in_channels == y->in_channels && x->out_channels == y->out_channels && x->groups == y->groups &&
               a->weight_size == b->weight_size && a->bias_size == b->bias_size;

    for (int d = 0; d < 3; d++)
        same = same && x->kernel[d] == y->kernel[d] && x->stride[d] == y->stride[d] && x->pad[d] == y->pad[d];
    return same && !memcmp(a->bias, b->bias, a->bias_size) && !memcmp(a->weight, b->weight, a->weight_size);
}

fmc_remote_entry *fmc_backends_find(fmc_backends *b, const fmc_remote_key *key)
{
    fmc_remote_entry *e;

    (void)pthread_mutex_lock(&b->lock);
    for (e = b->entry; e && !is_same(&e->key, key); e = e->next)
        ;
    if (e)
        e->n_users++;
    (void)pthread_mutex_unlock(&b->lock);
    return e;
}

/* Forget what nobody uses; the lock is held. */
static void make_room(fmc_backends *b)
{
    fmc_remote_entry **at = &b->entry;

    while (*at && b->n_entries >= MAX_ENTRIES / 2) {
        fmc_remote_entry *e = *at;

        if (e->n_users) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        b->n_entries--;
        free_entry(b->alloc, e);
    }
}

fmc_status fmc_backends_add(fmc_backends *b, const fmc_remote_key *key, const fmc_backend_conv *conv, fmc_remote_entry **out)
{
    fmc_remote_entry *e = NULL;
    fmc_status st;

    *out = NULL;
    FMC_TRY(FMC_ALLOC_ZERO(b->alloc, 1, &e));
    FMC_TRY(FMC_ALLOC(b->alloc, key->weight_size + key->bias_size, &e->bytes));
    memcpy(e->bytes, key->weight, key->weight_size);
    memcpy(e->bytes + key->weight_size, key->bias, key->bias_size);
    e->key = *key;
    e->key.weight = e->bytes;
    e->key.bias = e->bytes + key->weight_size;
    FMC_TRY(fmc_remote_prepare(b->alloc, &b->remote, conv, &e->conv));
    e->n_users = 1;
    (void)pthread_mutex_lock(&b->lock);
    if (b->n_entries >= MAX_ENTRIES)
        make_room(b);
    e->next = b->entry;
    b->entry = e;
    b->n_entries++;
    (void)pthread_mutex_unlock(&b->lock);
    *out = e;
    e = NULL;
done:
    free_entry(b->alloc, e);
    return st;
}

void fmc_backends_put(fmc_backends *b, fmc_remote_entry *entry)
{
    if (entry) {
        (void)pthread_mutex_lock(&b->lock);
        entry->n_users--;
        (void)pthread_mutex_unlock(&b->lock);
    }
}

const fmc_remote_conv *fmc_remote_entry_conv(const fmc_remote_entry *entry)
{
    return entry->conv;
}

/* -------------------------------------------------------------------------------------------------- the list -- */

fmc_status fmc_backends_count(fmc_backends *b, uint32_t *count)
{
    fmc_status st;

    (void)pthread_mutex_lock(&b->lock);
    st = find_files(b);
    *count = st == FMC_OK ? N_BUILT_IN + b->n_files : 0;
    (void)pthread_mutex_unlock(&b->lock);
    return st;
}

static void describe_built_in(const fmc_kernels *kernels, uint32_t i, fmc_backend_info *info)
{
    const int is_fast = strcmp(kernels->name, "ref") != 0;

    info->order = i ? 1 : 1000;
    (void)snprintf(info->name, sizeof info->name, "%s", i ? "cpu" : "ref");
    (void)snprintf(info->version, sizeof info->version, "%s", i ? kernels->name : "plain C");
    info->is_usable = !i || is_fast;
    if (!info->is_usable)
        (void)snprintf(info->why, sizeof info->why, "no kernels of its own for this machine, or FMC_SIMD keeps them off");
}

static fmc_status describe_module(const fmc_backends *b, const fmc_module_file *file, fmc_backend_info *info)
{
    const int is_open = b->remote.table && !strcmp(b->remote.table->name, file->name);
    fmc_remote r = b->remote;
    fmc_status st = FMC_OK;

    (void)snprintf(info->name, sizeof info->name, "%s", file->name);
    (void)snprintf(info->path, sizeof info->path, "%s", file->path);
    if (!is_open)
        st = open_tested(b, file, &r);
    if (st == FMC_ERR_NO_MEMORY)
        return st;
    info->is_usable = st == FMC_OK;
    info->order = r.table ? r.table->order : 0;
    if (st == FMC_OK)
        (void)snprintf(info->version, sizeof info->version, "%.*s", (int)sizeof info->version - 1, r.text);
    else
        (void)snprintf(info->why, sizeof info->why, "%s", r.text);
    if (!is_open && st == FMC_OK)
        fmc_remote_close(&r);
    return FMC_OK;
}

fmc_status fmc_backends_describe(fmc_backends *b, const fmc_kernels *kernels, uint32_t i, fmc_backend_info *info)
{
    const fmc_remote *chosen;
    fmc_status st = fmc_backends_get(b, &chosen);

    *info = (fmc_backend_info){ .struct_size = sizeof *info };
    if (st != FMC_OK && st != FMC_ERR_BACKEND_UNAVAILABLE)
        return st;
    if (i < N_BUILT_IN) {
        describe_built_in(kernels, i, info);
        info->is_chosen = st == FMC_OK && !chosen && (i == 1) == (strcmp(kernels->name, "ref") != 0);
        return FMC_OK;
    }
    (void)pthread_mutex_lock(&b->lock);
    st = find_files(b);
    if (st == FMC_OK)
        st = i - N_BUILT_IN < b->n_files ? describe_module(b, &b->file[i - N_BUILT_IN], info) : FMC_ERR_ARG;
    (void)pthread_mutex_unlock(&b->lock);
    info->is_chosen = chosen && !strcmp(chosen->table->name, info->name);
    return st;
}
