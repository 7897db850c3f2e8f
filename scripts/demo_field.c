/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field of scripts/demo.sh: demo_field FILE.npy
 *
 * Decaying two-dimensional turbulence, the vorticity equation  dw/dt + J(psi, w) = nu lap w,  lap psi = w,  on a periodic
 * square of N x N points: Arakawa's Jacobian (J. Comput. Phys. 1, 1966), second-order differences, Adams-Bashforth steps,
 * and an FFT of the radix-2 kind for the Poisson equation. Writes FRAMES x N x N float32 as NumPy's .npy.
 */
#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 256, FRAMES = 24, SPIN_UP = 240, STEPS_A_FRAME = 4 };

static const double pi = 3.14159265358979323846;
static double w[N][N], psi[N][N], tendency[N][N], before[N][N];
static double complex work[N][N], turns[N / 2]; /* exp(2 pi i k / N) */

static void fft(double complex *x, size_t stride, int sign)
{
    static double complex t[N];

    for (size_t i = 0, j = 0; i < N; i++) {
        size_t bit = N >> 1;

        t[j] = x[i * stride];
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
    }
    for (size_t m = 2; m <= N; m *= 2)
        for (size_t k = 0; k < m / 2; k++) {
            const double complex turn = sign > 0 ? turns[k * (N / m)] : conj(turns[k * (N / m)]);

            for (size_t i = k; i < N; i += m) {
                const double complex odd = turn * t[i + m / 2];

                t[i + m / 2] = t[i] - odd;
                t[i] += odd;
            }
        }
    for (size_t i = 0; i < N; i++)
        x[i * stride] = t[i];
}

static void fft_plane(int sign)
{
    for (size_t y = 0; y < N; y++)
        fft(work[y], 1, sign);
    for (size_t x = 0; x < N; x++)
        fft(&work[0][x], N, sign);
}

/* psi of w, by the eigenvalues of the five-point Laplacian with spacing 1. */
static void solve_poisson(void)
{
    for (size_t i = 0; i < N * N; i++)
        work[i / N][i % N] = w[i / N][i % N];
    fft_plane(-1);
    for (size_t y = 0; y < N; y++)
        for (size_t x = 0; x < N; x++) {
            const double lap = 2 * cos(2 * pi * (double)y / N) + 2 * cos(2 * pi * (double)x / N) - 4;

            work[y][x] *= y + x ? 1 / (lap * N * N) : 0;
        }
    fft_plane(1);
    for (size_t i = 0; i < N * N; i++)
        psi[i / N][i % N] = creal(work[i / N][i % N]);
}

/* J(psi, w) at one point: the mean of the three forms that together conserve energy and enstrophy. */
static double jacobian(const double (*a)[N], const double (*b)[N], size_t y, size_t x)
{
    const size_t n = (y + 1) % N, s = (y + N - 1) % N, e = (x + 1) % N, o = (x + N - 1) % N;
    const double pp = (a[y][e] - a[y][o]) * (b[n][x] - b[s][x]) - (a[n][x] - a[s][x]) * (b[y][e] - b[y][o]);
    const double pc = a[y][e] * (b[n][e] - b[s][e]) - a[y][o] * (b[n][o] - b[s][o]) - a[n][x] * (b[n][e] - b[n][o]) +
                      a[s][x] * (b[s][e] - b[s][o]);
    const double cp = a[n][e] * (b[n][x] - b[y][e]) - a[s][o] * (b[y][o] - b[s][x]) - a[n][o] * (b[n][x] - b[y][o]) +
                      a[s][e] * (b[y][e] - b[s][x]);

    return (pp + pc + cp) / 12;
}

static void find_tendency(double nu)
{
    solve_poisson();
    for (size_t y = 0; y < N; y++)
        for (size_t x = 0; x < N; x++) {
            const double lap = w[(y + 1) % N][x] + w[(y + N - 1) % N][x] + w[y][(x + 1) % N] + w[y][(x + N - 1) % N] -
                               4 * w[y][x];

            tendency[y][x] = nu * lap - jacobian((const double (*)[N])psi, (const double (*)[N])w, y, x);
        }
}

static void step(double dt, double nu, int is_first)
{
    find_tendency(nu);
    for (size_t i = 0; i < N * N; i++) {
        const double now = tendency[i / N][i % N];

        w[i / N][i % N] += dt * (is_first ? now : 1.5 * now - 0.5 * before[i / N][i % N]);
        before[i / N][i % N] = now;
    }
}

/* Random waves, about 8 to the side; the same on every run. */
static void set_start(void)
{
    uint32_t seed = 12345;

    for (int k = 0; k < N / 2; k++)
        turns[k] = cos(2 * pi * k / N) + I * sin(2 * pi * k / N);
    for (int ky = -12; ky <= 12; ky++)
        for (int kx = 1; kx <= 12; kx++) {
            const double k = sqrt(kx * kx + ky * ky), height = exp(-(k - 8) * (k - 8) / 8) / 60;
            double phase;

            seed = seed * 1664525u + 1013904223u;
            phase = 2 * pi * seed / 4294967296.0;
            for (int i = 0; i < N * N; i++)
                w[i / N][i % N] += height * cos(2 * pi * (ky * (i / N) + kx * (i % N)) / N + phase);
        }
}

static int write_header(FILE *file)
{
    char header[128];
    int n = snprintf(header, sizeof header, "%cNUMPY%c%c%c%c{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, %d), }",
                     0x93, 1, 0, 118, 0, FRAMES, N, N);

    memset(header + n, ' ', sizeof header - (size_t)n);
    header[sizeof header - 1] = '\n';
    return fwrite(header, 1, sizeof header, file) == sizeof header;
}

static int write_frame(FILE *file)
{
    static unsigned char bytes[N * N * 4];

    for (int i = 0; i < N * N; i++) {
        const float value = (float)w[i / N][i % N];
        uint32_t bits;

        memcpy(&bits, &value, sizeof bits);
        for (int k = 0; k < 4; k++)
            bytes[4 * i + k] = (unsigned char)(bits >> 8 * k);
    }
    return fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;
    int is_good = file && write_header(file);

    set_start();
    for (int i = 0; is_good && i < SPIN_UP + FRAMES * STEPS_A_FRAME; i++) {
        step(0.4, 0.035, i == 0);
        if (i >= SPIN_UP && (i - SPIN_UP) % STEPS_A_FRAME == STEPS_A_FRAME - 1)
            is_good = write_frame(file);
    }
    if (file && fclose(file))
        is_good = 0;
    if (!is_good)
        fprintf(stderr, "usage: demo_field FILE.npy (or the file cannot be written)\n");
    return !is_good;
}
