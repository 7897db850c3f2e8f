/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include "container/check.h"
#include "container/record.h"
#include "container/stream.h"
#include "container/tail.h"

static const fmc_allocator *const mem = &fmc_system_allocator;

/* A stream made by hand: payloads are 5 bytes of the ordinal. */
typedef struct maker {
    fmc_out  out;
    fmc_tail tail;
} maker;

static fmc_header fixed_header(void)
{
    const fmc_header h = { .dtype = FMC_F32, .rank = 2, .effort = 5, .dim = { 6, 10 }, .chunk = { 4, 8 } };

    return h;
}

static fmc_header stream_header(void)
{
    const fmc_header h = { .dtype = FMC_F32, .rank = 2, .effort = 5, .is_streamed = 1, .dim = { 0, 10 },
                           .chunk = { 4, 8 } };

    return h;
}

static maker begin(const fmc_header *h)
{
    maker m = { fmc_out_make(mem), fmc_tail_make(mem) };

    fmc_header_write(h, &m.out);
    m.tail.dim0 = h->dim[0];
    return m;
}

static void add(maker *m, uint64_t ordinal, uint64_t steps)
{
    const size_t at = m->out.size;
    uint8_t payload[5];
    fmc_record r = { .ordinal = ordinal, .steps = steps, .payload_size = sizeof payload };

    memset(payload, (int)ordinal, sizeof payload);
    r.payload_check = fmc_check32(payload, sizeof payload);
    fmc_record_write(&r, &m->out);
    fmc_out_bytes(&m->out, payload, sizeof payload);
    fmc_out_varint(&m->tail.sizes, m->out.size - at);
    m->tail.count++;
}

static void slab(maker *m, uint64_t steps)
{
    add(m, m->tail.count, steps);
    add(m, m->tail.count, steps);
    fmc_out_varint(&m->tail.steps, steps);
    m->tail.dim0 += steps;
}

static void end(maker *m)
{
    fmc_tail_write(&m->tail, &m->out);
    assert_int_equal(m->out.st, FMC_OK);
}

static void fini(maker *m)
{
    fmc_out_fini(&m->out);
    fmc_tail_fini(&m->tail);
}

static fmc_status open_bytes(const uint8_t *data, size_t size, fmc_stream *s)
{
    const fmc_source source = fmc_source_memory(data, size);

    return fmc_stream_open(mem, &source, s);
}

static fmc_status opened(const maker *m)
{
    fmc_stream s;
    const fmc_status st = open_bytes(m->out.data, m->out.size, &s);
    fmc_status why = st;

    if (st == FMC_OK) {
        why = s.index.why;
        fmc_stream_fini(mem, &s);
    }
    return why;
}

static void check_records(const fmc_stream *s)
{
    for (uint64_t i = 0; i < s->index.count; i++) {
        fmc_bytes record;
        fmc_record head;
        fmc_in payload;

        assert_int_equal(fmc_stream_record(s, mem, i, &record, &head), FMC_OK);
        assert_int_equal(fmc_stream_payload(&record, &head, &payload), FMC_OK);
        assert_int_equal(payload.size, 5);
        assert_int_equal(payload.data[0], i);
        fmc_bytes_fini(mem, &record);
    }
}

static void fixed_stream_opens(void **state)
{
    const fmc_header h = fixed_header();
    maker m = begin(&h);
    fmc_stream s;
    fmc_box box;

    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        add(&m, i, 0);
    end(&m);
    assert_int_equal(open_bytes(m.out.data, m.out.size, &s), FMC_OK);
    assert_true(s.index.is_complete);
    assert_int_equal(s.index.count, 4);
    check_records(&s);
    fmc_index_box(&s.index, &s.header, 3, &box);
    assert_int_equal(box.start[0], 4);
    assert_int_equal(box.dim[0], 2);
    assert_int_equal(box.start[1], 8);
    assert_int_equal(box.dim[1], 2);
    fmc_stream_fini(mem, &s);
    fini(&m);
}

static void slabs_of_different_steps_are_found(void **state)
{
    const uint64_t steps[] = { 4, 1, 3, 4, 2 };
    const fmc_header h = stream_header();
    maker m = begin(&h);
    fmc_stream s;
    uint64_t t = 0;

    (void)state;
    for (size_t k = 0; k < 5; k++)
        slab(&m, steps[k]);
    end(&m);
    assert_int_equal(open_bytes(m.out.data, m.out.size, &s), FMC_OK);
    assert_int_equal(s.header.dim[0], 14);
    check_records(&s);
    for (uint64_t k = 0; k < 5; k++)
        for (uint64_t i = 0; i < steps[k]; i++)
            assert_int_equal(fmc_index_slab(&s.index, &s.header, t++), k);
    fmc_stream_fini(mem, &s);
    fini(&m);
}

