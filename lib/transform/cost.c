/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many bits the coefficient coder needs, without coding. Its contexts tell it the mean magnitude around a value, so
 * the bits follow from local means: here those of blocks of 4 x 2 values, the block itself among them.
 */
#include "transform/cost.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "ops/kernels.h"
#include "transform/gain.h"

enum {
    LEVELS = 2048,        /* of the histogram of magnitudes: 8 an octave, all of a float's exponents */
    DIFFERENCES = 128,    /* of a row, made at a time */
    TASK_VALUES = 65536,  /* of a task, about */
    MAX_TASKS = 64,
    MAX_STEP = 128,       /* RMSEs */
    MAX_PARTS = 3,        /* of a row: the finest two halvings, all else */
    SHORT = 16,           /* rows and parts of fewer values are one part */
    GAIN_ONE = 1024
};

/* Values quantise to 0 below this many steps: 1 less what the kernel adds before it truncates. */
#define DEAD_ZONE 0.62

/*
 * Bits of a block that is not all zero, for an octave of 1 + twice the mean magnitude, and of a value that is not zero:
 * least squares against coded sizes of some 700 plans for train fields.
 */
static const double block_bits = 6.3, octave_bits = 7.4, value_bits = 0.46;

typedef struct level_counts {
    uint32_t n[LEVELS];
} level_counts;

static inline uint32_t float_bits(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static double level_value(uint32_t i)
{
    const uint32_t middle = (i << 20) + (1u << 19);
    float v;

    memcpy(&v, &middle, sizeof v);
    return v;
}

/*
 * Step in units of the wanted RMSE: values below the dead zone are their own error, that of others is uniform. The
 * step is among those whose dead zone reaches to level i, the first where the error is too large.
 */
static double find_step(const level_counts *h)
{
    double count = 0, above, below = 0, last = 0;

    for (uint32_t i = 0; i < LEVELS; i++)
        count += h->n[i];
    above = count;
    for (uint32_t i = 0; i < LEVELS && last < MAX_STEP; i++) {
        const double v = level_value(i), step = v / DEAD_ZONE, n = h->n[i];

        if (below + above * step * step / 12 >= count) {
            const double s = below < count && above > 0 ? sqrt(12 * (count - below) / above) : last;

            last = s < last ? last : s > step ? step : s;
            break;
        }
        below += n * v * v;
        above -= n;
        last = step;
    }
    return last < 1 ? 1 : last > MAX_STEP ? MAX_STEP : last;
}

/* The box of lowest bands where the coder predicts values from their neighbours; 0: it has none. */
static int find_low(const fmc_tx_plan *plan, size_t *low)
{
    for (uint32_t a = 0; a < plan->rank; a++) {
        if (plan->kind[a] > FMC_TX_PACKET)
            return 0;
        low[a] = plan->dim[a];
        for (uint8_t l = 0; l < plan->levels[a]; l++)
            low[a] = (low[a] + 1) / 2;
    }
    return 1;
}

/* What is added up over rows; whole numbers, so that the order does not matter. */
typedef struct row_sums {
    uint64_t pair[FMC_COST_SUMS];   /* of two rows */
    uint64_t single[FMC_COST_SUMS]; /* of rows beside themselves: twice what they cost */
} row_sums;

/* Parts of a row whose errors are worth the same: where they end, and what they are worth. */
typedef struct row_parts {
    size_t   end[MAX_PARTS];
    double   gain[MAX_PARTS];
    uint32_t n;
} row_parts;

static row_parts parts_of(const fmc_tx_plan *plan)
{
    const uint32_t axis = plan->rank - 1;
    size_t size[MAX_PARTS] = { plan->dim[axis] };
    row_parts p = { .n = 1 };

    for (; p.n < MAX_PARTS && p.n <= plan->levels[axis] && size[p.n - 1] >= SHORT; p.n++)
        size[p.n] = (size[p.n - 1] + 1) / 2;
    for (uint32_t i = 0; i < p.n; i++) {
        p.end[i] = size[p.n - 1 - i];
        p.gain[i] = fmc_tx_filter_gain(plan, axis, p.end[i] - 1);
    }
    return p;
}

static double total(const row_sums *s, int i)
{
    return (double)s->pair[i] + 0.5 * (double)s->single[i];
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/cost_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/cost_real.h"
#undef REAL
#undef NAME
#undef KERNEL
