/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spectral loops of lib/ops/kernels.h for one real type. fft_pass: one Stockham pass of a decimation in frequency.
 * Point q + s * (p + m * j) of the input, j < radix, goes to points q + s * (radix * p + k) of the output. Included
 * like loops_real.h; REAL and NAME(x) defined. The input is used as scratch by the general radix.
 */

/* out = (re, im) * w. The first group of a pass is copied instead. */
static inline void NAME(twist)(REAL *restrict out_re, REAL *restrict out_im, const REAL *re, const REAL *im,
                               const REAL *w)
{
    const REAL wr = w[0], wi = w[1];

    for (size_t l = 0; l < FMC_LANES; l++) {
        out_re[l] = re[l] * wr - im[l] * wi;
        out_im[l] = re[l] * wi + im[l] * wr;
    }
}

static void NAME(fft_2)(const fmc_fft_pass *f, const REAL *restrict w, const REAL *restrict in_re,
                        const REAL *restrict in_im, REAL *restrict out_re, REAL *restrict out_im)
{
    const size_t half = (size_t)f->s * f->m * FMC_LANES, next = (size_t)f->s * FMC_LANES;

    for (size_t p = 0; p < f->m; p++) {
        const REAL *tw = w + 2 * p * f->s;

        for (size_t q = 0; q < f->s; q++) {
            const size_t from = (q + f->s * p) * FMC_LANES, to = (q + f->s * 2 * p) * FMC_LANES;
            REAL re[FMC_LANES], im[FMC_LANES];

            for (size_t l = 0; l < FMC_LANES; l++) {
                out_re[to + l] = in_re[from + l] + in_re[from + half + l];
                out_im[to + l] = in_im[from + l] + in_im[from + half + l];
                re[l] = in_re[from + l] - in_re[from + half + l];
                im[l] = in_im[from + l] - in_im[from + half + l];
            }
            if (p > 0) {
                NAME(twist)(out_re + to + next, out_im + to + next, re, im, tw);
            } else {
                memcpy(out_re + to + next, re, sizeof re);
                memcpy(out_im + to + next, im, sizeof im);
            }
        }
    }
}

/* The four sums of radix 4 without their twiddles. */
static inline void NAME(fft_4_sums)(const REAL *restrict re, const REAL *restrict im, size_t part,
                                    REAL (*restrict b_re)[FMC_LANES], REAL (*restrict b_im)[FMC_LANES])
{
    for (size_t l = 0; l < FMC_LANES; l++) {
        const REAL s02r = re[l] + re[2 * part + l], s02i = im[l] + im[2 * part + l];
        const REAL d02r = re[l] - re[2 * part + l], d02i = im[l] - im[2 * part + l];
        const REAL s13r = re[part + l] + re[3 * part + l], s13i = im[part + l] + im[3 * part + l];
        const REAL d13r = re[part + l] - re[3 * part + l], d13i = im[part + l] - im[3 * part + l];

        b_re[0][l] = s02r + s13r;
        b_im[0][l] = s02i + s13i;
        b_re[1][l] = d02r + d13i;
        b_im[1][l] = d02i - d13r;
        b_re[2][l] = s02r - s13r;
        b_im[2][l] = s02i - s13i;
        b_re[3][l] = d02r - d13i;
        b_im[3][l] = d02i + d13r;
    }
}

static void NAME(fft_4)(const fmc_fft_pass *f, const REAL *restrict w, const REAL *restrict in_re,
                        const REAL *restrict in_im, REAL *restrict out_re, REAL *restrict out_im)
{
    const size_t part = (size_t)f->s * f->m * FMC_LANES, next = (size_t)f->s * FMC_LANES;

    for (size_t p = 0; p < f->m; p++)
        for (size_t q = 0; q < f->s; q++) {
            const size_t from = (q + f->s * p) * FMC_LANES, to = (q + f->s * 4 * p) * FMC_LANES;
            REAL re[4][FMC_LANES], im[4][FMC_LANES];

            NAME(fft_4_sums)(in_re + from, in_im + from, part, re, im);
            memcpy(out_re + to, re[0], sizeof re[0]);
            memcpy(out_im + to, im[0], sizeof im[0]);
            for (size_t k = 1; k < 4; k++) {
                if (p > 0) {
                    NAME(twist)(out_re + to + k * next, out_im + to + k * next, re[k], im[k], w + 2 * p * k * f->s);
                } else {
                    memcpy(out_re + to + k * next, re[k], sizeof re[k]);
                    memcpy(out_im + to + k * next, im[k], sizeof im[k]);
                }
            }
        }
}

