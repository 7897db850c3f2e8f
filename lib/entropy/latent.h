/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ENTROPY_LATENT_H
#define FMC_ENTROPY_LATENT_H

#include "core/alloc.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"

/**
 * Gaussian-conditional coding of integers: each has one of some tables, chosen by what decoder and encoder both know.
 * Two interleaved rANS states of 64 bits with words of 32, frequencies of 16 bits; values outside a table's support are an
 * escape symbol and an Exp-Golomb code in raw bits (docs/weights-format.md 4).
 */
enum { FMC_LATENT_TABLES = 64, FMC_LATENT_MAX_COUNT = 4096 };

/** The largest excess over a table's support that can be coded. */
#define FMC_LATENT_MAX_EXCESS (((int32_t)1 << 20) - 1)

/** Cumulative frequencies of every table: symbols -(count - 1) .. count - 1, then the escape. */
typedef struct fmc_latent_tables {
    uint32_t  count[FMC_LATENT_TABLES]; /* values 0 .. count - 1 of either sign have a symbol */
    uint32_t  first[FMC_LATENT_TABLES]; /* place in cum of the table's first symbol */
    uint32_t *cum;                      /* 2 * count + 1 entries each: from 0 to 65536 */
    uint16_t *bucket;                   /* [tables][256] last symbol that begins at or before 256 * i */
} fmc_latent_tables;

/**
 * Tables from half-sided frequencies, which may be untrusted.
 * @param count      [FMC_LATENT_TABLES]  @param frequency  [sum of counts]: of 0, +-1, +-2, ... for each table
 * @param escape     [FMC_LATENT_TABLES]
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_BAD_MODEL: a count outside 1..4096, a frequency of 0, a sum other than 2^16.
 */
fmc_status fmc_latent_tables_init(const fmc_allocator *a, const uint16_t *count, const uint16_t *frequency,
                                  const uint16_t *escape, fmc_latent_tables *t);
void       fmc_latent_tables_fini(const fmc_allocator *a, fmc_latent_tables *t);

/**
 * Encode n values. @param q      |q| < count + FMC_LATENT_MAX_EXCESS of its table, else out->st is FMC_ERR_ARG
 * @param index  table of each value, < FMC_LATENT_TABLES
 */
void fmc_latent_encode(const fmc_allocator *a, const fmc_latent_tables *t, const int32_t *q, const uint8_t *index, size_t n,
                       fmc_out *out);

/**
 * The inverse; untrusted bytes. Takes exactly what fmc_latent_encode wrote.
 * @return FMC_OK, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT: escape too long, final states wrong, or bytes left over.
 */
fmc_status fmc_latent_decode(const fmc_latent_tables *t, const uint8_t *index, size_t n, fmc_in *in, int32_t *q);

#endif
