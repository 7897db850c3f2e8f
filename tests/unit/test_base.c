/* SPDX-License-Identifier: Apache-2.0 */
/* A synthetic prediction below the lossy coders: what a model will give. */
#include "codec_data.h"

#include "codec/coder.h"
#include "coef/coef.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };

/* The signal itself in steps of 2^exponent, as a good model would predict it. */
static fmc_base predict(fmc_lossy *l, int32_t exponent)
{
    fmc_base base = { .exponent = exponent, .value = calloc(l->count, sizeof(int32_t)) };

    assert_int_equal(fmc_lossy_make_signal(&ex, l), FMC_OK);
    for (size_t i = 0; i < l->count; i++) {
        const double y = l->signal.dtype == FMC_F64 ? ((double *)l->x)[i] : (double)((float *)l->x)[i];

        base.value[i] = (int32_t)lrint(ldexp(y, -exponent)) + (int32_t)(i % 7 == 0);
    }
    fmc_dealloc(ex.alloc, l->x);
    l->x = NULL;
    return base;
}

/* Code with one coder above a base; the decoded samples keep the goal. @return bytes of the payload. */
static size_t goes_through(const fmc_block *b, const void *data, uint32_t kind, double limit, uint32_t coder)
{
    const fmc_goal goal = { kind, limit };
    const fmc_effort e = { .effort = 5 };
    const size_t n = fmc_block_count(b) * (b->dtype == FMC_F64 ? 8 : 4);
    void *back = malloc(n);
    fmc_quantised z;
    fmc_candidate c;
    fmc_chunk_facts facts;
    fmc_base base;
    fmc_lossy l;
    double bytes;
    size_t size;

    assert_int_equal(fmc_lossy_init(&ex, b, data, &goal, &e, &l), FMC_OK);
    base = predict(&l, -6);
    l.base = &base;
    assert_int_equal(fmc_lossy_make_signal(&ex, &l), FMC_OK);
    if (coder == FMC_CODER_TRANSFORM) {
        assert_int_equal(fmc_transform_choose(&ex, &l), FMC_OK);
        assert_int_equal(fmc_transform_quantise(&ex, &l, 0, HUGE_VAL, &z), FMC_OK);
    } else if (coder == FMC_CODER_PCA) {
        assert_int_equal(fmc_pca_quantise(&ex, &l, &z), FMC_OK);
    } else {
        assert_int_equal(fmc_predict_quantise(&ex, &l, &z), FMC_OK);
    }
    assert_int_equal(fmc_lossy_estimate(&ex, &l, &z, &bytes), FMC_OK);
    assert_int_equal(fmc_lossy_finish(&ex, &l, &z, &c), FMC_OK);
    size = c.payload.size;
    assert_int_equal(c.payload.data[0] & FMC_PAYLOAD_CODER, coder | FMC_PAYLOAD_BASE);
    memset(back, 0x5a, n);
    assert_int_equal(fmc_chunk_decode(&ex, b, fmc_in_make(c.payload.data, size), back), FMC_OK);
    assert_true(keeps_goal(b, data, back, &goal));
    assert_int_equal(fmc_chunk_describe(&ex, b, fmc_in_make(c.payload.data, size), &facts), FMC_OK);
    assert_int_equal(facts.coder, coder);
    for (size_t cut = 0; cut < size; cut += 1 + size / 40) /* nothing shorter decodes */
        assert_int_not_equal(fmc_chunk_decode(&ex, b, fmc_in_make(c.payload.data, cut), back), FMC_OK);
    fmc_candidate_fini(&ex, &c);
    fmc_lossy_fini(&ex, &l);
    free(base.value);
    free(back);
    return size;
}

