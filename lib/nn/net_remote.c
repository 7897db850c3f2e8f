/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/net_remote.h"

#include <string.h>
#include "core/status.h"

enum { ALIGN = 64 };

static uint64_t aligned(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t taps_of(const fmc_net_op *op)
{
    return (size_t)op->p[0] * op->p[1] * op->p[2];
}

/* ------------------------------------------------------------------------------------------------ preparation -- */

/* Weight of output channel o, input channel c, tap k as the own kernels have it packed (ops/kernels_nn.h). */
static float weight_at(const fmc_net_op *op, size_t o, size_t c, size_t k)
{
    const size_t taps = taps_of(op), block = o / FMC_NN_BLOCK, lane = o % FMC_NN_BLOCK;

    if (op->kind == FMC_NET_F_CONV)
        return op->weight_f32[((block * taps + k) * op->conv_f32.pitch_in + c) * FMC_NN_BLOCK + lane];
    if (op->way == FMC_NET_DEPTHWISE)
        return op->weight[(k / 2 * op->conv.pitch_in + o) * 2 + k % 2];
    return op->weight[((block * taps + k) * op->conv.pitch_in + c / 2 * 2) * FMC_NN_BLOCK + lane * 2 + c % 2];
}

/* The convolution of one output frame, all its input frames given. Padding channels count: their weights are zeros. */
static fmc_backend_conv shape_of(const fmc_net_op *op)
{
    const int is_float = op->kind == FMC_NET_F_CONV;
    fmc_backend_conv c = { .struct_size = sizeof c,
                           .in_channels = is_float ? op->conv_f32.pitch_in : op->conv.pitch_in,
                           .out_channels = is_float ? op->conv_f32.n_out : op->conv.n_out };

    c.groups = op->way == FMC_NET_DEPTHWISE ? c.out_channels : 1;
    for (int d = 0; d < 3; d++) {
        c.kernel[d] = op->p[d];
        c.stride[d] = d ? op->p[3 + d] : 1;
        c.pad[d] = d ? op->p[d] / 2 : 0;
    }
    return c;
}

/* The bytes that tell one convolution from another are its packed weights. */
static fmc_remote_key key_of(const fmc_net_op *op)
{
    fmc_remote_key key = { .conv = shape_of(op) };
    const size_t taps = taps_of(op), padded = (key.conv.out_channels + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK * FMC_NN_BLOCK;

    if (op->kind == FMC_NET_F_CONV) {
        key.weight = op->weight_f32;
        key.weight_size = padded * taps * key.conv.in_channels * sizeof *op->weight_f32;
        key.bias = op->bias_f32;
    } else {
        key.weight = op->weight;
        key.weight_size = sizeof *op->weight * (op->way == FMC_NET_DEPTHWISE ? (taps + 1) / 2 * 2 * key.conv.in_channels
                                                                              : padded * taps * key.conv.in_channels);
        key.bias = op->bias;
    }
    key.bias_size = key.conv.out_channels * 4;
    return key;
}

static fmc_status prepare(const fmc_exec *ex, const fmc_net_op *op, const fmc_remote_key *key, fmc_remote_entry **entry)
{
    fmc_backend_conv c = key->conv;
    const size_t taps = taps_of(op), per_in = c.in_channels / c.groups;
    float *weight = NULL, *bias = NULL, *w;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(ex->alloc, c.out_channels * per_in * taps, &weight));
    FMC_TRY(FMC_ALLOC(ex->alloc, c.out_channels, &bias));
    w = weight;
    for (size_t o = 0; o < c.out_channels; o++)
        for (size_t i = 0; i < per_in; i++)
            for (size_t k = 0; k < taps; k++)
                *w++ = weight_at(op, o, i, k);
    for (size_t o = 0; o < c.out_channels; o++)
        bias[o] = op->kind == FMC_NET_F_CONV ? op->bias_f32[o] : (float)op->bias[o];
    c.weight = weight;
    c.bias = bias;
    FMC_TRY(fmc_backends_add(ex->backends, key, &c, entry));
done:
    fmc_dealloc(ex->alloc, weight);
    fmc_dealloc(ex->alloc, bias);
    return st;
}

/* Groups are depthwise or nothing here: no shipped network has others. */
static int can_be_remote(const fmc_net_op *op)
{
    if (op->kind != FMC_NET_CONV && op->kind != FMC_NET_F_CONV)
        return 0;
    return op->way == FMC_NET_DENSE || (op->way == FMC_NET_DEPTHWISE && op->conv.n_out == op->conv.pitch_in);
}

fmc_status fmc_net_remote_begin(const fmc_exec *ex, const fmc_net *net, fmc_net_remote *r, const fmc_net **use)
{
    const fmc_remote *remote;
    fmc_status st;

    *r = (fmc_net_remote){ .backends = ex->backends };
    *use = net;
    FMC_TRY(fmc_backends_get(ex->backends, &remote));
    if (!remote)
        return FMC_OK;
    r->net = *net;
    r->net.op = NULL;
    FMC_TRY(FMC_ALLOC_ZERO(ex->alloc, net->n_ops, &r->entry));
    FMC_TRY(FMC_ALLOC(ex->alloc, net->n_ops, &r->net.op));
    memcpy(r->net.op, net->op, net->n_ops * sizeof *net->op);
    for (uint32_t i = 0; i < net->n_ops; i++) {
        fmc_remote_key key;

        if (!can_be_remote(&net->op[i]))
            continue;
        key = key_of(&net->op[i]);
        r->entry[i] = fmc_backends_find(ex->backends, &key);
        if (!r->entry[i])
            FMC_TRY(prepare(ex, &net->op[i], &key, &r->entry[i]));
        r->net.op[i].remote = fmc_remote_entry_conv(r->entry[i]);
    }
    r->net.is_by_frame = 1;
    fmc_net_plan(&r->net);
    *use = &r->net;
done:
    return st;
}

void fmc_net_remote_end(const fmc_exec *ex, fmc_net_remote *r)
{
    for (uint32_t i = 0; r->entry && i < r->net.n_ops; i++)
        fmc_backends_put(r->backends, r->entry[i]);
    fmc_dealloc(ex->alloc, r->entry);
    fmc_dealloc(ex->alloc, r->net.op);
}

/* ------------------------------------------------------------------------------------------------- one frame -- */

/* Bytes of the floats of the input frames and of the output frame. */
static uint64_t input_size(const fmc_net *net, uint32_t i, const fmc_net_place *place)
{
    const fmc_net_op *op = &net->op[i], *x = &net->op[op->input[0]];
    const uint64_t *n = place[op->input[0]].sites;

    return x->is_wide && op->p[0] == 1 ? 0 : aligned(op->p[0] * n[1] * n[2] * x->pitch * sizeof(float));
}

static uint64_t output_size(const fmc_net *net, uint32_t i, const fmc_net_place *place)
{
    return net->op[i].kind == FMC_NET_F_CONV ? 0 : aligned(place[i].sites[1] * place[i].sites[2] * net->op[i].pitch * sizeof(float));
}

uint64_t fmc_net_remote_extra(const fmc_net *net, uint32_t i, const fmc_net_place *place)
{
    return input_size(net, i, place) + output_size(net, i, place) + aligned(fmc_remote_scratch(net->op[i].remote) * sizeof(float));
}

/* Input frames as floats; a frame lies in one piece wherever it lies. */
static const float *take_frames(const fmc_net_task *task, uint32_t i, uint64_t t, float *to)
{
    const fmc_net_op *op = &task->pass->net->op[i], *x = &task->pass->net->op[op->input[0]];
    const uint64_t *n = task->pass->place[op->input[0]].sites;
    const size_t count = (size_t)(n[1] * n[2] * x->pitch);

    if (x->is_wide && op->p[0] == 1)
        return fmc_net_row_at(task, op->input[0], t * op->p[3], 0);
    for (uint32_t k = 0; k < op->p[0]; k++) {
        const uint64_t from = t * op->p[3] + k - op->p[0] / 2; /* huge if negative */

        if (from >= n[0])
            memset(to + k * count, 0, count * sizeof *to);
        else if (x->is_wide)
            memcpy(to + k * count, fmc_net_row_at(task, op->input[0], from, 0), count * sizeof *to);
        else
            task->pass->kernels->widen(fmc_net_row_at(task, op->input[0], from, 0), count, to + k * count);
    }
    return to;
}

fmc_status fmc_net_remote_frame(const fmc_net_task *task, uint32_t i, uint64_t t)
{
    const fmc_net *net = task->pass->net;
    const fmc_net_op *op = &net->op[i];
    const fmc_net_place *place = task->pass->place;
    const uint64_t *n = place[op->input[0]].sites;
    const uint32_t in[3] = { op->p[0], (uint32_t)n[1], (uint32_t)n[2] };
    const size_t sites = (size_t)(place[i].sites[1] * place[i].sites[2]);
    uint8_t *memory = task->extra + place[i].extra;
    const float *x = take_frames(task, i, t, (float *)(void *)memory);
    void *out = fmc_net_row_at(task, i, t, 0);
    float *scratch, *sum;
    fmc_status st;

    memory += input_size(net, i, place);
    sum = op->kind == FMC_NET_F_CONV ? out : (void *)memory;
    scratch = (float *)(void *)(memory + output_size(net, i, place));
    st = fmc_remote_run(op->remote, in, x, sum, scratch);
    if (st == FMC_OK && op->kind == FMC_NET_CONV) {
        if (op->is_wide)
            task->pass->kernels->requantise_i32(&op->conv, sum, sites, out);
        else
            task->pass->kernels->requantise_i16(&op->conv, sum, sites, out);
    }
    return st;
}
