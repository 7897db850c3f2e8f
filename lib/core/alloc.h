/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_ALLOC_H
#define FMC_CORE_ALLOC_H

#include <stddef.h>
#include <fmc/fmc.h>

/** Cache line: what fmc_alloc aligns to. */
#define FMC_ALIGN 64

/**
 * count * elem_size bytes from the caller's allocator, aligned to FMC_ALIGN, contents undefined.
 * *out is NULL on failure; count 0 gives a valid block of one element.
 * @return FMC_OK, FMC_ERR_NO_MEMORY (also when the product overflows).
 */
fmc_status fmc_alloc(const fmc_allocator *a, size_t count, size_t elem_size, void **out);

/** The same, zeroed. */
fmc_status fmc_alloc_zero(const fmc_allocator *a, size_t count, size_t elem_size, void **out);

/** Release a block of fmc_alloc; accepts NULL. */
void fmc_dealloc(const fmc_allocator *a, void *ptr);

/** Allocate `count` objects of the type that *ptr points to: FMC_ALLOC(a, n, &p). */
#define FMC_ALLOC(a, count, ptr) fmc_alloc((a), (count), sizeof **(ptr), (void **)(ptr))
#define FMC_ALLOC_ZERO(a, count, ptr) fmc_alloc_zero((a), (count), sizeof **(ptr), (void **)(ptr))

/** malloc and free as an fmc_allocator. */
extern const fmc_allocator fmc_system_allocator;

#endif
