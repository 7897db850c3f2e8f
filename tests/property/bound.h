/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TEST_BOUND_H
#define FMC_TEST_BOUND_H

#include "field.h"

/**
 * Whether `back` keeps what `params` promise of `from`, in exact arithmetic (PSNR: to 1e-15).
 * @param why  gets the reason if not, at most `size` bytes.
 */
int bound_holds(const field *from, const field *back, const fmc_params *params, char *why, size_t size);

/** Whether sample i is finite and not the fill value. */
int sample_is_valid(const field *f, const fmc_params *params, size_t i);

#endif
