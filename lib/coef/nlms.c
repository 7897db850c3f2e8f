/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/nlms.h"

#include <string.h>

static const float rate = 0.015f;
static const float memory = 0.998f; /* of the gain sums */
static const float min_gain = 0.15f;

/* Sum of products over four lanes, lanes added as (0 + 2) + (1 + 3): part of the format. */
static float dot(const float *a, const float *b)
{
    float lane[4] = { 0.0f, 0.0f, 0.0f, 0.0f };

    for (int i = 0; i < FMC_NLMS_TAPS; i += 4)
        for (int j = 0; j < 4; j++)
            lane[j] = lane[j] + a[i + j] * b[i + j];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

void fmc_nlms_reset(fmc_nlms *f)
{
    memset(f, 0, sizeof *f);
}

float fmc_nlms_predict(fmc_nlms *f)
{
    float gain;

    f->mean = dot(f->w, f->x);
    f->power = dot(f->x, f->x);
    gain = f->gain_den > 0.0f ? f->gain_num / f->gain_den : 0.0f;
    if (!(gain > min_gain))
        return 0.0f;
    return gain < 1.0f ? f->mean * gain : f->mean;
}

void fmc_nlms_update(fmc_nlms *f, float value, float scale)
{
    const float limit = 6.0f * (scale + 0.3f);
    float error = value - f->mean;
    float step;

    f->gain_num = f->gain_num * memory + f->mean * value;
    f->gain_den = f->gain_den * memory + f->mean * f->mean;
    error = error > limit ? limit : error < -limit ? -limit : error;
    step = rate * error / (f->power + 2.0f + 4.0f * scale * scale);
    if (!(step < 1e6f && step > -1e6f)) /* hostile streams only */
        step = 0.0f;
    for (int i = 0; i < FMC_NLMS_TAPS; i++)
        f->w[i] = f->w[i] + step * f->x[i];
}
