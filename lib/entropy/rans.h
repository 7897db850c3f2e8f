/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_RANS_H
#define FMC_ENTROPY_RANS_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "ops/kernels_static.h"

/**
 * Interleaved rANS, docs/format.md 11.5: states of 64 bits, words of 32, frequencies of 15. Symbols are encoded backwards,
 * so that the decoder (rans_decode of lib/ops) meets them in order.
 */

/** One symbol of one table, ready to be encoded: division by its frequency is a multiplication. */
typedef struct fmc_rans_symbol {
    uint64_t reciprocal;
    uint32_t bias;
    uint16_t complement; /* 32768 - frequency */
    uint16_t shift;
    uint32_t frequency;
} fmc_rans_symbol;

/** The symbols of a table; FMC_RANS_SYMBOLS entries, padded to 32. */
void fmc_rans_symbols(const fmc_rans_table *table, fmc_rans_symbol *symbol);

/**
 * Encode groups of codes (table << 5 | symbol), first to last; state i % FMC_RANS_LANES takes the i-th of each group.
 * @param group   sizes of the groups, adding up to the number of codes.
 * @param symbol  [FMC_STATIC_TABLES][32]
 * @param out     gets varint number of words, then the words.
 */
void fmc_rans_encode(const fmc_allocator *a, const uint16_t *code, size_t n_codes, const uint32_t *group,
                     size_t n_groups, const fmc_rans_symbol *symbol, fmc_out *out);

/** Read what fmc_rans_encode wrote up to the words. @return FMC_OK, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT (a state out of range). */
fmc_status fmc_rans_open(fmc_in *in, fmc_rans_dec *d);

/** FMC_ERR_CORRUPT unless all words are used up and the states are those that the encoder began with. */
fmc_status fmc_rans_close(const fmc_rans_dec *d);

/** FMC_ERR_CORRUPT if more words were read than there are. */
static inline fmc_status fmc_rans_check(const fmc_rans_dec *d)
{
    return d->n_past ? FMC_ERR_CORRUPT : FMC_OK;
}

#endif
