/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_FPENV_H
#define FMC_CORE_FPENV_H

#include <fenv.h>
#include <float.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "fmc needs IEEE evaluation: on i686 compile with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "fmc must not be compiled with -ffast-math"
#endif

/** Save the caller's floating-point environment and set the default one (nearest, no FTZ/DAZ, no traps). */
void fmc_fpenv_enter(fenv_t *saved);

/** Restore what fmc_fpenv_enter saved. */
void fmc_fpenv_leave(const fenv_t *saved);

#endif
