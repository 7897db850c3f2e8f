/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_EMBEDDED_H
#define FMC_NN_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

/** A file of weights that is part of the library (Meson option embed_weights). */
typedef struct fmc_embedded {
    const uint8_t *data; /* NULL: none */
    size_t         size;
    uint64_t       hash; /* as the file says */
} fmc_embedded;

/** The `vae`. */
fmc_embedded fmc_embedded_weights(void);
/** The `prior`. */
fmc_embedded fmc_embedded_prior(void);

#endif
