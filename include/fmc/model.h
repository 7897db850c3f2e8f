/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_MODEL_H
#define FMC_MODEL_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A set of learned weights. This version of the library ships none and cannot load any; the type and its place in
 * fmc_params are reserved so that programs need not change when it does. Pass NULL.
 */
typedef struct fmc_model fmc_model;

#ifdef __cplusplus
}
#endif
#endif
