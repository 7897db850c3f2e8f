/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for libcudnn.so.9 and libcudart.so: the symbols that backends/cudnn uses, computed on the CPU. It tests the
 * plumbing (loading, descriptors, layouts, memory, statuses) and that nothing but exact settings is asked for; it says
 * nothing about what a GPU computes. FMC_FAKE_CUDA=none: no device, as on a machine without a driver.
 * Built twice: with FAKE_CUDART the second library, without it the first, which links the second.
 */
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Is it memory of the "device"? */
int fmc_fake_is_device(const void *p, size_t size);

#ifdef FAKE_CUDART
enum { MAX_BLOCKS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { char *at; size_t size; } blocks[MAX_BLOCKS];

int fmc_fake_is_device(const void *p, size_t size)
{
    int found = 0;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BLOCKS && !found; i++)
        found = blocks[i].at && (const char *)p >= blocks[i].at && (const char *)p + size <= blocks[i].at + blocks[i].size;
    pthread_mutex_unlock(&lock);
    return found;
}

cudaError_t CUDARTAPI cudaGetDeviceCount(int *count)
{
    const char *word = getenv("FMC_FAKE_CUDA");

    if (word && !strcmp(word, "none"))
        return cudaErrorInsufficientDriver; /* the count is left alone, as the real one does */
    *count = 1;
    return cudaSuccess;
}

const char *CUDARTAPI cudaGetErrorString(cudaError_t error)
{
    return error == cudaErrorInsufficientDriver ? "driver version is insufficient" : "error";
}

cudaError_t CUDARTAPI cudaMalloc(void **p, size_t size)
{
    *p = malloc(size ? size : 1);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BLOCKS; i++)
        if (!blocks[i].at) {
            blocks[i].at = *p;
            blocks[i].size = size;
            break;
        }
    pthread_mutex_unlock(&lock);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t CUDARTAPI cudaFree(void *p)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BLOCKS; i++)
        if (blocks[i].at == p)
            blocks[i].at = NULL;
    pthread_mutex_unlock(&lock);
    free(p);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind)
{
    if (fmc_fake_is_device(to, size) != (kind == cudaMemcpyHostToDevice) || fmc_fake_is_device(from, size) != (kind == cudaMemcpyDeviceToHost))
        return cudaErrorInvalidValue;
    memcpy(to, from, size);
    return cudaSuccess;
}

#else
enum { N_DIMS = 5 /* batch, channels, t, y, x */ };

struct cudnnContext { int unused; };
struct cudnnTensorStruct { int dim[N_DIMS], is_set; };
struct cudnnFilterStruct { int dim[N_DIMS]; };
struct cudnnConvolutionStruct { int pad[3], stride[3], groups; cudnnMathType_t math; };

/* ---------------------------------------------------------------------------------------------- descriptors -- */

size_t CUDNNWINAPI cudnnGetVersion(void)
{
    return CUDNN_VERSION;
}

const char *CUDNNWINAPI cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS ? "success" : "failure";
}

#define CREATE(name, type)                                                                                             \
    cudnnStatus_t CUDNNWINAPI name(type *out)                                                                          \
    {                                                                                                                  \
        *out = calloc(1, sizeof **out);                                                                                \
        return *out ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_ALLOC_FAILED;                                                \
    }
#define DESTROY(name, type)                                                                                            \
    cudnnStatus_t CUDNNWINAPI name(type p)                                                                             \
    {                                                                                                                  \
        free(p);                                                                                                       \
        return CUDNN_STATUS_SUCCESS;                                                                                   \
    }

CREATE(cudnnCreate, cudnnHandle_t)
DESTROY(cudnnDestroy, cudnnHandle_t)
CREATE(cudnnCreateTensorDescriptor, cudnnTensorDescriptor_t)
DESTROY(cudnnDestroyTensorDescriptor, cudnnTensorDescriptor_t)
CREATE(cudnnCreateFilterDescriptor, cudnnFilterDescriptor_t)
DESTROY(cudnnDestroyFilterDescriptor, cudnnFilterDescriptor_t)
CREATE(cudnnCreateConvolutionDescriptor, cudnnConvolutionDescriptor_t)
DESTROY(cudnnDestroyConvolutionDescriptor, cudnnConvolutionDescriptor_t)

cudnnStatus_t CUDNNWINAPI cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t t, cudnnDataType_t type, int n, const int *dim,
                                                     const int *stride)
{
    int packed = 1;

    if (type != CUDNN_DATA_FLOAT || n != N_DIMS)
        return CUDNN_STATUS_BAD_PARAM;
    for (int i = n - 1; i >= 0; i--) {
        if (stride[i] != packed || dim[i] < 1)
            return CUDNN_STATUS_BAD_PARAM;
        packed *= dim[i];
    }
    memcpy(t->dim, dim, sizeof t->dim);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t f, cudnnDataType_t type, cudnnTensorFormat_t format,
                                                     int n, const int *dim)
{
    if (type != CUDNN_DATA_FLOAT || format != CUDNN_TENSOR_NCHW || n != N_DIMS)
        return CUDNN_STATUS_BAD_PARAM;
    memcpy(f->dim, dim, sizeof f->dim);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t c, int n, const int *pad,
                                                          const int *stride, const int *dilation, cudnnConvolutionMode_t mode,
                                                          cudnnDataType_t type)
{
    if (n != 3 || mode != CUDNN_CROSS_CORRELATION || type != CUDNN_DATA_FLOAT || dilation[0] * dilation[1] * dilation[2] != 1)
        return CUDNN_STATUS_BAD_PARAM;
    memcpy(c->pad, pad, sizeof c->pad);
    memcpy(c->stride, stride, sizeof c->stride);
    c->groups = 1;
    c->math = CUDNN_DEFAULT_MATH;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t c, cudnnMathType_t math)
{
    c->math = math;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t c, int groups)
{
    c->groups = groups;
    return CUDNN_STATUS_SUCCESS;
}

