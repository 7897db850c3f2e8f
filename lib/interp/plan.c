/* SPDX-License-Identifier: Apache-2.0 */
#include "interp/plan.h"

#include <string.h>

enum { RANK = FMC_MAX_RANK, X = FMC_MAX_RANK - 1 };

size_t fmc_interp_plan_size(void)
{
    return sizeof(fmc_interp_plan);
}

double fmc_interp_plan_bits(const fmc_interp_plan *plan)
{
    return plan->bits;
}

int fmc_interp_is_fitted(const fmc_interp_plan *plan)
{
    return plan->is_fitted != 0;
}

size_t fmc_interp_count(const size_t *dim)
{
    size_t n = 1;

    for (unsigned a = 0; a < RANK; a++)
        n *= dim[a];
    return n;
}

/* Halve until no axis has more than 8 samples: what is left is too little to matter. */
uint32_t fmc_interp_default_levels(const fmc_interp_plan *plan)
{
    uint32_t levels = 0;

    for (uint32_t k = 0; k < plan->n_order; k++)
        while (levels < FMC_INTERP_MAX_LEVELS && (plan->dim[plan->order[k]] - 1) >> levels >= 8)
            levels++;
    return levels;
}

void fmc_interp_plan_init(fmc_interp_plan *plan, uint32_t rank, const size_t *dim, uint32_t unlike)
{
    memset(plan, 0, sizeof *plan);
    plan->rank = rank;
    for (uint32_t a = 0; a < RANK; a++) {
        const int given = a + rank >= RANK;

        plan->dim[a] = given ? dim[a + rank - RANK] : 1;
        if (given && (unlike >> (a + rank - RANK) & 1))
            plan->unlike |= 1u << a;
        else if (plan->dim[a] > 1)
            plan->order[plan->n_order++] = (uint8_t)a;
    }
    plan->levels = fmc_interp_default_levels(plan);
}

static int is_ordered(const fmc_interp_plan *plan, uint32_t axis)
{
    for (uint32_t k = 0; k < plan->n_order; k++)
        if (plan->order[k] == axis)
            return 1;
    return 0;
}

void fmc_interp_level(const fmc_interp_plan *plan, uint32_t l, fmc_level *level)
{
    uint32_t axis[RANK];
    uint32_t n_active = 0;
    size_t start = 0;

    level->active = 0;
    for (uint32_t a = 0; a < RANK; a++)
        level->grid[a] = is_ordered(plan, a) ? ((plan->dim[a] - 1) >> l) + 1 : plan->dim[a];
    for (uint32_t k = 0; k < plan->n_order; k++)
        if (level->grid[plan->order[k]] > 1) {
            axis[n_active++] = plan->order[k];
            level->active |= 1u << plan->order[k];
        }
    level->n_cosets = 1u << n_active;
    for (uint32_t c = 0; c < level->n_cosets; c++) {
        uint32_t mask = 0;

        for (uint32_t k = 0; k < n_active; k++)
            mask |= (c >> k & 1) << axis[k];
        level->mask[c] = mask;
        level->coset[mask] = c;
        for (uint32_t a = 0; a < RANK; a++)
            level->dim[c][a] = level->active >> a & 1 ? (level->grid[a] + !(mask >> a & 1)) / 2 : level->grid[a];
        level->start[c] = start;
        start += fmc_interp_count(level->dim[c]);
    }
}

/* Add +-delta if it is known when coset c is predicted: the sample's coset must come earlier. */
static void add_pair(const fmc_level *level, uint32_t c, const int8_t *delta, fmc_pairs *pairs)
{
    uint32_t odd = 0;

    for (unsigned a = 0; a < RANK; a++)
        odd |= (uint32_t)(delta[a] & 1) << a;
    if (pairs->n < FMC_INTERP_MAX_PAIRS && level->coset[level->mask[c] ^ odd] < c)
        memcpy(pairs->delta[pairs->n++], delta, RANK);
}

