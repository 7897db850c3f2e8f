/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_LINES_H
#define FMC_TRANSFORM_LINES_H

#include "transform/transform.h"

/** All lines along one axis of a box that begins at the array's origin, numbered in C order of the other axes. */
typedef struct fmc_lines {
    size_t   n;                   /* samples in a line */
    size_t   stride;              /* between neighbours of a line, in samples */
    size_t   count;               /* lines */
    uint32_t n_other;             /* other axes */
    size_t   size[FMC_MAX_RANK];  /* their extents in the box, C order */
    size_t   step[FMC_MAX_RANK];  /* their strides in samples */
} fmc_lines;

/** Lines along `axis` of the box of extents `box`[rank] in an array of extents `dim`[rank]. */
fmc_lines fmc_lines_make(uint32_t rank, const size_t *dim, const size_t *box, uint32_t axis);

/** First sample of the lines first .. first + count - 1. @param off count entries. */
void fmc_lines_offsets(const fmc_lines *lines, size_t first, size_t count, size_t *off);

/** Work on the lines of a box, cut into blocks of lanes lines (the last one shorter). */
typedef struct fmc_lines_work {
    const fmc_exec  *ex;
    const fmc_lines *lines;
    size_t           lanes;
    size_t           scratch_size; /* bytes that each call gets, contents undefined */
    /** Lines first .. first + count - 1, starting at off[]. */
    fmc_status (*block)(void *user, void *scratch, const size_t *off, size_t count);
    void *user;
} fmc_lines_work;

/** Most lanes a block can have. */
enum { FMC_LINES_MAX_LANES = 64 };

/** Run the blocks on the threads of ex; every block knows only itself, so their order does not matter. */
fmc_status fmc_lines_run(const fmc_lines_work *work);

#endif
