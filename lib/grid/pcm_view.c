/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pcm_view.h"

#include <math.h>
#include "core/status.h"

/* The code's order of the axes, by Lehmer digits. */
static void order_of(uint32_t code, uint32_t order[4])
{
    uint32_t left[4] = { 0, 1, 2, 3 };
    uint32_t digit[3];

    code &= FMC_VIEW_JOIN - 1;
    digit[0] = code / 6;
    digit[1] = code / 2 % 3;
    digit[2] = code % 2;
    for (uint32_t i = 0; i < 3; i++) {
        order[i] = left[digit[i]];
        for (uint32_t j = digit[i]; j < 3; j++)
            left[j] = left[j + 1];
    }
    order[3] = left[0];
}

/* Drop axes of extent 1; at least one is left. @return the rank left. */
static uint32_t squeeze(uint32_t rank, const size_t *dim, size_t *left)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rank; i++)
        if (dim[i] > 1)
            left[n++] = dim[i];
    if (n == 0)
        left[n++] = 1;
    return n;
}

static fmc_status lay(uint32_t code, uint32_t rank, const size_t *dim, fmc_pcm_view *view)
{
    size_t n[4] = { 1, 1, 1, 1 }, stride[4], step = 1;
    uint32_t order[4];

    if ((code & ~(uint32_t)FMC_VIEW_JOIN) >= 24)
        return FMC_ERR_CORRUPT;
    for (uint32_t i = 0; i < rank; i++)
        n[rank - 1 - i < 4 ? 3 - (rank - 1 - i) : 0] *= dim[i];
    for (uint32_t i = 4; i-- > 0;) {
        stride[i] = step;
        step *= n[i];
    }
    order_of(code, order);
    for (uint32_t i = 0; i < 4; i++) {
        view->n[i] = n[order[i]];
        view->stride[i] = stride[order[i]];
    }
    if (code & FMC_VIEW_JOIN) {
        if (view->stride[0] != view->n[1] * view->stride[1])
            return FMC_ERR_CORRUPT;
        view->n[1] *= view->n[0];
        view->n[0] = 1;
    }
    return FMC_OK;
}

fmc_status fmc_view_make(uint32_t code, uint32_t rank, const size_t *dim, fmc_pcm_view *view)
{
    size_t left[5];

    rank = squeeze(rank, dim, left);
    return lay(code, rank, left, view);
}

static uint32_t dim_of(uint32_t code, uint32_t rank, uint32_t axis)
{
    const uint32_t from_end = rank - 1 - axis;
    uint32_t order[4];

    if ((rank == 5 && axis < 2) || from_end > 3)
        return 4;
    order_of(code, order);
    for (uint32_t i = 0; i < 4; i++)
        if (order[i] == 3 - from_end)
            return (code & FMC_VIEW_JOIN) && i < 2 ? 4 : i;
    return 4;
}

uint32_t fmc_view_dim(uint32_t code, uint32_t rank, const size_t *dim, uint32_t axis)
{
    size_t left[5];
    uint32_t before = 0;

    if (dim[axis] == 1)
        return 4;
    for (uint32_t i = 0; i < axis; i++)
        before += dim[i] > 1;
    return dim_of(code, squeeze(rank, dim, left), before);
}

/* Codes of orders: see order_of. */
enum { O0123 = 0, O0132 = 1, O0213 = 2, O0231 = 3, O0312 = 4, O3012 = 18 };

static const uint32_t for_rank[6][6] = {
    { O0123, 99 },
    { O0123, 99 },
    { O0123, O0132, 99 },
    { O0123, O0132, O0213, O0231, O0312, 99 },
    { O0123, O0123 + FMC_VIEW_JOIN, O0213, O0132, O3012, 99 },
    { O0123, O0123 + FMC_VIEW_JOIN, O0213, O0132, O3012, 99 },
};