static void add_along(const fmc_level *level, uint32_t c, int step, fmc_pairs *pairs)
{
    for (unsigned a = 0; a < RANK; a++) {
        int8_t delta[RANK] = { 0 };

        if (!(level->mask[c] >> a & 1))
            continue;
        delta[a] = (int8_t)step;
        add_pair(level, c, delta, pairs);
    }
}

/* (+-1, +-1) in every plane of two active axes. */
static void add_planar(const fmc_level *level, uint32_t c, fmc_pairs *pairs)
{
    for (unsigned a = 0; a < RANK; a++)
        for (unsigned b = a + 1; b < RANK; b++)
            for (int sign = -1; sign <= 1; sign += 2) {
                int8_t delta[RANK] = { 0 };

                if (!(level->active >> a & 1) || !(level->active >> b & 1))
                    continue;
                delta[a] = 1;
                delta[b] = (int8_t)sign;
                add_pair(level, c, delta, pairs);
            }
}

/* (+-1 along a, +-2 along b): where b's near neighbours are not known yet. */
static void add_far(const fmc_level *level, uint32_t c, fmc_pairs *pairs)
{
    for (unsigned a = 0; a < RANK; a++)
        for (unsigned b = 0; b < RANK; b++)
            for (int sign = -2; sign <= 2; sign += 4) {
                int8_t delta[RANK] = { 0 };
                const uint32_t both = 1u << a | 1u << b;

                if (a == b || !(level->mask[c] >> a & 1) || !(level->active >> b & 1))
                    continue;
                if (level->coset[level->mask[c] ^ both] < c)
                    continue;
                delta[a] = 1;
                delta[b] = (int8_t)sign;
                add_pair(level, c, delta, pairs);
            }
}

/* (+-1, +-1, +-1) if exactly three axes are active. */
static void add_corners(const fmc_level *level, uint32_t c, fmc_pairs *pairs)
{
    if (level->n_cosets != 8)
        return;
    for (int corner = 0; corner < 4; corner++) {
        int8_t delta[RANK] = { 0 };
        int seen = 0;

        for (unsigned a = 0; a < RANK; a++)
            if (level->active >> a & 1) {
                delta[a] = seen > 0 && (corner >> (seen - 1) & 1) ? -1 : 1;
                seen++;
            }
        add_pair(level, c, delta, pairs);
    }
}

void fmc_interp_pairs(const fmc_interp_plan *plan, const fmc_level *level, uint32_t c, fmc_pairs *pairs)
{
    (void)plan;
    memset(pairs, 0, sizeof *pairs);
    add_along(level, c, 1, pairs);
    add_along(level, c, 3, pairs);
    pairs->n_line = pairs->n;
    add_planar(level, c, pairs);
    add_far(level, c, pairs);
    add_corners(level, c, pairs);
}

void fmc_interp_fixed(const fmc_interp_plan *plan, const fmc_pairs *pairs, int32_t *weight)
{
    const uint32_t n_axes = pairs->n_line / 2;
    uint32_t total = 0;
    int32_t sum = 0;

    for (uint32_t i = 0; i < n_axes; i++)
        for (unsigned a = 0; a < RANK; a++)
            if (pairs->delta[i][a] != 0)
                total += 1u << plan->share[a];
    for (uint32_t i = 0; i < n_axes; i++) {
        int32_t share = 0; /* of 256, so that the ninths and sixteenths below are exact */

        for (unsigned a = 0; a < RANK; a++)
            if (pairs->delta[i][a] != 0)
                share = (int32_t)((256u << plan->share[a]) / total);
        weight[i] = 9 * share;
        weight[n_axes + i] = -share;
        sum += 8 * share;
    }
    if (n_axes > 0)
        weight[0] += FMC_INTERP_ONE / 2 - sum;
}

uint32_t fmc_interp_weights(const fmc_interp_plan *plan, uint32_t l, uint32_t c, const fmc_pairs *pairs,
                            int32_t *weight)
{
    const uint32_t set = l < FMC_INTERP_FIT_LEVELS ? plan->set[l][c] : FMC_TAPS_FIXED;
    const uint32_t n = set == FMC_TAPS_FULL ? pairs->n : pairs->n_line;
    int32_t sum = 0;

    if (set == FMC_TAPS_FIXED) {
        fmc_interp_fixed(plan, pairs, weight);
        return pairs->n_line;
    }
    for (uint32_t i = 1; i < n; i++) {
        weight[i] = plan->weight[l][c][i];
        sum += weight[i];
    }
    weight[0] = FMC_INTERP_ONE / 2 - sum;
    return n;
}

