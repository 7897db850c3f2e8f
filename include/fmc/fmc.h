/* SPDX-License-Identifier: Apache-2.0 */
/**
 * fmc: error-bounded lossy compression of floating-point arrays.
 *
 * The tour: fill an fmc_array, fill fmc_params, call fmc_compress; later fmc_inspect and fmc_decompress. Larger or
 * growing data: fmc_writer_* appends along axis 0 while a solver runs, fmc_reader_* reads boxes and coarse previews.
 *
 *     fmc_params p;
 *     fmc_params_init(&p, sizeof p);
 *     p.bound_kind = FMC_BOUND_REL;
 *     p.bound = 1e-3;
 *     st = fmc_compress_alloc(ctx, &array, &p, &bytes, &size);
 *
 * Promises: the bound holds for every sample (the encoder runs the decoder and compares each one in exact arithmetic);
 * NaN, infinities and the fill value come back bit for bit; a stream decodes to the same bits on every machine, SIMD
 * level and thread count; no input makes the library crash, print, exit or change global state.
 */
#ifndef FMC_FMC_H
#define FMC_FMC_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>
#include <fmc/model.h>
#include <fmc/status.h>
#include <fmc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------- context -- */

/**
 * Opaque: allocator, threads, scratch and the last message. One context per thread at a time. Calls are faster on a
 * context that was used before: it keeps up to 256 MiB of scratch until it is destroyed.
 */
typedef struct fmc_ctx fmc_ctx;

/** The caller's allocator. Both functions set or both NULL (malloc and free). Called from worker threads too. */
typedef struct fmc_allocator {
    void *user;
    void *(*alloc)(void *user, size_t size); /**< aligned as malloc; NULL on failure; size > 0 */
    void (*free)(void *user, void *ptr);     /**< ptr may be NULL */
} fmc_allocator;

/**
 * Run task(task_user, i) for every i in [0, n), in any order, on any threads, and return when all are done.
 * Return 0 on success; anything else makes the fmc call fail with FMC_ERR_CANCELLED.
 */
typedef int (*fmc_parallel_for_fn)(void *user, uint32_t n, void (*task)(void *task_user, uint32_t i), void *task_user);

/** Called now and then on the calling thread with the work done so far, 0..1. Non-zero cancels: FMC_ERR_CANCELLED. */
typedef int (*fmc_progress_fn)(void *user, double fraction);

/** Options of a context; set struct_size and leave the rest zero for defaults. */
typedef struct fmc_ctx_options {
    uint32_t            struct_size;
    uint32_t            reserved;          /**< 0 */
    fmc_allocator       allocator;         /**< both NULL: malloc and free */
    fmc_parallel_for_fn parallel_for;      /**< NULL: fmc starts its own threads as params.n_threads says */
    void               *parallel_for_user;
    fmc_progress_fn     progress;          /**< NULL: none */
    void               *progress_user;
    uint64_t            max_output_size;   /**< refuse streams that declare more decoded bytes; 0: no limit */
    uint64_t            max_output_ratio;  /**< refuse decoded / compressed above this; 0: 2^32 */
    const char         *backend;           /**< what runs networks (backend.h); NULL: FMC_BACKEND, else chosen; copied */
    const char         *backend_path;      /**< folders of modules, ':' between; NULL: FMC_BACKEND_PATH; copied */
} fmc_ctx_options;

/**
 * Create a context. @param options NULL for defaults. @param out gets the context, NULL on failure.
 * @return FMC_OK, FMC_ERR_ARG, FMC_ERR_NO_MEMORY.
 */
FMC_API fmc_status fmc_ctx_create(const fmc_ctx_options *options, fmc_ctx **out);

/** Destroy; accepts NULL. Writers and readers made from it must be closed before. */
FMC_API void fmc_ctx_destroy(fmc_ctx *ctx);

/** A sentence on why the last call on ctx failed and what to do ("" after success). Valid until the next call on ctx. */
FMC_API const char *fmc_ctx_message(const fmc_ctx *ctx);

/** Free memory that fmc_compress_alloc or fmc_decompress_alloc returned. Accepts NULL. */
FMC_API void fmc_free(fmc_ctx *ctx, void *ptr);

/**
 * Make a model known for decoding: streams name theirs by its hash. The library's own needs no call.
 * @param model  borrowed; must live until ctx is destroyed. Known already: nothing happens.
 * @return FMC_OK, FMC_ERR_ARG, FMC_ERR_NO_MEMORY, FMC_ERR_LIMIT: more than 256.
 */
