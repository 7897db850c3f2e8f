/* SPDX-License-Identifier: Apache-2.0 */
#include "api_util.h"
#include <float.h>
#include <math.h>
#include "api/goal.h"
#include "api/range.h"
#include "array/view.h"

static fmc_exec serial(void)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 2 };

    return ex;
}

static double width(double min, double max)
{
    const fmc_span s = { .n_valid = 2, .min = min, .max = max };

    return fmc_range_width(&s);
}

static void width_is_rounded_down(void **state)
{
    const fmc_span none = { 0 };

    (void)state;
    assert_true(width(1, 3) == 2);
    assert_true(width(5, 5) == 0);
    assert_true(fmc_range_width(&none) == 0);
    assert_true(width(-DBL_MAX, DBL_MAX) == DBL_MAX);
    assert_true(width(-0x1p-60, 1) == 1);                /* exact 1 + 2^-60: to nearest is already below */
    assert_true(width(0x1p-60, 1) == nextafter(1, 0));   /* exact 1 - 2^-60: to nearest would be above */
}

static void limits_never_exceed_the_bound(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        double b, w;
        fmc_goal g;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        b = (double)(seed >> 11) * 0x1p-53;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        w = (double)(seed >> 11) * 0x1p-40;
        g = fmc_goal_make(FMC_BOUND_REL, b, w);
        assert_int_equal(g.kind, FMC_BOUND_ABS);
        assert_true(fma(b, w, -g.limit) >= 0);
        assert_true(g.limit >= nextafter(b * w, 0));
    }
}

static void kinds_become_goals(void **state)
{
    fmc_goal g = fmc_goal_make(FMC_BOUND_ABS, 0.5, 0);

    (void)state;
    assert_true(g.kind == FMC_BOUND_ABS && g.limit == 0.5);
    g = fmc_goal_make(FMC_BOUND_REL, 0.25, 8);
    assert_true(g.kind == FMC_BOUND_ABS && g.limit == 2); /* exact products stay */
    g = fmc_goal_make(FMC_BOUND_PW_REL, 0.25, 8);
    assert_true(g.kind == FMC_BOUND_PW_REL && g.limit == 0.25);
    g = fmc_goal_make(FMC_BOUND_NRMSE, 0.25, 8);
    assert_true(g.kind == FMC_BOUND_NRMSE && g.limit == 2);
    g = fmc_goal_make(FMC_BOUND_PSNR, 60, 1000);
    assert_true(g.kind == FMC_BOUND_NRMSE && g.limit <= 1 && g.limit > 1 - 1e-12);
    g = fmc_goal_make(FMC_BOUND_REL, 1e-3, 0);
    assert_true(g.kind == FMC_BOUND_LOSSLESS && g.limit == 0);
    g = fmc_goal_make(FMC_BOUND_PSNR, 1e6, 1000);
    assert_true(g.kind == FMC_BOUND_LOSSLESS);
    g = fmc_goal_make(FMC_BOUND_REL, 10, DBL_MAX);
    assert_true(g.kind == FMC_BOUND_ABS && g.limit == DBL_MAX);
}

static void range_is_the_same_for_any_strides(void **state)
{
    const uint64_t dim[3] = { 70, 111, 90 };
    const fmc_exec ex = serial();
    fmc_array a, t;
    float *x = make_f32(3, dim, &a);
    fmc_span s, st;

    (void)state;
    x[12345] = 1e9f;
    x[54321] = -1e9f;
    x[100] = NAN;
    x[101] = INFINITY;
    x[102] = 1e20f;
    t = a;
    for (int k = 0; k < 3; k++) {
        t.dim[k] = a.dim[2 - k];
        t.stride[k] = a.stride[2 - k];
    }
    assert_int_equal(fmc_range_find(&ex, &a, 1, (double)1e20f, &s), FMC_OK);
    assert_int_equal(fmc_range_find(&ex, &t, 1, (double)1e20f, &st), FMC_OK);
    assert_true(s.max == 1e9 && s.min == -1e9 && s.n_valid == 70 * 111 * 90 - 3);
    assert_true(st.max == s.max && st.min == s.min && st.n_valid == s.n_valid);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_is_rounded_down), cmocka_unit_test(limits_never_exceed_the_bound),
        cmocka_unit_test(kinds_become_goals), cmocka_unit_test(range_is_the_same_for_any_strides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
