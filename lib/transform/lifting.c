/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDF 9/7 by lifting: Daubechies and Sweldens, "Factoring wavelet transforms into lifting steps", 1998, section 7.7. The 21/19
 * pair is a biorthogonal one of our own: four vanishing moments of either high filter, and what eight steps leave free chosen
 * for the fewest bytes of coded fields (docs/decisions.md, Transform and choice).
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

#define LONG_0 -1.0694593434126969
#define LONG_1 0.10357957537218564
#define LONG_2 0.5756357312941214
#define LONG_2_WIDE 0.2569054506387527 /* of rows three away */
#define LONG_3 -0.35549341099661125
#define LONG_4 0.5237261670450993
#define LONG_5 0.31872619353413617
#define LONG_6 -0.34731563154547634
#define LONG_7 0.5960460178736385
#define LONG_LOW_GAIN 1.1773926890210635
#define LONG_HIGH_GAIN 0.8493343039453084

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