/* Whole slabs before the cut are there, and why says that the bytes ran out. */
static void every_cut_keeps_whole_slabs(void **state)
{
    for (int is_streamed = 0; is_streamed < 2; is_streamed++) {
        const fmc_header h = is_streamed ? stream_header() : fixed_header();
        maker m = begin(&h);
        const size_t head = m.out.size;
        size_t slab_end[2];

        for (int k = 0; k < 2; k++) {
            if (is_streamed) {
                slab(&m, k ? 2 : 4);
            } else {
                add(&m, 2 * (uint64_t)k, 0);
                add(&m, 2 * (uint64_t)k + 1, 0);
            }
            slab_end[k] = m.out.size;
        }
        end(&m);
        for (size_t n = head; n < m.out.size; n++) {
            uint8_t *cut = malloc(n);
            const uint64_t slabs = (n >= slab_end[0]) + (n >= slab_end[1]);
            fmc_stream s;

            memcpy(cut, m.out.data, n);
            assert_int_equal(open_bytes(cut, n, &s), FMC_OK);
            assert_false(s.index.is_complete);
            assert_int_equal(s.index.why, FMC_ERR_TRUNCATED);
            assert_int_equal(s.index.count, 2 * slabs);
            assert_int_equal(s.header.dim[0], slabs == 2 ? 6 : slabs == 1 ? 4 : 0);
            check_records(&s);
            fmc_stream_fini(mem, &s);
            free(cut);
        }
        fini(&m);
    }
    (void)state;
}

static void contradictions_are_corrupt(void **state)
{
    const fmc_header fixed = fixed_header(), streamed = stream_header();

    (void)state;
    for (int i = 0; i < 9; i++) {
        maker m = begin(i < 6 ? &fixed : &streamed);

        for (uint64_t k = 0; i < 5 && k < 3; k++)
            add(&m, k, 0);
        switch (i) {
        case 0: /* a chunk missing */
            break;
        case 1: /* one too many */
            add(&m, 3, 0);
            add(&m, 4, 0);
            break;
        case 2: /* another final dim[0] than the header's */
            add(&m, 3, 0);
            m.tail.dim0 = 7;
            break;
        case 3: /* sizes do not reach the tail */
            add(&m, 3, 0);
            fmc_out_u8(&m.out, 0);
            break;
        case 4: /* a size longer than the stream */
            add(&m, 3, 0);
            m.tail.sizes.data[3] += 100;
            break;
        case 5: /* the only record missing altogether */
            break;
        case 6: /* steps that do not add up */
            slab(&m, 4);
            m.tail.dim0 = 5;
            break;
        case 7: /* more steps than a slab may have */
            slab(&m, 5);
            break;
        default: /* half a slab */
            slab(&m, 4);
            add(&m, 2, 4);
            break;
        }
        end(&m);
        assert_int_equal(opened(&m), FMC_ERR_CORRUPT);
        fini(&m);
    }
}

static void scan_refuses_contradictions(void **state)
{
    const fmc_header fixed = fixed_header(), streamed = stream_header();

    (void)state;
    for (int i = 0; i < 5; i++) {
        maker m = begin(i < 2 ? &fixed : &streamed);

        switch (i) {
        case 0: /* a chunk twice */
            add(&m, 0, 0);
            add(&m, 0, 0);
            break;
        case 1: /* one too many */
            for (uint64_t k = 0; k < 5; k++)
                add(&m, k, 0);
            break;
        case 2: /* other steps within a slab */
            add(&m, 0, 4);
            add(&m, 1, 3);
            break;
        case 3: /* too many steps */
            add(&m, 0, 5);
            break;
        default: /* no steps at all */
            slab(&m, 4);
            add(&m, 3, 4);
            break;
        }
        assert_int_equal(opened(&m), FMC_ERR_CORRUPT);
        fini(&m);
    }
}

/* The index is right but a record is another one: found when it is read. */
static void swapped_records_are_found(void **state)
{
    const fmc_header h = fixed_header();
    maker m = begin(&h);
    fmc_stream s;
    fmc_bytes record;
    fmc_record head;

    (void)state;
    add(&m, 0, 0);
    add(&m, 2, 0);
    add(&m, 1, 0);
    add(&m, 3, 0);
    end(&m);
    assert_int_equal(open_bytes(m.out.data, m.out.size, &s), FMC_OK);
    assert_int_equal(fmc_stream_record(&s, mem, 1, &record, &head), FMC_ERR_CORRUPT);
    fmc_stream_fini(mem, &s);
    fini(&m);
}

static void empty_streams_open(void **state)
{
    fmc_header h = fixed_header();
    maker m;

    (void)state;
    h.dim[1] = h.chunk[1] = 0;
    m = begin(&h);
    end(&m);
    assert_int_equal(opened(&m), FMC_OK);
    fini(&m);
    h = stream_header();
    m = begin(&h);
    end(&m);
    assert_int_equal(opened(&m), FMC_OK);
    fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_stream_opens),          cmocka_unit_test(slabs_of_different_steps_are_found),
        cmocka_unit_test(every_cut_keeps_whole_slabs), cmocka_unit_test(contradictions_are_corrupt),
        cmocka_unit_test(scan_refuses_contradictions), cmocka_unit_test(swapped_records_are_found),
        cmocka_unit_test(empty_streams_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
