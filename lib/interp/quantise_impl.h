/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type with REAL, NAME(x) and KERNEL(k, x) defined (docs/format.md 7.1). */

/* The decoder's expression; a result that is not finite becomes 0, so that predictions stay numbers. */
static inline REAL NAME(sample)(REAL p, int32_t q, double step)
{
    const REAL r = (REAL)((double)p + (double)q * step);

    return r - r == 0 ? r : 0;
}

/* The integer for a sample x predicted as p; inverse = 1 / step. */
static inline int32_t NAME(integer)(REAL x, REAL p, double inverse)
{
    const double t = ((double)x - (double)p) * inverse;
    const double fit = fabs(t) <= Q_MAX ? t : 0;

    return (int32_t)(fit + copysign(0.5, fit));
}

/* One sample; *r is the original when encoding. */
static void NAME(code_one)(REAL p, double step, int encode, int32_t *q, REAL *r)
{
    if (encode)
        *q = NAME(integer)(*r, p, 1 / step);
    *r = NAME(sample)(p, *q, step);
}

/* First-order Lorenzo at `at` of a grid over the plan's smooth axes; r points to the sample itself. */
static REAL NAME(lorenzo)(const fmc_interp_plan *plan, const size_t *grid, const size_t *at, const REAL *r)
{
    size_t back[RANK];
    size_t pitch = 1;
    unsigned n = 0;
    REAL p = 0;

    for (unsigned a = RANK; a-- > 0; pitch *= grid[a])
        if (at[a] > 0 && !(plan->unlike >> a & 1))
            back[n++] = pitch;
    if (n == 0)
        return (REAL)plan->base;
    for (unsigned set = 1; set < 1u << n; set++) {
        size_t far = 0;
        int sign = -1;

        for (unsigned k = 0; k < n; k++)
            if (set >> k & 1) {
                far += back[k];
                sign = -sign;
            }
        p = sign > 0 ? p + *(r - far) : p - *(r - far);
    }
    return p;
}
