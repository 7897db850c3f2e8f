/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_NET_PLAN_H
#define FMC_NN_NET_PLAN_H

#include "nn/net.h"

/*
 * How a program runs. A *segment* is a range of ops that can be computed frame by frame: none needs another frame of what
 * the segment itself makes. Its frames are shared out to threads. A *run* is a range within a segment that can be computed
 * row by row. So most tensors exist as one row (in the first-level cache) or one frame (in the second) at a time.
 *
 * Where a backend computes convolutions (net_remote.h), a run is one op, so that it gets whole frames.
 *
 * Frames and rows are counted on the op's *domain*: the grid of its output, for a shuffle that of its input.
 */

/** Assign segments, runs and storage; integer programs that passed fmc_net_check. */
void fmc_net_plan(fmc_net *net);

/** Place of one tensor in a pass over an input of given size. Bytes. */
typedef struct fmc_net_place {
    uint64_t sites[FMC_NET_AXES];  /* t, y, x */
    uint64_t row_size;
    uint64_t offset;               /* in the memory of its storage */
    uint64_t extra;                /* offset in a task's extra memory of what the op keeps from row to row */
} fmc_net_place;

/** Sizes of memory of a pass, bytes. */
typedef struct fmc_net_layout {
    fmc_net_place *place;              /* [n_ops], the caller's */
    uint64_t whole;                    /* shared */
    uint64_t frame, row, extra, zero;  /* per task; zero: a row of zeros */
    uint64_t frames;                   /* the most frames of a segment */
} fmc_net_layout;

/** Sizes and places for an input of `in` sites; layout->place is given. @return FMC_OK, FMC_ERR_LIMIT, FMC_ERR_NO_MEMORY. */
fmc_status fmc_net_lay_out(const fmc_allocator *a, const fmc_net *net, const uint32_t in[FMC_NET_AXES],
                           fmc_net_layout *layout);

/** Bytes that the op keeps from row to row: line cache, expanded gate, sums. Inputs and the op itself are measured. */
uint64_t fmc_net_extra(const fmc_net *net, uint32_t i, const fmc_net_place *place);

/** Bytes of an input row of a convolution with its padding, a multiple of 64. */
uint64_t fmc_net_line_size(const fmc_net *net, uint32_t i, const fmc_net_place *place);

/** Sites of the op's domain: t, y, x. */
static inline void fmc_net_domain(const fmc_net *net, const fmc_net_place *place, uint32_t i, uint64_t out[FMC_NET_AXES])
{
    const fmc_net_place *p = &place[net->op[i].kind == FMC_NET_SHUFFLE ? net->op[i].input[0] : i];

    for (int d = 0; d < FMC_NET_AXES; d++)
        out[d] = p->sites[d];
}

#endif
