/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/net_plan.h"

#include "core/status.h"

/* Which part of its input an op reads for one frame or row of its domain. */
enum reach { READS_NOTHING, READS_SAME_ROW, READS_SAME_FRAME, READS_ANY };

static enum reach reach_of_factors(const fmc_net_op *op)
{
    return op->p[0] > 1 ? READS_ANY : op->p[1] > 1 ? READS_SAME_FRAME : READS_SAME_ROW;
}

static enum reach reach_of(const fmc_net_op *op, uint32_t k)
{
    switch (op->kind) {
    case FMC_NET_CONV:
    case FMC_NET_F_CONV:
        if (op->p[0] > 1 || op->p[3] > 1)
            return READS_ANY;
        return op->p[1] > 1 || op->p[4] > 1 ? READS_SAME_FRAME : READS_SAME_ROW;
    case FMC_NET_GATE:
        return k == 0 ? READS_SAME_ROW : reach_of_factors(op);
    case FMC_NET_UPSAMPLE:
        return k == 1 ? READS_NOTHING : reach_of_factors(op);
    case FMC_NET_MAXPOOL:
    case FMC_NET_TILESTAT:
    case FMC_NET_F_FOLD:
        return reach_of_factors(op);
    default:
        return READS_SAME_ROW;
    }
}

/* The op whose grid is the domain of op i. */
static const fmc_net_op *domain_of(const fmc_net *net, uint32_t i)
{
    return net->op[i].kind == FMC_NET_SHUFFLE ? &net->op[net->op[i].input[0]] : &net->op[i];
}

/* May op i belong with op i - 1: `axes` of their domains agree, and nothing in reach of `first..` is read beyond `most`. */
static int can_join(const fmc_net *net, uint32_t i, uint32_t first, int axes, enum reach most)
{
    const fmc_net_op *a = domain_of(net, i - 1), *b = domain_of(net, i);

    if (i < 2)
        return 0; /* the input is no work */
    for (int d = 0; d < axes; d++)
        if (a->num[d] != b->num[d] || a->den[d] != b->den[d])
            return 0;
    for (uint32_t k = 0; k < net->op[i].n_inputs; k++)
        if (net->op[i].input[k] >= first && reach_of(&net->op[i], k) > most)
            return 0;
    return 1;
}

static void find_runs(fmc_net *net)
{
    uint32_t first_of_segment = 0, first_of_run = 0;

    net->n_segments = net->n_runs = 1;
    for (uint32_t i = 0; i < net->n_ops; i++) {
        const int joins_segment = i && can_join(net, i, first_of_segment, 1, READS_SAME_FRAME);

        if (i && !joins_segment) {
            net->n_segments++;
            first_of_segment = i;
        }
        if (i && (!joins_segment || net->is_by_frame || !can_join(net, i, first_of_run, 2, READS_SAME_ROW))) {
            net->n_runs++;
            first_of_run = i;
        }
        net->op[i].segment = net->n_segments - 1;
        net->op[i].run = net->n_runs - 1;
    }
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void fmc_net_plan(fmc_net *net)
{
    find_runs(net);
    for (uint32_t i = 0; i < net->n_ops; i++) {
        fmc_net_op *op = &net->op[i];

        op->last_segment = op->segment;
        op->last_run = op->run;
        for (uint32_t k = 0; k < op->n_inputs; k++) {
            fmc_net_op *x = &net->op[op->input[k]];

            if (reach_of(op, k) != READS_NOTHING) {
                x->last_segment = larger(x->last_segment, op->segment);
                x->last_run = larger(x->last_run, op->run);
            }
        }
    }
    for (uint32_t k = 0; k < net->n_outputs; k++)
        net->op[net->output[k]].last_segment = net->op[net->output[k]].last_run = UINT32_MAX;
    for (uint32_t i = 0; i < net->n_ops; i++) {
        fmc_net_op *op = &net->op[i];
        const enum reach spread = op->kind == FMC_NET_SHUFFLE ? reach_of_factors(op) : READS_SAME_ROW;

        if (i == 0 || op->last_segment != op->segment || spread == READS_ANY)
            op->storage = FMC_NET_WHOLE;
        else if (op->last_run != op->run || spread == READS_SAME_FRAME || net->is_by_frame)
            op->storage = FMC_NET_FRAME;
        else
            op->storage = FMC_NET_ROW;
    }
}

/* ----------------------------------------------------------------------------------------------- memory -- */

/* Memory of one kind that tensors share over time: first fit. */
typedef struct block {
    uint64_t offset, size;
    uint32_t last; /* time of the last use */
} block;

typedef struct arena {
    block   *live; /* sorted by offset */
    uint32_t n;
    uint64_t size; /* the most that was needed */
} arena;

enum { ALIGN = 64 };
#define MOST ((uint64_t)1 << 40) /* bytes of one tensor: sums of some thousands stay below 2^63 */

/* Free what is not used at `now` or later. */
static void arena_expire(arena *a, uint32_t now)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < a->n; i++)
        if (a->live[i].last >= now)
            a->live[kept++] = a->live[i];
    a->n = kept;
}

