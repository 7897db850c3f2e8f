/* SPDX-License-Identifier: Apache-2.0 */
/* The integer ops (docs/weights-format.md 2), one row at a time; float ops are in net_row_f32.c. */
#include "nn/net_row.h"

#include <string.h>
#include "nn/net_remote.h"

enum { ALIGN = 64 };

static uint64_t aligned(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static int is_conv(const fmc_net_op *op)
{
    return op->kind == FMC_NET_CONV || op->kind == FMC_NET_F_CONV;
}

/* Bytes of a site. */
static size_t site_size(const fmc_net_op *op)
{
    return op->pitch * (op->is_wide ? sizeof(int32_t) : sizeof(int16_t));
}

uint64_t fmc_net_line_size(const fmc_net *net, uint32_t i, const fmc_net_place *place)
{
    const fmc_net_op *op = &net->op[i];

    return aligned((place[op->input[0]].sites[2] + op->p[2] - 1) * site_size(&net->op[op->input[0]]));
}

uint64_t fmc_net_extra(const fmc_net *net, uint32_t i, const fmc_net_place *place)
{
    const fmc_net_op *op = &net->op[i];
    const uint64_t rows = (uint64_t)op->p[0] * op->p[1];

    if (op->remote)
        return fmc_net_remote_extra(net, i, place);
    switch (op->kind) {
    case FMC_NET_CONV:
    case FMC_NET_F_CONV: /* which rows are there, and they */
        return op->p[2] > 1 ? aligned(rows * sizeof(uint64_t)) + rows * fmc_net_line_size(net, i, place) : 0;
    case FMC_NET_GATE: /* which tile row is there, and it */
        return op->p[2] > 1 ? ALIGN + place[i].row_size : 0;
    case FMC_NET_TILESTAT: /* a total and a mean per channel */
        return (uint64_t)net->op[op->input[0]].pitch * (sizeof(int64_t) + 2 * sizeof(int32_t));
    default:
        return 0;
    }
}

void fmc_net_row_begin(const fmc_net_task *task, uint32_t i)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    uint64_t *tag = (uint64_t *)(void *)(task->extra + task->pass->place[i].extra);

    if (is_conv(op) && op->p[2] > 1)
        for (uint64_t k = 0; k < (uint64_t)op->p[0] * op->p[1]; k++)
            tag[k] = UINT64_MAX;
    else if (op->kind == FMC_NET_GATE && op->p[2] > 1)
        tag[0] = UINT64_MAX;
}

/* ------------------------------------------------------------------------------------------ any type of value -- */

static inline int64_t load(const void *row, uint32_t is_wide, size_t i)
{
    return is_wide ? ((const int32_t *)row)[i] : ((const int16_t *)row)[i];
}

static inline void store(void *row, uint32_t is_wide, size_t i, int64_t v)
{
    if (is_wide)
        ((int32_t *)row)[i] = (int32_t)v;
    else
        ((int16_t *)row)[i] = (int16_t)v;
}

static inline int64_t clamp(const fmc_net_op *op, int64_t v)
{
    return v < op->lo ? op->lo : v > op->hi ? op->hi : v;
}

/* round(v / 2^shift), halves upwards */
static inline int64_t round_shift(int64_t v, uint32_t shift)
{
    return shift ? (v + ((int64_t)1 << (shift - 1))) >> shift : v;
}

/* What lies behind the last channel of a narrow site is read by nobody's sums, but is a value all the same. */
static void clear_padding(const fmc_net_op *op, size_t n, void *row)
{
    if (op->pitch > op->channels)
        for (size_t s = 0; s < n; s++)
            ((int16_t *)row)[s * op->pitch + op->channels] = 0;
}

/* memcpy of what is often a handful of channels. */
static inline void copy_site(void *to, const void *from, size_t size)
{
    switch (size) {
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    case 32:
        memcpy(to, from, 32);
        break;
    case 64:
        memcpy(to, from, 64);
        break;
    default:
        memcpy(to, from, size);
        break;
    }
}

/* ------------------------------------------------------------------------------------------------ convolutions -- */

/* Copy one input row between zeros; bytes. */
static void fill_line(const void *from, size_t size, size_t pad, uint8_t *line)
{
    memset(line, 0, pad);
    memcpy(line + pad, from, size);
    memset(line + pad + size, 0, pad);
}