static int same_to_one(const size_t *a, const size_t *b)
{
    for (unsigned i = 0; i < RANK; i++)
        if (a[i] > b[i] + 1 || b[i] > a[i] + 1)
            return 0;
    return 1;
}

/* Relations of coset c of level l; first and coarser_first are the indices of coset 1 of this and the coarser level. */
static void relate(fmc_band *band, size_t first, uint32_t c, const fmc_level *level, size_t coarser_first,
                   const fmc_level *coarser)
{
    fmc_band *b = &band[first + c - 1];
    const uint32_t mask = level->mask[c];

    if (coarser && (mask & coarser->active) == mask) {
        b->parent = (int16_t)(coarser_first + coarser->coset[mask] - 1);
        b->parent_half = (uint8_t)level->active;
    }
    for (uint32_t i = c > FMC_MAX_SIBLINGS ? c - FMC_MAX_SIBLINGS : 1; i < c; i++)
        if (same_to_one(b->dim, band[first + i - 1].dim))
            b->sibling[b->n_siblings++] = (int16_t)(first + i - 1);
}

static void band_init(fmc_band *b, size_t start, const size_t *dim)
{
    memset(b, 0, sizeof *b);
    b->start = start;
    memcpy(b->dim, dim, sizeof b->dim);
    b->count = fmc_interp_count(dim);
    b->parent = -1;
    b->time_parent = -1;
}

static size_t pyramid_bands(const fmc_interp_plan *plan, fmc_band *band)
{
    fmc_level level, coarser = { .n_cosets = 1 };
    size_t n = 1, coarser_first = 0;

    fmc_interp_level(plan, plan->levels, &level);
    band_init(band, 0, level.grid);
    band->level = (uint8_t)plan->levels;
    for (uint32_t l = plan->levels; l-- > 0;) {
        const size_t first = n;

        fmc_interp_level(plan, l, &level);
        for (uint32_t c = 1; c < level.n_cosets; c++) {
            band_init(&band[n], level.start[c], level.dim[c]);
            band[n].level = (uint8_t)l;
            band[n++].high = (uint8_t)level.mask[c];
            relate(band, first, c, &level, coarser_first, l + 1 < plan->levels ? &coarser : NULL);
        }
        coarser = level;
        coarser_first = first;
    }
    return n;
}

size_t fmc_interp_bands(const fmc_interp_plan *plan, fmc_band *band)
{
    if (plan->predictor == FMC_PREDICT_PYRAMID)
        return pyramid_bands(plan, band);
    band_init(band, 0, plan->dim);
    return 1;
}

/* Lorenzo of order 1 or 2: 1 - product over axes of (1 - back one step)^order. */
static void lorenzo_taps(const fmc_interp_plan *plan, int order, fmc_causal *causal)
{
    static const int32_t factor[2][3] = { { 1, -1, 0 }, { 1, -2, 1 } };
    const int base = order + 1;
    int n = 1;

    for (uint32_t k = 0; k < plan->n_order; k++)
        n *= base;
    for (int i = n - 1; i > 0; i--) {
        int32_t w = -FMC_INTERP_ONE;
        int rest = i;
        int8_t *delta = causal->delta[causal->n];

        for (uint32_t k = 0; k < plan->n_order; k++, rest /= base) {
            delta[plan->order[k]] = (int8_t)-(rest % base);
            w *= factor[order - 1][rest % base];
        }
        causal->weight[causal->n++] = w;
    }
}

/* Is delta earlier in C order? */
static int is_earlier(const int8_t *delta)
{
    for (unsigned a = 0; a < RANK; a++)
        if (delta[a] != 0)
            return delta[a] < 0;
    return 0;
}

