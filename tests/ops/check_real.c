/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
/* Every loop of lib/ops/kernels.h: each variant that this machine runs gives the bits of ref. */
#include "ops_util.h"

#include <math.h>

#define OPS_CHECKS "check_real.h"
#include "ops_both.h"

static void the_environment_caps_the_choice(void **state)
{
    (void)state;
    setenv("FMC_SIMD", "ref", 1);
    assert_ptr_equal(fmc_kernels_select(FMC_SIMD_BEST), &fmc_kernels_ref);
    setenv("FMC_SIMD", "nonsense", 1);
    assert_non_null(fmc_kernels_select(FMC_SIMD_BEST));
    unsetenv("FMC_SIMD");
    assert_ptr_equal(fmc_kernels_select(FMC_SIMD_REF), &fmc_kernels_ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_gives_the_bits_of_ref),
                                        cmocka_unit_test(the_environment_caps_the_choice) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
