/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_PCM_STATE_H
#define FMC_GRID_PCM_STATE_H

/* Inside of the pcm coder, shared by pcm.c, pcm_plane.c, pcm_predict.c and pcm_symbol.c. */

#include <math.h>
#include "core/compiler.h"
#include "entropy/binary.h"
#include "entropy/mixer.h"
#include "grid/ols.h"
#include "grid/pcm.h"

enum { LEFT = 8, RIGHT = 4, TOP = 2, BOTTOM = 1 };
enum { N_IN = 8, LINE_NEAR = 8 };
/** Predictions blended: FAST and the default, STRONG; of the last, what forgets quickly. Errors of a sample's lie PRED_STRIDE apart. */
enum { N_PRED = 4, N_STRONG = 5, QUICK = 4, PRED_STRIDE = 8 };
/** Samples of a row whose far taps are summed at once; fewer until WARM_UP samples were learnt. */
enum { BLOCK = 32, BLOCK_EARLY = 8, WARM_UP = 512 };
/** Samples between two solutions of the normal equations. */
enum { SOLVE_LATE = 96, SOLVE_STRONG = 64 };

/** Class decisions of a context: 0..7 upwards, 8..15 downwards: one cache line. */
enum { NODE_UP = 0, NODE_DOWN = 8, N_NODE = 16 };
/** Contexts of the class: by expected error, by the neighbours' errors, by level, by the neighbours' values, by the running error. */
enum { CTX0 = 600, CTX1 = 864, CTX2 = 1024, CTX3 = 343 * 4, CTX4 = 16 * 150, N_CTX = 5 };
enum { N_SIGN = 4096, N_LOW = 8192, N_EQ = 4096, N_MANT = 150 * 32 };
/** Weight rows: [4 sets][class nodes, sign], then low bits, then equality. */
enum { ROW_SIGN = 16, ROWS_OF_SET = 32, ROW_LOW = 4 * ROWS_OF_SET, ROW_EQ = ROW_LOW + 16, N_ROW = ROW_EQ + 3 };
enum { LEAST_BUCKETS = 256, MOST_BUCKETS = 1 << 16 };

typedef struct fmc_pcm_taps {
    fmc_ols ols;                    /* far taps, then near ones */
    fmc_ols quick;                  /* STRONG: the same, soon forgotten */
    uint32_t n_far, n_near;         /* near: x-1, x-2, ... of the same row */
    ptrdiff_t off[FMC_OLS_MAX];     /* relative to the current sample, within the ring (set per plane) */
} fmc_pcm_taps;

/** What is known of a run of samples before its first one is coded. */
typedef struct fmc_pcm_block {
    double base[BLOCK];           /* what taps are relative to: N, or for single rows the sample before the block */
    double part[N_STRONG][BLOCK]; /* predictions without the near samples */
    float pe[BLOCK][PRED_STRIDE]; /* errors of the predictors in the row before */
    float err[BLOCK];             /* sum of the errors around, without this row's */
    float last[BLOCK];            /* of the plane before */
    float weight[BLOCK];          /* expected error + spacing; 0: nothing to learn */
    double d[BLOCK][FMC_OLS_MAX]; /* taps of the learnt samples, weighted */
    double y[BLOCK];
} fmc_pcm_block;

typedef struct fmc_pcm_coder {
    const fmc_pcm_view *view;
    const fmc_pcm_params *par;
    const fmc_lattice *lat;
    const void *src; /* NULL when decoding */
    void *dst;
    const uint8_t *mask;
    bool encoding, fast, strong;
    bool is_line; /* single rows */
    fmc_pcm_meter *meter; /* or NULL */
    fmc_enc enc;
    fmc_dec dec;
    size_t pw, ph, plane, n_planes; /* padded row, rows, plane, ring */
    double *v;                      /* ring of numbers */
    float *e;                       /* ring of prediction errors, signed */
    int32_t *rank;                  /* TABLE: ring of ranks */
    float *pe_now, *pe_up;          /* errors of each predictor in this row and the last: [pw][PRED_STRIDE] */
    fmc_pcm_taps *taps;
    fmc_pcm_block *block;
    fmc_prob *ctx[N_CTX];
    fmc_prob *sign_ctx, *low_ctx, *eq_ctx, *mant_ctx;
    int16_t *mix; /* [N_ROW][N_IN] */
    double scale, unscale;
    double step, origin; /* of the current row, INT */
    float dec_spacing[FMC_DEC_LOWEST + 23];
    uint32_t *bucket;  /* TABLE: first rank of each of n_bucket pieces of the range */
    size_t n_bucket;
    double per_bucket; /* n_bucket / range */
    uint32_t history;  /* outcomes of the last equality questions */
    float run;         /* running mean of errors */
    uint32_t level_shift; /* symbol -> one of 32 levels */
} fmc_pcm_coder;

/** What is known of a sample before it is coded. */
typedef struct fmc_pcm_sample {
    double pred[N_STRONG];
    double p;   /* blended prediction */
    int64_t xp; /* its symbol */
    float err;  /* expected |error| */
    float ulp;
    int32_t lg, rel; /* log16 of err, of err / ulp */
    int32_t b;       /* first class asked for */
    int32_t set;     /* of weights */
    uint32_t around; /* neighbours' values */
    fmc_prob *slot[N_CTX];
} fmc_pcm_sample;

/** Code plane t of volume a. */
fmc_status fmc_pcm_plane(const fmc_exec *ex, fmc_pcm_coder *c, size_t a, size_t t);

/** Fill c->block for n samples from ring index `at`, column x; up: offset of the plane before, 0 if there is none. */
void fmc_pcm_prepare(fmc_pcm_coder *c, const fmc_pcm_taps *t, size_t at, size_t x, size_t n, bool has_time,
                     ptrdiff_t up);

/** Learn from the n coded samples of c->block. */
void fmc_pcm_learn(fmc_pcm_coder *c, fmc_pcm_taps *t, size_t at, size_t n);

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
 * One decision from n <= 5 counters through the mixer's weight row w, docs/format.md 9.7. Weights are 16-bit with 8192
 * = 1; input n is the bias.
 */
FMC_ALWAYS_INLINE unsigned mixed(fmc_pcm_coder *c, unsigned bit, fmc_prob *const *slot, const uint32_t n, int16_t *w)
{
    int32_t st[N_CTX + 1];
    int32_t dot = 512 * w[n], err;
    uint32_t p;

    for (uint32_t i = 0; i < n; i++) {
        st[i] = fmc_stretch(*slot[i]) * 2;
        dot += st[i] * w[i];
    }
    st[n] = 512;
    p = fmc_squash(dot >> 14);
    bit = put_bit(c, bit, p);
    err = ((int32_t)(bit << 16) - (int32_t)p) >> 1;
    for (uint32_t i = 0; i <= n; i++) {
        const int32_t t = w[i] + ((((st[i] * err) >> 16) + 1) >> 1);

        w[i] = (int16_t)(t > 31000 ? 31000 : t < -31000 ? -31000 : t);
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

/* Signed d relative to the scale whose log16 is lg: 0..6, 3 is small. */
static inline int32_t signed_level(float d, int32_t lg)
{
    const int32_t r = log16(fabsf(d)) - lg;
    const int32_t m = (r >= -32) + (r >= -8) + (r >= 16);

    return d < 0 ? 3 - m : 3 + m;
}

#endif
