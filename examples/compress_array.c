/* SPDX-License-Identifier: Apache-2.0 */
/* Compress an array in memory so that no sample is off by more than 0.01, decompress it, and look. */
#include <fmc/fmc.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 200, COLUMNS = 300 };

static float field[ROWS][COLUMNS], back[ROWS][COLUMNS];

int main(void)
{
    const uint64_t dim[] = { ROWS, COLUMNS };
    fmc_ctx *ctx = NULL;
    fmc_params params;
    fmc_array from, to;
    void *stream = NULL;
    size_t size = 0;
    double worst = 0.0;

    for (int i = 0; i < ROWS * COLUMNS; i++)
        field[i / COLUMNS][i % COLUMNS] = (float)(sin(0.03 * (i / COLUMNS)) * cos(0.05 * (i % COLUMNS)));
    fmc_array_init(&from, FMC_F32, 2, dim, field);
    fmc_array_init(&to, FMC_F32, 2, dim, back);
    fmc_params_init(&params, sizeof params);
    params.bound_kind = FMC_BOUND_ABS;
    params.bound = 0.01;

    fmc_status st = fmc_ctx_create(NULL, &ctx);
    if (st == FMC_OK)
        st = fmc_compress_alloc(ctx, &from, &params, &stream, &size);
    if (st == FMC_OK)
        st = fmc_decompress(ctx, stream, size, 0, &to);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        worst = fmax(worst, fabs((double)field[i / COLUMNS][i % COLUMNS] - (double)back[i / COLUMNS][i % COLUMNS]));
    printf("%s: %zu -> %zu bytes, largest error %.4f\n", fmc_status_string(st), sizeof field, size, worst);
    fmc_free(ctx, stream);
    fmc_ctx_destroy(ctx);
    return st == FMC_OK && worst <= params.bound ? 0 : 1;
}
