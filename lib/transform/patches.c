/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/patches.h"

#include <string.h>
#include "core/status.h"

fmc_patches fmc_patches_of(uint32_t rank, const size_t *dim)
{
    fmc_patches p = { .outer = 1, .h = 1, .w = dim[rank - 1], .ph = 1, .pw = FMC_PATCH };

    for (uint32_t a = 0; a + 2 < rank; a++)
        p.outer *= dim[a];
    if (rank > 1) {
        p.h = dim[rank - 2];
        p.ph = p.pw = 8;
    }
    p.rows = (p.h - 1) / p.ph + 1;
    p.cols = (p.w - 1) / p.pw + 1;
    return p;
}

size_t fmc_patches_count(const fmc_patches *p)
{
    const size_t most = SIZE_MAX / 16 / FMC_PATCH;

    if (p->rows > most / p->cols || p->outer > most / (p->rows * p->cols))
        return 0;
    return p->outer * p->rows * p->cols * FMC_PATCH;
}

typedef struct job {
    const fmc_patches *p;
    size_t sample;
    const uint8_t *from;
    uint8_t *to;
} job;

/* Row y of a patch, in samples: how many are inside the array, and where they begin there. */
static size_t inside(const fmc_patches *p, size_t plane, size_t row, size_t col, size_t y, size_t *at)
{
    const size_t ay = row * p->ph + y, x = col * p->pw;

    *at = (plane * p->h + (ay < p->h ? ay : p->h - 1)) * p->w + x;
    return p->w - x < p->pw ? p->w - x : p->pw;
}

/* All patches of one row of them. */
static fmc_status gather_row(void *user, uint32_t i)
{
    const job *j = user;
    const fmc_patches *p = j->p;
    const size_t s = j->sample;
    uint8_t *to = j->to + (size_t)i * p->cols * FMC_PATCH * s;

    for (size_t col = 0; col < p->cols; col++)
        for (size_t y = 0; y < p->ph; y++, to += p->pw * s) {
            size_t at;
            const size_t n = inside(p, i / p->rows, i % p->rows, col, y, &at);

            memcpy(to, j->from + at * s, n * s);
            for (size_t x = n; x < p->pw; x++)
                memcpy(to + x * s, to + (n - 1) * s, s);
        }
    return FMC_OK;
}

static fmc_status scatter_row(void *user, uint32_t i)
{
    const job *j = user;
    const fmc_patches *p = j->p;
    const size_t s = j->sample, row = i % p->rows;
    const uint8_t *from = j->from + (size_t)i * p->cols * FMC_PATCH * s;

    for (size_t col = 0; col < p->cols; col++)
        for (size_t y = 0; y < p->ph; y++, from += p->pw * s) {
            size_t at;
            const size_t n = inside(p, i / p->rows, row, col, y, &at);

            if (row * p->ph + y < p->h)
                memcpy(j->to + at * s, from, n * s);
        }
    return FMC_OK;
}

static fmc_status run(const fmc_exec *ex, const fmc_patches *p, size_t sample, const void *from, void *to, fmc_task_fn task)
{
    job j = { p, sample, from, to };

    if (p->outer > UINT32_MAX / p->rows)
        return FMC_ERR_LIMIT;
    return fmc_parallel_for(ex, (uint32_t)(p->outer * p->rows), task, &j);
}

fmc_status fmc_patches_gather(const fmc_exec *ex, const fmc_patches *p, size_t sample, const void *from, void *to)
{
    return run(ex, p, sample, from, to, gather_row);
}

fmc_status fmc_patches_scatter(const fmc_exec *ex, const fmc_patches *p, size_t sample, const void *from, void *to)
{
    return run(ex, p, sample, from, to, scatter_row);
}