/* A box of about `target` samples in the middle of the array. */
static size_t crop(uint32_t rank, const size_t *dim, size_t target, size_t *box)
{
    size_t n = 1, at = 0, step = 1;

    for (uint32_t i = 0; i < rank; i++) {
        box[i] = dim[i];
        n = n > target * 4096 / dim[i] ? target * 4096 : n * dim[i];
    }
    for (;;) {
        uint32_t big = 0;

        n = 1;
        for (uint32_t i = 0; i < rank; i++) {
            n = box[i] > target * 64 / n ? target * 64 : n * box[i];
            /* later axes are kept longer: rows of a few samples tell little */
            if (box[i] * (rank - i) > box[big] * (rank - big))
                big = i;
        }
        if (n <= target || box[big] < 2)
            break;
        box[big] = (box[big] + 1) / 2;
    }
    for (uint32_t i = rank; i-- > 0;) {
        at += (dim[i] - box[i]) / 2 * step;
        step *= dim[i];
    }
    return at;
}

typedef struct trial {
    const fmc_exec *ex;
    uint32_t rank;
    const size_t *dim;
    size_t box[5];
    const void *src;
    const uint8_t *mask;
    fmc_pcm_params *params;
    uint32_t slice_axis;
    size_t first; /* index of the box along slice_axis */
} trial;

static bool aim(trial *t, uint32_t code)
{
    uint32_t d;

    if (!t->slice_axis)
        return true;
    d = dim_of(code, t->rank, t->slice_axis - 1);
    t->params->lattice.step_dim = d;
    return d < 3;
}

static fmc_status size_with(trial *t, uint32_t code, uint32_t flags, size_t *size)
{
    fmc_pcm_view view, part;
    fmc_out out = fmc_out_make(t->ex->alloc);
    fmc_pcm_params p = *t->params;
    fmc_status st;

    *size = SIZE_MAX;
    FMC_TRY(lay(code, t->rank, t->dim, &view));
    FMC_TRY(lay(code & (FMC_VIEW_JOIN - 1), t->rank, t->box, &part));
    if (code & FMC_VIEW_JOIN) {
        part.n[1] *= part.n[0];
        part.n[0] = 1;
        if (part.n[1] > view.n[1])
            part.n[1] = view.n[1];
    }
    for (uint32_t i = 0; i < 4; i++)
        part.stride[i] = view.stride[i];
    p.flags = flags;
    if (t->slice_axis) {
        p.lattice.step += t->first;
        p.lattice.origin += t->first;
    }
    FMC_TRY(fmc_pcm_encode(t->ex, &part, &p, t->src, t->mask, &out));
    *size = out.size;
done:
    fmc_out_fini(&out);
    return st;
}

/* Views with short rows cost memory in margins: only the plain one may be so. */
static bool is_narrow(const trial *t, uint32_t code)
{
    fmc_pcm_view v;

    return lay(code, t->rank, t->dim, &v) != FMC_OK || (v.n[3] < 8 && v.n[3] < t->dim[t->rank - 1]);
}

/* Effort 1 takes the default effort's model, half as fast, where the trial's bytes are below this of its own. */
#define MUST_SAVE 0.95

static size_t trial_samples(size_t n, uint32_t effort)
{
    const size_t least = effort < 5 ? 2048 : 4096, most = effort < 5 ? 8192 : 24576;
    const size_t part = n / (effort < 5 ? 64 : 32);

    if (effort >= 9)
        return (size_t)1 << 19;
    return part < least ? least : part > most ? most : part;
}

/* Set t to a box of about `target` samples; left is what t->dim points to. */
static void set_box(trial *t, uint32_t rank, const size_t *dim, size_t *left, const void *src, size_t elem_size,
                    const uint8_t *mask, uint32_t slice_axis, size_t target)
{
    size_t at;

    t->slice_axis = 0;
    for (uint32_t i = 0; slice_axis && i + 1 <= slice_axis; i++)
        t->slice_axis += dim[i] > 1;
    t->rank = squeeze(rank, dim, left);
    t->dim = left;
    at = crop(t->rank, left, target, t->box);
    t->src = (const uint8_t *)src + at * elem_size;
    t->mask = mask ? mask + at : NULL;
    t->first = t->slice_axis ? (left[t->slice_axis - 1] - t->box[t->slice_axis - 1]) / 2 : 0;
}

