/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/mean.h"

#include <string.h>

enum { EARLY = 64, EVERY = 64 }; /* new weights after each batch at first, then every so many values */

static const double growth = 1.004;  /* of the weight of later values, a batch: they count 1.0005 times as much each */
static const double memory = 0.998;  /* of the sums behind the gain */
static const double min_gain = 0.15; /* below: no prediction */

void fmc_mean_reset(fmc_mean *m)
{
    memset(m, 0, sizeof *m);
    fmc_ols_init(&m->ols, FMC_MEAN_TAPS);
}

double *fmc_mean_features(fmc_mean *m)
{
    return m->x[m->n];
}

double fmc_mean_predict(fmc_mean *m)
{
    const double *w = m->ols.w, *x = m->x[m->n];
    double lane[4] = { 0, 0, 0, 0 }, gain;

    for (int i = 0; i < FMC_MEAN_TAPS; i += 4)
        for (int j = 0; j < 4; j++)
            lane[j] = lane[j] + w[i + j] * x[i + j];
    m->mean = (lane[0] + lane[1]) + (lane[2] + lane[3]);
    gain = m->gain_den > 0 ? m->gain_num / m->gain_den : 0;
    if (!(gain > min_gain))
        return 0;
    return gain < 1 ? m->mean * gain : m->mean;
}

void fmc_mean_update(fmc_mean *m, double value, double scale)
{
    const double inverse = 1.0 / (scale + 0.3);
    double *x = m->x[m->n];

    m->gain_num = m->gain_num * memory + m->mean * value;
    m->gain_den = m->gain_den * memory + m->mean * m->mean;
    for (int i = 0; i < FMC_MEAN_TAPS; i++)
        x[i] *= inverse;
    m->y[m->n++] = value * inverse;
    m->n_seen += m->n_seen < UINT32_MAX;
    if (m->n < FMC_MEAN_BATCH)
        return;
    fmc_ols_update(&m->ols, (const double (*)[FMC_OLS_MAX])m->x, m->y, m->n, growth);
    m->n = 0;
    if (m->n_seen <= EARLY || m->n_seen % EVERY == 0)
        fmc_ols_solve(&m->ols);
}
