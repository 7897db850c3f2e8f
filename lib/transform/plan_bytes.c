/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a plan: docs/format.md 6.1. */
#include "core/status.h"
#include "transform/transform.h"

/* W and P axes with the longer filter are kinds of their own: these follow the others. */
enum { LONG_DYADIC = FMC_TX_KLT + 1, LONG_PACKET };

void fmc_tx_plan_write(const fmc_tx_plan *plan, fmc_out *out)
{
    for (uint32_t a = 0; a < plan->rank; a++) {
        const int kind = !plan->is_long[a] ? plan->kind[a] : plan->kind[a] == FMC_TX_PACKET ? LONG_PACKET : LONG_DYADIC;

        fmc_out_u8(out, (uint8_t)(kind | plan->levels[a] << 4));
    }
    for (uint32_t a = 0; a < plan->rank; a++)
        if (plan->kind[a] == FMC_TX_KLT)
            fmc_tx_klt_write(plan->klt[a], out);
}

/* Kinds and levels; every K axis counts into *n_klt. */
static fmc_status parse_kinds(fmc_in *in, fmc_tx_plan *plan, size_t *n_klt)
{
    for (uint32_t a = 0; a < plan->rank; a++) {
        const uint8_t byte = fmc_in_u8(in), kind = byte & 15;

        plan->kind[a] = kind == LONG_PACKET ? FMC_TX_PACKET : kind == LONG_DYADIC ? FMC_TX_DYADIC : kind;
        plan->is_long[a] = kind == LONG_PACKET || kind == LONG_DYADIC;
        plan->levels[a] = byte >> 4;
        plan->klt[a] = NULL;
        if (kind > LONG_PACKET)
            return FMC_ERR_UNSUPPORTED;
        if (plan->kind[a] == FMC_TX_KLT && plan->dim[a] > FMC_TX_MAX_KLT)
            return FMC_ERR_CORRUPT;
        *n_klt += plan->kind[a] == FMC_TX_KLT;
    }
    return fmc_in_status(in);
}

fmc_status fmc_tx_plan_parse(fmc_in *in, const fmc_allocator *alloc, fmc_tx_plan *plan, fmc_tx_klt **klt)
{
    fmc_tx_klt *bases = NULL;
    size_t n_klt = 0;
    fmc_status st = FMC_OK;

    *klt = NULL;
    FMC_TRY(parse_kinds(in, plan, &n_klt));
    if (n_klt > 0)
        FMC_TRY(FMC_ALLOC(alloc, n_klt, &bases));
    n_klt = 0;
    for (uint32_t a = 0; a < plan->rank; a++) {
        if (plan->kind[a] != FMC_TX_KLT)
            continue;
        FMC_TRY(fmc_tx_klt_parse(in, plan->dim[a], &bases[n_klt]));
        plan->klt[a] = &bases[n_klt++];
    }
    if (!fmc_tx_is_valid(plan))
        st = FMC_ERR_CORRUPT;
    if (st == FMC_OK) {
        *klt = bases;
        bases = NULL;
    }
done:
    fmc_dealloc(alloc, bases);
    return st;
}
