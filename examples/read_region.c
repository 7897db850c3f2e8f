/* SPDX-License-Identifier: Apache-2.0 */
/* Read a box and a coarse preview from a compressed file; only the chunks they touch are read and decoded. */
#include <fmc/fmc.h>
#include <math.h>
#include <stdio.h>

enum { T = 16, Y = 64, X = 96 };

static float field[T][Y][X], box[2][8][10], preview[T / 4][Y / 4][X / 4];

static int read_from_file(void *user, uint64_t offset, void *data, size_t size)
{
    return fseek(user, (long)offset, SEEK_SET) == 0 && fread(data, 1, size, user) == size ? 0 : -1;
}

static int file_size(void *user, uint64_t *size)
{
    const long end = fseek(user, 0, SEEK_END) == 0 ? ftell(user) : -1;
    *size = (uint64_t)end;
    return end < 0;
}

/* Something to read: a wave of 4 x 64 x 96 chunks in a temporary file. */
static FILE *make_file(fmc_ctx *ctx)
{
    const uint64_t dim[] = { T, Y, X };
    fmc_array array;
    fmc_params params;
    void *stream = NULL;
    size_t size = 0;
    FILE *file = tmpfile();

    for (int i = 0; i < T * Y * X; i++)
        field[i / (Y * X)][i / X % Y][i % X] =
            (float)(sin(0.1 * (i / X % Y)) * cos(0.07 * (i % X) + 0.2 * (i / (Y * X))));
    fmc_array_init(&array, FMC_F32, 3, dim, field);
    fmc_params_init(&params, sizeof params); /* 1e-3 of max - min */
    params.chunk[0] = 4;
    if (file && fmc_compress_alloc(ctx, &array, &params, &stream, &size) == FMC_OK)
        fwrite(stream, 1, size, file);
    fmc_free(ctx, stream);
    return file;
}

int main(void)
{
    const uint64_t start[] = { 5, 20, 30 }, count[] = { 2, 8, 10 }; /* the box */
    const uint64_t origin[] = { 0, 0, 0 }, whole[] = { T, Y, X };
    const uint64_t preview_dim[] = { T / 4, Y / 4, X / 4 };
    fmc_ctx *ctx = NULL;
    fmc_reader *reader = NULL;
    fmc_array to;
    double worst = 0.0;

    if (fmc_ctx_create(NULL, &ctx) != FMC_OK)
        return 1;
    FILE *file = make_file(ctx);
    const fmc_io io = { .struct_size = sizeof io, .user = file, .read_at = read_from_file, .size = file_size };
    fmc_status st = file ? fmc_reader_open(ctx, &io, &reader) : FMC_ERR_IO;
    fmc_array_init(&to, FMC_F32, 3, count, box);
    if (st == FMC_OK)
        st = fmc_reader_read(reader, start, count, 0, 0, &to);
    fmc_array_init(&to, FMC_F32, 3, preview_dim, preview);
    if (st == FMC_OK)
        st = fmc_reader_read(reader, origin, whole, 2, 0, &to);
    for (int i = 0; i < 2 * 8 * 10; i++)
        worst = fmax(worst, fabs((double)box[i / 80][i / 10 % 8][i % 10] -
                                 (double)field[5 + i / 80][20 + i / 10 % 8][30 + i % 10]));
    printf("%s: largest error in the box %.5f, the preview's first sample %.3f\n", fmc_status_string(st), worst,
           (double)preview[0][0][0]);
    fmc_reader_close(reader);
    fmc_ctx_destroy(ctx);
    if (file)
        fclose(file);
    return st == FMC_OK && worst <= 2e-3 ? 0 : 1;
}
