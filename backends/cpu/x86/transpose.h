/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_lanes and store_lanes of lib/ops/kernels.h for lines along the fastest axis: square blocks are turned in
 * registers. Only moves, so nothing to round. Included once per type with NAME(x), REAL and SQUARE (the block's side)
 * defined; NAME(turn_block) is one of turn.h.
 */

/* Blocks of SQUARE lines from `off`; what is left over goes one by one. */
static void NAME(load_turned)(REAL *t, size_t pitch, const REAL *data, const size_t *off, size_t lanes, size_t n)
{
    const size_t n_square = n / SQUARE * SQUARE;
    size_t j = 0;

    for (; j + SQUARE <= lanes; j += SQUARE) {
        for (size_t i = 0; i < n_square; i += SQUARE) {
            const REAL *from[SQUARE];
            REAL *to[SQUARE];

            for (size_t v = 0; v < SQUARE; v++) {
                from[v] = data + off[j + v] + i;
                to[v] = t + (i + v) * pitch + j;
            }
            NAME(turn_block)(from, to);
        }
        for (size_t i = n_square; i < n; i++)
            for (size_t v = 0; v < SQUARE; v++)
                t[i * pitch + j + v] = data[off[j + v] + i];
    }
    for (; j < lanes; j++)
        for (size_t i = 0; i < n; i++)
            t[i * pitch + j] = data[off[j] + i];
}

static void NAME(store_turned)(const REAL *t, size_t pitch, REAL *data, const size_t *off, size_t lanes, size_t n)
{
    const size_t n_square = n / SQUARE * SQUARE;
    size_t j = 0;

    for (; j + SQUARE <= lanes; j += SQUARE) {
        for (size_t i = 0; i < n_square; i += SQUARE) {
            const REAL *from[SQUARE];
            REAL *to[SQUARE];

            for (size_t v = 0; v < SQUARE; v++) {
                from[v] = t + (i + v) * pitch + j;
                to[v] = data + off[j + v] + i;
            }
            NAME(turn_block)(from, to);
        }
        for (size_t i = n_square; i < n; i++)
            for (size_t v = 0; v < SQUARE; v++)
                data[off[j + v] + i] = t[i * pitch + j + v];
    }
    for (; j < lanes; j++)
        for (size_t i = 0; i < n; i++)
            data[off[j] + i] = t[i * pitch + j];
}

static void NAME(load_any)(REAL *t, size_t pitch, const REAL *data, const size_t *off, size_t lanes, size_t stride,
                           size_t n)
{
    if (stride == 1 && lanes >= SQUARE && off[1] != off[0] + 1)
        NAME(load_turned)(t, pitch, data, off, lanes, n);
    else
        NAME(load_lanes)(t, pitch, data, off, lanes, stride, n);
}

static void NAME(store_any)(const REAL *t, size_t pitch, REAL *data, const size_t *off, size_t lanes, size_t stride,
                            size_t n)
{
    if (stride == 1 && lanes >= SQUARE && off[1] != off[0] + 1)
        NAME(store_turned)(t, pitch, data, off, lanes, n);
    else
        NAME(store_lanes)(t, pitch, data, off, lanes, stride, n);
}
