/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fpenv.h"

void fmc_fpenv_enter(fenv_t *saved)
{
    (void)fegetenv(saved);
    (void)fesetenv(FE_DFL_ENV);
}

void fmc_fpenv_leave(const fenv_t *saved)
{
    (void)fesetenv(saved);
}
