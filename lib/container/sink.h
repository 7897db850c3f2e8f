/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_SINK_H
#define FMC_CONTAINER_SINK_H

#include "core/bytes_out.h"

/** Where a stream is written to: exactly one of the three is set. It only grows. */
typedef struct fmc_sink {
    uint64_t      size; /* bytes written so far; with `mem`, also those that found no room */
    uint8_t      *mem;  /* fixed memory of `cap` bytes, borrowed */
    size_t        cap;
    fmc_out      *out;  /* growing buffer, borrowed */
    const fmc_io *io;   /* caller's storage, borrowed */
} fmc_sink;

/** Append. Running out of fixed memory is no failure here: size > cap tells. @return FMC_OK, FMC_ERR_NO_MEMORY, _IO. */
fmc_status fmc_sink_write(fmc_sink *s, const void *data, size_t size);

#endif
