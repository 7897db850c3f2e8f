/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structural similarity of planes: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment, IEEE Transactions on
 * Image Processing 13 (2004), equation 13, with uniform 7 x 7 windows, sample covariances, K1 = 0.01 and K2 = 0.03.
 */
#include "stats.h"

#include <math.h>

enum { WINDOW = 7, MAX_PLANES = 64, MAX_WINDOWS = 1 << 21 };

cli_planes cli_planes_of(const cli_pair *pair)
{
    cli_planes planes = { .height = 1, .width = 1, .count = 1 };
    uint32_t n_axes = 0;
    for (uint32_t a = pair->rank; a-- > 0;) {
        if (pair->dim[a] == 1)
            continue;
        if (n_axes == 0)
            planes.width = pair->dim[a];
        else if (n_axes == 1)
            planes.height = pair->dim[a];
        else
            planes.count *= pair->dim[a];
        n_axes++;
    }
    return planes;
}

typedef struct window_sums {
    double x, y, xx, yy, xy;
    bool is_special;
} window_sums;

/* Sums over the window whose first sample has this index, relative to centre (against cancellation). */
static window_sums sum_window(const cli_pair *pair, uint64_t first, uint64_t width, double centre)
{
    window_sums s = { 0 };
    for (uint64_t row = 0; row < WINDOW; row++)
        for (uint64_t i = first + row * width; i < first + row * width + WINDOW; i++) {
            const double x = cli_sample(pair->dtype, pair->original, i) - centre;
            const double y = cli_sample(pair->dtype, pair->decoded, i) - centre;
            s.is_special = s.is_special || cli_sample_is_special(pair, x + centre) || !isfinite(y);
            s.x += x;
            s.y += y;
            s.xx += x * x;
            s.yy += y * y;
            s.xy += x * y;
        }
    return s;
}

/* SSIM of one window; offset is what was taken from the samples. */
static double window_ssim(const window_sums *s, double range, double offset)
{
    const double n = (double)(WINDOW * WINDOW);
    const double c1 = 1e-4 * range * range;
    const double c2 = 9e-4 * range * range;
    const double mx = s->x / n, my = s->y / n;
    const double vx = (s->xx - s->x * mx) / (n - 1.0), vy = (s->yy - s->y * my) / (n - 1.0);
    const double vxy = (s->xy - s->x * my) / (n - 1.0);
    const double ux = mx + offset, uy = my + offset;
    return (2.0 * ux * uy + c1) * (2.0 * vxy + c2) / ((ux * ux + uy * uy + c1) * (vx + vy + c2));
}

typedef struct mean_sum {
    double sum;
    uint64_t n;
} mean_sum;

/* Windows every `step` samples of one plane. */
static void add_plane(const cli_pair *pair, const cli_planes *planes, uint64_t plane, uint64_t step, double range,
                      mean_sum *out)
{
    const uint64_t base = plane * planes->height * planes->width;
    for (uint64_t row = 0; row + WINDOW <= planes->height; row += step)
        for (uint64_t column = 0; column + WINDOW <= planes->width; column += step) {
            const uint64_t first = base + row * planes->width + column;
            const double centre = cli_sample(pair->dtype, pair->original, first);
            if (cli_sample_is_special(pair, centre))
                continue;
            const window_sums s = sum_window(pair, first, planes->width, centre);
            if (s.is_special)
                continue;
            out->sum += window_ssim(&s, range, centre);
            out->n++;
        }
}

double cli_ssim(const cli_pair *pair, double range)
{
    const cli_planes planes = cli_planes_of(pair);
    const uint64_t n = planes.count < MAX_PLANES ? planes.count : MAX_PLANES;
    uint64_t step = 1;
    mean_sum mean = { 0 };
    if (pair->n == 0 || planes.height < WINDOW || planes.width < WINDOW || !(range > 0.0))
        return NAN;
    while (n * (planes.height / step) * (planes.width / step) > MAX_WINDOWS)
        step++;
    for (uint64_t i = 0; i < n; i++)
        add_plane(pair, &planes, i * planes.count / n, step, range, &mean);
    return mean.n ? mean.sum / (double)mean.n : NAN;
}
