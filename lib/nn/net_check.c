/* SPDX-License-Identifier: Apache-2.0 */
/* Why a program can do no harm: grids, limits, and every op (net_check_ops.c). docs/weights-format.md 2. */
#include "nn/net.h"

#include <string.h>
#include "core/status.h"

enum { MAX_CHANNELS = 4096, MAX_FRACTION = 256 };
#define MAX_VALUES ((uint64_t)1 << 14) /* of one tensor per site of the input */
#define MAX_TOTAL ((uint64_t)1 << 21)  /* of all tensors of a program */
#define MAX_WORK ((uint64_t)1 << 24)   /* multiplications of a program per site of the input */
#define MAX_NUMBERS ((uint64_t)1 << 24)/* that the ops of a program take from arrays, output channels in sixteens */

void fmc_net_sites(const fmc_net_op *op, const uint32_t in[FMC_NET_AXES], uint64_t out[FMC_NET_AXES])
{
    for (int d = 0; d < FMC_NET_AXES; d++)
        out[d] = ((uint64_t)in[d] * op->num[d] + op->den[d] - 1) / op->den[d];
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        const uint32_t r = a % b;

        a = b;
        b = r;
    }
    return a;
}

/* num / den *= up / down. @return 0 if it leaves the limits. Factors are at most 64. */
static int scale(uint32_t *num, uint32_t *den, uint32_t up, uint32_t down)
{
    const uint32_t n = *num * up, d = *den * down, g = common_divisor(n, d);

    *num = n / g;
    *den = d / g;
    return *num <= MAX_FRACTION && *den <= MAX_FRACTION;
}

static int is_small(const fmc_net_op *op)
{
    for (int d = 0; d < FMC_NET_AXES; d++)
        if (op->p[d] < 1 || op->p[d] > 64)
            return 0;
    return 1;
}

/* The grid of op i from those of its inputs. */
static fmc_status find_grid(fmc_weights *w, fmc_net *net, uint32_t i)
{
    fmc_net_op *op = &net->op[i];
    const fmc_net_op *from = i ? &net->op[op->input[op->kind == FMC_NET_UPSAMPLE]] : NULL;

    for (int d = 0; d < FMC_NET_AXES; d++) {
        uint32_t up = 1, down = 1;

        op->num[d] = from ? from->num[d] : 1;
        op->den[d] = from ? from->den[d] : 1;
        switch (op->kind) {
        case FMC_NET_CONV:
        case FMC_NET_F_CONV:
            down = op->p[3 + d];
            if (down != 1 && down != 2 && down != 4)
                return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: stride", net->name, i);
            break;
        case FMC_NET_MAXPOOL:
        case FMC_NET_TILESTAT:
        case FMC_NET_F_FOLD:
        case FMC_NET_SHUFFLE:
            if (!is_small(op))
                return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: factor", net->name, i);
            *(op->kind == FMC_NET_SHUFFLE ? &up : &down) = op->p[d];
            break;
        default:
            break;
        }
        if (up > 1 && op->den[d] > 1)
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: enlarged after it was reduced", net->name, i);
        if (!scale(&op->num[d], &op->den[d], up, down))
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: grid too fine or too coarse", net->name, i);
    }
    return FMC_OK;
}

/* ceil(x * sites per site of the input); x < 2^38 */
static uint64_t per_site(const fmc_net_op *op, uint64_t x)
{
    const uint64_t num = (uint64_t)op->num[0] * op->num[1] * op->num[2], den = (uint64_t)op->den[0] * op->den[1] * op->den[2];

    return (x * num + den - 1) / den;
}

/* How many numbers of arrays an op has to hold and check. Ops may share arrays, so the size of the file is no limit. */
static uint64_t count_numbers(const fmc_weights *w, const fmc_net_op *op)
{
    uint64_t n = 0;

    for (int k = 0; k < FMC_NET_ARRAYS; k++)
        n += op->array[k] < 0 ? 0 : w->array[op->array[k]].count;
    return (n / op->channels + 1) * ((op->channels + 15) / 16 * 16);
}

static fmc_status check_limits(fmc_weights *w, const fmc_net *net)
{
    uint64_t work = 0, values = 0, numbers = 0;

    for (uint32_t i = 0; i < net->n_ops; i++) {
        const fmc_net_op *op = &net->op[i];

        if (op->channels < 1 || op->channels > MAX_CHANNELS || per_site(op, op->channels) > MAX_VALUES)
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: too many values", net->name, i);
        values += per_site(op, op->channels);
        numbers += count_numbers(w, op);
        if (values > MAX_TOTAL || numbers > MAX_NUMBERS)
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: too many values or numbers together", net->name, i);
        if ((op->kind == FMC_NET_CONV || op->kind == FMC_NET_F_CONV) && op->array[0] >= 0)
            work += per_site(op, w->array[op->array[0]].count);
        if (work > MAX_WORK)
            return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s: too much work", net->name);
    }
    return FMC_OK;
}

fmc_status fmc_net_check(fmc_weights *w, fmc_net *net, uint32_t levels)
{
    const uint32_t is_float = (uint32_t)fmc_net_is_float(net->op[0].kind);
    fmc_status st = FMC_OK;

    net->levels = levels;
    for (uint32_t i = 0; i < net->n_ops; i++) {
        if ((uint32_t)fmc_net_is_float(net->op[i].kind) != is_float)
            FMC_TRY(fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u: mixes integers and floats", net->name, i));
        FMC_TRY(find_grid(w, net, i));
    }
    FMC_TRY(check_limits(w, net));
    for (uint32_t i = 0; i < net->n_ops; i++)
        FMC_TRY(is_float ? fmc_net_check_float(w, net, i) : fmc_net_check_integer(w, net, i));
done:
    return st;
}
