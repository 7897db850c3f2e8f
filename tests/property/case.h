/* SPDX-License-Identifier: Apache-2.0 */
/* One random case: an array and how to compress it, all from one number. */
#ifndef FMC_TEST_CASE_H
#define FMC_TEST_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fmc/fmc.h>
#include "bound.h"
#include "field.h"

typedef struct test_case {
    uint64_t   seed, state; /* the number; what is left of the random sequence */
    field      from;        /* scattered into strided memory */
    fmc_params params;
    char       text[400];
} test_case;

/** @param max_count largest number of samples. @param has_model whether coders may be drawn that need the library's own. */
void case_make(test_case *c, uint64_t seed, size_t max_count, int has_model);
void case_free(test_case *c);

/** Fail the test, saying how to repeat the case. */
void case_fail(const test_case *c, const char *why);
/** Fail unless it is so. */
void case_expect(const test_case *c, int is_so, const char *what);

/** A context of a SIMD level ("ref", "best"). */
fmc_ctx *case_context(const char *level);

/** An array like c's in other memory, decoded from bytes; the caller frees it. */
void case_decode(test_case *c, fmc_ctx *ctx, const void *bytes, size_t size, uint32_t n_threads, field *back);

/** Compress, and look at the status and the size. *bytes is to be freed with fmc_free; NULL if the size asked for is too small. */
size_t case_encode(test_case *c, fmc_ctx *ctx, uint32_t n_threads, void **bytes);

/**
 * Run `test` for every seed: FMC_CASES of them (or n) from FMC_SEED (or 1), or FMC_CASE alone.
 * Both seeds are printed when something fails.
 */
void case_run_all(void (*test)(test_case *), uint64_t n, size_t max_count);

#endif
