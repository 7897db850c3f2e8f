/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_ROWS_H
#define FMC_COEF_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include "ops/kernels.h"

/** dst[x] = src[min(x >> half, n_src - 1)]. */
void fmc_rows_spread(uint16_t *dst, const uint16_t *src, size_t n, size_t n_src, unsigned half);

#endif