FMC_API fmc_status fmc_ctx_add_model(fmc_ctx *ctx, const fmc_model *model);

/**
 * The model that is built into the library, opened when it is first needed. Lives as long as ctx. NULL: there is none, or
 * memory is short.
 */
FMC_API const fmc_model *fmc_ctx_own_model(fmc_ctx *ctx);

/* -------------------------------------------------------------------------------------------------- params -- */

/** What the bound means; x is the original, x' the decoded sample. Values are format constants. */
enum fmc_bound_kind {
    FMC_BOUND_LOSSLESS = 0, /**< every bit equal; bound ignored */
    FMC_BOUND_ABS = 1,      /**< |x' - x| <= bound */
    FMC_BOUND_REL = 2,      /**< |x' - x| <= bound * (max - min over valid samples) */
    FMC_BOUND_PW_REL = 3,   /**< |x' - x| <= bound * |x|; zeros exact, signs kept */
    FMC_BOUND_NRMSE = 4,    /**< sqrt(mean (x'-x)^2) <= bound * (max - min), over valid samples */
    FMC_BOUND_PSNR = 5,     /**< 20 log10((max - min) / rmse) >= bound [dB] */
    FMC_BOUND_SIZE = 6      /**< the smallest NRMSE whose stream has at most bound bytes */
};

/** Which coder a chunk may use. Values are format constants. */
enum fmc_coder {
    FMC_CODER_AUTO = 0,      /**< by measured or estimated size */
    FMC_CODER_TRANSFORM = 1, /**< transform per axis + context coding (+ exact outliers) */
    FMC_CODER_INTERP = 2,    /**< multi-level interpolation or Lorenzo prediction; pointwise bound by construction */
    FMC_CODER_GRID = 3,      /**< integers of a grid: the source's own (packed data), or one as coarse as the bound allows */
    FMC_CODER_EXACT = 4,     /**< lossless floats */
    FMC_CODER_PCA = 7,       /**< adaptive basis of 8 x 8 patches, as published (arXiv 2412.17184); never chosen by AUTO */
    FMC_CODER_VAE = 0x100    /**< a model's prediction below AUTO, TRANSFORM, INTERP or PCA; or-ed to one of them */
};

/** What the caller knows of an axis. */
enum fmc_axis_kind {
    FMC_AXIS_AUTO = 0,     /**< found by measurement */
    FMC_AXIS_SMOOTH = 1,   /**< neighbours resemble each other */
    FMC_AXIS_UNLIKE = 2,   /**< members, species, components: neighbours are unrelated; never transformed along */
    FMC_AXIS_PERIODIC = 3  /**< the last sample is the neighbour of the first */
};

/** How to compress: fmc_params_init, then change what you need. */
typedef struct fmc_params {
    uint32_t struct_size;               /**< set by fmc_params_init */
    uint32_t bound_kind;                /**< enum fmc_bound_kind; default FMC_BOUND_REL */
    double   bound;                     /**< default 1e-3; must be > 0 and finite except for LOSSLESS */
    uint32_t effort;                    /**< 1 fast, 5 default, 7, 9 smallest; values between act as the one below */
    uint32_t n_threads;                 /**< 0: one per core; never changes the bytes produced */
    uint32_t coder;                     /**< enum fmc_coder; default FMC_CODER_AUTO */
    uint32_t has_fill;                  /**< 1: samples equal to fill_value are missing data */
    double   fill_value;                /**< compared as the array's type; NaN samples are missing data always */
    uint64_t chunk[FMC_MAX_RANK];       /**< chunk extents for random access; 0: chosen (docs/format.md 4) */
    uint32_t axis[FMC_MAX_RANK];        /**< enum fmc_axis_kind per axis */
    uint32_t no_model;                  /**< 1: no learned model is used, not even the library's own */
    const fmc_model *model;             /**< borrowed; NULL: the library's own, where it was built in. Streams that use it need
                                             it to decode: fmc_ctx_add_model */
    uint32_t embed;                     /**< 1: model goes into the stream, which needs no other then, as a difference from the
                                             library's own. Compresses with and without it and keeps the better stream: bytes
                                             saved must pay for the model. fmc_writer_open cannot know and always stores it */
    uint32_t reserved;                  /**< 0 */
} fmc_params;

