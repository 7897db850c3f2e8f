/* SPDX-License-Identifier: Apache-2.0 */
/* The test before use (docs/backends.md): small convolutions of integers at the limit, against plain sums in int32. */
#include "ops/backend.h"

#include <stdio.h>
#include <string.h>
#include "core/status.h"

/* What a sum of a network may come to, with the half of its rounding (docs/weights-format.md 2). */
#define MOST ((1 << 23) + (1 << 21) - 1)

typedef struct check_case {
    uint32_t in[3], n_in, n_out, groups, kernel[3], stride;
} check_case;

/* 1x1; what libraries like to do by Winograd; strides; frames; depthwise; few channels under a large kernel. */
static const check_case cases[] = {
    { { 1, 9, 37 }, 16, 64, 1, { 1, 1, 1 }, 1 },  { { 1, 14, 14 }, 64, 64, 1, { 1, 3, 3 }, 1 },
    { { 1, 21, 19 }, 8, 16, 1, { 1, 3, 3 }, 1 },  { { 1, 19, 17 }, 32, 32, 1, { 1, 5, 5 }, 2 },
    { { 3, 12, 11 }, 16, 24, 1, { 3, 3, 3 }, 1 }, { { 3, 6, 10 }, 32, 32, 1, { 3, 1, 1 }, 1 },
    { { 1, 15, 17 }, 32, 32, 32, { 1, 3, 3 }, 1 }, { { 1, 20, 18 }, 2, 2, 1, { 1, 7, 7 }, 1 },
};

enum { N_CASES = sizeof cases / sizeof *cases, SPACING = 8 };

typedef struct check_data {
    fmc_backend_conv conv;
    uint32_t out[3];
    size_t   n_in, n_weight, n_out; /* values */
    int32_t *x, *w, *b, *want;
    float   *xf, *wf, *bf, *got, *scratch;
    uint32_t seed;
} check_data;

static uint32_t next_random(check_data *d)
{
    d->seed = d->seed * 1664525u + 1013904223u;
    return d->seed >> 8;
}

static void free_data(const fmc_allocator *a, check_data *d)
{
    int32_t *const ints[] = { d->x, d->w, d->b, d->want };
    float *const floats[] = { d->xf, d->wf, d->bf, d->got, d->scratch };

    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        fmc_dealloc(a, ints[i]);
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        fmc_dealloc(a, floats[i]);
}

static fmc_status make_data(const fmc_allocator *a, const check_case *k, check_data *d)
{
    fmc_backend_conv *c = &d->conv;
    fmc_status st;

    *c = (fmc_backend_conv){ .struct_size = sizeof *c, .in_channels = k->n_in, .out_channels = k->n_out, .groups = k->groups };
    for (int i = 0; i < 3; i++) {
        c->kernel[i] = k->kernel[i];
        c->stride[i] = i ? k->stride : 1;
        c->pad[i] = i ? k->kernel[i] / 2 : 0; /* as networks are run: frames outside come as zeros */
        d->out[i] = fmc_backend_conv_sites(c, i, k->in[i]);
    }
    d->n_in = (size_t)k->in[0] * k->in[1] * k->in[2] * k->n_in;
    d->n_weight = (size_t)k->n_out * (k->n_in / k->groups) * k->kernel[0] * k->kernel[1] * k->kernel[2];
    d->n_out = (size_t)d->out[0] * d->out[1] * d->out[2] * k->n_out;
    FMC_TRY(FMC_ALLOC(a, d->n_in, &d->x));
    FMC_TRY(FMC_ALLOC(a, d->n_weight, &d->w));
    FMC_TRY(FMC_ALLOC(a, k->n_out, &d->b));
    FMC_TRY(FMC_ALLOC(a, d->n_out, &d->want));
    FMC_TRY(FMC_ALLOC(a, d->n_in, &d->xf));
    FMC_TRY(FMC_ALLOC(a, d->n_weight, &d->wf));
    FMC_TRY(FMC_ALLOC(a, k->n_out, &d->bf));
    FMC_TRY(FMC_ALLOC(a, d->n_out, &d->got));
    c->weight = d->wf;
    c->bias = d->bf;
done:
    return st;
}

/* Input value under tap (t, y, x) of a site; NULL outside. */
static int32_t *input_at(const check_case *k, check_data *d, const uint32_t site[3], const uint32_t tap[3])
{
    uint32_t at[3];

    for (int i = 0; i < 3; i++) {
        at[i] = site[i] * d->conv.stride[i] + tap[i] - d->conv.pad[i];
        if (at[i] >= k->in[i])
            return NULL;
    }
    return d->x + (((size_t)at[0] * k->in[1] + at[1]) * k->in[2] + at[2]) * k->n_in;
}

static void site_of(const check_data *d, size_t s, uint32_t site[3])
{
    site[0] = (uint32_t)(s / d->out[2] / d->out[1]);
    site[1] = (uint32_t)(s / d->out[2] % d->out[1]);
    site[2] = (uint32_t)(s % d->out[2]);
}

