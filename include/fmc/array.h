/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_ARRAY_H
#define FMC_ARRAY_H

#include <stdint.h>
#include <fmc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FMC_MAX_RANK 5

/** Sample types. Values are format constants. */
enum fmc_dtype {
    FMC_F32 = 1, /**< IEEE 754 binary32 in host byte order */
    FMC_F64 = 2  /**< IEEE 754 binary64 in host byte order */
};

/**
 * A strided view of caller's memory; fmc never owns or frees it.
 * Axis 0 is the slowest in C order and the one along which a writer appends (usually time).
 * Any stride is legal, also negative and 0 for input; data needs no alignment. An extent of 0 makes an empty array.
 */
typedef struct fmc_array {
    uint32_t struct_size;             /**< sizeof(fmc_array), set by fmc_array_init */
    uint32_t dtype;                   /**< enum fmc_dtype */
    uint32_t rank;                    /**< 1..FMC_MAX_RANK */
    uint32_t reserved;                /**< 0 */
    void    *data;                    /**< sample [0][0]...; may be NULL only when an extent is 0 */
    uint64_t dim[FMC_MAX_RANK];       /**< extents in samples; dim[rank..] are ignored */
    int64_t  stride[FMC_MAX_RANK];    /**< distance in bytes between neighbours along each axis */
} fmc_array;

/**
 * Fill *a for a C-contiguous array (last axis fastest).
 * @param dim  rank extents, copied.
 * Does not check anything; the call that uses the array does. data is borrowed.
 */
FMC_API void fmc_array_init(fmc_array *a, uint32_t dtype, uint32_t rank, const uint64_t *dim, void *data);

#ifdef __cplusplus
}
#endif
#endif
