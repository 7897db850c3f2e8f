/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_long_forward and lift_long_inverse of lib/ops/kernels.h as loops_lift.h has it for the shorter filter: a vector of lanes
 * in one pass over its rows, what is not yet final staying in registers. Step s works on a row s before the one that was
 * read last; a trip reads two rows. Included after loops_lift.h with the same names defined.
 */

#include "core/compiler.h"

enum { NAME(LONG_STEPS) = 6, NAME(LONG_LEAST) = 8 };

/* What later trips need: the last row read, its predecessors after each step, odd rows after the last step that changes them. */
typedef struct NAME(long_state) {
    NAME(vec) row, v[NAME(LONG_STEPS)], odd[3];
} NAME(long_state);

/* A trip at odd row t: rows t and t + 1 are read, t - 4 and t - 7 are finished. At the `edge` rows may not be there. */
FMC_ALWAYS_INLINE void NAME(long_forward_trip)(REAL *x, ptrdiff_t n, size_t lanes, const REAL *w, ptrdiff_t t,
                                              NAME(long_state) *z, int edge)
{
    NAME(vec) now[NAME(LONG_STEPS)], own = z->row, right = z->row, left = z->row;
    const NAME(vec) next = !edge || t + 1 < n ? NAME(lift_get)(x + (t + 1) * (ptrdiff_t)lanes) : z->row;
    const ptrdiff_t wide = t - 7;

    for (int s = 0; s < NAME(LONG_STEPS); s++) {
        const ptrdiff_t r = t - s;

        now[s] = own;
        if (edge && (r < 0 || r >= n))
            continue;
        own = s == 0 ? NAME(lift_get)(x + t * (ptrdiff_t)lanes) : s == 1 ? z->row : z->v[s < 2 ? 0 : s - 2];
        left = s == 0 ? z->row : z->v[s < 1 ? 0 : s - 1];
        right = s == 0 ? next : now[s < 1 ? 0 : s - 1];
        if (edge && r == 0)
            left = right;
        if (edge && r == n - 1)
            right = left;
        now[s] = own + w[s] * (left + right);
    }
    if (!edge || (t - 4 >= 0 && t - 4 < n))
        NAME(lift_put)(x + (t - 4) * (ptrdiff_t)lanes, now[4] * w[8]);
    if (!edge || (wide >= 0 && wide < n)) {
        left = edge && wide == 0 ? now[4] : edge && wide == 2 ? z->odd[1] : z->odd[2];
        right = now[4];
        if (edge && wide + 3 >= n)
            right = wide == n - 1 ? z->odd[2] : wide == n - 2 ? z->odd[1] : z->odd[0];
        NAME(lift_put)(x + wide * (ptrdiff_t)lanes, (z->v[5] + w[6] * (left + right)) * w[7]);
    }
    z->odd[2] = z->odd[1];
    z->odd[1] = z->odd[0];
    z->odd[0] = now[4];
    for (int s = 0; s < NAME(LONG_STEPS); s++)
        z->v[s] = now[s];
    z->row = next;
}

static inline void NAME(long_forward_lane)(REAL *x, size_t n, size_t lanes, const REAL w[9])
{
    const ptrdiff_t end = (ptrdiff_t)n;
    NAME(long_state) z;
    ptrdiff_t t = 1;

    z.row = NAME(lift_get)(x);
    for (int i = 0; i < NAME(LONG_STEPS); i++)
        z.v[i] = z.row;
    for (int i = 0; i < 3; i++)
        z.odd[i] = z.row;
    for (; t < 10; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 1);
    for (; t < end - 1; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 0);
    for (; t < end + 7; t += 2)
        NAME(long_forward_trip)(x, end, lanes, w, t, &z, 1);
}

/* The last odd rows read; then what each step left of the row that the next one needs. */
typedef struct NAME(long_back) {
    NAME(vec) odd[3], even2, odd1, even3, odd2, even4;
} NAME(long_back);

/* One step: `own` less w of its neighbours, row r of n. */
FMC_ALWAYS_INLINE NAME(vec) NAME(long_undo)(NAME(vec) own, REAL w, NAME(vec) left, NAME(vec) right, ptrdiff_t r, ptrdiff_t n,
                                           int edge)
{
    if (edge && r == 0)
        left = right;
    if (edge && r == n - 1)
        right = left;
    return own + -w * (left + right);
}