void fmc_net_gather_rows(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, const void *row[FMC_NET_MAX_ROWS])
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const uint32_t x = op->input[0], kt = op->p[0], ky = op->p[1];
    const fmc_net_place *p = &task->pass->place[x];
    const size_t pad = op->p[2] / 2 * site_size(&task->pass->net->op[x]);
    const size_t line_size = (size_t)fmc_net_line_size(task->pass->net, i, task->pass->place);
    uint8_t *cache = task->extra + task->pass->place[i].extra;
    uint64_t *tag = (uint64_t *)(void *)cache;

    cache += aligned((uint64_t)kt * ky * sizeof *tag);
    for (uint32_t a = 0; a < kt; a++)
        for (uint32_t b = 0; b < ky; b++) {
            const uint64_t from_t = t * op->p[3] + a - kt / 2, from_y = y * op->p[4] + b - ky / 2; /* huge if negative */
            const uint32_t slot = a * ky + (uint32_t)(from_y % ky);

            if (from_t >= p->sites[0] || from_y >= p->sites[1]) {
                row[a * ky + b] = task->zero;
            } else if (op->p[2] == 1) {
                row[a * ky + b] = fmc_net_row_at(task, x, from_t, from_y);
            } else {
                if (tag[slot] != from_y)
                    fill_line(fmc_net_row_at(task, x, from_t, from_y), (size_t)p->row_size, pad, cache + slot * line_size);
                tag[slot] = from_y;
                row[a * ky + b] = cache + slot * line_size;
            }
        }
}

/* Groups of some channels: no shipped network has them, so this is only right. */
static void plain_conv(const fmc_net_op *op, uint32_t in_channels, const int16_t *const *row, size_t n, void *out)
{
    const fmc_nn_conv *c = &op->conv;
    const uint32_t per_in = in_channels / op->p[6], per_out = op->channels / op->p[6];

    for (size_t x = 0; x < n; x++)
        for (uint32_t o = 0; o < op->channels; o++) {
            const int16_t *w = op->weight + (size_t)o * per_in * c->n_rows * c->kx;
            int32_t sum = op->bias[o];

            for (uint32_t k = 0; k < per_in; k++)
                for (uint32_t r = 0; r < c->n_rows; r++)
                    for (uint32_t i = 0; i < c->kx; i++)
                        sum += row[r][(x * c->stride_x + i) * c->pitch_in + o / per_out * per_in + k] * *w++;
            store(out, op->is_wide, x * op->pitch + o, clamp(op, sum >> op->shift[o]));
        }
    clear_padding(op, n, out);
}

static void conv_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, void *out)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const fmc_nn_kernels *k = task->pass->kernels;
    const size_t n = (size_t)task->pass->place[i].sites[2];
    const void *bytes[FMC_NET_MAX_ROWS];
    const int16_t *row[FMC_NET_MAX_ROWS];

    fmc_net_gather_rows(task, i, t, y, bytes);
    for (uint32_t r = 0; r < op->conv.n_rows; r++)
        row[r] = bytes[r];
    if (op->way == FMC_NET_DENSE && op->is_wide)
        k->conv_i32(&op->conv, row, n, out);
    else if (op->way == FMC_NET_DENSE)
        k->conv_i16(&op->conv, row, n, out);
    else if (op->way == FMC_NET_DEPTHWISE && op->is_wide)
        k->depthwise_i32(&op->conv, row, n, out);
    else if (op->way == FMC_NET_DEPTHWISE)
        k->depthwise_i16(&op->conv, row, n, out);
    else
        plain_conv(op, task->pass->net->op[op->input[0]].channels, row, n, out);
}

/* --------------------------------------------------------------------------------------- single values and sums -- */

static void affine_row(const fmc_net_op *op, const fmc_net_op *x, uint32_t level, const void *in, size_t n, void *out)
{
    const int16_t *a = op->factor + (size_t)level * op->channels;
    const int32_t *b = op->offset + (size_t)level * op->channels;

    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < op->channels; c++)
            store(out, op->is_wide, s * op->pitch + c,
                  clamp(op, round_shift(load(in, x->is_wide, s * x->pitch + c) * a[c] + b[c], op->p[0])));
    clear_padding(op, n, out);
}

static void digit_row(const fmc_net_op *op, const fmc_net_op *x, const void *in, size_t n, void *out)
{
    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < op->channels; c++) {
            const int64_t v = load(in, x->is_wide, s * x->pitch + c), high = round_shift(v, op->p[0]);

            store(out, op->is_wide, s * op->pitch + c, op->p[1] ? high : v - high * ((int64_t)1 << op->p[0]));
        }
    clear_padding(op, n, out);
}

static void add_row(const fmc_net_task *task, const fmc_net_op *op, const void *in_a, const void *in_b, size_t n, void *out)
{
    const fmc_net_op *a = &task->pass->net->op[op->input[0]], *b = &task->pass->net->op[op->input[1]];

    if (!a->is_wide && !b->is_wide && !op->is_wide) {
        task->pass->kernels->add_i16(&op->add, in_a, in_b, n * op->pitch, out);
    } else if (a->is_wide && b->is_wide && op->is_wide) {
        task->pass->kernels->add_i32(&op->add, in_a, in_b, n * op->pitch, out);
    } else {
        for (size_t s = 0; s < n; s++)
            for (size_t c = 0; c < op->channels; c++) {
                const int64_t va = load(in_a, a->is_wide, s * a->pitch + c), vb = load(in_b, b->is_wide, s * b->pitch + c);

                store(out, op->is_wide, s * op->pitch + c,
                      clamp(op, (va * op->add.scale_a + vb * op->add.scale_b + op->add.half) >> op->add.shift));
            }
        clear_padding(op, n, out);
    }
}

