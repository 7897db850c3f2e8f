/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_STATUS_H
#define FMC_STATUS_H

#include <fmc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a call came to. Values are pinned: they never change meaning and are never reused.
 * Whenever a call does not return FMC_OK, nothing it wrote may be taken for a result.
 */
typedef enum fmc_status {
    FMC_OK = 0,
    FMC_ERR_ARG = 1,                 /**< invalid argument: NULL, unknown enum, bad bound, dims or struct_size */
    FMC_ERR_NO_MEMORY = 2,           /**< an allocation failed */
    FMC_ERR_BUFFER_TOO_SMALL = 3,    /**< output buffer too small; the size needed is reported */
    FMC_ERR_NOT_FMC = 4,             /**< the bytes are no fmc stream (wrong magic) */
    FMC_ERR_UNSUPPORTED = 5,         /**< newer version, unknown critical section, coder or flag */
    FMC_ERR_TRUNCATED = 6,           /**< the stream ends before its declared end */
    FMC_ERR_CORRUPT = 7,             /**< bad checksum or contents that contradict themselves */
    FMC_ERR_LIMIT = 8,               /**< declared output or work space exceeds the caller's limit */
    FMC_ERR_MODEL_MISSING = 9,       /**< the stream names a model that is not known: fmc_ctx_add_model */
    FMC_ERR_MODEL_MISMATCH = 10,     /**< reserved: streams name models by hash alone, so that another model
                                          than the stream's is FMC_ERR_MODEL_MISSING */
    FMC_ERR_BAD_MODEL = 11,          /**< a weights file breaks its rules */
    FMC_ERR_BACKEND_UNAVAILABLE = 12,/**< backend missing, without device, or failed its self-test */
    FMC_ERR_BACKEND_FAILED = 13,     /**< a backend failed in the middle */
    FMC_ERR_CANCELLED = 14,          /**< the progress callback or parallel_for asked to stop */
    FMC_ERR_IO = 15,                 /**< an IO callback reported failure */
    FMC_ERR_UNREACHABLE_SIZE = 16    /**< FMC_BOUND_SIZE: not even the coarsest stream fits the size asked for */
} fmc_status;

/** One English sentence for a status, without a full stop; static storage; never NULL, also for unknown values. */
FMC_API const char *fmc_status_string(fmc_status status);

#ifdef __cplusplus
}
#endif
#endif
