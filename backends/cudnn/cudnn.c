/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend around cuDNN 9: convolutions on a GPU. The module loads libcudnn and libcudart itself, so that it can be
 * built and shipped where there are none, and says why it cannot be used. It has run on no GPU yet: docs/backends.md.
 *
 * Exactness (numbers below 2^23 in f32): data and sums are FLOAT, CUDNN_FMA_MATH (the default allows TF32), and the
 * algorithm is one of the implicit products: never Winograd or FFT, and no search that could find them.
 * A handle serves one thread at a time: one lock for all that runs.
 */
#include <fmc/backend.h>

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUDNN_FUNCTIONS(X)                                                                                             \
    X(cudnnGetVersion) X(cudnnGetErrorString) X(cudnnCreate) X(cudnnDestroy) X(cudnnCreateTensorDescriptor)           \
    X(cudnnSetTensorNdDescriptor) X(cudnnDestroyTensorDescriptor) X(cudnnCreateFilterDescriptor)                       \
    X(cudnnSetFilterNdDescriptor) X(cudnnDestroyFilterDescriptor) X(cudnnCreateConvolutionDescriptor)                  \
    X(cudnnSetConvolutionNdDescriptor) X(cudnnDestroyConvolutionDescriptor) X(cudnnSetConvolutionMathType)             \
    X(cudnnSetConvolutionGroupCount) X(cudnnGetConvolutionForwardWorkspaceSize) X(cudnnConvolutionForward)             \
    X(cudnnAddTensor)
#define CUDA_FUNCTIONS(X)                                                                                              \
    X(cudaGetDeviceCount) X(cudaGetErrorString) X(cudaMalloc) X(cudaFree) X(cudaMemcpy)

/* Types come from the headers, addresses from the libraries. */
#define DECLARE(name) __typeof__(name) *name;
typedef struct library {
    void *cudnn_handle, *cuda_handle;
    CUDNN_FUNCTIONS(DECLARE)
    CUDA_FUNCTIONS(DECLARE)
} library;
#undef DECLARE

typedef struct device {
    library f;
    cudnnHandle_t handle;
    pthread_mutex_t lock; /* of the handle and of the memory below */
    void  *memory[3];     /* input, output, work space: on the device, grown as needed */
    size_t size[3];
    float *host;          /* for turning [site][channel] into [channel][site] */
    size_t host_count;
} device;

typedef struct conv {
    fmc_backend_conv shape;
    cudnnConvolutionDescriptor_t conv;
    cudnnFilterDescriptor_t filter;
    cudnnTensorDescriptor_t from, to, bias;
    void *weight_memory, *bias_memory;
} conv;

enum { N_DIMS = 5 /* batch, channels, t, y, x */ };

/* ------------------------------------------------------------------------------------------- opening, closing -- */

