/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes of a lossy coder's body: tier, the prior that it needs, step (docs/format.md 5.1). */
#include <math.h>
#include <string.h>

#include "codec/coder.h"
#include "coef/coef.h"
#include "core/status.h"
#include "nn/model.h"

fmc_status fmc_tier_write(uint32_t tier, const fmc_model *prior, fmc_out *out)
{
    fmc_out_u8(out, (uint8_t)tier);
    if (fmc_coef_kind(tier) == FMC_COEF_PRIOR)
        fmc_out_u64(out, prior->weights.hash);
    return out->st;
}

static int is_tier(uint32_t tier)
{
    const uint32_t kind = fmc_coef_kind(tier);

    return kind <= FMC_COEF_PRIOR && (kind == tier || kind == FMC_COEF_MIX || kind == FMC_COEF_BEST || kind == FMC_COEF_PRIOR);
}

fmc_status fmc_tier_read(fmc_in *in, uint32_t *tier, uint64_t *model)
{
    *tier = fmc_in_u8(in);
    *model = fmc_coef_kind(*tier) == FMC_COEF_PRIOR ? fmc_in_u64(in) : 0;
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    return is_tier(*tier) ? FMC_OK : FMC_ERR_UNSUPPORTED;
}

fmc_status fmc_tier_prior(const fmc_exec *ex, uint32_t tier, uint64_t model, const fmc_prior **prior)
{
    const fmc_model *m;

    *prior = NULL;
    if (fmc_coef_kind(tier) != FMC_COEF_PRIOR)
        return FMC_OK;
    m = ex->find_model ? ex->find_model(ex->find_model_user, model) : NULL;
    if (!m || !fmc_model_is_prior(m))
        return FMC_ERR_MODEL_MISSING;
    *prior = &m->prior;
    return FMC_OK;
}

fmc_status fmc_step_write(double step, fmc_out *out)
{
    uint64_t bits;

    if (!isnormal(step) || step < 0)
        return FMC_ERR_UNSUPPORTED;
    memcpy(&bits, &step, sizeof bits);
    fmc_out_u32(out, (uint32_t)(bits >> 32));
    return out->st;
}

fmc_status fmc_step_read(fmc_in *in, double *step)
{
    const uint64_t bits = (uint64_t)fmc_in_u32(in) << 32;

    memcpy(step, &bits, sizeof *step);
    if (in->short_read)
        return FMC_ERR_TRUNCATED;
    return isnormal(*step) && *step > 0 ? FMC_OK : FMC_ERR_CORRUPT;
}

fmc_status fmc_transform_head_write(uint32_t tier, const fmc_tx_plan *plan, const fmc_quantiser *quant, fmc_out *out)
{
    fmc_status st;

    fmc_out_u8(out, (uint8_t)tier);
    fmc_tx_plan_write(plan, out);
    FMC_TRY(fmc_step_write(quant->step, out));
    for (int k = 0; k < FMC_QUANT_CLASSES; k++)
        fmc_out_bytes(out, quant->centre[k], FMC_QUANT_SIZES);
    st = out->st;
done:
    return st;
}
