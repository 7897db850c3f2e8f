/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pool.h"

#include <stdint.h>

/* Blocks below this are left to the allocator underneath. */
#define LARGE ((size_t)1 << 16)

/* In front of every block; as large as malloc's alignment. */
typedef union head {
    size_t size; /* without the head */
    long double alignment[1];
} head;

static int fits(const head *h, size_t size)
{
    return h->size >= size && h->size - size <= size / 8;
}

/* Put a block into a free slot. @return 0 if there is none. */
static int keep(fmc_pool *p, head *h)
{
    for (int i = 0; i < FMC_POOL_SLOTS; i++) {
        void *none = NULL;

        if (atomic_compare_exchange_strong(&p->kept[i], &none, (void *)h))
            return 1;
    }
    return 0;
}

static void give_back(fmc_pool *p, head *h)
{
    p->under->free(p->under->user, h);
}

/* A kept block that fits. Where there is none, blocks that the new one could need the room of are given back. */
static head *take(fmc_pool *p, size_t size)
{
    for (int i = 0; i < FMC_POOL_SLOTS; i++) {
        head *h = atomic_exchange(&p->kept[i], NULL);

        if (h && fits(h, size))
            return h;
        if (h && !keep(p, h))
            give_back(p, h);
    }
    for (int i = 0; i < FMC_POOL_SLOTS; i++) {
        head *h = atomic_exchange(&p->kept[i], NULL);

        if (h && (h->size / 4 < size || !keep(p, h)))
            give_back(p, h);
    }
    return NULL;
}

static void *pool_alloc(void *user, size_t size)
{
    fmc_pool *p = user;
    head *h = size >= LARGE ? take(p, size) : NULL;

    if (!h) {
        if (size > SIZE_MAX - sizeof *h)
            return NULL;
        h = p->under->alloc(p->under->user, sizeof *h + size);
        if (!h)
            return NULL;
        h->size = size;
    }
    return h + 1;
}

static void pool_free(void *user, void *ptr)
{
    fmc_pool *p = user;
    head *h = ptr;

    if (!h)
        return;
    h--;
    if (h->size < LARGE || !keep(p, h))
        give_back(p, h);
}

void fmc_pool_init(fmc_pool *p, const fmc_allocator *under)
{
    p->base = (fmc_allocator){ .user = p, .alloc = pool_alloc, .free = pool_free };
    p->under = under;
    for (int i = 0; i < FMC_POOL_SLOTS; i++)
        atomic_init(&p->kept[i], NULL);
}

void fmc_pool_fini(fmc_pool *p)
{
    for (int i = 0; i < FMC_POOL_SLOTS; i++) {
        void *h = atomic_exchange(&p->kept[i], NULL);

        if (h)
            give_back(p, h);
    }
}
