/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_EXACT_EXACT_PLAN_H
#define FMC_EXACT_EXACT_PLAN_H

/* Inside of the block coder: a block, ways to code it (exact_plan.c), tables of values (exact_table.c). */

#include "exact/exact_bits.h"
#include "grid/pcm_view.h"

typedef struct fmc_plan_block {
    const fmc_exec *ex;
    bool single;
    uint32_t rank;
    const size_t *dim;
    size_t n;
    const void *data;
    const uint8_t *mask;
    uint32_t effort;
} fmc_plan_block;

/** One way to code a block: what, how, and about how large. */
typedef struct fmc_plan {
    const void *src;
    fmc_pcm_params params;
    uint32_t code;
    size_t size;
} fmc_plan;

static inline double fmc_plan_value(const fmc_plan_block *b, size_t i)
{
    return b->single ? (double)((const float *)b->data)[i] : ((const double *)b->data)[i];
}

static inline int64_t fmc_plan_symbol(const fmc_plan_block *b, size_t i)
{
    return b->single ? fmc_order_f32(((const float *)b->data)[i]) : fmc_order_f64(((const double *)b->data)[i]);
}

/** Power of two that brings f64 numbers near 1, so that their squares neither overflow nor vanish. */
int32_t fmc_plan_scale(const fmc_plan_block *b);

/** Head of a pcm stream, docs/format.md 10.2. */
fmc_status fmc_plan_parse_head(fmc_in *in, uint32_t allowed, fmc_pcm_params *p, uint32_t *code);

/** View and flags of p, its estimated size. */
fmc_status fmc_plan_choose(const fmc_plan_block *b, fmc_plan *p, size_t elem_size, uint32_t allowed);

/** Head and body of one pcm stream. */
fmc_status fmc_plan_encode(const fmc_plan_block *b, const fmc_plan *p, fmc_out *out);

fmc_status fmc_plan_decode(const fmc_plan_block *b, fmc_in *in, const fmc_pcm_params *p, uint32_t code, void *dst);

/** Distinct values if there are few; *table is the caller's. */
fmc_status fmc_table_find(const fmc_plan_block *b, double **table, size_t *n_table);

/** The table itself, in the type of the data. */
fmc_status fmc_table_encode_values(const fmc_plan_block *b, const double *table, size_t n, fmc_out *out);

/** *ranks is the plan's source, owned by the caller. */
fmc_status fmc_table_plan(const fmc_plan_block *b, const double *table, size_t n, int32_t **ranks, fmc_plan *p);

/** What follows the kind of a table block. Untrusted bytes. */
fmc_status fmc_table_decode(const fmc_plan_block *b, fmc_in *in, void *data);

#endif
