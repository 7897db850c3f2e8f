/* SPDX-License-Identifier: Apache-2.0 */
/* Making a basis (encoder only) and its bytes. */
#include <math.h>
#include <string.h>
#include "core/status.h"
#include "transform/klt.h"

enum { MAX_STEPS = 40 };

/* By selection, largest first. */
static void sort_vectors(size_t n, double *a, double *v)
{
    for (size_t j = 0; j < n; j++) {
        size_t best = j;

        for (size_t k = j + 1; k < n; k++)
            if (a[k * n + k] > a[best * n + best])
                best = k;
        if (best != j) {
            const double value = a[j * n + j];

            a[j * n + j] = a[best * n + best];
            a[best * n + best] = value;
            for (size_t i = 0; i < n; i++) {
                const double x = v[j * n + i];

                v[j * n + i] = v[best * n + i];
                v[best * n + i] = x;
            }
        }
    }
}

/* x += f * y */
static void add_times(size_t n, double *restrict x, double f, const double *restrict y)
{
    for (size_t i = 0; i < n; i++)
        x[i] += f * y[i];
}

/* a = H a H for the reflection H of unit vector u, whose first `from` numbers are 0, and v = H v; a is symmetric. */
static void reflect(size_t n, size_t from, const double *u, double *a, double *v)
{
    double w[FMC_TX_MAX_KLT] = { 0 }, uw = 0;

    for (size_t i = from; i < n; i++)
        add_times(n - from, w + from, u[i], a + i * n + from);
    for (size_t i = from; i < n; i++)
        uw += u[i] * w[i];
    for (size_t i = from; i < n; i++)
        w[i] -= uw * u[i];
    for (size_t i = from; i < n; i++) {
        add_times(n - from, a + i * n + from, -2 * u[i], w + from);
        add_times(n - from, a + i * n + from, -2 * w[i], u + from);
    }
    memset(w, 0, n * sizeof *w);
    for (size_t i = from; i < n; i++)
        add_times(n, w, u[i], v + i * n);
    for (size_t i = from; i < n; i++)
        add_times(n, v + i * n, -2 * u[i], w);
}

/* v a v^T tridiagonal by Householder's reflections: d its diagonal, e[i] beside d[i] and d[i + 1]. */
static void make_tridiagonal(size_t n, double *a, double *v, double *d, double *e)
{
    double u[FMC_TX_MAX_KLT];

    for (size_t c = 0; c + 1 < n; c++) {
        double length = 0, norm = 0;

        for (size_t i = c + 1; i < n; i++)
            length += a[i * n + c] * a[i * n + c];
        length = sqrt(length);
        e[c] = a[(c + 1) * n + c] > 0 ? -length : length;
        for (size_t i = c + 1; i < n; i++)
            u[i] = a[i * n + c] - (i == c + 1 ? e[c] : 0);
        for (size_t i = c + 1; i < n; i++)
            norm += u[i] * u[i];
        if (!(norm > 0))
            continue;
        norm = sqrt(norm);
        for (size_t i = c + 1; i < n; i++)
            u[i] /= norm;
        reflect(n, c + 1, u, a, v);
    }
    for (size_t i = 0; i < n; i++)
        d[i] = a[i * n + i];
    e[n - 1] = 0;
}

/* Rows x and y turned into each other by an angle of cosine c and sine s. */
static void turn(size_t n, double *restrict x, double *restrict y, double c, double s)
{
    for (size_t k = 0; k < n; k++) {
        const double was = x[k];

        x[k] = c * was - s * y[k];
        y[k] = s * was + c * y[k];
    }
}

