/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_LIFTING_H
#define FMC_TRANSFORM_LIFTING_H

#include "transform/lines.h"

/**
 * One halving of every line by the lifting steps of a wavelet, low half first (docs/format.md 6.2). Lines of one sample
 * stay as they are. Zone EXACT. @param is_long  21/19, else 9/7.
 */
fmc_status fmc_lift_forward_f32(const fmc_exec *ex, const fmc_lines *lines, int is_long, float *data);
fmc_status fmc_lift_inverse_f32(const fmc_exec *ex, const fmc_lines *lines, int is_long, float *data);
fmc_status fmc_lift_forward_f64(const fmc_exec *ex, const fmc_lines *lines, int is_long, double *data);
fmc_status fmc_lift_inverse_f64(const fmc_exec *ex, const fmc_lines *lines, int is_long, double *data);

#endif
