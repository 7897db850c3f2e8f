/* SPDX-License-Identifier: Apache-2.0 */
/* A trained prior: what a value's neighbourhood says of it (docs/format.md 8.7). */
#include "coef/prior.h"

#include "coef/block.h"
#include "core/status.h"

fmc_status fmc_prior_alloc(const fmc_allocator *a, uint32_t width1, uint32_t width2, fmc_prior *p)
{
    const uint32_t n[FMC_PRIOR_LAYERS + 1] = { FMC_PRIOR_FEATURES, width1, width2, FMC_COEF_OUTPUTS };
    fmc_status st;

    *p = (fmc_prior){ 0 };
    FMC_TRY(FMC_ALLOC_ZERO(a, FMC_PRIOR_COUNTERS, &p->start));
    FMC_TRY(FMC_ALLOC_ZERO(a, FMC_PRIOR_SETS, &p->mix));
    for (int i = 0; i < FMC_PRIOR_LAYERS; i++) {
        fmc_prior_layer *l = &p->layer[i];

        l->n_in = n[i];
        l->n_out = n[i + 1];
        FMC_TRY(FMC_ALLOC_ZERO(a, (size_t)l->n_in * l->n_out, &l->weight));
        FMC_TRY(FMC_ALLOC_ZERO(a, (size_t)l->n_out * (i ? 1 : FMC_PRIOR_PLACES), &l->bias));
        FMC_TRY(FMC_ALLOC_ZERO(a, l->n_out, &l->shift));
    }
done:
    return st;
}

void fmc_prior_free(const fmc_allocator *a, fmc_prior *p)
{
    fmc_dealloc(a, p->start);
    fmc_dealloc(a, p->mix);
    for (int i = 0; i < FMC_PRIOR_LAYERS; i++) {
        fmc_dealloc(a, p->layer[i].weight);
        fmc_dealloc(a, p->layer[i].bias);
        fmc_dealloc(a, p->layer[i].shift);
    }
    *p = (fmc_prior){ 0 };
}

/* Of a magnitude. */
static int log_of(uint32_t v, unsigned unit)
{
    const uint32_t u = v + (1u << unit);
    unsigned top = unit;
    uint32_t r;

    if (v >= 1u << 20)
        return FMC_PRIOR_MAX_VALUE;
    while (u >> (top + 1))
        top++;
    r = 32 * (top - unit) + (((u << 5) >> top) & 31);
    return (int)(r < FMC_PRIOR_MAX_VALUE ? r : FMC_PRIOR_MAX_VALUE);
}

int16_t fmc_prior_log(int32_t v, unsigned unit)
{
    return (int16_t)(v < 0 ? -log_of(0u - (uint32_t)v, unit) : log_of((uint32_t)v, unit));
}

/* As log_of, by the block's tables: of a number, of a sum of values in their unit. */
static int16_t number_log(const fmc_coef_block *b, uint32_t v)
{
    return v < FMC_COEF_LOG_MAX ? b->model->number_log[v] : (int16_t)log_of(v, 0);
}

static int16_t value_log(const fmc_coef_block *b, uint32_t v)
{
    return v < FMC_COEF_LOG_MAX ? b->model->value_log[v] : (int16_t)log_of(v, b->model->n_quantisers - 1);
}

static int16_t at_or_zero(const int16_t *row, size_t n, size_t x)
{
    return row && x < n ? row[x] : 0;
}

/* A row of another band at the place that corresponds to x. */
static int16_t spread_at(const int16_t *row, size_t n, size_t x)
{
    return row ? row[x < n ? x : n - 1] : 0;
}

static uint32_t size_near(const int32_t *row, size_t n, size_t x)
{
    const int32_t v = row && x < n ? row[x] : 0;

    return v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
}

static int16_t limited(uint32_t v)
{
    return (int16_t)(v < FMC_PRIOR_MAX_VALUE ? v : FMC_PRIOR_MAX_VALUE);
}

