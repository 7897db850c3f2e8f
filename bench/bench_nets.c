/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of the networks of a model on one backend or another; bench_nets.py runs it beside PyTorch.
 *   bench_nets MODEL.fmcw T H W
 * prints what there is, a line each:
 *   peak NAME MAC/s           multiplications with additions that registers can do, one core
 *   layer I PROGRAM int|float KT KY KX STRIDE IN OUT GROUPS HEIGHT WIDTH COUNT   HEIGHT, WIDTH: of its input frames
 * and then answers lines of standard input with nanoseconds (of processor time with one thread), or with "no" and a reason:
 *   layer I BACKEND           one output frame, with all that the seam of lib/nn does to the values
 *   net analysis|synthesis BACKEND THREADS
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "nn/net_remote.h"
#include "nn/vae.h"
#include "ops/kernels.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

enum { MAX_LAYERS = 128, MAX_BACKENDS = 8, TAPS_MAX = 343 };
#define AT_LEAST_NS 60000000.0 /* of one measurement */

typedef struct layer {
    const char *program;
    const fmc_net_op *op;
    uint32_t pitch_in, height, width, count;
} layer;

static layer layers[MAX_LAYERS];
static int n_layers;
static struct { char name[32]; fmc_backends b; } backends[MAX_BACKENDS];
static int n_backends;

/* With one thread the time that this process was running: other work on the machine counts less. */
static double now_ns_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static double now_ns(void)
{
    return now_ns_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* ------------------------------------------------------------------------------------------------------ peaks -- */

#if defined(__x86_64__) && defined(__GNUC__)
/* 12 independent sums, as many as hide the latency. */
#define PEAK(function, isa, V, zero, step, lanes)                                                                      \
    __attribute__((target(isa))) static double function(void)                                                          \
    {                                                                                                                  \
        double best = 0;                                                                                               \
        V s[12], a = zero, b = zero;                                                                                   \
        for (int k = 0; k < 12; k++)                                                                                   \
            s[k] = zero;                                                                                               \
        for (int r = 0; r < 20; r++) {                                                                                 \
            const double from = now_ns();                                                                              \
            double rate;                                                                                               \
            for (int i = 0; i < 200000; i++) {                                                                         \
                __asm__ volatile("" : "+v"(a), "+v"(b));                                                               \
                for (int k = 0; k < 12; k++)                                                                           \
                    step;                                                                                              \
            }                                                                                                          \
            for (int k = 0; k < 12; k++)                                                                               \
                __asm__ volatile("" : "+v"(s[k]));                                                                     \
            rate = 12.0 * 200000.0 * (lanes) / (now_ns() - from) * 1e9;                                                \
            best = rate > best ? rate : best;                                                                          \
        }                                                                                                              \
        return best;                                                                                                   \
    }

PEAK(peak_f32_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), s[k] = _mm256_fmadd_ps(a, b, s[k]), 8)
PEAK(peak_f32_avx512, "avx512f", __m512, _mm512_setzero_ps(), s[k] = _mm512_fmadd_ps(a, b, s[k]), 16)
PEAK(peak_i16_avx2, "avx2", __m256i, _mm256_setzero_si256(), s[k] = _mm256_add_epi32(s[k], _mm256_madd_epi16(a, b)), 16)
PEAK(peak_i16_vnni, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), s[k] = _mm512_dpwssd_epi32(s[k], a, b), 32)

static void print_peaks(void)
{
    double f32 = 0, i16 = 0, v;

    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        f32 = peak_f32_avx2();
        i16 = peak_i16_avx2();
    }
    if (__builtin_cpu_supports("avx512f"))
        f32 = (v = peak_f32_avx512()) > f32 ? v : f32;
    if (__builtin_cpu_supports("avx512vnni"))
        i16 = (v = peak_i16_vnni()) > i16 ? v : i16;
    printf("peak f32 %.4g\npeak i16 %.4g\n", f32, i16);
}
#else
static void print_peaks(void)
{
}
#endif

/* ----------------------------------------------------------------------------------------------------- layers -- */

