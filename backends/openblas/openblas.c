/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend around OpenBLAS: matrix products alone; libfmc lays the patches of a convolution side by side for it.
 *
 * The number of threads is one setting for the whole process: it is 1 while the backend is open and what it was afterwards.
 * A forced OPENBLAS_CORETYPE of another processor kills the process (SIGILL): not ours to catch.
 */
#include <fmc/backend.h>

#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct state {
    int n_threads; /* before */
} state;

static int open_blas(void **self, char *text, size_t size)
{
    state *s = malloc(sizeof *s);

    if (!s)
        return FMC_BACKEND_FAILED;
    s->n_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    (void)snprintf(text, size, "%.120s", openblas_get_config());
    *self = s;
    return FMC_BACKEND_DONE;
}

static void close_blas(void *self)
{
    state *s = self;

    openblas_set_num_threads(s->n_threads);
    free(s);
}

static int multiply(void *self, size_t m, size_t n, size_t k, const float *a, const float *b, float *c)
{
    (void)self;
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return FMC_BACKEND_FAILED;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)k, b, (blasint)n,
                1, c, (blasint)n);
    return FMC_BACKEND_DONE;
}

__attribute__((visibility("default"))) const fmc_backend *fmc_backend_get(void);

const fmc_backend *fmc_backend_get(void)
{
    static const fmc_backend table = { .abi = FMC_BACKEND_ABI,
                                       .struct_size = sizeof table,
                                       .order = 30,
                                       .name = "openblas",
                                       .open = open_blas,
                                       .close = close_blas,
                                       .gemm = multiply };

    return &table;
}
