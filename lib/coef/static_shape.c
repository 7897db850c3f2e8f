/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as decisions: zero?, sign?, larger than 1?, larger than 2? ... (docs/format.md 8.9). */
#include <math.h>

#include "coef/static_model.h"
#include "entropy/mixer.h"

enum { ZERO = 15, MOST = 15, TOTAL = 1 << FMC_RANS_LOG2, STEP = 32 /* of 1/256 of log odds */ };

int fmc_static_has_decision(size_t index, int decision)
{
    const int is_sign = decision >= FMC_STATIC_SIGNS && decision < FMC_STATIC_SIZES;

    if (index >= FMC_STATIC_VALUES)
        return decision == 0;
    return !is_sign || (index < 4 * FMC_STATIC_FINE && index % 4 != 0); /* without a mean signs are even */
}

/* Decision about the sign of magnitude k. */
static int sign_of(int k)
{
    return FMC_STATIC_SIGNS + (k < 3 ? k - 1 : 2);
}

static uint32_t part(uint32_t whole, int d)
{
    return whole * fmc_squash(d * STEP) >> 16;
}

void fmc_static_table(const fmc_static_shape *shape, size_t index, fmc_rans_table *table)
{
    const int8_t *d = shape->d;
    uint32_t f[FMC_RANS_SYMBOLS], left = TOTAL - FMC_RANS_SYMBOLS, cum = 0;
    const uint32_t not_zero = part(left, d[0]);

    f[ZERO] = left - not_zero;
    left = not_zero;
    for (int k = 1; k <= MOST; k++) {
        const uint32_t more = k == MOST || index >= FMC_STATIC_VALUES ? 0 : part(left, d[FMC_STATIC_SIZES + k - 1]);
        const uint32_t here = left - more;
        const uint32_t up = index >= FMC_STATIC_VALUES ? here : part(here, d[sign_of(k)]);

        f[ZERO + k] = up;
        f[ZERO - k] = here - up;
        left = more;
    }
    for (int i = 0; i < FMC_RANS_SYMBOLS; i++) {
        table->cum[i] = (uint16_t)cum;
        cum += f[i] + 1;
    }
    table->cum[FMC_RANS_SYMBOLS] = (uint16_t)cum;
}

uint32_t fmc_static_odds(int d)
{
    return fmc_squash(d * STEP);
}

/* Bits of n[1] ones and n[0] zeros coded with decision value d. */
static double bits_of(const fmc_static_costs *costs, const double n[2], int d)
{
    return n[1] * costs->bit[1][d + FMC_STATIC_STEPS] + n[0] * costs->bit[0][d + FMC_STATIC_STEPS];
}

static double price(int difference)
{
    const int a = difference < 0 ? -difference : difference;
    int bits = 0;

    while (a >> bits > 1)
        bits++;
    return a == 0 ? 0.7 : 2.5 + 2 * bits;
}

static int best_decision(const fmc_static_costs *costs, const double n[2], int standard)
{
    double best, odds, cost;
    int target, d = standard;

    if (n[0] + n[1] < 1)
        return standard;
    odds = floor(8 * log((n[1] + 0.3) / (n[0] + 0.3)) + 0.5);
    target = odds > FMC_STATIC_STEPS ? FMC_STATIC_STEPS : odds < -FMC_STATIC_STEPS ? -FMC_STATIC_STEPS : (int)odds;
    best = bits_of(costs, n, standard) + price(0);
    for (int k = target; k != standard; k = standard + (k - standard) / 2) {
        cost = bits_of(costs, n, k) + price(k - standard);
        if (cost < best) {
            best = cost;
            d = k;
        }
    }
    return d;
}

/* How often each decision of a table was yes and no. */
static void count_decisions(const uint32_t *count, double n[FMC_STATIC_DECISIONS][2])
{
    double larger = 0;

    for (int i = 0; i < FMC_STATIC_DECISIONS; i++)
        n[i][0] = n[i][1] = 0;
    for (int k = MOST; k > 0; k--) {
        const double up = count[ZERO + k], down = count[ZERO - k];

        n[sign_of(k)][1] += up;
        n[sign_of(k)][0] += down;
        if (k < MOST) {
            n[FMC_STATIC_SIZES + k - 1][1] = larger;
            n[FMC_STATIC_SIZES + k - 1][0] = up + down;
        }
        larger += up + down;
    }
    n[0][1] = larger;
    n[0][0] = count[ZERO];
}

void fmc_static_fit_shape(const fmc_static_costs *costs, const uint32_t *count, size_t index, fmc_static_shape *shape)
{
    double n[FMC_STATIC_DECISIONS][2];

    count_decisions(count, n);
    for (int i = 0; i < FMC_STATIC_DECISIONS; i++)
        if (fmc_static_has_decision(index, i))
            shape->d[i] = (int8_t)best_decision(costs, n[i], fmc_static_default[index].d[i]);
}
