/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_SAMPLES_H
#define FMC_CODEC_SAMPLES_H

#include "codec/lossy.h"

/**
 * What a decoder will have: z->samples in the chunk's order and type from z->recon, masked samples put back. z->recon
 * is used up: samples take its place where the types agree, else it holds nothing of use any more.
 * @param ratio  if not NULL gets the root mean square error over the samples that count, relative to the goal's limit
 *               (1 is just kept; infinite where an error is not finite), and z->is_measured says that it is kept. Not
 *               for a goal relative to each sample.
 */
fmc_status fmc_samples_make(const fmc_exec *ex, const fmc_lossy *l, fmc_quantised *z, double *ratio);

/** Give the samples up; their memory serves as z->recon again, without content. */
void fmc_samples_drop(const fmc_exec *ex, fmc_quantised *z);

/** Originals of the masked samples among the n from `first` on. @param samples  of these n. */
void fmc_samples_put_masked(const fmc_lossy *l, size_t first, size_t n, void *samples);

#endif