/* Each site of a row p times: out[x] = in[x / p]. */
static void repeat_sites(const int16_t *in, size_t pitch, size_t p, size_t n, int16_t *out)
{
    for (size_t x = 0; x < n; x++, out += pitch)
        copy_site(out, in + x / p * pitch, pitch * sizeof *out);
}

static void gate_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, void *out)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const fmc_net_place *place = task->pass->place;
    const uint64_t from_y = y / op->p[1];
    const size_t n = (size_t)place[i].sites[2];
    const int16_t *v = fmc_net_row_at(task, op->input[1], t / op->p[0], from_y);

    if (op->p[2] > 1) {
        uint64_t *tag = (uint64_t *)(void *)(task->extra + place[i].extra);
        int16_t *spread = (int16_t *)(void *)(task->extra + place[i].extra + ALIGN);

        if (tag[0] != from_y)
            repeat_sites(v, op->pitch, op->p[2], n, spread);
        tag[0] = from_y;
        v = spread;
    }
    task->pass->kernels->gate(fmc_net_row_at(task, op->input[0], t, y), v, n * op->pitch, out);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void maxpool_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, int16_t *out)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const fmc_net_place *p = &task->pass->place[op->input[0]];
    const size_t pitch = op->pitch, n = (size_t)p->sites[2];

    for (size_t k = 0; k < task->pass->place[i].sites[2] * pitch; k++)
        out[k] = INT16_MIN;
    for (uint64_t a = t * op->p[0]; a < smaller((t + 1) * op->p[0], p->sites[0]); a++)
        for (uint64_t b = y * op->p[1]; b < smaller((y + 1) * op->p[1], p->sites[1]); b++) {
            const int16_t *in = fmc_net_row_at(task, op->input[0], a, b);

            for (size_t x = 0; x < n; x++)
                task->pass->kernels->max(in + x * pitch, pitch, out + x / op->p[2] * pitch);
        }
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* One tile's row segments x..x + n of frames and rows [t0, t1) x [y0, y1). */
typedef struct tile {
    uint64_t t0, t1, y0, y1;
    size_t x, n;
} tile;

/* total[c] = sum of x, or of |x - mean| if mean is given, over a tile. */
static void total_of_tile(const fmc_net_task *task, uint32_t input, const tile *g, size_t pitch, const int32_t *mean,
                          int32_t *part, int64_t *total)
{
    memset(total, 0, pitch * sizeof *total);
    for (uint64_t t = g->t0; t < g->t1; t++) {
        memset(part, 0, pitch * sizeof *part);
        for (uint64_t y = g->y0; y < g->y1; y++) { /* 64 x 64 sites of at most 2^17 */
            const int16_t *x = (const int16_t *)fmc_net_row_at(task, input, t, y) + g->x * pitch;

            if (mean)
                task->pass->kernels->deviation(x, mean, g->n, pitch, part);
            else
                task->pass->kernels->sum(x, g->n, pitch, part);
        }
        for (size_t c = 0; c < pitch; c++)
            total[c] += part[c];
    }
}

static void tilestat_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y, void *out)
{
    const fmc_net_op *op = &task->pass->net->op[i];
    const fmc_net_place *p = &task->pass->place[op->input[0]];
    const size_t pitch = task->pass->net->op[op->input[0]].pitch;
    int64_t *total = (int64_t *)(void *)(task->extra + task->pass->place[i].extra);
    int32_t *part = (int32_t *)(void *)(total + pitch), *mean = part + pitch;
    tile g = { t * op->p[0], smaller((t + 1) * op->p[0], p->sites[0]), y * op->p[1],
               smaller((y + 1) * op->p[1], p->sites[1]), 0, 0 };

    for (size_t s = 0; s < task->pass->place[i].sites[2]; s++) {
        int64_t n;

        g.x = s * op->p[2];
        g.n = (size_t)smaller(op->p[2], p->sites[2] - g.x);
        n = (int64_t)((g.t1 - g.t0) * (g.y1 - g.y0) * g.n);
        total_of_tile(task, op->input[0], &g, pitch, NULL, part, total);
        for (size_t c = 0; c < pitch; c++)
            mean[c] = (int32_t)floor_div(2 * total[c] + n, 2 * n);
        total_of_tile(task, op->input[0], &g, pitch, mean, part, total);
        for (size_t c = 0; c < op->channels; c++)
            store(out, op->is_wide, s * op->pitch + c, mean[c] + floor_div(2 * total[c] + n, 2 * n));
    }
    clear_padding(op, (size_t)task->pass->place[i].sites[2], out);
}

