/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pool.h"

#include <stdint.h>

/* Blocks below this are left to the allocator underneath. */
#define LARGE ((size_t)1 << 16)
/* What is left to the next pool has at most so many bytes. */
#define KEEP_MOST ((size_t)1 << 28)

/*
 * In front of every block; as large as malloc's alignment. A segment is full of blocks, the last one a head alone that is
 * never free: [segment | head block | head block | ... | head].
 */
typedef union head {
    struct {
        size_t size;   /* with the head; 0: not in a segment */
        size_t before; /* size of the block before, with is_used in its lowest bit: of this block */
    } at;
    long double alignment[1];
} head;

struct fmc_pool_segment {
    struct fmc_pool_segment *next;
    size_t                   size; /* of all blocks but the last */
};

typedef union segment_head {
    struct fmc_pool_segment s;
    long double alignment[1];
} segment_head;

/* Sizes are multiples of this. */
enum { UNIT = 64 };

static head *first_of(struct fmc_pool_segment *s)
{
    return (head *)((unsigned char *)s + sizeof(segment_head));
}

static head *next_of(head *h)
{
    return (head *)((unsigned char *)h + h->at.size);
}

static int is_used(const head *h)
{
    return (int)(h->at.before & 1);
}

/* Set a block's size, which the next one notes too. */
static void resize(head *h, size_t size)
{
    h->at.size = size;
    next_of(h)->at.before = size | (next_of(h)->at.before & 1);
}

/* Use the first bytes of a free block. */
static void *use(head *h, size_t size)
{
    if (h->at.size > size) {
        head *rest = (head *)((unsigned char *)h + size);

        rest->at.before = size;
        resize(rest, h->at.size - size);
        h->at.size = size;
    }
    h->at.before |= 1;
    return h + 1;
}

/* The first free block of a segment that is large enough: pages that were touched already. */
static head *find(const fmc_pool *p, size_t size)
{
    for (struct fmc_pool_segment *s = p->segments; s; s = s->next) {
        const head *end = (const head *)((unsigned char *)first_of(s) + s->size);

        for (head *h = first_of(s); h < end; h = next_of(h))
            if (!is_used(h) && h->at.size >= size)
                return h;
    }
    return NULL;
}

static struct fmc_pool_segment *alloc_segment(const fmc_pool *p, size_t room)
{
    return p->under->alloc(p->under->user, sizeof(segment_head) + room + sizeof(head));
}

/* Make all of a segment one free block. */
static void clear(struct fmc_pool_segment *s)
{
    head *h = first_of(s);

    h->at.before = 0;
    h->at.size = s->size;
    next_of(h)->at.size = sizeof *h;
    next_of(h)->at.before = s->size | 1;
}

/* A segment with room for `size`, for just that if there is no more. @return its only block, NULL: no memory. */
static head *add_segment(fmc_pool *p, size_t size)
{
    size_t room = size > p->expected ? size : p->expected;
    struct fmc_pool_segment *s = alloc_segment(p, room), **last;

    if (!s && room > size) {
        room = size;
        s = alloc_segment(p, room);
    }
    if (!s)
        return NULL;
    s->size = room;
    s->next = NULL;
    for (last = &p->segments; *last; last = &(*last)->next)
        ;
    *last = s;
    clear(s);
    return first_of(s);
}

static void *alloc_small(fmc_pool *p, size_t size)
{
    head *h = p->under->alloc(p->under->user, sizeof *h + size);

    if (!h)
        return NULL;
    h->at.size = 0;
    return h + 1;
}

static void *pool_alloc(void *user, size_t size)
{
    fmc_pool *p = user;
    void *block = NULL;
    head *h;

    if (size < LARGE)
        return alloc_small(p, size);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + sizeof *h + UNIT - 1) / UNIT * UNIT;
    pthread_mutex_lock(&p->lock);
    h = find(p, size);
    if (!h)
        h = add_segment(p, size);
    if (h)
        block = use(h, size);
    pthread_mutex_unlock(&p->lock);
    return block;
}

/* Free a block and join it with free ones beside it. */
static void give_back(head *h)
{
    head *next = next_of(h);

    h->at.before &= ~(size_t)1;
    if (!is_used(next))
        resize(h, h->at.size + next->at.size);
    if (h->at.before > 0) {
        head *before = (head *)((unsigned char *)h - h->at.before);

        if (!is_used(before))
            resize(before, before->at.size + h->at.size);
    }
}

static void pool_free(void *user, void *ptr)
{
    fmc_pool *p = user;
    head *h = ptr;

    if (!h)
        return;
    h--;
    if (h->at.size == 0) {
        p->under->free(p->under->user, h);
        return;
    }
    pthread_mutex_lock(&p->lock);
    give_back(h);
    pthread_mutex_unlock(&p->lock);
}

fmc_status fmc_pool_init(fmc_pool *p, const fmc_allocator *under, size_t expected, struct fmc_pool_segment **kept)
{
    p->base = (fmc_allocator){ .user = p, .alloc = pool_alloc, .free = pool_free };
    p->under = under;
    p->expected = expected < LARGE ? LARGE : expected / UNIT * UNIT;
    p->segments = NULL;
    p->kept = kept;
    if (pthread_mutex_init(&p->lock, NULL))
        return FMC_ERR_NO_MEMORY;
    if (kept && *kept) {
        if ((*kept)->size < p->expected)
            fmc_pool_drop(under, kept);
        p->segments = *kept;
        *kept = NULL;
    }
    if (p->segments)
        clear(p->segments);
    return FMC_OK;
}

/* The first segment stays, if it is what the next pool needs. */
static void keep(fmc_pool *p)
{
    struct fmc_pool_segment *s = p->segments;

    if (!p->kept || !s || s->size > KEEP_MOST)
        return;
    p->segments = s->next;
    s->next = NULL;
    *p->kept = s;
}

void fmc_pool_fini(fmc_pool *p)
{
    keep(p);
    while (p->segments) {
        struct fmc_pool_segment *s = p->segments;

        p->segments = s->next;
        p->under->free(p->under->user, s);
    }
    pthread_mutex_destroy(&p->lock);
}

void fmc_pool_drop(const fmc_allocator *under, struct fmc_pool_segment **kept)
{
    if (*kept)
        under->free(under->user, *kept);
    *kept = NULL;
}
