/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams written step by step, in random portions, with flushes, then cut off at a random byte: whatever opens keeps the
 * bound, equals what the whole stream gives, and a whole stream is complete.
 */
#include "case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

typedef struct storage {
    uint8_t *bytes;
    size_t   size, cap;
} storage;

static int append(void *user, const void *data, size_t size)
{
    storage *s = user;

    if (s->size + size > s->cap) {
        s->cap = 2 * (s->size + size);
        s->bytes = realloc(s->bytes, s->cap);
        assert_non_null(s->bytes);
    }
    memcpy(s->bytes + s->size, data, size);
    s->size += size;
    return 0;
}

static int read_at(void *user, uint64_t offset, void *data, size_t size)
{
    const storage *s = user;

    if (offset > s->size || size > s->size - offset)
        return 1;
    memcpy(data, s->bytes + offset, size);
    return 0;
}

static int size_of(void *user, uint64_t *size)
{
    *size = ((storage *)user)->size;
    return 0;
}

static fmc_io io_of(storage *s)
{
    const fmc_io io = { .struct_size = sizeof io, .user = s, .write = append, .read_at = read_at, .size = size_of };

    return io;
}

static void write_in_portions(test_case *c, fmc_ctx *ctx, storage *s)
{
    const fmc_io io = io_of(s);
    fmc_array portion = c->from.array;
    fmc_writer *writer;
    uint64_t done = 0;

    case_expect(c, fmc_writer_open(ctx, &io, &c->from.array, &c->params, &writer) == FMC_OK, "opening a writer failed");
    while (done < c->from.array.dim[0]) {
        portion.dim[0] = 1 + random_below(&c->state, c->from.array.dim[0] - done);
        portion.data = (uint8_t *)c->from.array.data + (int64_t)done * c->from.array.stride[0];
        case_expect(c, fmc_writer_append(writer, &portion) == FMC_OK, "appending failed");
        done += portion.dim[0];
        if (!random_below(&c->state, 3))
            case_expect(c, fmc_writer_flush(writer) == FMC_OK, "flushing failed");
    }
    case_expect(c, fmc_writer_close(writer) == FMC_OK, "closing failed");
}

/* Read all complete steps into *back, whose extent along axis 0 says how many. 0: the stream does not open. */
static int read_complete(test_case *c, fmc_ctx *ctx, storage *s, field *back, int *is_complete)
{
    const fmc_io io = io_of(s);
    const uint64_t origin[FMC_MAX_RANK] = { 0 };
    fmc_info info = { .struct_size = sizeof info };
    fmc_reader *reader;

    if (fmc_reader_open(ctx, &io, &reader) != FMC_OK)
        return 0;
    case_expect(c, fmc_reader_info(reader, &info) == FMC_OK, "the reader tells nothing");
    memset(back, 0, sizeof *back);
    fmc_array_init(&back->array, info.dtype, info.rank, info.dim, NULL);
    field_lay_out(back, &c->state, 1);
    if (back->count)
        case_expect(c, fmc_reader_read(reader, origin, info.dim, 0, 2, &back->array) == FMC_OK, "reading failed");
    field_gather(back);
    *is_complete = (int)info.is_complete;
    fmc_reader_close(reader);
    return 1;
}

static void cut_off_anywhere(test_case *c, fmc_ctx *ctx, storage *s, const field *whole)
{
    const size_t size = s->size;
    int is_complete;
    field part;

    for (int k = 0; k < 12; k++) {
        s->size = random_below(&c->state, size);
        if (!read_complete(c, ctx, s, &part, &is_complete))
            continue;
        case_expect(c, !is_complete, "a cut-off stream says that it is complete");
        case_expect(c, part.count <= whole->count && !memcmp(part.plain, whole->plain, part.count * part.sample),
                    "a cut-off stream gives other samples");
        field_free(&part);
    }
    s->size = size;
}

static void survives(test_case *c)
{
    fmc_ctx *ctx = case_context("best");
    storage s = { 0 };
    char why[200];
    int is_complete = 0;
    field back;

    if (c->params.bound_kind == FMC_BOUND_SIZE)
        c->params.bound_kind = FMC_BOUND_REL, c->params.bound = 1e-3;
    for (uint32_t i = 1; i < c->from.array.rank; i++)
        c->params.chunk[i] = 0;
    write_in_portions(c, ctx, &s);
    case_expect(c, read_complete(c, ctx, &s, &back, &is_complete) && is_complete, "the stream is not complete");
    case_expect(c, back.count == c->from.count, "steps are missing");
    case_expect(c, bound_holds(&c->from, &back, &c->params, why, sizeof why), why);
    cut_off_anywhere(c, ctx, &s, &back);
    field_free(&back);
    free(s.bytes);
    fmc_ctx_destroy(ctx);
}

static void appended_streams_survive(void **state)
{
    (void)state;
    case_run_all(survives, 250, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(appended_streams_survive) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
