/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CODEC_BASE_H
#define FMC_CODEC_BASE_H

#include "codec/signal.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"

/** Where a base's integers come from. Values are format constants (docs/format.md 5.7). */
enum fmc_base_kind {
    FMC_BASE_STORED = 0, /* they are in the payload as they are */
    FMC_BASE_VAE = 1     /* a model of architecture `vae` makes them from latents */
};

/** An integer prediction of a signal: value * 2^exponent. What is left is coded by a lossy coder as if it were the signal. */
typedef struct fmc_base {
    uint32_t kind;     /* enum fmc_base_kind */
    int32_t  exponent; /* -900..900 */
    int32_t *value;    /* signal.count, the coders' order of axes; |value| <= FMC_COEF_MAX */
    fmc_out  made_of;  /* encoder, FMC_BASE_VAE: what the section says after kind and exponent, owned */
} fmc_base;

/** What a base section says before its integers. */
typedef struct fmc_base_head {
    uint32_t kind;
    int32_t  exponent;
    uint32_t tier;       /* FMC_BASE_STORED */
    uint64_t model;      /* FMC_BASE_VAE: its hash */
    uint32_t level;      /* quality, < levels of the model */
    int32_t  multiplier; /* of the model's integers, in 2^-15: 2^15..2^16 - 1 */
    int32_t  offset;     /* added to them, |offset| <= FMC_BASE_MAX_OFFSET */
} fmc_base_head;

enum { FMC_BASE_MAX_OFFSET = 1 << 27 };

/** The content of a base section. @param tier  of the coefficient coder. */
fmc_status fmc_base_write(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, uint32_t tier, fmc_out *out);

/** Its first fields. Untrusted bytes. @return FMC_OK, _TRUNCATED, _CORRUPT, _UNSUPPORTED. */
fmc_status fmc_base_read_head(fmc_in *in, fmc_base_head *head);

/** Extents of a signal as a model sees them: all axes but the last two are one, time. @return 0 if they are too long. */
int fmc_base_extents(const fmc_signal *s, uint32_t dim[3]);

/** A model's integers to those of a base, in place: w = ((v * multiplier + 2^14) >> 15) + offset. */
void fmc_base_scale(const fmc_base_head *head, size_t n, int32_t *value);

/** The inverse; takes all that is left of *in. Untrusted bytes. *base is to be released also after a failure. */
fmc_status fmc_base_read(const fmc_exec *ex, const fmc_signal *s, fmc_in *in, fmc_base *base);
void       fmc_base_fini(const fmc_exec *ex, fmc_base *base);

/** y = y + value * 2^exponent, or minus it. Zone EXACT. @param y  signal.count of the working type. */
fmc_status fmc_base_add(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y);
fmc_status fmc_base_subtract(const fmc_exec *ex, const fmc_signal *s, const fmc_base *base, void *y);

#endif