/* in[j] = a[j] + a[r - j], in[r - j] = a[j] - a[r - j]; the sum of all goes to out[0]. */
static inline void NAME(fft_odd_fold)(size_t r, size_t part, REAL *restrict in, REAL *restrict out)
{
    for (size_t l = 0; l < FMC_LANES; l++)
        out[l] = in[l];
    for (size_t j = 1; j <= r / 2; j++)
        for (size_t l = 0; l < FMC_LANES; l++) {
            const REAL a = in[j * part + l], b = in[(r - j) * part + l];

            in[j * part + l] = a + b;
            in[(r - j) * part + l] = a - b;
            out[l] += a + b;
        }
}

/* The outputs k and r - k of a folded group, before their twiddles: even = a0 + sum c u, odd = sum d v. */
static inline void NAME(fft_odd_pair)(size_t r, size_t k, size_t part, const REAL *restrict root, size_t root_step,
                                      const REAL *restrict in_re, const REAL *restrict in_im,
                                      REAL (*restrict b_re)[FMC_LANES], REAL (*restrict b_im)[FMC_LANES])
{
    REAL er[FMC_LANES], ei[FMC_LANES], or[FMC_LANES], oi[FMC_LANES];

    for (size_t l = 0; l < FMC_LANES; l++) {
        er[l] = in_re[l];
        ei[l] = in_im[l];
        or[l] = 0;
        oi[l] = 0;
    }
    for (size_t j = 1, t = k; j <= r / 2; j++, t = t + k >= r ? t + k - r : t + k) {
        const REAL c = root[2 * t * root_step], d = root[2 * t * root_step + 1];

        for (size_t l = 0; l < FMC_LANES; l++) {
            er[l] += c * in_re[j * part + l];
            ei[l] += c * in_im[j * part + l];
            or[l] += d * in_re[(r - j) * part + l];
            oi[l] += d * in_im[(r - j) * part + l];
        }
    }
    for (size_t l = 0; l < FMC_LANES; l++) {
        b_re[0][l] = er[l] - oi[l];
        b_im[0][l] = ei[l] + or[l];
        b_re[1][l] = er[l] + oi[l];
        b_im[1][l] = ei[l] - or[l];
    }
}

static inline void NAME(fft_odd)(size_t r, const fmc_fft_pass *f, const REAL *restrict w, REAL *restrict in_re,
                                 REAL *restrict in_im, REAL *restrict out_re, REAL *restrict out_im)
{
    const size_t s = f->s, part = s * f->m * FMC_LANES, next = s * FMC_LANES;

    for (size_t p = 0; p < f->m; p++)
        for (size_t q = 0; q < s; q++) {
            const size_t from = (q + s * p) * FMC_LANES, to = (q + s * r * p) * FMC_LANES;

            NAME(fft_odd_fold)(r, part, in_re + from, out_re + to);
            NAME(fft_odd_fold)(r, part, in_im + from, out_im + to);
            for (size_t k = 1; k <= r / 2; k++) {
                REAL re[2][FMC_LANES], im[2][FMC_LANES];
                const size_t a = to + k * next, b = to + (r - k) * next;

                NAME(fft_odd_pair)(r, k, part, w, s * f->m, in_re + from, in_im + from, re, im);
                if (p > 0) {
                    NAME(twist)(out_re + a, out_im + a, re[0], im[0], w + 2 * p * k * s);
                    NAME(twist)(out_re + b, out_im + b, re[1], im[1], w + 2 * p * (r - k) * s);
                } else {
                    memcpy(out_re + a, re[0], sizeof re[0]);
                    memcpy(out_im + a, im[0], sizeof im[0]);
                    memcpy(out_re + b, re[1], sizeof re[1]);
                    memcpy(out_im + b, im[1], sizeof im[1]);
                }
            }
        }
}

static void NAME(fft_pass)(const fmc_fft_pass *f, const REAL *w, REAL *in_re, REAL *in_im, REAL *out_re, REAL *out_im)
{
    switch (f->radix) {
    case 4:
        NAME(fft_4)(f, w, in_re, in_im, out_re, out_im);
        break;
    case 2:
        NAME(fft_2)(f, w, in_re, in_im, out_re, out_im);
        break;
    case 3:
        NAME(fft_odd)(3, f, w, in_re, in_im, out_re, out_im);
        break;
    case 5:
        NAME(fft_odd)(5, f, w, in_re, in_im, out_re, out_im);
        break;
    case 7:
        NAME(fft_odd)(7, f, w, in_re, in_im, out_re, out_im);
        break;
    default:
        NAME(fft_odd)(f->radix, f, w, in_re, in_im, out_re, out_im);
        break;
    }
}

/* One row times a constant. */
static inline void NAME(row_scale)(REAL *restrict out, const REAL *restrict in, REAL g)
{
    for (size_t l = 0; l < FMC_LANES; l++)
        out[l] = g * in[l];
}

