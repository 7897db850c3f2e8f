/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"
#include "transform/trig.h"

static double ulps(double got, long double want)
{
    const double near = fabs((double)want);

    return (double)(fabsl((long double)got - want) / (long double)(nextafter(near, INFINITY) - near));
}

/* libm's sine of 2 pi k / n, from an angle of at most a quarter of pi. */
static long double exact_sine(uint32_t k, uint32_t n)
{
    const uint32_t quadrant = 4 * k / n, rest = 4 * k % n;
    const uint32_t r = quadrant & 1 ? n - rest : rest;
    const long double quarter = acosl(-1.0L) / 2 / (long double)n;
    const long double s = 2 * r > n ? cosl(quarter * (long double)(n - r)) : sinl(quarter * (long double)r);

    return quadrant & 2 ? -s : s;
}

static void angles_agree_with_libm(void **state)
{
    double worst = 0;

    (void)state;
    for (uint32_t n = 1; n <= 4096; n = n < 200 ? n + 1 : n * 9 / 8 + 1)
        for (uint32_t k = 0; k < n; k++) {
            const long double c = exact_sine((4 * k + n) % (4 * n), 4 * n), s = exact_sine(k, n);
            double got_c, got_s;

            fmc_trig(k, n, &got_c, &got_s);
            if (4 * k == n || 4 * k == 3 * n)
                assert_true(got_c == 0);
            else
                worst = fmax(worst, ulps(got_c, c));
            if (k == 0 || 2 * k == n)
                assert_true(got_s == 0);
            else
                worst = fmax(worst, ulps(got_s, s));
        }
    print_message("worst: %.3f ulp\n", worst);
    assert_true(worst < 2);
}

static void right_angles_are_exact(void **state)
{
    double c, s;

    (void)state;
    fmc_trig(0, 4, &c, &s);
    assert_true(c == 1 && s == 0);
    fmc_trig(1, 4, &c, &s);
    assert_true(c == 0 && s == 1);
    fmc_trig(2, 4, &c, &s);
    assert_true(c == -1 && s == 0);
    fmc_trig(3, 4, &c, &s);
    assert_true(c == 0 && s == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(angles_agree_with_libm),
                                        cmocka_unit_test(right_angles_are_exact) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
