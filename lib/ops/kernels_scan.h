/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_SCAN_H
#define FMC_OPS_KERNELS_SCAN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Loops that look at samples for one real type; see kernels.h for what holds for all.
 *
 * extremes  least (out[0]) and largest (out[1]) of the n samples that are not NaN, infinite ones included; +inf and -inf
 *           if there are none. Of zeros of both signs either, but the same everywhere. @return how many are NaN
 */
#define FMC_KERNELS_SCAN_OF(real, type) size_t (*extremes_##type)(const real *x, size_t n, real out[2]);

#define FMC_SLOTS_SCAN(type, suffix) .extremes_##type = extremes_##suffix

#endif
