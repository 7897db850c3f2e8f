/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_KLT_H
#define FMC_TRANSFORM_KLT_H

#include "transform/lines.h"

/** Coefficients of every line in a stored basis, or the lines from them: docs/format.md 6.6. Inverse: zone EXACT. */
fmc_status fmc_klt_f32(const fmc_exec *ex, const fmc_lines *lines, const fmc_tx_klt *klt, float *data, int is_inverse);
fmc_status fmc_klt_f64(const fmc_exec *ex, const fmc_lines *lines, const fmc_tx_klt *klt, double *data, int is_inverse);

/**
 * As fmc_tx_klt_make (transform/transform.h) for the lines of a box. @param rotation  NULL, or [n][n]: gets the vectors
 * before they were rounded, row j = vector j.
 */
fmc_status fmc_klt_make_f32(const fmc_exec *ex, const fmc_lines *lines, const float *data, double rmse_target,
                            fmc_tx_klt *klt, float *rotation);
fmc_status fmc_klt_make_f64(const fmc_exec *ex, const fmc_lines *lines, const double *data, double rmse_target,
                            fmc_tx_klt *klt, double *rotation);

/** Every line times a matrix [n][n]: with a rotation, nearly what fmc_klt does, but without preparing anything. */
fmc_status fmc_klt_rotate_f32(const fmc_exec *ex, const fmc_lines *lines, const float *matrix, float *data);
fmc_status fmc_klt_rotate_f64(const fmc_exec *ex, const fmc_lines *lines, const double *matrix, double *data);

/**
 * All n unit vectors of a basis: the stored ones divided by their length, then the completion. Zone EXACT.
 * @param basis  [n][n], row j = vector j.
 * @return FMC_OK, FMC_ERR_NO_MEMORY; FMC_ERR_CORRUPT for a stored vector of zeros.
 */
fmc_status fmc_klt_complete(const fmc_allocator *alloc, const fmc_tx_klt *klt, double *basis);

/** Inverse of an [n][n] matrix, which is destroyed. @return FMC_ERR_CORRUPT if it is singular. */
fmc_status fmc_klt_invert(size_t n, double *matrix, double *inverse);

/**
 * Eigenvectors of a symmetric [n][n] matrix deterministic, n <= FMC_TX_MAX_KLT. On return the diagonal of `matrix`
 * has the eigenvalues, falling, and row j of `vectors` the vector of eigenvalue j.
 */
void fmc_klt_eigen(size_t n, double *matrix, double *vectors);

/**
 * Integers for the vectors that matter at a target: a vector whose coefficients are all but lost in the error is not
 * stored, and the smaller its coefficients the fewer bits it gets.
 * @param matrix  its diagonal: mean squared coefficients, falling.  @param n_lines  that will use the basis.
 */
void fmc_klt_round(size_t n, const double *matrix, const double *vectors, size_t n_lines, double rmse_target,
                   fmc_tx_klt *klt);

#endif
