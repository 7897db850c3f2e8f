/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_NET_ROW_H
#define FMC_NN_NET_ROW_H

#include "nn/net_plan.h"

/** What all tasks of a pass share. */
typedef struct fmc_net_pass {
    const fmc_net         *net;
    const fmc_nn_kernels  *kernels;
    const fmc_net_place   *place;
    uint8_t              **whole;  /* [n_ops]: where tensors of storage WHOLE begin */
    uint32_t               level;
} fmc_net_pass;

/** Memory of one task. */
typedef struct fmc_net_task {
    const fmc_net_pass *pass;
    uint8_t *frame, *row, *extra;
    const uint8_t *zero;           /* a row of zeros */
} fmc_net_task;

/** Forget what an op kept from the rows of another frame. */
void fmc_net_row_begin(const fmc_net_task *task, uint32_t i);

/** An op of a float program; called by fmc_net_row. */
void fmc_net_row_f32(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y);

enum { FMC_NET_MAX_ROWS = 49 /* 7 x 7 input rows of a convolution */ };

/** The input rows under output row y of a convolution: in place where nothing sticks out at the sides, else copies. */
void fmc_net_gather_rows(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, const void *row[FMC_NET_MAX_ROWS]);

/** Compute row y of frame t of the domain of op i. */
void fmc_net_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y);

/** Row y of frame t of tensor i. */
static inline void *fmc_net_row_at(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y)
{
    const fmc_net_place *p = &task->pass->place[i];

    switch (task->pass->net->op[i].storage) {
    case FMC_NET_WHOLE:
        return task->pass->whole[i] + (t * p->sites[1] + y) * p->row_size;
    case FMC_NET_FRAME:
        return task->frame + p->offset + y * p->row_size;
    default:
        return task->row + p->offset;
    }
}

#endif
