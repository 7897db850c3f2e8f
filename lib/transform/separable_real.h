/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the one-dimensional transforms for one real type; REAL and NAME(x) defined. */

/* All halvings of a P axis, each on the low half that the one before left. */
static fmc_status NAME(packet)(const fmc_exec *ex, const fmc_tx_plan *plan, uint32_t axis, REAL *data, int is_inverse)
{
    fmc_status st = FMC_OK;
    size_t box[FMC_MAX_RANK];

    memcpy(box, plan->dim, sizeof box);
    for (uint8_t i = 0; i < plan->levels[axis] && st == FMC_OK; i++) {
        const uint8_t level = is_inverse ? (uint8_t)(plan->levels[axis] - 1 - i) : i;
        fmc_lines lines;

        box[axis] = size_at(plan->dim[axis], level);
        lines = fmc_lines_make(plan->rank, plan->dim, box, axis);
        st = is_inverse ? NAME(fmc_lift_inverse)(ex, &lines, plan->is_long[axis], data)
                        : NAME(fmc_lift_forward)(ex, &lines, plan->is_long[axis], data);
    }
    return st;
}

/* All halvings of the W axes; within a level from the fastest axis to the slowest. */
static fmc_status NAME(dyadic)(const fmc_exec *ex, const fmc_tx_plan *plan, REAL *data, int is_inverse)
{
    const uint8_t n_levels = most_w_levels(plan);
    fmc_status st = FMC_OK;

    for (uint8_t i = 0; i < n_levels; i++) {
        const uint8_t level = is_inverse ? (uint8_t)(n_levels - 1 - i) : i;
        size_t box[FMC_MAX_RANK];

        w_box(plan, level, box);
        for (uint32_t k = 0; k < plan->rank && st == FMC_OK; k++) {
            const uint32_t axis = is_inverse ? k : plan->rank - 1 - k;
            fmc_lines lines;

            if (plan->kind[axis] != FMC_TX_DYADIC || plan->levels[axis] <= level)
                continue;
            lines = fmc_lines_make(plan->rank, plan->dim, box, axis);
            st = is_inverse ? NAME(fmc_lift_inverse)(ex, &lines, plan->is_long[axis], data)
                        : NAME(fmc_lift_forward)(ex, &lines, plan->is_long[axis], data);
        }
    }
    return st;
}

/* A P, D, F or K axis; W and 0 axes are left alone. */
static fmc_status NAME(one_axis)(const fmc_exec *ex, const fmc_tx_plan *plan, uint32_t axis, REAL *data,
                                 int is_inverse)
{
    const fmc_lines lines = fmc_lines_make(plan->rank, plan->dim, plan->dim, axis);

    switch (plan->kind[axis]) {
    case FMC_TX_PACKET:
        return NAME(packet)(ex, plan, axis, data, is_inverse);
    case FMC_TX_DCT:
    case FMC_TX_DFT:
        return NAME(fmc_spectral)(ex, &lines, plan->kind[axis], data, is_inverse);
    case FMC_TX_KLT:
        return NAME(fmc_klt)(ex, &lines, plan->klt[axis], data, is_inverse);
    default:
        return FMC_OK;
    }
}

fmc_status NAME(fmc_tx_forward)(const fmc_exec *ex, const fmc_tx_plan *plan, REAL *data)
{
    fmc_status st = fmc_tx_is_valid(plan) ? FMC_OK : FMC_ERR_CORRUPT;

    for (uint32_t axis = 0; st == FMC_OK && axis < plan->rank; axis++)
        st = NAME(one_axis)(ex, plan, axis, data, 0);
    return st == FMC_OK ? NAME(dyadic)(ex, plan, data, 0) : st;
}

fmc_status NAME(fmc_tx_inverse)(const fmc_exec *ex, const fmc_tx_plan *plan, REAL *data)
{
    fmc_status st = fmc_tx_is_valid(plan) ? NAME(dyadic)(ex, plan, data, 1) : FMC_ERR_CORRUPT;

    for (uint32_t axis = plan->rank; st == FMC_OK && axis-- > 0;)
        st = NAME(one_axis)(ex, plan, axis, data, 1);
    return st;
}
