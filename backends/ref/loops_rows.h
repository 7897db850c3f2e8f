/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of lib/ops/kernels_rows.h in plain C: the definition of right. Once per instruction set, with ROWS(x). */

static void ROWS(row_sizes)(uint8_t *restrict size, const int32_t *restrict q, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const int32_t a = q[x] < 0 ? -q[x] : q[x];

        size[x] = (uint8_t)(a > 255 ? 255 : a);
    }
}

static void ROWS(row_sum3)(uint16_t *restrict dst, const uint8_t *restrict src, size_t n, unsigned centre,
                           unsigned side)
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

static void ROWS(row_add)(uint16_t *restrict dst, const uint8_t *restrict src, size_t n, unsigned times)
{
    for (size_t x = 0; x < n; x++)
        dst[x] = (uint16_t)(dst[x] + times * src[x]);
}

static void ROWS(row_energy)(const fmc_coef_rows *r, const fmc_coef_weights *k, size_t n)
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

/* lg of docs/format.md 8.3: four steps an octave, read off a float's exponent and first two digits. */
static inline int32_t ROWS(log_of)(int32_t v)
{
    const int32_t limited = v < 2047 ? v : 2047; /* of which it is 39 */
    const int32_t bits = float_bits((float)limited);

    return v < 4 ? v : (bits >> 21) - 512;
}

static void ROWS(row_pairs)(uint16_t *const pair[2], const fmc_coef_rows *r, size_t n)
{
    const uint16_t *restrict north = r->north, *restrict up = r->up, *restrict parent = r->parent;
    const uint16_t *restrict time = r->time;
    uint16_t *restrict first = pair[0], *restrict second = pair[1];

    for (size_t x = 0; x < n; x++) {
        const int32_t above = ROWS(log_of)(3 * north[x]) & ~1, slice = ROWS(log_of)(2 * up[x]) >> 1;

        first[x] = (uint16_t)(above + (up[x] > 0));
        second[x] = (uint16_t)(slice * 40 + (ROWS(log_of)(2 * (parent[x] + time[x])) & ~1));
    }
}

/* size: from two values before the first on. One loop a step and width of number, so that each becomes vector code. */
static void ROWS(symbols_part)(const fmc_coef_symbols *to, size_t from, size_t n, const uint16_t *restrict energy,
                               const uint8_t *restrict size, const int32_t *restrict q, const fmc_coef_weights *k)
{
    const int32_t k_w = k->w, k_ww = k->ww;
    uint8_t *restrict to_energy = to->energy + from, *restrict to_shift = to->shift + from;
    uint8_t *restrict to_symbol = to->symbol + from;
    uint16_t e[COEF_PART], shift[COEF_PART];
    int32_t symbol[COEF_PART];

    for (size_t x = 0; x < n; x++)
        e[x] = (uint16_t)ROWS(log_of)(energy[x] + ((k_w * size[x + 1] + k_ww * size[x]) >> 4));
    for (size_t x = 0; x < n; x++)
        shift[x] = (uint16_t)(((e[x] > 19 ? e[x] : 19) - 19) >> 2);
    for (size_t x = 0; x < n; x++) {
        const int32_t s = (((q[x] < 0 ? -q[x] : q[x]) - 1) >> shift[x]) + 1;

        symbol[x] = s < 15 ? s : 15;
    }
    for (size_t x = 0; x < n; x++) {
        to_energy[x] = (uint8_t)e[x];
        to_shift[x] = (uint8_t)shift[x];
        to_symbol[x] = (uint8_t)symbol[x];
    }
}

static void ROWS(pairs_part)(uint16_t *restrict first, uint16_t *restrict second, size_t n,
                             const uint16_t *restrict p0, const uint16_t *restrict p1, const uint8_t *restrict size)
{
    for (size_t x = 0; x < n; x++) {
        first[x] = (uint16_t)((ROWS(log_of)((2 * size[x + 1] + size[x]) * 4) >> 1) * 40 + p0[x]);
        second[x] = (uint16_t)(p1[x] + (size[x + 1] > 0));
    }
}

static void ROWS(row_symbols)(const fmc_coef_symbols *to, const uint16_t *energy, uint16_t *const pair[2],
                              const uint8_t *size, const int32_t *q, const fmc_coef_weights *k, size_t n)
{
    uint8_t begin[COEF_PART + 2] = { 0 };

    for (size_t from = 0; from < n; from += COEF_PART) {
        const size_t part = n - from < COEF_PART ? n - from : COEF_PART;
        const uint8_t *before = from ? size + from - 2 : begin;

        if (from == 0)
            memcpy(begin + 2, size, part);
        ROWS(symbols_part)(to, from, part, energy + from, before, q + from, k);
        if (to->pair[0])
            ROWS(pairs_part)(to->pair[0] + from, to->pair[1] + from, part, pair[0] + from, pair[1] + from, before);
    }
}

#ifndef VEC_SIZE /* machines with vectors have one of their own */
static void ROWS(prior_layer)(int16_t *restrict out, const int16_t *restrict in, const int16_t *restrict weight,
                              const int32_t *restrict bias, const int32_t *restrict shift, size_t n_in, size_t n_out,
                              int32_t lo, int32_t hi)
{
    int32_t sum[FMC_PRIOR_LAYER_MAX];

    for (size_t o = 0; o < n_out; o++)
        sum[o] = bias[o];
    for (size_t i = 0; i < n_in; i += 2) {
        const int16_t *w = weight + i * n_out;

        for (size_t o = 0; o < n_out; o++)
            sum[o] += w[2 * o] * in[i] + w[2 * o + 1] * in[i + 1];
    }
    for (size_t o = 0; o < n_out; o++) {
        const int32_t v = (sum[o] + ((1 << shift[o]) >> 1)) >> shift[o];

        out[o] = (int16_t)(v < lo ? lo : v > hi ? hi : v);
    }
}
#endif