static uint64_t aligned(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint64_t arena_place(arena *a, uint64_t size, uint32_t last)
{
    uint64_t offset = 0;
    uint32_t at = 0;

    size = aligned(size);
    while (at < a->n && a->live[at].offset < offset + size) {
        offset = a->live[at].offset + a->live[at].size;
        at++;
    }
    for (uint32_t i = a->n++; i > at; i--)
        a->live[i] = a->live[i - 1];
    a->live[at] = (block){ offset, size, last };
    if (offset + size > a->size)
        a->size = offset + size;
    return offset;
}

static fmc_status measure(const fmc_net *net, const uint32_t in[FMC_NET_AXES], uint32_t i, fmc_net_place *p, uint64_t *whole)
{
    const fmc_net_op *op = &net->op[i];
    uint64_t frame;

    fmc_net_sites(op, in, p->sites);
    if (p->sites[0] > UINT32_MAX || p->sites[1] > UINT32_MAX || p->sites[2] > UINT32_MAX)
        return FMC_ERR_LIMIT;
    frame = p->sites[2] * op->pitch * (op->is_wide ? 4 : 2); /* < 2^46: a row */
    p->row_size = frame;
    if (frame > MOST / p->sites[1])
        return FMC_ERR_LIMIT;
    frame *= p->sites[1];
    if (frame > MOST / p->sites[0])
        return FMC_ERR_LIMIT;
    *whole = frame * p->sites[0];
    return FMC_OK;
}

/* What is kept while a run lasts, from one row to the next, shares memory with nothing in it. */
static void place_extra(const fmc_net *net, uint32_t i, fmc_net_place *place, uint64_t *used, uint64_t *most)
{
    if (i && net->op[i].run != net->op[i - 1].run)
        *used = 0;
    place[i].extra = *used;
    *used += aligned(fmc_net_extra(net, i, place));
    if (*used > *most)
        *most = *used;
}

static void place_tensor(const fmc_net *net, uint32_t i, const uint32_t *last_op, uint64_t whole, arena a[3], fmc_net_place *p)
{
    const fmc_net_op *op = &net->op[i];

    arena_expire(&a[FMC_NET_WHOLE], op->segment);
    arena_expire(&a[FMC_NET_FRAME], op->run);
    arena_expire(&a[FMC_NET_ROW], i);
    if (op->storage == FMC_NET_WHOLE)
        p->offset = arena_place(&a[FMC_NET_WHOLE], whole, op->last_segment);
    else if (op->storage == FMC_NET_FRAME)
        p->offset = arena_place(&a[FMC_NET_FRAME], whole / p->sites[0], op->last_run);
    else
        p->offset = arena_place(&a[FMC_NET_ROW], p->row_size, last_op[i]);
}

static void find_last_readers(const fmc_net *net, uint32_t *last_op)
{
    for (uint32_t i = 0; i < net->n_ops; i++) {
        last_op[i] = i;
        for (uint32_t k = 0; k < net->op[i].n_inputs; k++)
            last_op[net->op[i].input[k]] = i;
    }
}

static void raise_to(uint64_t *most, uint64_t v)
{
    if (v > *most)
        *most = v;
}

fmc_status fmc_net_lay_out(const fmc_allocator *alloc, const fmc_net *net, const uint32_t in[FMC_NET_AXES],
                           fmc_net_layout *layout)
{
    fmc_net_place *place = layout->place;
    arena a[3] = { { 0 } };
    uint64_t extra = 0;
    uint32_t *last_op = NULL;
    fmc_status st;

    *layout = (fmc_net_layout){ .place = place, .frames = 1 };
    for (int k = 0; k < 3; k++)
        FMC_TRY(FMC_ALLOC(alloc, net->n_ops, &a[k].live));
    FMC_TRY(FMC_ALLOC(alloc, net->n_ops, &last_op));
    find_last_readers(net, last_op);
    for (uint32_t i = 0; i < net->n_ops; i++) {
        uint64_t whole = 0, domain[FMC_NET_AXES];

        FMC_TRY(measure(net, in, i, &place[i], &whole));
        place_tensor(net, i, last_op, whole, a, &place[i]);
        place_extra(net, i, place, &extra, &layout->extra);
        fmc_net_domain(net, place, i, domain);
        if (i)
            raise_to(&layout->frames, domain[0]);
        if (net->op[i].kind == FMC_NET_CONV || net->op[i].kind == FMC_NET_F_CONV)
            raise_to(&layout->zero, fmc_net_line_size(net, i, place));
    }
    layout->whole = a[FMC_NET_WHOLE].size;
    layout->frame = a[FMC_NET_FRAME].size;
    layout->row = a[FMC_NET_ROW].size;
    layout->zero = aligned(layout->zero);
done:
    for (int k = 0; k < 3; k++)
        fmc_dealloc(alloc, a[k].live);
    fmc_dealloc(alloc, last_op);
    return st;
}
