/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_API_PARAMS_H
#define FMC_API_PARAMS_H

#include "api/context.h"
#include "array/view.h"
#include "container/header.h"

/**
 * Check and normalise what the caller asks for.
 * @param theirs  NULL for defaults. @param out effort is 1, 5 or 9; has_fill is 0 where no sample can equal the fill.
 * @param dtype   of the array: the fill value becomes one of its values.
 * @return FMC_OK, FMC_ERR_ARG with a message. ctx may be NULL.
 */
fmc_status fmc_params_take(fmc_ctx *ctx, const fmc_params *theirs, uint32_t dtype, fmc_params *out);

/** Do these, taken, ask for the library's own model of architecture `vae` where the caller gives none? */
int fmc_params_want_vae(const fmc_params *params);

/** fmc_view_check with a message; `name` is the argument's. ctx may be NULL. @return FMC_OK, FMC_ERR_ARG. */
fmc_status fmc_array_take(fmc_ctx *ctx, const fmc_array *a, enum fmc_view_use use, const char *name);

/**
 * The header of a stream for this shape: chunk extents chosen, everything checked.
 * @param shape        a checked view. @param is_streamed 1: dim[0] is not known.
 * @return FMC_OK, FMC_ERR_ARG with a message. ctx may be NULL.
 */
fmc_status fmc_params_header(fmc_ctx *ctx, const fmc_params *params, const fmc_array *shape, uint32_t is_streamed,
                             fmc_header *out);

#endif