/* want[o] of a site: its sum; or, if `reach` is not 0, make the input there as large as it can be for channel o. */
static int32_t visit(const check_case *k, check_data *d, const uint32_t site[3], uint32_t o, int32_t reach)
{
    const uint32_t per_in = k->n_in / k->groups, first = o / (k->n_out / k->groups) * per_in;
    const uint32_t *n = k->kernel;
    int32_t sum = d->b[o];
    uint32_t tap[3];

    for (tap[0] = 0; tap[0] < n[0]; tap[0]++)
        for (tap[1] = 0; tap[1] < n[1]; tap[1]++)
            for (tap[2] = 0; tap[2] < n[2]; tap[2]++) {
                int32_t *x = input_at(k, d, site, tap);
                const int32_t *w = d->w + (size_t)o * per_in * n[0] * n[1] * n[2] + (tap[0] * n[1] + tap[1]) * n[2] + tap[2];

                for (uint32_t c = 0; x && c < per_in; c++, w += n[0] * n[1] * n[2]) {
                    if (reach)
                        x[first + c] = *w < 0 ? -reach : reach;
                    sum += x[first + c] * *w;
                }
            }
    return sum;
}

/* Weights, inputs and biases such that the largest sum is MOST, and inputs with more bits than half types have. */
static void fill(const check_case *k, check_data *d)
{
    const size_t per_out = d->n_weight / k->n_out;
    const int32_t most_w = per_out * 127 > 16384 ? (int32_t)(16384 / per_out) + 1 : 127;
    int32_t reach = MOST;

    for (uint32_t o = 0; o < k->n_out; o++) {
        int32_t total = 0;

        for (size_t i = 0; i < per_out; i++) {
            int32_t *w = &d->w[o * per_out + i];

            *w = (int32_t)(next_random(d) % (2 * (uint32_t)most_w + 1)) - most_w;
            total += *w < 0 ? -*w : *w;
        }
        if (total > 0 && MOST / total < reach)
            reach = MOST / total;
    }
    reach = reach > 8191 ? 8191 : reach;
    for (uint32_t o = 0; o < k->n_out; o++) {
        int32_t total = 0;

        for (size_t i = 0; i < per_out; i++)
            total += d->w[o * per_out + i] < 0 ? -d->w[o * per_out + i] : d->w[o * per_out + i];
        d->b[o] = MOST - total * reach;
    }
    for (size_t i = 0; i < d->n_in; i++) {
        const uint32_t kind = next_random(d) % 4;

        d->x[i] = kind == 0 ? reach : kind == 1 ? -reach : (int32_t)(next_random(d) % (2 * (uint32_t)reach + 1)) - reach;
    }
    for (uint32_t y = 2, o = 0; y < d->out[1]; y += SPACING)
        for (uint32_t x = 2; x < d->out[2]; x += SPACING, o += 7)
            (void)visit(k, d, (const uint32_t[3]){ 0, y, x }, o % k->n_out, reach);
}

static void to_floats(const int32_t *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

/* Run twice: what is kept from the first time must not disturb the second. */
static fmc_status compare(const check_case *k, check_data *d, const fmc_remote_conv *conv, int *is_right)
{
    fmc_status st = FMC_OK;

    *is_right = 1;
    for (int run = 0; run < 2 && st == FMC_OK; run++) {
        memset(d->got, 0, d->n_out * sizeof *d->got);
        st = fmc_remote_run(conv, k->in, d->xf, d->got, d->scratch);
        for (size_t i = 0; i < d->n_out && st == FMC_OK; i++)
            *is_right &= d->got[i] == (float)d->want[i]; /* -0 is 0 */
    }
    return st;
}

static fmc_status check(const fmc_allocator *a, const fmc_remote *r, const check_case *k, int *is_right, int *is_done)
{
    check_data d = { .seed = 12345 };
    fmc_remote_conv *conv = NULL;
    fmc_status st;

    *is_right = 1;
    *is_done = 0;
    FMC_TRY(make_data(a, k, &d));
    fill(k, &d);
    to_floats(d.x, d.n_in, d.xf);
    to_floats(d.w, d.n_weight, d.wf);
    to_floats(d.b, k->n_out, d.bf);
    for (size_t i = 0; i < d.n_out; i++) {
        uint32_t site[3];

        site_of(&d, i / k->n_out, site);
        d.want[i] = visit(k, &d, site, (uint32_t)(i % k->n_out), 0);
    }
    FMC_TRY(fmc_remote_prepare(a, r, &d.conv, &conv));
    if (conv) {
        FMC_TRY(FMC_ALLOC(a, fmc_remote_scratch(conv), &d.scratch));
        FMC_TRY(compare(k, &d, conv, is_right));
        *is_done = 1;
    }
done:
    fmc_remote_release(conv);
    free_data(a, &d);
    return st;
}

fmc_status fmc_remote_test(const fmc_allocator *a, const fmc_remote *r, char *why)
{
    int n_done = 0;

    why[0] = 0;
    for (int i = 0; i < N_CASES; i++) {
        const check_case *k = &cases[i];
        int is_right, is_done;
        const fmc_status st = check(a, r, k, &is_right, &is_done);

        if (st == FMC_ERR_NO_MEMORY)
            return st;
        n_done += is_done;
        if (st == FMC_OK && is_right)
            continue;
        (void)snprintf(why, FMC_BACKEND_TEXT, "self-test: %s in a %ux%ux%u convolution of %u to %u channels",
                       st == FMC_OK ? "wrong sums" : "it failed", (unsigned)k->kernel[0], (unsigned)k->kernel[1],
                       (unsigned)k->kernel[2], (unsigned)k->n_in, (unsigned)k->n_out);
        return FMC_ERR_BACKEND_UNAVAILABLE;
    }
    if (n_done)
        return FMC_OK;
    (void)snprintf(why, FMC_BACKEND_TEXT, "self-test: it does none of the convolutions");
    return FMC_ERR_BACKEND_UNAVAILABLE;
}
