/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_TRIG_H
#define FMC_TRANSFORM_TRIG_H

#include <stdint.h>

/**
 * cosine and sine of 2 pi k / n, the same bits on every machine, within 2 ulp. 0 <= k < n <= 2^20.
 * Octants are taken off in integers, then fixed polynomials: docs/format.md 6.3. Zone EXACT.
 */
void fmc_trig(uint32_t k, uint32_t n, double *cosine, double *sine);

#endif
