/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/sort.h"

#include <stdint.h>
#include <string.h>

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, FEW = 24 };

/* Bits whose order as an unsigned integer is the number's. */
static uint64_t key_of(double v)
{
    uint64_t u;

    memcpy(&u, &v, sizeof u);
    return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

static void insertion(double *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const double x = v[i];
        size_t j = i;

        for (; j > 0 && key_of(v[j - 1]) > key_of(x); j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

/* One stable pass by the digit at `shift`. */
static void pass(const double *from, double *to, size_t n, unsigned shift)
{
    size_t at[DIGITS] = { 0 }, sum = 0;

    for (size_t i = 0; i < n; i++)
        at[key_of(from[i]) >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        const size_t count = at[d];

        at[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[at[key_of(from[i]) >> shift & (DIGITS - 1)]++] = from[i];
}

/* Digit by digit from the lowest; digits that all have in common are left out, as most are in numbers that were f32. */
void fmc_sort_f64(double *v, size_t n, double *spare)
{
    uint64_t any = 0, all = UINT64_MAX;
    double *from = v, *to = spare;

    if (n <= FEW) {
        insertion(v, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        any |= key_of(v[i]);
        all &= key_of(v[i]);
    }
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS)
        if ((any ^ all) >> shift & (DIGITS - 1)) {
            double *const swap = from;

            pass(from, to, n, shift);
            from = to;
            to = swap;
        }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}
