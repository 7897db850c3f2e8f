/* SPDX-License-Identifier: Apache-2.0 */
/* Models decode to recorded integers: vectors MODEL.fmcw VECTORS.fmcv ... (docs/weights-format.md 5). Exit status 1 if not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nn/vae.h"
#include "ops/kernels.h"

typedef struct bytes {
    uint8_t *data;
    size_t   size;
} bytes;

static bytes load(const char *path)
{
    FILE *f = fopen(path, "rb");
    bytes b = { NULL, 0 };
    long size;

    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    rewind(f);
    b.data = malloc((size_t)size + 1);
    b.size = b.data ? fread(b.data, 1, (size_t)size, f) : 0;
    fclose(f);
    return b;
}

/* The next n stored integers equal v. */
static int is_next(fmc_in *in, const int32_t *v, size_t n)
{
    int is_same = 1;

    for (size_t i = 0; i < n; i++)
        is_same &= (int32_t)fmc_in_u32(in) == v[i];
    return is_same && !in->short_read;
}

static int32_t *read_ints(fmc_in *in, size_t n)
{
    int32_t *v = malloc((n + 1) * sizeof *v);

    for (size_t i = 0; v && i < n; i++)
        v[i] = (int32_t)fmc_in_u32(in);
    return v;
}

static int check_case(const fmc_exec *ex, const fmc_model *m, fmc_in *in)
{
    const uint32_t level = fmc_in_u32(in);
    int32_t *qz, *qy, *mu, *field, *scale;
    uint8_t *index;
    uint32_t dim[3];
    fmc_vae_shape s;
    int is_good;

    for (int d = 0; d < 3; d++)
        dim[d] = fmc_in_u32(in) * m->n.patch[d];
    if (level >= m->n.levels || fmc_vae_shape_make(m, dim, &s) != FMC_OK)
        return 0;
    qz = read_ints(in, s.n_hyper);
    qy = read_ints(in, s.n_latents);
    mu = malloc(s.n_latents * sizeof *mu);
    scale = malloc(s.n_latents * sizeof *scale);
    index = malloc(s.n_latents);
    field = malloc(s.n_padded * sizeof *field);
    is_good = qz && qy && mu && scale && index && field && fmc_vae_hyper(ex, m, level, &s, qz, mu, index) == FMC_OK &&
              fmc_vae_synthesise(ex, m, level, &s, qy, mu, field) == FMC_OK;
    for (size_t i = 0; is_good && i < s.n_latents; i++)
        scale[i] = index[i];
    is_good = is_good && is_next(in, mu, s.n_latents) && is_next(in, scale, s.n_latents) && is_next(in, field, s.n_padded);
    free(qz);
    free(qy);
    free(mu);
    free(scale);
    free(index);
    free(field);
    return is_good;
}

static int check_file(const char *model, const char *vectors)
{
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .kernels = fmc_kernels_select(FMC_SIMD_BEST), .n_threads = 1 };
    const bytes w = load(model), v = load(vectors);
    char why[FMC_WHY_SIZE];
    fmc_model *m;
    fmc_in in = fmc_in_make(v.data, v.size);
    uint32_t n, i = 0;

    if (fmc_model_make(&fmc_system_allocator, w.data, w.size, why, &m) != FMC_OK) {
        fprintf(stderr, "%s: %s\n", model, why);
        return 0;
    }
    (void)fmc_in_u32(&in);
    n = fmc_in_u32(&in);
    if (fmc_in_u64(&in) == m->weights.hash)
        while (i < n && check_case(&ex, m, &in))
            i++;
    printf("%s: %u of %u cases, %s\n", vectors, i, n, ex.kernels->name);
    fmc_model_free(m);
    free(w.data);
    free(v.data);
    return n > 0 && i == n;
}

int main(int argc, char **argv)
{
    int is_good = argc > 2;

    for (int i = 1; i + 1 < argc; i += 2)
        is_good &= check_file(argv[i], argv[i + 1]);
    return !is_good;
}
