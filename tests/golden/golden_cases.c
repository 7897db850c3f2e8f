/* SPDX-License-Identifier: Apache-2.0 */
#include "golden_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../unit/tuned.h"

#define F32 FMC_F32
#define F64 FMC_F64
#define ABS FMC_BOUND_ABS
#define REL FMC_BOUND_REL
#define NRMSE FMC_BOUND_NRMSE
#define TRANSFORM FMC_CODER_TRANSFORM
#define INTERP FMC_CODER_INTERP
#define GRID FMC_CODER_GRID
#define VAE FMC_CODER_VAE
#define PCA FMC_CODER_PCA
#define UNLIKE FMC_AXIS_UNLIKE
#define PERIODIC FMC_AXIS_PERIODIC

const golden_case golden_cases[] = {
    { "transform_1d", F32, 1, { 700 }, "smooth", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_2d", F32, 2, { 40, 56 }, "smooth", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_2d_rough", F32, 2, { 50, 41 }, "rough", NRMSE, 1e-2, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_3d", F32, 3, { 12, 24, 20 }, "moving", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_3d_effort1", F32, 3, { 12, 24, 20 }, "moving", NRMSE, 1e-3, 1, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_3d_static", F64, 3, { 7, 36, 46 }, "moving", NRMSE, 1e-6, 1, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_3d_effort9", F32, 3, { 12, 24, 20 }, "moving", NRMSE, 1e-3, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_3d_rough", F32, 3, { 9, 23, 31 }, "rough", NRMSE, 1e-2, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_f64", F64, 3, { 8, 17, 21 }, "moving", NRMSE, 1e-5, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_periodic", F32, 2, { 24, 64 }, "periodic", NRMSE, 1e-4, 5, TRANSFORM, { 0 }, { 0, PERIODIC }, 0, 0, 0, NULL },
    { "transform_members", F32, 3, { 5, 24, 24 }, "members", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { UNLIKE }, 0, 0, 0, NULL },
    { "transform_4d", F32, 4, { 3, 6, 12, 14 }, "moving", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_5d", F64, 5, { 2, 3, 5, 7, 11 }, "moving", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_outliers", F32, 2, { 40, 40 }, "spikes", REL, 1e-4, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_bound", F32, 3, { 8, 20, 24 }, "rough", REL, 1e-2, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_trellis", F32, 3, { 9, 23, 31 }, "rough", NRMSE, 1e-2, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "transform_trellis_f64", F64, 3, { 7, 31, 33 }, "rough", REL, 1e-2, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "filter_1d", F32, 1, { 700 }, "smooth", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "filter_2d", F32, 2, { 50, 61 }, "bumps", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "filter_3d", F32, 3, { 10, 44, 47 }, "bumps", NRMSE, 1e-3, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "filter_3d_effort9", F32, 3, { 16, 43, 50 }, "bumps", NRMSE, 3e-4, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "filter_f64", F64, 3, { 9, 35, 41 }, "bumps", NRMSE, 1e-5, 5, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_1d", F32, 1, { 900 }, "smooth", REL, 1e-3, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_2d", F32, 2, { 45, 51 }, "smooth", REL, 1e-3, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_3d", F32, 3, { 10, 22, 23 }, "moving", REL, 1e-3, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_3d_effort9", F64, 3, { 10, 22, 23 }, "moving", REL, 1e-4, 9, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_rough", F32, 3, { 7, 24, 25 }, "rough", REL, 1e-3, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_steps", F32, 2, { 50, 50 }, "steps", REL, 1e-5, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "interp_4d", F64, 4, { 3, 5, 12, 13 }, "moving", ABS, 1.0 / 16, 1, INTERP, { 0 }, { UNLIKE }, 0, 0, 0, NULL },
    { "interp_mask", F32, 3, { 6, 20, 22 }, "coast_nan", REL, 1e-4, 5, INTERP, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_hundredths", F32, 2, { 40, 50 }, "hundredths", ABS, 1.0 / 1024, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_scaled", F32, 3, { 6, 20, 21 }, "scaled", FMC_BOUND_LOSSLESS, 0, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_f64", F64, 2, { 30, 41 }, "hundredths", FMC_BOUND_LOSSLESS, 0, 9, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_counts", F32, 2, { 48, 48 }, "counts", FMC_BOUND_LOSSLESS, 0, 1, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_laid", F32, 3, { 6, 20, 22 }, "coast_nan", REL, 1e-3, 5, GRID, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_laid_f64", F64, 2, { 31, 40 }, "signed", NRMSE, 1e-4, 9, GRID, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_laid_1d", F32, 1, { 700 }, "signed", NRMSE, 1e-4, 9, GRID, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "grid_laid_4d", F32, 4, { 3, 4, 13, 12 }, "signed", NRMSE, 1e-3, 9, GRID, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "exact_f32", F32, 3, { 5, 16, 17 }, "rough", FMC_BOUND_LOSSLESS, 0, 5, FMC_CODER_EXACT, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "exact_f64", F64, 2, { 24, 25 }, "rough", FMC_BOUND_LOSSLESS, 0, 9, FMC_CODER_EXACT, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "exact_3d_effort9", F32, 3, { 5, 15, 16 }, "signed", FMC_BOUND_LOSSLESS, 0, 9, FMC_CODER_EXACT, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "exact_bits", F32, 1, { 300 }, "bits", REL, 1e-3, 1, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "mask_nan", F32, 3, { 6, 20, 22 }, "coast_nan", NRMSE, 1e-3, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "mask_fill", F32, 3, { 6, 20, 22 }, "coast_fill", NRMSE, 1e-3, 5, 0, { 0 }, { 0 }, 1, 1e20, 0, NULL },
    { "mask_mixed", F64, 2, { 33, 37 }, "mixed", ABS, 1.0 / 64, 5, 0, { 0 }, { 0 }, 1, -9999, 0, NULL },
    { "pw_rel", F32, 2, { 40, 44 }, "signed", FMC_BOUND_PW_REL, 1e-2, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "pw_rel_f64", F64, 2, { 30, 29 }, "signed", FMC_BOUND_PW_REL, 1e-5, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "psnr", F32, 2, { 40, 44 }, "moving", FMC_BOUND_PSNR, 70, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "size", F32, 2, { 40, 44 }, "rough", FMC_BOUND_SIZE, 900, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "chunks", F32, 3, { 10, 20, 22 }, "moving", REL, 1e-3, 5, 0, { 4, 9, 11 }, { 0 }, 0, 0, 0, NULL },
    { "appended", F32, 3, { 11, 16, 18 }, "moving", ABS, 1.0 / 8, 5, 0, { 4 }, { 0 }, 0, 0, 3, NULL },
    { "constant", F32, 3, { 4, 10, 10 }, "constant", REL, 1e-3, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "one_sample", F64, 1, { 1 }, "smooth", REL, 1e-3, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "empty", F32, 3, { 4, 0, 7 }, "smooth", REL, 1e-3, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "vae_3d", F32, 3, { 9, 33, 50 }, "moving", NRMSE, 1e-2, 5, VAE, { 0 }, { 0 }, 0, 0, 0, "klt" },
    { "vae_interp", F64, 3, { 4, 17, 31 }, "moving", REL, 1e-2, 5, VAE | INTERP, { 0 }, { 0 }, 0, 0, 0, "faithful" },
    { "vae_mask", F32, 2, { 40, 37 }, "coast_nan", ABS, 1.0 / 8, 1, VAE | TRANSFORM, { 0 }, { 0 }, 0, 0, 0, "klt" },
    { "vae_pw_rel", F32, 4, { 2, 3, 18, 20 }, "signed", FMC_BOUND_PW_REL, 1e-2, 5, VAE, { 0 }, { 0 }, 0, 0, 0, "faithful" },
    { "vae_pca", F32, 3, { 5, 34, 37 }, "moving", NRMSE, 1e-2, 5, VAE | PCA, { 0 }, { 0 }, 0, 0, 0, "klt" },
    { "prior_3d", F32, 3, { 9, 33, 50 }, "moving", NRMSE, 3e-4, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, "tiny_prior" },
    { "prior_trellis", F32, 3, { 6, 29, 37 }, "rough", NRMSE, 1e-2, 9, TRANSFORM, { 0 }, { 0 }, 0, 0, 0, "tiny_prior" },
    { "prior_interp", F32, 3, { 8, 40, 45 }, "moving", REL, 1e-2, 9, INTERP, { 0 }, { 0 }, 0, 0, 0, "tiny_prior" },
    { "prior_pca", F32, 3, { 6, 41, 50 }, "moving", NRMSE, 1e-3, 9, PCA, { 0 }, { 0 }, 0, 0, 0, "tiny_prior" },
    { "prior_embed", F32, 3, { 10, 33, 50 }, "moving", NRMSE, 3e-4, 9, TRANSFORM, { 5 }, { 0 }, 0, 0, 5, "tuned" },
    { "pca_1d", F32, 1, { 900 }, "smooth", NRMSE, 1e-3, 5, PCA, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "pca_2d", F64, 2, { 43, 50 }, "rough", REL, 1e-2, 9, PCA, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "pca_3d", F32, 3, { 6, 20, 22 }, "coast_nan", NRMSE, 1e-3, 1, PCA, { 0 }, { 0 }, 0, 0, 0, NULL },
    { "denormals", F32, 2, { 30, 31 }, "denormal", REL, 1e-3, 5, 0, { 0 }, { 0 }, 0, 0, 0, NULL },
};
const size_t golden_case_count = sizeof golden_cases / sizeof *golden_cases;

/* A wave of period 256 and height 4096: a parabola up, a parabola down. */
static int64_t wave(int64_t phase)
{
    const int64_t p = phase & 255, h = p & 127;

    return (p < 128 ? 1 : -1) * h * (128 - h);
}

static uint32_t mix(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(z >> 32);
}

/* t slowest of up to three groups of axes, then y, x. */
static double smooth(int64_t t, int64_t y, int64_t x)
{
    return (double)(wave(3 * x + 5 * t) + wave(4 * y - 3 * t + x) / 2) / 1024 + (double)(y * t) / 64;
}

static double special(uint64_t i, double otherwise)
{
    static const uint64_t bits[] = { 0x7ff0000000000000u, 0xfff0000000000000u, 0x7ff8000000000000u, 0xc0c3878000000000u };
    double x;

    if (mix(i) % 8 >= 4)
        return otherwise;
    memcpy(&x, &bits[mix(i) % 4], sizeof x);
    return x;
}

/* Smooth bumps that move over a plane of nothing. */
static double bumps(int64_t t, int64_t y, int64_t x)
{
    double sum = 0;

    for (int64_t k = 0; k < 5; k++) {
        const int64_t dy = y - (11 + 23 * k) % 48 - t / 2, dx = x - (7 + 31 * k) % 56 - t * (k - 2) / 2, size = 60 + 40 * k;
        const double inside = 1 - (double)(dy * dy + dx * dx) / (double)size, square = inside * inside;

        sum += inside > 0 ? (double)(9 + 3 * k) * square * square : 0;
    }
    return sum;
}

static int is_land(int64_t y, int64_t x)
{
    return (y - 9) * (y - 9) + (x - 6) * (x - 6) < 30 || x + y > 36;
}

static double sample(const char *kind, uint64_t i, int64_t t, int64_t y, int64_t x)
{
    const double s = smooth(t, y, x), r = (double)(mix(i) % 1024) / 1024;

    if (!strcmp(kind, "smooth"))
        return smooth(0, y, x) + 280;
    if (!strcmp(kind, "periodic"))
        return (double)(wave(4 * x) + wave(8 * x + 16 * y)) / 512;
    if (!strcmp(kind, "members"))
        return smooth(mix((uint64_t)t) % 50, y, x);
    if (!strcmp(kind, "rough"))
        return s + r * 4;
    if (!strcmp(kind, "bumps"))
        return bumps(t, y, x);
    if (!strcmp(kind, "steps"))
        return (double)((int64_t)(s + 64) / 4) * 1.375 + r / 4096;
    if (!strcmp(kind, "spikes"))
        return mix(i) % 50 ? smooth(0, y, x) : r * 1000;
    if (!strcmp(kind, "hundredths"))
        return (double)(int64_t)(s * 40) / 100;
    if (!strcmp(kind, "scaled"))
        return (double)((float)(int64_t)(s * 100 + 3000) * 0.0123f + 250.0f);
    if (!strcmp(kind, "counts"))
        return (double)(mix(i) % 16 ? 0 : mix(i) / 16 % 200);
    if (!strcmp(kind, "coast_nan"))
        return is_land(y, x) ? special(0, 0) * 0 : s;
    if (!strcmp(kind, "coast_fill"))
        return is_land(y, x) ? 1e20 : s;
    if (!strcmp(kind, "mixed"))
        return is_land(y, x) ? special(i, s) : s;
    if (!strcmp(kind, "signed"))
        return mix(i) % 40 ? s * s * s : 0;
    if (!strcmp(kind, "constant"))
        return 273.15;
    if (!strcmp(kind, "denormal"))
        return s * 1e-42;
    return s;
}

static void set_sample(void *data, uint32_t dtype, uint64_t i, double x)
{
    const float small = (float)x;

    if (dtype == FMC_F32)
        memcpy((char *)data + i * sizeof small, &small, sizeof small);
    else
        memcpy((char *)data + i * sizeof x, &x, sizeof x);
}

void *golden_array(const golden_case *c, fmc_array *a)
{
    const uint64_t nx = c->dim[c->rank - 1], ny = c->rank > 1 ? c->dim[c->rank - 2] : 1;
    uint64_t n = 1;
    void *data;

    for (uint32_t i = 0; i < c->rank; i++)
        n *= c->dim[i];
    data = malloc(8 * n + 8);
    fmc_array_init(a, c->dtype, c->rank, c->dim, data);
    for (uint64_t i = 0; data && i < n; i++) {
        const uint32_t bits = mix(i);

        set_sample(data, c->dtype, i, sample(c->kind, i, (int64_t)(i / nx / ny), (int64_t)(i / nx % ny), (int64_t)(i % nx)));
        if (!strcmp(c->kind, "bits"))
            memcpy((char *)data + 4 * i, &bits, 4);
    }
    return data;
}

static fmc_params params_of(const golden_case *c, uint32_t n_threads)
{
    fmc_params p;

    fmc_params_init(&p, sizeof p);
    p.bound_kind = c->bound_kind;
    p.bound = c->bound;
    p.effort = c->effort;
    p.coder = c->coder;
    p.n_threads = n_threads;
    p.has_fill = c->has_fill;
    p.fill_value = c->fill;
    memcpy(p.chunk, c->chunk, sizeof p.chunk);
    memcpy(p.axis, c->axis, sizeof p.axis);
    return p;
}

typedef struct growing {
    unsigned char *bytes;
    size_t size;
} growing;

static int append(void *user, const void *data, size_t size)
{
    growing *g = user;
    unsigned char *more = realloc(g->bytes, g->size + size + 1);

    if (!more)
        return 1;
    memcpy(more + g->size, data, size);
    g->bytes = more;
    g->size += size;
    return 0;
}

static fmc_status encode_by_steps(fmc_ctx *ctx, const golden_case *c, const fmc_array *a, const fmc_params *p, growing *g)
{
    const fmc_io io = { .struct_size = sizeof io, .user = g, .write = append };
    fmc_array part = *a;
    fmc_writer *writer;
    fmc_status st = fmc_writer_open(ctx, &io, a, p, &writer), closed;

    for (uint64_t t = 0; st == FMC_OK && t < a->dim[0]; t += part.dim[0]) {
        part.dim[0] = a->dim[0] - t < c->steps ? a->dim[0] - t : c->steps;
        part.data = (char *)a->data + (int64_t)t * a->stride[0];
        st = fmc_writer_append(writer, &part);
    }
    closed = fmc_writer_close(writer);
    return st == FMC_OK ? closed : st;
}

static struct {
    const char *name;
    fmc_model  *model;
} models[] = { { "faithful", NULL }, { "klt", NULL }, { "tiny_prior", NULL },
             { "../../../weights/prior", NULL }, { "tuned", NULL } };

enum { N_MODELS = sizeof models / sizeof models[0], N_FILES = N_MODELS - 1 };

/* The last one is no file, and only streams that hold it are decoded: it is not made known. Its base is. */
static fmc_status open_tuned(fmc_ctx *ctx)
{
    size_t size;
    uint8_t *bytes = tuned_read(FMC_TEST_DATA "/../../../weights/prior.fmcw", &size);
    const fmc_status st = bytes ? fmc_model_open_buffer(ctx, bytes, size, &models[N_FILES].model) : FMC_ERR_IO;

    free(bytes);
    return st;
}

int golden_models_open(fmc_ctx *ctx)
{
    char path[1000];
    fmc_status st = FMC_OK;

    for (int i = 0; i < N_FILES && st == FMC_OK; i++) {
        snprintf(path, sizeof path, "%s/%s.fmcw", FMC_TEST_DATA, models[i].name);
        st = fmc_model_open_file(ctx, path, &models[i].model);
        if (st == FMC_OK)
            st = fmc_ctx_add_model(ctx, models[i].model);
    }
    if (st == FMC_OK)
        st = open_tuned(ctx);
    if (st != FMC_OK)
        fprintf(stderr, "%s\n", fmc_ctx_message(ctx));
    return st != FMC_OK;
}

void golden_models_close(void)
{
    for (int i = 0; i < N_MODELS; i++)
        fmc_model_close(models[i].model);
}

static const fmc_model *model_of(const golden_case *c)
{
    for (int i = 0; i < N_MODELS && c->model; i++)
        if (!strcmp(models[i].name, c->model))
            return models[i].model;
    return NULL;
}

fmc_status golden_encode(fmc_ctx *ctx, const golden_case *c, uint32_t n_threads, unsigned char **bytes, size_t *size)
{
    fmc_params p = params_of(c, n_threads);
    growing g = { 0 };
    fmc_array a;
    void *data = golden_array(c, &a), *packed = NULL;
    fmc_status st = data ? FMC_OK : FMC_ERR_NO_MEMORY;

    p.model = model_of(c);
    p.embed = p.model && p.model == models[N_FILES].model;
    p.no_model = !p.model; /* shipped models may change; what they made may not */
    if (st == FMC_OK && c->steps) {
        st = encode_by_steps(ctx, c, &a, &p, &g);
    } else if (st == FMC_OK) {
        st = fmc_compress_alloc(ctx, &a, &p, &packed, size);
        if (st == FMC_OK && append(&g, packed, *size))
            st = FMC_ERR_NO_MEMORY;
        fmc_free(ctx, packed);
    }
    free(data);
    *bytes = g.bytes;
    *size = g.size;
    return st;
}
