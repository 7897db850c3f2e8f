/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_ENCLOSED_H
#define FMC_API_ENCLOSED_H

/* The model inside a stream (docs/format.md 3.1). */
#include "api/context.h"
#include "container/stream.h"

/** For decoding one stream: its own model, then those of the context. Zero it first. */
typedef struct fmc_enclosed {
    fmc_ctx   *ctx;
    fmc_model *model; /* owned; NULL: not made, or its base is not known */
} fmc_enclosed;

/**
 * Make the stream's model, once, and let ex look up models through *e, which must outlive the call that ex is for.
 * @return FMC_OK also where the base is not known; FMC_ERR_CORRUPT, _UNSUPPORTED, _NO_MEMORY; messages are set.
 */
fmc_status fmc_enclosed_open(fmc_enclosed *e, fmc_ctx *ctx, const fmc_stream *stream, fmc_exec *ex);
void       fmc_enclosed_close(fmc_enclosed *e);

/** Whether these parameters, taken, ask for a model in the stream that decoders may lack. */
int fmc_enclose_wanted(const fmc_params *params);

/**
 * Write params->model for a header, from whichever base makes it small.
 * @param bytes  gets the difference, which *out borrows.
 * @return FMC_OK, FMC_ERR_ARG (too large, with a message), FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_enclose(fmc_ctx *ctx, const fmc_exec *ex, const fmc_params *params, fmc_out *bytes, fmc_header_model *out);

#endif
