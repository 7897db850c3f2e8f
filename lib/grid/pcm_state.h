/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_STATE_H
#define FMC_GRID_PCM_STATE_H

/* Inside of the pcm coder, shared by pcm.c, pcm_predict.c and pcm_symbol.c. */

#include <math.h>
#include "entropy/binary.h"
#include "entropy/mixer.h"
#include "grid/ols.h"
#include "grid/pcm.h"

enum { LEFT = 8, RIGHT = 4, TOP = 2, BOTTOM = 1 };
enum { N_PRED = 4, N_CTX = 4, N_NODE = 64, N_IN = 8 };
enum { NODE_UP = 0, NODE_DOWN = 16, NODE_SIGN = 32, NODE_MANT = 33 };
enum { CTX0 = 600, CTX1 = 864, CTX2 = 1024, CTX3 = 343 * 4 };
enum { N_BUCKET = 4096 };
enum { SIGN_CTX = 4, LOW_CTX = 4, EQ_CTX = 4 };

/** Samples between two solutions of the normal equations: at first, and later. */
enum { SOLVE_EARLY = 16, SOLVE_LATE = 96, WARM_UP = 512 };

typedef struct fmc_pcm_taps {
    fmc_ols ols;
    ptrdiff_t off[FMC_OLS_MAX]; /* relative to the current sample, within the ring (set per plane) */
} fmc_pcm_taps;

typedef struct fmc_pcm_coder {
    const fmc_pcm_view *view;
    const fmc_pcm_params *par;
    const fmc_lattice *lat;
    const void *src; /* NULL when decoding */
    void *dst;
    const uint8_t *mask;
    bool encoding;
    fmc_enc enc;
    fmc_dec dec;
    size_t pw, ph, plane, n_planes; /* padded row, rows, plane, ring */
    double *v;                      /* ring of numbers */
    float *e;                       /* ring of prediction errors, signed */
    float *pe;                      /* errors of each predictor: [2 rows][N_PRED][pw] */
    fmc_pcm_taps *taps;
    fmc_prob *ctx[N_CTX];
    fmc_prob *sign_ctx, *low_ctx, *eq_ctx;
    int16_t *mix; /* [set][N_IN] */
    double scale, unscale;
    double step, origin; /* of the current row, INT */
    uint32_t *bucket;    /* TABLE: first rank of each of N_BUCKET pieces of the range */
    double per_bucket;   /* N_BUCKET / range */
    uint32_t history;    /* outcomes of the last equality questions */
    float run;           /* running mean of errors */
} fmc_pcm_coder;

/** What is known of a sample before it is coded. */
typedef struct fmc_pcm_sample {
    double d[FMC_OLS_MAX];
    double base; /* W */
    double pred[N_PRED];
    double p;   /* blended prediction */
    int64_t xp; /* its symbol */
    float err;  /* expected |error| */
    float ulp;
    int32_t lg, rel; /* log16 of err, of err / ulp */
    int32_t b;       /* first class asked for */
    fmc_prob *slot[N_CTX];
    fmc_prob *sign[SIGN_CTX];
    int32_t mix_set;
} fmc_pcm_sample;

/** Predictions of the sample at ring index `at`, column x; stage: 0 first plane, 1, 2, +3 if there is an earlier
 * volume. */
void fmc_pcm_predict(fmc_pcm_coder *c, const fmc_pcm_taps *t, fmc_pcm_sample *s, size_t at, size_t x, uint32_t stage);

/** Expected error and contexts; up: offset of the plane before, 0 if there is none. */
void fmc_pcm_contexts(fmc_pcm_coder *c, fmc_pcm_sample *s, size_t at, ptrdiff_t up);

/** Code symbol x (encoding) or decode it; returns it, within lo..hi. */
int64_t fmc_pcm_symbol(fmc_pcm_coder *c, const fmc_pcm_sample *s, int64_t x, size_t at, ptrdiff_t up);

/* ---- bits ---- */

static inline unsigned put_bit(fmc_pcm_coder *c, unsigned bit, uint32_t p)
{
    if (c->encoding)
        fmc_enc_bit(&c->enc, bit, p);
    else
        bit = fmc_dec_bit(&c->dec, p);
    return bit;
}

static inline uint64_t put_raw(fmc_pcm_coder *c, uint64_t value, unsigned n)
{
    uint64_t got = 0;

    while (n) {
        const unsigned k = n > 16 ? 16 : n;

        n -= k;
        if (c->encoding)
            fmc_enc_raw(&c->enc, (uint32_t)(value >> n) & ((1u << k) - 1), k);
        else
            got |= (uint64_t)fmc_dec_raw(&c->dec, k) << n;
    }
    return c->encoding ? value : got;
}

/*
 * One decision from n <= 6 counters through the mixer's weight row w, docs/format.md 9.7. Weights are 16-bit with 8192
 * = 1; input n is the bias, the rest are 0: eight lanes, so that compilers can use one vector.
 */
static inline unsigned mixed(fmc_pcm_coder *c, unsigned bit, fmc_prob *const *slot, uint32_t n, int16_t *w)
{
    int16_t st[N_IN] = { 0 };
    int32_t dot = 0, err;
    uint32_t p;

    for (uint32_t i = 0; i < n; i++)
        st[i] = (int16_t)(fmc_stretch(*slot[i]) * 2);
    st[n] = 512;
    for (uint32_t i = 0; i < N_IN; i++)
        dot += (int32_t)st[i] * w[i];
    p = fmc_squash(dot >> 14);
    bit = put_bit(c, bit, p);
    err = ((int32_t)(bit << 16) - (int32_t)p) >> 1;
    for (uint32_t i = 0; i < N_IN; i++) {
        const int16_t d = (int16_t)(((int32_t)st[i] * (int16_t)err) >> 16);
        const int16_t t = (int16_t)(w[i] + (int16_t)((d + 1) >> 1));

        w[i] = t > 31000 ? 31000 : t < -31000 ? -31000 : t;
    }
    for (uint32_t i = 0; i < n; i++)
        fmc_prob_update(slot[i], bit, 255);
    return bit;
}

/* One decision from one counter. */
static inline unsigned single(fmc_pcm_coder *c, unsigned bit, fmc_prob *p)
{
    bit = put_bit(c, bit, fmc_prob_p16(*p));
    fmc_prob_update(p, bit, 255);
    return bit;
}

/* 16 log2(f) for f >= 0 (piecewise linear), from the bits. */
static inline int32_t log16(float f)
{
    uint32_t u;

    memcpy(&u, &f, 4);
    return (int32_t)(u >> 19);
}

static inline int32_t clampi(int32_t v, int32_t lo, int32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

#endif
