/* SPDX-License-Identifier: Apache-2.0 */
#include "api/goal.h"

#include <float.h>
#include <math.h>

int fmc_goal_needs_range(uint32_t bound_kind)
{
    return bound_kind == FMC_BOUND_REL || bound_kind == FMC_BOUND_NRMSE || bound_kind == FMC_BOUND_PSNR;
}

/* a * b rounded down; a, b >= 0. */
static double mul_down(double a, double b)
{
    const double p = a * b;

    if (!(p <= DBL_MAX))
        return DBL_MAX;
    /* Below 2^-900 the error term itself might underflow: one step down is always safe. */
    if (p < 0x1p-900 || fma(a, b, -p) < 0)
        return p > 0 ? nextafter(p, 0) : 0;
    return p;
}

fmc_goal fmc_goal_make(uint32_t bound_kind, double bound, double width)
{
    fmc_goal g = { .kind = bound_kind, .limit = bound };

    if (bound_kind == FMC_BOUND_REL) {
        g.kind = FMC_BOUND_ABS;
        g.limit = mul_down(bound, width);
    } else if (bound_kind == FMC_BOUND_NRMSE) {
        g.limit = mul_down(bound < 1 ? bound : 1, width); /* more than the range constrains nothing */
    } else if (bound_kind == FMC_BOUND_PSNR) {
        g.kind = FMC_BOUND_NRMSE;
        /* pow is good to a few ulp; 1e-13 covers it on any libm. */
        g.limit = mul_down(pow(10, -bound / 20) * (1 - 1e-13), width);
    }
    if (bound_kind == FMC_BOUND_LOSSLESS || !(g.limit >= DBL_MIN)) {
        g.kind = FMC_BOUND_LOSSLESS;
        g.limit = 0;
    }
    return g;
}
