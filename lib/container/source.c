/* SPDX-License-Identifier: Apache-2.0 */
#include "container/source.h"

#include <string.h>

fmc_source fmc_source_memory(const void *data, size_t size)
{
    fmc_source s = { .data = data, .size = size };

    return s;
}

fmc_status fmc_source_io(const fmc_io *io, fmc_source *out)
{
    fmc_source s = { .io = *io };

    if (io->size(io->user, &s.size))
        return FMC_ERR_IO;
    *out = s;
    return FMC_OK;
}

fmc_status fmc_source_peek(const fmc_source *s, uint64_t offset, uint8_t *buf, size_t size, size_t *got)
{
    const uint64_t left = offset < s->size ? s->size - offset : 0;

    *got = left < size ? (size_t)left : size;
    if (*got == 0)
        return FMC_OK;
    if (s->data)
        memcpy(buf, s->data + offset, *got);
    else if (s->io.read_at(s->io.user, offset, buf, *got))
        return FMC_ERR_IO;
    return FMC_OK;
}

fmc_status fmc_source_get(const fmc_source *s, const fmc_allocator *alloc, uint64_t offset, uint64_t size,
                          fmc_bytes *out)
{
    fmc_status st;
    size_t got;

    *out = (fmc_bytes){ 0 };
    if (offset > s->size || size > s->size - offset)
        return FMC_ERR_TRUNCATED;
    if (size > SIZE_MAX)
        return FMC_ERR_NO_MEMORY;
    if (s->data) {
        out->data = s->data + offset;
        out->size = (size_t)size;
        return FMC_OK;
    }
    st = FMC_ALLOC(alloc, (size_t)size, &out->owned);
    if (st == FMC_OK)
        st = fmc_source_peek(s, offset, out->owned, (size_t)size, &got);
    if (st != FMC_OK) {
        fmc_bytes_fini(alloc, out);
        return st;
    }
    out->data = out->owned;
    out->size = (size_t)size;
    return FMC_OK;
}

void fmc_bytes_fini(const fmc_allocator *alloc, fmc_bytes *b)
{
    fmc_dealloc(alloc, b->owned);
    *b = (fmc_bytes){ 0 };
}
