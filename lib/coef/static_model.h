/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_COEF_STATIC_MODEL_H
#define FMC_COEF_STATIC_MODEL_H

#include "coef/static.h"
#include "entropy/binary.h"
#include "entropy/rans.h"

enum {
    FMC_STATIC_TAPS = 12,      /* of the mean, docs/format.md 8.9 */
    FMC_STATIC_NEAR_TAPS = 2,  /* the last of them, W and E, only for odd columns */
    FMC_STATIC_MAX_TAP = 511,
    FMC_STATIC_MAX_GAIN = 8,
    FMC_STATIC_MAX_ROWS = 32,  /* neighbour rows that an energy is made of */
    FMC_STATIC_DECISIONS = 18, /* that describe a table: nonzero, three signs, larger than 1..14 */
    FMC_STATIC_SIGNS = 1,      /* the first decision about a sign */
    FMC_STATIC_SIZES = 4,      /* the first about a size */
    FMC_STATIC_STEPS = 96,     /* decisions are -96..96, in 1/8 of log odds */
    FMC_STATIC_MARGIN = 64     /* elements beyond the ends of a line */
};

/** What is stored for the columns of one parity of one band. */
typedef struct fmc_static_phase {
    uint8_t has_mean;
    int8_t  gain;                 /* of the energy, quarter octaves */
    int16_t tap[FMC_STATIC_TAPS]; /* of the mean, 1/64 */
} fmc_static_phase;

/**
 * Weights of an energy: north, north2, up, parent, sibling, time in 1/16384; for odd columns, share in 1/65536 of the
 * energy without W and E, near in 1/64.
 */
typedef struct fmc_static_weights {
    uint16_t north, north2, up, parent, sibling, time, share, near;
} fmc_static_weights;

/** One band: its parameters, and where its rows of this block lie in the lines. */
typedef struct fmc_static_band {
    fmc_static_phase phase[2];
    int has_mean;                 /* one of them has */
    fmc_static_weights weights;   /* with the gain in them */
    uint32_t share, near;
    uint32_t alike;               /* bit m: sibling m has the same extents */
    size_t lo, rows;              /* block's rows of each slice */
    size_t n_rows;                /* of all slices */
    size_t offset;                /* of the first line */
} fmc_static_band;

/** A table as decisions, 1/8 of log odds each. */
typedef struct fmc_static_shape {
    int8_t d[FMC_STATIC_DECISIONS];
} fmc_static_shape;

/** Everything of one block. Lines are rows with one 0 behind and, for the first, before them. */
typedef struct fmc_static {
    const fmc_static_job *job;
    fmc_static_band *band;
    uint16_t        *mag;        /* lines of magnitudes of what is coded, at most 1023 */
    int16_t         *value;      /* lines of values of the band at work, within +-32767 */
    fmc_static_shape shape[FMC_STATIC_TABLES];
    fmc_rans_table   table[FMC_STATIC_TABLES];
    /* scratch, a longest row each */
    uint16_t *energy, *e[2], *m[2];
    int16_t  *v[2];
    int32_t  *sum, *base[2], *q[2];
    uint8_t  *fine[2], *ctx[2], *sym[2], *packed_ctx, *packed_sym, *active;
    const int32_t *none;      /* zeros in place of a base */
    int16_t  *zero, *parent, *time;
    const int16_t *parent_of, *time_of; /* the line that parent, time were made from; NULL: none yet */
    void     *memory;
} fmc_static;

/** Rows of a mean, those that there are, W and E apart. */
typedef struct fmc_static_tap_rows {
    const int16_t *row[FMC_COEF_TAPS];
    int16_t  weight[2][FMC_COEF_TAPS];
    uint8_t  tap[FMC_COEF_TAPS];        /* which tap it is */
    size_t   n, n_even;                 /* n_even: with one of weight 0, if need be */
} fmc_static_tap_rows;

