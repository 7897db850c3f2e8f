/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include "container/check.h"
#include "container/header.h"

static fmc_header example(void)
{
    const fmc_header h = { .dtype = FMC_F64, .rank = 3, .bound_kind = FMC_BOUND_REL, .effort = 5, .has_fill = 1,
                           .bound = 1e-3, .fill_value = -9999, .dim = { 100, 200, 300 }, .chunk = { 64, 200, 104 } };

    return h;
}

static fmc_out written(const fmc_header *h)
{
    fmc_out out = fmc_out_make(&fmc_system_allocator);

    fmc_header_write(h, &out);
    assert_int_equal(out.st, FMC_OK);
    return out;
}

static fmc_status parse(const uint8_t *data, size_t size, fmc_header *h)
{
    const size_t n = size < FMC_HEADER_PREFIX ? size : FMC_HEADER_PREFIX;
    uint64_t want;
    const fmc_status st = fmc_header_measure(fmc_in_make(data, n), &want);

    if (st != FMC_OK)
        return st;
    return want > size ? FMC_ERR_TRUNCATED : fmc_header_parse(fmc_in_make(data, (size_t)want), h);
}

/* A header with any body, under a good checksum. */
static fmc_out with_body(const uint8_t *body, size_t size)
{
    fmc_out out = fmc_out_make(&fmc_system_allocator);

    fmc_out_bytes(&out, FMC_MAGIC, FMC_MAGIC_SIZE);
    fmc_out_u8(&out, FMC_FORMAT_VERSION);
    fmc_out_varint(&out, size);
    fmc_out_bytes(&out, body, size);
    fmc_out_u32(&out, fmc_check32(out.data, out.size));
    return out;
}

static fmc_status parse_body(const uint8_t *body, size_t size)
{
    fmc_out out = with_body(body, size);
    fmc_header h;
    const fmc_status st = parse(out.data, out.size, &h);

    fmc_out_fini(&out);
    return st;
}

static void header_comes_back(void **state)
{
    fmc_header h = example(), got;

    (void)state;
    for (int i = 0; i < 3; i++) {
        fmc_out out;

        if (i == 1) {
            h.is_streamed = 1;
            h.dim[0] = 0;
        }
        if (i == 2)
            h = (fmc_header){ .dtype = FMC_F32, .rank = 1, .effort = 1 }; /* empty, lossless */
        out = written(&h);
        memset(&got, 0, sizeof got);
        assert_int_equal(parse(out.data, out.size, &got), FMC_OK);
        assert_memory_equal(&got, &h, sizeof h);
        fmc_out_fini(&out);
    }
}

static void header_is_small(void **state)
{
    const fmc_header h = { .dtype = FMC_F32, .rank = 3, .bound_kind = FMC_BOUND_REL, .effort = 5, .bound = 1e-3,
                           .dim = { 512, 512, 512 }, .chunk = { 512, 512, 512 } };
    fmc_out out = written(&h);

    (void)state;
    assert_true(out.size <= 29);
    fmc_out_fini(&out);
}

static void every_truncation_is_told(void **state)
{
    const fmc_header h = example();
    fmc_out out = written(&h);
    fmc_header got;

    (void)state;
    for (size_t n = 0; n < out.size; n++) {
        uint8_t *cut = malloc(n ? n : 1);

        memcpy(cut, out.data, n);
        assert_int_equal(parse(cut, n, &got), FMC_ERR_TRUNCATED);
        free(cut);
    }
    fmc_out_fini(&out);
}

static void every_bit_flip_is_refused(void **state)
{
    const fmc_header h = example();
    fmc_out out = written(&h);
    fmc_header got;

    (void)state;
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(parse(out.data, out.size, &got), FMC_OK);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    fmc_out_fini(&out);
}

static void magic_and_version_are_checked(void **state)
{
    const fmc_header h = example();
    fmc_out out = written(&h);
    fmc_header got;

    (void)state;
    out.data[4] = FMC_FORMAT_VERSION + 1;
    assert_int_equal(parse(out.data, out.size, &got), FMC_ERR_UNSUPPORTED);
    out.data[4] = FMC_FORMAT_VERSION - 1;
    assert_int_equal(parse(out.data, out.size, &got), FMC_ERR_UNSUPPORTED);
    out.data[4] = 0;
    assert_int_equal(parse(out.data, out.size, &got), FMC_ERR_CORRUPT);
    out.data[0] = 'f';
    assert_int_equal(parse(out.data, out.size, &got), FMC_ERR_NOT_FMC);
    assert_int_equal(parse(out.data, 1, &got), FMC_ERR_NOT_FMC);
    fmc_out_fini(&out);
}

