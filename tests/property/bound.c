/* SPDX-License-Identifier: Apache-2.0 */
#include "bound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "big.h"

int sample_is_valid(const field *f, const fmc_params *params, size_t i)
{
    const double x = field_at(f, i);
    const double fill = f->sample == 4 ? (double)(float)params->fill_value : params->fill_value;

    return isfinite(x) && !(params->has_fill && x == fill);
}

static int bits_equal(const field *a, const field *b, size_t i)
{
    return !memcmp(a->plain + i * a->sample, b->plain + i * a->sample, a->sample);
}

/* max - min and number of the valid samples. */
static size_t find_range(const field *f, const fmc_params *params, big *range)
{
    double least = INFINITY, most = -INFINITY;
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        if (sample_is_valid(f, params, i)) {
            least = fmin(least, field_at(f, i));
            most = fmax(most, field_at(f, i));
            n++;
        }
    big_zero(range);
    if (n)
        big_distance(range, most, least);
    return n;
}

/* |x - y| <= limit, and if not how far off. `about` is a double near the limit, or 0 if there is none. */
static int is_near(double x, double y, const big *limit, double about)
{
    big distance;

    if (fabs(x - y) < about * (1 - 1e-9))
        return 1;
    if (!isfinite(y))
        return 0;
    big_distance(&distance, x, y);
    return big_compare(&distance, limit) <= 0;
}

static int pointwise_holds(const field *from, const field *back, const fmc_params *params, const big *limit, double about,
                           size_t i)
{
    const double x = field_at(from, i), y = field_at(back, i);
    big bound, size, product;

    if (params->bound_kind != FMC_BOUND_PW_REL)
        return is_near(x, y, limit, about);
    if (x == 0 || signbit(x) != signbit(y))
        return x == 0 && bits_equal(from, back, i);
    big_of(&bound, params->bound);
    big_of(&size, x);
    big_multiply(&product, &bound, &size);
    return is_near(x, y, &product, isnormal(x) && isnormal(params->bound * x) ? params->bound * fabs(x) : 0);
}

static void sum_squares(const field *from, const field *back, const fmc_params *params, big *sum)
{
    big distance, square;

    big_zero(sum);
    for (size_t i = 0; i < from->count; i++)
        if (sample_is_valid(from, params, i) && isfinite(field_at(back, i))) {
            big_distance(&distance, field_at(from, i), field_at(back, i));
            big_multiply(&square, &distance, &distance);
            big_add(sum, &square);
        }
}

/* sum e^2 <= n (bound range)^2, all exact. */
static int nrmse_holds(const field *from, const field *back, const fmc_params *params, const big *range, size_t n)
{
    big sum, limit, product, bound;

    sum_squares(from, back, params, &sum);
    big_of(&bound, params->bound);
    big_multiply(&product, &bound, range);
    big_multiply(&limit, &product, &product);
    big_scale(&limit, (uint32_t)n);
    return big_compare(&sum, &limit) <= 0;
}

static long double as_real(const big *a)
{
    long double x = 0;

    for (int i = a->lo; i < a->hi; i++)
        x += ldexpl(a->w[i], 32 * i - BIG_POINT);
    return x;
}

static int psnr_holds(const field *from, const field *back, const fmc_params *params, const big *range, size_t n)
{
    big sum;
    long double rmse;

    sum_squares(from, back, params, &sum);
    if (sum.lo == sum.hi)
        return 1;
    rmse = sqrtl(as_real(&sum) / (long double)n);
    return rmse <= as_real(range) * powl(10.0L, -(long double)params->bound / 20) * (1 + 1e-15L);
}

static int is_pointwise(uint32_t kind)
{
    return kind == FMC_BOUND_ABS || kind == FMC_BOUND_REL || kind == FMC_BOUND_PW_REL;
}

/* The samples that must come back bit for bit do, and every other one keeps a pointwise bound. */
static int samples_hold(const field *from, const field *back, const fmc_params *params, const big *limit, char *why,
                        size_t size)
{
    const double about = (double)as_real(limit);
    const int has_near = isnormal(about);

    for (size_t i = 0; i < from->count; i++) {
        const int is_exact = params->bound_kind == FMC_BOUND_LOSSLESS || !sample_is_valid(from, params, i);
        const int is_kept = is_exact ? bits_equal(from, back, i) : isfinite(field_at(back, i));

        if (!is_kept || (!is_exact && is_pointwise(params->bound_kind) &&
                         !pointwise_holds(from, back, params, limit, has_near ? about : 0, i))) {
            snprintf(why, size, "sample %zu: %.17g came back as %.17g", i, field_at(from, i), field_at(back, i));
            return 0;
        }
    }
    return 1;
}

int bound_holds(const field *from, const field *back, const fmc_params *params, char *why, size_t size)
{
    big range, bound, limit;
    const size_t n = find_range(from, params, &range);

    big_of(&bound, params->bound);
    if (params->bound_kind == FMC_BOUND_REL)
        big_multiply(&limit, &bound, &range);
    else
        limit = bound;
    if (!samples_hold(from, back, params, &limit, why, size))
        return 0;
    if (params->bound_kind == FMC_BOUND_NRMSE && !nrmse_holds(from, back, params, &range, n)) {
        snprintf(why, size, "the root mean square error is above the bound");
        return 0;
    }
    if (params->bound_kind == FMC_BOUND_PSNR && !psnr_holds(from, back, params, &range, n)) {
        snprintf(why, size, "the peak signal-to-noise ratio is below the bound");
        return 0;
    }
    return 1;
}