static void add_causal(const int8_t *delta, fmc_causal *causal)
{
    if (is_earlier(delta) && causal->n < FMC_INTERP_MAX_CAUSAL)
        memcpy(causal->delta[causal->n++], delta, RANK);
}

/* All of {-1, 0, 1}^axes that are earlier, with at most `most` axes changed. */
static void add_near(const uint8_t *axis, uint32_t n_axes, int most, fmc_causal *causal)
{
    int n = 1;

    for (uint32_t k = 0; k < n_axes; k++)
        n *= 3;
    for (int i = 0; i < n; i++) {
        int8_t delta[RANK] = { 0 };
        int rest = i, changed = 0;

        for (uint32_t k = 0; k < n_axes; k++, rest /= 3) {
            delta[axis[k]] = (int8_t)(rest % 3 - 1);
            changed += rest % 3 != 1;
        }
        if (changed <= most)
            add_causal(delta, causal);
    }
}

static void add_causal_far(const uint8_t *axis, uint32_t n_axes, fmc_causal *causal)
{
    static const int8_t plane[5][2] = { { -1, -2 }, { -1, 2 }, { -2, -1 }, { -2, 1 }, { 0, -3 } };

    for (uint32_t k = 0; k < n_axes; k++) {
        int8_t delta[RANK] = { 0 };

        delta[axis[k]] = -2;
        add_causal(delta, causal);
    }
    for (unsigned i = 0; (n_axes == 2 || n_axes == 3) && i < 5; i++) { /* in the fastest plane */
        int8_t delta[RANK] = { 0 };

        delta[axis[n_axes - 2]] = plane[i][0];
        delta[axis[n_axes - 1]] = plane[i][1];
        add_causal(delta, causal);
    }
    for (int i = 3; n_axes == 1 && i < 5; i++) {
        int8_t delta[RANK] = { 0 };

        delta[axis[0]] = (int8_t)-i;
        add_causal(delta, causal);
    }
}

/* Taps of the sample's own row go last, the nearest very last; the order is otherwise kept. */
static void row_last(fmc_causal *causal)
{
    const fmc_causal old = *causal;
    uint32_t n = 0;

    for (int pass = 0; pass < 3; pass++)
        for (uint32_t j = 0; j < old.n; j++) {
            int slow = 0;

            for (unsigned a = 0; a < X; a++)
                slow |= old.delta[j][a] != 0;
            if (pass != (slow ? 0 : old.delta[j][X] == -1 ? 2 : 1))
                continue;
            memcpy(causal->delta[n], old.delta[j], RANK);
            causal->weight[n++] = old.weight[j];
            causal->n_row += !slow;
        }
}

int fmc_interp_is_possible(const fmc_interp_plan *plan, uint32_t predictor)
{
    if (predictor == FMC_PREDICT_LORENZO2)
        return plan->n_order <= 3;
    return predictor <= FMC_PREDICT_CAUSAL;
}

void fmc_interp_causal(const fmc_interp_plan *plan, fmc_causal *causal)
{
    uint8_t axis[RANK];
    uint32_t n_axes = 0;
    int32_t sum = 0;

    memset(causal, 0, sizeof *causal);
    if (plan->predictor == FMC_PREDICT_LORENZO1 || plan->predictor == FMC_PREDICT_LORENZO2) {
        lorenzo_taps(plan, plan->predictor == FMC_PREDICT_LORENZO1 ? 1 : 2, causal);
        row_last(causal);
        return;
    }
    for (uint8_t a = 0; a < RANK; a++)
        if (plan->dim[a] > 1 && !(plan->unlike >> a & 1))
            axis[n_axes++] = a;
    add_near(axis, n_axes, n_axes > 3 ? 2 : 3, causal);
    add_causal_far(axis, n_axes, causal);
    row_last(causal);
    for (uint32_t j = 0; j + 1 < causal->n; j++) {
        causal->weight[j] = plan->causal[j];
        sum += plan->causal[j];
    }
    if (causal->n > 0)
        causal->weight[causal->n - 1] = FMC_INTERP_ONE - sum;
}
