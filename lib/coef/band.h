/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_BAND_H
#define FMC_COEF_BAND_H

#include <stddef.h>
#include <stdint.h>
#include <fmc/array.h>

/** Most bands that a chunk can have; plans that would need more use fewer levels. */
#define FMC_MAX_BANDS 1024
#define FMC_MAX_SIBLINGS 6

/**
 * One box of integers to be coded: a wavelet subband, all frequencies of a DCT axis, or one phase of an interpolation
 * level. Values of all bands lie band after band in one array ("band-major"), each band C-contiguous.
 * Extents are right-aligned: dim[4] is the fastest axis; missing leading axes have extent 1. Bit a of a mask belongs
 * to dim[a].
 */
typedef struct fmc_band {
    size_t   start;                      /* first value in the band-major array */
    size_t   count;                      /* product of dim */
    size_t   dim[FMC_MAX_RANK];
    size_t   origin[FMC_MAX_RANK];       /* where the box begins in the transform's array (transform coder only) */
    uint8_t  level;                      /* 0 = finest scale */
    uint8_t  high;                       /* axes along which this band is the high-pass half */
    uint8_t  is_low;                     /* 1: the coarsest approximation: values are predictable, not zero-mean */
    int16_t  parent;                     /* same orientation, one scale coarser; -1: none */
    uint8_t  parent_half;                /* axes along which the parent has half this band's extent */
    int16_t  time_parent;                /* same spatial place, coarser along the packet axis; -1: none */
    uint8_t  time_half;                  /* as parent_half */
    uint8_t  n_siblings;                 /* earlier bands of the same level and the same extents (to +-1) */
    int16_t  sibling[FMC_MAX_SIBLINGS];  /* indices < this band's own */
} fmc_band;

#endif
