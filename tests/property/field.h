/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays for tests: what is in them and how they lie in memory. */
#ifndef FMC_TEST_FIELD_H
#define FMC_TEST_FIELD_H

#include <stddef.h>
#include <fmc/fmc.h>

enum field_kind {
    FIELD_SMOOTH,    /* waves */
    FIELD_NOISY,     /* waves and noise */
    FIELD_NOISE,     /* nothing but noise */
    FIELD_PACKED,    /* integers times a step plus an offset */
    FIELD_DECIMAL,   /* rounded to a decimal */
    FIELD_CONSTANT,
    FIELD_ZEROS,     /* 0 and -0 */
    FIELD_STEPS,     /* a few levels with edges */
    FIELD_DENORMAL,  /* waves of denormals */
    FIELD_HUGE,      /* waves up to the largest finite number */
    FIELD_OFFSET,    /* small waves on a large offset */
    FIELD_SPIKES,    /* mostly zero */
    FIELD_WIDE,      /* exponents from end to end, both signs */
    FIELD_BITS,      /* random bit patterns: NaN payloads, infinities, anything */
    FIELD_KINDS
};

enum field_dirt {
    DIRT_NONE,
    DIRT_ONE_NAN,
    DIRT_NAN_BLOCK,
    DIRT_INF,
    DIRT_FILL_1E20,  /* 1e20 on a blob of samples */
    DIRT_OUTLIERS,   /* a few samples far away */
    DIRT_ALL,        /* nothing valid: all NaN */
    DIRT_KINDS
};

/** A field: samples in C order as doubles' bits of the type, and a strided copy of them in memory of its own. */
typedef struct field {
    fmc_array array;   /* the strided view; data inside memory */
    uint8_t  *memory;  /* everything not a sample is PAD */
    size_t    memory_size;
    uint8_t  *plain;   /* the samples in C order, host byte order */
    size_t    count, sample; /* samples, bytes of one */
} field;

enum { FIELD_PAD = 0xa7 };

/** Samples of one kind. @param f dtype, rank and dim of f->array are set; the rest is filled. */
void field_make(field *f, uint64_t *seed, enum field_kind kind, enum field_dirt dirt);

/** Memory for samples of the same shape, without samples. @param is_strange permuted, padded, reversed, unaligned. */
void field_lay_out(field *f, uint64_t *seed, int is_strange);

/** Copy plain into the strided memory, or out of it. */
void field_scatter(field *f);
void field_gather(field *f);

/** Whether nothing but samples changed in memory since field_lay_out. */
int field_padding_is_intact(field *f);

void field_free(field *f);

/** Sample i in C order. */
double field_at(const field *f, size_t i);
void   field_set(field *f, size_t i, double x);

/** Name of a kind. */
const char *field_kind_name(enum field_kind kind);
const char *field_dirt_name(enum field_dirt dirt);

#endif
