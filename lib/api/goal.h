/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_GOAL_H
#define FMC_API_GOAL_H

#include "codec/codec.h"

/** True if the bound is relative to max - min. */
int fmc_goal_needs_range(uint32_t bound_kind);

/**
 * What a bound means in data units, rounded so that it is never exceeded.
 * @param bound_kind  not FMC_BOUND_SIZE. @param width max - min of the valid samples, rounded down.
 * A limit that vanishes (constant data) becomes FMC_BOUND_LOSSLESS.
 */
fmc_goal fmc_goal_make(uint32_t bound_kind, double bound, double width);

#endif
