/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of single ops (docs/weights-format.md 2 and 3). */
#include "nn/net.h"

#include <math.h>

#define WIDE ((int32_t)((1 << 23) - 1))

static fmc_status refuse(fmc_weights *w, const fmc_net *net, uint32_t i, const char *what)
{
    return fmc_weights_refuse(w, FMC_ERR_BAD_MODEL, "%s op %u (kind %u): %s", net->name, i, net->op[i].kind, what);
}

static int fits_16_bits(const fmc_net_op *op)
{
    return op->lo >= -32768 && op->hi <= 32767;
}

/* Parameters from `first` on are zero. */
static int is_rest_zero(const fmc_net_op *op, uint32_t first)
{
    for (uint32_t k = first; k < FMC_NET_PARAMETERS; k++)
        if (op->p[k])
            return 0;
    return 1;
}

static int are_factors(const fmc_net_op *op)
{
    for (int d = 0; d < FMC_NET_AXES; d++)
        if (op->p[d] < 1 || op->p[d] > 64)
            return 0;
    return is_rest_zero(op, 3);
}

/* The grid of `coarse` is that of `fine` divided by `by` (NULL: the same). */
static int is_grid(const fmc_net_op *coarse, const fmc_net_op *fine, const uint32_t *by)
{
    for (int d = 0; d < FMC_NET_AXES; d++)
        if ((uint64_t)coarse->num[d] * fine->den[d] * (by ? by[d] : 1) != (uint64_t)fine->num[d] * coarse->den[d])
            return 0;
    return 1;
}

/* Array k of the op if it has that type and shape, else NULL. */
static const fmc_weights_array *shaped(const fmc_weights *w, const fmc_net_op *op, uint32_t k, uint32_t type, uint32_t rank,
                                       const uint32_t *dim)
{
    const fmc_weights_array *a = op->array[k] < 0 ? NULL : &w->array[op->array[k]];

    if (!a || a->rank != rank)
        return NULL;
    if (type == FMC_WEIGHTS_F32 ? a->type != FMC_WEIGHTS_F32 && a->type != FMC_WEIGHTS_F16 : a->type != type)
        return NULL;
    for (uint32_t d = 0; d < rank; d++)
        if (a->dim[d] != dim[d])
            return NULL;
    return a;
}

/* Kernel, stride, groups: what convolutions of integers and of floats share. */
static int is_geometry(const fmc_net_op *op, const fmc_net_op *x, uint32_t dim[5])
{
    for (int d = 0; d < FMC_NET_AXES; d++) {
        if (op->p[d] > 7 || op->p[d] % 2 == 0)
            return 0;
        dim[2 + d] = op->p[d];
    }
    if (op->p[6] < 1 || op->p[7] || x->channels % op->p[6] || op->channels % op->p[6])
        return 0;
    dim[0] = op->channels;
    dim[1] = x->channels / op->p[6];
    return 1;
}

/* The proof of docs/weights-format.md 2: no partial sum leaves +-(2^23 - 1), whatever the order. */
static fmc_status check_budget(fmc_weights *w, const fmc_net *net, uint32_t i, const fmc_weights_array *weight,
                               const fmc_weights_array *bias, const fmc_weights_array *shift)
{
    const fmc_net_op *op = &net->op[i], *x = &net->op[op->input[0]];
    const int64_t lo = x->lo < 0 ? x->lo : 0, hi = x->hi > 0 ? x->hi : 0;
    const size_t n = weight->count / op->channels;

    for (uint32_t o = 0; o < op->channels; o++) {
        const int64_t b = bias ? fmc_weights_int(bias, o) : 0;
        int64_t positive = 0, negative = 0; /* sums of the weights of either sign: at most 2^32 * 127 */

        for (size_t k = 0; k < n; k++) {
            const int8_t v = (int8_t)weight->data[o * n + k];

            if (v == -128)
                return refuse(w, net, i, "weight -128");
            *(v > 0 ? &positive : &negative) += v;
        }
        if (positive * hi + negative * lo + (b > 0 ? b : 0) > WIDE || positive * lo + negative * hi + (b < 0 ? b : 0) < -WIDE)
            return refuse(w, net, i, "sums can pass 2^23 - 1");
        if (fmc_weights_int(shift, o) > 22)
            return refuse(w, net, i, "shift over 22");
    }
    return FMC_OK;
}

static fmc_status check_conv(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i], *x = &net->op[op->input[0]];
    const fmc_weights_array *weight, *bias, *shift;
    uint32_t dim[5];

    if (!is_geometry(op, x, dim))
        return refuse(w, net, i, "kernel, stride or groups");
    weight = shaped(w, op, 0, FMC_WEIGHTS_I8, 5, dim);
    bias = shaped(w, op, 1, FMC_WEIGHTS_I32, 1, dim);
    shift = shaped(w, op, 2, FMC_WEIGHTS_U8, 1, dim);
    if (!weight || !shift || (!bias && op->array[1] >= 0))
        return refuse(w, net, i, "array missing, or of another type or shape");
    return check_budget(w, net, i, weight, bias, shift);
}