static int is_same(const layer *a, const layer *b)
{
    return a->op->kind == b->op->kind && !memcmp(a->op->p, b->op->p, sizeof a->op->p) && a->op->channels == b->op->channels &&
           a->pitch_in == b->pitch_in && a->height == b->height && a->width == b->width && a->op->is_wide == b->op->is_wide;
}

static void list_layers(const char *program, const fmc_net *net, const uint32_t in[3])
{
    for (uint32_t i = 1; i < net->n_ops; i++) {
        const fmc_net_op *op = &net->op[i], *x = &net->op[op->input[0]];
        uint64_t sites[3], out[3];
        layer l = { program, op, x->pitch, 0, 0, 0 };
        int k = 0;

        if ((op->kind != FMC_NET_CONV && op->kind != FMC_NET_F_CONV) || op->way == FMC_NET_PLAIN)
            continue;
        fmc_net_sites(x, in, sites);
        fmc_net_sites(op, in, out);
        l.height = (uint32_t)sites[1];
        l.width = (uint32_t)sites[2];
        while (k < n_layers && !is_same(&layers[k], &l))
            k++;
        if (k == MAX_LAYERS)
            continue;
        if (k == n_layers)
            layers[n_layers++] = l;
        layers[k].count += (uint32_t)out[0];
    }
}

static uint32_t sites_of(uint32_t n, uint32_t kernel, uint32_t stride)
{
    return (n + 2 * (kernel / 2) - kernel) / stride + 1;
}

static void print_layers(void)
{
    for (int i = 0; i < n_layers; i++) {
        const layer *l = &layers[i];
        const uint32_t *p = l->op->p;

        printf("layer %d %s %s %u %u %u %u %u %u %u %u %u %u\n", i, l->program, l->op->kind == FMC_NET_CONV ? "int" : "float",
               p[0], p[1], p[2], p[5], l->pitch_in, l->op->channels, l->op->way == FMC_NET_DEPTHWISE ? l->op->channels : 1,
               l->height, l->width, l->count);
    }
}

/* One output frame by the own kernels: rows are copied between zeros once each, as lib/nn does. */
static void run_own(const fmc_nn_kernels *k, const layer *l, const uint8_t *in, uint8_t *cache, uint8_t *out)
{
    const fmc_net_op *op = l->op;
    const int is_float = op->kind == FMC_NET_F_CONV;
    const size_t site = l->pitch_in * (is_float ? 4u : 2u), row_size = l->width * site, pad = op->p[2] / 2 * site;
    const size_t line = row_size + 2 * pad, out_site = op->pitch * (op->is_wide ? 4u : 2u);
    const uint32_t height = sites_of(l->height, op->p[1], op->p[4]), width = sites_of(l->width, op->p[2], op->p[5]);
    const uint8_t *zero = cache + (size_t)op->p[0] * op->p[1] * line;

    for (uint32_t y = 0; y < height; y++, out += width * out_site) {
        const void *row[FMC_NET_MAX_ROWS];

        for (uint32_t t = 0; t < op->p[0]; t++)
            for (uint32_t b = 0; b < op->p[1]; b++) {
                const uint32_t from = y * op->p[4] + b - op->p[1] / 2;
                uint8_t *to = cache + (t * op->p[1] + from % op->p[1]) * line;

                row[t * op->p[1] + b] = from >= l->height ? zero : op->p[2] == 1 ? in + (t * l->height + from) * row_size : to;
                if (from < l->height && op->p[2] > 1 && (b + op->p[4] >= op->p[1] || y == 0))
                    memcpy(to + pad, in + (t * l->height + from) * row_size, row_size);
            }
        if (is_float)
            k->conv_f32(&op->conv_f32, (const float *const *)row, width, (float *)(void *)out);
        else if (op->way == FMC_NET_DEPTHWISE)
            op->is_wide ? k->depthwise_i32(&op->conv, (const int16_t *const *)row, width, (int32_t *)(void *)out)
                        : k->depthwise_i16(&op->conv, (const int16_t *const *)row, width, (int16_t *)(void *)out);
        else
            op->is_wide ? k->conv_i32(&op->conv, (const int16_t *const *)row, width, (int32_t *)(void *)out)
                        : k->conv_i16(&op->conv, (const int16_t *const *)row, width, (int16_t *)(void *)out);
    }
}

