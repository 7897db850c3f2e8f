/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_COMPRESS_H
#define FMC_API_COMPRESS_H

#include "api/context.h"
#include "codec/codec.h"
#include "container/header.h"
#include "container/sink.h"

/** Encodes of a search for a size. */
enum { FMC_SIZE_TRIALS = 14 };

/** One whole array to one whole stream with this goal. @param params normalised. @param sink gets the bytes. */
fmc_status fmc_compress_once(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *params,
                             const fmc_header *h, const fmc_goal *goal, fmc_sink *sink);

/**
 * FMC_BOUND_SIZE: the best quality whose stream has at most h->bound bytes, by at most FMC_SIZE_TRIALS encodes.
 * @param width    max - min of the valid samples. @param best gets the stream; the caller makes and releases it.
 * @param quality  gets that of best, higher is better.
 * @return FMC_OK, FMC_ERR_UNREACHABLE_SIZE with a message, and what compression returns.
 */
fmc_status fmc_compress_to_size(fmc_ctx *ctx, const fmc_exec *ex, const fmc_array *src, const fmc_params *params,
                                const fmc_header *h, double width, fmc_out *best, double *quality);

#endif
