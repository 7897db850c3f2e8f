/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/net.h"

#include "core/status.h"

static int is_known(uint32_t kind)
{
    return kind <= FMC_NET_DIGIT || (kind >= FMC_NET_F_INPUT && kind <= FMC_NET_F_CONCAT);
}

static void arity(uint32_t kind, uint32_t *least, uint32_t *most)
{
    *least = *most = 1;
    if (kind == FMC_NET_INPUT || kind == FMC_NET_F_INPUT)
        *least = *most = 0;
    else if (kind == FMC_NET_ADD || kind == FMC_NET_F_ADD || kind == FMC_NET_GATE || kind == FMC_NET_UPSAMPLE)
        *least = *most = 2;
    else if (kind == FMC_NET_CONCAT || kind == FMC_NET_F_CONCAT)
        *most = FMC_NET_INPUTS;
}

/* One op of 24 words (docs/weights-format.md 1.3). */
static fmc_status read_op(fmc_weights *w, fmc_in *in, const fmc_net *net, uint32_t i, fmc_net_op *op)
{
    uint32_t least, most, stray = 0;

    op->kind = fmc_in_u32(in);
    op->n_inputs = fmc_in_u32(in);
    for (uint32_t k = 0; k < FMC_NET_INPUTS; k++)
        op->input[k] = fmc_in_u32(in);
    op->channels = fmc_in_u32(in);
    op->lo = (int32_t)fmc_in_u32(in);
    op->hi = (int32_t)fmc_in_u32(in);
    for (uint32_t k = 0; k < FMC_NET_PARAMETERS; k++)
        op->p[k] = fmc_in_u32(in);
    for (uint32_t k = 0; k < FMC_NET_ARRAYS; k++) {
        const uint32_t number = fmc_in_u32(in);

        op->array[k] = number == UINT32_MAX ? FMC_WEIGHTS_NO_ARRAY : (int32_t)number;
        stray |= number != UINT32_MAX && number >= w->n_arrays;
    }
    if (!is_known(op->kind))
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: unknown kind %u", net->name, i, op->kind);
    arity(op->kind, &least, &most);
    if (op->n_inputs < least || op->n_inputs > most || stray)
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: number of inputs or array", net->name, i);
    if ((i == 0) != (op->n_inputs == 0))
        return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: op 0 and no other is the input", net->name, i);
    for (uint32_t k = 0; k < FMC_NET_INPUTS; k++)
        if (k < op->n_inputs ? op->input[k] >= i : op->input[k] != 0)
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: input not yet computed", net->name, i);
    return FMC_OK;
}

fmc_status fmc_net_read(fmc_weights *w, fmc_in *in, uint32_t n_ops, fmc_net *net)
{
    fmc_status st;

    net->alloc = w->alloc;
    FMC_TRY(FMC_ALLOC_ZERO(net->alloc, n_ops, &net->op));
    net->n_ops = n_ops;
    for (uint32_t i = 0; i < n_ops; i++)
        FMC_TRY(read_op(w, in, net, i, &net->op[i]));
    if (in->short_read)
        FMC_TRY(fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s: ops missing", net->name));
done:
    return st;
}

void fmc_net_fini(fmc_net *net)
{
    for (uint32_t i = 0; i < net->n_ops; i++) {
        fmc_dealloc(net->alloc, net->op[i].weight);
        fmc_dealloc(net->alloc, net->op[i].bias);
        fmc_dealloc(net->alloc, net->op[i].shift);
        fmc_dealloc(net->alloc, net->op[i].factor);
        fmc_dealloc(net->alloc, net->op[i].offset);
        fmc_dealloc(net->alloc, net->op[i].weight_f32);
        fmc_dealloc(net->alloc, net->op[i].bias_f32);
    }
    if (net->op)
        fmc_dealloc(net->alloc, net->op);
    *net = (fmc_net){ 0 };
}
