/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_NLMS_H
#define FMC_COEF_NLMS_H

/** Taps of the online predictor (docs/format.md 8.5), a multiple of 4. */
enum { FMC_NLMS_TAPS = 12 };

/**
 * Normalised least-mean-squares prediction of a value from its decoded neighbours, one weight vector a band. f32
 * arithmetic in a fixed order (numerics: + - * / only), so every machine gets the same mean.
 */
typedef struct fmc_nlms {
    float w[FMC_NLMS_TAPS];
    float x[FMC_NLMS_TAPS]; /* the current features */
    float power;            /* |x|^2 */
    float mean;             /* the current prediction */
    float gain_num;         /* sums that tell how far the mean is to be trusted */
    float gain_den;
} fmc_nlms;

void  fmc_nlms_reset(fmc_nlms *f);
/** Prediction from f->x, shrunk by its recent success. */
float fmc_nlms_predict(fmc_nlms *f);
/** Learn the value that came. @param scale expected magnitude. */
void  fmc_nlms_update(fmc_nlms *f, float value, float scale);

#endif
