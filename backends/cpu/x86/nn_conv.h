/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct convolution with requantisation in vectors of VI_LANES int32 (16 or 8): a tile is some sites by some blocks of output
 * channels, its sums stay in registers. Each step takes a pair of input channels of a site, spread over a vector, times
 * the pair's weights for VI_LANES output channels. Who includes this defines the VI_ macros, NN_NAME, and TILES: the sites
 * of a tile of two blocks and of one.
 */
enum { NN_NAME(parts) = FMC_NN_BLOCK / VI_LANES };

/* Vector v of block `block` of bias or shift. */
#define NN_AT(array, block, v) VI_LOAD((array) + ((block) * FMC_NN_BLOCK + (v) * VI_LANES))

/* Sums of n_sites x n_blocks from site x and block `block` on, without requantisation. n_sites is a multiple of 3 or < 3. */
FMC_ALWAYS_INLINE void NN_NAME(sums)(const fmc_nn_conv *c, const int16_t *const *row, size_t x, size_t block, int n_sites,
                                     int n_blocks, VI *sum)
{
    const size_t span = (size_t)c->kx * c->pitch_in, step = (size_t)c->stride_x * c->pitch_in;
    const size_t block_size = c->n_rows * span * FMC_NN_BLOCK;
    const int16_t *w = c->weight + block * block_size;
    const int parts = NN_NAME(parts), n_vectors = n_blocks * parts;

    for (int v = 0; v < n_vectors; v++)
        for (int s = 0; s < n_sites; s++)
            sum[s * n_vectors + v] = NN_AT(c->bias, block + v / parts, v % parts);
    for (size_t r = 0; r < c->n_rows; r++) {
        const int16_t *in[8]; /* every third site: the two after it are reached by step and 2 * step */

        for (int s = 0; s < n_sites; s += 3)
            in[s / 3] = row[r] + (x + s) * step;
        for (size_t i = 0; i < span; i += 2, w += 2 * FMC_NN_BLOCK) {
            const VI w0 = VI_LOAD(w), w1 = n_vectors > 1 ? VI_LOAD(w + (parts == 1 ? block_size : 2 * VI_LANES)) : w0;

            for (int s = 0; s < n_sites; s++) {
                const VI pair = VI_PAIR(in[s / 3] + s % 3 * step);

                sum[s * n_vectors] = VI_DOT(sum[s * n_vectors], pair, w0);
                if (n_vectors > 1)
                    sum[s * n_vectors + 1] = VI_DOT(sum[s * n_vectors + 1], pair, w1);
            }
            for (int s = 0; s < n_sites; s += 3)
                in[s / 3] += 2;
        }
    }
}

/* One row of some blocks in tiles of `most` sites; the last sites are computed again rather than one by one. */
#define WALK(name, tile, most, n_blocks, type)                                                                         \
    static void NN_NAME(name)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, size_t block, type *out)      \
    {                                                                                                                  \
        size_t x = 0;                                                                                                  \
                                                                                                                       \
        for (; x + (most) <= n; x += (most))                                                                           \
            NN_NAME(tile)(c, row, x, block, most, n_blocks, out);                                                      \
        for (; (most) > 6 && x + 6 <= n; x += 6)                                                                       \
            NN_NAME(tile)(c, row, x, block, 6, n_blocks, out);                                                         \
        for (; x + 3 <= n; x += 3)                                                                                     \
            NN_NAME(tile)(c, row, x, block, 3, n_blocks, out);                                                         \
        if (x < n && n >= 3)                                                                                           \
            NN_NAME(tile)(c, row, n - 3, block, 3, n_blocks, out);                                                     \
        for (; x < n && n < 3; x++)                                                                                    \
            NN_NAME(tile)(c, row, x, block, 1, n_blocks, out);                                                         \
    }

/* Requantise a tile and store it. */
#define TILE(type, suffix)                                                                                             \
    FMC_ALWAYS_INLINE void NN_NAME(tile_##suffix)(const fmc_nn_conv *c, const int16_t *const *row, size_t x, size_t block, \
                                                  int n_sites, int n_blocks, type *out)                                \
    {                                                                                                                  \
        const int parts = NN_NAME(parts), n_vectors = n_blocks * parts;                                                \
        VI sum[24], lo, hi;                                                                                            \
                                                                                                                       \
        NN_NAME(sums)(c, row, x, block, n_sites, n_blocks, sum);                                                       \
        __asm__("" : "+r"(c)); /* what comes now takes no registers from the sums */                                   \
        lo = VI_SET(c->lo);                                                                                            \
        hi = VI_SET(c->hi);                                                                                            \
        for (int v = 0; v < n_vectors; v++) {                                                                          \
            const VI shift = NN_AT(c->shift, block + v / parts, v % parts);                                            \
                                                                                                                       \
            for (int s = 0; s < n_sites; s++)                                                                          \
                sum[s * n_vectors + v] = VI_MIN(VI_MAX(VI_SHIFT(sum[s * n_vectors + v], shift), lo), hi);              \
        }                                                                                                              \
        for (int b = 0; b < n_blocks; b++) {                                                                           \
            const size_t first = (block + b) * FMC_NN_BLOCK;                                                           \
            const size_t n = c->n_out - first < FMC_NN_BLOCK ? c->n_out - first : FMC_NN_BLOCK;                        \
                                                                                                                       \
            for (int s = 0; s < n_sites; s++)                                                                          \
                NN_NAME(store_##suffix)(&sum[s * n_vectors + b * parts], n, out + (x + s) * c->n_out + first);         \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    WALK(blocks_##suffix, tile_##suffix, TILE_ONE, 1, type)

/* All blocks of a row, two at a time where registers suffice. */
#if TILE_TWO > 0
#define ROW(type, suffix)                                                                                              \
    WALK(pairs_##suffix, tile_##suffix, TILE_TWO, 2, type)                                                             \
                                                                                                                       \
    static void NN_NAME(conv_##suffix)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, type *out)           \
    {                                                                                                                  \
        size_t block = 0;                                                                                              \
                                                                                                                       \
        for (; block + 2 <= c->n_blocks; block += 2)                                                                   \
            NN_NAME(pairs_##suffix)(c, row, n, block, out);                                                            \
        if (block < c->n_blocks)                                                                                       \
            NN_NAME(blocks_##suffix)(c, row, n, block, out);                                                           \
    }
#else
#define ROW(type, suffix)                                                                                              \
    static void NN_NAME(conv_##suffix)(const fmc_nn_conv *c, const int16_t *const *row, size_t n, type *out)           \
    {                                                                                                                  \
        for (size_t block = 0; block < c->n_blocks; block++)                                                           \
            NN_NAME(blocks_##suffix)(c, row, n, block, out);                                                           \
    }
#endif

TILE(int16_t, i16)
TILE(int32_t, i32)
ROW(int16_t, i16)
ROW(int32_t, i32)
#undef TILE
#undef ROW
#undef WALK
#undef NN_AT