static void *load_first(const char *const *names, size_t n)
{
    void *handle = NULL;

    for (size_t i = 0; i < n && !handle; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return handle;
}

static int load_library(library *f, char *text, size_t size)
{
    static const char *const cudnn_names[] = { "libcudnn.so.9", FMC_CUDNN_FOLDER "/libcudnn.so.9" };
    static const char *const cuda_names[] = { "libcudart.so." FMC_CUDA_MAJOR, FMC_CUDA_FOLDER "/libcudart.so." FMC_CUDA_MAJOR };

    f->cudnn_handle = load_first(cudnn_names, 2);
    if (!f->cudnn_handle) {
        (void)snprintf(text, size, "libcudnn.so.9 is not installed");
        return 0;
    }
    f->cuda_handle = load_first(cuda_names, 2);
    if (!f->cuda_handle) {
        (void)snprintf(text, size, "libcudart.so." FMC_CUDA_MAJOR " is not installed");
        return 0;
    }
#define TAKE(handle, name)                                                                                             \
    *(void **)&f->name = dlsym(f->handle, #name);                                                                      \
    if (!f->name) {                                                                                                    \
        (void)snprintf(text, size, "the library has no " #name);                                                       \
        return 0;                                                                                                      \
    }
#define TAKE_CUDNN(name) TAKE(cudnn_handle, name)
#define TAKE_CUDA(name) TAKE(cuda_handle, name)
    CUDNN_FUNCTIONS(TAKE_CUDNN)
    CUDA_FUNCTIONS(TAKE_CUDA)
#undef TAKE_CUDNN
#undef TAKE_CUDA
#undef TAKE
    return 1;
}

static void close_device(void *self)
{
    device *d = self;

    for (int i = 0; i < 3; i++)
        if (d->memory[i])
            (void)d->f.cudaFree(d->memory[i]);
    if (d->handle)
        (void)d->f.cudnnDestroy(d->handle);
    if (d->f.cudnn_handle)
        dlclose(d->f.cudnn_handle);
    if (d->f.cuda_handle)
        dlclose(d->f.cuda_handle);
    pthread_mutex_destroy(&d->lock);
    free(d->host);
    free(d);
}

static int find_device(device *d, char *text, size_t size)
{
    int n = 0; /* untouched where there is no driver */
    const cudaError_t error = d->f.cudaGetDeviceCount(&n);
    cudnnStatus_t st;

    if (error != cudaSuccess || n < 1) {
        (void)snprintf(text, size, "no GPU: %s", error != cudaSuccess ? d->f.cudaGetErrorString(error) : "no device");
        return 0;
    }
    st = d->f.cudnnCreate(&d->handle);
    if (st != CUDNN_STATUS_SUCCESS) {
        (void)snprintf(text, size, "cuDNN does not start: %s", d->f.cudnnGetErrorString(st));
        d->handle = NULL;
        return 0;
    }
    (void)snprintf(text, size, "cuDNN %zu", d->f.cudnnGetVersion());
    return 1;
}

static int open_device(void **self, char *text, size_t size)
{
    device *d = calloc(1, sizeof *d);

    if (!d)
        return FMC_BACKEND_FAILED;
    pthread_mutex_init(&d->lock, NULL);
    if (!load_library(&d->f, text, size) || !find_device(d, text, size)) {
        close_device(d);
        return FMC_BACKEND_FAILED;
    }
    *self = d;
    return FMC_BACKEND_DONE;
}

/* -------------------------------------------------------------------------------------------------- preparing -- */

static void release_conv(void *self, void *prepared)
{
    device *d = self;
    conv *c = prepared;

    if (c->weight_memory)
        (void)d->f.cudaFree(c->weight_memory);
    if (c->bias_memory)
        (void)d->f.cudaFree(c->bias_memory);
    if (c->from)
        (void)d->f.cudnnDestroyTensorDescriptor(c->from);
    if (c->to)
        (void)d->f.cudnnDestroyTensorDescriptor(c->to);
    if (c->bias)
        (void)d->f.cudnnDestroyTensorDescriptor(c->bias);
    if (c->filter)
        (void)d->f.cudnnDestroyFilterDescriptor(c->filter);
    if (c->conv)
        (void)d->f.cudnnDestroyConvolutionDescriptor(c->conv);
    free(c);
}

static int upload(const device *d, const float *x, size_t n, void **memory)
{
    if (d->f.cudaMalloc(memory, n * sizeof *x) == cudaSuccess)
        return d->f.cudaMemcpy(*memory, x, n * sizeof *x, cudaMemcpyHostToDevice) == cudaSuccess;
    *memory = NULL;
    return 0;
}

static cudnnStatus_t describe_tensor(const device *d, cudnnTensorDescriptor_t t, const int dim[N_DIMS])
{
    int stride[N_DIMS];

    stride[N_DIMS - 1] = 1;
    for (int i = N_DIMS - 1; i > 0; i--)
        stride[i - 1] = stride[i] * dim[i];
    return d->f.cudnnSetTensorNdDescriptor(t, CUDNN_DATA_FLOAT, N_DIMS, dim, stride);
}

static int describe_conv(const device *d, conv *c)
{
    const fmc_backend_conv *s = &c->shape;
    const int one[3] = { 1, 1, 1 }, bias[N_DIMS] = { 1, (int)s->out_channels, 1, 1, 1 };
    int filter[N_DIMS] = { (int)s->out_channels, (int)(s->in_channels / s->groups) }, pad[3], stride[3];

    for (int i = 0; i < 3; i++) {
        filter[2 + i] = (int)s->kernel[i];
        pad[i] = (int)s->pad[i];
        stride[i] = (int)s->stride[i];
    }
    return d->f.cudnnCreateTensorDescriptor(&c->from) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnCreateTensorDescriptor(&c->to) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnCreateTensorDescriptor(&c->bias) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnCreateFilterDescriptor(&c->filter) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnCreateConvolutionDescriptor(&c->conv) == CUDNN_STATUS_SUCCESS &&
           describe_tensor(d, c->bias, bias) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnSetFilterNdDescriptor(c->filter, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, N_DIMS, filter) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnSetConvolutionNdDescriptor(c->conv, 3, pad, stride, one, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT) ==
               CUDNN_STATUS_SUCCESS &&
           d->f.cudnnSetConvolutionMathType(c->conv, CUDNN_FMA_MATH) == CUDNN_STATUS_SUCCESS &&
           d->f.cudnnSetConvolutionGroupCount(c->conv, (int)s->groups) == CUDNN_STATUS_SUCCESS;
}

static int prepare_conv(void *self, const fmc_backend_conv *shape, void **prepared)
{
    device *d = self;
    const size_t taps = (size_t)shape->kernel[0] * shape->kernel[1] * shape->kernel[2];
    const size_t n_weight = taps * shape->out_channels * (shape->in_channels / shape->groups);
    conv *c = calloc(1, sizeof *c);
    int ok;

    if (!c)
        return FMC_BACKEND_FAILED;
    c->shape = *shape;
    pthread_mutex_lock(&d->lock);
    ok = describe_conv(d, c) && upload(d, shape->weight, n_weight, &c->weight_memory) &&
         upload(d, shape->bias, shape->out_channels, &c->bias_memory);
    if (!ok)
        release_conv(d, c);
    pthread_mutex_unlock(&d->lock);
    *prepared = ok ? c : NULL;
    return ok ? FMC_BACKEND_DONE : FMC_BACKEND_FAILED;
}

/* ---------------------------------------------------------------------------------------------------- running -- */

static int need_memory(device *d, int which, size_t size)
{
    if (size <= d->size[which])
        return 1;
    if (d->memory[which])
        (void)d->f.cudaFree(d->memory[which]);
    d->memory[which] = NULL;
    d->size[which] = 0;
    if (d->f.cudaMalloc(&d->memory[which], size) != cudaSuccess) {
        d->memory[which] = NULL;
        return 0;
    }
    d->size[which] = size;
    return 1;
}

static int need_host(device *d, size_t count)
{
    float *more;

    if (count <= d->host_count)
        return 1;
    more = realloc(d->host, count * sizeof *more);
    if (!more)
        return 0;
    d->host = more;
    d->host_count = count;
    return 1;
}

/* [a][b] to [b][a] */
static void turn(const float *x, size_t a, size_t b, float *y)
{
    for (size_t i = 0; i < a; i++)
        for (size_t j = 0; j < b; j++)
            y[j * a + i] = x[i * b + j];
}

/* Implicit products, the faster one first. Which of them there are depends on the shape. */
static cudnnStatus_t convolve(device *d, const conv *c)
{
    static const cudnnConvolutionFwdAlgo_t algorithms[] = { CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                                            CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM };
    const float one = 1, zero = 0;
    cudnnStatus_t st = CUDNN_STATUS_NOT_SUPPORTED;

    for (int i = 0; i < 2 && st != CUDNN_STATUS_SUCCESS; i++) {
        size_t size = 0;

        st = d->f.cudnnGetConvolutionForwardWorkspaceSize(d->handle, c->from, c->filter, c->conv, c->to, algorithms[i], &size);
        if (st == CUDNN_STATUS_SUCCESS && !need_memory(d, 2, size))
            st = CUDNN_STATUS_ALLOC_FAILED;
        if (st == CUDNN_STATUS_SUCCESS)
            st = d->f.cudnnConvolutionForward(d->handle, &one, c->from, d->memory[0], c->filter, c->weight_memory, c->conv,
                                              algorithms[i], d->memory[2], size, &zero, c->to, d->memory[1]);
    }
    if (st == CUDNN_STATUS_SUCCESS)
        st = d->f.cudnnAddTensor(d->handle, &one, c->bias, c->bias_memory, &one, c->to, d->memory[1]);
    return st;
}

static int run_locked(device *d, conv *c, const uint32_t in[3], const float *x, float *y)
{
    const fmc_backend_conv *s = &c->shape;
    int from[N_DIMS] = { 1, (int)s->in_channels }, to[N_DIMS] = { 1, (int)s->out_channels };
    size_t n_in = 1, n_out = 1;

    for (int i = 0; i < 3; i++) {
        from[2 + i] = (int)in[i];
        to[2 + i] = (int)((in[i] + 2 * s->pad[i] - s->kernel[i]) / s->stride[i] + 1);
        n_in *= (size_t)from[2 + i];
        n_out *= (size_t)to[2 + i];
    }
    if (!need_memory(d, 0, n_in * s->in_channels * sizeof *x) || !need_memory(d, 1, n_out * s->out_channels * sizeof *y) ||
        !need_host(d, n_in * s->in_channels) || !need_host(d, n_out * s->out_channels) ||
        describe_tensor(d, c->from, from) != CUDNN_STATUS_SUCCESS || describe_tensor(d, c->to, to) != CUDNN_STATUS_SUCCESS)
        return 0;
    turn(x, n_in, s->in_channels, d->host);
    if (d->f.cudaMemcpy(d->memory[0], d->host, n_in * s->in_channels * sizeof *x, cudaMemcpyHostToDevice) != cudaSuccess ||
        convolve(d, c) != CUDNN_STATUS_SUCCESS ||
        d->f.cudaMemcpy(d->host, d->memory[1], n_out * s->out_channels * sizeof *y, cudaMemcpyDeviceToHost) != cudaSuccess)
        return 0;
    turn(d->host, s->out_channels, n_out, y);
    return 1;
}

static int run_conv(void *self, void *prepared, const uint32_t in[3], const float *x, float *y)
{
    device *d = self;
    int ok;

    pthread_mutex_lock(&d->lock);
    ok = run_locked(d, prepared, in, x, y);
    pthread_mutex_unlock(&d->lock);
    return ok ? FMC_BACKEND_DONE : FMC_BACKEND_FAILED;
}

__attribute__((visibility("default"))) const fmc_backend *fmc_backend_get(void);

const fmc_backend *fmc_backend_get(void)
{
    static const fmc_backend table = { .abi = FMC_BACKEND_ABI,
                                       .struct_size = sizeof table,
                                       .order = 40,
                                       .name = "cudnn",
                                       .open = open_device,
                                       .close = close_device,
                                       .conv_prepare = prepare_conv,
                                       .conv_run = run_conv,
                                       .conv_release = release_conv };

    return &table;
}
