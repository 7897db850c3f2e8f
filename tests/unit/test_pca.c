/* SPDX-License-Identifier: Apache-2.0 */
/* Patches, and the published coder of them. */
#include "codec_data.h"

#include "codec/coder.h"
#include "core/bytes_out.h"
#include "transform/patches.h"

static const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 2 };

static void patches_come_back(void **state)
{
    static const size_t dim[][FMC_MAX_RANK] = { { 1 }, { 64 }, { 130 }, { 8, 8 }, { 1, 9 }, { 17, 23 }, { 3, 9, 16 }, { 2, 3, 1, 7 } };
    static const uint32_t rank[] = { 1, 1, 1, 2, 2, 2, 3, 4 };

    (void)state;
    for (size_t i = 0; i < sizeof rank / sizeof *rank; i++) {
        const fmc_patches p = fmc_patches_of(rank[i], dim[i]);
        const size_t padded = fmc_patches_count(&p);
        size_t n = 1;
        float *x, *y, *z;

        for (uint32_t a = 0; a < rank[i]; a++)
            n *= dim[i][a];
        assert_true(padded >= n && padded % FMC_PATCH == 0);
        x = malloc(n * sizeof *x);
        y = malloc(padded * sizeof *y);
        z = calloc(n, sizeof *z);
        for (size_t k = 0; k < n; k++)
            x[k] = (float)k;
        assert_int_equal(fmc_patches_gather(&ex, &p, sizeof *x, x, y), FMC_OK);
        for (size_t k = 0; k < padded; k++) /* padding repeats what is there */
            assert_true(y[k] >= 0 && y[k] < (float)n);
        assert_int_equal(fmc_patches_scatter(&ex, &p, sizeof *x, y, z), FMC_OK);
        assert_memory_equal(x, z, n * sizeof *x);
        free(x);
        free(y);
        free(z);
    }
}

/* Both rows of a patch lie where they should. */
static void a_patch_is_eight_by_eight(void **state)
{
    const size_t dim[] = { 2, 16, 24 };
    const fmc_patches p = fmc_patches_of(3, dim);
    int32_t x[2 * 16 * 24], y[2 * 16 * 24];

    (void)state;
    assert_int_equal(fmc_patches_count(&p), 2 * 16 * 24);
    for (int32_t k = 0; k < 2 * 16 * 24; k++)
        x[k] = k;
    assert_int_equal(fmc_patches_gather(&ex, &p, sizeof *x, x, y), FMC_OK);
    assert_int_equal(y[0], 0);
    assert_int_equal(y[7], 7);
    assert_int_equal(y[8], 24);
    assert_int_equal(y[64], 8); /* the next patch to the right */
    assert_int_equal(y[3 * 64], 8 * 24);
    assert_int_equal(y[6 * 64], 16 * 24);
}

static void goes_through(uint32_t dtype, uint32_t rank, const size_t *dim, uint32_t kind, double limit, uint32_t missing)
{
    fmc_block b = { .dtype = dtype, .rank = rank };
    const fmc_goal goal = { kind, limit };
    const fmc_effort e = { .effort = 5, .coder = FMC_CODER_PCA };
    fmc_out out = fmc_out_make(ex.alloc);
    fmc_chunk_facts facts;
    void *data, *back;
    size_t n;

    memcpy(b.dim, dim, rank * sizeof *dim);
    n = fmc_block_count(&b) * (dtype == FMC_F64 ? 8 : 4);
    data = make_field(&b, 3, 1, 0.05);
    back = malloc(n);
    for (size_t i = 0; missing && dtype == FMC_F32 && i < fmc_block_count(&b); i += missing)
        ((float *)data)[i] = NAN;
    assert_int_equal(fmc_chunk_encode(&ex, &b, data, &goal, &e, &out), FMC_OK);
    assert_int_equal(fmc_chunk_decode(&ex, &b, fmc_in_make(out.data, out.size), back), FMC_OK);
    assert_true(keeps_goal(&b, data, back, &goal));
    assert_int_equal(fmc_chunk_describe(&ex, &b, fmc_in_make(out.data, out.size), &facts), FMC_OK);
    assert_true(facts.coder == FMC_CODER_EXACT || !strncmp(facts.detail, "pca ", 4));
    assert_int_equal(facts.model, 0);
    for (size_t cut = 0; cut < out.size; cut += 1 + out.size / 50)
        assert_int_not_equal(fmc_chunk_decode(&ex, &b, fmc_in_make(out.data, cut), back), FMC_OK);
    for (size_t bit = 0; bit < 8 * out.size; bit += 1 + out.size / 8) { /* never a crash */
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)fmc_chunk_decode(&ex, &b, fmc_in_make(out.data, out.size), back);
        (void)fmc_chunk_preview(&ex, &b, fmc_in_make(out.data, out.size), 1, back);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    fmc_out_fini(&out);
    free(data);
    free(back);
}

static void every_goal_holds(void **state)
{
    static const size_t dim[][FMC_MAX_RANK] = { { 700 }, { 41, 53 }, { 5, 23, 31 }, { 2, 3, 17, 19 }, { 1, 1, 1 }, { 3, 1, 3 } };
    static const uint32_t rank[] = { 1, 2, 3, 4, 3, 3 };

    (void)state;
    for (uint32_t dtype = FMC_F32; dtype <= FMC_F64; dtype++)
        for (size_t i = 0; i < sizeof rank / sizeof *rank; i++) {
            goes_through(dtype, rank[i], dim[i], FMC_BOUND_NRMSE, 1e-2, 0);
            goes_through(dtype, rank[i], dim[i], FMC_BOUND_NRMSE, 1e-5, 7);
            goes_through(dtype, rank[i], dim[i], FMC_BOUND_ABS, 3e-2, 0);
            goes_through(dtype, rank[i], dim[i], FMC_BOUND_PW_REL, 1e-2, 5);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(patches_come_back), cmocka_unit_test(a_patch_is_eight_by_eight),
                                        cmocka_unit_test(every_goal_holds) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
