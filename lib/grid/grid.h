/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_GRID_H
#define FMC_GRID_GRID_H

#include <stdbool.h>
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** How a value is made from its integer k; docs/format.md 9.1. Every line is IEEE operations in the order written. */
enum fmc_grid_kind {
    FMC_GRID_NONE = 0,
    FMC_GRID_MUL = 1,   /* (T)((f64)k * scale + offset) */
    FMC_GRID_DIV = 2,   /* (T)((f64)k / scale + offset) */
    FMC_GRID_MUL32 = 3, /* (f32)k * (f32)scale + (f32)offset, in f32 */
    FMC_GRID_DIV32 = 4  /* (f32)k / (f32)scale + (f32)offset, in f32 */
};

/**
 * A grid: the expression, its constants (one pair, or one pair per slice along `axis`), and small corrections by k
 * where the expression misses the value by a few units in the last place.
 */
typedef struct fmc_grid {
    const fmc_allocator *alloc; /* borrowed */
    uint32_t dtype;
    uint32_t kind;     /* enum fmc_grid_kind; NONE: no grid was found, nothing else is valid */
    uint32_t axis;     /* of the slices */
    uint32_t n_slices; /* 1 or dim[axis] */
    double *scale;     /* [n_slices], owned, > 0 */
    double *offset;    /* [n_slices], owned */
    int32_t k_min;     /* of all samples */
    int32_t k_max;
    int8_t *fix; /* [k_max - k_min + 1] or NULL, owned: added to the ordered bits (lattice.h); n_slices is 1 */
} fmc_grid;

/** Accepts a zeroed or already released grid. */
void fmc_grid_fini(fmc_grid *g);

/** Step between neighbouring values of a slice, in data units. */
double fmc_grid_step(const fmc_grid *g, uint32_t slice);

/**
 * Find a grid that gives back every bit of every unmasked sample (all are tried). g->kind is NONE if there is none
 * worth having. -0.0 is on no grid.
 * @param data  C order, finite where not masked.   @param mask  1: missing, or NULL.
 * @param least_step  a grid whose steps are finer is not worth having: it need not be found, which saves most of the
 * work; 0: all are.
 * @param g  released by the caller.
 */
fmc_status fmc_grid_detect(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, const void *data,
                           const uint8_t *mask, double least_step, fmc_grid *g);

/** k of `count` samples from the first-th on (0 where masked). Data as given to detect. */
fmc_status fmc_grid_to_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const void *data,
                            const uint8_t *mask, size_t first, size_t count, int32_t *k);

/** Values of integers (any, corrections apply within k_min..k_max); masked samples are left alone. EXACT. */
fmc_status fmc_grid_from_ints(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                              const uint8_t *mask, void *data);

/** docs/format.md 9.1. */
void fmc_grid_write(const fmc_grid *g, fmc_out *out);
/** Untrusted bytes: TRUNCATED, CORRUPT, NO_MEMORY. On failure g is released. */
fmc_status fmc_grid_parse(const fmc_exec *ex, uint32_t dtype, uint32_t rank, const size_t *dim, fmc_in *in,
                          fmc_grid *g);

/**
 * Lossless coding of integers, docs/format.md 9.2. Appends a self-delimiting record.
 * @param g     NULL, or the grid of the integers: slices with different steps then predict each other.
 * @param mask  1: not coded.
 * @param effort 1, 5 or 9.
 */
fmc_status fmc_grid_encode(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                           const uint8_t *mask, uint32_t effort, fmc_out *out);

/** How closely an estimate looks: at so many places, <= FMC_GRID_MAX_PARTS, with the fast model or the one that learns. */
typedef struct fmc_grid_trial {
    uint32_t n_parts;
    bool is_fast;
} fmc_grid_trial;

enum { FMC_GRID_MAX_PARTS = 16 };

/**
 * About how many bytes fmc_grid_encode takes, from a part of the samples (within some 10 % for 10^5 samples and more, by the model that
 * learns and eight parts). Arguments as for encode.
 */
fmc_status fmc_grid_estimate(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, const int32_t *k,
                             const uint8_t *mask, const fmc_grid_trial *how, double *bytes);

/** Inverse; masked k become 0. The same g must be given. Untrusted bytes. */
fmc_status fmc_grid_decode(const fmc_exec *ex, const fmc_grid *g, uint32_t rank, const size_t *dim, fmc_in *in,
                           const uint8_t *mask, int32_t *k);

#endif
