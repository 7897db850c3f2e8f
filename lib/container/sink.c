/* SPDX-License-Identifier: Apache-2.0 */
#include "container/sink.h"

#include <string.h>

fmc_status fmc_sink_write(fmc_sink *s, const void *data, size_t size)
{
    fmc_status st = FMC_OK;

    if (size == 0)
        return FMC_OK;
    if (s->io) {
        st = s->io->write(s->io->user, data, size) ? FMC_ERR_IO : FMC_OK;
    } else if (s->out) {
        fmc_out_bytes(s->out, data, size);
        st = s->out->st;
    } else if (s->size <= s->cap && size <= s->cap - s->size) {
        memcpy(s->mem + s->size, data, size);
    }
    if (st == FMC_OK)
        s->size += size;
    return st;
}
