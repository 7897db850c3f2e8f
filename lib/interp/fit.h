/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_FIT_H
#define FMC_INTERP_FIT_H

#include "interp/lsq.h"

/** Scratch of the encoder's fits; too big for the stack. */
typedef struct fmc_fit_room {
    fmc_lsq lsq;
    double  work[FMC_INTERP_MAX_CAUSAL * FMC_INTERP_MAX_CAUSAL];
    double  w[FMC_INTERP_MAX_CAUSAL];
} fmc_fit_room;

/** Choose the tap set and weights of coset c of level l from its normal equations: what saves more than it costs. */
void fmc_fit_take(fmc_interp_plan *plan, uint32_t l, uint32_t c, const fmc_level *level, const fmc_pairs *pairs,
                  double bound, fmc_fit_room *fit);
/** Mean squared error of the fixed weights. */
double fmc_fit_fixed_error(const fmc_interp_plan *plan, const fmc_pairs *pairs, fmc_fit_room *fit);
/** Weights of FMC_PREDICT_CAUSAL from its normal equations. */
void fmc_fit_take_causal(fmc_interp_plan *plan, fmc_fit_room *fit);

/** Weight of a sample from the squared error around it. */
double fmc_fit_weight(double energy, double noise);

/**
 * What coding the whole would cost, in bits, side information included, judged from q of a trial on blocks of it (or on
 * all of it): entropy in contexts of neighbours' magnitudes. Encoder only.
 */
fmc_status fmc_interp_cost(const fmc_exec *ex, const fmc_interp_plan *trial, const fmc_interp_plan *whole,
                           const int32_t *q, double *bits);
/** Bytes of the plan's side information. */
fmc_status fmc_interp_plan_bytes(const fmc_exec *ex, const fmc_interp_plan *plan, size_t *size);

#endif