/* One implicit QL step on rows l..m. */
static void ql_step(size_t n, size_t l, size_t m, double *d, double *e, double *v)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;

    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    for (size_t i = m; i-- > l;) {
        const double f = s * e[i], b = c * e[i];

        r = e[i + 1] = sqrt(f * f + g * g);
        if (!(r > 0)) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        turn(n, v + i * n, v + (i + 1) * n, c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* Tridiagonal form, then implicit QL: Golub and Van Loan, "Matrix Computations", 8.3. */
void fmc_klt_eigen(size_t n, double *a, double *v)
{
    double d[FMC_TX_MAX_KLT], e[FMC_TX_MAX_KLT], trace = 0;

    for (size_t i = 0; i < n * n; i++)
        v[i] = i / n == i % n;
    for (size_t i = 0; i < n; i++)
        trace += fabs(a[i * n + i]);
    make_tridiagonal(n, a, v, d, e);
    for (size_t l = 0; l < n; l++)
        for (int step = 0; step < MAX_STEPS; step++) {
            size_t m = l;

            while (m + 1 < n && fabs(e[m]) > 1e-15 * (fabs(d[m]) + fabs(d[m + 1])) + 1e-18 * trace)
                m++;
            if (m == l)
                break;
            ql_step(n, l, m, d, e, v);
        }
    for (size_t i = 0; i < n; i++)
        a[i * n + i] = d[i];
    sort_vectors(n, a, v);
}

/*
 * The grid of vector j: an error of variance d^2 / 12 in each number leaks d^2 / 12 of its power into every other
 * coefficient. At n_lines coefficients each, the bits that leak costs and the bits that finer numbers cost grow alike
 * where that is 1 / n_lines of the squared error aimed at.
 */
void fmc_klt_round(size_t n, const double *matrix, const double *vectors, size_t n_lines, double rmse_target,
                   fmc_tx_klt *klt)
{
    const double lines = (double)n_lines, error = rmse_target * rmse_target;

    klt->n = (uint32_t)n;
    klt->n_rows = 0;
    for (size_t j = 0; j < n; j++) {
        const double power = matrix[j * n + j] > 0 ? matrix[j * n + j] : 0;
        double top = 0, scale;

        /* bits that its coefficients can cost at all, against those of the vector */
        if (!(0.72 * lines * log1p(power / (9 * error)) > 2 * (double)n))
            break;
        for (size_t i = 0; i < n; i++)
            top = fabs(vectors[j * n + i]) > top ? fabs(vectors[j * n + i]) : top;
        scale = sqrt(lines / 12 * power / error);
        scale = scale * top < 7 ? 7 / top : scale * top > 16383 ? 16383 / top : scale;
        for (size_t i = 0; i < n; i++)
            klt->row[j][i] = (int16_t)floor(vectors[j * n + i] * scale + 0.5);
        klt->n_rows++;
    }
}

/* Bits, least significant first. */
typedef struct bits_out {
    fmc_out *out;
    uint32_t held, n_held;
} bits_out;

typedef struct bits_in {
    fmc_in  *in;
    uint32_t held, n_held;
} bits_in;

/* Numbers whose Rice quotient reaches ESCAPE have VALUE_BITS raw bits instead. */
enum { ESCAPE = 20, VALUE_BITS = 18, ORDER_BITS = 2, PARAMETER_BITS = 4 };

static void put_bits(bits_out *b, uint32_t value, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        b->held |= (value >> i & 1) << b->n_held;
        if (++b->n_held == 8) {
            fmc_out_u8(b->out, (uint8_t)b->held);
            b->held = b->n_held = 0;
        }
    }
}

static uint32_t get_bits(bits_in *b, uint32_t n)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (b->n_held == 0) {
            b->held = fmc_in_u8(b->in);
            b->n_held = 8;
        }
        value |= (b->held & 1) << i;
        b->held >>= 1;
        b->n_held--;
    }
    return value;
}

/* What is expected from the earlier numbers of a vector: 0, the last one, or the line through the last two. */
static int32_t expected(const int16_t *row, size_t i, uint32_t order)
{
    if (order == 0 || i == 0)
        return 0;
    return order == 1 || i == 1 ? row[i - 1] : 2 * row[i - 1] - row[i - 2];
}

static uint32_t zigzag_residual(const int16_t *row, size_t i, uint32_t order)
{
    const int32_t d = row[i] - expected(row, i, order);

    return d < 0 ? 2 * (uint32_t)-d - 1 : 2 * (uint32_t)d;
}

