/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_data.h"

#include "codec/signal.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

static void sections_nest(void **state)
{
    fmc_out out = fmc_out_make(&fmc_system_allocator), part = fmc_out_make(&fmc_system_allocator);
    fmc_in in, section;

    (void)state;
    fmc_out_u8(&part, 42);
    fmc_section_write(&out, &part);
    in = fmc_in_make(out.data, out.size);
    section = fmc_section_read(&in);
    assert_int_equal(fmc_section_end(&section), FMC_ERR_CORRUPT);
    assert_int_equal(fmc_in_u8(&section), 42);
    assert_int_equal(fmc_section_end(&section), FMC_OK);
    section = fmc_section_read(&in);
    assert_int_equal(fmc_in_status(&in), FMC_ERR_TRUNCATED);
    fmc_out_fini(&out);
    fmc_out_fini(&part);
}

static void orders_of_axes_are_numbered(void **state)
{
    fmc_axis_order o;

    (void)state;
    for (uint32_t rank = 1, n = 1; rank <= FMC_MAX_RANK; rank++, n *= rank) {
        for (uint32_t code = 0; code < n; code++) {
            assert_true(fmc_axis_order_parse(rank, (uint8_t)code, &o));
            assert_int_equal(fmc_axis_order_code(&o), code);
        }
        assert_false(fmc_axis_order_parse(rank, (uint8_t)n, &o));
    }
    assert_true(fmc_axis_order_parse(3, 4, &o));
    assert_int_equal(o.axis[0], 2);
    assert_int_equal(o.axis[1], 0);
    assert_int_equal(o.axis[2], 1);
}

static void short_and_unlike_axes_go_first(void **state)
{
    const fmc_signal md = { .rank = 3, .dim = { 40, 800, 3 }, .count = 40 * 800 * 3 };
    const fmc_signal species = { .rank = 3, .dim = { 40, 9, 80 }, .count = 40 * 9 * 80, .axis = { 0, FMC_AXIS_UNLIKE, 0 } };
    const fmc_signal usual = { .rank = 3, .dim = { 3, 800, 40 }, .count = 3 * 800 * 40 };
    fmc_axis_order o = fmc_axis_order_choose(&md);

    (void)state;
    assert_int_equal(fmc_axis_order_apply(&o, &md).dim[0], 3);
    assert_int_equal(fmc_axis_order_apply(&o, &md).dim[2], 800);
    o = fmc_axis_order_choose(&species);
    assert_int_equal(fmc_axis_order_apply(&o, &species).dim[0], 9);
    o = fmc_axis_order_choose(&usual);
    assert_int_equal(fmc_axis_order_code(&o), 0);
}

static void moving_there_and_back(void **state)
{
    const fmc_signal s = { .dtype = FMC_F32, .rank = 3, .dim = { 5, 7, 3 }, .count = 105 };
    float data[105];

    (void)state;
    for (uint8_t code = 0; code < 6; code++) {
        fmc_axis_order o;

        assert_true(fmc_axis_order_parse(3, code, &o));
        for (int i = 0; i < 105; i++)
            data[i] = (float)i;
        assert_int_equal(fmc_axis_order_move_in(&ex, &o, &s, 4, data, 0), FMC_OK);
        assert_true(data[1] == (o.axis[2] == 2 ? 1 : o.axis[2] == 1 ? 3 : 21));
        assert_int_equal(fmc_axis_order_move_in(&ex, &o, &s, 4, data, 1), FMC_OK);
        for (int i = 0; i < 105; i++)
            assert_true(data[i] == (float)i);
    }
}

/* Whatever is done to a payload, decoding ends with a status that the format knows, and a cut one never succeeds. */
static void hostile_bytes_give_a_status(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 4, 9, 11);
    float *data = make_field(&b, 1, 1, 0.05), back[4 * 9 * 11];
    fmc_chunk_facts facts;

    (void)state;
    for (size_t i = 0; i < 4 * 9 * 11; i++)
        data[i] = i % 11 == 0 ? NAN : (float)(rint(data[i] * 50) * 0.02);
    for (uint32_t coder = FMC_CODER_TRANSFORM; coder <= FMC_CODER_EXACT; coder++) {
        const fmc_goal goal = { coder == FMC_CODER_INTERP ? FMC_BOUND_PW_REL : FMC_BOUND_ABS, 1e-2 };
        const fmc_effort e = { .effort = 5, .coder = coder };
        fmc_out out = fmc_out_make(&fmc_system_allocator);

        assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out), FMC_OK);
        for (size_t n = 0; n < out.size; n++) {
            uint8_t *copy = malloc(n + 1);

            memcpy(copy, out.data, n);
            assert_int_not_equal(fmc_chunk_decode(&ex, &b, fmc_in_make(copy, n), back), FMC_OK);
            (void)fmc_chunk_preview(&ex, &b, fmc_in_make(copy, n), 1, back);
            (void)fmc_chunk_describe(&ex, &b, fmc_in_make(copy, n), &facts);
            free(copy);
        }
        for (size_t bit = 0; bit < 8 * out.size; bit++) {
            fmc_status st;

            out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            st = fmc_chunk_decode(&ex, &b, fmc_in_make(out.data, out.size), back);
            assert_true(st == FMC_OK || st == FMC_ERR_CORRUPT || st == FMC_ERR_TRUNCATED || st == FMC_ERR_UNSUPPORTED ||
                        st == FMC_ERR_MODEL_MISSING);
            (void)fmc_chunk_preview(&ex, &b, fmc_in_make(out.data, out.size), 1, back);
            (void)fmc_chunk_describe(&ex, &b, fmc_in_make(out.data, out.size), &facts);
            out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        fmc_out_fini(&out);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_nest),
        cmocka_unit_test(orders_of_axes_are_numbered),
        cmocka_unit_test(short_and_unlike_axes_go_first),
        cmocka_unit_test(moving_there_and_back),
        cmocka_unit_test(hostile_bytes_give_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
