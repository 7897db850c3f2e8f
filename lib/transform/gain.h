/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_GAIN_H
#define FMC_TRANSFORM_GAIN_H

#include "transform/transform.h"

/**
 * Mean energy that an error of size 1 of a coefficient of this band has in the signal: the product of the squared norms
 * of the synthesis functions along each axis. 1 for orthonormal transforms, 0.9..1.1 an axis for wavelets. The ends of
 * axes are not considered, so it is an estimate.
 */
double fmc_tx_band_gain(const fmc_tx_plan *plan, const fmc_band *band);

/**
 * The gain of a coefficient along one axis by that which it would have with the 9/7 filter; 1 where this is its filter or the
 * axis has no wavelet. @param i  its place, in the transform's array.
 */
double fmc_tx_filter_gain(const fmc_tx_plan *plan, uint32_t axis, size_t i);

#endif
