/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CONTAINER_STREAM_H
#define FMC_CONTAINER_STREAM_H

#include "container/header.h"
#include "container/index.h"
#include "container/record.h"
#include "container/source.h"

/** An opened stream: where its bytes are, its header with the final dim[0], and its index. */
typedef struct fmc_stream {
    fmc_source source;
    fmc_header header; /* dim[0] is the index's: final, or the complete steps */
    fmc_index  index;
    fmc_bytes  head;   /* the header's bytes, where header.model borrows from them */
} fmc_stream;

/**
 * Read header and index. A cut-off stream opens; out->index.is_complete and .why tell.
 * @return FMC_OK, FMC_ERR_NOT_FMC, _UNSUPPORTED, _TRUNCATED (the header is not whole), _CORRUPT, _NO_MEMORY, _IO.
 */
fmc_status fmc_stream_open(const fmc_allocator *alloc, const fmc_source *source, fmc_stream *out);

void fmc_stream_fini(const fmc_allocator *alloc, fmc_stream *s);

/**
 * Get the record of chunk i < index.count and check its head against header and index.
 * @param record   gets all bytes, release with fmc_bytes_fini. @param head gets the parsed head.
 * The payload's checksum is left to fmc_stream_payload.
 */
fmc_status fmc_stream_record(const fmc_stream *s, const fmc_allocator *alloc, uint64_t i, fmc_bytes *record,
                             fmc_record *head);

/** The payload inside a record, its checksum verified. Any thread. @return FMC_OK, FMC_ERR_CORRUPT. */
fmc_status fmc_stream_payload(const fmc_bytes *record, const fmc_record *head, fmc_in *payload);

#endif
