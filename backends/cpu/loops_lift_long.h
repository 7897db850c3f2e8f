/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_long_forward and lift_long_inverse of lib/ops/kernels.h as loops_lift.h has it for the shorter filter: a vector of lanes
 * in one pass over its rows, what is not yet final staying in registers. A trip at odd row t reads the next two rows and takes
 * each step one row, or two, further back than the step before: the wide one three. Included after loops_lift.h with the
 * same names defined.
 */

#include "core/compiler.h"

enum { NAME(LONG_LEAST) = 8 };

/* Rows after so many steps, the last one first: a trip at t finds even0[0] at t - 1, odd1[0] at t - 2 and so on, back by one a step. */
typedef struct NAME(long_state) {
    NAME(vec) even0, odd1[2], even2[3], odd3, even4, odd5, even6, odd7;
} NAME(long_state);

/* What a step adds to row r of n: w times its neighbours. */
FMC_ALWAYS_INLINE NAME(vec) NAME(long_step)(REAL w, NAME(vec) left, NAME(vec) right, ptrdiff_t r, ptrdiff_t n, int edge)
{
    if (edge && r == 0)
        left = right;
    if (edge && r == n - 1)
        right = left;
    return w * (left + right);
}

/* What the wide one adds to odd row r of n: w times the rows three away, of the even ones at r - 3, r - 1, r + 1, r + 3. */
FMC_ALWAYS_INLINE NAME(vec) NAME(long_wide)(REAL w, const NAME(vec) around[4], ptrdiff_t r, ptrdiff_t n, int edge)
{
    NAME(vec) left = around[0], right = around[3];

    if (edge && r == 1)
        left = around[2];
    if (edge && r + 3 > n - 1)
        right = r == n - 1 ? around[0] : r == n - 2 ? around[1] : around[2];
    return w * (left + right);
}

/* Is row r there? */
FMC_ALWAYS_INLINE int NAME(long_has)(ptrdiff_t r, ptrdiff_t n, int edge)
{
    return !edge || (r >= 0 && r < n);
}

/* A trip at odd row t: rows t and t + 1 are read, t - 8 and t - 9 are finished. At the `edge` rows may not be there. */
FMC_ALWAYS_INLINE void NAME(long_forward_trip)(REAL *x, ptrdiff_t n, size_t lanes, const REAL *w, ptrdiff_t t,
                                              NAME(long_state) *z, int edge)
{
    const NAME(vec) next = NAME(long_has)(t + 1, n, edge) ? NAME(lift_get)(x + (t + 1) * (ptrdiff_t)lanes) : z->even0;
    NAME(vec) odd1 = z->odd1[0], even2 = z->even2[0], odd3 = z->odd3, even4 = z->even4, odd5 = z->odd5, even6 = z->even6,
              odd7 = z->odd7;

    if (NAME(long_has)(t, n, edge))
        odd1 = NAME(lift_get)(x + t * (ptrdiff_t)lanes) + NAME(long_step)(w[0], z->even0, next, t, n, edge);
    if (NAME(long_has)(t - 1, n, edge))
        even2 = z->even0 + NAME(long_step)(w[1], z->odd1[0], odd1, t - 1, n, edge);
    if (NAME(long_has)(t - 4, n, edge)) {
        const NAME(vec) around[4] = { z->even2[2], z->even2[1], z->even2[0], even2 };

        odd3 = z->odd1[1] + NAME(long_step)(w[2], around[1], around[2], t - 4, n, edge);
        odd3 = odd3 + NAME(long_wide)(w[3], around, t - 4, n, edge);
    }
    if (NAME(long_has)(t - 5, n, edge))
        even4 = z->even2[1] + NAME(long_step)(w[4], z->odd3, odd3, t - 5, n, edge);
    if (NAME(long_has)(t - 6, n, edge))
        odd5 = z->odd3 + NAME(long_step)(w[5], z->even4, even4, t - 6, n, edge);
    if (NAME(long_has)(t - 7, n, edge))
        even6 = z->even4 + NAME(long_step)(w[6], z->odd5, odd5, t - 7, n, edge);
    if (NAME(long_has)(t - 8, n, edge)) {
        odd7 = z->odd5 + NAME(long_step)(w[7], z->even6, even6, t - 8, n, edge);
        NAME(lift_put)(x + (t - 8) * (ptrdiff_t)lanes, odd7 * w[10]);
    }
    if (NAME(long_has)(t - 9, n, edge))
        NAME(lift_put)(x + (t - 9) * (ptrdiff_t)lanes,
                       (z->even6 + NAME(long_step)(w[8], z->odd7, odd7, t - 9, n, edge)) * w[9]);
    z->even0 = next;
    z->odd1[1] = z->odd1[0];
    z->odd1[0] = odd1;
    z->even2[2] = z->even2[1];
    z->even2[1] = z->even2[0];
    z->even2[0] = even2;
    z->odd3 = odd3;
    z->even4 = even4;
    z->odd5 = odd5;
    z->even6 = even6;
    z->odd7 = odd7;
}

