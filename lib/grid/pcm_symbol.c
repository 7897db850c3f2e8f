/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm_number.h"

/* The weights of a decision of the residual. */
static int16_t *weights(const fmc_pcm_coder *c, const fmc_pcm_sample *s, uint32_t row)
{
    return c->mix + ((size_t)s->set * ROWS_OF_SET + row) * N_IN;
}

static inline unsigned decide(fmc_pcm_coder *c, const fmc_pcm_sample *s, unsigned bit, uint32_t node)
{
    fmc_prob *slot[N_CTX] = { s->slot[0] + node, s->slot[1] + node, s->slot[2] + node };

    if (!c->strong) /* its further contexts do not exist */
        return mixed(c, bit, slot, 3, weights(c, s, node));
    slot[3] = s->slot[3] + node;
    slot[4] = s->slot[4] + node;
    return mixed(c, bit, slot, 5, weights(c, s, node));
}

static inline unsigned ask(fmc_pcm_coder *c, const fmc_pcm_sample *s, unsigned bit, uint32_t node)
{
    return c->fast ? single(c, bit, s->slot[0] + node) : decide(c, s, bit, node);
}

static int code_class(fmc_pcm_coder *c, const fmc_pcm_sample *s, int cls)
{
    int j = s->b;

    if (ask(c, s, cls >= j + 1, NODE_UP)) {
        for (j++; j < 64; j++) {
            const int node = j - s->b > 7 ? 7 : j - s->b;

            if (!ask(c, s, cls >= j + 1, (uint32_t)(NODE_UP + node)))
                break;
        }
        return j;
    }
    for (; j > 0; j--) {
        const int node = s->b - j > 7 ? 7 : s->b - j;

        if (ask(c, s, cls >= j, (uint32_t)(NODE_DOWN + node)))
            break;
    }
    return j;
}

static inline uint32_t sign_of(float e)
{
    return e < 0 ? 0 : e > 0 ? 2 : 1;
}

/* 1: below the prediction. By signs of the errors around, rest of the rounding, disagreement of the predictors. */
static unsigned code_sign(fmc_pcm_coder *c, const fmc_pcm_sample *s, unsigned neg, size_t at, ptrdiff_t up)
{
    const float *e = c->e + at;
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const uint32_t kind = c->lat->kind, sw = sign_of(e[-1]), sn = sign_of(e[-pw]);
    const bool coarse = kind == FMC_LATTICE_INT || kind == FMC_LATTICE_TABLE;
    fmc_prob *slot[3];
    uint32_t d, rest = 8;

    if (coarse) {
        const double f = (s->p - number_of(c, s->xp)) / (double)s->ulp;

        rest = f > -1 && f < 1 ? (uint32_t)clampi((int32_t)(f * 16 + 8), 0, 15) : f > 0 ? 15 : 0;
    }
    if (c->fast)
        return single(c, neg, c->sign_ctx + (rest * 3 + sw) * 3 + sn);
    slot[0] = c->sign_ctx + ((sw * 3 + sn) * 3 + sign_of(e[1 - pw])) * 3 + sign_of(up ? e[up] : e[-1 - pw]);
    d = (uint32_t)(signed_level((float)(s->pred[0] - s->p), s->lg - 16) * 7 +
                   signed_level((float)(s->pred[1] - s->p), s->lg));
    slot[1] = c->sign_ctx + 128 +
              (coarse ? d * 16 + rest : d * 16 + (uint32_t)signed_level((float)(s->pred[2] - s->p), s->lg));
    slot[2] = c->sign_ctx + 1024 + s->around;
    if (c->strong)
        return mixed(c, neg, slot, 3, weights(c, s, ROW_SIGN));
    return mixed(c, neg, slot, 2, weights(c, s, ROW_SIGN));
}

