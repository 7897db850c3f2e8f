/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend around oneDNN, the part that versions 2 and 3 share. Whoever includes it (onednn2.c, onednn3.c) has defined
 *
 *   BACKEND_NAME, BACKEND_ORDER
 *   layout               type of a memory layout that one owns; layout_ref what functions take for it; REF(layout)
 *   make_layout, free_layout, make_descriptor
 *
 * Exactness (numbers below 2^23 in f32): convolution_direct only, as `auto` may mean Winograd; fpmath strict, as the
 * environment can change the default; never int8, which saturates on machines without VNNI.
 */
#include <fmc/backend.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One call, one thread: libfmc has threads of its own. Weak, as oneDNN may be built without OpenMP. */
extern void omp_set_num_threads(int n) __attribute__((weak));
extern int omp_get_max_threads(void) __attribute__((weak));

typedef struct engine {
    dnnl_engine_t handle;
} engine;

/* A convolution for one size of input. Immutable once listed. */
typedef struct fitted {
    struct fitted *next;
    uint32_t in[3];
    dnnl_primitive_t primitive;
    dnnl_primitive_desc_t descriptor; /* owns the layouts below */
    dnnl_memory_t weight;
    layout_ref from, to, scratch;
    size_t scratch_size;
} fitted;

typedef struct conv {
    engine *engine;
    fmc_backend_conv shape;     /* weight and bias are NULL */
    float *weight, *bias;
    dnnl_memory_t bias_memory;
    layout bias_layout;
    pthread_mutex_t lock;       /* of the list */
    fitted *list;
} conv;

static int is_good(dnnl_status_t st)
{
    return st == dnnl_success;
}

static int open_engine(void **self, char *text, size_t size)
{
    const dnnl_version_t *v = dnnl_version();
    engine *e = calloc(1, sizeof *e);

    if (!e || !is_good(dnnl_engine_create(&e->handle, dnnl_cpu, 0))) {
        (void)snprintf(text, size, "oneDNN makes no engine for this processor");
        free(e);
        return FMC_BACKEND_FAILED;
    }
    (void)snprintf(text, size, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    *self = e;
    return FMC_BACKEND_DONE;
}

static void close_engine(void *self)
{
    engine *e = self;

    dnnl_engine_destroy(e->handle);
    free(e);
}

/* ----------------------------------------------------------------------------------------- one size of input -- */

static void free_fitted(fitted *f)
{
    if (f) {
        if (f->weight)
            dnnl_memory_destroy(f->weight);
        if (f->primitive)
            dnnl_primitive_destroy(f->primitive);
        if (f->descriptor)
            dnnl_primitive_desc_destroy(f->descriptor);
        free(f);
    }
}

static dnnl_stream_t make_stream(const engine *e)
{
    dnnl_stream_t s = NULL;

    return is_good(dnnl_stream_create(&s, e->handle, dnnl_stream_default_flags)) ? s : NULL;
}

/* Dimensions as oneDNN has them. Kernels of one frame are two-dimensional: frames are then a batch. */
typedef struct geometry {
    int n_space;
    dnnl_dims_t from, to, weight, stride, pad;
    int n_weight;
} geometry;

static geometry geometry_of(const fmc_backend_conv *c, const uint32_t in[3])
{
    const int first = c->kernel[0] == 1 && c->stride[0] == 1 && c->pad[0] == 0 ? 1 : 0;
    geometry g = { .n_space = 3 - first };
    int n = 0;

    g.from[0] = g.to[0] = first ? in[0] : 1;
    g.from[1] = c->in_channels;
    g.to[1] = c->out_channels;
    if (c->groups > 1)
        g.weight[n++] = c->groups;
    g.weight[n++] = c->out_channels / c->groups;
    g.weight[n++] = c->in_channels / c->groups;
    for (int d = first; d < 3; d++) {
        g.from[2 + d - first] = in[d];
        g.to[2 + d - first] = (in[d] + 2 * c->pad[d] - c->kernel[d]) / c->stride[d] + 1;
        g.weight[n++] = c->kernel[d];
        g.stride[d - first] = c->stride[d];
        g.pad[d - first] = c->pad[d];
    }
    g.n_weight = n;
    return g;
}

/* Put the weights into the layout that this primitive wants. */
static int fit_weight(const conv *c, const geometry *g, fitted *f)
{
    static const dnnl_format_tag_t tags[] = { dnnl_oihw, dnnl_oidhw, dnnl_goihw, dnnl_goidhw };
    const layout_ref want = dnnl_primitive_desc_query_md(f->descriptor, dnnl_query_weights_md, 0);
    dnnl_stream_t stream = make_stream(c->engine);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t plain = NULL;
    layout l;
    int ok = stream && is_good(make_layout(&l, g->n_weight, g->weight, tags[(c->shape.groups > 1) * 2 + g->n_space - 2]));

    if (ok) {
        ok = is_good(dnnl_memory_create(&plain, REF(l), c->engine->handle, c->weight)) &&
             is_good(dnnl_memory_create(&f->weight, want, c->engine->handle, DNNL_MEMORY_ALLOCATE)) &&
             is_good(dnnl_reorder_primitive_desc_create(&descriptor, REF(l), c->engine->handle, want, c->engine->handle, NULL)) &&
             is_good(dnnl_primitive_create(&reorder, descriptor));
        if (ok) {
            const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, plain }, { DNNL_ARG_TO, f->weight } };

            ok = is_good(dnnl_primitive_execute(reorder, stream, 2, args)) && is_good(dnnl_stream_wait(stream));
        }
        free_layout(&l);
    }
    if (reorder)
        dnnl_primitive_destroy(reorder);
    if (descriptor)
        dnnl_primitive_desc_destroy(descriptor);
    if (plain)
        dnnl_memory_destroy(plain);
    if (stream)
        dnnl_stream_destroy(stream);
    return ok;
}

