/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_NET_REMOTE_H
#define FMC_NN_NET_REMOTE_H

#include "nn/net_row.h"
#include "ops/backend.h"

/**
 * A program whose convolutions a loadable backend computes: the program's ops with another plan, frame by frame instead of
 * row by row. Integers become floats on the way there and are requantised on the way back, so that the values are those of
 * the own kernels. What the backend declines the own kernels do.
 */
typedef struct fmc_net_remote {
    fmc_backends      *backends;
    fmc_net            net;   /* a copy; weights are the original's */
    fmc_remote_entry **entry; /* [n_ops], NULL where there is none */
} fmc_net_remote;

/**
 * Prepare what ex->backends chooses. @param use gets the program to run: r->net, or `net` itself for own kernels.
 * To be ended also after a failure. @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_BACKEND_UNAVAILABLE, _BACKEND_FAILED.
 */
fmc_status fmc_net_remote_begin(const fmc_exec *ex, const fmc_net *net, fmc_net_remote *r, const fmc_net **use);
void       fmc_net_remote_end(const fmc_exec *ex, fmc_net_remote *r);

/** Bytes that a remote convolution needs for its floats, see fmc_net_extra. */
uint64_t fmc_net_remote_extra(const fmc_net *net, uint32_t i, const fmc_net_place *place);

/** Compute frame t of op i, a convolution with op.remote. @return FMC_OK, FMC_ERR_BACKEND_FAILED. */
fmc_status fmc_net_remote_frame(const fmc_net_task *task, uint32_t i, uint64_t t);

#endif