/* Significand and exponent of a number as fixed point at 2^e2 (two's complement, modulo 2^64). */
static inline uint64_t fixed_at(double v, int e2)
{
    uint64_t u;
    int64_t m;
    int e;

    memcpy(&u, &v, 8);
    e = (int)(u >> 52 & 2047);
    m = (int64_t)(u & 0xfffffffffffffu);
    if (e)
        m |= (int64_t)1 << 52;
    else
        e = 1;
    if (u >> 63)
        m = -m;
    e -= 1075 + e2;
    if (e >= 0)
        return e > 63 ? 0 : (uint64_t)m << e;
    return (uint64_t)(m >> (e < -63 ? 63 : -e));
}

static uint64_t code_low(fmc_pcm_coder *c, const fmc_pcm_sample *s, uint64_t x, unsigned m, size_t at, ptrdiff_t up,
                         unsigned negative)
{
    const double *v = c->v + at;
    uint64_t w[3], got = 0;
    unsigned alive = 15;
    unsigned i;
    int e2, ex;

    /* exponent of the symbol's last bit, from the prediction's */
    {
        const double u = (double)s->ulp;
        uint64_t b;

        memcpy(&b, &u, 8);
        e2 = (int)(b >> 52 & 2047) - 1023;
    }
    w[0] = fixed_at(v[-1], e2) - negative;
    w[1] = fixed_at(v[-(ptrdiff_t)c->pw], e2) - negative;
    w[2] = fixed_at(up ? v[up] : v[1 - (ptrdiff_t)c->pw], e2) - negative;
    for (i = 0; i < m && alive; i++) {
        fmc_prob *slot[4];
        uint32_t st[4];
        unsigned bit = (unsigned)(x >> i) & 1;

        for (uint32_t k = 0; k < 3; k++)
            st[k] = alive >> k & 1 ? 1 + (uint32_t)(w[k] >> i & 1) : 0;
        st[3] = alive >> 3 & 1 ? 1 + negative : 0;
        ex = clampi(e2 + (int)i + 64, 0, 127);
        slot[0] = c->low_ctx + (((st[0] * 3 + st[1]) * 3 + st[2]) * 3 + st[3]) * 16 + (i < 15 ? i : 15);
        slot[1] = c->low_ctx + 2048 + (st[0] * 3 + st[3]) * 128 + (uint32_t)ex;
        slot[2] = c->low_ctx + 4096 + (st[1] * 3 + st[3]) * 128 + (uint32_t)ex;
        slot[3] = c->low_ctx + 6144 + (st[2] * 3 + st[3]) * 128 + (uint32_t)ex;
        bit = mixed(c, bit, slot, 4, c->mix + ((size_t)ROW_LOW + (i < 15 ? i : 15)) * N_IN);
        got |= (uint64_t)bit << i;
        for (uint32_t k = 0; k < 3; k++)
            if ((w[k] >> i & 1) != bit)
                alive &= ~(1u << k);
        if (bit != negative)
            alive &= ~8u;
    }
    if (i < m)
        got |= put_raw(c, (x & (((uint64_t)1 << m) - 1)) >> i, m - i) << i;
    return got;
}

