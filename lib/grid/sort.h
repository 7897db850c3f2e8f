/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_GRID_SORT_H
#define FMC_GRID_SORT_H

#include <stddef.h>

/** Sort finite numbers in increasing order, -0 before +0, in time proportional to n. @param spare  room for n. */
void fmc_sort_f64(double *v, size_t n, double *spare);

#endif
