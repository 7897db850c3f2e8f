/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_GAIN_H
#define FMC_TRANSFORM_GAIN_H

#include "transform/transform.h"

/**
 * Mean energy that an error of size 1 of a coefficient of this band has in the signal: the product of the squared norms
 * of the synthesis functions along each axis. 1 for orthonormal transforms, 0.9..1.3 an axis for 9/7 wavelets. The ends of
 * axes are not considered, so it is an estimate.
 */
double fmc_tx_band_gain(const fmc_tx_plan *plan, const fmc_band *band);

#endif
