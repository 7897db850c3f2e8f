/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_STATIC_CODE_H
#define FMC_COEF_STATIC_CODE_H

#include "coef/static_bits.h"
#include "coef/static_model.h"

enum { FMC_STATIC_CODES = FMC_STATIC_TABLES * 32 };

/** Symbols of a block, kept until their frequencies are known. */
typedef struct fmc_static_encoder {
    uint16_t *code;   /* table << 5 | symbol */
    uint32_t *group;  /* sizes of the groups that start with the first state */
    size_t    n_codes, n_groups;
    uint32_t (*count)[FMC_STATIC_CODES]; /* two histograms, to be added up */
    fmc_bits_out rest;
    fmc_static_costs costs;
} fmc_static_encoder;

typedef struct fmc_static_decoder {
    fmc_rans_dec rans;
    fmc_bits_in  rest;
} fmc_static_decoder;

void fmc_static_encode_row(fmc_static_encoder *e, fmc_static *s, const fmc_static_row *r);
void fmc_static_decode_row(fmc_static_decoder *d, fmc_static *s, const fmc_static_row *r);

#endif
