/* SPDX-License-Identifier: Apache-2.0 */
/* How far the decoded samples are from the original ones, and whether the bound holds. */
#include "stats.h"

#include <float.h>
#include <math.h>
#include <string.h>

double cli_sample(uint32_t dtype, const uint8_t *data, uint64_t i)
{
    float single = 0.0F;
    double value = 0.0;
    if (dtype == FMC_F64) {
        memcpy(&value, data + 8 * i, 8);
        return value;
    }
    memcpy(&single, data + 4 * i, 4);
    return (double)single;
}

static bool is_fill(const cli_pair *pair, double x)
{
    if (!pair->has_fill)
        return false;
    return x == (pair->dtype == FMC_F32 ? (double)(float)pair->fill : pair->fill);
}

bool cli_sample_is_special(const cli_pair *pair, double x)
{
    return !isfinite(x) || is_fill(pair, x);
}

static bool is_changed(const cli_pair *pair, uint64_t i)
{
    const size_t width = pair->dtype == FMC_F64 ? 8 : 4;
    return memcmp(pair->original + i * width, pair->decoded + i * width, width) != 0;
}

static void measure_range(const cli_pair *pair, cli_errors *e)
{
    e->min = INFINITY;
    e->max = -INFINITY;
    for (uint64_t i = 0; i < pair->n; i++) {
        const double x = cli_sample(pair->dtype, pair->original, i);
        if (cli_sample_is_special(pair, x))
            continue;
        e->n_valid++;
        if (x < e->min)
            e->min = x;
        if (x > e->max)
            e->max = x;
    }
    if (e->n_valid == 0)
        e->min = e->max = 0.0;
    e->range = fmin(e->max - e->min, DBL_MAX);
}

/* A number as the sum of two: hi is the f64 nearest to it. */
typedef struct exact_number {
    double hi, lo;
} exact_number;

/* a - b exactly (TwoDiff: Knuth, The Art of Computer Programming 2, 4.2.2). */
static exact_number exact_difference(double a, double b)
{
    const double d = a - b;
    const double bv = a - d;
    const double av = d + bv;
    return (exact_number){ d, (a - av) + (bv - b) };
}

/* factor * x, exact but for the last bits of lo. */
static exact_number exact_product(double factor, exact_number x)
{
    const double hi = factor * x.hi;
    const double lo = fma(factor, x.hi, -hi) + factor * x.lo;
    const double sum = hi + lo;
    return (exact_number){ sum, lo - (sum - hi) };
}

/*
 * Whether |x - y| <= limit in exact arithmetic. fabs(x - y) <= limit is not enough: the difference is rounded, and
 * errors up to half an ulp too large would pass. Both hi are the nearest f64, so only a tie needs the remainders.
 */
static bool is_within(double x, double y, exact_number limit)
{
    exact_number d = exact_difference(x, y);
    if (d.hi < 0.0)
        d = (exact_number){ -d.hi, -d.lo };
    return d.hi < limit.hi || (d.hi == limit.hi && d.lo <= limit.lo);
}

/* Pointwise relative: zeros exact, signs kept, |x' - x| <= bound * |x|. */
static bool is_within_relative(double x, double y, double bound)
{
    const double scale = fabs(x) < 0x1p-400 && fabs(y) < 0x1p-400 ? 0x1p+512 : 1.0; /* products must not lose bits */
    if (signbit(x) != signbit(y))
        return false;
    if (x == 0.0 || y == 0.0)
        return x == y;
    return is_within(x * scale, y * scale, exact_product(bound, (exact_number){ fabs(x) * scale, 0.0 }));
}

/* The largest error that the bound allows any sample; hi is negative if it sets none. */
static exact_number pointwise_limit(const fmc_info *info, const cli_errors *e)
{
    switch (info->bound_kind) {
    case FMC_BOUND_ABS:
        return (exact_number){ info->bound, 0.0 };
    case FMC_BOUND_REL:
        return exact_product(info->bound,
                             e->range < DBL_MAX ? exact_difference(e->max, e->min) : (exact_number){ DBL_MAX, 0.0 });
    case FMC_BOUND_LOSSLESS:
        return (exact_number){ 0.0, 0.0 };
    default:
        return (exact_number){ -1.0, 0.0 };
    }
}

/* Sums of squares in blocks: the rounding of 2^40 terms stays far below what is printed. */
typedef struct square_sum {
    double block, total;
    uint32_t n;
} square_sum;

static void add_square(square_sum *s, double x)
{
    s->block += x * x;
    if (++s->n < 4096)
        return;
    s->total += s->block;
    s->block = 0.0;
    s->n = 0;
}

static void measure_sample(const cli_pair *pair, const fmc_info *info, uint64_t i, double x, cli_errors *e)
{
    const double y = cli_sample(pair->dtype, pair->decoded, i);
    const exact_number limit = { e->tolerance, e->tolerance_low };
    const double error = fabs(x - y);
    bool is_good = isfinite(y);
    if (info->bound_kind == FMC_BOUND_PW_REL)
        is_good = is_good && is_within_relative(x, y, info->bound);
    else if (e->tolerance >= 0.0)
        is_good = is_good && is_within(x, y, limit);
    if (!is_good)
        e->n_over++;
    if (is_fill(pair, y))
        e->n_became_fill++;
    if (!(error <= e->max_abs)) {
        e->max_abs = isnan(error) ? INFINITY : error;
        e->worst = i;
    }
    if (x != 0.0 && !(error / fabs(x) <= e->max_rel))
        e->max_rel = isnan(error) ? INFINITY : error / fabs(x);
}

void cli_errors_measure(const cli_pair *pair, const fmc_info *info, cli_errors *out)
{
    square_sum sum = { 0 };
    *out = (cli_errors){ 0 };
    measure_range(pair, out);
    const exact_number limit = pointwise_limit(info, out);
    out->tolerance = limit.hi;
    out->tolerance_low = limit.lo;
    const double unit = out->range > 0.0 ? out->range : 1.0; /* keeps squares in reach */
    for (uint64_t i = 0; i < pair->n; i++) {
        const double x = cli_sample(pair->dtype, pair->original, i);
        const bool has_changed = is_changed(pair, i);
        const bool is_special = cli_sample_is_special(pair, x);
        out->n_changed += has_changed;
        out->n_special += is_special;
        out->n_special_changed += is_special && has_changed;
        if (is_special)
            continue;
        measure_sample(pair, info, i, x, out);
        add_square(&sum, (x - cli_sample(pair->dtype, pair->decoded, i)) / unit);
    }
    const double mean = out->n_valid ? (sum.total + sum.block) / (double)out->n_valid : 0.0;
    out->rmse = sqrt(mean) * unit;
    out->nrmse = out->rmse == 0.0 ? 0.0 : out->range > 0.0 ? sqrt(mean) : INFINITY;
    out->psnr = -20.0 * log10(out->nrmse);
}

bool cli_errors_holds(const cli_errors *e, const fmc_info *info)
{
    const double slack = 1.0 + 1e-9; /* sums of squares depend on the order of summation */
    if (e->n_special_changed || e->n_over)
        return false;
    switch (info->bound_kind) {
    case FMC_BOUND_LOSSLESS:
        return e->n_changed == 0;
    case FMC_BOUND_NRMSE:
        return e->nrmse <= info->bound * slack;
    case FMC_BOUND_PSNR:
        return e->psnr >= info->bound - 1e-8;
    case FMC_BOUND_SIZE:
        return (double)info->stream_size <= info->bound;
    default:
        return true;
    }
}
