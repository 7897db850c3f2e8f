/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_OPS_KERNELS_STATIC_H
#define FMC_OPS_KERNELS_STATIC_H

#include <stddef.h>
#include <stdint.h>

/** Sizes of the static coefficient coder, docs/format.md 8.9. */
enum {
    FMC_RANS_LANES = 4,      /* interleaved states */
    FMC_RANS_LOG2 = 15,      /* frequencies of a table sum to 1 << 15 */
    FMC_RANS_SYMBOLS = 31,   /* symbols of a table: -15..15 and an offset of 15 */
    FMC_STATIC_FINE = 17,    /* energy classes below this are split by the mean's fraction */
    FMC_STATIC_VALUES = 84,  /* tables of values: 17 * 4 + 16; behind them two of segments */
    FMC_STATIC_TABLES = 86
};

/** Cumulative frequencies: cum[0] = 0 < cum[1] < ... < cum[31] = 32768. */
typedef struct fmc_rans_table {
    uint16_t cum[32];
} fmc_rans_table;

/** Decoder: states, and the 32-bit little-endian words still to come. */
typedef struct fmc_rans_dec {
    uint64_t       state[FMC_RANS_LANES];
    const uint8_t *p;
    const uint8_t *end;   /* a whole number of words after p */
    uint32_t       n_past; /* words read past the end (as zeros), saturating */
} fmc_rans_dec;

/*
 * The loops of the static coefficient coder. Zone EXACT, integers only. Counts may be any number including 0. Arrays of
 * static_energy, static_sum, static_mean, static_context, static_symbols and static_values, q and fine of static_symbols apart, have
 * room for n rounded up to a multiple of FMC_COEF_SLACK elements, which may be
 * read and written.
 *
 * static_energy    e[x] = min((sum over j of weight[j] * row[j][x]) >> 8, 65535); weights and rows not negative, n_rows even
 * static_sum       sum[x] = sum over j of weight[x & 1][j] * row[j][x], n_rows even, at most FMC_COEF_TAPS; no sum may
 *                overflow
 * static_split     even[i] = e[2 i], odd[i] = e[2 i + 1]
 * static_join      the inverse of split; static_join32 for q
 * static_moments   a[i][j] += f[k][i] * f[k][j] for k = 0, 1, ... n - 1, j <= i < FMC_MOMENT_ROWS; a[i][j] for larger j means
 *                nothing (zone FREE, the same everywhere)
 * static_clamp     mag[x] = min(|q[x]|, 1023), v[x] = q[x] limited to +-32767
 * static_between   e[i] = min(((e[i] * share) >> 16) + (m[i] + m[i + 1]) * near, 65535); near <= 32, m <= 1023
 * static_mean      with s = sum[2 i + phase] + west * v[i] + east * v[i + 1] (v NULL: without): m = (s + 2) >> 2;
 *                base[i] = (m + 8) >> 4; f = m - 16 base[i]; fine[i] = min(|f| >> 1, 3), plus 128 if f < 0
 * static_context   ctx[i] = the table for energy e[i] and fine[i] (NULL: 0), docs/format.md 8.9
 * static_symbols   q[2 i + phase] - base[i] (NULL: 0) as symbol, its magnitude limited to 1023, and q limited to
 *                +-32767; returns 0 only if none of them has more bits than its symbol
 * static_values    the inverse for symbols that have no more bits; returns 0 only if none of them should
 * rans_decode    sym[i] = symbol of table ctx[i], state i % FMC_RANS_LANES
 */
enum { FMC_COEF_SLACK = 32, FMC_MOMENTS = 16, FMC_MOMENT_ROWS = 13, FMC_COEF_TAPS = 12 };

#define FMC_KERNELS_STATIC                                                                                               \
    void (*static_energy)(uint16_t *e, const int16_t *const *row, const int16_t *weight, size_t n_rows, size_t n);       \
    void (*static_sum)(int32_t *sum, const int16_t *const *row, const int16_t (*weight)[FMC_COEF_TAPS], size_t n_rows,   \
                     size_t n);                                                                                        \
    void (*static_split)(uint16_t *even, uint16_t *odd, const uint16_t *e, size_t n);                                    \
    void (*static_join)(uint16_t *e, const uint16_t *even, const uint16_t *odd, size_t n);                               \
    void (*static_join32)(int32_t *q, const int32_t *even, const int32_t *odd, size_t n);                                \
    void (*static_moments)(float (*a)[FMC_MOMENTS], const float (*f)[FMC_MOMENTS], size_t n);                            \
    void (*static_clamp)(uint16_t *mag, int16_t *v, const int32_t *q, size_t n);                                         \
    void (*static_between)(uint16_t *e, const uint16_t *m, uint32_t share, uint32_t near, size_t n);                     \
    void (*static_mean)(int32_t *base, uint8_t *fine, const int32_t *sum, size_t phase, const int16_t *v, int32_t west,  \
                      int32_t east, size_t n);                                                                         \
    void (*static_context)(uint8_t *ctx, const uint16_t *e, const uint8_t *fine, size_t n);                              \
    uint32_t (*static_symbols)(uint8_t *sym, uint16_t *mag, int16_t *v, const int32_t *q, size_t phase,                  \
                             const int32_t *base, const uint8_t *fine, const uint8_t *ctx, size_t n);                  \
    uint32_t (*static_values)(int32_t *q, uint16_t *mag, int16_t *v, const uint8_t *sym, const int32_t *base,            \
                            const uint8_t *fine, const uint8_t *ctx, size_t n);                                        \
    void (*rans_decode)(fmc_rans_dec *d, const fmc_rans_table *table, const uint8_t *ctx, uint8_t *sym, size_t n);

#define FMC_SLOTS_STATIC(suffix)                                                                                         \
    .static_energy = static_energy_##suffix, .static_sum = static_sum_##suffix, .static_split = static_split_##suffix,             \
    .static_join = static_join_##suffix, .static_join32 = static_join32_##suffix, \
    .static_clamp = static_clamp_##suffix, .static_moments = static_moments_##suffix,                                          \
    .static_between = static_between_##suffix, .static_mean = static_mean_##suffix,           \
    .static_context = static_context_##suffix, .static_symbols = static_symbols_##suffix,                                      \
    .static_values = static_values_##suffix, .rans_decode = rans_decode_##suffix

/** Low bits that a value of this table has beside its symbol. */
static inline unsigned fmc_static_shift(unsigned ctx)
{
    return ctx < 4 * FMC_STATIC_FINE ? 0 : ((ctx - 4 * FMC_STATIC_FINE) >> 1) + 1;
}

#endif
