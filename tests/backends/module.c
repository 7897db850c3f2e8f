/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends for tests, one of each MODULE_KIND:
 *   dummy    plain C, right; counts its calls in fmc_test_calls
 *   lying    rounds inputs to 8 bits of significand, as bf16 does
 *   failing  right in the self-test, fails later
 *   shut     does not open
 *   old      of another version of the interface
 *   mute     no module at all
 */
#include <fmc/backend.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define IS(kind) (!strcmp(TEXT(MODULE_KIND), kind))

enum { CALLS_OF_SELF_TEST = 16 };

extern EXPORT atomic_int fmc_test_calls;
EXPORT atomic_int fmc_test_calls;

typedef struct conv {
    fmc_backend_conv shape;
    float *weight, *bias;
} conv;

static int open_module(void **self, char *text, size_t size)
{
    *self = NULL;
    atomic_store(&fmc_test_calls, 0);
    if (IS("shut")) {
        (void)snprintf(text, size, "closed today");
        return FMC_BACKEND_FAILED;
    }
    (void)snprintf(text, size, "%s of the tests", TEXT(MODULE_KIND));
    return FMC_BACKEND_DONE;
}

static void close_module(void *self)
{
    (void)self;
}

static int prepare(void *self, const fmc_backend_conv *shape, void **prepared)
{
    const size_t n = (size_t)shape->out_channels * (shape->in_channels / shape->groups) * shape->kernel[0] * shape->kernel[1] *
                     shape->kernel[2];
    conv *c = malloc(sizeof *c);

    (void)self;
    if (shape->kernel[1] == 5) { /* somebody has to decline something */
        free(c);
        return FMC_BACKEND_DECLINED;
    }
    c->shape = *shape;
    c->weight = malloc(n * sizeof *c->weight);
    c->bias = malloc(shape->out_channels * sizeof *c->bias);
    memcpy(c->weight, shape->weight, n * sizeof *c->weight);
    memcpy(c->bias, shape->bias, shape->out_channels * sizeof *c->bias);
    *prepared = c;
    return FMC_BACKEND_DONE;
}

static void release(void *self, void *prepared)
{
    conv *c = prepared;

    (void)self;
    free(c->weight);
    free(c->bias);
    free(c);
}

static float round_input(float x)
{
    uint32_t bits;

    if (!IS("lying"))
        return x;
    memcpy(&bits, &x, 4);
    bits &= 0xffff0000u;
    memcpy(&x, &bits, 4);
    return x;
}

/* Output channel o of site (t, y, x). */
static float sum_at(const conv *c, const uint32_t in[3], const float *x, const uint32_t site[3], uint32_t o)
{
    const fmc_backend_conv *s = &c->shape;
    const uint32_t per_in = s->in_channels / s->groups, first = o / (s->out_channels / s->groups) * per_in;
    const size_t taps = (size_t)s->kernel[0] * s->kernel[1] * s->kernel[2];
    float sum = c->bias[o];

    for (uint32_t k = 0; k < taps; k++) {
        const uint32_t tap[3] = { k / s->kernel[2] / s->kernel[1], k / s->kernel[2] % s->kernel[1], k % s->kernel[2] };
        size_t at = 0;
        int is_inside = 1;

        for (int d = 0; d < 3; d++) {
            const uint32_t p = site[d] * s->stride[d] + tap[d] - s->pad[d];

            is_inside &= p < in[d];
            at = at * in[d] + p;
        }
        for (uint32_t i = 0; is_inside && i < per_in; i++)
            sum += round_input(x[at * s->in_channels + first + i]) * c->weight[(o * per_in + i) * taps + k];
    }
    return sum;
}

static int run(void *self, void *prepared, const uint32_t in[3], const float *x, float *y)
{
    const conv *c = prepared;
    const fmc_backend_conv *s = &c->shape;
    uint32_t out[3], site[3];

    (void)self;
    if (atomic_fetch_add(&fmc_test_calls, 1) >= CALLS_OF_SELF_TEST && IS("failing"))
        return FMC_BACKEND_FAILED;
    for (int d = 0; d < 3; d++)
        out[d] = (in[d] + 2 * s->pad[d] - s->kernel[d]) / s->stride[d] + 1;
    for (site[0] = 0; site[0] < out[0]; site[0]++)
        for (site[1] = 0; site[1] < out[1]; site[1]++)
            for (site[2] = 0; site[2] < out[2]; site[2]++)
                for (uint32_t o = 0; o < s->out_channels; o++)
                    *y++ = sum_at(c, in, x, site, o);
    return FMC_BACKEND_DONE;
}

EXPORT const fmc_backend *MODULE_ENTRY(void);

EXPORT const fmc_backend *MODULE_ENTRY(void)
{
    static fmc_backend table = { .abi = FMC_BACKEND_ABI,
                                 .struct_size = sizeof table,
                                 .order = 90,
                                 .name = TEXT(MODULE_KIND),
                                 .open = open_module,
                                 .close = close_module,
                                 .conv_prepare = prepare,
                                 .conv_run = run,
                                 .conv_release = release };

    if (IS("old"))
        table.abi = 0;
    return &table;
}
