/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/gain.h"

/*
 * Squared norm of the synthesis functions of one axis, of 9/7 and 21/19, low and high after so many halvings, far from the
 * ends of the axis. What the lifting steps of docs/format.md 6.2 give; tests/unit/test_gain.c computes them again.
 */
static const float low_gain[2][FMC_TX_MAX_LEVELS + 1] = {
    { 1, 0.982954f, 1.030602f, 1.052093f, 1.058473f, 1.060154f, 1.060581f,
      1.060688f, 1.060715f, 1.060721f, 1.060723f, 1.060723f, 1.060723f },
    { 1, 0.901283f, 0.841701f, 0.816111f, 0.808941f, 0.807101f, 0.806638f,
      0.806522f, 0.806493f, 0.806486f, 0.806484f, 0.806484f, 0.806484f },
};
static const float high_gain[2][FMC_TX_MAX_LEVELS + 1] = {
    { 1, 1.040436f, 0.967216f, 1.039628f, 1.075121f, 1.085840f, 1.088678f,
      1.089400f, 1.089581f, 1.089626f, 1.089637f, 1.089640f, 1.089641f },
    { 1, 1.121058f, 0.978126f, 0.878865f, 0.832047f, 0.818744f, 0.815320f,
      0.814459f, 0.814243f, 0.814189f, 0.814175f, 0.814172f, 0.814171f },
};

/* Of the part [origin, origin + dim) of a wavelet axis of n samples. */
static double axis_gain(size_t n, size_t origin, size_t dim, int is_long)
{
    uint32_t m = 0;
    size_t low = n;

    while (m < FMC_TX_MAX_LEVELS && low > 1 && (origin ? low > origin : low > dim)) {
        low = (low + 1) / 2;
        m++;
    }
    return (double)(origin ? high_gain[is_long][m] : low_gain[is_long][m]);
}

double fmc_tx_band_gain(const fmc_tx_plan *plan, const fmc_band *band)
{
    double gain = 1;

    for (uint32_t a = 0; a < plan->rank; a++) {
        const uint32_t b = a + FMC_MAX_RANK - plan->rank;

        if (plan->kind[a] == FMC_TX_DYADIC || plan->kind[a] == FMC_TX_PACKET)
            gain *= axis_gain(plan->dim[a], band->origin[b], band->dim[b], plan->is_long[a]);
    }
    return gain;
}

double fmc_tx_filter_gain(const fmc_tx_plan *plan, uint32_t axis, size_t i)
{
    size_t low = plan->dim[axis];

    if (!plan->is_long[axis])
        return 1;
    for (uint32_t m = 0; m < plan->levels[axis] && low > 1; m++) {
        low = (low + 1) / 2;
        if (i >= low)
            return (double)(high_gain[1][m + 1] / high_gain[0][m + 1]);
    }
    return (double)(low_gain[1][plan->levels[axis]] / low_gain[0][plan->levels[axis]]);
}
