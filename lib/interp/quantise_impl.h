/* SPDX-License-Identifier: Apache-2.0 */
/* Included once per sample type with REAL, REAL_MAX, REAL_ABS and NAME(x) defined (docs/format.md 7.1). */

/* The decoder's expression; a result that is not finite becomes 0, so that predictions stay numbers. */
static inline REAL NAME(sample)(REAL p, int32_t q, double step)
{
    const REAL r = (REAL)((double)p + (double)q * step);

    return REAL_ABS(r) <= REAL_MAX ? r : 0;
}

static void NAME(restore)(const REAL *restrict p, double step, size_t n, const int32_t *restrict q, REAL *restrict x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = NAME(sample)(p[i], q[i], step);
}

/* x: originals in, decoded samples out. */
static void NAME(quantise)(const REAL *restrict p, double step, size_t n, REAL *restrict x, int32_t *restrict q)
{
    const double inverse = 1 / step;

    for (size_t i = 0; i < n; i++) {
        const double t = ((double)x[i] - (double)p[i]) * inverse;
        const double fit = fabs(t) <= Q_MAX ? t : 0;
        const int32_t v = (int32_t)(fit + copysign(0.5, fit));

        q[i] = v;
        x[i] = NAME(sample)(p[i], v, step);
    }
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
