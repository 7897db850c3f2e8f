/* SPDX-License-Identifier: Apache-2.0 */
/* The assembler copies the file: a C array of its size would take a compiler half a minute. */
#include "nn/embedded.h"
#include "nn/embed_config.h" /* made by the build */

#ifdef FMC_EMBED_WEIGHTS

#include "core/bytes_in.h"

enum { HASH_OFFSET = 16 }; /* docs/weights-format.md 1 */

__asm__(".section .rodata\n"
        ".balign 64\n"
        ".globl fmc_embedded_begin\n"
        ".hidden fmc_embedded_begin\n"
        "fmc_embedded_begin:\n"
        ".incbin \"" FMC_EMBED_WEIGHTS "\"\n"
        ".globl fmc_embedded_end\n"
        ".hidden fmc_embedded_end\n"
        "fmc_embedded_end:\n"
        ".balign 64\n"
        ".text\n");

extern const uint8_t fmc_embedded_begin[], fmc_embedded_end[];

fmc_embedded fmc_embedded_weights(void)
{
    fmc_embedded w = { .data = fmc_embedded_begin, .size = (size_t)(fmc_embedded_end - fmc_embedded_begin) };
    fmc_in in = fmc_in_make(w.data, w.size);

    (void)fmc_in_bytes(&in, HASH_OFFSET);
    w.hash = fmc_in_u64(&in);
    return w;
}

#else

fmc_embedded fmc_embedded_weights(void)
{
    return (fmc_embedded){ 0 };
}

#endif
