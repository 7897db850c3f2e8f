/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as the kernels want them (ops/kernels_nn.h). */
#include "nn/net.h"

#include <string.h>
#include "core/status.h"
#include "nn/net_plan.h"

/* Number in the file of the op's stored output channel o. */
static uint32_t stored_channel(const fmc_net_op *op, uint32_t o)
{
    return op->is_split ? o % (op->channels / op->is_split) * op->is_split + o / (op->channels / op->is_split) : o;
}

static void pack_dense(const fmc_net_op *op, const fmc_weights_array *w, uint32_t in_channels, int16_t *out)
{
    const size_t taps = (size_t)op->p[0] * op->p[1] * op->p[2], pitch = op->conv.pitch_in;

    for (uint32_t o = 0; o < op->channels; o++) {
        const uint8_t *from = w->data + stored_channel(op, o) * in_channels * taps;
        int16_t *to = out + o / FMC_NN_BLOCK * taps * pitch * FMC_NN_BLOCK + o % FMC_NN_BLOCK * 2;

        for (size_t c = 0; c < in_channels; c++)
            for (size_t k = 0; k < taps; k++)
                to[(k * pitch + c / 2 * 2) * FMC_NN_BLOCK + c % 2] = (int8_t)from[c * taps + k];
    }
}

static void pack_depthwise(const fmc_net_op *op, const fmc_weights_array *w, int16_t *out)
{
    const size_t taps = (size_t)op->p[0] * op->p[1] * op->p[2], pitch = op->conv.pitch_in;

    for (uint32_t c = 0; c < op->channels; c++)
        for (size_t k = 0; k < taps; k++)
            out[(k / 2 * pitch + c) * 2 + k % 2] = (int8_t)w->data[c * taps + k];
}

static fmc_status pack_bias(const fmc_net *net, const fmc_weights *w, fmc_net_op *op)
{
    const fmc_weights_array *bias = op->array[1] < 0 ? NULL : &w->array[op->array[1]], *shift = &w->array[op->array[2]];
    const size_t n = (size_t)op->conv.n_blocks * FMC_NN_BLOCK;
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(net->alloc, n, &op->bias));
    FMC_TRY(FMC_ALLOC_ZERO(net->alloc, n, &op->shift));
    for (uint32_t o = 0; o < op->channels; o++) {
        const uint32_t from = stored_channel(op, o);

        op->shift[o] = fmc_weights_int(shift, from);
        op->bias[o] = (bias ? fmc_weights_int(bias, from) : 0) + (op->shift[o] ? 1 << (op->shift[o] - 1) : 0);
    }
    op->conv.bias = op->bias;
    op->conv.shift = op->shift;
done:
    return st;
}

