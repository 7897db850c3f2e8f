/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_NET_H
#define FMC_NN_NET_H

#include "core/exec.h"
#include "nn/weights.h"
#include "ops/kernels_nn.h"

/** Kinds of ops. Values are format constants (docs/weights-format.md 2 and 3); float ops are the encoder's. */
enum fmc_net_kind {
    FMC_NET_INPUT = 0, FMC_NET_AFFINE = 1, FMC_NET_CONV = 2, FMC_NET_LEAKY = 3, FMC_NET_HSWISH = 4, FMC_NET_ADD = 5,
    FMC_NET_GATE = 6, FMC_NET_MAXPOOL = 7, FMC_NET_UPSAMPLE = 8, FMC_NET_TILESTAT = 9, FMC_NET_SHUFFLE = 10,
    FMC_NET_CONCAT = 11, FMC_NET_DIGIT = 12,
    FMC_NET_F_INPUT = 32, FMC_NET_F_CONV = 33, FMC_NET_F_NORM = 34, FMC_NET_F_RELU = 35, FMC_NET_F_LEAKY = 36,
    FMC_NET_F_ADD = 37, FMC_NET_F_FOLD = 38, FMC_NET_F_SCALE = 39,
    FMC_NET_F_CONCAT = 40
};

enum { FMC_NET_INPUTS = 8, FMC_NET_PARAMETERS = 8, FMC_NET_ARRAYS = 3, FMC_NET_OUTPUTS = 4, FMC_NET_AXES = 3 };

/** How the values of a tensor are kept while a program runs. */
enum fmc_net_storage {
    FMC_NET_WHOLE, /* all frames, for everybody */
    FMC_NET_FRAME, /* one frame, in the memory of the task that makes it */
    FMC_NET_ROW    /* one row of it */
};

/** What computes a convolution. */
enum fmc_net_way { FMC_NET_DENSE, FMC_NET_DEPTHWISE, FMC_NET_PLAIN };

/** One op and the tensor (channels, t, y, x) that it makes. */
typedef struct fmc_net_op {
    uint32_t kind;                   /* enum fmc_net_kind */
    uint32_t n_inputs;
    uint32_t input[FMC_NET_INPUTS];  /* numbers of ops before this one */
    uint32_t channels;
    int32_t  lo, hi;                 /* all values lie within */
    uint32_t p[FMC_NET_PARAMETERS];
    int32_t  array[FMC_NET_ARRAYS];  /* number in the file, or FMC_WEIGHTS_NO_ARRAY */
    uint32_t num[FMC_NET_AXES], den[FMC_NET_AXES]; /* ceil(n * num / den) sites where the input has n; lowest terms */

    /* made by fmc_net_prepare */
    uint32_t is_wide;                /* kept as int32 or float, otherwise int16 */
    uint32_t pitch;                  /* values of a site in memory: channels, made even where int16 */
    uint32_t is_split;               /* channels are kept as [factor][channels / factor] for the shuffle that reads them */
    uint32_t way;                    /* conv: enum fmc_net_way */
    fmc_nn_conv conv;
    int16_t *weight;                 /* conv: owned; packed, or as in the file (FMC_NET_PLAIN) */
    int32_t *bias, *shift;           /* conv: owned, as fmc_nn_conv wants them */
    fmc_nn_add add;
    fmc_nn_conv_f32 conv_f32;        /* f_conv */
    float   *weight_f32, *bias_f32;  /* f_conv: owned, packed; f_norm, f_scale: [channels] each */
    int16_t *factor;                 /* affine: owned, [levels][channels] */
    int32_t *offset;
    const struct fmc_remote_conv *remote; /* conv, f_conv: who computes it instead (net_remote.h); NULL in models */
    uint32_t storage;                /* enum fmc_net_storage */
    uint32_t segment, run;           /* where the op belongs, see net_plan.h */
    uint32_t last_segment, last_run; /* the last that reads it; UINT32_MAX: an output of the program */
} fmc_net_op;

/** A straight-line program: op i makes tensor i and reads tensors below i. Op 0 is the input. */
typedef struct fmc_net {
    const fmc_allocator *alloc;
    char        name[17];
    uint32_t    n_ops;
    fmc_net_op *op;
    uint32_t    n_outputs;
    uint32_t    output[FMC_NET_OUTPUTS];
    uint32_t    levels;
    uint32_t    n_segments, n_runs;
    uint32_t    is_by_frame; /* 1: every op makes a whole frame before the next begins */
} fmc_net;

/** Sizes of a tensor: t, y, x for an input of `in` sites. */
void fmc_net_sites(const fmc_net_op *op, const uint32_t in[FMC_NET_AXES], uint64_t out[FMC_NET_AXES]);

static inline int fmc_net_is_float(uint32_t kind)
{
    return kind >= FMC_NET_F_INPUT;
}

/**
 * Read n_ops ops from *in (24 words each). Untrusted; checks what can be told from the words alone. *net is to be released
 * also after a failure. @return FMC_OK, FMC_ERR_BAD_MODEL with w->why, FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_net_read(fmc_weights *w, fmc_in *in, uint32_t n_ops, fmc_net *net);
void       fmc_net_fini(fmc_net *net);

/**
 * Prove that a program is safe for inputs of every size: shapes, grids, ranges, sums within 2^23, arrays, limits on memory
 * and work per site (docs/weights-format.md 2). Fills in num, den. @param levels  quality levels that affine ops serve.
 * @return FMC_OK, FMC_ERR_BAD_MODEL with w->why.
 */
fmc_status fmc_net_check(fmc_weights *w, fmc_net *net, uint32_t levels);

/** Check one integer op that is not the input, whose grid is known; part of fmc_net_check. */
fmc_status fmc_net_check_integer(fmc_weights *w, const fmc_net *net, uint32_t i);
/** The same for a float op. */
fmc_status fmc_net_check_float(fmc_weights *w, const fmc_net *net, uint32_t i);

/** Pack the weights of a checked program and plan its execution. @return FMC_OK, FMC_ERR_NO_MEMORY. */
fmc_status fmc_net_prepare(const fmc_weights *w, fmc_net *net);

/** Bytes of work space of fmc_net_run for this input, or FMC_ERR_LIMIT if no machine has as many. */
fmc_status fmc_net_work_size(const fmc_exec *ex, const fmc_net *net, const uint32_t in[FMC_NET_AXES], uint64_t *size);

/**
 * Run a prepared program. Any number of threads gives the same values.
 * @param level    < net->levels
 * @param in       sites of the input: t, y, x, each >= 1
 * @param x        [channels][t][y][x] of op 0; a value outside its range is FMC_ERR_CORRUPT
 * @param out      n_outputs arrays, [channels][t'][y'][x'] each, see fmc_net_sites
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_LIMIT, FMC_ERR_CORRUPT, FMC_ERR_CANCELLED, FMC_ERR_BACKEND_UNAVAILABLE,
 * FMC_ERR_BACKEND_FAILED.
 */
fmc_status fmc_net_run(const fmc_exec *ex, const fmc_net *net, uint32_t level, const uint32_t in[FMC_NET_AXES],
                       const int32_t *x, int32_t *const out[FMC_NET_OUTPUTS]);

/** The same for a program of float ops with one output. Zone FREE, but the same values everywhere. */
fmc_status fmc_net_run_f32(const fmc_exec *ex, const fmc_net *net, const uint32_t in[FMC_NET_AXES], const float *x, float *out);

#endif
