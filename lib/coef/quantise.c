/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/quantise.h"

#include <math.h>
#include <string.h>

#include "coef/coef.h"
#include "coef/slices.h"
#include "core/status.h"
#include "ops/kernels.h"

/* Values a task works on; bands of which all rows are searched. */
enum { SLICE = 1 << 15, SMALL_BAND = 1 << 13 };

/* By class of neighbourhood and magnitude 1, 2, 3+: values, and sums of |c| / step - |q|; its square in all. */
typedef struct bin_stats {
    double n[FMC_QUANT_CLASSES][FMC_QUANT_SIZES];
    double sum[FMC_QUANT_CLASSES][FMC_QUANT_SIZES];
    double square;
} bin_stats;

/* A row's sums into the slice's. */
static void add_quant_sums(bin_stats *total, const fmc_quant_sums *s, double weight)
{
    for (int j = 0; j < FMC_SUM_LANES; j++) {
        total->square += weight * (double)s->square[j];
        for (int m = 0; m < FMC_QUANT_SIZES; m++) {
            total->n[0][m] += weight * (double)s->count[m][j];
            total->sum[0][m] += weight * (double)s->sum[m][j];
        }
    }
}

static void add_centre_sums(bin_stats *total, const fmc_centre_sums *s, double weight)
{
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < FMC_QUANT_SIZES; m++)
            for (int j = 0; j < FMC_SUM_LANES; j++) {
                total->n[k][m] += weight * (double)s->count[FMC_QUANT_SIZES * k + m][j];
                total->sum[k][m] += weight * (double)s->sum[FMC_QUANT_SIZES * k + m][j];
            }
}

static void add_stats(bin_stats *total, const bin_stats *part, size_t n, double weight)
{
    for (size_t i = 0; i < n; i++) {
        total->square += weight * part[i].square;
        for (int k = 0; k < FMC_QUANT_CLASSES; k++)
            for (int m = 0; m < FMC_QUANT_SIZES; m++) {
                total->n[k][m] += weight * part[i].n[k][m];
                total->sum[k][m] += weight * part[i].sum[k][m];
            }
    }
}

/*
 * The k-th row of a sample of one row in `every`, in rising order. Each residue has its turn: with a fixed one all rows
 * would have the same place along an axis whose extent is a multiple of it.
 */
static size_t sampled_row(size_t k, size_t every)
{
    return k * every + k * 5 % every;
}

/* In units of step^2, with each bin decoded to its mean. */
static double squared_error(const bin_stats *s)
{
    double e = s->square;

    for (int m = 0; m < FMC_QUANT_SIZES; m++)
        if (s->n[0][m] > 0)
            e -= s->sum[0][m] * s->sum[0][m] / s->n[0][m];
    return e > 0 ? e : 0;
}

static void set_centres(const bin_stats *s, fmc_quantiser *z)
{
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        for (int m = 0; m < FMC_QUANT_SIZES; m++) {
            const double n = s->n[k][m], v = n > 8 ? s->sum[k][m] / n * 256 : 0;

            z->centre[k][m] = (int8_t)lrint(v > 127 ? 127 : v < -127 ? -127 : v);
        }
}

/* Row `row` of a band's integers, counting all leading axes, and those beside it; the row itself beyond the band. */
typedef struct near_rows {
    size_t own, north, south;
} near_rows;

static near_rows rows_at(const fmc_band *band, size_t row)
{
    const size_t n = band->dim[4], own = band->start + row * n;
    near_rows r = { own, own, own };

    if (row % band->dim[3])
        r.north -= n;
    if ((row + 1) % band->dim[3])
        r.south += n;
    return r;
}

/* The same of its coefficients. */
static near_rows coefficients_at(const fmc_band *band, size_t row, const size_t *pitch)
{
    const size_t rows = band->dim[3];
    near_rows r;
    size_t own;

    if (!pitch)
        return rows_at(band, row);
    own = fmc_slices_row_start(band, row, pitch);
    r = (near_rows){ own, own, own };
    if (row % rows)
        r.north -= pitch[3];
    if ((row + 1) % rows)
        r.south += pitch[3];
    return r;
}

/* Centres need no more than some rows of a large band. */
static size_t centre_sampling(const fmc_band *band)
{
    const size_t every = band->count >> 15;

    return every < 1 ? 1 : every > 4 ? 4 : every;
}

double fmc_quantise_round_step(double step)
{
    uint64_t bits;

    memcpy(&bits, &step, sizeof bits);
    bits &= ~(uint64_t)UINT32_MAX;
    memcpy(&step, &bits, sizeof step);
    return step;
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "coef/quantise_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "coef/quantise_real.h"