static inline void NAME(long_forward_lane)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    const ptrdiff_t end = (ptrdiff_t)n;
    const NAME(vec) first = NAME(lift_get)(x);
    NAME(long_state) z = { first, { first, first }, { first, first, first }, first, first, first, first, first };
    ptrdiff_t t = 1;

    for (; t < 10; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 1);
    for (; t < end - 1; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 0);
    for (; t < end + 9; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 1);
}

/* Rows after so many steps, as these are undone: a trip at t finds odd8 at t - 2, even7 at t - 3 and so on. */
typedef struct NAME(long_back) {
    NAME(vec) odd8, even7, odd6, even5, odd4[2], even3[3], odd2, even1;
} NAME(long_back);

/* A trip at odd row t: rows t - 1 and t are read, t - 9 and t - 10 are finished. */
FMC_ALWAYS_INLINE void NAME(long_inverse_trip)(REAL *x, ptrdiff_t n, size_t lanes, const REAL *w, ptrdiff_t t,
                                              NAME(long_back) *z, int edge)
{
    NAME(vec) odd8 = z->odd8, even7 = z->even7, odd6 = z->odd6, even5 = z->even5, odd4 = z->odd4[0], even3 = z->even3[0],
              odd2 = z->odd2, even1 = z->even1;

    if (NAME(long_has)(t, n, edge))
        odd8 = NAME(lift_get)(x + t * (ptrdiff_t)lanes) * w[9];
    if (NAME(long_has)(t - 1, n, edge))
        even7 = NAME(lift_get)(x + (t - 1) * (ptrdiff_t)lanes) * w[10] - NAME(long_step)(w[8], z->odd8, odd8, t - 1, n, edge);
    if (NAME(long_has)(t - 2, n, edge))
        odd6 = z->odd8 - NAME(long_step)(w[7], z->even7, even7, t - 2, n, edge);
    if (NAME(long_has)(t - 3, n, edge))
        even5 = z->even7 - NAME(long_step)(w[6], z->odd6, odd6, t - 3, n, edge);
    if (NAME(long_has)(t - 4, n, edge))
        odd4 = z->odd6 - NAME(long_step)(w[5], z->even5, even5, t - 4, n, edge);
    if (NAME(long_has)(t - 5, n, edge))
        even3 = z->even5 - NAME(long_step)(w[4], z->odd4[0], odd4, t - 5, n, edge);
    if (NAME(long_has)(t - 8, n, edge)) {
        const NAME(vec) around[4] = { z->even3[2], z->even3[1], z->even3[0], even3 };

        odd2 = z->odd4[1] - NAME(long_wide)(w[3], around, t - 8, n, edge);
        odd2 = odd2 - NAME(long_step)(w[2], around[1], around[2], t - 8, n, edge);
    }
    if (NAME(long_has)(t - 9, n, edge)) {
        even1 = z->even3[1] - NAME(long_step)(w[1], z->odd2, odd2, t - 9, n, edge);
        NAME(lift_put)(x + (t - 9) * (ptrdiff_t)lanes, even1);
    }
    if (NAME(long_has)(t - 10, n, edge))
        NAME(lift_put)(x + (t - 10) * (ptrdiff_t)lanes, z->odd2 - NAME(long_step)(w[0], z->even1, even1, t - 10, n, edge));
    z->odd8 = odd8;
    z->even7 = even7;
    z->odd6 = odd6;
    z->even5 = even5;
    z->odd4[1] = z->odd4[0];
    z->odd4[0] = odd4;
    z->even3[2] = z->even3[1];
    z->even3[1] = z->even3[0];
    z->even3[0] = even3;
    z->odd2 = odd2;
    z->even1 = even1;
}

static inline void NAME(long_inverse_lane)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    const ptrdiff_t end = (ptrdiff_t)n;
    const NAME(vec) first = NAME(lift_get)(x);
    NAME(long_back) z = { first, first, first, first, { first, first }, { first, first, first }, first, first };
    ptrdiff_t t = 1;

    for (; t < 12; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 1);
    for (; t < end; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 0);
    for (; t < end + 10; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 1);
}

static void NAME(lift_long_forward)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; n >= NAME(LONG_LEAST) && j + W <= lanes; j += W)
        NAME(long_forward_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_long_forward_some)(x + j, n, lanes, lanes - j, w);
}

static void NAME(lift_long_inverse)(REAL *x, size_t n, size_t lanes, const REAL w[11])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; n >= NAME(LONG_LEAST) && j + W <= lanes; j += W)
        NAME(long_inverse_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_long_inverse_some)(x + j, n, lanes, lanes - j, w);
}
