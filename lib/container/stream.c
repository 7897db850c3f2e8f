/* SPDX-License-Identifier: Apache-2.0 */
#include "container/stream.h"

#include "container/check.h"
#include "core/status.h"

fmc_status fmc_stream_open(const fmc_allocator *alloc, const fmc_source *source, fmc_stream *out)
{
    uint8_t prefix[FMC_HEADER_PREFIX];
    fmc_stream s = { .source = *source };
    uint64_t size;
    size_t got;
    fmc_status st;

    *out = (fmc_stream){ 0 };
    FMC_TRY(fmc_source_peek(source, 0, prefix, sizeof prefix, &got));
    FMC_TRY(fmc_header_measure(fmc_in_make(prefix, got), &size));
    FMC_TRY(fmc_source_get(source, alloc, 0, size, &s.head));
    FMC_TRY(fmc_header_parse(fmc_in_make(s.head.data, s.head.size), &s.header));
    FMC_TRY(fmc_index_open(alloc, source, &s.header, size, &s.index));
    s.header.dim[0] = s.index.dim0;
    if (!s.header.model.hash)
        fmc_bytes_fini(alloc, &s.head);
    *out = s;
    s.head = (fmc_bytes){ 0 };
done:
    fmc_bytes_fini(alloc, &s.head);
    return st;
}

void fmc_stream_fini(const fmc_allocator *alloc, fmc_stream *s)
{
    fmc_index_fini(alloc, &s->index);
    fmc_bytes_fini(alloc, &s->head);
}

fmc_status fmc_stream_record(const fmc_stream *s, const fmc_allocator *alloc, uint64_t i, fmc_bytes *record,
                             fmc_record *head)
{
    const uint64_t at = s->index.offset[i];
    const uint64_t size = s->index.offset[i + 1] - at;
    fmc_status st;
    fmc_in in;

    FMC_TRY(fmc_source_get(&s->source, alloc, at, size, record));
    in = fmc_in_make(record->data, record->size);
    st = fmc_record_parse(&in, s->header.is_streamed != 0, head);
    if (st == FMC_OK && head->ordinal == i && head->payload_size == fmc_in_left(&in)) {
        fmc_box box;

        fmc_index_box(&s->index, &s->header, i, &box);
        if (!s->header.is_streamed || head->steps == box.dim[0])
            return FMC_OK;
    }
    fmc_bytes_fini(alloc, record);
    st = FMC_ERR_CORRUPT; /* the index is whole and disagrees */
done:
    return st;
}

fmc_status fmc_stream_payload(const fmc_bytes *record, const fmc_record *head, fmc_in *payload)
{
    *payload = fmc_in_make(record->data + head->head_size, (size_t)head->payload_size);
    return fmc_check_ok(head->payload_check, fmc_check32(payload->data, payload->size)) ? FMC_OK : FMC_ERR_CORRUPT;
}
