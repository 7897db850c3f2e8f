/* SPDX-License-Identifier: Apache-2.0 */
#include "api/range.h"

#include <float.h>
#include <math.h>
#include "api/pack.h"
#include "array/view.h"
#include "core/status.h"

/* Samples that are looked at together, and strips that are worked on in parallel. */
#define PIECE ((size_t)1 << 18)
enum { MAX_STRIPS = 64 };

/* The view cut into boxes of about PIECE samples: single indices on axes before `axis`, `len` of them on it. */
typedef struct search {
    const fmc_exec *ex;
    const fmc_array *view;
    uint32_t has_fill;
    double fill;
    uint32_t axis;
    size_t len;
    size_t inner; /* samples per index of `axis` */
    size_t n_boxes;
    uint32_t n_strips;
    fmc_span strip[MAX_STRIPS];
} search;

static size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

static void plan(search *s)
{
    const fmc_array *v = s->view;

    s->axis = v->rank - 1;
    s->inner = 1;
    while (s->axis > 0 && s->inner * (size_t)v->dim[s->axis] <= PIECE) {
        s->inner *= (size_t)v->dim[s->axis];
        s->axis--;
    }
    s->len = PIECE / s->inner;
    if (s->len > v->dim[s->axis])
        s->len = (size_t)v->dim[s->axis];
    s->n_boxes = ceil_div((size_t)v->dim[s->axis], s->len);
    for (uint32_t a = 0; a < s->axis; a++)
        s->n_boxes *= (size_t)v->dim[a];
    s->n_strips = s->n_boxes < MAX_STRIPS ? (uint32_t)s->n_boxes : MAX_STRIPS;
}

/* Box k: where it starts and how many samples it has. */
static size_t box_of(const search *s, size_t k, size_t *start, size_t *count)
{
    const size_t per_line = ceil_div((size_t)s->view->dim[s->axis], s->len);
    const size_t begin = k % per_line * s->len;
    const size_t left = (size_t)s->view->dim[s->axis] - begin;

    k /= per_line;
    for (uint32_t a = 0; a < s->view->rank; a++) {
        start[a] = 0;
        count[a] = (size_t)s->view->dim[a];
    }
    start[s->axis] = begin;
    count[s->axis] = left < s->len ? left : s->len;
    for (uint32_t a = s->axis; a-- > 0;) {
        start[a] = k % (size_t)s->view->dim[a];
        count[a] = 1;
        k /= (size_t)s->view->dim[a];
    }
    return count[s->axis] * s->inner;
}

static fmc_status search_strip(void *user, uint32_t strip)
{
    search *s = user;
    const fmc_exec ex = fmc_exec_inner(s->ex, s->n_strips);
    size_t start[FMC_MAX_RANK] = { 0 }, count[FMC_MAX_RANK] = { 0 };
    fmc_span all = fmc_span_none();
    void *buf = NULL;
    fmc_status st;

    FMC_TRY(fmc_alloc(ex.alloc, s->len * s->inner, fmc_dtype_size(s->view->dtype), &buf));
    for (size_t k = strip; k < s->n_boxes; k += s->n_strips) {
        const size_t n = box_of(s, k, start, count);
        fmc_span one;

        FMC_TRY(fmc_view_read(&ex, s->view, start, count, buf));
        FMC_TRY(fmc_span_measure(&ex, s->view->dtype, n, buf, s->has_fill, s->fill, &one));
        all = fmc_span_join(all, one);
    }
    s->strip[strip] = all;
done:
    fmc_dealloc(ex.alloc, buf);
    return st;
}

fmc_status fmc_range_find(const fmc_exec *ex, const fmc_array *view, uint32_t has_fill, double fill_value,
                          fmc_span *out)
{
    search s = { .ex = ex, .view = view, .has_fill = has_fill, .fill = fill_value };
    fmc_status st;

    *out = fmc_span_none();
    if (fmc_view_count(view) == 0)
        return FMC_OK;
    if (fmc_view_is_plain(view))
        return fmc_span_measure(ex, view->dtype, fmc_view_count(view), view->data, has_fill, fill_value, out);
    plan(&s);
    st = fmc_parallel_for(ex, s.n_strips, search_strip, &s);
    for (uint32_t i = 0; st == FMC_OK && i < s.n_strips; i++)
        *out = fmc_span_join(*out, s.strip[i]);
    return st;
}

double fmc_range_width(const fmc_span *span)
{
    /* TwoDiff (Knuth): d + e is the exact difference. */
    const double a = span->max, b = span->min;
    const double d = a - b, v = a - d, w = d + v;
    const double e = (a - w) + (v - b);

    if (span->n_valid == 0 || !(a > b))
        return 0;
    if (!(d <= DBL_MAX))
        return DBL_MAX;
    return e < 0 ? nextafter(d, 0) : d;
}
