/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/fit.h"

#include <math.h>
#include <string.h>

static int16_t to_weight(double w)
{
    const double v = floor(w * FMC_INTERP_ONE + 0.5);

    return v >= -32767 && v <= 32767 ? (int16_t)v : 0;
}

/* Bits of `count` residuals with mean square e: log2 of a Laplacian's scale in steps, 0 when all round to 0. */
static double residual_bits(double count, double e, double step)
{
    return 0.5 * count * fmc_interp_log2(1 + 15 * e / (step * step));
}

double fmc_fit_fixed_error(const fmc_interp_plan *plan, const fmc_pairs *pairs, fmc_fit_room *fit)
{
    int32_t fixed[FMC_INTERP_MAX_PAIRS];

    fmc_interp_fixed(plan, pairs, fixed);
    memset(fit->w, 0, sizeof fit->w);
    for (uint32_t j = 1; j < pairs->n_line; j++)
        fit->w[j - 1] = (double)fixed[j] / FMC_INTERP_ONE;
    return fmc_lsq_error(&fit->lsq, fit->w);
}

void fmc_fit_take(fmc_interp_plan *plan, uint32_t l, uint32_t c, const fmc_level *level, const fmc_pairs *pairs,
                  double bound, fmc_fit_room *fit)
{
    const double count = (double)fmc_interp_count(level->dim[c]);
    double best = residual_bits(count, fmc_fit_fixed_error(plan, pairs, fit), 2 * bound);
    int32_t fixed[FMC_INTERP_MAX_PAIRS] = { 0 };

    plan->set[l][c] = FMC_TAPS_FIXED;
    fmc_interp_fixed(plan, pairs, fixed);
    for (uint32_t set = FMC_TAPS_LINE; set <= FMC_TAPS_FULL; set++) {
        const uint32_t n = set == FMC_TAPS_LINE ? pairs->n_line : pairs->n;
        int16_t weight[FMC_INTERP_MAX_PAIRS] = { 0 };
        double bits = 0;

        if (fit->lsq.count < 4 * n || !fmc_lsq_solve(&fit->lsq, n - 1, fit->work, fit->w))
            continue;
        for (uint32_t j = 1; j < n; j++) {
            weight[j] = to_weight(fit->w[j - 1]);
            fit->w[j - 1] = (double)weight[j] / FMC_INTERP_ONE;
            bits += fabs((double)weight[j] - fixed[j]) < 64 ? 8 : 16;
        }
        bits += residual_bits(count, fmc_lsq_error(&fit->lsq, fit->w), 2 * bound);
        if (bits >= best)
            continue;
        best = bits;
        plan->set[l][c] = (uint8_t)set;
        memcpy(plan->weight[l][c], weight, sizeof weight);
    }
}

void fmc_fit_take_causal(fmc_interp_plan *plan, fmc_fit_room *fit)
{
    memset(plan->causal, 0, sizeof plan->causal);
    if (!fmc_lsq_solve(&fit->lsq, fit->lsq.n, fit->work, fit->w))
        return;
    for (uint32_t j = 0; j < fit->lsq.n; j++)
        plan->causal[j] = to_weight(fit->w[j]);
}

double fmc_fit_weight(double energy, double noise)
{
    const double v = energy + 4 * noise;

    return 1 / sqrt(v);
}