/* The view that codes the box in the fewest bytes. */
static fmc_status best_view(trial *t, uint32_t flags, uint32_t *code, size_t *best)
{
    size_t size;
    fmc_status st = FMC_OK;

    *code = 99;
    *best = SIZE_MAX;
    for (const uint32_t *c = for_rank[t->rank]; *c != 99; c++) {
        if (!aim(t, *c) || (*code != 99 && is_narrow(t, *c)))
            continue;
        FMC_TRY(size_with(t, *c, flags, &size));
        if (*code == 99 || size < *best) {
            *best = size;
            *code = *c;
        }
    }
    if (*code == 99) /* slices along the last axis */
        *code = t->rank == 2 ? O0132 : O0231;
    (void)aim(t, *code);
done:
    return st;
}

/* Samples to be coded in the array, n in all, as multiple of those in the box. */
static double scale_up(const trial *t, const uint8_t *mask, size_t n)
{
    size_t part = 1, valid = 0, valid_part = 0;

    for (uint32_t i = 0; i < t->rank; i++)
        part *= t->box[i];
    if (!mask)
        return (double)n / (double)part;
    for (size_t i = 0; i < n; i++)
        valid += !mask[i];
    for (size_t j = 0; j < part; j++) {
        size_t rest = j, at = 0, step = 1;

        for (uint32_t i = t->rank; i-- > 0;) {
            at += rest % t->box[i] * step;
            rest /= t->box[i];
            step *= t->dim[i];
        }
        valid_part += !t->mask[at];
    }
    return (double)valid / (double)(valid_part ? valid_part : 1);
}

fmc_status fmc_view_choose(const fmc_exec *ex, uint32_t rank, const size_t *dim, const void *src, size_t elem_size,
                           const uint8_t *mask, uint32_t slice_axis, uint32_t allowed, uint32_t effort,
                           fmc_pcm_params *params, uint32_t *code, size_t *estimate)
{
    static const uint32_t flag[3] = { FMC_PCM_EQ, FMC_PCM_LOW, FMC_PCM_ORDINAL };
    const uint32_t level = effort < 5 ? FMC_PCM_FAST : effort < 9 ? 0 : FMC_PCM_STRONG;
    const size_t worth = effort < 5 ? 64 : effort < 9 ? 512 : SIZE_MAX; /* a flag that costs time must gain 1 / worth */
    trial t = { .ex = ex, .params = params };
    size_t best, size, left[5], n = 1;
    uint32_t flags = allowed & (FMC_PCM_EQ | FMC_PCM_LOW);
    fmc_status st = FMC_OK;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    set_box(&t, rank, dim, left, src, elem_size, mask, slice_axis, trial_samples(n, effort));
    FMC_TRY(best_view(&t, flags | level, code, &best));
    for (uint32_t i = 0; i < 3; i++) {
        if (!(allowed & flag[i]))
            continue;
        FMC_TRY(size_with(&t, *code, (flags ^ flag[i]) | level, &size));
        if (flags & flag[i] ? size <= best + best / worth : size < best) {
            best = size;
            flags ^= flag[i];
        }
    }
    params->flags = flags | level;
    if (level & FMC_PCM_FAST) {
        FMC_TRY(size_with(&t, *code, flags, &size));
        if ((double)size < MUST_SAVE * (double)best) {
            best = size;
            params->flags = flags;
        }
    }
    if (estimate)
        *estimate = best < SIZE_MAX ? (size_t)((double)best * scale_up(&t, mask, n)) : SIZE_MAX;
done:
    return st;
}

/* Samples of a part of an estimate, and of the trial that picks the view. */
enum { PART = 4096, ESTIMATE_VIEW = 1024 };