/** Defaults for every field. @param size sizeof(fmc_params) as the caller compiled it. */
FMC_API fmc_status fmc_params_init(fmc_params *params, size_t size);

/* ----------------------------------------------------------------------------------- whole arrays in memory -- */

/** Bytes that always suffice for fmc_compress of this array: input + 1 % + 256 + 64 a chunk; 0 if the array is invalid. */
FMC_API uint64_t fmc_compress_bound(const fmc_array *src, const fmc_params *params);

/**
 * Compress one array into one self-contained stream.
 * @param src      borrowed, not changed. @param params NULL for defaults.
 * @param dst      dst_cap bytes; *dst_size gets the bytes written (the bytes needed with FMC_ERR_BUFFER_TOO_SMALL,
 *                 0 with any other error).
 * @return FMC_OK, _ARG, _NO_MEMORY, _BUFFER_TOO_SMALL, _CANCELLED, _UNREACHABLE_SIZE; with a model also _MODEL_MISSING, _BACKEND_*.
 */
FMC_API fmc_status fmc_compress(fmc_ctx *ctx, const fmc_array *src, const fmc_params *params, void *dst, size_t dst_cap,
                                size_t *dst_size);

/** The same into memory from the context's allocator; *dst is returned owned, release it with fmc_free. NULL on error. */
FMC_API fmc_status fmc_compress_alloc(fmc_ctx *ctx, const fmc_array *src, const fmc_params *params, void **dst,
                                      size_t *dst_size);

/**
 * Decompress a whole stream into the caller's array: dtype, rank and dims must equal the stream's (fmc_inspect tells),
 * strides are free, as long as no samples overlap. On error the array's contents are unspecified.
 * @param n_threads 0: one per core.
 * @return FMC_OK, _ARG, _NO_MEMORY, _NOT_FMC, _UNSUPPORTED, _TRUNCATED, _CORRUPT, _LIMIT, _MODEL_MISSING, _BACKEND_*, _CANCELLED.
 */
FMC_API fmc_status fmc_decompress(fmc_ctx *ctx, const void *src, size_t src_size, uint32_t n_threads, const fmc_array *dst);

/** The same into fresh C-contiguous memory: *out is filled, out->data is returned owned (fmc_free). */
FMC_API fmc_status fmc_decompress_alloc(fmc_ctx *ctx, const void *src, size_t src_size, uint32_t n_threads, fmc_array *out);

/* ------------------------------------------------------------------------------------------------- inspect -- */

/** What a stream is, without decoding it. Set struct_size before the call. */
typedef struct fmc_info {
    uint32_t struct_size;
    uint32_t format_version;
    uint32_t dtype;                    /**< enum fmc_dtype */
    uint32_t rank;
    uint64_t dim[FMC_MAX_RANK];        /**< dim[0] counts the complete steps only, if the stream was cut off */
    uint64_t chunk[FMC_MAX_RANK];      /**< chunk extents; edge chunks are smaller */
    uint64_t n_chunks;                 /**< complete chunks present */
    uint64_t stream_size;              /**< bytes */
    uint32_t bound_kind;               /**< enum fmc_bound_kind as asked for */
    uint32_t is_complete;              /**< 0: the stream was cut off; what is listed here is readable */
    double   bound;                    /**< as asked for */
    uint32_t has_fill;
    uint32_t effort;
    double   fill_value;
    uint64_t model;                    /**< hash of the model that is stored in the stream; 0: none */
    uint64_t model_base;               /**< hash of the one that it is a difference from, which decoding needs; 0: none */
    uint64_t model_size;               /**< bytes that it takes in the stream */
} fmc_info;

/** One chunk. Set struct_size before the call. */
typedef struct fmc_chunk_info {
    uint32_t struct_size;
    uint32_t coder;                    /**< enum fmc_coder used */
    uint64_t start[FMC_MAX_RANK];      /**< first sample */
    uint64_t dim[FMC_MAX_RANK];
    uint64_t offset;                   /**< of the record in the stream */
    uint64_t size;                     /**< of the record in bytes */
    double   abs_bound;                /**< pointwise bound that holds in this chunk, data units; 0 exact; < 0 none stored */
    char     detail[64];               /**< transforms per axis, or predictor; NUL-terminated */
    uint64_t model;                    /**< hash of the model that decoding needs; 0: none; of two, the one that predicts */
} fmc_chunk_info;

