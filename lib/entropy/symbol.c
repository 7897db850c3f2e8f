/* SPDX-License-Identifier: Apache-2.0 */
#include "entropy/symbol.h"

#define T FMC_SYMBOL_TOP
const int16_t fmc_symbol_target[FMC_SYMBOLS][FMC_SYMBOLS] = {
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, T, T, 0, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, T, T, T, 0, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, T, T, T, T, 0, 0 },
    { T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, 0 },
};
#undef T

const uint8_t fmc_symbol_rate[64] = {
    2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7,
};
