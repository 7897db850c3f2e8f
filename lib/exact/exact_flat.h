/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_FLAT_H
#define FMC_EXACT_EXACT_FLAT_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** Samples that nothing predicts, docs/format.md 10.3: leading bits of the ordered bits by a tree, the others raw. */
typedef struct fmc_flat {
    bool single;         /* f32, else f64 */
    size_t n;
    const uint8_t *mask; /* 1: not coded; or NULL */
    int64_t lo, hi;      /* of the ordered bits */
} fmc_flat;

/** Bytes that the samples may take, from the distribution of about 65536 of them. */
fmc_status fmc_exact_flat_estimate(const fmc_exec *ex, const fmc_flat *f, const void *data, size_t *size);

fmc_status fmc_exact_flat_encode(const fmc_exec *ex, const fmc_flat *f, const void *data, fmc_out *out);

/** f->lo and f->hi are read from the record. Untrusted bytes; masked samples are left alone. */
fmc_status fmc_exact_flat_decode(const fmc_exec *ex, const fmc_flat *f, fmc_in *in, void *data);

#endif
