/* SPDX-License-Identifier: Apache-2.0 */
/* Which axis comes first for the coders (docs/format.md 5.1). */
#include <string.h>

#include "codec/signal.h"
#include "core/status.h"

/* An axis shorter than this should not be the innermost: a coder works row by row. */
enum { SHORT_AXIS = 8, TASKS = 64 };

fmc_axis_order fmc_axis_order_choose(const fmc_signal *s)
{
    const size_t last = s->dim[s->rank - 1];
    fmc_axis_order o = { .rank = s->rank };
    uint32_t n = 0;

    for (int outer = 1; outer >= 0; outer--)
        for (uint32_t a = 0; a < s->rank; a++) {
            const int is_short = last < SHORT_AXIS && s->dim[a] < SHORT_AXIS;

            if ((is_short || s->axis[a] == FMC_AXIS_UNLIKE) == outer)
                o.axis[n++] = (uint8_t)a;
        }
    return o;
}

uint8_t fmc_axis_order_code(const fmc_axis_order *o)
{
    unsigned code = 0;

    for (uint32_t i = 0; i < o->rank; i++) {
        unsigned smaller = 0;

        for (uint32_t j = i + 1; j < o->rank; j++)
            smaller += o->axis[j] < o->axis[i];
        code = code * (o->rank - i) + smaller;
    }
    return (uint8_t)code;
}

int fmc_axis_order_parse(uint32_t rank, uint8_t code, fmc_axis_order *o)
{
    uint8_t digit[FMC_MAX_RANK], left[FMC_MAX_RANK];
    unsigned v = code;

    *o = (fmc_axis_order){ .rank = rank };
    for (uint32_t i = 0; i < rank; i++)
        left[i] = (uint8_t)i;
    for (uint32_t i = rank; i-- > 0;) {
        digit[i] = (uint8_t)(v % (rank - i));
        v /= rank - i;
    }
    for (uint32_t i = 0; i < rank; i++) {
        o->axis[i] = left[digit[i]];
        memmove(left + digit[i], left + digit[i] + 1, rank - i - 1 - digit[i]);
    }
    return v == 0;
}

fmc_signal fmc_axis_order_apply(const fmc_axis_order *o, const fmc_signal *s)
{
    fmc_signal t = *s;

    for (uint32_t i = 0; i < o->rank; i++) {
        t.dim[i] = s->dim[o->axis[i]];
        t.axis[i] = s->axis[o->axis[i]];
    }
    return t;
}

typedef struct move_job {
    uint32_t rank;
    size_t   dim[FMC_MAX_RANK];    /* of the coders' array */
    size_t   stride[FMC_MAX_RANK]; /* of its axes in the chunk, in samples */
    size_t   rows;
    size_t   sample;
    int      is_inverse;
    const uint8_t *from;
    uint8_t       *to;
} move_job;

#define DEFINE_MOVE_ROW(T)                                                                                             \
    static void move_row_##T(const move_job *j, size_t packed, size_t spread)                                          \
    {                                                                                                                  \
        const size_t n = j->dim[j->rank - 1], stride = j->stride[j->rank - 1];                                         \
        const T *from = (const T *)(const void *)j->from + (j->is_inverse ? packed : spread);                          \
        T *to = (T *)(void *)j->to + (j->is_inverse ? spread : packed);                                                \
                                                                                                                       \
        for (size_t i = 0; i < n; i++)                                                                                 \
            to[j->is_inverse ? i * stride : i] = from[j->is_inverse ? i : i * stride];                                 \
    }

DEFINE_MOVE_ROW(uint8_t)
DEFINE_MOVE_ROW(uint32_t)
DEFINE_MOVE_ROW(uint64_t)

static fmc_status move_rows(void *user, uint32_t task)
{
    const move_job *j = user;
    const size_t end = j->rows * (task + 1) / TASKS, n = j->dim[j->rank - 1];

    for (size_t r = j->rows * task / TASKS; r < end; r++) {
        size_t spread = 0, left = r;

        for (uint32_t a = j->rank - 1; a-- > 0;) {
            spread += left % j->dim[a] * j->stride[a];
            left /= j->dim[a];
        }
        if (j->sample == 8)
            move_row_uint64_t(j, r * n, spread);
        else if (j->sample == 4)
            move_row_uint32_t(j, r * n, spread);
        else
            move_row_uint8_t(j, r * n, spread);
    }
    return FMC_OK;
}

fmc_status fmc_axis_order_move(const fmc_exec *ex, const fmc_axis_order *o, const fmc_signal *s, size_t sample,
                               const void *from, void *to, int is_inverse)
{
    move_job j = { .rank = o->rank, .sample = sample, .from = from, .to = to, .is_inverse = is_inverse };
    size_t stride[FMC_MAX_RANK], pitch = 1;

    for (uint32_t a = s->rank; a-- > 0; pitch *= s->dim[a])
        stride[a] = pitch;
    for (uint32_t i = 0; i < o->rank; i++) {
        j.dim[i] = s->dim[o->axis[i]];
        j.stride[i] = stride[o->axis[i]];
    }
    j.rows = s->count / j.dim[j.rank - 1];
    return fmc_parallel_for(ex, TASKS, move_rows, &j);
}

fmc_status fmc_axis_order_move_in(const fmc_exec *ex, const fmc_axis_order *o, const fmc_signal *s, size_t sample,
                                  void *data, int is_inverse)
{
    void *copy = NULL;
    fmc_status st = FMC_OK;

    if (fmc_axis_order_code(o) == 0)
        return FMC_OK;
    FMC_TRY(fmc_alloc(ex->alloc, s->count, sample, &copy));
    memcpy(copy, data, s->count * sample);
    st = fmc_axis_order_move(ex, o, s, sample, copy, data, is_inverse);
done:
    fmc_dealloc(ex->alloc, copy);
    return st;
}