static int make_primitive(const conv *c, const geometry *g, fitted *f)
{
    const dnnl_format_tag_t sites = g->n_space == 2 ? dnnl_nhwc : dnnl_ndhwc;
    dnnl_primitive_attr_t attr = NULL;
    layout from, to, weight;
    int ok = is_good(dnnl_primitive_attr_create(&attr));

    if (!ok)
        return 0;
    ok = is_good(dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict)) &&
         is_good(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (ok && is_good(make_layout(&from, g->n_space + 2, g->from, sites))) {
        if (is_good(make_layout(&to, g->n_space + 2, g->to, sites))) {
            if (is_good(make_layout(&weight, g->n_weight, g->weight, dnnl_format_tag_any))) {
                ok = is_good(make_descriptor(&f->descriptor, c->engine->handle, REF(from), REF(weight), REF(c->bias_layout),
                                             REF(to), g->stride, g->pad, attr)) &&
                     is_good(dnnl_primitive_create(&f->primitive, f->descriptor));
                free_layout(&weight);
            }
            free_layout(&to);
        }
        free_layout(&from);
    }
    dnnl_primitive_attr_destroy(attr);
    return ok && f->primitive;
}

static fitted *fit(const conv *c, const uint32_t in[3])
{
    const geometry g = geometry_of(&c->shape, in);
    fitted *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    memcpy(f->in, in, sizeof f->in);
    if (!make_primitive(c, &g, f) || !fit_weight(c, &g, f)) {
        free_fitted(f);
        return NULL;
    }
    f->from = dnnl_primitive_desc_query_md(f->descriptor, dnnl_query_src_md, 0);
    f->to = dnnl_primitive_desc_query_md(f->descriptor, dnnl_query_dst_md, 0);
    f->scratch = dnnl_primitive_desc_query_md(f->descriptor, dnnl_query_scratchpad_md, 0);
    f->scratch_size = f->scratch ? dnnl_memory_desc_get_size(f->scratch) : 0;
    return f;
}

