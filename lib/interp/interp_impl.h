/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type: everything that exists for f32 and f64. */

#include "interp/quantise_impl.h"
#include "interp/cosets_impl.h"
#include "interp/pyramid_impl.h"
#include "interp/raster_impl.h"
#include "interp/fit_impl.h"
#include "interp/choose_impl.h"
#include "interp/probe_impl.h"

fmc_status NAME(fmc_interp_encode)(const fmc_exec *ex, const fmc_interp_plan *plan, const REAL *x, double step,
                                   int32_t *q, REAL *recon)
{
    if (plan->predictor == FMC_PREDICT_PYRAMID)
        return NAME(pyramid_code)(ex, plan, x, step, q, recon);
    return NAME(raster)(ex, plan, x, step, q, recon);
}

fmc_status NAME(fmc_interp_decode)(const fmc_exec *ex, const fmc_interp_plan *plan, const int32_t *q, double step,
                                   REAL *recon)
{
    int32_t *only_read = (int32_t *)(uintptr_t)q;

    if (plan->predictor == FMC_PREDICT_PYRAMID)
        return NAME(pyramid_code)(ex, plan, NULL, step, only_read, recon);
    return NAME(raster)(ex, plan, NULL, step, only_read, recon);
}