/* A trip at odd row t: rows t and t - 3 are read, t - 7 and t - 8 are finished. */
FMC_ALWAYS_INLINE void NAME(long_inverse_trip)(REAL *x, ptrdiff_t n, size_t lanes, const REAL *w, ptrdiff_t t,
                                              NAME(long_back) *z, int edge)
{
    const NAME(vec) odd = !edge || t < n ? NAME(lift_get)(x + t * (ptrdiff_t)lanes) * w[7] : z->odd[0];
    NAME(vec) even2 = z->even2, odd1 = z->odd1, even3 = z->even3, odd2 = z->odd2, even4 = z->even4;
    const ptrdiff_t wide = t - 3;

    if (!edge || (wide >= 0 && wide < n)) {
        NAME(vec) left = z->odd[2], right = odd;

        if (edge && wide < 3)
            left = wide == 0 ? odd : z->odd[1];
        if (edge && wide + 3 >= n)
            right = wide == n - 1 ? z->odd[2] : wide == n - 2 ? z->odd[1] : z->odd[0];
        even2 = NAME(lift_get)(x + wide * (ptrdiff_t)lanes) * w[8] + -w[6] * (left + right);
        even2 = NAME(long_undo)(even2, w[5], z->odd[1], z->odd[0], wide, n, edge);
    }
    if (!edge || (t >= 4 && t - 4 < n))
        odd1 = NAME(long_undo)(z->odd[1], w[4], z->even2, even2, t - 4, n, edge);
    if (!edge || (t >= 5 && t - 5 < n))
        even3 = NAME(long_undo)(z->even2, w[3], z->odd1, odd1, t - 5, n, edge);
    if (!edge || (t >= 6 && t - 6 < n))
        odd2 = NAME(long_undo)(z->odd1, w[2], z->even3, even3, t - 6, n, edge);
    if (!edge || (t >= 7 && t - 7 < n)) {
        even4 = NAME(long_undo)(z->even3, w[1], z->odd2, odd2, t - 7, n, edge);
        NAME(lift_put)(x + (t - 7) * (ptrdiff_t)lanes, even4);
    }
    if (!edge || (t >= 8 && t - 8 < n))
        NAME(lift_put)(x + (t - 8) * (ptrdiff_t)lanes, NAME(long_undo)(z->odd2, w[0], z->even4, even4, t - 8, n, edge));
    z->odd[2] = z->odd[1];
    z->odd[1] = z->odd[0];
    z->odd[0] = odd;
    z->even2 = even2;
    z->odd1 = odd1;
    z->even3 = even3;
    z->odd2 = odd2;
    z->even4 = even4;
}

static inline void NAME(long_inverse_lane)(REAL *x, size_t n, size_t lanes, const REAL w[9])
{
    const ptrdiff_t end = (ptrdiff_t)n;
    NAME(long_back) z;
    ptrdiff_t t = 1;

    z.odd[0] = z.odd[1] = z.odd[2] = z.even2 = z.odd1 = z.even3 = z.odd2 = z.even4 = NAME(lift_get)(x);
    for (; t < 9; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 1);
    for (; t < end; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 0);
    for (; t < end + 8; t += 2)
        NAME(long_inverse_trip)(x, end, lanes, w, t, &z, 1);
}

static void NAME(lift_long_forward)(REAL *x, size_t n, size_t lanes, const REAL w[9])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; n >= NAME(LONG_LEAST) && j + W <= lanes; j += W)
        NAME(long_forward_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_long_forward_some)(x + j, n, lanes, lanes - j, w);
}

static void NAME(lift_long_inverse)(REAL *x, size_t n, size_t lanes, const REAL w[9])
{
    enum { W = VEC_SIZE / sizeof(REAL) };
    size_t j = 0;

    for (; n >= NAME(LONG_LEAST) && j + W <= lanes; j += W)
        NAME(long_inverse_lane)(x + j, n, lanes, w);
    if (j < lanes)
        NAME(lift_long_inverse_some)(x + j, n, lanes, lanes - j, w);
}
