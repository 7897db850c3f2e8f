/* SPDX-License-Identifier: Apache-2.0 */
#define FMC_NN_VNNI 1
#include "nn_avx512.c"
