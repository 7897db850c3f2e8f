/* SPDX-License-Identifier: Apache-2.0 */
/* Every loop of lib/ops/kernels_coef.h: each variant that this machine runs gives the bits of ref. */
#include "ops_util.h"

#include <math.h>

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "check_coef.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "check_coef.h"
#undef REAL
#undef NAME
#undef KERNEL

static void every_variant_gives_the_bits_of_ref(void **state)
{
    const fmc_kernels *list[OPS_MAX_VARIANTS];
    const size_t n = ops_variants(list);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)ops_seed);
    check_all_f32(&fmc_kernels_ref, &fmc_kernels_ref); /* guards, and what ref itself promises */
    check_all_f64(&fmc_kernels_ref, &fmc_kernels_ref);
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", list[i]->name);
        check_all_f32(list[i], &fmc_kernels_ref);
        check_all_f64(list[i], &fmc_kernels_ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_gives_the_bits_of_ref) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
