/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_CODER_H
#define FMC_CODEC_CODER_H

#include "codec/signal.h"

/**
 * The lossy coders of a signal. Each appends its body (docs/format.md 5.1) to *out and leaves in recon exactly what
 * its decoder will give. The target is approached, not promised: the caller checks every sample afterwards.
 */

/** What the encoder of a signal is told. */
typedef struct fmc_coder_input {
    fmc_signal     signal;
    const void    *x;      /* signal.count samples */
    const uint8_t *mask;   /* states (array/mask.h); NULL: all coded */
    fmc_target     target;
    uint32_t       effort;
} fmc_coder_input;

fmc_status fmc_transform_encode(const fmc_exec *ex, const fmc_coder_input *in, fmc_out *out, void *recon);
fmc_status fmc_transform_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon);
/** Letters per axis, e.g. "PWW". */
fmc_status fmc_transform_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size);

fmc_status fmc_predict_encode(const fmc_exec *ex, const fmc_coder_input *in, fmc_out *out, void *recon);
fmc_status fmc_predict_decode(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, void *recon);
fmc_status fmc_predict_describe(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, char *text, size_t size);

/** Model tier of the coefficient coder for an effort. */
uint32_t fmc_coder_tier(uint32_t effort);

#endif