static fmc_status check_affine(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i];
    const uint32_t dim[2] = { net->levels, op->channels };

    if (op->p[0] > 24 || !is_rest_zero(op, 1) || op->channels != net->op[op->input[0]].channels)
        return refuse(w, net, i, "parameters");
    if (!shaped(w, op, 0, FMC_WEIGHTS_I16, 2, dim) || !shaped(w, op, 1, FMC_WEIGHTS_I32, 2, dim))
        return refuse(w, net, i, "array missing, or of another type or shape");
    return FMC_OK;
}

static int64_t reach(const fmc_net_op *op)
{
    return -(int64_t)op->lo > op->hi ? -(int64_t)op->lo : op->hi;
}

static fmc_status check_add(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i], *a = &net->op[op->input[0]], *b = &net->op[op->input[1]];

    if (op->p[0] > 12 || op->p[1] > 12 || op->p[2] > 12 || !is_rest_zero(op, 3))
        return refuse(w, net, i, "shifts");
    if (reach(a) * (1 << op->p[0]) + reach(b) * (1 << op->p[1]) >= 1 << 30)
        return refuse(w, net, i, "sums can pass 2^30");
    if (a->channels != op->channels || b->channels != op->channels || !is_grid(a, b, NULL))
        return refuse(w, net, i, "shapes differ");
    return FMC_OK;
}

/* Channels of all inputs together; they must share the op's grid. */
static fmc_status check_parts(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i];
    uint64_t channels = 0;

    for (uint32_t k = 0; k < op->n_inputs; k++) {
        channels += net->op[op->input[k]].channels;
        if (!is_grid(&net->op[op->input[k]], op, NULL))
            return refuse(w, net, i, "grids differ");
    }
    return channels == op->channels && is_rest_zero(op, 0) ? FMC_OK : refuse(w, net, i, "channels or parameters");
}

static fmc_status check_concat(fmc_weights *w, const fmc_net *net, uint32_t i, int32_t *lo, int32_t *hi)
{
    const fmc_net_op *op = &net->op[i];

    for (uint32_t k = 0; k < op->n_inputs; k++) {
        const fmc_net_op *x = &net->op[op->input[k]];

        *lo = x->lo < *lo ? x->lo : *lo;
        *hi = x->hi > *hi ? x->hi : *hi;
        if (!fits_16_bits(x))
            return refuse(w, net, i, "inputs must fit 16 bits");
    }
    return check_parts(w, net, i);
}

/* Ops that keep channels or only move values: parameters, and the range that follows from the input's. */
static fmc_status check_moves(fmc_weights *w, const fmc_net *net, uint32_t i, int32_t *lo, int32_t *hi)
{
    const fmc_net_op *op = &net->op[i], *x = &net->op[op->input[0]];
    const fmc_net_op *y = op->n_inputs > 1 ? &net->op[op->input[1]] : NULL;
    const uint64_t volume = (uint64_t)op->p[0] * op->p[1] * op->p[2]; /* of factors, <= 2^18 once they are checked */
    int is_good = 0;

    switch (op->kind) {
    case FMC_NET_LEAKY:
        is_good = is_rest_zero(op, 0);
        *lo = x->lo < 0 ? x->lo >> 3 : x->lo;
        *hi = x->hi < 0 ? x->hi >> 3 : x->hi;
        break;
    case FMC_NET_HSWISH:
        is_good = is_rest_zero(op, 0) && x->lo >= -511 && x->hi <= 511;
        *lo = -64;
        *hi = 510;
        break;
    case FMC_NET_GATE:
        is_good = are_factors(op) && y->channels == x->channels && fits_16_bits(y) && is_grid(y, x, op->p);
        break;
    case FMC_NET_MAXPOOL:
        is_good = are_factors(op);
        break;
    case FMC_NET_UPSAMPLE:
        is_good = are_factors(op) && is_grid(x, y, op->p);
        break;
    case FMC_NET_TILESTAT:
        is_good = are_factors(op) && x->hi + (x->hi - x->lo) <= WIDE;
        *hi = x->hi + (x->hi - x->lo);
        break;
    case FMC_NET_SHUFFLE:
        return are_factors(op) && op->channels * volume == x->channels ? FMC_OK : refuse(w, net, i, "factors or channels");
    default: /* FMC_NET_DIGIT */
        is_good = op->p[0] >= 1 && op->p[0] <= 14 && op->p[1] <= 1 && is_rest_zero(op, 2);
        if (is_good) {
            const int32_t half = 1 << (op->p[0] - 1);

            *lo = op->p[1] ? (x->lo + half) >> op->p[0] : -half;
            *hi = op->p[1] ? (x->hi + half) >> op->p[0] : half - 1;
        }
        break;
    }
    if (!is_good || op->channels != x->channels || (op->kind != FMC_NET_DIGIT && !fits_16_bits(x)))
        return refuse(w, net, i, "parameters, channels, grid or range of the input");
    return FMC_OK;
}

