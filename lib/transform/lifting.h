/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_LIFTING_H
#define FMC_TRANSFORM_LIFTING_H

#include "transform/lines.h"

/**
 * One halving of every line by the CDF 9/7 lifting steps, low half first (docs/format.md 6.2). Lines of one sample
 * stay as they are. Zone EXACT.
 */
fmc_status fmc_lift_forward_f32(const fmc_exec *ex, const fmc_lines *lines, float *data);
fmc_status fmc_lift_inverse_f32(const fmc_exec *ex, const fmc_lines *lines, float *data);
fmc_status fmc_lift_forward_f64(const fmc_exec *ex, const fmc_lines *lines, double *data);
fmc_status fmc_lift_inverse_f64(const fmc_exec *ex, const fmc_lines *lines, double *data);

#endif
