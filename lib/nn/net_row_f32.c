/* SPDX-License-Identifier: Apache-2.0 */
/* The float ops of the encoder (docs/weights-format.md 3), one row at a time. Sums have one order everywhere. */
#include "nn/net_row.h"

#include <string.h>

/* What is no number becomes 0. */
static void relu_row(const float *x, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] > 0 ? x[i] : 0;
}

static void leaky_row(const float *x, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] >= 0 ? x[i] : 0.2F * x[i];
}

static void add_row(const float *a, const float *b, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

static void scale_row(const fmc_net_op *op, const float *x, size_t n, float *out)
{
    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < op->channels; c++)
            out[s * op->channels + c] = x[s * op->channels + c] * op->weight_f32[c];
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Channel ((c p0 + i) p1 + j) p2 + k of site (t, y, x) is channel c of (t p0 + i, y p1 + j, x p2 + k), or of the last. */
static void fold_row(const fmc_net_task *task, uint32_t number, uint64_t t, uint64_t y, size_t n, float *out)
{
    const fmc_net_op *op = &task->pass->net->op[number];
    const fmc_net_place *p = &task->pass->place[op->input[0]];
    const size_t channels = task->pass->net->op[op->input[0]].channels;
    const size_t volume = (size_t)op->p[0] * op->p[1] * op->p[2];

    for (uint32_t i = 0; i < op->p[0]; i++)
        for (uint32_t j = 0; j < op->p[1]; j++) {
            const float *in = fmc_net_row_at(task, op->input[0], smaller(t * op->p[0] + i, p->sites[0] - 1),
                                             smaller(y * op->p[1] + j, p->sites[1] - 1));
            const size_t inner = ((size_t)i * op->p[1] + j) * op->p[2];

            for (size_t s = 0; s < n; s++)
                for (uint32_t k = 0; k < op->p[2]; k++) {
                    const float *from = in + smaller(s * op->p[2] + k, p->sites[2] - 1) * channels;

                    for (size_t c = 0; c < channels; c++)
                        out[s * op->channels + c * volume + inner + k] = from[c];
                }
        }
}

static void concat_row(const fmc_net_task *task, const fmc_net_op *op, uint64_t t, uint64_t y, size_t n, float *out)
{
    size_t at = 0;

    for (uint32_t k = 0; k < op->n_inputs; k++) {
        const size_t channels = task->pass->net->op[op->input[k]].channels;
        const float *in = fmc_net_row_at(task, op->input[k], t, y);

        for (size_t s = 0; s < n; s++)
            memcpy(out + s * op->channels + at, in + s * channels, channels * sizeof *out);
        at += channels;
    }
}

/* Groups: no shipped network has them, so this is only right. */
static void plain_conv(const fmc_net_op *op, const float *const *row, size_t n, float *out)
{
    const fmc_nn_conv_f32 *c = &op->conv_f32;
    const size_t per_in = c->pitch_in / op->p[6], per_out = op->channels / op->p[6];

    for (size_t x = 0; x < n; x++)
        for (size_t o = 0; o < op->channels; o++) {
            const float *w = c->weight + o * per_in * c->n_rows * c->kx;
            float sum = c->bias[o];

            for (size_t k = 0; k < per_in; k++)
                for (size_t r = 0; r < c->n_rows; r++)
                    for (size_t i = 0; i < c->kx; i++)
                        sum += row[r][(x * c->stride_x + i) * c->pitch_in + o / per_out * per_in + k] * *w++;
            out[x * op->channels + o] = sum;
        }
}

static void conv_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, size_t n, float *out)
{
    const fmc_nn_conv_f32 *c = &task->pass->net->op[i].conv_f32;
    const void *bytes[FMC_NET_MAX_ROWS];
    const float *row[FMC_NET_MAX_ROWS];

    fmc_net_gather_rows(task, i, t, y, bytes);
    for (uint32_t r = 0; r < c->n_rows; r++)
        row[r] = bytes[r];
    if (task->pass->net->op[i].way == FMC_NET_PLAIN)
        plain_conv(&task->pass->net->op[i], row, n, out);
    else
        task->pass->kernels->conv_f32(c, row, n, out);
}

void fmc_net_row_f32(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const size_t n = (size_t)task->pass->place[i].sites[2];
    float *out = fmc_net_row_at(task, i, t, y);

    switch (op->kind) {
    case FMC_NET_F_CONV:
        conv_row(task, i, t, y, n, out);
        break;
    case FMC_NET_F_NORM:
        task->pass->kernels->norm_f32(fmc_net_row_at(task, op->input[0], t, y), n, op->channels, op->weight_f32, op->bias_f32, out);
        break;
    case FMC_NET_F_RELU:
        relu_row(fmc_net_row_at(task, op->input[0], t, y), n * op->channels, out);
        break;
    case FMC_NET_F_LEAKY:
        leaky_row(fmc_net_row_at(task, op->input[0], t, y), n * op->channels, out);
        break;
    case FMC_NET_F_ADD:
        add_row(fmc_net_row_at(task, op->input[0], t, y), fmc_net_row_at(task, op->input[1], t, y), n * op->channels, out);
        break;
    case FMC_NET_F_FOLD:
        fold_row(task, i, t, y, n, out);
        break;
    case FMC_NET_F_SCALE:
        scale_row(op, fmc_net_row_at(task, op->input[0], t, y), n, out);
        break;
    case FMC_NET_F_CONCAT:
        concat_row(task, op, t, y, n, out);
        break;
    default:
        break;
    }
}
