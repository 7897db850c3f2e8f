/* SPDX-License-Identifier: Apache-2.0 */
#include "array_data.h"
#include "array/view.h"

static void init_makes_c_order(void **state)
{
    const uint64_t dim[3] = { 2, 3, 5 };
    double data[30];
    fmc_array a;

    (void)state;
    fmc_array_init(&a, FMC_F64, 3, dim, data);
    assert_int_equal(a.struct_size, sizeof a);
    assert_int_equal(a.stride[0], 120);
    assert_int_equal(a.stride[1], 40);
    assert_int_equal(a.stride[2], 8);
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_OUTPUT), FMC_OK);
    assert_int_equal(fmc_view_count(&a), 30);
    assert_true(fmc_view_is_plain(&a));
}

static fmc_array good_array(float *data)
{
    const uint64_t dim[2] = { 4, 4 };
    fmc_array a;

    fmc_array_init(&a, FMC_F32, 2, dim, data);
    return a;
}

static void check_refuses_bad_descriptors(void **state)
{
    float data[16];
    fmc_array a = good_array(data);

    (void)state;
    assert_int_equal(fmc_view_check(NULL, FMC_VIEW_INPUT), FMC_ERR_ARG);
#define REFUSES(change)                                                                                                \
    do {                                                                                                               \
        a = good_array(data);                                                                                          \
        change;                                                                                                        \
        assert_int_equal(fmc_view_check(&a, FMC_VIEW_INPUT), FMC_ERR_ARG);                                             \
    } while (0)
    REFUSES(a.struct_size = 0);
    REFUSES(a.struct_size = sizeof a - 1);
    REFUSES(a.struct_size = 1u << 30);
    REFUSES(a.dtype = 0);
    REFUSES(a.dtype = 3);
    REFUSES(a.rank = 0);
    REFUSES(a.rank = FMC_MAX_RANK + 1);
    REFUSES(a.reserved = 1);
    REFUSES(a.data = NULL);
    REFUSES(a.dim[0] = UINT64_MAX);
    REFUSES((a.dim[0] = (uint64_t)1 << 40, a.dim[1] = (uint64_t)1 << 40));
    REFUSES((a.dim[0] = 0, a.dim[1] = UINT64_MAX));
    REFUSES(a.stride[0] = INT64_MAX);
    REFUSES(a.stride[0] = INT64_MIN);
    REFUSES((a.stride[0] = INT64_MAX / 4, a.stride[1] = INT64_MAX / 4));
    REFUSES((a.stride[0] = -(INT64_MAX / 4)));
#undef REFUSES
}

static void check_reads_the_tail_of_longer_structs(void **state)
{
    struct {
        fmc_array a;
        uint64_t more;
    } s;
    float data[16];

    (void)state;
    s.a = good_array(data);
    s.a.struct_size = sizeof s;
    s.more = 0;
    assert_int_equal(fmc_view_check(&s.a, FMC_VIEW_INPUT), FMC_OK);
    s.more = 1;
    assert_int_equal(fmc_view_check(&s.a, FMC_VIEW_INPUT), FMC_ERR_ARG);
}

static void check_accepts_empty_zero_strides_and_shapes(void **state)
{
    float data[16];
    fmc_array a = good_array(data);

    (void)state;
    a.dim[1] = 0;
    a.data = NULL;
    a.stride[0] = INT64_MAX;
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_OUTPUT), FMC_OK);
    assert_int_equal(fmc_view_count(&a), 0);
    assert_true(fmc_view_is_plain(&a));
    a = good_array(data);
    a.stride[0] = 0;
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_INPUT), FMC_OK);
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_OUTPUT), FMC_ERR_ARG);
    assert_false(fmc_view_is_plain(&a));
    a.dim[0] = 1;
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_OUTPUT), FMC_OK);
    assert_true(fmc_view_is_plain(&a));
    a = good_array(NULL);
    a.dim[0] = UINT64_MAX;
    assert_int_equal(fmc_view_check(&a, FMC_VIEW_SHAPE), FMC_OK);
}

/* A view with shuffled axes, some reversed, some repeated, gaps, odd base addresses, and its plain definition. */
typedef struct layout {
    fmc_array a;
    uint8_t  *memory; /* owned */
    size_t    size;
} layout;