static void sections_are_skipped_or_refused(void **state)
{
    /* rank 1 f32, lossless effort 1, dim 10, whole; then sections */
    const uint8_t optional[] = { 1 | 1 << 3, 0x10, 10, 0, 6, 3, 'a', 'b', 'c', 8, 0 };
    const uint8_t critical[] = { 1 | 1 << 3, 0x10, 10, 0, 5, 1, 'a' };
    const uint8_t too_long[] = { 1 | 1 << 3, 0x10, 10, 0, 6, 9, 'a' };
    const uint8_t not_rising[] = { 1 | 1 << 3, 0x10, 10, 0, 6, 0, 6, 0 };

    (void)state;
    assert_int_equal(parse_body(optional, sizeof optional), FMC_OK);
    assert_int_equal(parse_body(critical, sizeof critical), FMC_ERR_UNSUPPORTED);
    assert_int_equal(parse_body(too_long, sizeof too_long), FMC_ERR_CORRUPT);
    assert_int_equal(parse_body(not_rising, sizeof not_rising), FMC_ERR_CORRUPT);
}

static void bad_fields_are_refused(void **state)
{
    static const struct {
        uint8_t    body[16];
        size_t     size;
        fmc_status st;
    } cases[] = {
        { { 1 | 1 << 3, 0x10, 10, 0 }, 4, FMC_OK },
        { { 1 | 1 << 3 | 128, 0x10, 10, 0 }, 4, FMC_ERR_UNSUPPORTED },  /* reserved bit */
        { { 0 | 1 << 3, 0x10, 10, 0 }, 4, FMC_ERR_CORRUPT },            /* rank 0 */
        { { 6 | 1 << 3, 0x10, 10, 0 }, 4, FMC_ERR_UNSUPPORTED },        /* rank 6 */
        { { 1 | 3 << 3, 0x10, 10, 0 }, 4, FMC_ERR_UNSUPPORTED },        /* type 3 */
        { { 1 | 1 << 3, 0x17, 10, 0 }, 4, FMC_ERR_UNSUPPORTED },        /* kind 7 */
        { { 1 | 1 << 3, 0x00, 10, 0 }, 4, FMC_ERR_CORRUPT },            /* effort 0 */
        { { 1 | 1 << 3, 0x10, 10, 10 }, 4, FMC_ERR_CORRUPT },           /* whole axis not as 0 */
        { { 1 | 1 << 3, 0x10, 10, 11 }, 4, FMC_ERR_CORRUPT },           /* chunk over the axis */
        { { 1 | 1 << 3, 0x10, 0x80, 0, 0 }, 5, FMC_ERR_CORRUPT },       /* varint not in shortest form */
        { { 1 | 1 << 3, 0x10, 10 }, 3, FMC_ERR_CORRUPT },               /* body too short */
        { { 1 | 1 << 3 | 32, 0x10, 0 }, 3, FMC_ERR_CORRUPT },           /* streamed without steps per chunk */
        { { 1 | 1 << 3, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0 }, 12, FMC_ERR_CORRUPT }, /* bound 0 */
        { { 1 | 1 << 3 | 64, 0x10, 0, 0, 0x80, 0x7f, 10, 0 }, 8, FMC_ERR_CORRUPT },   /* fill infinite */
        /* 2^40 chunks of one sample */
        { { 1 | 1 << 3, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1 }, 9, FMC_ERR_CORRUPT },
        /* 2^63 bytes */
        { { 1 | 1 << 3, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0 }, 12, FMC_ERR_CORRUPT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(parse_body(cases[i].body, cases[i].size), cases[i].st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_comes_back),         cmocka_unit_test(header_is_small),
        cmocka_unit_test(every_truncation_is_told),  cmocka_unit_test(every_bit_flip_is_refused),
        cmocka_unit_test(magic_and_version_are_checked), cmocka_unit_test(sections_are_skipped_or_refused),
        cmocka_unit_test(bad_fields_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
