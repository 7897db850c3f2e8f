/* SPDX-License-Identifier: Apache-2.0 */
/* What the golden streams hold: arrays made with integers only, so that every machine makes the same ones. */
#ifndef FMC_TEST_GOLDEN_CASES_H
#define FMC_TEST_GOLDEN_CASES_H

#include <stddef.h>
#include <fmc/fmc.h>

typedef struct golden_case {
    const char *name;
    uint32_t    dtype, rank;
    uint64_t    dim[FMC_MAX_RANK];
    const char *kind;        /* see golden_sample */
    uint32_t    bound_kind;
    double      bound;
    uint32_t    effort, coder;
    uint64_t    chunk[FMC_MAX_RANK];
    uint32_t    axis[FMC_MAX_RANK];
    uint32_t    has_fill;
    double      fill;
    uint32_t    steps;       /* > 0: written by appending that many steps at a time */
    const char *model;       /* a file of tests/unit/data; NULL: none */
} golden_case;

extern const golden_case golden_cases[];
extern const size_t      golden_case_count;

/** Open the models of tests/unit/data and make them known to ctx. Close them after it is destroyed. @return 0 if all is well. */
int  golden_models_open(fmc_ctx *ctx);
void golden_models_close(void);

/** Samples of a case, C order, to be freed; *a describes them. NULL: no memory. */
void *golden_array(const golden_case *c, fmc_array *a);

/** Compress a case into *bytes (malloc). */
fmc_status golden_encode(fmc_ctx *ctx, const golden_case *c, uint32_t n_threads, unsigned char **bytes, size_t *size);

#endif
