/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of lib/ops/kernels_scan.h for one real type. Included once per type and instruction set with REAL and
 * NAME(x) defined: many running values side by side, which every vector unit keeps in registers.
 */

static size_t NAME(extremes)(const REAL *x, size_t n, REAL out[2])
{
    enum { LANES = 32 };
    REAL low[LANES], high[LANES];
    uint32_t odd[LANES] = { 0 };
    size_t i = 0, count = 0;

    for (int k = 0; k < LANES; k++) {
        low[k] = (REAL)INFINITY;
        high[k] = (REAL)-INFINITY;
    }
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const REAL v = x[i + (size_t)k];

            low[k] = v < low[k] ? v : low[k]; /* false for NaN */
            high[k] = v > high[k] ? v : high[k];
            odd[k] += v != v;
        }
    for (; i < n; i++) {
        low[0] = x[i] < low[0] ? x[i] : low[0];
        high[0] = x[i] > high[0] ? x[i] : high[0];
        odd[0] += x[i] != x[i];
    }
    for (int k = 0; k < LANES; k++) {
        low[0] = low[k] < low[0] ? low[k] : low[0];
        high[0] = high[k] > high[0] ? high[k] : high[0];
        count += odd[k];
    }
    out[0] = low[0];
    out[1] = high[0];
    return count;
}
