/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_DIFFERENCE_H
#define FMC_NN_DIFFERENCE_H

#include "core/bytes_out.h"
#include "core/exec.h"
#include "nn/model.h"

/** Append a model's file as its difference from a base's (docs/format.md 3.1). @param base NULL: none. @return FMC_OK, _NO_MEMORY. */
fmc_status fmc_difference_write(const fmc_exec *ex, const fmc_model *m, const fmc_model *base, fmc_out *out);

/**
 * The inverse, from untrusted bytes that it must use up.
 * @param hash, size  of the model and its file; size is 32 or more, and what the caller allows to be allocated.
 * @param out         owned, release with fmc_model_free; NULL on failure.
 * @return FMC_OK, FMC_ERR_CORRUPT, FMC_ERR_UNSUPPORTED (a newer kind of file), FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_difference_read(const fmc_exec *ex, fmc_in in, uint64_t hash, size_t size, const fmc_model *base, fmc_model **out);

#endif
