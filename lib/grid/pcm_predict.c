/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm_number.h"

/* Signed d relative to the scale whose log16 is lg: -3..3. */
static inline int32_t signed_level(float d, int32_t lg)
{
    const int32_t r = log16(fabsf(d)) - lg;
    const int32_t m = r < -32 ? 0 : r < -8 ? 1 : r < 16 ? 2 : 3;

    return d < 0 ? -m : m;
}

void fmc_pcm_predict(fmc_pcm_coder *c, const fmc_pcm_taps *t, fmc_pcm_sample *s, size_t at, size_t x, uint32_t stage)
{
    const double *v = c->v + at;
    const size_t pw = c->pw;
    const float *now = c->pe, *up = c->pe + N_PRED * pw;
    const double W = v[-1], N = v[-(ptrdiff_t)pw], NW = v[-(ptrdiff_t)pw - 1], NE = v[-(ptrdiff_t)pw + 1];
    float e[N_PRED], w[N_PRED], least = 1e38f;
    const uint32_t n = t->ols.n;

    s->base = W;
    for (uint32_t i = 0; i < n; i++)
        s->d[i] = v[t->off[i]] - W;
    for (uint32_t i = n; i & 3; i++)
        s->d[i] = 0;
    s->pred[0] = W + fmc_ols_predict(&t->ols, s->d);
    if (stage % 3) {
        const double *u = v + t->off[6]; /* previous plane, same place */
        const double U = u[0], UW = u[-1], UN = u[-(ptrdiff_t)pw];

        s->pred[1] = W + N - NW + (U - UW - UN + u[-(ptrdiff_t)pw - 1]);
        s->pred[2] = U + 0.5 * ((W - UW) + (N - UN));
        s->pred[3] = U;
    } else {
        s->pred[1] = W + N - NW;
        s->pred[2] = 0.5 * (W + N) + 0.25 * (NE - NW);
        s->pred[3] = W;
    }
    for (uint32_t k = 0; k < N_PRED; k++) {
        const float *a = now + k * pw + x + LEFT, *b = up + k * pw + x + LEFT;

        e[k] = a[-1] + b[0] + 0.5f * (a[-2] + b[-1] + b[1]) + 1e-37f;
        if (!(s->pred[k] - s->pred[k] == 0.0))
            s->pred[k] = 0.0;
        least = e[k] < least ? e[k] : least;
    }
    for (uint32_t k = 0; k < N_PRED; k++) {
        const float r = least / e[k], r2 = r * r;

        w[k] = r2 * r2;
    }
    w[0] *= 4;
    s->p = ((double)w[0] * s->pred[0] + (double)w[1] * s->pred[1] + (double)w[2] * s->pred[2] +
            (double)w[3] * s->pred[3]) /
           (double)(w[0] + w[1] + w[2] + w[3]);
    if (!(s->p - s->p == 0.0))
        s->p = s->pred[3];
}

static inline int32_t sign_of(float e)
{
    return e < 0 ? 0 : e > 0 ? 2 : 1;
}

/* Weighted mean of the neighbours' errors; *last_plane: the same of the plane before alone (or eW). */
static float expected_error(const fmc_pcm_coder *c, const float *e, ptrdiff_t up, float *last_plane)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const float W = fabsf(e[-1]), N = fabsf(e[-pw]), NE = fabsf(e[1 - pw]), NW = fabsf(e[-1 - pw]);
    const float WW = fabsf(e[-2]), NN = fabsf(e[-2 * pw]);
    float sum = (W + N) * 2 + NE + NW + WW + NN;

    *last_plane = W;
    if (up) {
        const float *u = e + up;
        const float U = fabsf(u[0]), E = fabsf(u[1]), S = fabsf(u[pw]);

        sum = sum + 2 * U + E + S + 0.5f * (fabsf(u[-1]) + fabsf(u[-pw]));
        *last_plane = 0.5f * U + 0.25f * (E + S);
        return sum * (1.0f / 13);
    }
    return sum * 0.125f;
}

