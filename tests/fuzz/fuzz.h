/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target: LLVMFuzzerTestOneInput of libFuzzer. With clang (-Dfuzz=true) it becomes a fuzzer; everywhere else
 * replay.c runs it once over stored files. Targets return 0 and abort on a broken promise.
 */
#ifndef FMC_FUZZ_H
#define FMC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fmc/fmc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Abort with a word on what is broken. */
#define FUZZ_EXPECT(condition)                                                \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                          \
        }                                                                     \
    } while (0)

/** A context that refuses outputs a fuzzer has no patience for. */
static inline fmc_ctx *fuzz_context(void)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    fmc_ctx *ctx = NULL;

    o.max_output_size = 1 << 20;
    FUZZ_EXPECT(fmc_ctx_create(&o, &ctx) == FMC_OK);
    return ctx;
}

/** Bytes taken from the front of the input; zeros when it is used up. */
typedef struct fuzz_bytes {
    const uint8_t *data;
    size_t         size;
} fuzz_bytes;

static inline uint32_t fuzz_u8(fuzz_bytes *b)
{
    if (!b->size)
        return 0;
    b->size--;
    return *b->data++;
}

#endif
