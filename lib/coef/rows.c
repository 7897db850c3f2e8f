/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/rows.h"

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