static layout random_layout(uint64_t *seed, int is_output)
{
    layout l = { 0 };
    uint32_t order[FMC_MAX_RANK] = { 0, 1, 2, 3, 4 };
    uint64_t dim[FMC_MAX_RANK];
    const uint32_t rank = 1 + (uint32_t)below(seed, FMC_MAX_RANK);
    const uint32_t dtype = below(seed, 2) ? FMC_F32 : FMC_F64;
    const size_t most = rank == 1 ? 2000 : rank == 2 ? 90 : rank == 3 ? 20 : 7;
    int64_t step = (int64_t)fmc_dtype_size(dtype), base = (int64_t)below(seed, 8);

    for (uint32_t i = 0; i < rank; i++)
        dim[i] = 1 + below(seed, most);
    for (uint32_t i = rank; i-- > 1 && below(seed, 2);) {
        const uint32_t k = (uint32_t)below(seed, i + 1), t = order[i];

        order[i] = order[k];
        order[k] = t;
    }
    fmc_array_init(&l.a, dtype, rank, dim, NULL);
    for (uint32_t i = rank; i-- > 0;) {
        const uint32_t axis = order[i];

        l.a.stride[axis] = step;
        step *= (int64_t)dim[axis];
        step += below(seed, 3) ? 0 : (int64_t)below(seed, 20);
        if (below(seed, 4) == 0) {
            base += l.a.stride[axis] * (int64_t)(dim[axis] - 1);
            l.a.stride[axis] = -l.a.stride[axis];
        } else if (!is_output && below(seed, 6) == 0) {
            l.a.stride[axis] = 0;
        }
    }
    l.size = (size_t)step + 16;
    l.memory = malloc(l.size);
    assert_non_null(l.memory);
    for (size_t i = 0; i < l.size; i++)
        l.memory[i] = (uint8_t)next_random(seed);
    l.a.data = l.memory + base;
    return l;
}

static void random_box(uint64_t *seed, const fmc_array *a, size_t *start, size_t *count)
{
    for (uint32_t i = 0; i < a->rank; i++) {
        start[i] = below(seed, 3) ? 0 : below(seed, (size_t)a->dim[i]);
        count[i] = below(seed, 3) ? (size_t)a->dim[i] - start[i] : 1 + below(seed, (size_t)a->dim[i] - start[i]);
    }
}

static const uint8_t *sample_at(const fmc_array *a, const size_t *start, const size_t *count, size_t i)
{
    const uint8_t *p = a->data;

    for (uint32_t k = a->rank; k-- > 0;) {
        p += (int64_t)(start[k] + i % count[k]) * a->stride[k];
        i /= count[k];
    }
    return p;
}

static size_t box_count(const fmc_array *a, const size_t *count)
{
    size_t n = 1;

    for (uint32_t k = 0; k < a->rank; k++)
        n *= count[k];
    return n;
}

static void read_gives_every_sample_of_any_layout(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 400; round++) {
        layout l = random_layout(&seed, 0);
        const size_t size = fmc_dtype_size(l.a.dtype);
        size_t start[FMC_MAX_RANK], count[FMC_MAX_RANK], n;
        uint8_t *flat;

        assert_int_equal(fmc_view_check(&l.a, FMC_VIEW_INPUT), FMC_OK);
        random_box(&seed, &l.a, start, count);
        n = box_count(&l.a, count);
        flat = malloc(n * size + 1);
        assert_non_null(flat);
        assert_int_equal(fmc_view_read(&ex, &l.a, start, count, flat + 1), FMC_OK); /* unaligned on purpose */
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(flat + 1 + i * size, sample_at(&l.a, start, count, i), size);
        free(flat);
        free(l.memory);
    }
}

static void write_changes_the_box_and_nothing_else(void **state)
{
    const fmc_exec ex = test_exec(1);
    uint64_t seed = 2;

    (void)state;
    for (int round = 0; round < 400; round++) {
        layout l = random_layout(&seed, 1);
        const size_t size = fmc_dtype_size(l.a.dtype);
        uint8_t *want = copy_prefix(l.memory, l.size), *flat;
        size_t start[FMC_MAX_RANK], count[FMC_MAX_RANK], n;

        random_box(&seed, &l.a, start, count);
        n = box_count(&l.a, count);
        flat = malloc(n * size);
        assert_non_null(flat);
        for (size_t i = 0; i < n * size; i++)
            flat[i] = (uint8_t)next_random(&seed);
        for (size_t i = 0; i < n; i++)
            memcpy(want + (sample_at(&l.a, start, count, i) - l.memory), flat + i * size, size);
        assert_int_equal(fmc_view_write(&ex, &l.a, start, count, flat), FMC_OK);
        assert_memory_equal(want, l.memory, l.size);
        free(flat);
        free(want);
        free(l.memory);
    }
}

static void empty_boxes_copy_nothing(void **state)
{
    const fmc_exec ex = test_exec(1);
    float data[16] = { 0 };
    fmc_array a = good_array(data);
    const size_t start[2] = { 4, 0 }, count[2] = { 0, 4 };

    (void)state;
    assert_int_equal(fmc_view_read(&ex, &a, start, count, NULL), FMC_OK);
    assert_int_equal(fmc_view_write(&ex, &a, start, count, NULL), FMC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_makes_c_order),
        cmocka_unit_test(check_refuses_bad_descriptors),
        cmocka_unit_test(check_reads_the_tail_of_longer_structs),
        cmocka_unit_test(check_accepts_empty_zero_strides_and_shapes),
        cmocka_unit_test(read_gives_every_sample_of_any_layout),
        cmocka_unit_test(write_changes_the_box_and_nothing_else),
        cmocka_unit_test(empty_boxes_copy_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
