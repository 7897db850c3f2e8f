/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_forward and lift_inverse of lib/ops/kernels.h: a vector of lanes goes through all four steps and the gains in one
 * pass over its rows, what is not yet final staying in registers. Each value goes through the same operations as it does
 * row by row. Included after loops_mat.h with REAL, NAME(x) and VEC_SIZE (bytes) defined.
 */

static inline NAME(vec) NAME(lift_get)(const REAL *x)
{
    NAME(vec) v;

    memcpy(&v, x, sizeof v);
    return v;
}

static inline void NAME(lift_put)(REAL *x, NAME(vec) v)
{
    memcpy(x, &v, sizeof v);
}

/* `even` and `odd` are the pair of rows being read; a trailing 1 or 2 says after how many of its two steps. */
static inline void NAME(lift_forward_lane)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    const size_t pairs = n / 2;
    NAME(vec) even = NAME(lift_get)(x), odd1 = even, even1 = even, odd2 = even, new1, new2;

    for (size_t k = 0; k < pairs; k++) {
        const NAME(vec) next = 2 * k + 2 < n ? NAME(lift_get)(x + (2 * k + 2) * lanes) : even;
        const NAME(vec) here = NAME(lift_get)(x + (2 * k + 1) * lanes) + w[0] * (even + next);

        new1 = even + w[1] * ((k > 0 ? odd1 : here) + here);
        if (k > 0) {
            new2 = odd1 + w[2] * (even1 + new1);
            NAME(lift_put)(x + (2 * k - 2) * lanes, (even1 + w[3] * ((k > 1 ? odd2 : new2) + new2)) * w[4]);
            NAME(lift_put)(x + (2 * k - 1) * lanes, new2 * w[5]);
            odd2 = new2;
        }
        odd1 = here;
        even1 = new1;
        even = next;
    }
    new1 = n % 2 ? even + w[1] * (odd1 + odd1) : even1;
    new2 = odd1 + w[2] * (even1 + new1);
    NAME(lift_put)(x + (2 * pairs - 2) * lanes, (even1 + w[3] * ((pairs > 1 ? odd2 : new2) + new2)) * w[4]);
    NAME(lift_put)(x + (2 * pairs - 1) * lanes, new2 * w[5]);
    if (n % 2)
        NAME(lift_put)(x + 2 * pairs * lanes, (new1 + w[3] * (new2 + new2)) * w[4]);
}

static inline void NAME(lift_inverse_lane)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    const size_t pairs = n / 2;
    NAME(vec) odd = NAME(lift_get)(x), odd1 = odd, even1 = odd, even2 = odd, new1, new2;

    for (size_t k = 0; k < pairs; k++) {
        const NAME(vec) here = NAME(lift_get)(x + (2 * k + 1) * lanes) * w[4];

        new1 = NAME(lift_get)(x + 2 * k * lanes) * w[5] + -w[3] * ((k > 0 ? odd : here) + here);
        if (k > 0) {
            const NAME(vec) last1 = odd + -w[2] * (even1 + new1);

            new2 = even1 + -w[1] * ((k > 1 ? odd1 : last1) + last1);
            NAME(lift_put)(x + (2 * k - 2) * lanes, new2);
            if (k > 1)
                NAME(lift_put)(x + (2 * k - 3) * lanes, odd1 + -w[0] * (even2 + new2));
            even2 = new2;
            odd1 = last1;
        }
        odd = here;
        even1 = new1;
    }
    if (n % 2)
        new1 = NAME(lift_get)(x + 2 * pairs * lanes) * w[5] + -w[3] * (odd + odd);
    else
        new1 = even1;
    odd = odd + -w[2] * (even1 + new1);
    new2 = even1 + -w[1] * ((pairs > 1 ? odd1 : odd) + odd);
    NAME(lift_put)(x + (2 * pairs - 2) * lanes, new2);
    if (pairs > 1)
        NAME(lift_put)(x + (2 * pairs - 3) * lanes, odd1 + -w[0] * (even2 + new2));
    if (n % 2) {
        new1 = new1 + -w[1] * (odd + odd);
        NAME(lift_put)(x + 2 * pairs * lanes, new1);
    } else {
        new1 = new2;
    }
    NAME(lift_put)(x + (2 * pairs - 1) * lanes, odd + -w[0] * (new2 + new1));
}

static void NAME(lift_forward)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; j + W <= lanes; j += W)
        NAME(lift_forward_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_forward_some)(x + j, n, lanes, lanes - j, w);
}

static void NAME(lift_inverse)(REAL *x, size_t n, size_t lanes, const REAL w[6])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; j + W <= lanes; j += W)
        NAME(lift_inverse_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_inverse_some)(x + j, n, lanes, lanes - j, w);
}
