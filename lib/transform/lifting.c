/* SPDX-License-Identifier: Apache-2.0 */
/* CDF 9/7 by lifting: Daubechies and Sweldens, "Factoring wavelet transforms into lifting steps", 1998, section 7.7. */
#include "transform/lifting.h"

#include "ops/kernels.h"

#define LIFT_0 -1.586134342059924
#define LIFT_1 -0.052980118572961
#define LIFT_2 0.882911075530934
#define LIFT_3 0.443506852043971
/* sqrt(2) / 1.2301741..., which makes the basis nearly orthonormal, and one over it. */
#define LOW_GAIN 1.149604398860241
#define HIGH_GAIN 0.8698644516247814

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