static void NAME(dft_tail)(size_t n, REAL first, REAL gain, const REAL *restrict re, const REAL *restrict im,
                           REAL *restrict a, REAL *restrict b)
{
    NAME(row_scale)(a, re, first);
    NAME(row_scale)(b, im, first);
    for (size_t k = 1; k < n - k; k++) {
        const size_t here = k * FMC_LANES, there = (n - k) * FMC_LANES, to = (2 * k - 1) * FMC_LANES;

        for (size_t l = 0; l < FMC_LANES; l++) {
            a[to + l] = gain * (re[here + l] + re[there + l]);
            a[to + FMC_LANES + l] = gain * (im[here + l] - im[there + l]);
            b[to + l] = gain * (im[here + l] + im[there + l]);
            b[to + FMC_LANES + l] = gain * (re[there + l] - re[here + l]);
        }
    }
    if (n % 2 == 0) {
        NAME(row_scale)(a + (n - 1) * FMC_LANES, re + n / 2 * FMC_LANES, first);
        NAME(row_scale)(b + (n - 1) * FMC_LANES, im + n / 2 * FMC_LANES, first);
    }
}

static void NAME(dft_head)(size_t n, REAL first, REAL gain, const REAL *restrict a, const REAL *restrict b,
                           REAL *restrict re, REAL *restrict im)
{
    NAME(row_scale)(re, a, first);
    NAME(row_scale)(im, b, first);
    for (size_t k = 1; k < n - k; k++) {
        const size_t here = k * FMC_LANES, there = (n - k) * FMC_LANES, from = (2 * k - 1) * FMC_LANES;

        for (size_t l = 0; l < FMC_LANES; l++) {
            re[here + l] = gain * (a[from + l] - b[from + FMC_LANES + l]);
            im[here + l] = gain * (a[from + FMC_LANES + l] + b[from + l]);
            re[there + l] = gain * (a[from + l] + b[from + FMC_LANES + l]);
            im[there + l] = gain * (b[from + l] - a[from + FMC_LANES + l]);
        }
    }
    if (n % 2 == 0) {
        NAME(row_scale)(re + n / 2 * FMC_LANES, a + (n - 1) * FMC_LANES, first);
        NAME(row_scale)(im + n / 2 * FMC_LANES, b + (n - 1) * FMC_LANES, first);
    }
}

static void NAME(dct_tail)(size_t n, REAL first, const REAL *restrict turn, const REAL *restrict re,
                           const REAL *restrict im, REAL *restrict a, REAL *restrict b)
{
    NAME(row_scale)(a, re, first);
    NAME(row_scale)(b, im, first);
    for (size_t k = 1; k < n - k; k++) {
        const size_t here = k * FMC_LANES, there = (n - k) * FMC_LANES;
        const REAL c = turn[2 * k], s = turn[2 * k + 1];

        for (size_t l = 0; l < FMC_LANES; l++) {
            const REAL ar = re[here + l] + re[there + l], ai = im[here + l] - im[there + l];
            const REAL br = im[here + l] + im[there + l], bi = re[there + l] - re[here + l];

            a[here + l] = c * ar + s * ai;
            a[there + l] = s * ar - c * ai;
            b[here + l] = c * br + s * bi;
            b[there + l] = s * br - c * bi;
        }
    }
    if (n % 2 == 0) {
        NAME(row_scale)(a + n / 2 * FMC_LANES, re + n / 2 * FMC_LANES, first);
        NAME(row_scale)(b + n / 2 * FMC_LANES, im + n / 2 * FMC_LANES, first);
    }
}

static void NAME(dct_head)(size_t n, REAL first, const REAL *restrict turn, const REAL *restrict a,
                           const REAL *restrict b, REAL *restrict re, REAL *restrict im)
{
    NAME(row_scale)(re, a, first);
    NAME(row_scale)(im, b, first);
    for (size_t k = 1; k < n - k; k++) {
        const size_t here = k * FMC_LANES, there = (n - k) * FMC_LANES;
        const REAL c = turn[2 * k], s = turn[2 * k + 1];

        for (size_t l = 0; l < FMC_LANES; l++) {
            const REAL ar = c * a[here + l] + s * a[there + l], ai = s * a[here + l] - c * a[there + l];
            const REAL br = c * b[here + l] + s * b[there + l], bi = s * b[here + l] - c * b[there + l];

            re[here + l] = ar - bi;
            im[here + l] = ai + br;
            re[there + l] = ar + bi;
            im[there + l] = br - ai;
        }
    }
    if (n % 2 == 0) {
        NAME(row_scale)(re + n / 2 * FMC_LANES, a + n / 2 * FMC_LANES, first);
        NAME(row_scale)(im + n / 2 * FMC_LANES, b + n / 2 * FMC_LANES, first);
    }
}
