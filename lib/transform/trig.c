/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/trig.h"

/* pi / 4 as the sum of a number of 29 bits, so that its product with r < 2^23 is exact, and the rest. */
static const double quarter_hi = 0x1.921fb54p-1;
static const double quarter_lo = 0x1.10b4611a62633p-31;
/* Adding and subtracting this rounds to a multiple of 2^-30. */
static const double round_30 = 0x1.8p22;

/* Taylor terms of sin(y) / y and cos(y) in y^2; for y <= pi / 4 the next term is under 2^-57. */
static const double sine_term[9] = { 1.0,
                                     -0x1.5555555555555p-3,
                                     0x1.1111111111111p-7,
                                     -0x1.a01a01a01a01ap-13,
                                     0x1.71de3a556c734p-19,
                                     -0x1.ae64567f544e4p-26,
                                     0x1.6124613a86d09p-33,
                                     -0x1.ae7f3e733b81fp-41,
                                     0x1.952c77030ad4ap-49 };
static const double cosine_term[9] = { 1.0,
                                       -0.5,
                                       0x1.5555555555555p-5,
                                       -0x1.6c16c16c16c17p-10,
                                       0x1.a01a01a01a01ap-16,
                                       -0x1.27e4fb7789f5cp-22,
                                       0x1.1eed8eff8d898p-29,
                                       -0x1.93974a8c07c9dp-37,
                                       0x1.ae7f3e733b81fp-45 };

/* c[1] + z (c[2] + z (...)), everything but the leading term. */
static double tail(const double *c, double z)
{
    double v = c[8];

    for (int i = 7; i >= 1; i--)
        v = c[i] + z * v;
    return v;
}

void fmc_trig(uint32_t k, uint32_t n, double *cosine, double *sine)
{
    const uint32_t octant = (uint32_t)((uint64_t)8 * k / n);
    const uint32_t rest = 8 * k - octant * n;
    const uint32_t r = octant & 1 ? n - rest : rest;
    const double count = (double)n, whole = (double)r * quarter_hi;
    const double y_hi = (whole / count + round_30) - round_30;              /* so that y_hi * count is exact */
    const double y_lo = (whole - y_hi * count) / count + (double)r * quarter_lo / count;
    const double y = y_hi + y_lo, z = y * y;
    const double s = y_hi + (y_lo + y * (z * tail(sine_term, z)));
    const double c = 1.0 + z * tail(cosine_term, z);
    /* the octants by symmetry: which of the two is the cosine, and the signs */
    const int swapped = ((octant + 1) & 2) != 0;
    const double a = swapped ? s : c, b = swapped ? c : s;

    *cosine = octant >= 2 && octant <= 5 ? -a : a;
    *sine = octant >= 4 ? -b : b;
}