/* Arrays from `first` on are absent. */
static int are_absent(const fmc_net_op *op, uint32_t first)
{
    for (uint32_t k = first; k < FMC_NET_ARRAYS; k++)
        if (op->array[k] >= 0)
            return 0;
    return 1;
}

fmc_status fmc_net_check_integer(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i];
    const fmc_net_op *x = i ? &net->op[op->input[0]] : op;
    int32_t lo = x->lo, hi = x->hi; /* of the output, where it follows from the input */
    fmc_status st;

    if (op->lo < -WIDE || op->hi > WIDE || op->lo > op->hi)
        return refuse(w, net, i, "range");
    if (!are_absent(op, op->kind == FMC_NET_CONV ? 3 : op->kind == FMC_NET_AFFINE ? 2 : 0))
        return refuse(w, net, i, "arrays not used");
    switch (op->kind) {
    case FMC_NET_INPUT:
        return op->lo == -WIDE && op->hi == WIDE && is_rest_zero(op, 0) ? FMC_OK : refuse(w, net, i, "range or parameters");
    case FMC_NET_AFFINE:
        return check_affine(w, net, i);
    case FMC_NET_CONV:
        return fits_16_bits(x) ? check_conv(w, net, i) : refuse(w, net, i, "input must fit 16 bits");
    case FMC_NET_ADD:
        return check_add(w, net, i);
    case FMC_NET_CONCAT:
        st = check_concat(w, net, i, &lo, &hi);
        break;
    default:
        st = check_moves(w, net, i, &lo, &hi);
        break;
    }
    if (st == FMC_OK && (op->lo != lo || op->hi != hi))
        return refuse(w, net, i, "range does not follow from the input's");
    return st;
}

static int are_finite(const fmc_weights *w, const fmc_net_op *op)
{
    for (uint32_t k = 0; k < FMC_NET_ARRAYS; k++) {
        const fmc_weights_array *a = op->array[k] < 0 ? NULL : &w->array[op->array[k]];

        if (a && a->type != FMC_WEIGHTS_F32 && a->type != FMC_WEIGHTS_F16)
            return 0;
        for (size_t n = 0; a && n < a->count; n++)
            if (!isfinite(fmc_weights_float(a, n)))
                return 0;
    }
    return 1;
}

fmc_status fmc_net_check_float(fmc_weights *w, const fmc_net *net, uint32_t i)
{
    const fmc_net_op *op = &net->op[i], *x = i ? &net->op[op->input[0]] : op;
    uint32_t dim[5] = { op->channels };
    uint32_t n_arrays = 0, n_parameters = 0;
    int is_good = 1;

    if (op->lo || op->hi)
        return refuse(w, net, i, "range");
    switch (op->kind) {
    case FMC_NET_F_CONV:
        is_good = is_geometry(op, x, dim) && shaped(w, op, 0, FMC_WEIGHTS_F32, 5, dim) &&
                  (op->array[1] < 0 || shaped(w, op, 1, FMC_WEIGHTS_F32, 1, dim));
        n_arrays = 2;
        n_parameters = FMC_NET_PARAMETERS;
        break;
    case FMC_NET_F_NORM:
    case FMC_NET_F_SCALE:
        n_arrays = op->kind == FMC_NET_F_NORM ? 2 : 1;
        is_good = op->channels == x->channels;
        for (uint32_t k = 0; k < n_arrays; k++)
            is_good = is_good && shaped(w, op, k, FMC_WEIGHTS_F32, 1, dim);
        break;
    case FMC_NET_F_FOLD:
        is_good = are_factors(op) && op->channels == (uint64_t)x->channels * op->p[0] * op->p[1] * op->p[2];
        n_parameters = FMC_NET_PARAMETERS;
        break;
    case FMC_NET_F_CONCAT:
        return are_absent(op, 0) ? check_parts(w, net, i) : refuse(w, net, i, "arrays not used");
    case FMC_NET_F_ADD:
        is_good = op->channels == x->channels && net->op[op->input[1]].channels == x->channels &&
                  is_grid(x, &net->op[op->input[1]], NULL);
        break;
    default:
        is_good = op->channels == x->channels;
        break;
    }
    if (!is_good || !are_absent(op, n_arrays) || !is_rest_zero(op, n_parameters))
        return refuse(w, net, i, "parameters, arrays or shapes");
    return are_finite(w, op) ? FMC_OK : refuse(w, net, i, "arrays that are not finite floats");
}
