/* SPDX-License-Identifier: Apache-2.0 */
#include "container/layout.h"

#define ONE_CHUNK ((uint64_t)1 << 24) /* samples up to which an array stays whole */
#define CHUNK_MAX ((uint64_t)1 << 23) /* samples of a chunk otherwise */
#define CHUNK_MIN ((uint64_t)1 << 22)
#define SLAB_MAX ((uint64_t)1 << 26) /* samples that a writer buffers */
enum { STEPS = 64, STEPS_MIN = 8, ROUND = 8 };

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t saturating_mul(uint64_t a, uint64_t b)
{
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

uint64_t fmc_layout_grid(const fmc_header *h, uint32_t a)
{
    return h->dim[a] ? ceil_div(h->dim[a], h->chunk[a]) : 0;
}

uint64_t fmc_layout_slab_count(const fmc_header *h)
{
    uint64_t n = 1;

    for (uint32_t a = 1; a < h->rank; a++)
        n = saturating_mul(n, fmc_layout_grid(h, a));
    return n;
}

uint64_t fmc_layout_count(const fmc_header *h)
{
    return saturating_mul(fmc_layout_slab_count(h), h->is_streamed ? 1 : fmc_layout_grid(h, 0));
}

uint64_t fmc_layout_bytes(const fmc_header *h)
{
    uint64_t n = fmc_header_sample_size(h);

    for (uint32_t a = 0; a < h->rank; a++)
        n = saturating_mul(n, max_u64(h->dim[a], 1));
    return n;
}

void fmc_layout_place(const fmc_header *h, uint64_t place, fmc_box *box)
{
    for (uint32_t a = h->rank; a-- > 1;) {
        const uint64_t grid = fmc_layout_grid(h, a);
        const uint64_t cell = place % grid;

        place /= grid;
        box->start[a] = cell * h->chunk[a];
        box->dim[a] = min_u64(h->chunk[a], h->dim[a] - box->start[a]);
    }
}

uint64_t fmc_box_count(const fmc_box *box, uint32_t rank)
{
    uint64_t n = 1;

    for (uint32_t a = 0; a < rank; a++)
        n *= box->dim[a];
    return n;
}

static uint64_t product(const uint64_t *extent, uint32_t first, uint32_t rank)
{
    uint64_t n = 1;

    for (uint32_t a = first; a < rank; a++)
        n = saturating_mul(n, max_u64(extent[a], 1));
    return n;
}

/* The extent that cuts dim into equal pieces of at most `most` samples, rounded up to a multiple of ROUND. */
static uint64_t cut_evenly(uint64_t dim, uint64_t most)
{
    uint64_t extent;

    if (dim <= most)
        return dim;
    extent = ceil_div(dim, ceil_div(dim, most));
    extent = ceil_div(extent, ROUND) * ROUND;
    return min_u64(extent, dim);
}

/* Cut the longest free axis of `first`.. again and again until the chunk is small enough. */
static void cut_axes(const uint64_t *dim, const uint64_t *wish, uint32_t first, uint32_t rank, uint64_t *chunk)
{
    while (product(chunk, 0, rank) > CHUNK_MAX) {
        uint32_t longest = rank;
        uint64_t pieces;

        for (uint32_t a = first; a < rank; a++)
            if (!wish[a] && chunk[a] > ROUND && (longest == rank || chunk[a] > chunk[longest]))
                longest = a;
        if (longest == rank)
            return;
        pieces = ceil_div(dim[longest], chunk[longest]) + 1;
        chunk[longest] = min_u64(cut_evenly(dim[longest], max_u64(dim[longest] / pieces, 1)), chunk[longest] - 1);
    }
}

static void choose_free(const uint64_t *dim, const uint64_t *wish, uint32_t rank, uint64_t *chunk)
{
    if (product(chunk, 0, rank) <= ONE_CHUNK)
        return;
    if (rank == 1) {
        chunk[0] = wish[0] ? chunk[0] : cut_evenly(dim[0], CHUNK_MAX);
        return;
    }
    if (!wish[0])
        chunk[0] = cut_evenly(dim[0], max_u64(STEPS, CHUNK_MIN / product(chunk, 1, rank)));
    cut_axes(dim, wish, 1, rank, chunk);
}

void fmc_layout_choose(fmc_header *h, const uint64_t *wish)
{
    uint64_t dim[FMC_MAX_RANK] = { 0 };

    for (uint32_t a = 0; a < h->rank; a++)
        dim[a] = h->dim[a];
    if (h->is_streamed) {
        const uint64_t step = product(h->dim, 1, h->rank);

        dim[0] = wish[0] ? wish[0] : max_u64(STEPS_MIN, min_u64(STEPS, SLAB_MAX / step));
    }
    for (uint32_t a = 0; a < h->rank; a++)
        h->chunk[a] = wish[a] ? min_u64(wish[a], dim[a]) : dim[a];
    choose_free(dim, wish, h->rank, h->chunk);
}
