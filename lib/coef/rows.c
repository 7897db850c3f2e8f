/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/rows.h"

void fmc_rows_sum3(uint16_t *restrict dst, const uint8_t *restrict src, size_t n, unsigned centre, unsigned side)
{
    if (n == 1) {
        dst[0] = (uint16_t)(centre * src[0]);
        return;
    }
    dst[0] = (uint16_t)(centre * src[0] + side * src[1]);
    for (size_t x = 1; x + 1 < n; x++)
        dst[x] = (uint16_t)(centre * src[x] + side * ((unsigned)src[x - 1] + src[x + 1]));
    dst[n - 1] = (uint16_t)(centre * src[n - 1] + side * src[n - 2]);
}

void fmc_rows_add(uint16_t *restrict dst, const uint8_t *restrict src, size_t n)
{
    for (size_t x = 0; x < n; x++)
        dst[x] = (uint16_t)(dst[x] + src[x]);
}

void fmc_rows_add2(uint16_t *restrict dst, const uint8_t *restrict src, size_t n)
{
    for (size_t x = 0; x < n; x++)
        dst[x] = (uint16_t)(dst[x] + 2 * src[x]);
}

void fmc_rows_spread(uint16_t *restrict dst, const uint16_t *restrict src, size_t n, size_t n_src, unsigned half)
{
    if (!half) {
        for (size_t x = 0; x < n; x++)
            dst[x] = src[x < n_src ? x : n_src - 1];
        return;
    }
    for (size_t x = 0; x < n; x++)
        dst[x] = src[x / 2 < n_src ? x / 2 : n_src - 1];
}

void fmc_rows_energy(const fmc_coef_rows *r, const fmc_coef_weights *k, size_t n)
{
    const uint16_t *restrict north = r->north, *restrict north2 = r->north2, *restrict up = r->up;
    const uint16_t *restrict parent = r->parent, *restrict sibling = r->sibling, *restrict time = r->time;
    uint16_t *restrict energy = r->energy;

    for (size_t x = 0; x < n; x++) {
        const uint32_t e = (uint32_t)k->north * north[x] + (uint32_t)k->north2 * north2[x] + (uint32_t)k->up * up[x] +
                           (uint32_t)k->parent * parent[x] + (uint32_t)k->sibling * sibling[x] +
                           (uint32_t)k->time * time[x];
        energy[x] = (uint16_t)(e >> 4 > 65535 ? 65535 : e >> 4);
    }
}
