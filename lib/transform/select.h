/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_SELECT_H
#define FMC_TRANSFORM_SELECT_H

#include "transform/transform.h"

/** Most plans that a choice returns. */
#define FMC_TX_MENU_MAX 16

/** Plans worth coding, best first. */
typedef struct fmc_tx_menu {
    size_t       n;                       /* >= 1 */
    fmc_tx_plan  plan[FMC_TX_MENU_MAX];
    double       bits[FMC_TX_MENU_MAX];   /* estimated size, side information included; comparable with each other */
    fmc_tx_klt  *klt;                     /* what K axes of the plans borrow; owned, NULL if there are none */
} fmc_tx_menu;

/**
 * Choose transforms for an array by their cost (transform/cost.h) at an RMSE, bytes of K bases included. Zone
 * FREE, but the same for any number of threads.
 * @param x            finite samples, C-contiguous, borrowed.
 * @param rmse_target  > 0, units of x.
 * @param axis_kind    rank of enum fmc_axis_kind: UNLIKE axes stay as they are, PERIODIC ones may have a DFT; AUTO axes
 *                     are tested for that.
 * @param effort       below 9: one plan, by samples, and up to two that are close; 9: up to eight, from a long menu compared whole.
 * @param menu         fmc_tx_menu_fini when done, also after a failure.
 * @return FMC_OK, FMC_ERR_NO_MEMORY, FMC_ERR_CANCELLED.
 */
fmc_status fmc_tx_choose_f32(const fmc_exec *ex, uint32_t rank, const size_t *dim, const float *x, double rmse_target,
                             const uint32_t *axis_kind, uint32_t effort, fmc_tx_menu *menu);
fmc_status fmc_tx_choose_f64(const fmc_exec *ex, uint32_t rank, const size_t *dim, const double *x, double rmse_target,
                             const uint32_t *axis_kind, uint32_t effort, fmc_tx_menu *menu);

/** Release what a menu owns. */
void fmc_tx_menu_fini(const fmc_allocator *alloc, fmc_tx_menu *menu);

#endif
