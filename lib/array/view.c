/* SPDX-License-Identifier: Apache-2.0 */
#include "array/view.h"

#include <string.h>

/* Largest struct_size of a future header whose tail is looked at. */
#define MAX_STRUCT_SIZE 1024
/* Edge of the square tiles in which transposed layouts are copied: 32 * 32 samples stay in the first cache. */
#define TILE 32
/* Samples copied between two looks at the cancel flag. */
#define POLL_SAMPLES ((size_t)1 << 20)

size_t fmc_dtype_size(uint32_t dtype)
{
    return dtype == FMC_F32 ? 4 : dtype == FMC_F64 ? 8 : 0;
}

void fmc_array_init(fmc_array *a, uint32_t dtype, uint32_t rank, const uint64_t *dim, void *data)
{
    const uint32_t n = rank < FMC_MAX_RANK ? rank : FMC_MAX_RANK;
    uint64_t step = fmc_dtype_size(dtype);

    memset(a, 0, sizeof *a);
    a->struct_size = sizeof *a;
    a->dtype = dtype;
    a->rank = rank;
    a->data = data;
    for (uint32_t i = n; i-- > 0;) {
        a->dim[i] = dim[i];
        a->stride[i] = (int64_t)step;
        step *= dim[i]; /* wraps harmlessly where fmc_view_check refuses the extents */
    }
}