/* Starts of boxes spread over the array, middle of the slices. */
static void spread(const trial *t, uint32_t n, size_t *at)
{
    static const double turn[5] = { 0.8191725134, 0.6710436067, 0.5497004779, 0.4503, 0.3688 };

    for (uint32_t p = 0; p < n; p++) {
        const uint32_t q = p < n / 2 ? 2 * p : 2 * (p - n / 2) + 1;
        size_t step = 1;

        at[p] = 0;
        for (uint32_t i = t->rank; i-- > 0;) {
            const size_t room = t->dim[i] - t->box[i];
            const double f = i == 0 ? (q + 0.5) / n : (q + 0.5) * turn[i] - floor((q + 0.5) * turn[i]);

            at[p] += (t->slice_axis == i + 1 ? t->first : (size_t)(f * (double)(room + 1))) * step;
            step *= t->dim[i];
        }
    }
}

/* The view of a part, in the strides of the whole. */
static fmc_status part_view(const trial *t, uint32_t code, fmc_pcm_view *part, fmc_pcm_view *whole)
{
    fmc_status st;

    FMC_TRY(lay(code, t->rank, t->dim, whole));
    FMC_TRY(lay(code & (FMC_VIEW_JOIN - 1), t->rank, t->box, part));
    if (code & FMC_VIEW_JOIN) {
        part->n[1] *= part->n[0];
        part->n[0] = 1;
        if (part->n[1] > whole->n[1])
            part->n[1] = whole->n[1];
    }
    for (uint32_t i = 0; i < 4; i++)
        part->stride[i] = whole->stride[i];
done:
    return st;
}

static double share_of_valid(const uint8_t *mask, size_t n)
{
    const size_t stride = n / 4096 + 1;
    size_t tried = 0, valid = 0;

    for (size_t i = 0; mask && i < n; i += stride) {
        tried++;
        valid += !mask[i];
    }
    return tried ? (double)valid / (double)tried : 1.0;
}

fmc_status fmc_view_estimate(const fmc_exec *ex, uint32_t rank, const size_t *dim, const void *src, size_t elem_size,
                             const uint8_t *mask, uint32_t slice_axis, uint32_t allowed, const fmc_grid_trial *how,
                             fmc_pcm_params *params, double *bytes)
{
    trial t = { .ex = ex, .params = params };
    const uint32_t flags = allowed & (FMC_PCM_EQ | FMC_PCM_LOW), parts = how->n_parts;
    size_t left[5], best, n = 1, at[FMC_GRID_MAX_PARTS];
    fmc_pcm_view part, whole;
    fmc_pcm_params p;
    fmc_pcm_meter m = { .at = at, .n_parts = parts, .n_warm = parts / (how->is_fast ? 4 : 2), .elem_size = elem_size };
    uint32_t code;
    fmc_status st;

    set_box(&t, rank, dim, left, src, elem_size, mask, slice_axis, ESTIMATE_VIEW);
    FMC_TRY(best_view(&t, flags | FMC_PCM_FAST, &code, &best));
    set_box(&t, rank, dim, left, src, elem_size, mask, slice_axis, PART);
    (void)aim(&t, code);
    spread(&t, parts, at);
    FMC_TRY(part_view(&t, code, &part, &whole));
    params->flags = flags | (how->is_fast ? FMC_PCM_FAST : 0);
    p = *params;
    if (t.slice_axis) {
        p.lattice.step += t.first;
        p.lattice.origin += t.first;
    }
    m.skip_plane = part.n[1] < whole.n[1] && part.n[1] > 1;
    m.skip_row = part.n[2] < whole.n[2] && part.n[2] > 1;
    FMC_TRY(fmc_pcm_measure(ex, &part, &p, src, mask, &m));
    for (uint32_t i = 0; i < t.rank; i++)
        n *= left[i];
    *bytes = 64 + (m.n_samples ? m.bits / (8.0 * (double)m.n_samples) : 1.0) * share_of_valid(mask, n) * (double)n;
done:
    return st;
}
