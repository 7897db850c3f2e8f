/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/net.h"

#include <stdatomic.h>
#include <string.h>
#include "core/status.h"
#include "nn/net_plan.h"
#include "nn/net_remote.h"
#include "nn/net_row.h"
#include "ops/kernels.h"

/* ------------------------------------------------------------------------------------- borders of a program -- */

/* [channels][sites] to [sites][channels]. Floats are moved as they are. */
static fmc_status take_input(const fmc_net_op *op, uint64_t n, const void *x, void *to)
{
    const int is_float = fmc_net_is_float(op->kind);

    for (uint32_t c = 0; c < op->channels; c++)
        for (uint64_t s = 0; s < n; s++) {
            const uint8_t *from = (const uint8_t *)x + 4 * (c * n + s);
            int32_t v;

            memcpy(&v, from, 4);
            if (!is_float && (v < op->lo || v > op->hi))
                return FMC_ERR_CORRUPT;
            memcpy((uint8_t *)to + 4 * (s * op->channels + c), from, 4);
        }
    return FMC_OK;
}

/* The way back, from the tensor's type. */
static void give_output(const fmc_net_op *op, uint64_t n, const void *from, void *to)
{
    for (uint32_t c = 0; c < op->channels; c++)
        for (uint64_t s = 0; s < n; s++) {
            if (op->is_wide)
                memcpy((uint8_t *)to + 4 * (c * n + s), (const uint8_t *)from + 4 * (s * op->pitch + c), 4);
            else
                ((int32_t *)to)[c * n + s] = ((const int16_t *)from)[s * op->pitch + c];
        }
}

static uint64_t count_sites(const fmc_net_place *p)
{
    return p->sites[0] * p->sites[1] * p->sites[2];
}

/* Tensors that every task sees; an output of one wide channel is made where the caller wants it. */
static void place_whole(const fmc_net *net, const fmc_net_place *place, uint8_t *memory, void *const out[FMC_NET_OUTPUTS],
                        uint8_t **whole)
{
    for (uint32_t i = 0; i < net->n_ops; i++)
        whole[i] = net->op[i].storage == FMC_NET_WHOLE ? memory + place[i].offset : NULL;
    for (uint32_t k = net->n_outputs; k-- > 0;) {
        const fmc_net_op *op = &net->op[net->output[k]];

        if (net->output[k] && op->is_wide && op->channels == 1)
            whole[net->output[k]] = (uint8_t *)out[k];
    }
}

static void give_outputs(const fmc_net *net, const fmc_net_place *place, uint8_t *const *whole,
                         void *const out[FMC_NET_OUTPUTS])
{
    for (uint32_t k = 0; k < net->n_outputs; k++) {
        const uint32_t i = net->output[k];

        if (whole[i] != (uint8_t *)out[k])
            give_output(&net->op[i], count_sites(&place[i]), whole[i], out[k]);
    }
}

/* ------------------------------------------------------------------------------------------------- segments -- */

typedef struct segment_job {
    const fmc_exec *ex;
    const fmc_net_pass *pass;
    uint32_t first, end;      /* ops */
    uint64_t frames;
    atomic_uint_fast64_t next;
    const fmc_net_layout *layout;
    uint8_t *tasks;           /* memory of the tasks, one after another */
    const uint8_t *zero;
} segment_job;

/* Bytes of one task. */
static uint64_t task_size(const fmc_net_layout *l)
{
    return l->frame + l->row + l->extra;
}

/* One frame of the ops [first, end) of a run, row by row, or of one op that a backend computes. */
static fmc_status do_run(const fmc_net_task *task, uint32_t first, uint32_t end, uint64_t t)
{
    uint64_t domain[FMC_NET_AXES];

    if (task->pass->net->op[first].remote)
        return fmc_net_remote_frame(task, first, t);
    fmc_net_domain(task->pass->net, task->pass->place, first, domain);
    for (uint32_t i = first; i < end; i++)
        fmc_net_row_begin(task, i);
    for (uint64_t y = 0; y < domain[1]; y++)
        for (uint32_t i = first; i < end; i++)
            fmc_net_row(task, i, t, y);
    return FMC_OK;
}

/* Take frames until none is left. */
static fmc_status do_frames(void *user, uint32_t slot)
{
    segment_job *j = user;
    const fmc_net *net = j->pass->net;
    uint8_t *memory = j->tasks + slot * task_size(j->layout);
    const fmc_net_task task = { j->pass, memory, memory + j->layout->frame, memory + j->layout->frame + j->layout->row, j->zero };
    fmc_status st;
    uint64_t t;

    while ((t = atomic_fetch_add(&j->next, 1)) < j->frames) {
        if (fmc_is_cancelled(j->ex))
            return FMC_ERR_CANCELLED;
        for (uint32_t first = j->first, end; first < j->end; first = end) {
            for (end = first + 1; end < j->end && net->op[end].run == net->op[first].run; end++)
                ;
            st = do_run(&task, first, end, t);
            if (st != FMC_OK)
                return st;
        }
    }
    return FMC_OK;
}

