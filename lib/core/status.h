/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_STATUS_H
#define FMC_CORE_STATUS_H

#include <fmc/status.h>

/** The only macro that jumps: sets the local `st` and goes to the local label `done` unless the call is FMC_OK. */
#define FMC_TRY(expr)                                                                                                  \
    do {                                                                                                               \
        st = (expr);                                                                                                   \
        if (st != FMC_OK)                                                                                              \
            goto done;                                                                                                 \
    } while (0)

#endif