/* The same by a backend: to floats, there, and back. */
static fmc_status run_there(const fmc_nn_kernels *k, const fmc_remote_conv *c, const layer *l, const uint8_t *in, float *x,
                            float *sum, float *scratch, uint8_t *out)
{
    const fmc_net_op *op = l->op;
    const size_t n_out = (size_t)sites_of(l->height, op->p[1], op->p[4]) * sites_of(l->width, op->p[2], op->p[5]);
    const uint32_t sites[3] = { op->p[0], l->height, l->width };
    fmc_status st;

    if (op->kind == FMC_NET_F_CONV)
        return fmc_remote_run(c, sites, (const float *)(const void *)in, (float *)(void *)out, scratch);
    k->widen((const int16_t *)(const void *)in, (size_t)op->p[0] * l->height * l->width * l->pitch_in, x);
    st = fmc_remote_run(c, sites, x, sum, scratch);
    if (op->is_wide)
        k->requantise_i32(&op->conv, sum, n_out, (int32_t *)(void *)out);
    else
        k->requantise_i16(&op->conv, sum, n_out, (int16_t *)(void *)out);
    return st;
}

static const char *time_layer(const layer *l, const fmc_net *net, const fmc_exec *ex, double *ns)
{
    const fmc_net_op *op = l->op;
    const size_t n_in = (size_t)op->p[0] * l->height * l->width * l->pitch_in;
    const size_t n_out = (size_t)sites_of(l->height, op->p[1], op->p[4]) * sites_of(l->width, op->p[2], op->p[5]) * (op->pitch + 16);
    const fmc_nn_kernels *k = fmc_kernels_get(ex)->nn;
    const fmc_remote_conv *conv = NULL;
    const fmc_net *use;
    fmc_net_remote remote;
    uint8_t *in, *out, *cache;
    float *x, *sum, *scratch = NULL;
    double from, spent = 0;

    if (fmc_net_remote_begin(ex, net, &remote, &use) != FMC_OK)
        return "cannot be used";
    if (use != net) {
        conv = use->op[op - net->op].remote;
        if (!conv)
            return "declined";
        scratch = malloc(fmc_remote_scratch(conv) * 4 + 4);
    }
    in = aligned_alloc(64, (n_in * 4 + 127) / 64 * 64);
    out = aligned_alloc(64, (n_out * 4 + 127) / 64 * 64);
    x = aligned_alloc(64, (n_in * 4 + 127) / 64 * 64);
    sum = aligned_alloc(64, (n_out * 4 + 127) / 64 * 64);
    cache = calloc((size_t)(op->p[0] * op->p[1] + 1) * (l->width + op->p[2]), l->pitch_in * 4);
    for (size_t i = 0; i < n_in; i++)
        if (op->kind == FMC_NET_F_CONV)
            ((float *)(void *)in)[i] = (float)(i * 7919 % 1021) * 0.001F - 0.5F;
        else
            ((int16_t *)(void *)in)[i] = (int16_t)(i * 7919 % 1021) - 510;
    *ns = 1e30;
    while (spent < AT_LEAST_NS) {
        from = now_ns();
        if (conv)
            (void)run_there(k, conv, l, in, x, sum, scratch, out);
        else
            run_own(k, l, in, cache, out);
        from = now_ns() - from;
        spent += from;
        *ns = from < *ns ? from : *ns;
    }
    free(in);
    free(out);
    free(x);
    free(sum);
    free(cache);
    free(scratch);
    fmc_net_remote_end(ex, &remote);
    return NULL;
}

/* -------------------------------------------------------------------------------------------------- whole nets -- */

