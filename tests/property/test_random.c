/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every array, bound and setting is promised, on random ones: the bound in exact arithmetic, the same bytes for any
 * number of threads, the same samples for any number of threads and any SIMD level, the largest size of a stream,
 * boxes that equal the whole. A failure prints FMC_CASE=...; set it in the environment to repeat that case alone.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

typedef struct memory_io {
    const uint8_t *bytes;
    size_t size;
} memory_io;

static int read_at(void *user, uint64_t offset, void *data, size_t size)
{
    const memory_io *m = user;

    if (offset > m->size || size > m->size - offset)
        return 1;
    memcpy(data, m->bytes + offset, size);
    return 0;
}

static int size_of(void *user, uint64_t *size)
{
    *size = ((memory_io *)user)->size;
    return 0;
}

static void same_samples(const test_case *c, const field *a, const field *b, const char *what)
{
    case_expect(c, a->count == b->count && !memcmp(a->plain, b->plain, a->count * a->sample), what);
}

/* Decoding elsewhere: plain C, three threads. */
static void decodes_to_the_same_bits(test_case *c, const void *bytes, size_t size, const field *back)
{
    fmc_ctx *ctx = case_context("ref");
    field other;

    case_decode(c, ctx, bytes, size, 3, &other);
    same_samples(c, back, &other, "another SIMD level and thread count decode to other bits");
    field_free(&other);
    fmc_ctx_destroy(ctx);
}

static void encodes_to_the_same_bytes(test_case *c, const void *bytes, size_t size)
{
    fmc_ctx *ctx = case_context("ref");
    void *other = NULL;
    const size_t other_size = case_encode(c, ctx, 3, &other);

    case_expect(c, other_size == size && !memcmp(bytes, other, size),
                "another SIMD level and thread count encode to other bytes");
    fmc_free(ctx, other);
    fmc_ctx_destroy(ctx);
}

/* Sample of the array at box index + start. */
static size_t place_in_array(const fmc_array *a, const uint64_t *start, const uint64_t *count, size_t i)
{
    size_t place = 0, weight = 1;

    for (uint32_t axis = a->rank; axis-- > 0;) {
        place += (start[axis] + i % count[axis]) * weight;
        weight *= a->dim[axis];
        i /= count[axis];
    }
    return place;
}

static void box_equals_whole(test_case *c, fmc_reader *reader, const field *back)
{
    const fmc_array *a = &c->from.array;
    uint64_t start[FMC_MAX_RANK], count[FMC_MAX_RANK];
    field box;

    memset(&box, 0, sizeof box);
    for (uint32_t i = 0; i < a->rank; i++) {
        start[i] = random_below(&c->state, a->dim[i]);
        count[i] = 1 + random_below(&c->state, a->dim[i] - start[i]);
    }
    fmc_array_init(&box.array, a->dtype, a->rank, count, NULL);
    field_lay_out(&box, &c->state, 1);
    case_expect(c, fmc_reader_read(reader, start, count, 0, 2, &box.array) == FMC_OK, "reading a box failed");
    field_gather(&box);
    for (size_t i = 0; i < box.count; i++)
        case_expect(c, !memcmp(box.plain + i * box.sample,
                               back->plain + place_in_array(a, start, count, i) * box.sample, box.sample),
                    "a box differs from the same part of the whole");
    field_free(&box);
}

static void preview_has_its_shape(test_case *c, fmc_reader *reader)
{
    const fmc_array *a = &c->from.array;
    const uint32_t scale = 1 + (uint32_t)random_below(&c->state, 3);
    uint64_t start[FMC_MAX_RANK] = { 0 }, dim[FMC_MAX_RANK];
    field coarse;

    memset(&coarse, 0, sizeof coarse);
    for (uint32_t i = 0; i < a->rank; i++)
        dim[i] = (a->dim[i] + (1u << scale) - 1) >> scale;
    fmc_array_init(&coarse.array, a->dtype, a->rank, dim, NULL);
    field_lay_out(&coarse, &c->state, 1);
    case_expect(c, fmc_reader_read(reader, start, a->dim, scale, 2, &coarse.array) == FMC_OK, "a preview failed");
    case_expect(c, field_padding_is_intact(&coarse), "a preview wrote between the samples");
    field_free(&coarse);
}

static void reader_agrees(test_case *c, fmc_ctx *ctx, const void *bytes, size_t size, const field *back)
{
    memory_io m = { bytes, size };
    const fmc_io io = { .struct_size = sizeof io, .user = &m, .read_at = read_at, .size = size_of };
    fmc_reader *reader;

    case_expect(c, fmc_reader_open(ctx, &io, &reader) == FMC_OK, "opening the stream failed");
    if (back->count) {
        box_equals_whole(c, reader, back);
        preview_has_its_shape(c, reader);
    }
    fmc_reader_close(reader);
}

/* The pointwise bound that each chunk states holds in it. */
static void chunks_keep_their_bound(test_case *c, fmc_ctx *ctx, const void *bytes, size_t size, const field *back)
{
    fmc_info info = { .struct_size = sizeof info };

    case_expect(c, fmc_inspect(ctx, bytes, size, &info) == FMC_OK, "inspect failed");
    case_expect(c, info.is_complete && info.stream_size == size && info.bound_kind == c->params.bound_kind,
                "inspect tells something else");
    for (uint64_t k = 0; k < info.n_chunks; k++) {
        fmc_chunk_info chunk = { .struct_size = sizeof chunk };
        size_t n = 1;

        case_expect(c, fmc_inspect_chunk(ctx, bytes, size, k, &chunk) == FMC_OK, "inspecting a chunk failed");
        for (uint32_t i = 0; i < info.rank; i++)
            n *= chunk.dim[i];
        for (size_t i = 0; i < n && chunk.abs_bound >= 0; i++) {
            const size_t at = place_in_array(&c->from.array, chunk.start, chunk.dim, i);
            const double x = field_at(&c->from, at), y = field_at(back, at);

            case_expect(c, !sample_is_valid(&c->from, &c->params, at) || fabs(x - y) <= chunk.abs_bound * (1 + 1e-15),
                        "a chunk states a bound that does not hold in it");
        }
    }
}

static void keeps_every_promise(test_case *c)
{
    fmc_ctx *ctx = case_context("best");
    uint8_t *untouched = malloc(c->from.memory_size + 1);
    char why[200];
    void *bytes = NULL;
    field back;
    size_t size;

    assert_non_null(untouched);
    memcpy(untouched, c->from.memory, c->from.memory_size);
    size = case_encode(c, ctx, 1, &bytes);
    case_expect(c, !memcmp(untouched, c->from.memory, c->from.memory_size), "compress changed its input");
    free(untouched);
    if (bytes) {
        case_decode(c, ctx, bytes, size, 1, &back);
        case_expect(c, bound_holds(&c->from, &back, &c->params, why, sizeof why), why);
        decodes_to_the_same_bits(c, bytes, size, &back);
        encodes_to_the_same_bytes(c, bytes, size);
        reader_agrees(c, ctx, bytes, size, &back);
        chunks_keep_their_bound(c, ctx, bytes, size, &back);
        field_free(&back);
    }
    fmc_free(ctx, bytes);
    fmc_ctx_destroy(ctx);
}

static void small_arrays_keep_every_promise(void **state)
{
    (void)state;
    case_run_all(keeps_every_promise, 600, 600);
}

static void larger_arrays_keep_every_promise(void **state)
{
    (void)state;
    case_run_all(keeps_every_promise, 60, 12000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_arrays_keep_every_promise),
        cmocka_unit_test(larger_arrays_keep_every_promise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
