/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_VIEW_H
#define FMC_GRID_PCM_VIEW_H

#include "grid/grid.h"
#include "grid/pcm.h"

/** View codes: 0..23 an order of the four axes, +32: the first two are then joined. docs/format.md 9.3. */
enum { FMC_VIEW_JOIN = 32 };

/**
 * The view of a C-ordered array that a code means. Axes of extent 1 are dropped; arrays of fewer than four axes then
 * get leading axes of extent 1, of five the first two are joined. @return CORRUPT for an unknown code or axes that
 * cannot be joined.
 */
fmc_status fmc_view_make(uint32_t code, uint32_t rank, const size_t *dim, fmc_pcm_view *view);

/** Dimension of the view (0..3) that runs along `axis` of the array, 4 if it is joined with another. */
uint32_t fmc_view_dim(uint32_t code, uint32_t rank, const size_t *dim, uint32_t axis);

/**
 * Choose view and flags by coding a part of the array. `allowed` are the flags that may be set, besides those of the
 * effort.
 * @param slice_axis  if the lattice has steps per slice: the axis of the slices + 1 (only views that keep it among the
 *                    first three dimensions are tried, lattice.step_dim is set); else 0.
 * @param estimate    NULL, or gets the bytes that the whole array may need, to compare plans of one effort.
 */
fmc_status fmc_view_choose(const fmc_exec *ex, uint32_t rank, const size_t *dim, const void *src, size_t elem_size,
                           const uint8_t *mask, uint32_t slice_axis, uint32_t allowed, uint32_t effort,
                           fmc_pcm_params *params, uint32_t *code, size_t *estimate);

/**
 * About how many bytes fmc_pcm_encode takes for the whole array, from coding small parts.
 * params->flags are set to those of the trial.
 */
fmc_status fmc_view_estimate(const fmc_exec *ex, uint32_t rank, const size_t *dim, const void *src, size_t elem_size,
                             const uint8_t *mask, uint32_t slice_axis, uint32_t allowed, const fmc_grid_trial *how,
                             fmc_pcm_params *params, double *bytes);

#endif