/** One row at work. */
typedef struct fmc_static_row {
    const fmc_band        *band;
    const fmc_static_band *s;
    size_t          n;
    int32_t        *q;
    uint16_t       *mag;
    int16_t        *value;
    fmc_static_tap_rows taps;
    const int16_t  *row[FMC_STATIC_MAX_ROWS];
    int16_t         weight[FMC_STATIC_MAX_ROWS];
    uint8_t         is_line[FMC_STATIC_MAX_ROWS]; /* a line that moves on with this one; else made for the row */
    size_t          n_rows;     /* even */
    size_t          index;      /* of its line in the band */
    int             moves;      /* all that is not made for the row is such a line */
} fmc_static_row;

fmc_status fmc_static_open(const fmc_static_job *j, fmc_static *s);
void       fmc_static_close(fmc_static *s);

/** Before the first row of band i, once its phases are known. */
void fmc_static_band_open(fmc_static *s, size_t i);
/**
 * Rows around line `index` of band i, which is that at (v0, v1, z, y in the block). *r: zeros, or the row before, from which
 * most follows inside a slice.
 */
void fmc_static_row_open(fmc_static *s, size_t i, size_t index, const size_t at[4], fmc_static_row *r);
/** Place of line `index`, and of the line after the one at `at`. */
void fmc_static_row_find(const fmc_static *s, size_t i, size_t index, size_t at[4]);
void fmc_static_row_next(const fmc_static *s, size_t i, size_t at[4]);
/** s->e[0], s->e[1] = energies from the rows around; s->energy the same in order. */
void fmc_static_row_energy(fmc_static *s, const fmc_static_row *r);
/** s->base[phase], s->fine[phase]; only where the phase has a mean. Odd columns: s->v[0] is known. */
void fmc_static_row_mean(fmc_static *s, const fmc_static_row *r, size_t phase);
/** s->ctx[phase]; odd columns: s->m[0] is known. */
void fmc_static_row_context(fmc_static *s, const fmc_static_row *r, size_t phase);
/** Put magnitudes and values of both phases into the lines. */
void fmc_static_row_close(fmc_static *s, const fmc_static_row *r);

/** By band class, share and near for odd columns. */
extern const fmc_static_weights fmc_static_class_weights[11];
/** Shapes of the tables of streams that say nothing else. */
extern const fmc_static_shape fmc_static_default[FMC_STATIC_TABLES];

/** Parameters of all bands and shapes of all tables. */
void       fmc_static_head_write(fmc_static *s, fmc_out *out);
fmc_status fmc_static_head_read(fmc_static *s, fmc_in *in);
/** Does table `index` have this decision? Others are fixed. */
int        fmc_static_has_decision(size_t index, int decision);
/** Frequencies from a shape. */
void fmc_static_table(const fmc_static_shape *shape, size_t index, fmc_rans_table *table);
/** Encoder: what the fits below look up. */
enum { FMC_STATIC_SIZES_KNOWN = 2 * 33 + 2 * FMC_STATIC_MAX_GAIN + 1 };
typedef struct fmc_static_costs {
    double bit[2][2 * FMC_STATIC_STEPS + 1]; /* bits of a no and a yes, by decision value + FMC_STATIC_STEPS */
    double size[FMC_STATIC_SIZES_KNOWN];     /* log2(1 + mean) by quarter octaves */
} fmc_static_costs;

void     fmc_static_costs_init(fmc_static_costs *costs);
/** Probability of a yes in 1/65536. */
uint32_t fmc_static_odds(int d);
/** Encoder: the shape that codes these symbols best, its own description included. @param count [32]. */
void fmc_static_fit_shape(const fmc_static_costs *costs, const uint32_t *count, size_t index, fmc_static_shape *shape);
/** Encoder: means and gains of band i; fills its lines. */
void fmc_static_fit_band(fmc_static *s, const fmc_static_costs *costs, size_t i);

#endif