/** Describe a stream in memory. @return FMC_OK, _ARG, _NOT_FMC, _UNSUPPORTED, _TRUNCATED, _CORRUPT. */
FMC_API fmc_status fmc_inspect(fmc_ctx *ctx, const void *src, size_t src_size, fmc_info *info);

/** Describe chunk i < info.n_chunks (C order of the chunk grid). */
FMC_API fmc_status fmc_inspect_chunk(fmc_ctx *ctx, const void *src, size_t src_size, uint64_t i, fmc_chunk_info *info);

/* --------------------------------------------------------------------------------------- streams through IO -- */

/** The caller's storage. Functions return 0 on success, anything else for failure (FMC_ERR_IO). */
typedef struct fmc_io {
    uint32_t struct_size;
    uint32_t reserved;                                                           /**< 0 */
    void    *user;
    int (*write)(void *user, const void *data, size_t size);                     /**< append; writers need it */
    int (*read_at)(void *user, uint64_t offset, void *data, size_t size);        /**< all size bytes; readers need it */
    int (*size)(void *user, uint64_t *size);                                     /**< stored bytes; readers need it */
} fmc_io;

typedef struct fmc_writer fmc_writer;
typedef struct fmc_reader fmc_reader;

/**
 * Begin a stream that grows along axis 0. Nothing is ever rewritten: a stream cut off at any byte stays readable up
 * to its last complete chunk.
 * @param shape  dtype, rank and dim[1..]; dim[0] and data are ignored. @param params params->chunk[0] steps make one
 *               chunk (0: up to 64). FMC_BOUND_REL, _NRMSE and _PSNR use the range of each chunk: max - min of the
 *               whole is not known yet, and each chunk's is never larger. FMC_BOUND_SIZE is refused (FMC_ERR_ARG).
 * @param io     copied; io->user must live until close.
 * @return FMC_OK, _ARG, _NO_MEMORY, _IO.
 */
FMC_API fmc_status fmc_writer_open(fmc_ctx *ctx, const fmc_io *io, const fmc_array *shape, const fmc_params *params,
                                   fmc_writer **out);

/**
 * Append steps->dim[0] >= 1 steps; the data are copied or written before the call returns. After an error only close.
 * @return as fmc_compress, and FMC_ERR_IO.
 */
FMC_API fmc_status fmc_writer_append(fmc_writer *writer, const fmc_array *steps);

/** Write what is buffered as a (shorter) chunk now, so that it survives whatever comes. @return as fmc_writer_append. */
FMC_API fmc_status fmc_writer_flush(fmc_writer *writer);

/** Flush, write index and footer, free the writer (also on error). Accepts NULL. @return as fmc_writer_append. */
FMC_API fmc_status fmc_writer_close(fmc_writer *writer);

/**
 * Open a stream for reading; reads header and index only. A cut-off stream opens; info.is_complete tells.
 * @return FMC_OK, _ARG, _NO_MEMORY, _IO, _NOT_FMC, _UNSUPPORTED, _TRUNCATED (within the header), _CORRUPT, _LIMIT.
 */
FMC_API fmc_status fmc_reader_open(fmc_ctx *ctx, const fmc_io *io, fmc_reader **out);

/** What the stream is. */
FMC_API fmc_status fmc_reader_info(const fmc_reader *reader, fmc_info *info);

/** Describe chunk i < info.n_chunks. */
FMC_API fmc_status fmc_reader_chunk_info(fmc_reader *reader, uint64_t i, fmc_chunk_info *info);

/**
 * Decode the box [start, start + count) at 1 / 2^scale_log2 resolution. Only the chunks it touches are read.
 * @param scale_log2  0 full resolution; 1..3: every axis that the stream halves is sampled 2, 4, 8 times more coarsely:
 *                    dst->dim[a] = ceil((start+count) / 2^s) - ceil(start / 2^s) for axes longer than 1. A preview
 *                    approximates the data; no bound is promised for it.
 * @param dst         dtype of the stream, dims as above, any strides with which no samples overlap.
 * @return as fmc_decompress, and FMC_ERR_IO.
 */
FMC_API fmc_status fmc_reader_read(fmc_reader *reader, const uint64_t *start, const uint64_t *count, uint32_t scale_log2,
                                   uint32_t n_threads, const fmc_array *dst);

/** Free; accepts NULL. */
FMC_API void fmc_reader_close(fmc_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
