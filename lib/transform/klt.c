/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/klt.h"

#include <math.h>
#include <string.h>
#include "core/status.h"
#include "ops/kernels.h"

/* Lines of a covariance that are multiplied at a time; rows of matrices are padded to whole vectors. */
enum { LINES = 64, PAD = 16 };

/* Lines looked at for a covariance: enough for its n^2 / 2 numbers. */
static size_t sample_lines(const fmc_lines *lines)
{
    const size_t enough = 16 * lines->n + 256;

    return lines->count < enough ? lines->count : enough;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* v = v / |v| */
static void normalize(size_t n, double *v)
{
    const double length = sqrt(dot(n, v, v));

    for (size_t i = 0; i < n; i++)
        v[i] = v[i] / length;
}

/* rest = rest - q q^T */
static void take_away(size_t n, double *rest, const double *q)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            rest[i * n + k] = rest[i * n + k] - q[i] * q[k];
}

/* Take the directions of the stored vectors out of the projector `rest`. */
static void take_away_stored(size_t n, size_t n_rows, const double *basis, double *rest, double *q)
{
    for (size_t j = 0; j < n_rows; j++) {
        for (size_t i = 0; i < n; i++)
            q[i] = dot(n, rest + i * n, basis + j * n);
        if (dot(n, q, q) > 0x1p-20) { /* else it is nearly one of the earlier ones' sums */
            normalize(n, q);
            take_away(n, rest, q);
        }
    }
}

/* The vectors that are not stored: always the axis that is covered least, orthogonal to all so far. */
static void add_missing(size_t n, size_t n_rows, double *basis, double *rest)
{
    for (size_t j = n_rows; j < n; j++) {
        size_t best = 0;

        for (size_t i = 1; i < n; i++)
            if (rest[i * n + i] > rest[best * n + best])
                best = i;
        memcpy(basis + j * n, rest + best * n, n * sizeof *basis);
        normalize(n, basis + j * n);
        take_away(n, rest, basis + j * n);
    }
}

fmc_status fmc_klt_complete(const fmc_allocator *alloc, const fmc_tx_klt *klt, double *basis)
{
    const size_t n = klt->n;
    fmc_status st = FMC_OK;
    double *rest = NULL;

    for (size_t j = 0; j < klt->n_rows; j++) {
        for (size_t i = 0; i < n; i++)
            basis[j * n + i] = (double)klt->row[j][i];
        if (!(dot(n, basis + j * n, basis + j * n) > 0))
            return FMC_ERR_CORRUPT;
        normalize(n, basis + j * n);
    }
    if (klt->n_rows == n)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC_ZERO(alloc, n * n + n, &rest));
    for (size_t i = 0; i < n; i++)
        rest[i * n + i] = 1;
    take_away_stored(n, klt->n_rows, basis, rest, rest + n * n);
    add_missing(n, klt->n_rows, basis, rest);
done:
    fmc_dealloc(alloc, rest);
    return st;
}

/* Swap rows a and b of both matrices. */
static void swap_rows(size_t n, double *m, double *inverse, size_t a, size_t b)
{
    for (size_t i = 0; i < n; i++) {
        const double x = m[a * n + i], y = inverse[a * n + i];

        m[a * n + i] = m[b * n + i];
        m[b * n + i] = x;
        inverse[a * n + i] = inverse[b * n + i];
        inverse[b * n + i] = y;
    }
}

/* x -= f * y */
static void subtract(size_t n, double *restrict x, double f, const double *restrict y)
{
    for (size_t i = 0; i < n; i++)
        x[i] -= f * y[i];
}

fmc_status fmc_klt_invert(size_t n, double *m, double *inverse)
{
    for (size_t i = 0; i < n * n; i++)
        inverse[i] = i / n == i % n;
    for (size_t c = 0; c < n; c++) {
        size_t pivot = c;
        double scale;

        for (size_t r = c + 1; r < n; r++)
            if (fabs(m[r * n + c]) > fabs(m[pivot * n + c]))
                pivot = r;
        if (!(fabs(m[pivot * n + c]) > 1e-6))
            return FMC_ERR_CORRUPT;
        swap_rows(n, m, inverse, c, pivot);
        scale = 1 / m[c * n + c];
        for (size_t i = 0; i < n; i++) {
            m[c * n + i] *= scale;
            inverse[c * n + i] *= scale;
        }
        for (size_t r = 0; r < n; r++) {
            const double f = m[r * n + c];

            if (r == c || f == 0)
                continue;
            subtract(n, m + r * n, f, m + c * n);
            subtract(n, inverse + r * n, f, inverse + c * n);
        }
    }
    return FMC_OK;
}

#define REAL float
#define NAME(x) x##_f32
#define KERNEL(k, x) (k)->x##_f32
#include "transform/klt_real.h"
#undef REAL
#undef NAME
#undef KERNEL
#define REAL double
#define NAME(x) x##_f64
#define KERNEL(k, x) (k)->x##_f64
#include "transform/klt_real.h"
#undef REAL
#undef NAME
#undef KERNEL
