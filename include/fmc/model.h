/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_MODEL_H
#define FMC_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fmc_ctx;

/**
 * A set of learned weights, opened from a file (.fmcw, docs/weights-format.md). Immutable: any number of contexts and
 * threads may use one model at once. It takes memory from the allocator of the context that opened it, which must live as
 * long, but the context itself need not.
 */
typedef struct fmc_model fmc_model;

/** What a model is. Set struct_size before the call. */
typedef struct fmc_model_info {
    uint32_t    struct_size;
    uint32_t    n_levels;         /**< qualities it was trained for, coarsest first */
    uint64_t    hash;             /**< XXH64 of its content: what streams name it by */
    uint64_t    file_size;        /**< bytes */
    uint64_t    n_parameters;     /**< numbers stored, tables included */
    uint32_t    latent_channels;
    uint32_t    hyper_channels;
    uint32_t    patch[3];         /**< samples of a latent along time, y, x */
    uint32_t    reserved;         /**< 0 */
    char        architecture[16]; /**< "vae" or "prior"; NUL-terminated. A prior has no levels, channels or patch */
    const char *record;           /**< training record, JSON, as stored; NULL: none; lives as long as the model */
} fmc_model_info;

/**
 * Open a model in memory. Every bound that decoding relies on is proved here, so that no file can do harm.
 * @param data  copied. @param out gets the model, NULL on failure; release it with fmc_model_close.
 * @return FMC_OK, _ARG, _NO_MEMORY, _BAD_MODEL, _TRUNCATED, _CORRUPT (its hash differs), _UNSUPPORTED (newer format).
 */
FMC_API fmc_status fmc_model_open_buffer(struct fmc_ctx *ctx, const void *data, size_t size, fmc_model **out);

/** The same from a file. @param path as the C library's fopen takes it. @return also FMC_ERR_IO if it cannot be read. */
FMC_API fmc_status fmc_model_open_file(struct fmc_ctx *ctx, const char *path, fmc_model **out);

/** Describe a model. @return FMC_OK, FMC_ERR_ARG. */
FMC_API fmc_status fmc_model_describe(const fmc_model *model, fmc_model_info *info);

/** Free; accepts NULL. No stream may be in work with it. */
FMC_API void fmc_model_close(fmc_model *model);

#ifdef __cplusplus
}
#endif
#endif