static fmc_status pack_conv(const fmc_net *net, const fmc_weights *w, fmc_net_op *op)
{
    const fmc_net_op *x = &net->op[op->input[0]];
    const fmc_weights_array *weight = &w->array[op->array[0]];
    const size_t taps = (size_t)op->p[0] * op->p[1] * op->p[2];
    fmc_nn_conv *c = &op->conv;
    size_t count = weight->count;
    fmc_status st;

    *c = (fmc_nn_conv){ .n_rows = op->p[0] * op->p[1], .kx = op->p[2], .stride_x = op->p[5], .pitch_in = x->pitch,
                        .n_out = op->pitch, .lo = op->lo, .hi = op->hi };
    c->n_blocks = (c->n_out + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK;
    op->way = op->p[6] == 1 ? FMC_NET_DENSE
              : op->p[6] == op->channels && op->p[6] == x->channels ? FMC_NET_DEPTHWISE : FMC_NET_PLAIN;
    if (op->way == FMC_NET_DENSE)
        count = c->n_blocks * taps * x->pitch * FMC_NN_BLOCK;
    else if (op->way == FMC_NET_DEPTHWISE)
        count = (taps + 1) / 2 * x->pitch * 2;
    FMC_TRY(FMC_ALLOC_ZERO(net->alloc, count, &op->weight));
    c->weight = op->weight;
    if (op->way == FMC_NET_DENSE)
        pack_dense(op, weight, x->channels, op->weight);
    else if (op->way == FMC_NET_DEPTHWISE)
        pack_depthwise(op, weight, op->weight);
    else
        for (size_t i = 0; i < count; i++)
            op->weight[i] = (int8_t)weight->data[i];
    FMC_TRY(pack_bias(net, w, op));
done:
    return st;
}

static fmc_status pack_affine(const fmc_net *net, const fmc_weights *w, fmc_net_op *op)
{
    const fmc_weights_array *a = &w->array[op->array[0]], *b = &w->array[op->array[1]];
    fmc_status st;

    FMC_TRY(FMC_ALLOC(net->alloc, a->count, &op->factor));
    FMC_TRY(FMC_ALLOC(net->alloc, b->count, &op->offset));
    for (size_t i = 0; i < a->count; i++) {
        op->factor[i] = (int16_t)fmc_weights_int(a, i);
        op->offset[i] = fmc_weights_int(b, i);
    }
done:
    return st;
}

static void pack_add(fmc_net_op *op)
{
    op->add = (fmc_nn_add){ 1 << op->p[0], 1 << op->p[1], op->p[2] ? 1 << (op->p[2] - 1) : 0, op->p[2], op->lo, op->hi };
}

static fmc_status copy_floats(const fmc_net *net, const fmc_weights *w, int32_t number, size_t n, float **out)
{
    fmc_status st;

    FMC_TRY(FMC_ALLOC_ZERO(net->alloc, n, out));
    for (size_t i = 0; number >= 0 && i < w->array[number].count; i++)
        (*out)[i] = fmc_weights_float(&w->array[number], i);
done:
    return st;
}

static void pack_dense_f32(const fmc_net_op *op, const fmc_weights_array *w, size_t taps, float *out)
{
    const size_t pitch = op->conv_f32.pitch_in;

    for (uint32_t o = 0; o < op->channels; o++) {
        float *to = out + o / FMC_NN_BLOCK * taps * pitch * FMC_NN_BLOCK + o % FMC_NN_BLOCK;

        for (size_t c = 0; c < pitch; c++)
            for (size_t k = 0; k < taps; k++)
                to[(k * pitch + c) * FMC_NN_BLOCK] = fmc_weights_float(w, (o * pitch + c) * taps + k);
    }
}

static fmc_status pack_conv_f32(const fmc_net *net, const fmc_weights *w, fmc_net_op *op)
{
    const size_t taps = (size_t)op->p[0] * op->p[1] * op->p[2];
    fmc_nn_conv_f32 *c = &op->conv_f32;
    fmc_status st;

    *c = (fmc_nn_conv_f32){ .n_rows = op->p[0] * op->p[1], .kx = op->p[2], .stride_x = op->p[5],
                            .pitch_in = net->op[op->input[0]].channels, .n_out = op->channels,
                            .n_blocks = (op->channels + FMC_NN_BLOCK - 1) / FMC_NN_BLOCK };
    op->way = op->p[6] == 1 ? FMC_NET_DENSE : FMC_NET_PLAIN;
    FMC_TRY(copy_floats(net, w, op->array[1], (size_t)c->n_blocks * FMC_NN_BLOCK, &op->bias_f32));
    if (op->way == FMC_NET_PLAIN) {
        FMC_TRY(copy_floats(net, w, op->array[0], w->array[op->array[0]].count, &op->weight_f32));
    } else {
        FMC_TRY(FMC_ALLOC_ZERO(net->alloc, c->n_blocks * taps * c->pitch_in * FMC_NN_BLOCK, &op->weight_f32));
        pack_dense_f32(op, &w->array[op->array[0]], taps, op->weight_f32);
    }
    c->weight = op->weight_f32;
    c->bias = op->bias_f32;
done:
    return st;
}

static fmc_status pack_float(const fmc_net *net, const fmc_weights *w, fmc_net_op *op)
{
    fmc_status st = FMC_OK;

    if (op->kind == FMC_NET_F_CONV) {
        FMC_TRY(pack_conv_f32(net, w, op));
    } else if (op->kind == FMC_NET_F_NORM || op->kind == FMC_NET_F_SCALE) {
        FMC_TRY(copy_floats(net, w, op->array[0], op->channels, &op->weight_f32));
        FMC_TRY(copy_floats(net, w, op->array[1], op->channels, &op->bias_f32));
    }
done:
    return st;
}

/* A convolution that nothing but one shuffle reads keeps its channels as the shuffle wants them: [factor][channels]. */
static void split_channels(fmc_net *net)
{
    for (uint32_t i = 1; i < net->n_ops; i++) {
        const fmc_net_op *op = &net->op[i];
        fmc_net_op *x = &net->op[op->input[0]];

        if (op->kind == FMC_NET_SHUFFLE && x->kind == FMC_NET_CONV && x->p[6] == 1)
            x->is_split = op->p[0] * op->p[1] * op->p[2];
    }
    for (uint32_t i = 1; i < net->n_ops; i++)
        for (uint32_t k = 0; k < net->op[i].n_inputs; k++) {
            fmc_net_op *x = &net->op[net->op[i].input[k]];
            const int is_read = net->op[i].kind != FMC_NET_UPSAMPLE || k == 0;

            if (is_read && (net->op[i].kind != FMC_NET_SHUFFLE || net->op[i].p[0] * net->op[i].p[1] * net->op[i].p[2] != x->is_split))
                x->is_split = 0;
        }
    for (uint32_t k = 0; k < net->n_outputs; k++)
        net->op[net->output[k]].is_split = 0;
}

fmc_status fmc_net_prepare(const fmc_weights *w, fmc_net *net)
{
    fmc_status st = FMC_OK;

    for (uint32_t i = 0; i < net->n_ops; i++) {
        fmc_net_op *op = &net->op[i];

        op->is_wide = fmc_net_is_float(op->kind) || op->lo < INT16_MIN || op->hi > INT16_MAX;
        op->pitch = op->is_wide ? op->channels : (op->channels + 1) / 2 * 2;
    }
    split_channels(net);
    fmc_net_plan(net);
    for (uint32_t i = 0; i < net->n_ops; i++) {
        if (net->op[i].kind == FMC_NET_CONV)
            FMC_TRY(pack_conv(net, w, &net->op[i]));
        else if (net->op[i].kind == FMC_NET_AFFINE)
            FMC_TRY(pack_affine(net, w, &net->op[i]));
        else if (net->op[i].kind == FMC_NET_ADD)
            pack_add(&net->op[i]);
        else if (fmc_net_is_float(net->op[i].kind))
            FMC_TRY(pack_float(net, w, &net->op[i]));
    }
done:
    return st;
}
