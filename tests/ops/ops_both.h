/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_OPS_BOTH_H
#define FMC_TESTS_OPS_BOTH_H

/* A file of checks, OPS_CHECKS, made for both types, and the test that runs all of them; included once by a test of loops. */

#include "ops_util.h"

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include OPS_CHECKS
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include OPS_CHECKS
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

#endif
