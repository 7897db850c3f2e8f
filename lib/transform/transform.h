/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_H
#define FMC_TRANSFORM_H

#include "coef/band.h"
#include "core/bytes_in.h"
#include "core/bytes_out.h"
#include "core/exec.h"

/** Transform along one axis. Values are format constants (docs/format.md 6). */
enum fmc_tx_kind {
    FMC_TX_NONE = 0,    /* '0' */
    FMC_TX_DYADIC = 1,  /* 'W', 'V' a wavelet by lifting; all such axes are halved together, level by level */
    FMC_TX_PACKET = 2,  /* 'P', 'Q' the same along this axis alone, before the W axes */
    FMC_TX_DCT = 3,     /* 'D' orthonormal DCT-II over the whole axis */
    FMC_TX_DFT = 4,     /* 'F' orthonormal real DFT: a0, then sqrt2 re, sqrt2 im of each frequency, interleaved */
    FMC_TX_KLT = 5      /* 'K' orthonormal basis computed from the data, stored as integers */
};

/** Most halvings of an axis. */
#define FMC_TX_MAX_LEVELS 12
/** Longest D or F axis: bounds the scratch memory of a thread to 2 MiB. */
#define FMC_TX_MAX_SPECTRAL 4096
/** Longest K axis. */
#define FMC_TX_MAX_KLT 128

/**
 * Basis of a K axis: the leading n_rows vectors as integers whose length means nothing; the others are a fixed
 * completion (docs/format.md 6.6).
 */
typedef struct fmc_tx_klt {
    uint32_t n;       /* extent of the axis, 1..FMC_TX_MAX_KLT */
    uint32_t n_rows;  /* stored vectors, 0..n */
    int16_t  row[FMC_TX_MAX_KLT][FMC_TX_MAX_KLT]; /* row[j][0..n-1], not all 0 */
} fmc_tx_klt;

/** Which transform along which axis; with dims it fixes everything, K bases apart. */
typedef struct fmc_tx_plan {
    uint32_t rank;
    size_t   dim[FMC_MAX_RANK];           /* C order, dim[rank-1] fastest */
    uint8_t  kind[FMC_MAX_RANK];          /* enum fmc_tx_kind */
    uint8_t  levels[FMC_MAX_RANK];        /* W and P axes: number of halvings; else 0 */
    uint8_t  is_long[FMC_MAX_RANK];       /* W and P axes: 1 where the filter is 21/19 ('V', 'Q'), not 9/7; else 0 */
    const fmc_tx_klt *klt[FMC_MAX_RANK];  /* K axes: borrowed; else NULL */
} fmc_tx_plan;

/**
 * Forward and inverse in place, C-contiguous. D, F, K and P axes in axis order, then the W axes; inverse backwards.
 * Zone EXACT for the inverse: the same bits on every machine. Forward is deterministic too.
 * @return FMC_ERR_CORRUPT for a plan that fmc_tx_is_valid refuses, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_tx_forward_f32(const fmc_exec *ex, const fmc_tx_plan *plan, float *data);
fmc_status fmc_tx_inverse_f32(const fmc_exec *ex, const fmc_tx_plan *plan, float *data);
fmc_status fmc_tx_forward_f64(const fmc_exec *ex, const fmc_tx_plan *plan, double *data);
fmc_status fmc_tx_inverse_f64(const fmc_exec *ex, const fmc_tx_plan *plan, double *data);

/** True if rank, extents, kinds, levels, bases and the number of bands are all legal. */
int fmc_tx_is_valid(const fmc_tx_plan *plan);

/**
 * The bands of a valid plan in coding order (coarse to fine), with relations filled in. An index i of a band goes with
 * i >> 1 of its parent along the axes of parent_half, which may be one past the parent's last; then take the last.
 * @param band FMC_MAX_BANDS entries.
 * @return their number; 0 if there would be more than FMC_MAX_BANDS.
 */
size_t fmc_tx_bands(const fmc_tx_plan *plan, fmc_band *band);

/** Number of bands of a plan; something over FMC_MAX_BANDS if there are more. */
size_t fmc_tx_count_bands(const fmc_tx_plan *plan);

/** Default number of halvings of an axis of extent n: floor(log2(n / 8)) + 1, 0..6. */
uint8_t fmc_tx_default_levels(size_t n);

/** True if this library can apply `kind` to an axis of extent n at a reasonable cost. */
int fmc_tx_is_possible(uint32_t kind, size_t n);

/**
 * Data-made basis of an axis: eigenvectors of its covariance, ordered by falling eigenvalue, as many and as precise as
 * pays for coefficients quantised to about this RMSE. @param rmse_target > 0, units of data.
 */
fmc_status fmc_tx_klt_make_f32(const fmc_exec *ex, const fmc_tx_plan *plan, uint32_t axis, const float *data,
                               double rmse_target, fmc_tx_klt *klt);
fmc_status fmc_tx_klt_make_f64(const fmc_exec *ex, const fmc_tx_plan *plan, uint32_t axis, const double *data,
                               double rmse_target, fmc_tx_klt *klt);

/** Append a basis, docs/format.md 6.6. */
void fmc_tx_klt_write(const fmc_tx_klt *klt, fmc_out *out);

/** Read the basis of an axis of extent n. Untrusted bytes. @return FMC_OK, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT. */
fmc_status fmc_tx_klt_parse(fmc_in *in, size_t n, fmc_tx_klt *klt);

/** Append kinds, levels and bases of a plan (docs/format.md 6.1); rank and dims are known from elsewhere. */
void fmc_tx_plan_write(const fmc_tx_plan *plan, fmc_out *out);

/**
 * Read what fmc_tx_plan_write wrote into a plan whose rank and dim are set. Untrusted bytes.
 * @param klt  receives the bases, owned by the caller (fmc_dealloc); NULL if there are none.
 * @return FMC_OK, FMC_ERR_TRUNCATED, FMC_ERR_CORRUPT, FMC_ERR_UNSUPPORTED (unknown kind), FMC_ERR_NO_MEMORY.
 */
fmc_status fmc_tx_plan_parse(fmc_in *in, const fmc_allocator *alloc, fmc_tx_plan *plan, fmc_tx_klt **klt);

#endif
