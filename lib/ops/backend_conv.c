/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution on a backend: its own, or as products of matrices where a backend has only those. */
#include "ops/backend.h"

#include <string.h>
#include "core/status.h"

enum { BLOCK_FLOATS = 1 << 16 /* of the matrix of patches: 256 KiB, the second-level cache */ };

struct fmc_remote_conv {
    fmc_allocator     alloc;
    const fmc_remote *remote;
    fmc_backend_conv  shape;    /* weight and bias are NULL */
    void             *prepared; /* the backend's; NULL: by gemm */
    float            *weight;   /* gemm: [kernel t][y][x][in_channels][out_channels] */
    float            *bias;     /* gemm: [out_channels] */
    size_t            depth;    /* gemm: taps * in_channels */
    size_t            block;    /* gemm: output sites at once */
    int               is_plain; /* gemm: a patch is a site as it lies there */
};

static size_t taps_of(const fmc_backend_conv *c)
{
    return (size_t)c->kernel[0] * c->kernel[1] * c->kernel[2];
}

static fmc_status prepare_gemm(const fmc_backend_conv *c, fmc_remote_conv *r)
{
    const size_t taps = taps_of(c), n_in = c->in_channels, n_out = c->out_channels;
    fmc_status st;

    r->depth = taps * n_in;
    r->block = BLOCK_FLOATS / r->depth < 16 ? 16 : BLOCK_FLOATS / r->depth;
    r->is_plain = taps == 1 && c->stride[0] * c->stride[1] * c->stride[2] == 1;
    FMC_TRY(FMC_ALLOC(&r->alloc, r->depth * n_out, &r->weight));
    FMC_TRY(FMC_ALLOC(&r->alloc, n_out, &r->bias));
    memcpy(r->bias, c->bias, n_out * sizeof *r->bias);
    for (size_t o = 0; o < n_out; o++)
        for (size_t i = 0; i < n_in; i++)
            for (size_t k = 0; k < taps; k++)
                r->weight[(k * n_in + i) * n_out + o] = c->weight[(o * n_in + i) * taps + k];
done:
    return st;
}

fmc_status fmc_remote_prepare(const fmc_allocator *a, const fmc_remote *r, const fmc_backend_conv *c, fmc_remote_conv **out)
{
    fmc_remote_conv *conv = NULL;
    fmc_status st;
    int answer = FMC_BACKEND_DONE;

    *out = NULL;
    if (!r->table->conv_prepare && c->groups > 1)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC_ZERO(a, 1, &conv));
    conv->alloc = *a;
    conv->remote = r;
    conv->shape = *c;
    conv->shape.weight = conv->shape.bias = NULL;
    if (r->table->conv_prepare)
        answer = r->table->conv_prepare(r->self, c, &conv->prepared);
    else
        FMC_TRY(prepare_gemm(c, conv));
    if (answer == FMC_BACKEND_DONE) {
        *out = conv;
        conv = NULL;
    } else if (answer != FMC_BACKEND_DECLINED) {
        st = FMC_ERR_BACKEND_FAILED;
    }
done:
    if (conv)
        conv->prepared = NULL; /* nothing of the backend's came to be */
    fmc_remote_release(conv);
    return st;
}

void fmc_remote_release(fmc_remote_conv *c)
{
    if (c) {
        const fmc_allocator alloc = c->alloc;

        if (c->prepared)
            c->remote->table->conv_release(c->remote->self, c->prepared);
        fmc_dealloc(&alloc, c->weight);
        fmc_dealloc(&alloc, c->bias);
        fmc_dealloc(&alloc, c);
    }
}

size_t fmc_remote_scratch(const fmc_remote_conv *c)
{
    return c->weight && !c->is_plain ? c->block * c->depth : 0;
}

/* The patch of output site (t, y, x): [kernel t][y][x][in_channels]. */
static void copy_patch(const fmc_backend_conv *c, const uint32_t in[3], const uint32_t site[3], const float *x, float *patch)
{
    const size_t n = c->in_channels;

    for (uint32_t i = 0; i < c->kernel[0]; i++)
        for (uint32_t j = 0; j < c->kernel[1]; j++) {
            const uint32_t t = site[0] * c->stride[0] + i - c->pad[0], y = site[1] * c->stride[1] + j - c->pad[1];
            const float *row = t < in[0] && y < in[1] ? x + ((size_t)t * in[1] + y) * in[2] * n : NULL;

            for (uint32_t k = 0; k < c->kernel[2]; k++, patch += n) {
                const uint32_t at = site[2] * c->stride[2] + k - c->pad[2]; /* huge if negative */

                if (row && at < in[2])
                    memcpy(patch, row + at * n, n * sizeof *patch);
                else
                    memset(patch, 0, n * sizeof *patch);
            }
        }
}

static fmc_status run_gemm(const fmc_remote_conv *r, const uint32_t in[3], const float *x, float *y, float *scratch)
{
    const fmc_backend_conv *c = &r->shape;
    const fmc_backend *table = r->remote->table;
    const size_t n_out = c->out_channels;
    uint32_t out[3];
    size_t count;

    for (int d = 0; d < 3; d++)
        out[d] = fmc_backend_conv_sites(c, d, in[d]);
    count = (size_t)out[0] * out[1] * out[2];
    for (size_t s = 0; s < count; s++)
        memcpy(y + s * n_out, r->bias, n_out * sizeof *y);
    for (size_t first = 0; first < count; first += r->block) {
        const size_t n = count - first < r->block ? count - first : r->block;

        for (size_t s = first; !r->is_plain && s < first + n; s++) {
            const uint32_t site[3] = { (uint32_t)(s / out[2] / out[1]), (uint32_t)(s / out[2] % out[1]), (uint32_t)(s % out[2]) };

            copy_patch(c, in, site, x, scratch + (s - first) * r->depth);
        }
        if (table->gemm(r->remote->self, n, n_out, r->depth, r->is_plain ? x + first * r->depth : scratch, r->weight,
                        y + first * n_out) != FMC_BACKEND_DONE)
            return FMC_ERR_BACKEND_FAILED;
    }
    return FMC_OK;
}

fmc_status fmc_remote_run(const fmc_remote_conv *c, const uint32_t in[3], const float *x, float *y, float *scratch)
{
    if (c->weight)
        return run_gemm(c, in, x, y, scratch);
    return c->remote->table->conv_run(c->remote->self, c->prepared, in, x, y) == FMC_BACKEND_DONE ? FMC_OK
                                                                                                  : FMC_ERR_BACKEND_FAILED;
}
