/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_MODEL_DATA_H
#define FMC_TESTS_MODEL_DATA_H

/* Models and test vectors of tests/unit/data, which make_models.py there writes; docs/weights-format.md 5. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/bytes_in.h"
#include "nn/vae.h"
#include "ops/kernels.h"

typedef struct file_bytes {
    uint8_t *data;
    size_t   size;
} file_bytes;

/* A file of tests/unit/data; or, for a model of one's own, FMC_TEST_MODEL.fmcw and .fmcv. */
static inline file_bytes load_file(const char *name, const char *extension)
{
    const char *own = getenv("FMC_TEST_MODEL");
    char path[1024];
    file_bytes f = { NULL, 0 };
    FILE *in;

    if (own)
        snprintf(path, sizeof path, "%s%s", own, extension);
    else
        snprintf(path, sizeof path, "%s/%s%s", FMC_TEST_DATA, name, extension);
    in = fopen(path, "rb");
    if (!in)
        fail_msg("cannot open %s", path);
    fseek(in, 0, SEEK_END);
    f.size = (size_t)ftell(in);
    rewind(in);
    f.data = malloc(f.size + 1);
    assert_non_null(f.data);
    assert_int_equal(fread(f.data, 1, f.size, in), f.size);
    fclose(in);
    return f;
}

static inline fmc_model *load_model(const char *name)
{
    const file_bytes f = load_file(name, ".fmcw");
    char why[FMC_WHY_SIZE];
    fmc_model *m;
    const fmc_status st = fmc_model_make(&fmc_system_allocator, f.data, f.size, why, &m);

    if (st != FMC_OK)
        fail_msg("%s: %s", name, why);
    free(f.data);
    return m;
}

/* One case of a file of vectors. */
typedef struct vector_case {
    uint32_t level;
    fmc_vae_shape shape;
    int32_t *qz, *qy, *mu, *scale, *field;
} vector_case;

static inline int32_t *read_ints(fmc_in *in, size_t n)
{
    int32_t *v = malloc((n + 1) * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = (int32_t)fmc_in_u32(in);
    return v;
}

static inline vector_case read_case(const fmc_model *m, fmc_in *in)
{
    vector_case c = { .level = fmc_in_u32(in) };
    uint32_t dim[3];

    for (int d = 0; d < 3; d++)
        dim[d] = fmc_in_u32(in) * m->n.patch[d];
    assert_int_equal(fmc_vae_shape_make(m, dim, &c.shape), FMC_OK);
    c.qz = read_ints(in, c.shape.n_hyper);
    c.qy = read_ints(in, c.shape.n_latents);
    c.mu = read_ints(in, c.shape.n_latents);
    c.scale = read_ints(in, c.shape.n_latents);
    c.field = read_ints(in, c.shape.n_padded);
    assert_int_equal(fmc_in_status(in), FMC_OK);
    return c;
}

static inline void free_case(vector_case *c)
{
    free(c->qz);
    free(c->qy);
    free(c->mu);
    free(c->scale);
    free(c->field);
}

/* An allocator that fails once, after `left` requests, and counts live blocks. */
typedef struct failing {
    fmc_allocator alloc;
    int64_t left, live;
} failing;

static inline void *failing_alloc(void *user, size_t size)
{
    failing *f = user;
    void *p = f->left-- == 0 ? NULL : malloc(size);

    f->live += p != NULL;
    return p;
}

static inline void failing_free(void *user, void *p)
{
    ((failing *)user)->live -= p != NULL;
    free(p);
}

#endif