/* A newer program may pass a longer struct; what this library does not know must be zero. */
static int tail_is_zero(const fmc_array *a)
{
    const unsigned char *byte = (const unsigned char *)a;

    for (size_t i = sizeof *a; i < a->struct_size; i++)
        if (byte[i])
            return 0;
    return 1;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* Product of the extents from axis `first` on, zeros left out, in bytes: must fit PTRDIFF_MAX. */
static int extents_fit(const fmc_array *a, uint32_t first, int *is_empty)
{
    uint64_t room = (uint64_t)PTRDIFF_MAX / fmc_dtype_size(a->dtype);

    *is_empty = 0;
    for (uint32_t i = first; i < a->rank; i++) {
        if (a->dim[i] == 0) {
            *is_empty = 1;
            continue;
        }
        room /= a->dim[i];
        if (room == 0)
            return 0;
    }
    return 1;
}

/* Bytes reached below and above `data` by the strides must be addressable. */
static int strides_fit(const fmc_array *a, enum fmc_view_use use)
{
    const uintptr_t base = (uintptr_t)a->data;
    uint64_t below = 0, above = fmc_dtype_size(a->dtype);

    for (uint32_t i = 0; i < a->rank; i++) {
        const uint64_t step = magnitude(a->stride[i]), far = a->dim[i] - 1;
        uint64_t *side = a->stride[i] < 0 ? &below : &above;

        if (far == 0)
            continue;
        if (use == FMC_VIEW_OUTPUT && step == 0)
            return 0;
        if (step > ((uint64_t)PTRDIFF_MAX - *side) / far)
            return 0;
        *side += step * far;
    }
    return below <= base && above <= UINTPTR_MAX - base && below <= (uint64_t)PTRDIFF_MAX - above;
}

fmc_status fmc_view_check(const fmc_array *a, enum fmc_view_use use)
{
    int is_empty;

    if (!a || a->struct_size < sizeof *a || a->struct_size > MAX_STRUCT_SIZE || !tail_is_zero(a))
        return FMC_ERR_ARG;
    if (!fmc_dtype_size(a->dtype) || a->rank < 1 || a->rank > FMC_MAX_RANK || a->reserved)
        return FMC_ERR_ARG;
    if (!extents_fit(a, use == FMC_VIEW_SHAPE, &is_empty))
        return FMC_ERR_ARG;
    if (is_empty || use == FMC_VIEW_SHAPE)
        return FMC_OK;
    if (!a->data || !strides_fit(a, use))
        return FMC_ERR_ARG;
    return FMC_OK;
}

size_t fmc_view_count(const fmc_array *a)
{
    size_t n = 1;

    for (uint32_t i = 0; i < a->rank; i++)
        if (a->dim[i] == 0)
            return 0;
    for (uint32_t i = 0; i < a->rank; i++)
        n *= (size_t)a->dim[i];
    return n;
}

int fmc_view_is_plain(const fmc_array *a)
{
    int64_t step = (int64_t)fmc_dtype_size(a->dtype);

    if (fmc_view_count(a) == 0)
        return 1;
    if ((uintptr_t)a->data % (uintptr_t)step)
        return 0;
    for (uint32_t i = a->rank; i-- > 0;) {
        if (a->dim[i] > 1 && a->stride[i] != step)
            return 0;
        step *= (int64_t)a->dim[i];
    }
    return 1;
}

/* ------------------------------------------------------------------------------------------- strided copies -- */

/* A box copy between two strided places; axes of extent 1 removed, axes that continue each other joined. */
typedef struct box_copy {
    uint32_t       rank; /* >= 1 */
    size_t         dim[FMC_MAX_RANK];
    ptrdiff_t      from_step[FMC_MAX_RANK]; /* bytes */
    ptrdiff_t      to_step[FMC_MAX_RANK];
    const uint8_t *from;
    uint8_t       *to;
    size_t         size; /* of a sample: 4 or 8 */
} box_copy;

static void add_axis(box_copy *c, size_t dim, ptrdiff_t from_step, ptrdiff_t to_step)
{
    if (dim == 1)
        return;
    if (c->rank > 0) {
        const uint32_t k = c->rank - 1;

        /* The previous (slower) axis steps exactly over this one on both sides: one longer axis. Unsigned, because
         * step * dim of a checked view may pass the largest ptrdiff_t by one step. */
        if ((size_t)c->from_step[k] == (size_t)from_step * dim && (size_t)c->to_step[k] == (size_t)to_step * dim) {
            c->dim[k] *= dim;
            c->from_step[k] = from_step;
            c->to_step[k] = to_step;
            return;
        }
    }
    c->dim[c->rank] = dim;
    c->from_step[c->rank] = from_step;
    c->to_step[c->rank] = to_step;
    c->rank++;
}

static void copy_line(uint8_t *to, ptrdiff_t to_step, const uint8_t *from, ptrdiff_t from_step, size_t n, size_t size)
{
    if (to_step == (ptrdiff_t)size && from_step == (ptrdiff_t)size) {
        memcpy(to, from, n * size);
    } else if (size == 4) {
        for (size_t i = 0; i < n; i++)
            memcpy(to + (ptrdiff_t)i * to_step, from + (ptrdiff_t)i * from_step, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            memcpy(to + (ptrdiff_t)i * to_step, from + (ptrdiff_t)i * from_step, 8);
    }
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Two axes, the second contiguous on at least one side at best; tiles keep both sides' cache lines alive. */
static void copy_plane(const box_copy *c, uint32_t outer, uint8_t *to, const uint8_t *from)
{
    const uint32_t inner = c->rank - 1;
    const size_t h = c->dim[outer], w = c->dim[inner];

    for (size_t i0 = 0; i0 < h; i0 += TILE) {
        const size_t i1 = min_size(i0 + TILE, h);

        for (size_t j0 = 0; j0 < w; j0 += TILE) {
            const size_t n = min_size(TILE, w - j0);

            for (size_t i = i0; i < i1; i++)
                copy_line(to + (ptrdiff_t)i * c->to_step[outer] + (ptrdiff_t)j0 * c->to_step[inner], c->to_step[inner],
                          from + (ptrdiff_t)i * c->from_step[outer] + (ptrdiff_t)j0 * c->from_step[inner],
                          c->from_step[inner], n, c->size);
        }
    }
}

/* The axis, the last one apart, along which either side has its nearest neighbours, if nearer than along the last. */
static uint32_t transposed_axis(const box_copy *c)
{
    const uint32_t last = c->rank - 1;
    uint32_t best = last;
    uint64_t nearest = magnitude(c->from_step[last]);

    if (magnitude(c->to_step[last]) > nearest)
        nearest = magnitude(c->to_step[last]);
    for (uint32_t i = 0; i < last; i++) {
        const uint64_t a = magnitude(c->from_step[i]), b = magnitude(c->to_step[i]);
        const uint64_t step = a < b ? a : b;

        if (step > 0 && step < nearest) {
            nearest = step;
            best = i;
        }
    }
    return best;
}

/* Advance an odometer over all axes but the last and `skip`; false when it has come round. */
static int next_piece(const box_copy *c, uint32_t skip, size_t *at, ptrdiff_t *to_off, ptrdiff_t *from_off)
{
    for (uint32_t i = c->rank - 1; i-- > 0;) {
        if (i == skip)
            continue;
        if (++at[i] < c->dim[i]) {
            *to_off += c->to_step[i];
            *from_off += c->from_step[i];
            return 1;
        }
        at[i] = 0;
        *to_off -= c->to_step[i] * (ptrdiff_t)(c->dim[i] - 1);
        *from_off -= c->from_step[i] * (ptrdiff_t)(c->dim[i] - 1);
    }
    return 0;
}

static fmc_status copy_box(const fmc_exec *ex, const box_copy *c)
{
    const uint32_t last = c->rank - 1, outer = transposed_axis(c);
    const size_t piece = c->dim[last] * (outer == last ? 1 : c->dim[outer]);
    size_t at[FMC_MAX_RANK] = { 0 }, since_poll = 0;
    ptrdiff_t to_off = 0, from_off = 0;

    do {
        if (outer == last)
            copy_line(c->to + to_off, c->to_step[last], c->from + from_off, c->from_step[last], c->dim[last], c->size);
        else
            copy_plane(c, outer, c->to + to_off, c->from + from_off);
        since_poll += piece;
        if (since_poll >= POLL_SAMPLES) {
            since_poll = 0;
            if (fmc_is_cancelled(ex))
                return FMC_ERR_CANCELLED;
        }
    } while (next_piece(c, outer, at, &to_off, &from_off));
    return FMC_OK;
}

static fmc_status copy_view(const fmc_exec *ex, const fmc_array *a, const size_t *start, const size_t *count,
                            uint8_t *flat_out, const uint8_t *flat_in)
{
    const size_t size = fmc_dtype_size(a->dtype);
    ptrdiff_t flat_step[FMC_MAX_RANK], step = (ptrdiff_t)size;
    uint8_t *base = a->data;
    box_copy c = { .size = size };

    for (uint32_t i = 0; i < a->rank; i++)
        if (count[i] == 0)
            return FMC_OK;
    for (uint32_t i = a->rank; i-- > 0;) {
        flat_step[i] = step;
        step *= (ptrdiff_t)count[i];
        base += (ptrdiff_t)start[i] * (ptrdiff_t)a->stride[i];
    }
    for (uint32_t i = 0; i < a->rank; i++) {
        const ptrdiff_t view_step = count[i] > 1 ? (ptrdiff_t)a->stride[i] : 0;

        add_axis(&c, count[i], flat_out ? view_step : flat_step[i], flat_out ? flat_step[i] : view_step);
    }
    if (c.rank == 0) /* a single sample */
        c.dim[c.rank++] = 1;
    c.from = flat_out ? base : flat_in;
    c.to = flat_out ? flat_out : base;
    return copy_box(ex, &c);
}

fmc_status fmc_view_read(const fmc_exec *ex, const fmc_array *a, const size_t *start, const size_t *count, void *dst)
{
    return copy_view(ex, a, start, count, dst, NULL);
}

fmc_status fmc_view_write(const fmc_exec *ex, const fmc_array *a, const size_t *start, const size_t *count,
                          const void *src)
{
    return copy_view(ex, a, start, count, NULL, src);
}
