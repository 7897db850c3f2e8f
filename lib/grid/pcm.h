/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_H
#define FMC_GRID_PCM_H

#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"
#include "grid/lattice.h"

/**
 * The predictive lossless coder of symbols (docs/format.md 9.4 to 9.7): blended linear prediction in raster order, the
 * difference as binary decisions with mixed contexts.
 */
enum fmc_pcm_flag {
    FMC_PCM_EQ = 1,     /* first ask whether the symbol repeats a neighbour */
    FMC_PCM_LOW = 2,    /* model the low bits from the low bits of the neighbours */
    FMC_PCM_ORDINAL = 4, /* predict with symbols instead of numbers */
    FMC_PCM_FAST = 8,    /* fixed predictors, one counter per decision */
    FMC_PCM_STRONG = 16  /* more contexts, learns from more samples; not with FAST */
};

/** True if flags are among `allowed` and those of an effort. */
static inline bool fmc_pcm_flags_are_sound(uint32_t flags, uint32_t allowed)
{
    const uint32_t level = FMC_PCM_FAST | FMC_PCM_STRONG;

    return !(flags & ~(allowed | level)) && (flags & level) != level;
}

/** Samples as [a][t][y][x]: extents >= 1 and strides in elements of the caller's array. */
typedef struct fmc_pcm_view {
    size_t n[4];
    size_t stride[4];
} fmc_pcm_view;

typedef struct fmc_pcm_params {
    fmc_lattice lattice;
    uint32_t flags;     /* enum fmc_pcm_flag */
    int32_t scale_log2; /* F64, DEC64: numbers are multiplied by 2^scale_log2 */
} fmc_pcm_params;

/**
 * Append the coded samples to out.
 * @param src   int32_t, float or double by lattice kind; every unmasked sample is a symbol of the lattice, lo..hi.
 * @param mask  same layout as src, 1: not coded; NULL: all coded.
 */
fmc_status fmc_pcm_encode(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params, const void *src,
                          const uint8_t *mask, fmc_out *out);

/** Inverse; masked samples of dst are left alone. Untrusted bytes: CORRUPT, TRUNCATED or garbage within lo..hi. */
fmc_status fmc_pcm_decode(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params,
                          const uint8_t *data, size_t size, const uint8_t *mask, void *dst);

/** Parts of an array to be coded one after the other, for their size alone. */
typedef struct fmc_pcm_meter {
    const size_t *at; /* [n_parts] index of the first sample of each */
    size_t n_parts, n_warm; /* the model learns from the first n_warm, which do not count */
    size_t elem_size;
    bool skip_plane, skip_row; /* the first plane, the first row of planes do not count: the array is larger there */
    double bits;               /* of the samples that count: parts after these */
    size_t n_samples;
} fmc_pcm_meter;

/** Code the parts, each of the view's extents, into m->bits and m->n_samples. */
fmc_status fmc_pcm_measure(const fmc_exec *ex, const fmc_pcm_view *view, const fmc_pcm_params *params, const void *src,
                           const uint8_t *mask, fmc_pcm_meter *m);

#endif
