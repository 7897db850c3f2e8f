/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_INTERP_SCATTER_H
#define FMC_INTERP_SCATTER_H

#include "core/exec.h"
#include "interp/rows.h"

/** How many targets a look at the data fits weights to, and how many it measures. */
typedef struct fmc_probe_size {
    size_t fit, seen;
} fmc_probe_size;

/** Of a first look at all candidates, a second one at the best few, and a close one at a single plan. */
const fmc_probe_size *fmc_probe_sizes(uint32_t effort);

/** Candidates that promise so many times the bytes of the best in the first look are not looked at again. */
#define FMC_PROBE_FAR 1.15

/** Some neighbouring targets of one row. */
typedef struct fmc_scatter_segment {
    uint32_t n;      /* 1..FIT_SEGMENT */
    int32_t  level;  /* of a pyramid; -1: raster order */
    float    gain;   /* squared error of the prediction per squared error of the decoded samples that it is made from */
    float    weight; /* samples of the whole that each of them stands for */
} fmc_scatter_segment;

/**
 * Residuals of short segments all over the array under one plan, predicted from original samples. What coding the whole
 * would cost is judged from them: a few thousand samples from everywhere tell more than large blocks from few places.
 * Encoder only.
 */
typedef struct fmc_scatter {
    uint32_t             n, most;
    fmc_scatter_segment *segment; /* [most], owned */
    float               *e;       /* [most][FIT_SEGMENT], owned */
} fmc_scatter;

/** Room for `targets` residuals in segments that may be short. */
fmc_status fmc_scatter_init(const fmc_exec *ex, size_t targets, fmc_scatter *s);
void       fmc_scatter_fini(const fmc_exec *ex, fmc_scatter *s);

/** Let the segments from `first` on stand for `count` samples, of which `looked` were looked at, masked ones too. */
void fmc_scatter_weigh(fmc_scatter *s, uint32_t first, double count, double looked);

/**
 * Bits of the residuals once they are quantised, each counted by its weight; what decoded neighbours add to a residual
 * is made up.
 * @param rms   > 0: a step that has this root mean square error is looked for. 0: *step is given.
 * @param step  in: where to begin; out: the step.
 */
fmc_status fmc_scatter_bits(const fmc_exec *ex, const fmc_scatter *s, double rms, double *step, double *bits);

#endif