static uint32_t row_cost(const int16_t *row, size_t n, uint32_t order, uint32_t k)
{
    uint32_t cost = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t q = zigzag_residual(row, i, order) >> k;

        cost += q < ESCAPE ? q + 1 + k : ESCAPE + VALUE_BITS;
    }
    return cost;
}

/* The parameter whose Rice code is about the shortest: the size of the mean residual. */
static uint32_t guess_parameter(const int16_t *row, size_t n, uint32_t order)
{
    uint64_t sum = 0;
    uint32_t k = 0;

    for (size_t i = 0; i < n; i++)
        sum += zigzag_residual(row, i, order);
    while (k + 2 < 1u << PARAMETER_BITS && (uint64_t)n << (k + 1) <= sum)
        k++;
    return k;
}

static void write_row(const int16_t *row, size_t n, bits_out *bits)
{
    uint32_t best_order = 0, best_k = 0, best = UINT32_MAX;

    for (uint32_t order = 0; order < 3; order++) {
        const uint32_t guess = guess_parameter(row, n, order);

        for (uint32_t k = guess > 0 ? guess - 1 : 0; k <= guess + 1; k++) {
            const uint32_t cost = row_cost(row, n, order, k);

            if (cost < best) {
                best = cost;
                best_order = order;
                best_k = k;
            }
        }
    }
    put_bits(bits, best_order, ORDER_BITS);
    put_bits(bits, best_k, PARAMETER_BITS);
    for (size_t i = 0; i < n; i++) {
        const uint32_t v = zigzag_residual(row, i, best_order), q = v >> best_k;

        if (q < ESCAPE) {
            put_bits(bits, (1u << q) - 1, q + 1); /* q ones and a zero */
            put_bits(bits, v & ((1u << best_k) - 1), best_k);
        } else {
            put_bits(bits, (1u << ESCAPE) - 1, ESCAPE);
            put_bits(bits, v, VALUE_BITS);
        }
    }
}

void fmc_tx_klt_write(const fmc_tx_klt *klt, fmc_out *out)
{
    bits_out bits = { .out = out };

    fmc_out_u8(out, (uint8_t)klt->n_rows);
    for (uint32_t j = 0; j < klt->n_rows; j++)
        write_row(klt->row[j], klt->n, &bits);
    if (bits.n_held > 0)
        put_bits(&bits, 0, 8 - bits.n_held);
}

static fmc_status parse_row(bits_in *bits, size_t n, int16_t *row)
{
    const uint32_t order = get_bits(bits, ORDER_BITS), k = get_bits(bits, PARAMETER_BITS);
    int is_zero = 1;

    if (order > 2)
        return FMC_ERR_CORRUPT;
    for (size_t i = 0; i < n; i++) {
        uint32_t q = 0, v;
        int32_t value;

        while (q < ESCAPE && get_bits(bits, 1))
            q++;
        v = q < ESCAPE ? q << k | get_bits(bits, k) : get_bits(bits, VALUE_BITS);
        value = expected(row, i, order) + (v & 1 ? -(int32_t)((v + 1) / 2) : (int32_t)(v / 2));
        if (value < INT16_MIN || value > INT16_MAX)
            return FMC_ERR_CORRUPT;
        row[i] = (int16_t)value;
        is_zero &= value == 0;
    }
    return is_zero ? FMC_ERR_CORRUPT : FMC_OK;
}

fmc_status fmc_tx_klt_parse(fmc_in *in, size_t n, fmc_tx_klt *klt)
{
    bits_in bits = { .in = in };

    memset(klt, 0, sizeof *klt);
    klt->n = (uint32_t)n;
    klt->n_rows = fmc_in_u8(in);
    if (fmc_in_status(in) != FMC_OK)
        return fmc_in_status(in);
    if (n < 1 || n > FMC_TX_MAX_KLT || klt->n_rows > n)
        return FMC_ERR_CORRUPT;
    for (uint32_t j = 0; j < klt->n_rows; j++) {
        const fmc_status st = parse_row(&bits, n, klt->row[j]);

        if (fmc_in_status(in) != FMC_OK)
            return fmc_in_status(in);
        if (st != FMC_OK)
            return st;
    }
    return bits.held ? FMC_ERR_CORRUPT : FMC_OK;
}
