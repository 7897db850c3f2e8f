/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CLI_STATS_H
#define FMC_CLI_STATS_H

#include <fmc/fmc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An original and what became of it: both in C order and host byte order, no alignment needed. Borrowed. */
typedef struct cli_pair {
    const uint8_t *original, *decoded;
    uint32_t dtype, rank;
    uint64_t dim[FMC_MAX_RANK];
    uint64_t n; /**< samples */
    bool has_fill;
    double fill;
} cli_pair;

/** Errors over valid samples (finite and not the fill value); the rest are special and must be bit-equal. */
typedef struct cli_errors {
    uint64_t n_valid, n_special, n_special_changed;
    uint64_t n_changed;      /**< samples of any kind whose bits differ */
    uint64_t n_over;         /**< valid samples beyond the pointwise tolerance, or decoded to something not finite */
    uint64_t n_became_fill;  /**< valid samples that decoded to the fill value */
    uint64_t worst;          /**< index of the largest error */
    double min, max, range;  /**< of valid original samples */
    double tolerance;        /**< pointwise, data units; negative: the bound has none */
    double tolerance_low;    /**< what rounding took from it: tolerance + tolerance_low is exact */
    double max_abs, max_rel; /**< max_rel over x != 0 */
    double rmse, nrmse, psnr;
} cli_errors;

/** A sample as f64. */
double cli_sample(uint32_t dtype, const uint8_t *data, uint64_t i);
bool cli_sample_is_special(const cli_pair *pair, double x);

/** Measure everything in f64. @param info tells the bound. */
void cli_errors_measure(const cli_pair *pair, const fmc_info *info, cli_errors *out);
/** Whether the stream keeps its promise; see fmc.1 for the exact rule of each bound. */
bool cli_errors_holds(const cli_errors *errors, const fmc_info *info);

/** Planes along the last two axes longer than 1 (a 1-D array is one row). */
typedef struct cli_planes {
    uint64_t height, width, count;
} cli_planes;

cli_planes cli_planes_of(const cli_pair *pair);

/** Mean SSIM (7 x 7 windows, special samples left out) over at most 64 planes and 2^21 windows; NaN: no window fits. */
double cli_ssim(const cli_pair *pair, double range);

#define CLI_SPECTRUM_BINS 12

/** Power in octaves of wavelength: bin b holds wavelengths [2^b, 2^(b+1)) in samples. */
typedef struct cli_spectrum {
    uint32_t n_planes; /**< planes measured, at most 16; 0: the array is too small */
    double original[CLI_SPECTRUM_BINS], decoded[CLI_SPECTRUM_BINS], error[CLI_SPECTRUM_BINS];
} cli_spectrum;

/** @return false without memory. */
bool cli_spectrum_measure(const cli_pair *pair, cli_spectrum *out);

#endif
