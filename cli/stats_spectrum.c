/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Radially averaged power spectra of planes. Each plane is cropped to powers of two around its middle, freed of its
 * mean, faded out at its edges (Hann) and transformed (radix 2); power is summed in octaves of wavelength.
 */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLANES = 16, MAX_EXTENT = 1024, MIN_EXTENT = 8 };

static const double pi = 3.14159265358979323846;

typedef struct complex_number {
    double re, im;
} complex_number;

/* A cropped plane, its place in the array, and room to work in. */
typedef struct spectrum_work {
    const cli_pair *pair;
    cli_planes planes;
    size_t height, width;                                /* of the crop; powers of two, height may be 1 */
    complex_number *original, *decoded, *column, *roots; /* roots[k] = exp(-2 pi i k / MAX_EXTENT) */
} spectrum_work;

static size_t crop_extent(uint64_t n)
{
    size_t extent = 1;
    while (extent * 2 <= n && extent * 2 <= MAX_EXTENT)
        extent *= 2;
    return extent;
}

static void bit_reverse(complex_number *data, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i >= j)
            continue;
        const complex_number swap = data[i];
        data[i] = data[j];
        data[j] = swap;
    }
}

static void fft(const complex_number *roots, complex_number *data, size_t n)
{
    bit_reverse(data, n);
    for (size_t half = 1; half < n; half *= 2)
        for (size_t first = 0; first < n; first += 2 * half)
            for (size_t k = 0; k < half; k++) {
                const complex_number w = roots[k * (MAX_EXTENT / (2 * half))];
                complex_number *a = &data[first + k], *b = a + half;
                const complex_number t = { w.re * b->re - w.im * b->im, w.re * b->im + w.im * b->re };
                *b = (complex_number){ a->re - t.re, a->im - t.im };
                *a = (complex_number){ a->re + t.re, a->im + t.im };
            }
}

static void fft_plane(spectrum_work *w, complex_number *data)
{
    for (size_t row = 0; row < w->height; row++)
        fft(w->roots, data + row * w->width, w->width);
    for (size_t column = 0; column < w->width && w->height > 1; column++) {
        for (size_t row = 0; row < w->height; row++)
            w->column[row] = data[row * w->width + column];
        fft(w->roots, w->column, w->height);
        for (size_t row = 0; row < w->height; row++)
            data[row * w->width + column] = w->column[row];
    }
}

static double hann(size_t i, size_t n)
{
    return n == 1 ? 1.0 : 0.5 - 0.5 * cos(2.0 * pi * ((double)i + 0.5) / (double)n);
}

/* Index in the array of crop sample (row, column) of a plane. */
static uint64_t crop_index(const spectrum_work *w, uint64_t plane, size_t row, size_t column)
{
    const uint64_t y = (w->planes.height - w->height) / 2 + row;
    const uint64_t x = (w->planes.width - w->width) / 2 + column;
    return (plane * w->planes.height + y) * w->planes.width + x;
}

/* Load a plane; special samples become the mean. Both sides lose the original's mean, so a shift shows as error. */
static void load_plane(spectrum_work *w, uint64_t plane)
{
    double sum = 0.0;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        const double mean = n ? sum / (double)n : 0.0;
        for (size_t row = 0; row < w->height; row++)
            for (size_t column = 0; column < w->width; column++) {
                const uint64_t i = crop_index(w, plane, row, column);
                const size_t at = row * w->width + column;
                const double x = cli_sample(w->pair->dtype, w->pair->original, i);
                const double y = cli_sample(w->pair->dtype, w->pair->decoded, i);
                const double gain = hann(row, w->height) * hann(column, w->width);
                const bool is_good = !cli_sample_is_special(w->pair, x) && isfinite(y);
                if (pass == 0 && is_good)
                    sum += x, n++;
                w->original[at] = (complex_number){ is_good ? (x - mean) * gain : 0.0, 0.0 };
                w->decoded[at] = (complex_number){ is_good ? (y - mean) * gain : 0.0, 0.0 };
            }
    }
}

/* The octave of wavelength of coefficient (row, column), or -1 for the mean. */
static int bin_of(const spectrum_work *w, size_t row, size_t column)
{
    const size_t ky = row <= w->height / 2 ? row : w->height - row;
    const size_t kx = column <= w->width / 2 ? column : w->width - column;
    const double f = hypot((double)ky / (double)w->height, (double)kx / (double)w->width);
    if (f == 0.0)
        return -1;
    const int bin = (int)floor(-log2(f) + 1e-12);
    return bin < 0 ? 0 : bin < CLI_SPECTRUM_BINS ? bin : CLI_SPECTRUM_BINS - 1;
}

static double power(complex_number z)
{
    return z.re * z.re + z.im * z.im;
}

static void add_plane(spectrum_work *w, uint64_t plane, cli_spectrum *out)
{
    load_plane(w, plane);
    fft_plane(w, w->original);
    fft_plane(w, w->decoded);
    for (size_t row = 0; row < w->height; row++)
        for (size_t column = 0; column < w->width; column++) {
            const complex_number x = w->original[row * w->width + column], y = w->decoded[row * w->width + column];
            const int bin = bin_of(w, row, column);
            if (bin < 0)
                continue;
            out->original[bin] += power(x);
            out->decoded[bin] += power(y);
            out->error[bin] += power((complex_number){ x.re - y.re, x.im - y.im });
        }
}

static void work_free(spectrum_work *w)
{
    free(w->original);
    free(w->decoded);
    free(w->column);
    free(w->roots);
}

static bool work_allocate(spectrum_work *w)
{
    const size_t n = w->height * w->width;
    w->original = malloc(n * sizeof *w->original);
    w->decoded = malloc(n * sizeof *w->decoded);
    w->column = malloc(w->height * sizeof *w->column);
    w->roots = malloc(MAX_EXTENT * sizeof *w->roots);
    if (!w->original || !w->decoded || !w->column || !w->roots)
        return false;
    for (size_t k = 0; k < MAX_EXTENT; k++) {
        const double angle = 2.0 * pi * (double)k / MAX_EXTENT;
        w->roots[k] = (complex_number){ cos(angle), -sin(angle) };
    }
    return true;
}

bool cli_spectrum_measure(const cli_pair *pair, cli_spectrum *out)
{
    spectrum_work w = { .pair = pair, .planes = cli_planes_of(pair) };
    *out = (cli_spectrum){ 0 };
    w.height = crop_extent(w.planes.height);
    w.width = crop_extent(w.planes.width);
    if (w.height < MIN_EXTENT)
        w.height = 1;
    if (pair->n == 0 || w.width < MIN_EXTENT)
        return true;
    const bool is_good = work_allocate(&w);
    if (is_good) {
        out->n_planes = w.planes.count < MAX_PLANES ? (uint32_t)w.planes.count : MAX_PLANES;
        for (uint64_t i = 0; i < out->n_planes; i++)
            add_plane(&w, i * w.planes.count / out->n_planes, out);
    }
    work_free(&w);
    return is_good;
}