static void every_goal_holds_above_a_base(void **state)
{
    static const struct {
        uint32_t kind;
        double limit;
    } goal[] = { { FMC_BOUND_NRMSE, 1e-3 }, { FMC_BOUND_ABS, 1e-3 }, { FMC_BOUND_ABS, 0.2 }, { FMC_BOUND_PW_REL, 1e-3 } };

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++)
        for (size_t g = 0; g < sizeof goal / sizeof *goal; g++) {
            const fmc_block b = make_block(dtype, 3, 5, 23, 31);
            void *data = make_field(&b, 3, 1, 0.03);

            if (dtype == FMC_F32)
                for (size_t i = 100; i < 200; i++)
                    ((float *)data)[i] = NAN;
            (void)goes_through(&b, data, goal[g].kind, goal[g].limit, FMC_CODER_INTERP);
            (void)goes_through(&b, data, goal[g].kind, goal[g].limit, FMC_CODER_PCA);
            if (goal[g].kind != FMC_BOUND_PW_REL)
                (void)goes_through(&b, data, goal[g].kind, goal[g].limit, FMC_CODER_TRANSFORM);
            free(data);
        }
}

/* A preview of a chunk with a base is every second sample of the whole. */
static void previews_by_decoding_all(void **state)
{
    const fmc_block b = make_block(FMC_F32, 3, 4, 32, 32);
    float *data = make_field(&b, 3, 1, 0.03), whole[4 * 32 * 32], coarse[2 * 16 * 16];
    const fmc_goal goal = { FMC_BOUND_NRMSE, 1e-2 };
    const fmc_effort e = { .effort = 1 };
    fmc_quantised z;
    fmc_candidate c;
    fmc_base base;
    fmc_lossy l;

    (void)state;
    assert_int_equal(fmc_lossy_init(&ex, &b, data, &goal, &e, &l), FMC_OK);
    base = predict(&l, -4);
    l.base = &base;
    assert_int_equal(fmc_lossy_make_signal(&ex, &l), FMC_OK);
    assert_int_equal(fmc_transform_choose(&ex, &l), FMC_OK);
    assert_int_equal(fmc_transform_quantise(&ex, &l, 0, HUGE_VAL, &z), FMC_OK);
    assert_int_equal(fmc_lossy_finish(&ex, &l, &z, &c), FMC_OK);
    assert_int_equal(fmc_chunk_decode(&ex, &b, fmc_in_make(c.payload.data, c.payload.size), whole), FMC_OK);
    assert_int_equal(fmc_chunk_preview(&ex, &b, fmc_in_make(c.payload.data, c.payload.size), 1, coarse), FMC_OK);
    for (size_t i = 0; i < 2 * 16 * 16; i++)
        assert_true(coarse[i] == whole[(2 * (i / 256) * 32 + 2 * (i / 16 % 16)) * 32 + 2 * (i % 16)]);
    fmc_candidate_fini(&ex, &c);
    fmc_lossy_fini(&ex, &l);
    free(base.value);
    free(data);
}

/* Sections that no encoder writes. */
static void refuses_what_is_not_a_base(void **state)
{
    const fmc_signal s = { .dtype = FMC_F32, .rank = 1, .dim = { 4 }, .count = 4 };
    int32_t value[4] = { 1, -2, 3, 400000 };
    const fmc_base base = { .exponent = -3, .value = value };
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_base back;
    fmc_in in;

    (void)state;
    assert_int_equal(fmc_base_write(&ex, &s, &base, FMC_COEF_MIX, &out), FMC_OK);
    in = fmc_in_make(out.data, out.size);
    assert_int_equal(fmc_base_read(&ex, &s, &in, &back), FMC_OK);
    assert_int_equal(back.exponent, -3);
    assert_memory_equal(back.value, value, sizeof value);
    fmc_base_fini(&ex, &back);
    for (int k = 0; k < 3; k++) {
        static const uint8_t bad[] = { 2, 0xff, 9 }; /* another kind, an exponent of two bytes and more, another tier */
        uint8_t *copy = malloc(out.size);
        fmc_status st;

        memcpy(copy, out.data, out.size);
        copy[k] = bad[k];
        in = fmc_in_make(copy, out.size);
        st = fmc_base_read(&ex, &s, &in, &back);
        assert_true(st == FMC_ERR_UNSUPPORTED || st == FMC_ERR_CORRUPT);
        fmc_base_fini(&ex, &back);
        free(copy);
    }
    fmc_out_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_goal_holds_above_a_base),
                                        cmocka_unit_test(previews_by_decoding_all),
                                        cmocka_unit_test(refuses_what_is_not_a_base) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