static const fitted *find_fitted(conv *c, const uint32_t in[3])
{
    fitted *f;

    pthread_mutex_lock(&c->lock);
    for (f = c->list; f && memcmp(f->in, in, sizeof f->in); f = f->next)
        ;
    if (!f) {
        f = fit(c, in);
        if (f) {
            f->next = c->list;
            c->list = f;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return f;
}

/* ------------------------------------------------------------------------------------------------ the slots -- */

static void release_conv(void *self, void *prepared)
{
    conv *c = prepared;

    (void)self;
    while (c->list) {
        fitted *f = c->list;

        c->list = f->next;
        free_fitted(f);
    }
    if (c->bias_memory) {
        dnnl_memory_destroy(c->bias_memory);
        free_layout(&c->bias_layout);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->weight);
    free(c->bias);
    free(c);
}

static float *copy_of(const float *x, size_t n)
{
    float *y = malloc(n * sizeof *y);

    if (y)
        memcpy(y, x, n * sizeof *y);
    return y;
}

static int prepare_conv(void *self, const fmc_backend_conv *shape, void **prepared)
{
    const size_t taps = (size_t)shape->kernel[0] * shape->kernel[1] * shape->kernel[2];
    const dnnl_dims_t n_bias = { shape->out_channels };
    conv *c;

    if (shape->groups > 1 && shape->kernel[0] > 1) /* not vectorised in either version: 0.3 to 1 of 50 GMAC/s */
        return FMC_BACKEND_DECLINED;
    c = calloc(1, sizeof *c);
    if (!c)
        return FMC_BACKEND_FAILED;
    c->engine = self;
    c->shape = *shape;
    pthread_mutex_init(&c->lock, NULL);
    c->weight = copy_of(shape->weight, taps * shape->out_channels * (shape->in_channels / shape->groups));
    c->bias = copy_of(shape->bias, shape->out_channels);
    if (!c->weight || !c->bias || !is_good(make_layout(&c->bias_layout, 1, n_bias, dnnl_a))) {
        release_conv(self, c);
        return FMC_BACKEND_FAILED;
    }
    if (!is_good(dnnl_memory_create(&c->bias_memory, REF(c->bias_layout), c->engine->handle, c->bias))) {
        free_layout(&c->bias_layout);
        release_conv(self, c);
        return FMC_BACKEND_FAILED;
    }
    *prepared = c;
    return FMC_BACKEND_DONE;
}

static int execute(const conv *c, const fitted *f, const float *x, float *y)
{
    dnnl_memory_t from = NULL, to = NULL, scratch = NULL;
    void *bytes = f->scratch_size ? aligned_alloc(64, (f->scratch_size + 63) / 64 * 64) : NULL;
    dnnl_stream_t stream = make_stream(c->engine);
    int ok = stream && (bytes || !f->scratch_size) &&
             is_good(dnnl_memory_create(&from, f->from, c->engine->handle, (void *)(uintptr_t)x)) &&
             is_good(dnnl_memory_create(&to, f->to, c->engine->handle, y)) &&
             (!bytes || is_good(dnnl_memory_create(&scratch, f->scratch, c->engine->handle, bytes)));

    if (ok) {
        const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, from }, { DNNL_ARG_WEIGHTS, f->weight }, { DNNL_ARG_BIAS, c->bias_memory },
                                         { DNNL_ARG_DST, to }, { DNNL_ARG_SCRATCHPAD, scratch } };

        ok = is_good(dnnl_primitive_execute(f->primitive, stream, scratch ? 5 : 4, args)) && is_good(dnnl_stream_wait(stream));
    }
    if (from)
        dnnl_memory_destroy(from);
    if (to)
        dnnl_memory_destroy(to);
    if (scratch)
        dnnl_memory_destroy(scratch);
    if (stream)
        dnnl_stream_destroy(stream);
    free(bytes);
    return ok;
}

static int run_conv(void *self, void *prepared, const uint32_t in[3], const float *x, float *y)
{
    const int threads = omp_get_max_threads ? omp_get_max_threads() : 1; /* of this thread alone */
    const fitted *f;
    int ok;

    (void)self;
    if (omp_set_num_threads)
        omp_set_num_threads(1);
    f = find_fitted(prepared, in);
    ok = f && execute(prepared, f, x, y);
    if (omp_set_num_threads)
        omp_set_num_threads(threads);
    return ok ? FMC_BACKEND_DONE : FMC_BACKEND_FAILED;
}

__attribute__((visibility("default"))) const fmc_backend *fmc_backend_get(void);

const fmc_backend *fmc_backend_get(void)
{
    static const fmc_backend table = { .abi = FMC_BACKEND_ABI,
                                       .struct_size = sizeof table,
                                       .order = BACKEND_ORDER,
                                       .name = BACKEND_NAME,
                                       .open = open_engine,
                                       .close = close_engine,
                                       .conv_prepare = prepare_conv,
                                       .conv_run = run_conv,
                                       .conv_release = release_conv };

    return &table;
}