static const char *time_net(const fmc_exec *ex, const fmc_model *m, const fmc_vae_shape *s, int is_synthesis, double *ns)
{
    const size_t n = (size_t)s->dim[0] * s->dim[1] * s->dim[2];
    float *field = malloc(n * sizeof *field), *y = malloc(s->n_latents * sizeof *y), *z = malloc(s->n_hyper * sizeof *z);
    int32_t *q = calloc(s->n_latents, sizeof *q), *value = malloc(n * sizeof *value);
    const clockid_t clock = ex->n_threads > 1 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    double spent = 0;
    fmc_status st = FMC_OK;

    for (size_t i = 0; i < n; i++)
        field[i] = (float)(i * 7919 % 1021) * 0.003F - 1.5F;
    for (size_t i = 0; i < s->n_latents; i++)
        q[i] = (int32_t)(i * 31 % 5) - 2;
    *ns = 1e30;
    for (int run = 0; (run < 2 || spent < AT_LEAST_NS) && st == FMC_OK; run++) {
        double from = now_ns_of(clock);

        st = is_synthesis ? fmc_vae_synthesise(ex, m, 0, s, q, q, value) : fmc_vae_analyse(ex, m, s, field, y, z);
        from = now_ns_of(clock) - from;
        spent += from;
        *ns = from < *ns ? from : *ns;
    }
    free(field);
    free(y);
    free(z);
    free(q);
    free(value);
    return st == FMC_OK ? NULL : fmc_status_string(st);
}

static fmc_backends *backend_named(const char *name)
{
    for (int i = 0; i < n_backends; i++)
        if (!strcmp(backends[i].name, name))
            return &backends[i].b;
    if (n_backends == MAX_BACKENDS ||
        fmc_backends_init(&backends[n_backends].b, &fmc_system_allocator, name, NULL) != FMC_OK)
        return NULL;
    (void)snprintf(backends[n_backends].name, sizeof backends[n_backends].name, "%s", name);
    return &backends[n_backends++].b;
}

static void answer(const char *line, const fmc_model *m, const fmc_vae_shape *s)
{
    char name[32] = "", program[16] = "";
    fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    const char *why = "what?";
    double ns = 0;
    int i = 0;

    if (sscanf(line, "layer %d %31s", &i, name) == 2 && i >= 0 && i < n_layers) {
        ex.backends = backend_named(name);
        ex.kernels = fmc_kernels_select(!strcmp(name, "ref") ? FMC_SIMD_REF : FMC_SIMD_BEST);
        why = time_layer(&layers[i], !strcmp(layers[i].program, "synthesis") ? &m->synthesis : &m->analysis, &ex, &ns);
    } else if (sscanf(line, "net %15s %31s %d", program, name, &i) == 3 && i > 0) {
        ex.backends = backend_named(name);
        ex.kernels = fmc_kernels_select(!strcmp(name, "ref") ? FMC_SIMD_REF : FMC_SIMD_BEST);
        ex.n_threads = (uint32_t)i;
        why = time_net(&ex, m, s, !strcmp(program, "synthesis"), &ns);
    }
    if (why)
        printf("no %s\n", why);
    else
        printf("%.0f\n", ns);
    fflush(stdout);
}

static fmc_model *read_model(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 26);
    char why[FMC_WHY_SIZE] = "cannot be read";
    fmc_model *m = NULL;

    if (f && bytes && fmc_model_make(&fmc_system_allocator, bytes, fread(bytes, 1, 1 << 26, f), why, &m) != FMC_OK)
        m = NULL;
    if (!m)
        fprintf(stderr, "%s: %s\n", path, why);
    if (f)
        fclose(f);
    free(bytes);
    return m;
}

int main(int argc, char **argv)
{
    uint32_t dim[3], padded[3];
    fmc_vae_shape s;
    fmc_model *m;
    char line[128];

    if (argc != 5) {
        fprintf(stderr, "usage: bench_nets MODEL.fmcw T H W\n");
        return 2;
    }
    for (int d = 0; d < 3; d++)
        dim[d] = (uint32_t)strtoul(argv[2 + d], NULL, 10);
    m = read_model(argv[1]);
    if (!m || fmc_vae_shape_make(m, dim, &s) != FMC_OK)
        return 1;
    for (int d = 0; d < 3; d++)
        padded[d] = s.latent[d] * m->n.patch[d];
    list_layers("analysis", &m->analysis, padded);
    list_layers("synthesis", &m->synthesis, s.latent);
    print_peaks();
    print_layers();
    printf("end\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        answer(line, m, &s);
    for (int i = 0; i < n_backends; i++)
        fmc_backends_fini(&backends[i].b);
    fmc_model_free(m);
    return 0;
}