/* How many tasks a pass has at once. */
static uint32_t count_tasks(const fmc_exec *ex, const fmc_net_layout *l)
{
    return l->frames < ex->n_threads ? (uint32_t)l->frames : ex->n_threads;
}

static fmc_status run_segments(const fmc_exec *ex, const fmc_net_pass *pass, const fmc_net_layout *layout, uint8_t *tasks,
                               const uint8_t *zero)
{
    const fmc_net *net = pass->net;
    fmc_status st = FMC_OK;

    for (uint32_t first = 1, end; first < net->n_ops && st == FMC_OK; first = end) {
        segment_job j = { .ex = ex, .pass = pass, .first = first, .layout = layout, .tasks = tasks, .zero = zero };
        uint64_t domain[FMC_NET_AXES];

        for (end = first + 1; end < net->n_ops && net->op[end].segment == net->op[first].segment; end++)
            ;
        fmc_net_domain(net, layout->place, first, domain);
        j.end = end;
        j.frames = domain[0];
        atomic_init(&j.next, 0);
        st = fmc_parallel_for(ex, j.frames < count_tasks(ex, layout) ? (uint32_t)j.frames : count_tasks(ex, layout), do_frames, &j);
    }
    return st;
}

static fmc_status total_size(const fmc_exec *ex, const fmc_net_layout *l, uint64_t *size)
{
    const uint32_t n = count_tasks(ex, l);

    *size = 0;
    if (task_size(l) > (UINT64_MAX >> 1) / n || l->whole + l->zero > (UINT64_MAX >> 1))
        return FMC_ERR_LIMIT;
    *size = l->whole + l->zero + n * task_size(l);
    return *size > SIZE_MAX / 2 ? FMC_ERR_LIMIT : FMC_OK;
}

fmc_status fmc_net_work_size(const fmc_exec *ex, const fmc_net *net, const uint32_t in[FMC_NET_AXES], uint64_t *size)
{
    fmc_net_layout layout = { 0 };
    fmc_net_remote remote;
    fmc_status st;

    FMC_TRY(fmc_net_remote_begin(ex, net, &remote, &net));
    FMC_TRY(FMC_ALLOC(ex->alloc, net->n_ops, &layout.place));
    FMC_TRY(fmc_net_lay_out(ex->alloc, net, in, &layout));
    FMC_TRY(total_size(ex, &layout, size));
done:
    fmc_net_remote_end(ex, &remote);
    fmc_dealloc(ex->alloc, layout.place);
    return st;
}

/* x and out: int32 or float, as the program has it. */
static fmc_status run_program(const fmc_exec *ex, const fmc_net *net, uint32_t level, const uint32_t in[FMC_NET_AXES],
                              const void *x, void *const out[FMC_NET_OUTPUTS])
{
    fmc_net_pass pass = { .kernels = fmc_kernels_get(ex)->nn, .level = level };
    fmc_net_layout layout = { 0 };
    fmc_net_remote remote;
    uint8_t *memory = NULL;
    uint64_t size;
    fmc_status st;

    FMC_TRY(fmc_net_remote_begin(ex, net, &remote, &net));
    pass.net = net;
    FMC_TRY(FMC_ALLOC(ex->alloc, net->n_ops, &layout.place));
    FMC_TRY(FMC_ALLOC(ex->alloc, net->n_ops, &pass.whole));
    FMC_TRY(fmc_net_lay_out(ex->alloc, net, in, &layout));
    FMC_TRY(total_size(ex, &layout, &size));
    FMC_TRY(FMC_ALLOC(ex->alloc, (size_t)size, &memory));
    pass.place = layout.place;
    memset(memory + layout.whole, 0, (size_t)layout.zero);
    place_whole(net, layout.place, memory, out, pass.whole);
    FMC_TRY(take_input(&net->op[0], count_sites(&layout.place[0]), x, pass.whole[0]));
    FMC_TRY(run_segments(ex, &pass, &layout, memory + layout.whole + layout.zero, memory + layout.whole));
    give_outputs(net, layout.place, pass.whole, out);
done:
    fmc_net_remote_end(ex, &remote);
    fmc_dealloc(ex->alloc, memory);
    fmc_dealloc(ex->alloc, pass.whole);
    fmc_dealloc(ex->alloc, layout.place);
    return st;
}

fmc_status fmc_net_run(const fmc_exec *ex, const fmc_net *net, uint32_t level, const uint32_t in[FMC_NET_AXES],
                       const int32_t *x, int32_t *const out[FMC_NET_OUTPUTS])
{
    void *any[FMC_NET_OUTPUTS] = { NULL };

    for (uint32_t k = 0; k < net->n_outputs; k++)
        any[k] = out[k];
    return run_program(ex, net, level, in, x, any);
}

fmc_status fmc_net_run_f32(const fmc_exec *ex, const fmc_net *net, const uint32_t in[FMC_NET_AXES], const float *x, float *out)
{
    void *const any[FMC_NET_OUTPUTS] = { out };

    return run_program(ex, net, 0, in, x, any);
}