static int64_t code_residual(fmc_pcm_coder *c, const fmc_pcm_sample *s, int64_t x, size_t at, ptrdiff_t up)
{
    const int64_t r = (int64_t)((uint64_t)x - (uint64_t)s->xp);
    uint64_t mag = r < 0 ? 0 - (uint64_t)r : (uint64_t)r;
    int cls = mag ? 64 - __builtin_clzll(mag) : 0;
    unsigned neg = r < 0;
    unsigned m, tree = 1, n_top;
    fmc_prob *mant;
    uint64_t base;

    cls = code_class(c, s, cls);
    if (cls == 0)
        return s->xp;
    neg = code_sign(c, s, neg, at, up);
    /* up to 3 bits below the leading one */
    m = (unsigned)cls - 1;
    n_top = c->fast ? 1 : 2;
    n_top = m < n_top ? m : n_top;
    mant = c->mant_ctx + (s->rel >> 3) * 32 + clampi(cls - s->b, 0, 3) * 8;
    for (unsigned i = 0; i < n_top; i++)
        tree = tree << 1 | single(c, (unsigned)(mag >> (m - 1 - i)) & 1, mant + tree);
    m -= n_top;
    base = m >= 64 ? 0 : (uint64_t)(n_top == 0 ? 1 : tree) << m;
    if (m) {
        uint64_t low = mag & (((uint64_t)1 << m) - 1);

        if (c->par->flags & FMC_PCM_LOW) {
            /* as the low bits of the symbol itself */
            const uint64_t start = neg ? (uint64_t)s->xp - base : (uint64_t)s->xp + base;
            uint64_t xl = code_low(c, s, (uint64_t)x, m, at, up, (int64_t)start < 0);

            low = (neg ? start - xl : xl - start) & (((uint64_t)1 << m) - 1);
        } else {
            low = put_raw(c, low, m);
        }
        base |= low;
    }
    return (int64_t)(neg ? (uint64_t)s->xp - base : (uint64_t)s->xp + base);
}

static bool code_equal(fmc_pcm_coder *c, const fmc_pcm_sample *s, int64_t *x, size_t at, ptrdiff_t up)
{
    const double *v = c->v + at;
    const ptrdiff_t pw = (ptrdiff_t)c->pw;
    const double W = v[-1], N = v[-pw], NE = v[1 - pw], NW = v[-1 - pw], U = up ? v[up] : v[-2];
    const double cand[3] = { W, N, U };
    const ptrdiff_t place[3] = { -1, -pw, up ? up : -2 };
    int64_t old[3];
    uint32_t uctx = 0;

    if (up) {
        const double *u = v + up;

        uctx = (uint32_t)(U == u[-1]) | (uint32_t)(U == u[-pw]) << 1 | (uint32_t)(U == u[1]) << 2 |
               (uint32_t)(U == u[pw]) << 3;
    } else {
        uctx = (uint32_t)(W == v[-2]) | (uint32_t)(N == v[-2 * pw]) << 1 | (uint32_t)(NE == v[2 - pw]) << 2 |
               (uint32_t)(NW == v[-2 - pw]) << 3;
    }
    for (uint32_t i = 0; i < 3; i++) {
        const double t = cand[i];
        const int64_t xc = c->rank ? c->rank[at + (size_t)place[i]] : symbol_of(c, t);
        fmc_prob *slot[4];
        uint32_t h;
        unsigned hit;

        old[i] = xc;
        if ((i > 0 && xc == old[0]) || (i > 1 && xc == old[1]))
            continue;
        h = (uint32_t)(t == W) | (uint32_t)(t == N) << 1 | (uint32_t)(t == NE) << 2 | (uint32_t)(t == NW) << 3 |
            (uint32_t)(t == U) << 4 | (uint32_t)(xc == s->xp) << 5;
        slot[0] = c->eq_ctx + i * 64 + h;
        slot[1] = c->eq_ctx + 256 + i * 128 + (uint32_t)clampi(s->rel >> 2, 0, 127);
        slot[2] = c->eq_ctx + 1024 + i * 256 + (c->history & 255);
        slot[3] = c->eq_ctx + 2048 + (i * 16 + uctx) * 8 + (h & 7);
        hit = c->fast ? single(c, *x == xc, slot[0])
                      : mixed(c, *x == xc, slot, 4, c->mix + ((size_t)ROW_EQ + i) * N_IN);
        c->history = c->history << 1 | hit;
        if (hit) {
            *x = xc;
            return true;
        }
    }
    return false;
}

int64_t fmc_pcm_symbol(fmc_pcm_coder *c, const fmc_pcm_sample *s, int64_t x, size_t at, ptrdiff_t up)
{
    if ((c->par->flags & FMC_PCM_EQ) && code_equal(c, s, &x, at, up))
        return x;
    return clamp_symbol(c, code_residual(c, s, x, at, up));
}
