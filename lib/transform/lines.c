/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/lines.h"

#include "core/status.h"

/* Samples below which a further thread costs more than it saves, and the most pieces. */
enum { SAMPLES_PER_TASK = 32768, MAX_TASKS = 64 };

fmc_lines fmc_lines_make(uint32_t rank, const size_t *dim, const size_t *box, uint32_t axis)
{
    fmc_lines l = { .count = 1 };
    size_t step = 1;

    for (uint32_t a = rank; a-- > 0; step *= dim[a]) {
        if (a == axis) {
            l.n = box[a];
            l.stride = step;
            continue;
        }
        l.count *= box[a];
        l.n_other++;
        l.size[rank - 1 - l.n_other] = box[a];
        l.step[rank - 1 - l.n_other] = step;
    }
    return l;
}

void fmc_lines_offsets(const fmc_lines *lines, size_t first, size_t count, size_t *off)
{
    size_t at[FMC_MAX_RANK] = { 0 };
    size_t offset = 0, left = first;

    for (uint32_t a = lines->n_other; a-- > 0;) {
        at[a] = left % lines->size[a];
        left /= lines->size[a];
        offset += at[a] * lines->step[a];
    }
    if (lines->n_other == 0) {
        off[0] = 0; /* the only one */
        return;
    }
    for (size_t i = 0; i < count;) {
        const uint32_t last = lines->n_other - 1;
        const size_t step = lines->step[last], here = lines->size[last] - at[last];
        const size_t run = here < count - i ? here : count - i;

        for (size_t k = 0; k < run; k++)
            off[i + k] = offset + k * step;
        i += run;
        at[last] += run;
        offset += run * step;
        for (uint32_t a = last; a > 0 && at[a] == lines->size[a]; a--) {
            offset += lines->step[a - 1] - at[a] * lines->step[a];
            at[a] = 0;
            at[a - 1]++;
        }
    }
}

typedef struct lines_job {
    const fmc_lines_work *work;
    size_t                n_blocks;
    uint32_t              n_tasks;
} lines_job;

static fmc_status run_task(void *user, uint32_t i)
{
    const lines_job *job = user;
    const fmc_lines_work *w = job->work;
    const size_t end = job->n_blocks * (i + 1) / job->n_tasks;
    fmc_status st = FMC_OK;
    void *scratch = NULL;

    FMC_TRY(fmc_alloc(w->ex->alloc, w->scratch_size, 1, &scratch));
    for (size_t b = job->n_blocks * i / job->n_tasks; b < end; b++) {
        const size_t first = b * w->lanes;
        const size_t left = w->lines->count - first;
        const size_t count = left < w->lanes ? left : w->lanes;
        size_t off[FMC_LINES_MAX_LANES];

        if (fmc_is_cancelled(w->ex))
            st = FMC_ERR_CANCELLED;
        if (st != FMC_OK)
            break;
        fmc_lines_offsets(w->lines, first, count, off);
        st = w->block(w->user, scratch, off, count);
    }
done:
    fmc_dealloc(w->ex->alloc, scratch);
    return st;
}

fmc_status fmc_lines_run(const fmc_lines_work *work)
{
    const size_t n_samples = work->lines->count * work->lines->n;
    lines_job job = { .work = work, .n_blocks = (work->lines->count + work->lanes - 1) / work->lanes };
    size_t n_tasks = 1 + n_samples / SAMPLES_PER_TASK;

    if (n_tasks > job.n_blocks)
        n_tasks = job.n_blocks;
    job.n_tasks = (uint32_t)(n_tasks > MAX_TASKS ? MAX_TASKS : n_tasks);
    return fmc_parallel_for(work->ex, job.n_tasks, run_task, &job);
}
