/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct convolution of floats: as nn_conv.h, with one input channel a step. Sums are not fused, so that every variant
 * rounds alike. VF_LANES floats a vector; TILE_F32 sites (6 or 12) by one block. The last sites of a row are computed again
 * rather than in small tiles.
 */
enum { NN_NAME(parts_f32) = FMC_NN_BLOCK / VF_LANES };

FMC_ALWAYS_INLINE void NN_NAME(tile_f32)(const fmc_nn_conv_f32 *c, const float *const *row, size_t x, size_t block, int n_sites,
                                         float *out)
{
    const size_t span = (size_t)c->kx * c->pitch_in, step = (size_t)c->stride_x * c->pitch_in;
    const size_t first = block * FMC_NN_BLOCK, n = c->n_out - first < FMC_NN_BLOCK ? c->n_out - first : FMC_NN_BLOCK;
    const float *w = c->weight + first * c->n_rows * span;
    const int parts = NN_NAME(parts_f32);
    VF sum[TILE_F32 * NN_NAME(parts_f32)];

    for (int s = 0; s < n_sites; s++)
        for (int v = 0; v < parts; v++)
            sum[s * parts + v] = VF_LOAD(c->bias + first + v * VF_LANES);
    for (size_t r = 0; r < c->n_rows; r++) {
        const float *in[8]; /* every third site */

        for (int s = 0; s < n_sites; s += 3)
            in[s / 3] = row[r] + (x + s) * step;
        for (size_t i = 0; i < span; i++, w += FMC_NN_BLOCK) {
            const VF w0 = VF_LOAD(w), w1 = parts > 1 ? VF_LOAD(w + VF_LANES) : w0;

            for (int s = 0; s < n_sites; s++) {
                const VF value = VF_SET(in[s / 3][s % 3 * step]);

                sum[s * parts] = VF_ADD(sum[s * parts], VF_MUL(value, w0));
                if (parts > 1)
                    sum[s * parts + 1] = VF_ADD(sum[s * parts + 1], VF_MUL(value, w1));
            }
            for (int s = 0; s < n_sites; s += 3)
                in[s / 3]++;
        }
    }
    for (int s = 0; s < n_sites; s++) {
        float *to = out + (x + s) * c->n_out + first;
        float part[FMC_NN_BLOCK];

        for (int v = 0; v < parts; v++)
            VF_STORE((n == FMC_NN_BLOCK ? to : part) + v * VF_LANES, sum[s * parts + v]);
        if (n < FMC_NN_BLOCK)
            memcpy(to, part, n * sizeof *to);
    }
}

static void NN_NAME(conv_f32)(const fmc_nn_conv_f32 *c, const float *const *row, size_t n, float *out)
{
    for (size_t block = 0; block < c->n_blocks; block++) {
        size_t x = 0;

        for (; x + TILE_F32 <= n; x += TILE_F32)
            NN_NAME(tile_f32)(c, row, x, block, TILE_F32, out);
        if (n - x > 9) {
            NN_NAME(tile_f32)(c, row, x, block, 3, out);
            x += 3;
        }
        if (n - x > 6 && n >= 9) {
            NN_NAME(tile_f32)(c, row, n - 9, block, TILE_F32 > 9 ? 9 : 1, out); /* only a tile of 12 leaves as many */
            continue;
        }
        if (n - x > 3 && n - x <= 6 && n >= 6) {
            NN_NAME(tile_f32)(c, row, n - 6, block, 6, out);
            continue;
        }
        for (; x + 3 <= n; x += 3)
            NN_NAME(tile_f32)(c, row, x, block, 3, out);
        for (; x < n; x++)
            NN_NAME(tile_f32)(c, row, x, block, 1, out);
    }
}
