/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DCT and real DFT. Two real lines make one complex line of a mixed-radix Stockham transform; the DCT goes through a
 * DFT of the same length (Makhoul, "A fast cosine transform in one and two dimensions", 1980). Short lines and those
 * with a large prime factor are multiplied by the matrix.
 */
#include "transform/spectral.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "ops/kernels.h"
#include "transform/trig.h"

/* Format constants: lines up to DENSE_MAX, and those with a larger prime factor than PRIME_MAX, are dense. */
enum { DENSE_MAX = 16, DENSE_LIMIT = 256, PRIME_MAX = 127, MAX_PASSES = 12 };

typedef struct fft_passes {
    uint32_t     n;
    fmc_fft_pass pass[MAX_PASSES];
} fft_passes;

static size_t largest_prime(size_t n)
{
    size_t largest = 1;

    for (size_t p = 2; p * p <= n; p++)
        for (; n % p == 0; n /= p)
            largest = p;
    return n > largest ? n : largest;
}

static int is_dense(size_t n)
{
    return n <= DENSE_MAX || largest_prime(n) > PRIME_MAX;
}

int fmc_spectral_is_possible(size_t n)
{
    return n >= 1 && n <= FMC_TX_MAX_SPECTRAL && (n <= DENSE_LIMIT || largest_prime(n) <= PRIME_MAX);
}

/* The factors in the order of docs/format.md 6.4: 4, then 2, then odd primes rising. */
static fft_passes make_passes(size_t n)
{
    fft_passes p = { 0 };
    size_t left = n, done = 1, radix = 4;

    while (left > 1) {
        if (left % radix) {
            radix = radix == 4 ? 2 : radix == 2 ? 3 : radix + 2;
            continue;
        }
        left /= radix;
        p.pass[p.n++] = (fmc_fft_pass){ .radix = (uint32_t)radix, .m = (uint32_t)left, .s = (uint32_t)done };
        done *= radix;
    }
    return p;
}

/* wave[2 k], wave[2 k + 1] = cosine and sine of 2 pi k / 4 n, k < 4 n */
static void make_waves(size_t n, double *wave)
{
    for (size_t k = 0; k < 4 * n; k++)
        fmc_trig((uint32_t)k, (uint32_t)(4 * n), &wave[2 * k], &wave[2 * k + 1]);
}

/* Sample i of basis vector k. */
static double basis_value(uint32_t kind, size_t n, size_t k, size_t i, const double *wave)
{
    const double g = sqrt(2.0 / (double)n);
    size_t f;

    if (k == 0)
        return sqrt(1.0 / (double)n);
    if (kind == FMC_TX_DCT)
        return g * wave[2 * ((2 * i + 1) * k % (4 * n))];
    f = (k + 1) / 2;
    if (2 * f == n)
        return i % 2 ? -sqrt(1.0 / (double)n) : sqrt(1.0 / (double)n);
    return k % 2 ? g * wave[2 * (4 * f * i % (4 * n))] : -g * wave[2 * (4 * f * i % (4 * n)) + 1];
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/spectral_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/spectral_real.h"
#undef REAL
#undef NAME
#undef KERNEL