/* ---------------------------------------------------------------------------------------------- computation -- */

/* What may be asked for: exact settings only. Groups are not in the faster algorithm, so that the other is reached too. */
static cudnnStatus_t check(const struct cudnnConvolutionStruct *c, cudnnConvolutionFwdAlgo_t algorithm)
{
    if (c->math != CUDNN_FMA_MATH)
        return CUDNN_STATUS_BAD_PARAM;
    if (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
        return c->groups > 1 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
    return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t CUDNNWINAPI cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t h, const cudnnTensorDescriptor_t x,
                                                                  const cudnnFilterDescriptor_t w,
                                                                  const cudnnConvolutionDescriptor_t c,
                                                                  const cudnnTensorDescriptor_t y,
                                                                  cudnnConvolutionFwdAlgo_t algorithm, size_t *size)
{
    (void)h, (void)x, (void)w, (void)y;
    *size = algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM ? 1024 : 0;
    return check(c, algorithm);
}

static size_t volume(const int dim[N_DIMS])
{
    size_t n = 1;

    for (int i = 0; i < N_DIMS; i++)
        n *= (size_t)dim[i];
    return n;
}

/* [channel][t][y][x] */
static float sum_at(const struct cudnnConvolutionStruct *c, const int in[N_DIMS], const float *x, const int f[N_DIMS],
                    const float *w, int o, const int site[3], int n_out)
{
    const int first = o / (n_out / c->groups) * f[1];
    float sum = 0;

    for (int i = 0; i < f[1]; i++)
        for (int t = 0; t < f[2]; t++)
            for (int y = 0; y < f[3]; y++)
                for (int k = 0; k < f[4]; k++, w++) {
                    const int at = site[0] * c->stride[0] + t - c->pad[0], ay = site[1] * c->stride[1] + y - c->pad[1];
                    const int ax = site[2] * c->stride[2] + k - c->pad[2];

                    if (at >= 0 && ay >= 0 && ax >= 0 && at < in[2] && ay < in[3] && ax < in[4])
                        sum += *w * x[(((size_t)(first + i) * in[2] + at) * in[3] + ay) * in[4] + ax];
                }
    return sum;
}

cudnnStatus_t CUDNNWINAPI cudnnConvolutionForward(cudnnHandle_t h, const void *alpha, const cudnnTensorDescriptor_t xd,
                                                  const void *x, const cudnnFilterDescriptor_t wd, const void *w,
                                                  const cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algorithm,
                                                  void *work, size_t work_size, const void *beta,
                                                  const cudnnTensorDescriptor_t yd, void *y)
{
    const int *out = yd->dim;
    const size_t n_weight = volume(wd->dim) / (size_t)wd->dim[0];
    float *to = y;

    if (!h || check(c, algorithm) != CUDNN_STATUS_SUCCESS || *(const float *)alpha != 1 || *(const float *)beta != 0 ||
        xd->dim[0] != 1 || xd->dim[1] != wd->dim[1] * c->groups || out[1] != wd->dim[0] || !fmc_fake_is_device(x, volume(xd->dim) * 4) ||
        !fmc_fake_is_device(w, volume(wd->dim) * 4) || !fmc_fake_is_device(y, volume(out) * 4) || (work_size && !fmc_fake_is_device(work, work_size)))
        return CUDNN_STATUS_BAD_PARAM;
    for (int d = 0; d < 3; d++)
        if (out[2 + d] != (xd->dim[2 + d] + 2 * c->pad[d] - wd->dim[2 + d]) / c->stride[d] + 1)
            return CUDNN_STATUS_BAD_PARAM;
    for (int o = 0; o < out[1]; o++)
        for (int t = 0; t < out[2]; t++)
            for (int r = 0; r < out[3]; r++)
                for (int k = 0; k < out[4]; k++)
                    *to++ = sum_at(c, xd->dim, x, wd->dim, (const float *)w + (size_t)o * n_weight, o, (const int[3]){ t, r, k },
                                   out[1]);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnAddTensor(cudnnHandle_t h, const void *alpha, const cudnnTensorDescriptor_t ad, const void *a,
                                         const void *beta, const cudnnTensorDescriptor_t yd, void *y)
{
    const size_t sites = volume(yd->dim) / (size_t)yd->dim[1];

    if (!h || *(const float *)alpha != 1 || *(const float *)beta != 1 || ad->dim[1] != yd->dim[1] ||
        !fmc_fake_is_device(a, volume(ad->dim) * 4) || !fmc_fake_is_device(y, volume(yd->dim) * 4))
        return CUDNN_STATUS_BAD_PARAM;
    for (int o = 0; o < yd->dim[1]; o++)
        for (size_t i = 0; i < sites; i++)
            ((float *)y)[(size_t)o * sites + i] += ((const float *)a)[o];
    return CUDNN_STATUS_SUCCESS;
}
#endif
