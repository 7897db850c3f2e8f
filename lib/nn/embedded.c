/* SPDX-License-Identifier: Apache-2.0 */
/* The assembler copies the file: a C array of its size would take a compiler half a minute. */
#include "nn/embedded.h"
#include "nn/embed_config.h" /* made by the build */

#ifdef FMC_EMBED_WEIGHTS

#include "core/bytes_in.h"

enum { HASH_OFFSET = 16 }; /* docs/weights-format.md 1 */

#define FMC_EMBED(name, path)                                                                                          \
    __asm__(".section .rodata\n"                                                                                       \
            ".balign 64\n"                                                                                             \
            ".globl fmc_embedded_" #name "_begin\n"                                                                    \
            ".hidden fmc_embedded_" #name "_begin\n"                                                                   \
            "fmc_embedded_" #name "_begin:\n"                                                                          \
            ".incbin \"" path "\"\n"                                                                                   \
            ".globl fmc_embedded_" #name "_end\n"                                                                      \
            ".hidden fmc_embedded_" #name "_end\n"                                                                     \
            "fmc_embedded_" #name "_end:\n"                                                                            \
            ".balign 64\n"                                                                                             \
            ".text\n");                                                                                                \
    extern const uint8_t fmc_embedded_##name##_begin[], fmc_embedded_##name##_end[]

FMC_EMBED(vae, FMC_EMBED_WEIGHTS);
FMC_EMBED(prior, FMC_EMBED_PRIOR);

static fmc_embedded describe(const uint8_t *begin, const uint8_t *end)
{
    fmc_embedded w = { .data = begin, .size = (size_t)(end - begin) };
    fmc_in in = fmc_in_make(w.data, w.size);

    (void)fmc_in_bytes(&in, HASH_OFFSET);
    w.hash = fmc_in_u64(&in);
    return w;
}

fmc_embedded fmc_embedded_weights(void)
{
    return describe(fmc_embedded_vae_begin, fmc_embedded_vae_end);
}

fmc_embedded fmc_embedded_prior(void)
{
    return describe(fmc_embedded_prior_begin, fmc_embedded_prior_end);
}

#else

fmc_embedded fmc_embedded_weights(void)
{
    return (fmc_embedded){ 0 };
}

fmc_embedded fmc_embedded_prior(void)
{
    return (fmc_embedded){ 0 };
}

#endif
