/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_WEIGHTS_H
#define FMC_NN_WEIGHTS_H

#include "core/alloc.h"
#include "core/bytes_in.h"

enum { FMC_WEIGHTS_NAME = 40, FMC_WEIGHTS_RANK = 6, FMC_WEIGHTS_NO_ARRAY = -1, FMC_WHY_SIZE = 160 };

/** Types of stored arrays. Values are format constants (docs/weights-format.md 1.2). */
enum fmc_weights_type {
    FMC_WEIGHTS_I8 = 1, FMC_WEIGHTS_I16 = 2, FMC_WEIGHTS_I32 = 3, FMC_WEIGHTS_U8 = 4, FMC_WEIGHTS_U16 = 5,
    FMC_WEIGHTS_F32 = 6, FMC_WEIGHTS_F16 = 7
};

/** One named array; its bytes are little-endian and in place. */
typedef struct fmc_weights_array {
    char     name[FMC_WEIGHTS_NAME + 1];
    uint32_t type; /* enum fmc_weights_type */
    uint32_t rank;
    uint32_t dim[FMC_WEIGHTS_RANK];
    size_t   count;
    const uint8_t *data;
    size_t   size; /* bytes */
} fmc_weights_array;

/** The container of a file of weights (docs/weights-format.md 1): sections and arrays, nothing of what they mean. */
typedef struct fmc_weights {
    const fmc_allocator *alloc;
    uint64_t             hash;
    fmc_in               model, programs, ops, record; /* sections; record is empty if there is none */
    fmc_weights_array   *array;
    uint32_t             n_arrays;
    uint32_t            *by_name;  /* array numbers sorted by name */
    char                 why[FMC_WHY_SIZE]; /* a sentence on what is wrong, "" if nothing is */
} fmc_weights;

/**
 * Read the container from untrusted bytes, which must live as long as *w does. *w is to be released also after a failure;
 * w->why then tells what is wrong.
 * @return FMC_OK, FMC_ERR_BAD_MODEL, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT (hash), FMC_ERR_UNSUPPORTED (version), _NO_MEMORY.
 */
fmc_status fmc_weights_open(const fmc_allocator *a, const void *data, size_t size, fmc_weights *w);
void       fmc_weights_fini(fmc_weights *w);

/** The array of that name, NULL if there is none. */
const fmc_weights_array *fmc_weights_find(const fmc_weights *w, const char *name);

/** Set w->why (the first refusal stays) and return st. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
fmc_status fmc_weights_refuse(fmc_weights *w, fmc_status st, const char *format, ...);

/** A name of `size` bytes: printable, not empty, padded with zeros. text gets size + 1 bytes. @return 0 if it is none. */
int fmc_weights_read_name(fmc_in *in, size_t size, char *text);

/** Value i of an integer array, by type. i < count. */
int32_t fmc_weights_int(const fmc_weights_array *a, size_t i);
/** Value i of a float array (f32 or f16), exactly. */
float fmc_weights_float(const fmc_weights_array *a, size_t i);

#endif
