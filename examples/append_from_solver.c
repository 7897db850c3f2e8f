/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write every step of a running solver to a compressed file: append_from_solver [FILE]
 * Nothing is ever rewritten, so a run that is killed leaves a readable file up to its last complete chunk.
 * The solver: heat carried by a steady wind on a periodic plane, upwind differences, explicit steps.
 */
#include <fmc/fmc.h>
#include <math.h>
#include <stdio.h>

enum { N = 96, STEPS = 100, STEPS_A_CHUNK = 20 };

static double heat[N][N], next[N][N];

static void set_start(void)
{
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++)
            heat[y][x] = 280.0 + 20.0 * exp(-((y - 30.0) * (y - 30.0) + (x - 40.0) * (x - 40.0)) / 80.0);
}

static void advance(void)
{
    const double wind_y = 0.15, wind_x = 0.25, diffusion = 0.05; /* in cells and squared cells a step */
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            const double here = heat[y][x];
            const double north = heat[(y + N - 1) % N][x], south = heat[(y + 1) % N][x];
            const double west = heat[y][(x + N - 1) % N], east = heat[y][(x + 1) % N];
            next[y][x] = here - wind_y * (here - north) - wind_x * (here - west) +
                         diffusion * (north + south + west + east - 4.0 * here);
        }
    for (int i = 0; i < N * N; i++)
        heat[i / N][i % N] = next[i / N][i % N];
}

static int append_to_file(void *user, const void *data, size_t size)
{
    return fwrite(data, 1, size, user) == size ? 0 : -1;
}

static fmc_status solve(fmc_writer *writer, const fmc_array *step)
{
    fmc_status st = FMC_OK;
    set_start();
    for (int i = 0; i < STEPS && st == FMC_OK; i++) {
        st = fmc_writer_append(writer, step);
        advance();
    }
    return st;
}

int main(int argc, char **argv)
{
    FILE *file = fopen(argc > 1 ? argv[1] : "heat.fmc", "wb");
    const fmc_io io = { .struct_size = sizeof io, .user = file, .write = append_to_file };
    const uint64_t dim[] = { 1, N, N }; /* one step; the stream grows along the first axis */
    fmc_ctx *ctx = NULL;
    fmc_writer *writer = NULL;
    fmc_params params;
    fmc_array step;

    fmc_array_init(&step, FMC_F64, 3, dim, heat);
    fmc_params_init(&params, sizeof params);
    params.bound_kind = FMC_BOUND_ABS;
    params.bound = 0.01; /* kelvin */
    params.chunk[0] = STEPS_A_CHUNK;
    fmc_status st = file ? fmc_ctx_create(NULL, &ctx) : FMC_ERR_IO;
    if (st == FMC_OK)
        st = fmc_writer_open(ctx, &io, &step, &params, &writer);
    if (st == FMC_OK)
        st = solve(writer, &step);
    const fmc_status closed = fmc_writer_close(writer);
    const long size = file ? ftell(file) : 0;
    const int is_bad = st != FMC_OK || closed != FMC_OK || fclose(file) != 0;
    printf("%s: %d steps, %zu -> %ld bytes\n", fmc_status_string(st), STEPS, STEPS * sizeof heat, size);
    fmc_ctx_destroy(ctx);
    return is_bad;
}
