/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_BASE_H
#define FMC_CODEC_BASE_H

#include "codec/signal.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"

/** Where a base's integers come from. Values are format constants (docs/format.md 5.7). */
enum fmc_base_kind {
    FMC_BASE_STORED = 0 /* they are in the payload as they are */
};

/** An integer prediction of a signal: value * 2^exponent. What is left is coded by a lossy coder as if it were the signal. */
typedef struct fmc_base {
    uint32_t kind;     /* enum fmc_base_kind */
    int32_t  exponent; /* -900..900 */
    int32_t *value;    /* signal.count, the coders' order of axes; |value| <= FMC_COEF_MAX */
} fmc_base;

/** The content of a base section. @param tier  of the coefficient coder. */
fmc_status fmc_base_write(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, uint32_t tier, fmc_out *out);

/** The inverse; takes all that is left of *in. Untrusted bytes. *base is to be released also after a failure. */
fmc_status fmc_base_read(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, fmc_base *base);
void       fmc_base_fini(const fmc_exec *ex, fmc_base *base);

/** y = y + value * 2^exponent, or minus it. Zone EXACT. @param y  signal.count of the working type. */
fmc_status fmc_base_add(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y);
fmc_status fmc_base_subtract(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y);

#endif
