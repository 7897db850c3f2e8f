/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CPU_KERNELS_X86_H
#define FMC_CPU_KERNELS_X86_H

#include "ops/kernels.h"

/* Only where the compiler is GCC or Clang and the machine x86-64. */
extern const fmc_kernels fmc_kernels_avx2;
extern const fmc_kernels fmc_kernels_avx512;
extern const fmc_kernels fmc_kernels_avx512vnni; /* the same with other networks */
extern const fmc_nn_kernels fmc_nn_avx2;
extern const fmc_nn_kernels fmc_nn_avx512;
extern const fmc_nn_kernels fmc_nn_avx512vnni;

#endif
