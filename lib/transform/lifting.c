/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDF 9/7 by lifting: Daubechies and Sweldens, "Factoring wavelet transforms into lifting steps", 1998, section 7.7. The 17/11
 * pair is of the same family (Cohen, Daubechies and Feauveau, 1992): eight vanishing moments of the low filter, six of the high
 * one, their other zeros shared out so that the basis is nearly orthonormal; factored in the same way.
 */
#include "transform/lifting.h"

#include "ops/kernels.h"

#define LIFT_0 -1.586134342059924
#define LIFT_1 -0.052980118572961
#define LIFT_2 0.882911075530934
#define LIFT_3 0.443506852043971
/* sqrt(2) / 1.2301741..., which makes the basis nearly orthonormal, and one over it. */
#define LOW_GAIN 1.149604398860241
#define HIGH_GAIN 0.8698644516247814

#define LONG_0 -0.9971506910524006
#define LONG_1 0.2735119746850787
#define LONG_2 -0.3874604404522646
#define LONG_3 -0.2865032579683754
#define LONG_4 0.5485941682554721
#define LONG_5 0.3438132627541017
#define LONG_6 -0.09982321701000062 /* of rows three away */
#define LONG_LOW_GAIN 1.151306154640022
#define LONG_HIGH_GAIN 0.8685786973080766

/* Short lines along the fastest axis are turned, so many at a time: calls and odd ends of theirs took most of the time. */
enum { TURNED = 16, LONGEST_TURNED = 512 };

/* Lines side by side: many for the sake of the cache lines, few enough to stay inside the cache; 1: line by line. */
static size_t lanes_for(const fmc_lines *lines)
{
    if (lines->stride == 1 && lines->n <= LONGEST_TURNED && lines->count >= TURNED)
        return TURNED;
    if (lines->stride == 1 || lines->count < 4 || lines->n > 32768)
        return 1;
    if (lines->n > 4096)
        return 8;
    return lines->n > 1024 ? 16 : 32;
}

/* The same of the longer filter, which has no way for single lines: 1 are lanes too. */
static size_t long_lanes_for(const fmc_lines *lines)
{
    if (lines->stride == 1 && lines->n <= 32768)
        return lines->count < TURNED ? lines->count : TURNED;
    return lines->stride == 1 || lines->n > 32768 ? 1 : lanes_for(lines) > 1 ? lanes_for(lines) : lines->count;
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/lifting_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/lifting_real.h"
#undef REAL
#undef NAME
#undef KERNEL
