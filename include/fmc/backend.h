/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What multiplies in the networks: libfmc's own kernels, or a loadable module around a library (oneDNN, OpenBLAS, cuDNN,
 * one's own). docs/backends.md tells how to use them and how to write one; libfmc links none of them.
 *
 * A context uses one backend: fmc_ctx_options.backend names it, else FMC_BACKEND in the environment, else it is chosen.
 * Networks that decode consist of integers below 2^23, which float arithmetic adds exactly in any order: every backend that
 * passes the test before use gives the same bits. Encoding is free, so that another backend may write another stream.
 */
#ifndef FMC_BACKEND_H
#define FMC_BACKEND_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fmc_ctx;

/* ---------------------------------------------------------------------------------------------- for callers -- */

/** One backend as a context sees it. Set struct_size before the call. */
typedef struct fmc_backend_info {
    uint32_t struct_size;
    uint32_t is_usable;   /**< 1: it opened and passed the test */
    uint32_t is_chosen;   /**< 1: networks of this context run with it */
    uint32_t order;       /**< lower is preferred where the choice is free */
    char     name[32];
    char     version[96]; /**< of what computes */
    char     why[160];    /**< why it is not usable, a sentence; "" if it is */
    char     path[512];   /**< of the module; "" for what is built in, cut off if longer */
} fmc_backend_info;

/** How many backends there are, built in and found. @return FMC_OK, _ARG, _NO_MEMORY. */
FMC_API fmc_status fmc_backend_count(struct fmc_ctx *ctx, uint32_t *count);

/** Describe backend i < count: loads it, tests it, and lets go of it again. @return FMC_OK, _ARG, _NO_MEMORY. */
FMC_API fmc_status fmc_backend_describe(struct fmc_ctx *ctx, uint32_t i, fmc_backend_info *info);

/* ----------------------------------------------------------------------------------------------- for modules -- */

/** Version of what follows. A module of another version is refused. */
#define FMC_BACKEND_ABI 1

/** What functions of a module return. */
enum fmc_backend_answer {
    FMC_BACKEND_DONE = 0,
    FMC_BACKEND_DECLINED = 1, /**< not mine, or I would be slow: libfmc does this layer itself (conv_prepare only) */
    FMC_BACKEND_FAILED = 2
};

/**
 * A convolution of floats with zeros around its input. Axes are t, y, x.
 * Output n' = (n + 2 pad - kernel) / stride + 1 sites along an axis of n:
 * y[o] = bias[o] + sum over a tap k and an input channel c of o's group: weight[o][c][k] * x[site * stride + k - pad][c]
 */
typedef struct fmc_backend_conv {
    uint32_t struct_size;
    uint32_t in_channels, out_channels;
    uint32_t groups;         /**< 1, or in_channels = out_channels (depthwise), or a divisor of both */
    uint32_t kernel[3];      /**< 1..7 */
    uint32_t stride[3];
    uint32_t pad[3];
    uint32_t reserved;       /**< 0 */
    const float *weight;     /**< [out_channels][in_channels / groups][kernel t][y][x]; of the caller: copy what is needed */
    const float *bias;       /**< [out_channels] */
} fmc_backend_conv;

/**
 * The table of a module. Functions may be called from several threads at once, also for one prepared convolution (open and
 * close excepted); a library that cannot bear that is locked by its module. libfmc makes the threads: a call should use one.
 * Nothing may be printed, no signal raised, nothing aborted, and no process-wide state be left changed after close.
 * Arithmetic is f32 with f32 sums or wider, rounded to nearest: no Winograd, no FFT, no TF32, no half types.
 */
typedef struct fmc_backend {
    uint32_t abi;            /**< FMC_BACKEND_ABI */
    uint32_t struct_size;
    uint32_t order;          /**< lower is preferred where the choice is free: 10, 20, .. */
    uint32_t reserved;       /**< 0 */
    const char *name;        /**< NAME of fmc_backend_NAME.so */

    /** @param text  size bytes: gets the version of what computes, or a sentence on why it cannot. @return DONE, FAILED. */
    int (*open)(void **self, char *text, size_t size);
    void (*close)(void *self);

    /** Weights are given once and used for any number of inputs. All three, or NULL where there is only gemm. */
    int (*conv_prepare)(void *self, const fmc_backend_conv *conv, void **prepared);
    /** @param in  t, y, x of the input. @param x [t][y][x][in_channels] @param y [t'][y'][x'][out_channels], any alignment of 4 */
    int (*conv_run)(void *self, void *prepared, const uint32_t in[3], const float *x, float *y);
    void (*conv_release)(void *self, void *prepared);

    /** c += a * b with a [m][k], b [k][n], c [m][n]; or NULL. Used where there is no conv_prepare. */
    int (*gemm)(void *self, size_t m, size_t n, size_t k, const float *a, const float *b, float *c);
} fmc_backend;

/** The function that a module exports. */
#define FMC_BACKEND_ENTRY "fmc_backend_get"
typedef const fmc_backend *(*fmc_backend_get_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
