/* SPDX-License-Identifier: Apache-2.0 */
/* The exact arithmetic that judges the bounds is itself right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include "big.h"
#include "random.h"

static void distances_are_exact(void **state)
{
    uint64_t seed = 5;
    big a, b;

    (void)state;
    for (int k = 0; k < 2000; k++) {
        const int64_t i = (int64_t)random_below(&seed, 1ull << 52), j = -i / 3 + (int64_t)random_below(&seed, 1u << 20);
        const double x = ldexp((double)i, -70), y = ldexp((double)j, -70);

        big_distance(&a, x, y);
        big_of(&b, ldexp((double)(i - j > 0 ? i - j : j - i), -70));
        assert_int_equal(big_compare(&a, &b), 0);
    }
}

static void products_of_integers_are_right(void **state)
{
    uint64_t seed = 6;
    big a, b, c, d;

    (void)state;
    for (int k = 0; k < 2000; k++) {
        const uint64_t x = random_below(&seed, 1u << 26), y = random_below(&seed, 1u << 26);

        big_of(&a, (double)x);
        big_of(&b, (double)y);
        big_multiply(&c, &a, &b);
        big_of(&d, (double)(x * y));
        assert_int_equal(big_compare(&c, &d), 0);
        big_scale(&a, (uint32_t)y);
        assert_int_equal(big_compare(&a, &d), 0);
    }
}

static void the_ends_of_the_range_fit(void **state)
{
    big a, b, c;

    (void)state;
    big_of(&a, 0x1p-1074);
    big_multiply(&b, &a, &a);
    big_multiply(&c, &b, &b);
    assert_true(c.hi > c.lo);
    big_distance(&a, DBL_MAX, -DBL_MAX);
    big_of(&b, DBL_MAX);
    big_multiply(&c, &a, &b);
    big_multiply(&a, &c, &c);
    big_scale(&a, 1u << 20);
    assert_int_equal(big_compare(&a, &c), 1);
}

static void comparison_sees_one_bit(void **state)
{
    big a, b, one;

    (void)state;
    big_of(&a, 1e300);
    b = a;
    big_of(&one, 0x1p-1074);
    big_add(&b, &one);
    assert_int_equal(big_compare(&a, &b), -1);
    assert_int_equal(big_compare(&b, &a), 1);
    assert_int_equal(big_compare(&a, &a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_exact),
        cmocka_unit_test(products_of_integers_are_right),
        cmocka_unit_test(the_ends_of_the_range_fit),
        cmocka_unit_test(comparison_sees_one_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
