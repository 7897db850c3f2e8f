/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_SPECTRAL_H
#define FMC_TRANSFORM_SPECTRAL_H

#include "transform/lines.h"

/** True for 1 <= n <= FMC_TX_MAX_SPECTRAL without a prime factor over 127, or n <= 256. */
int fmc_spectral_is_possible(size_t n);

/** DCT or real DFT (FMC_TX_DCT, FMC_TX_DFT) of every line, or its inverse: docs/format.md 6.3-6.5. Zone EXACT. */
fmc_status fmc_spectral_f32(const fmc_exec *ex, const fmc_lines *lines, uint32_t kind, float *data, int is_inverse);
fmc_status fmc_spectral_f64(const fmc_exec *ex, const fmc_lines *lines, uint32_t kind, double *data, int is_inverse);

#endif