void fmc_prior_features(const fmc_coef_block *b, const fmc_coef_row *r, const fmc_prior_place *at,
                        int16_t f[FMC_PRIOR_FEATURES])
{
    static const uint8_t with_sign[12] = { 0, 1, 3, 6, 5, 4, 8, 13, 9, 10, 11, 12 };
    const fmc_prior_rows *o = &r->prior;
    const size_t x = at->x, n = r->n;
    const int16_t near[14] = {
        at_or_zero(o->own, x, x - 1),   at_or_zero(o->own, x, x - 2),   at_or_zero(o->own, x, x - 3),
        at_or_zero(o->north, n, x),     at_or_zero(o->north, n, x + 1), at_or_zero(o->north, n, x - 1),
        at_or_zero(o->north2, n, x),    at_or_zero(o->north, n, x + 2), at_or_zero(o->up, n, x),
        at_or_zero(o->up, n, x + 1),    at_or_zero(o->up, n, x - 1),    at_or_zero(o->up_north, n, x),
        at_or_zero(o->up_south, n, x),  at_or_zero(o->up2, n, x),
    };
    const int16_t parent = spread_at(o->parent, o->n_parent, x >> o->parent_half);
    const int16_t time = spread_at(o->time, o->n_time, x >> o->time_half);
    const int16_t sibling[3] = { at_or_zero(o->sibling[0], o->n_sibling[0], x), at_or_zero(o->sibling[1], o->n_sibling[1], x),
                                 at_or_zero(o->sibling[2], o->n_sibling[2], x) };
    const fmc_coef_rows *sum = &b->scratch.rows;
    const uint32_t mean = at->mean < 0 ? 0u - (uint32_t)at->mean : (uint32_t)at->mean;
    const int sign = at->mean < 0 ? -1 : 1;

#define FMC_SIZE(v) ((int16_t)((v) < 0 ? -(v) : (v)))
    for (int i = 0; i < 14; i++)
        f[i] = FMC_SIZE(near[i]);
    f[14] = FMC_SIZE(parent);
    f[15] = value_log(b, sum->parent[x]);
    f[16] = FMC_SIZE(time);
    f[17] = value_log(b, sum->time[x]);
    f[18] = FMC_SIZE(sibling[0]);
    f[19] = value_log(b, size_near(o->sibling_value, o->n_sibling[0], x - 1) +
                             size_near(o->sibling_value, o->n_sibling[0], x + 1));
    f[20] = FMC_SIZE(sibling[1]);
    f[21] = FMC_SIZE(sibling[2]);
#undef FMC_SIZE
    f[22] = value_log(b, sum->sibling[x]);
    f[23] = number_log(b, at->energy);
    f[24] = number_log(b, at->scale);
    f[25] = number_log(b, mean);
    f[26] = limited(mean);
    f[27] = limited(at->scale);
    f[28] = value_log(b, at->run);
    f[29] = (int16_t)(at->shift > 7 ? 448 : at->shift * 64);
    f[30] = at->is_difference ? 256 : 0;
    f[31] = value_log(b, sum->north[x]);
    for (int i = 0; i < 12; i++)
        f[32 + i] = (int16_t)(sign * near[with_sign[i]]);
    f[44] = (int16_t)(sign * parent);
    f[45] = (int16_t)(sign * time);
    f[46] = (int16_t)(sign * sibling[0]);
    f[47] = (int16_t)(sign * sibling[1]);
    f[48] = (int16_t)(x & 1 ? -f[44] : f[44]);
    f[49] = (int16_t)(o->y & 1 ? -f[44] : f[44]);
    f[50] = (int16_t)(o->z & 1 ? -f[45] : f[45]);
    f[51] = (int16_t)((x ^ o->y) & 1 ? -f[44] : f[44]);
}

void fmc_prior_ask(const fmc_prior *p, const fmc_kernels *k, const int16_t feature[FMC_PRIOR_FEATURES], unsigned place,
                   int16_t logit[FMC_COEF_OUTPUTS])
{
    const fmc_prior_layer *l = p->layer;
    int16_t first[FMC_PRIOR_MAX_WIDTH], second[FMC_PRIOR_MAX_WIDTH];

    k->prior_layer(first, feature, l[0].weight, l[0].bias + (size_t)place * l[0].n_out, l[0].shift, l[0].n_in, l[0].n_out, 0,
                   FMC_PRIOR_MAX_VALUE);
    k->prior_layer(second, first, l[1].weight, l[1].bias, l[1].shift, l[1].n_in, l[1].n_out, 0, FMC_PRIOR_MAX_VALUE);
    k->prior_layer(logit, second, l[2].weight, l[2].bias, l[2].shift, l[2].n_in, l[2].n_out, -FMC_PRIOR_MAX_LOGIT,
                   FMC_PRIOR_MAX_LOGIT);
}
