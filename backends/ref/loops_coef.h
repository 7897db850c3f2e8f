/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of lib/ops/kernels_coef.h for one real type, in plain C: the definition of right. Once per type and
 * instruction set, with REAL and NAME(x) defined, after loops_coef_int.h. A row is worked on in parts that stay in cache.
 */

#ifndef FMC_HAS_QUANTISE
/*
 * Nearest integers with a dead zone: the rarer a nonzero is around here (mean magnitude of the four neighbours), the
 * further a value must be from 0 to count. log2 is read off the float's bits.
 */
static inline int32_t NAME(quantise_one)(REAL c, REAL west, REAL east, REAL north, REAL south, REAL inverse,
                                         float scale, float half_lambda)
{
    const float sum = (fabsf((float)west) + fabsf((float)east) + fabsf((float)north) + fabsf((float)south)) * scale;
    const float log2_mean = 128.4f - (float)float_bits(sum + 0.02f) * 1.1920929e-7f; /* 1.4 - log2(mean) */
    const float rare = log2_mean < 0.3f ? 0.3f : log2_mean < 8.0f ? log2_mean : 8.0f;
    const REAL u = (c < 0 ? -c : c) * inverse, most = (REAL)(1 << 28);
    const REAL limited = u < most ? u : most; /* NaN, where the step is beyond the type's range, gives most */
    const REAL cut = (REAL)half_lambda * (limited < (REAL)1.5 ? (REAL)rare : (REAL)1);
    const int32_t a = (int32_t)(limited + (REAL)0.5 - cut);

    return c < 0 ? -a : a;
}

static void NAME(count_part)(fmc_quant_sums *s, const REAL *restrict c, const int32_t *restrict q, size_t n,
                             REAL inverse)
{
    float rest[COEF_PART];
    int32_t size[COEF_PART];

    for (size_t x = 0; x < n; x++) {
        size[x] = q[x] < 0 ? -q[x] : q[x];
        rest[x] = (float)((c[x] < 0 ? -c[x] : c[x]) * inverse - (REAL)size[x]);
    }
    for (size_t x = n; x % FMC_SUM_LANES; x++) { /* zeros change no sum */
        size[x] = 0;
        rest[x] = 0;
    }
    count_lanes(s, rest, size, n);
}

static void NAME(quantise_row)(int32_t *restrict q, const REAL *restrict c, const REAL *restrict north,
                               const REAL *restrict south, size_t n, const fmc_quant_step *z, fmc_quant_sums *s)
{
    const REAL inverse = (REAL)(1.0 / z->step);
    const float scale = (float)(0.25 / z->step), half = 0.5f * z->lambda;

    for (size_t from = 0; from < n; from += COEF_PART) {
        const size_t to = n - from < COEF_PART ? n : from + COEF_PART;

        if (from == 0)
            q[0] = NAME(quantise_one)(c[0], c[0], c[n > 1], north[0], south[0], inverse, scale, half);
        for (size_t x = from + (from == 0); x < to - (to == n); x++)
            q[x] = NAME(quantise_one)(c[x], c[x - 1], c[x + 1], north[x], south[x], inverse, scale, half);
        if (to == n && n > 1)
            q[n - 1] = NAME(quantise_one)(c[n - 1], c[n - 2], c[n - 1], north[n - 1], south[n - 1], inverse, scale,
                                          half);
        NAME(count_part)(s, c + from, q + from, to - from, inverse);
    }
}

#endif

#ifndef FMC_HAS_CENTRE
static void NAME(centre_row)(const int32_t *q, const int32_t *north, const int32_t *south, const REAL *restrict c,
                             size_t n, double step, fmc_centre_sums *s)
{
    const REAL inverse = (REAL)(1.0 / step);
    float rest[COEF_PART];
    int32_t class[COEF_PART];

    for (size_t from = 0; from < n; from += COEF_PART) {
        const size_t part = n - from < COEF_PART ? n - from : COEF_PART;
        const int32_t *restrict row = q + from;
        const REAL *restrict value = c + from;

        if (is_zero_part(row, part))
            continue;
        classify_part(q, north, south, n, from, part, class);
        for (size_t k = 0; k < part; k++) {
            const int32_t a = row[k] < 0 ? -row[k] : row[k];

            rest[k] = (float)((value[k] < 0 ? -value[k] : value[k]) * inverse - (REAL)a);
        }
        for (size_t k = part; k % FMC_SUM_LANES; k++) { /* class 0 is not counted */
            class[k] = 0;
            rest[k] = 0;
        }
        centre_lanes(s, rest, class, part);
    }
}
#endif

#ifndef FMC_HAS_QUANTISE
#ifndef FMC_HAS_LOOKUP
static inline void NAME(look_up)(REAL *restrict x, const int32_t *restrict class, const REAL *restrict centre, size_t n)
{
    for (size_t k = 0; k < n; k++)
        x[k] = centre[class[k]];
}
#endif

static void NAME(dequantise_row)(REAL *x, const int32_t *q, const int32_t *north, const int32_t *south, size_t n,
                                 double step, const REAL centre[12])
{
    const REAL unit = (REAL)step;
    int32_t class[COEF_PART];
    REAL offset[COEF_PART];

    for (size_t from = 0; from < n; from += COEF_PART) {
        const size_t part = n - from < COEF_PART ? n - from : COEF_PART;
        const int32_t *restrict row = q + from;
        REAL *restrict to = x + from;

        if (is_zero_part(row, part)) {
            memset(to, 0, part * sizeof *to);
            continue;
        }
        classify_part(q, north, south, n, from, part, class);
        NAME(look_up)(offset, class, centre, part);
        for (size_t k = 0; k < part; k++) {
            const int32_t a = row[k] < 0 ? -row[k] : row[k];
            const REAL m = ((REAL)a + offset[k]) * unit;

            to[k] = row[k] < 0 ? -m : m;
        }
    }
}
#endif