/* ------------------------------------------------------------------------------------------------------- moves -- */

static void concat_row(const fmc_net_task *task, const fmc_net_op *op, uint64_t t, uint64_t y, size_t n, int16_t *out)
{
    size_t at = 0;

    for (uint32_t k = 0; k < op->n_inputs; k++) {
        const fmc_net_op *x = &task->pass->net->op[op->input[k]];
        const int16_t *in = fmc_net_row_at(task, op->input[k], t, y);

        for (size_t s = 0; s < n; s++)
            copy_site(out + s * op->pitch + at, in + s * x->pitch, x->channels * sizeof *out);
        at += x->channels;
    }
    clear_padding(op, n, out);
}

/* Row y of the input becomes p1 rows of p0 frames. Channel (c, i, j, k) lies at (i, j, k) * channels + c if is_split. */
static void shuffle_row(const fmc_net_task *task, uint32_t number, uint64_t t, uint64_t y)
{
    const fmc_net_op *op = &task->pass->net->op[number], *x = &task->pass->net->op[op->input[0]];
    const size_t value = op->is_wide ? 4 : 2, n = (size_t)task->pass->place[op->input[0]].sites[2];
    const size_t volume = (size_t)op->p[0] * op->p[1] * op->p[2], run = op->channels;
    const uint8_t *in = fmc_net_row_at(task, op->input[0], t, y);

    for (uint32_t i = 0; i < op->p[0]; i++)
        for (uint32_t j = 0; j < op->p[1]; j++) {
            const size_t first = ((size_t)i * op->p[1] + j) * op->p[2];
            uint8_t *out = fmc_net_row_at(task, number, t * op->p[0] + i, y * op->p[1] + j);

            if (run == op->pitch && (x->is_split || run == 1)) { /* p2 sites at once */
                for (size_t s = 0; s < n; s++)
                    copy_site(out + s * op->p[2] * run * value, in + (s * x->pitch + first * run) * value, op->p[2] * run * value);
                continue;
            }
            for (size_t s = 0; s < n * op->p[2]; s++)
                for (size_t c = 0; c < run; c++) {
                    const size_t inner = first + s % op->p[2];
                    const size_t from = s / op->p[2] * x->pitch + (x->is_split ? inner * run + c : c * volume + inner);

                    memcpy(out + (s * op->pitch + c) * value, in + from * value, value);
                }
            clear_padding(op, n * op->p[2], out);
        }
}

void fmc_net_row(const fmc_net_task *task, uint32_t i, uint64_t t, uint64_t y)
{
    const fmc_net_op *op = &task->pass->net->op[i], *x = &task->pass->net->op[op->input[0]];
    const fmc_nn_kernels *kernels = task->pass->kernels;
    const size_t n = (size_t)task->pass->place[i].sites[2];
    void *out = op->kind == FMC_NET_SHUFFLE ? NULL : fmc_net_row_at(task, i, t, y);

    switch (op->kind) {
    case FMC_NET_AFFINE:
        affine_row(op, x, task->pass->level, fmc_net_row_at(task, op->input[0], t, y), n, out);
        break;
    case FMC_NET_CONV:
        conv_row(task, i, t, y, out);
        break;
    case FMC_NET_LEAKY:
        kernels->leaky(fmc_net_row_at(task, op->input[0], t, y), n * op->pitch, out);
        break;
    case FMC_NET_HSWISH:
        kernels->hswish(fmc_net_row_at(task, op->input[0], t, y), n * op->pitch, out);
        break;
    case FMC_NET_ADD:
        add_row(task, op, fmc_net_row_at(task, op->input[0], t, y), fmc_net_row_at(task, op->input[1], t, y), n, out);
        break;
    case FMC_NET_GATE:
        gate_row(task, i, t, y, out);
        break;
    case FMC_NET_MAXPOOL:
        maxpool_row(task, i, t, y, out);
        break;
    case FMC_NET_UPSAMPLE:
        repeat_sites(fmc_net_row_at(task, op->input[0], t / op->p[0], y / op->p[1]), op->pitch, op->p[2], n, out);
        break;
    case FMC_NET_TILESTAT:
        tilestat_row(task, i, t, y, out);
        break;
    case FMC_NET_SHUFFLE:
        shuffle_row(task, i, t, y);
        break;
    case FMC_NET_CONCAT:
        concat_row(task, op, t, y, n, out);
        break;
    case FMC_NET_DIGIT:
        digit_row(op, x, fmc_net_row_at(task, op->input[0], t, y), n, out);
        break;
    default:
        fmc_net_row_f32(task, i, t, y);
        break;
    }
}
