/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "core/status.h"
#include "interp/fit.h"

enum { RANK = FMC_MAX_RANK };

static uint32_t fit_levels(const fmc_interp_plan *plan)
{
    return plan->levels < FMC_INTERP_FIT_LEVELS ? plan->levels : FMC_INTERP_FIT_LEVELS;
}

static void write_weights(const fmc_interp_plan *plan, uint32_t l, const fmc_level *level, fmc_out *out)
{
    for (uint32_t c = 1; c < level->n_cosets; c++) {
        int32_t fixed[FMC_INTERP_MAX_PAIRS] = { 0 }, weight[FMC_INTERP_MAX_PAIRS];
        fmc_pairs pairs;
        uint32_t n;

        if (plan->set[l][c] == FMC_TAPS_FIXED)
            continue;
        fmc_interp_pairs(plan, level, c, &pairs);
        fmc_interp_fixed(plan, &pairs, fixed);
        n = fmc_interp_weights(plan, l, c, &pairs, weight);
        for (uint32_t j = 1; j < n; j++)
            fmc_out_svarint(out, weight[j] - fixed[j]);
    }
}

static void write_levels(const fmc_interp_plan *plan, fmc_out *out)
{
    fmc_level level;

    for (uint32_t l = 0; l < fit_levels(plan); l++) {
        uint32_t sets = 0;

        fmc_interp_level(plan, l, &level);
        for (uint32_t c = 1; c < level.n_cosets; c++) {
            sets |= (uint32_t)plan->set[l][c] << (2 * ((c - 1) & 3));
            if ((c & 3) == 0 || c + 1 == level.n_cosets) {
                fmc_out_u8(out, (uint8_t)sets);
                sets = 0;
            }
        }
        write_weights(plan, l, &level, out);
    }
}

void fmc_interp_plan_write(const fmc_interp_plan *plan, fmc_out *out)
{
    fmc_out_u8(out, (uint8_t)plan->predictor);
    fmc_out_u8(out, (uint8_t)(plan->unlike >> (RANK - plan->rank)));
    fmc_out_f64(out, plan->base);
    if (plan->predictor == FMC_PREDICT_PYRAMID) {
        fmc_out_u8(out, (uint8_t)plan->levels);
        for (uint32_t k = 0; k < plan->n_order; k++)
            fmc_out_u8(out, (uint8_t)(plan->order[k] | plan->share[plan->order[k]] << 4));
        write_levels(plan, out);
    } else if (plan->predictor == FMC_PREDICT_CAUSAL) {
        fmc_causal causal;

        fmc_interp_causal(plan, &causal);
        for (uint32_t j = 0; j + 1 < causal.n; j++)
            fmc_out_svarint(out, plan->causal[j]);
    }
}

static int16_t read_weight(fmc_in *in, int32_t fixed)
{
    const int64_t v = fmc_in_svarint(in);

    if (v < -65536 || v > 65536 || v + fixed < INT16_MIN || v + fixed > INT16_MAX) {
        in->bad = true;
        return 0;
    }
    return (int16_t)(v + fixed);
}

static void parse_level(fmc_in *in, uint32_t l, fmc_interp_plan *plan)
{
    fmc_level level;
    uint32_t sets = 0;

    fmc_interp_level(plan, l, &level);
    for (uint32_t c = 1; c < level.n_cosets; c++) {
        if ((c & 3) == 1)
            sets = fmc_in_u8(in);
        plan->set[l][c] = (uint8_t)(sets & 3);
        sets >>= 2;
        if (plan->set[l][c] > FMC_TAPS_FULL || ((c & 3) == 0 && sets) || (c + 1 == level.n_cosets && sets))
            in->bad = true;
    }
    for (uint32_t c = 1; c < level.n_cosets && !in->bad && !in->short_read; c++) {
        int32_t fixed[FMC_INTERP_MAX_PAIRS] = { 0 };
        fmc_pairs pairs;
        uint32_t n;

        if (plan->set[l][c] == FMC_TAPS_FIXED)
            continue;
        fmc_interp_pairs(plan, &level, c, &pairs);
        fmc_interp_fixed(plan, &pairs, fixed);
        n = plan->set[l][c] == FMC_TAPS_FULL ? pairs.n : pairs.n_line;
        for (uint32_t j = 1; j < n; j++)
            plan->weight[l][c][j] = read_weight(in, fixed[j]);
    }
}

static void parse_pyramid(fmc_in *in, fmc_interp_plan *plan)
{
    uint32_t seen = 0, wanted = 0;

    plan->levels = fmc_in_u8(in);
    if (plan->levels > FMC_INTERP_MAX_LEVELS)
        in->bad = true;
    for (uint32_t k = 0; k < plan->n_order; k++)
        wanted |= 1u << plan->order[k];
    for (uint32_t k = 0; k < plan->n_order; k++) {
        const uint8_t v = fmc_in_u8(in);

        if ((v & 15) >= RANK) {
            in->bad = true;
            return;
        }
        plan->order[k] = v & 15;
        plan->share[v & 15] = v >> 4;
        seen |= 1u << (v & 15);
    }
    if (seen != wanted)
        in->bad = true;
    for (uint32_t l = 0; !in->bad && !in->short_read && l < fit_levels(plan); l++)
        parse_level(in, l, plan);
}

fmc_status fmc_interp_plan_parse(fmc_in *in, uint32_t rank, const size_t *dim, fmc_interp_plan *plan)
{
    const uint32_t predictor = fmc_in_u8(in);
    const uint32_t unlike = fmc_in_u8(in);

    fmc_interp_plan_init(plan, rank, dim, unlike);
    plan->predictor = predictor;
    plan->base = fmc_in_f64(in);
    if (!(plan->base - plan->base == 0) || unlike >> rank || !fmc_interp_is_possible(plan, predictor))
        in->bad = true;
    else if (predictor == FMC_PREDICT_PYRAMID)
        parse_pyramid(in, plan);
    else if (predictor == FMC_PREDICT_CAUSAL) {
        fmc_causal causal;

        fmc_interp_causal(plan, &causal);
        for (uint32_t j = 0; j + 1 < causal.n; j++)
            plan->causal[j] = read_weight(in, 0);
    }
    return fmc_in_status(in);
}

fmc_status fmc_interp_plan_bytes(const fmc_exec *ex, const fmc_interp_plan *plan, size_t *size)
{
    fmc_out out = fmc_out_make(ex->alloc);
    fmc_status st;

    fmc_interp_plan_write(plan, &out);
    *size = out.size;
    st = out.st;
    fmc_out_fini(&out);
    return st;
}

void fmc_interp_describe(const fmc_interp_plan *plan, char *text, size_t size)
{
    static const char *const name[] = { "pyramid", "lorenzo", "lorenzo2", "causal" };
    char order[RANK + 1] = { 0 };
    uint32_t n = 0;

    for (uint32_t k = 0; k < plan->n_order; k++)
        order[n++] = (char)('0' + plan->order[k] - (RANK - plan->rank));
    snprintf(text, size, "%s axes %s", name[plan->predictor & 3], n > 0 ? order : "-");
}