/* Contexts of the sign: signs of the neighbours' errors, rest of the rounding, disagreement of the predictors. */
static void sign_contexts(fmc_pcm_coder *c, fmc_pcm_sample *s, const float *e, ptrdiff_t up, size_t around)
{
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const uint32_t kind = c->lat->kind;
    const bool coarse = kind == FMC_LATTICE_INT || kind == FMC_LATTICE_TABLE;
    const int32_t sw = sign_of(e[-1]), sn = sign_of(e[-pw]), se = sign_of(e[1 - pw]);
    const int32_t su = sign_of(up ? e[up] : e[-1 - pw]);
    const double f = coarse ? (s->p - number_of(c, s->xp)) / (double)s->ulp : 0;
    const int32_t q = f > -1 && f < 1 ? clampi((int32_t)(f * 16 + 8), 0, 15) : f > 0 ? 15 : 0;
    const int32_t d1 = signed_level((float)(s->pred[0] - s->p), s->lg - 16) + 3;
    const int32_t d2 = signed_level((float)(s->pred[1] - s->p), s->lg) + 3;
    const int32_t d3 = signed_level((float)(s->pred[2] - s->p), s->lg) + 3;

    s->sign[0] = c->sign_ctx + ((sw * 3 + sn) * 3 + se) * 3 + su;
    s->sign[1] = c->sign_ctx + 128 + (q * 4 + clampi(s->b, 0, 3)) * 3 + su;
    s->sign[2] = c->sign_ctx + 512 + (d1 * 7 + d2) * 7 + d3;
    s->sign[3] = c->sign_ctx + 1024 + around;
}

void fmc_pcm_contexts(fmc_pcm_coder *c, fmc_pcm_sample *s, size_t at, ptrdiff_t up)
{
    const float *e = c->e + at;
    const double *v = c->v + at;
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const bool by_exponent = c->lat->kind == FMC_LATTICE_F32 && !(c->par->flags & FMC_PCM_ORDINAL);
    float last_plane, err = expected_error(c, e, up, &last_plane);
    int32_t level, lw, ln, lu, dw, dn, du;
    size_t around;

    s->xp = symbol_of(c, s->p);
    s->ulp = spacing(c, s->xp);
    err = 0.875f * err + 0.125f * c->run + 0.03f * s->ulp;
    s->err = err < 1e38f ? err : 1e38f;
    s->lg = log16(s->err);
    s->rel = clampi(s->lg - log16(s->ulp) + 96, 0, 1199); /* 96: one spacing */
    s->b = clampi((s->rel - 96) >> 4, 0, 62);
    s->mix_set = clampi(s->b, 0, 3);
    lw = clampi((log16(fabsf(e[-1])) - s->lg + 40) >> 4, 0, 5);
    ln = clampi((log16(fabsf(e[-pw])) - s->lg + 40) >> 4, 0, 5);
    lu = clampi((log16(last_plane) - s->lg + 40) >> 4, 0, 5);
    level = by_exponent ? (int32_t)((uint64_t)s->xp >> 22 & 31)
                        : (int32_t)(((uint64_t)s->xp - (uint64_t)c->lat->lo) /
                                    ((((uint64_t)c->lat->hi - (uint64_t)c->lat->lo) >> 5) + 1));
    dw = signed_level((float)(v[-1] - s->p), s->lg) + 3;
    dn = signed_level((float)(v[-pw] - s->p), s->lg) + 3;
    du = signed_level((float)((up ? v[up] : v[1 - pw]) - s->p), s->lg) + 3;
    around = (size_t)(((dw * 7 + dn) * 7 + du) * 4 + clampi(s->b, 0, 3));
    s->slot[0] = c->ctx[0] + (size_t)(s->rel >> 1) * N_NODE;
    s->slot[1] = c->ctx[1] + (size_t)(((lw * 6 + ln) * 6 + lu) * 4 + (s->rel >> 2 & 3)) * N_NODE;
    s->slot[2] = c->ctx[2] + (size_t)(level * 32 + clampi(s->rel >> 4, 0, 31)) * N_NODE;
    s->slot[3] = c->ctx[3] + around * N_NODE;
    sign_contexts(c, s, e, up, around);
}
